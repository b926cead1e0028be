//! What only a store on disk can get wrong: files, keys, crashes, size.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod common;

use common::{company, directory, link, open, pbx, person, random};
use effects::SeededRandom;
use reconcile::{EmployeeId, Policy};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AnyConnection, Connection, Row};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use store::{
    By, DirectoryId, DirectoryRow, Error, History, Links, PbxId, Picture, SecretOf, Settings, SqlStore,
};

const SECRET: &str = "correct horse battery staple";

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("not yet/there #1 100%?");
    let store = open(&state).await;
    let id = company(&store).await;
    store.agree(By::Hand(id), &[], &[link(1, 10)]).await.unwrap();
    put_secret(&store, id).await;
    let fingerprint = store.fingerprinter().secret(b"secret");
    store.close().await;

    let store = open(&state).await;
    assert_eq!(store.links(id).await.unwrap(), [link(1, 10)]);
    let secret = store.secret(SecretOf::Directory(id)).await.unwrap().unwrap();
    assert_eq!(secret.expose_secret(), SECRET);
    assert_eq!(store.fingerprinter().secret(b"secret"), fingerprint);
}

#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = open(&state).await;
    company(&store).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let files: Vec<_> = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "database, its log and index, the key: {files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    store.close().await;

    fs::set_permissions(state.join("vault.key"), Permissions::from_mode(0o640)).unwrap();
    let refused = SqlStore::open(&state, None, random()).await;
    assert!(matches!(refused, Err(Error::TooOpen { wanted: "0600", .. })));
    fs::set_permissions(&state, Permissions::from_mode(0o777)).unwrap();
    let refused = SqlStore::open(&state, None, random()).await;
    assert!(matches!(refused, Err(Error::TooOpen { wanted: "0700", .. })));
}

#[tokio::test]
async fn a_path_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = SqlStore::open(&file.join("state"), None, random()).await.unwrap_err();
    assert!(error.to_string().contains("file/state"), "{error}");
    fs::write(dir.path().join("rollcall.db"), [0x5a; 4096]).unwrap();
    let error = SqlStore::open(dir.path(), None, random()).await.unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn no_file_contains_a_secret_and_nothing_shows_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let id = company(&store).await;
    put_secret(&store, id).await;
    assert!(!format!("{store:?}").contains(SECRET));
    for entry in fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "the secret is in {}", path.display());
    }
}

