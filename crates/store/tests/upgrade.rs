//! A store of an older version is brought up to date, and nothing in it is lost.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod common;

use common::{company, conflict, link, open, person, random};
use reconcile::{Conflict, ConflictKind, LeftReason, Link, LinkState};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use store::{
    By, ConflictQuery, ConflictSort, Conflicts, Coordination, DirectoryId, History, Links, Lists, OldStore,
    PeopleQuery, PersonStatus, RunId, RunPeopleQuery, RunPerson, RunStart, SqlStore, Standing, Trigger,
    Updated, Window,
};

const SCHEMA_1: &str = include_str!("../src/sql/schema-1.sql");

#[tokio::test]
async fn a_store_without_lists_gets_them_filled() {
    let dir = tempfile::tempdir().unwrap();
    let (id, run) = filled(dir.path()).await;
    go_back(dir.path()).await;
    let store = open(dir.path()).await;
    check(&store, id, run).await;
    store.close().await;
    // Once, not at every start.
    check(&open(dir.path()).await, id, run).await;
}

#[tokio::test]
async fn so_does_a_backup_of_such_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let (id, run) = filled(dir.path()).await;
    go_back(dir.path()).await;
    let file = dir.path().join("old.backup");
    let (key, database) =
        (fs::read(dir.path().join("vault.key")).unwrap(), fs::read(dir.path().join("rollcall.db")).unwrap());
    let head = json!({
        "made_ms": 9, "version": "0.1.0", "schema": 1, "key": "included",
        "key_bytes": key.len(), "database_bytes": database.len(),
    });
    let backup = [format!("rollcall backup 1\n{head}\n").as_bytes(), &key[..], &database[..]].concat();
    fs::write(&file, [&backup[..], &Sha256::digest(&backup)[..]].concat()).unwrap();
    let state = dir.path().join("state");
    SqlStore::restore(&file, &state, None, OldStore::Refuse, random()).await.unwrap();
    check(&open(&state).await, id, run).await;
}

fn links() -> Vec<Link> {
    let mut links: Vec<Link> = (0..30).map(|number| link(number, number as u64)).collect();
    links[7].state = LinkState::Left { reason: LeftReason::Expired, since_ms: 70 };
    links[8].name = "Ёлкин Пётр".into();
    links
}

fn told(number: usize) -> RunPerson {
    RunPerson {
        person: person(number),
        employee: None,
        name: format!("Ёж {number}"),
        extension: "201".into(),
        status: PersonStatus::Processed,
        updated: Updated::Pbx,
        changes: json!({"person": number}),
        reason: "told".into(),
    }
}

async fn filled(state: &Path) -> (DirectoryId, RunId) {
    let store = open(state).await;
    let id = company(&store).await;
    store.agree(By::Hand(id), &[], &links()).await.unwrap();
    let holder = "me".to_owned();
    store.take_lease(id, &holder, i64::MAX, 0).await.unwrap();
    let start = RunStart { directory: id, trigger: Trigger::Manual, started_ms: 5, holder };
    let run = store.start_run(&start).await.unwrap();
    store.add_run_people(run, &[told(1), told(2)]).await.unwrap();
    let found = Conflict { name: "Ёлкин".into(), ..conflict(3, ConflictKind::Refused, "x") };
    store
        .sync_conflicts(By::Run(run), 6, &[conflict(4, ConflictKind::Refused, "x"), found], &BTreeSet::new())
        .await
        .unwrap();
    store.close().await;
    (id, run)
}

/// Puts what the first schema could hold into a database of that schema.
async fn go_back(state: &Path) {
    sqlx::any::install_default_drivers();
    let (new, old) = (state.join("rollcall.db"), state.join("older.db"));
    let url = format!("sqlite://{}?mode=rwc", old.display());
    let mut older = AnyConnection::connect(&url).await.unwrap();
    let attach = format!("ATTACH '{}' AS newer", new.display());
    sqlx::raw_sql(AssertSqlSafe(attach)).execute(&mut older).await.unwrap();
    let setup = format!(
        "{SCHEMA_1}; CREATE TABLE schema_version (version bigint NOT NULL); \
         INSERT INTO schema_version VALUES (1)"
    );
    sqlx::raw_sql(AssertSqlSafe(setup)).execute(&mut older).await.unwrap();
    let tables = SCHEMA_1.split("CREATE TABLE ").skip(1).map(|rest| rest.split(' ').next().unwrap());
    for table in tables {
        let sql = format!("SELECT name FROM pragma_table_info('{table}', 'main') ORDER BY cid");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut older).await.unwrap();
        let columns: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        let columns = columns.join(", ");
        let copy =
            format!("INSERT OR REPLACE INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}");
        sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut older).await.unwrap();
    }
    older.close().await.unwrap();
    fs::rename(old, new).unwrap();
}

async fn check(store: &SqlStore, id: DirectoryId, run: RunId) {
    assert_eq!(store.links(id).await.unwrap(), links());
    assert_eq!(store.run_people(run, 9, 0).await.unwrap(), [told(1), told(2)]);
    let people = async |query| store.people(&query).await.unwrap();
    let all = people(PeopleQuery::default()).await;
    assert_eq!((all.total, all.rows.len()), (30, 30));
    assert_eq!(all.rows[1].last.as_ref().map(|last| last.run), Some(run));
    assert_eq!(all.rows[3].last, None);
    let left = people(PeopleQuery { state: Some(Standing::Left), ..PeopleQuery::default() }).await;
    assert_eq!((left.total, left.rows[0].person.clone()), (1, person(7)));
    let window = Window { limit: 1, offset: 0 };
    let search = people(PeopleQuery { search: "елкин".into(), window, ..PeopleQuery::default() }).await;
    assert_eq!((search.total, search.rows[0].person.clone()), (1, person(8)));
    let search = RunPeopleQuery { search: "ЕЖ".into(), ..RunPeopleQuery::default() };
    assert_eq!(store.run_people_page(run, &search).await.unwrap().rows, [told(1), told(2)]);
    let by_name = ConflictQuery { sort: ConflictSort::Person, ..ConflictQuery::default() };
    let rows = store.conflict_page(&by_name).await.unwrap().rows;
    assert_eq!(rows.iter().map(|row| &*row.conflict.name).collect::<Vec<_>>(), ["Person 4", "Ёлкин"]);
    let search = ConflictQuery { search: "елкин".into(), ..ConflictQuery::default() };
    assert_eq!(store.conflict_page(&search).await.unwrap().total, 1);
}
