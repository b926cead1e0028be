//! The stores that every test of the suite runs on, and rows to fill them with.

#![allow(dead_code, reason = "each test file uses its part")]

use effects::SeededRandom;
use reconcile::{
    Conflict, ConflictKind, EmployeeId, Field, FieldMap, Interval, Link, LinkState, Mark, Pair, PersonId,
    Policy, RefusedBy, Sight, Value, WayOut,
};
use serde_json::json;
use sqlx::Connection;
use std::path::Path;
use std::sync::Arc;
use store::{DirectoryId, DirectoryRow, MemoryStore, PbxId, PbxRow, SqlStore, Store};

/// Runs a test on every store. PostgreSQL takes part where
/// `ROLLCALL_TEST_POSTGRES` is the URL of a server that may make databases.
pub async fn everywhere(test: impl AsyncFn(&dyn Store)) {
    let memory = MemoryStore::new(&SeededRandom::new(1));
    eprintln!("on {memory:?}");
    test(&memory).await;

    let dir = tempfile::tempdir().unwrap();
    let sqlite = open(dir.path()).await;
    eprintln!("on {sqlite:?}");
    test(&sqlite).await;
    sqlite.close().await;

    if let Ok(server) = std::env::var("ROLLCALL_TEST_POSTGRES") {
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().file_name().unwrap().to_str().unwrap().replace('.', "store_test_");
        sqlx::any::install_default_drivers();
        let mut admin = sqlx::AnyConnection::connect(&server).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE \"{name}\""));
        sqlx::raw_sql(create).execute(&mut admin).await.unwrap();
        let url = server.replace("/postgres", &format!("/{name}")).into();
        let postgres = SqlStore::connect(&url, dir.path(), None, random()).await.unwrap();
        eprintln!("on {postgres:?}");
        test(&postgres).await;
        postgres.close().await;
    }
}

pub async fn open(state_dir: &Path) -> SqlStore {
    SqlStore::open(state_dir, None, random()).await.unwrap()
}

pub fn random() -> Arc<SeededRandom> {
    Arc::new(SeededRandom::new(7))
}

/// A store with one PBX and one directory.
pub async fn company(store: &dyn Store) -> DirectoryId {
    store.put_pbx(&pbx(1, "office"), None).await.unwrap();
    store.put_directory(&directory("head office"), None).await.unwrap()
}

pub fn pbx(id: i64, name: &str) -> PbxRow {
    PbxRow { id: PbxId(id), name: name.into(), settings: json!({"address": "https://pbx.example"}) }
}

pub fn directory(name: &str) -> DirectoryRow {
    DirectoryRow {
        id: DirectoryId::NEW,
        name: name.into(),
        pbx: PbxId::DEFAULT,
        settings: json!({"base": "dc=example"}),
        policy: Policy { region: Some("RU".into()), ..Policy::default() },
        created_ms: 1_000,
        last_complete_ms: 0,
        pbx_complete_ms: 0,
        references: Vec::new(),
        ran_before: false,
    }
}

pub fn person(number: usize) -> PersonId {
    PersonId::new(format!("00000000-0000-4000-8000-{number:012}"))
}

/// A link as an ordinary run leaves it: everything agreed and seen.
pub fn link(number: usize, employee: u64) -> Link {
    let agreed = FieldMap::from_fn(|field| {
        let value = Some(value(field, number));
        (field != Field::Photo).then(|| Pair { directory: value.clone(), pbx: value, held: false })
    });
    let sight = |mark: Option<&str>| {
        FieldMap::from_fn(|field| {
            Some(Sight {
                value: (field != Field::Photo).then(|| value(field, number)),
                change: Interval { after_ms: 1_764_000_000_000, by_ms: 1_764_000_300_000 },
                mark: mark.map(|mark| Mark(mark.into())),
            })
        })
    };
    Link {
        person: person(number),
        employee: EmployeeId(employee),
        state: LinkState::Active,
        pairs: agreed,
        directory: sight(Some("20261123184500.123456Z#000000#000#000000")),
        pbx: sight(None),
        name: format!("Person {number}").into(),
        dn: format!("uid=person{number},ou=people,dc=example,dc=org").into(),
        dial: "".into(),
        record_looked_ms: 1_764_000_300_000,
        photo_looked_ms: 0,
        photo_etag: None,
        photo_mark: None,
    }
}

fn value(field: Field, number: usize) -> Value {
    match field {
        Field::Mobile => Value::new(format!("+7 926 {number:07}"), format!("+7926{number:07}")),
        Field::SipPassword => Value::new("set", format!("fp:{number:032x}")),
        field => Value::new(format!("{field} {number}"), format!("{field} {number}")),
    }
}

pub fn conflict(number: usize, kind: ConflictKind, stands_on: &str) -> Conflict {
    Conflict {
        person: person(number),
        employee: Some(EmployeeId(5)),
        kind,
        field: Some(Field::Mobile),
        name: format!("Person {number}"),
        refused_by: RefusedBy::Rollcall,
        directory_value: Some("+7 926 1".into()),
        pbx_value: None,
        reason: "both sides changed".into(),
        ways_out: vec![WayOut::UseDirectory, WayOut::LeaveAsIs],
        candidates: Vec::new(),
        stands_on: stands_on.into(),
    }
}