#[tokio::test]
async fn a_sealed_secret_opens_only_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let id = company(&store).await;
    put_secret(&store, id).await;
    let mut raw = raw(dir.path()).await;
    let moved = "INSERT INTO secret SELECT 'pbx/1', sealed FROM secret";
    sqlx::raw_sql(moved).execute(&mut raw).await.unwrap();
    let wrong = store.secret(SecretOf::Pbx(PbxId::DEFAULT)).await;
    assert!(matches!(wrong, Err(Error::WrongKey(place)) if place == "secret/pbx/1/sealed"));
    assert!(store.secret(SecretOf::Directory(id)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_wrong_key_and_no_key_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("vault.key");
    open(dir.path()).await.close().await;
    let right = fs::read(&key).unwrap();

    fs::write(&key, "another key that is long enough to be one").unwrap();
    let refused = SqlStore::open(dir.path(), None, random()).await;
    assert!(matches!(refused, Err(Error::WrongKey(_))));
    fs::write(&key, "short").unwrap();
    assert!(matches!(SqlStore::open(dir.path(), None, random()).await, Err(Error::KeyTooShort(_))));
    fs::remove_file(&key).unwrap();
    assert!(matches!(SqlStore::open(dir.path(), None, random()).await, Err(Error::KeyMissing(_))));
    assert!(!key.exists(), "a new key would hide that the old one is lost");

    // The service manager's credential comes first, line end or not.
    let credentials = tempfile::tempdir().unwrap();
    fs::write(credentials.path().join("rollcall-key"), [&right[..], b"\n"].concat()).unwrap();
    SqlStore::open(dir.path(), Some(credentials.path()), random()).await.unwrap();
    assert!(!key.exists());
}

#[tokio::test]
async fn two_first_starts_at_once_agree_on_the_keys() {
    let dir = tempfile::tempdir().unwrap();
    let one = SqlStore::open(dir.path(), None, Arc::new(SeededRandom::new(1)));
    let two = SqlStore::open(dir.path(), None, Arc::new(SeededRandom::new(2)));
    let (one, two) = tokio::join!(one, two);
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.fingerprinter().secret(b"x"), two.fingerprinter().secret(b"x"));
    let id = company(&one).await;
    put_secret(&one, id).await;
    assert!(two.secret(SecretOf::Directory(id)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.close().await;
    let mut raw = raw(dir.path()).await;
    sqlx::raw_sql("INSERT INTO schema_version VALUES (1000)").execute(&mut raw).await.unwrap();
    let refused = SqlStore::open(dir.path(), None, random()).await;
    assert!(matches!(refused, Err(Error::NewerSchema { found: 1000, .. })));
}

#[tokio::test]
async fn a_policy_of_an_older_version_gets_the_defaults_of_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    company(&store).await;
    let older = "UPDATE directory SET policy = '{\"write_back\": true, \"retired\": 1}'";
    sqlx::raw_sql(older).execute(&mut raw(dir.path()).await).await.unwrap();
    let row = store.directory("head office").await.unwrap().unwrap();
    assert_eq!(row.policy, Policy { write_back: true, ..Policy::default() });
}

#[tokio::test]
async fn an_abandoned_transaction_leaves_nothing_and_blocks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let id = company(&store).await;
    let links: Vec<_> = (0..2_000).map(|number| link(number, number as u64)).collect();
    let started = Instant::now();
    store.agree(By::Hand(id), &[], &links).await.unwrap();
    let whole = started.elapsed();
    let end: Vec<_> = (0..2_000).map(person).collect();
    let moved: Vec<_> = (0..2_000).map(|number| link(number, 5_000 + number as u64)).collect();
    // Dropped at some point before its commit, wherever that is.
    for part in 1..8 {
        let cut = tokio::time::timeout(whole * part / 10, store.agree(By::Hand(id), &end, &moved)).await;
        let after = store.links(id).await.unwrap();
        assert_eq!(after.len(), links.len());
        let expected = if cut.is_ok() { &moved } else { &links };
        assert_eq!(after[7].employee, expected[7].employee);
        assert_eq!(after.iter().filter(|link| link.employee.0 >= 5_000).count() % 2_000, 0);
        if cut.is_ok() {
            break;
        }
    }
    store.agree(By::Hand(id), &end, &[]).await.unwrap();
    assert!(store.links(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_process_that_dies_before_its_commit_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let id = company(&store).await;
    store.agree(By::Hand(id), &[], &[link(1, 10)]).await.unwrap();
    let mut dying = raw(dir.path()).await;
    sqlx::raw_sql("BEGIN IMMEDIATE; DELETE FROM link; UPDATE counter SET last = 99")
        .execute(&mut dying)
        .await
        .unwrap();
    // Readers are not blocked meanwhile and see what was there before.
    assert_eq!(store.links(id).await.unwrap(), [link(1, 10)]);
    drop(dying);
    store.agree(By::Hand(id), &[], &[link(2, 20)]).await.unwrap();
    assert_eq!(store.links(id).await.unwrap(), [link(1, 10), link(2, 20)]);
}

#[tokio::test]
async fn writers_wait_for_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let stores = [Arc::new(open(dir.path()).await), Arc::new(open(dir.path()).await)];
    let id = company(&*stores[0]).await;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..40_usize {
        let store = stores[number % 2].clone();
        writers.spawn(async move { store.agree(By::Hand(id), &[], &[link(number, number as u64)]).await });
    }
    for result in writers.join_all().await {
        result.unwrap();
    }
    assert_eq!(stores[1].links(id).await.unwrap().len(), 40);
}

#[tokio::test]
async fn links_are_compact() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let id = company(&store).await;
    // More than fit into one statement.
    let links: Vec<_> = (0..5_000).map(|number| link(number, number as u64)).collect();
    store.agree(By::Hand(id), &[], &links).await.unwrap();
    assert_eq!(store.links(id).await.unwrap(), links);
    let longest = sqlx::query("SELECT max(length(body)) FROM link");
    let longest = longest.fetch_one(&mut raw(dir.path()).await).await.unwrap().get::<i64, _>(0);
    assert!(longest < 1_000, "{longest} bytes for a link");
    let linked = store.linked_employees(PbxId::DEFAULT).await.unwrap();
    assert_eq!(linked[4_999].employee, EmployeeId(4_999));
}

#[tokio::test]
async fn kept_pictures_stay_within_their_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let picture = |bytes: usize| Picture {
        directory: DirectoryId(1),
        person: person(1),
        taken_ms: 1,
        bytes: vec![7; bytes],
    };
    let first = store.keep_picture(&picture(10)).await.unwrap();
    let second = store.keep_picture(&picture(20)).await.unwrap();
    // As if the second one were nearly as large as all of them may be.
    let limit = i64::try_from(store::PICTURES_KEPT_BYTES_MAX).unwrap();
    sqlx::query("UPDATE picture SET size = $1 WHERE id = $2")
        .bind(limit - 5)
        .bind(second.0)
        .execute(&mut raw(dir.path()).await)
        .await
        .unwrap();
    let third = store.keep_picture(&picture(5)).await.unwrap();
    assert_eq!(store.picture(first).await.unwrap(), None);
    assert_eq!(store.picture(second).await.unwrap(), Some(picture(20)));
    let fourth = store.keep_picture(&picture(1)).await.unwrap();
    assert_eq!(store.picture(second).await.unwrap(), None);
    assert_eq!(store.picture(third).await.unwrap(), Some(picture(5)));
    assert_eq!(store.picture(fourth).await.unwrap(), Some(picture(1)));
}

async fn put_secret(store: &SqlStore, id: DirectoryId) {
    store.put_pbx(&pbx(1, "office"), None).await.unwrap();
    let row = DirectoryRow { id, ..directory("head office") };
    store.put_directory(&row, Some(&SecretString::from(SECRET))).await.unwrap();
}

/// A connection of somebody else to the same file.
async fn raw(state_dir: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let path = state_dir.join("rollcall.db");
    AnyConnection::connect(&format!("sqlite://{}?mode=rw", path.display())).await.unwrap()
}
