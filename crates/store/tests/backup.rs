//! A backup is the whole store at one moment, and a restore is all of it or nothing.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod common;

use common::{company, directory, link, open, person, random};
use effects::SeededRandom;
use reconcile::{Field, FirstMeeting, Link};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AnyConnection, Connection};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{
    BackupKey, By, Coordination, DirectoryId, DirectoryRow, Error, History, Links, OldStore, Outcome,
    PlanState, Restored, RunStart, SecretOf, Settings, SqlStore, Trigger,
};

const SECRET: &str = "correct horse battery staple";
const MADE_MS: i64 = 1_764_000_000_000;

/// A state directory with a company, its links and its secret, and room for files.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("of today.backup")
    }

    async fn filled(&self) -> (SqlStore, DirectoryId) {
        let store = open(&self.state()).await;
        let id = company(&store).await;
        let row = DirectoryRow { id, ..directory("head office") };
        store.put_directory(&row, Some(&SecretString::from(SECRET))).await.unwrap();
        let links: Vec<_> = (0..50).map(|number| link(number, number as u64)).collect();
        store.agree(By::Hand(id), &[], &links).await.unwrap();
        (store, id)
    }

    async fn restore(&self, old: OldStore<'_>) -> Result<Restored, Error> {
        SqlStore::restore(&self.file(), &self.state(), None, old, random()).await
    }

    /// Loses the state directory.
    fn lose(&self) {
        fs::remove_dir_all(self.state()).unwrap();
    }
}

async fn secret(store: &SqlStore, id: DirectoryId) -> Option<String> {
    let secret = store.secret(SecretOf::Directory(id)).await.unwrap();
    secret.map(|secret| secret.expose_secret().to_owned())
}

#[tokio::test]
async fn everything_comes_back() {
    let home = Home::new();
    let (store, id) = home.filled().await;
    let fingerprint = store.fingerprinter().secret(b"x").unwrap();
    let head = store.backup(&home.file(), true, MADE_MS, "1.2.3").await.unwrap();
    assert_eq!((head.made_ms, head.key, head.version.as_str()), (MADE_MS, BackupKey::Included, "1.2.3"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.file()), 0o600);
    let beside: Vec<_> =
        fs::read_dir(home.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside.len(), 2, "the state and the backup, no drafts: {beside:?}");
    store.close().await;
    drop(store);
    home.lose();

    let restored = home.restore(OldStore::Refuse).await.unwrap();
    assert_eq!((restored.head, restored.moved_to, restored.unsealed), (head, None, true));
    let store = open(&home.state()).await;
    assert_eq!(store.links(id).await.unwrap(), (0..50).map(|n| link(n, n as u64)).collect::<Vec<_>>());
    assert_eq!(secret(&store, id).await.as_deref(), Some(SECRET));
    assert_eq!(store.fingerprinter().secret(b"x").unwrap(), fingerprint);
    for entry in fs::read_dir(home.state()).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn a_copy_made_while_others_write_is_of_one_moment() {
    let home = Home::new();
    let (store, id) = home.filled().await;
    let store = Arc::new(store);
    let writer = store.clone();
    // Either all of these are there or none, in whatever state the copy is.
    let writing = tokio::spawn(async move {
        for round in 1..30 {
            let links = (0..50).map(|n| Link { record_looked_ms: round, ..link(n, n as u64) });
            let links: Vec<_> = links.collect();
            writer.agree(By::Hand(id), &[], &links).await.unwrap();
        }
    });
    let mut rounds = Vec::new();
    while !writing.is_finished() {
        store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
        let other = Home::new();
        let restored =
            SqlStore::restore(&home.file(), &other.state(), None, OldStore::Refuse, random()).await;
        restored.unwrap();
        let links = open(&other.state()).await.links(id).await.unwrap();
        assert_eq!(links.len(), 50);
        assert!(links.iter().all(|one| one.record_looked_ms == links[0].record_looked_ms), "torn");
        rounds.push(links[0].record_looked_ms);
    }
    writing.await.unwrap();
    eprintln!("copies of {rounds:?}");
}

#[tokio::test]
async fn what_was_under_way_ends() {
    let home = Home::new();
    let (store, id) = home.filled().await;
    let holder = "somebody".to_owned();
    store.take_lease(id, &holder, i64::MAX, 5).await.unwrap();
    let start = RunStart { directory: id, trigger: Trigger::Automatic, started_ms: 5, holder };
    let run = store.start_run(&start).await.unwrap();
    store.put_plan(id, "hash", 5, "{}").await.unwrap();
    store.put_meta(&format!("directory/{id}/looked"), Some("5")).await.unwrap();
    store.put_meta(&format!("directory/{id}/numbers"), Some("201")).await.unwrap();
    store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
    store.close().await;
    drop(store);
    home.restore(OldStore::MoveAside("old")).await.unwrap();

    let store = open(&home.state()).await;
    assert_eq!(store.lease_holder(id, 6).await.unwrap(), None);
    let row = store.run(run).await.unwrap().unwrap();
    assert_eq!((row.outcome, row.ended_ms), (Outcome::Interrupted, Some(MADE_MS)));
    assert_eq!(store.plans(id).await.unwrap()[0].state, PlanState::Discarded);
    assert_eq!(store.meta(&format!("directory/{id}/looked")).await.unwrap(), None);
    assert_eq!(store.meta(&format!("directory/{id}/numbers")).await.unwrap().as_deref(), Some("201"));
}

#[tokio::test]
async fn a_store_that_is_there_is_moved_aside_only_when_asked() {
    let home = Home::new();
    let (store, id) = home.filled().await;
    store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
    store.agree(By::Hand(id), &[person(0)], &[]).await.unwrap();
    // While it is in use, not even then.
    let used = home.restore(OldStore::MoveAside("old")).await;
    assert!(matches!(used, Err(Error::InUse(_))), "{used:?}");
    store.close().await;
    drop(store);
    let refused = home.restore(OldStore::Refuse).await;
    assert!(matches!(refused, Err(Error::NotEmpty(_))), "{refused:?}");
    assert_eq!(open(&home.state()).await.links(id).await.unwrap().len(), 49, "left as it was");

    let restored = home.restore(OldStore::MoveAside("old")).await.unwrap();
    assert_eq!(restored.moved_to, Some(home.state().join("old")));
    assert_eq!(open(&home.state()).await.links(id).await.unwrap().len(), 50);
    let old = open(&home.state().join("old")).await;
    assert_eq!(old.links(id).await.unwrap().len(), 49);
    assert_eq!(secret(&old, id).await.as_deref(), Some(SECRET), "with its key");
}

#[tokio::test]
async fn every_damage_is_noticed_before_anything_happens() {
    let home = Home::new();
    let (store, id) = home.filled().await;
    store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
    store.close().await;
    drop(store);
    let whole = fs::read(home.file()).unwrap();
    let lines = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let head_ends = lines.take(2).last().unwrap();
    let mut refusals = 0;
    // One bit wherever it may be, and every way of being cut.
    for at in (0..head_ends + 60)
        .chain((head_ends..whole.len()).step_by(4_999))
        .chain(whole.len() - 32..whole.len())
    {
        let mut bent = whole.clone();
        bent[at] ^= 1;
        fs::write(home.file(), &bent).unwrap();
        refusals += u32::from(refused(&home).await);
    }
    for length in [0, 10, 16, head_ends - 1, head_ends, head_ends + 1, whole.len() / 2, whole.len() - 1] {
        fs::write(home.file(), &whole[..length]).unwrap();
        refusals += u32::from(refused(&home).await);
    }
    fs::write(home.file(), [&whole[..], b"more"].concat()).unwrap();
    refusals += u32::from(refused(&home).await);
    assert!(refusals > 250, "{refusals}");
    assert_eq!(open(&home.state()).await.links(id).await.unwrap().len(), 50, "left as it was");
    assert!(!home.state().join("restoring").exists());
}

async fn refused(home: &Home) -> bool {
    let refused = home.restore(OldStore::MoveAside("old")).await.unwrap_err();
    let told =
        matches!(refused, Error::NoBackup(_) | Error::BackupDamaged { .. } | Error::NewerBackup { .. });
    assert!(told, "{refused:?}");
    assert!(!home.state().join("old").exists());
    true
}

#[tokio::test]
async fn what_a_newer_version_made_is_left_alone() {
    let home = Home::new();
    let (store, _) = home.filled().await;
    let mut raw = raw(&home.state()).await;
    store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
    let text = fs::read(home.file()).unwrap();
    let newer = [b"rollcall backup 2".as_slice(), &text[17..]].concat();
    fs::write(home.file(), newer).unwrap();
    let other = Home::new();
    let refused = SqlStore::restore(&home.file(), &other.state(), None, OldStore::Refuse, random()).await;
    assert!(matches!(refused, Err(Error::NewerBackup { .. })), "{refused:?}");
    // A schema that its own head does not tell of.
    sqlx::raw_sql("INSERT INTO schema_version VALUES (1000)").execute(&mut raw).await.unwrap();
    fs::write(home.file(), text).unwrap();
    store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
    let refused = SqlStore::restore(&home.file(), &other.state(), None, OldStore::Refuse, random()).await;
    assert!(matches!(refused, Err(Error::NewerSchema { .. })), "{refused:?}");
    assert!(!other.state().join("rollcall.db").exists());
}

#[tokio::test]
async fn nothing_but_a_backup_is_overwritten_and_that_only_by_a_whole_one() {
    let home = Home::new();
    let (store, _) = home.filled().await;
    fs::write(home.file(), "precious").unwrap();
    let refused = store.backup(&home.file(), true, MADE_MS, "1").await;
    assert!(matches!(refused, Err(Error::NoBackup(_))), "{refused:?}");
    assert_eq!(fs::read(home.file()).unwrap(), b"precious");
    fs::remove_file(home.file()).unwrap();

    store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
    store.backup(&home.file(), true, MADE_MS + 1, "1").await.unwrap();
    let second = fs::read(home.file()).unwrap();
    // What cannot be read can be no backup in part.
    fs::set_permissions(home.state().join("vault.key"), Permissions::from_mode(0o600)).unwrap();
    fs::rename(home.state().join("vault.key"), home.state().join("gone")).unwrap();
    store.backup(&home.file(), true, MADE_MS + 2, "1").await.unwrap_err();
    assert_eq!(fs::read(home.file()).unwrap(), second);
    let nowhere = store.backup(&home.0.path().join("no/such/place"), false, MADE_MS, "1").await;
    assert!(matches!(nowhere, Err(Error::File { .. })), "{nowhere:?}");
}

#[tokio::test]
async fn without_its_key_passwords_are_asked_for_again() {
    let home = Home::new();
    let (store, id) = home.filled().await;
    let head = store.backup(&home.file(), false, MADE_MS, "1").await.unwrap();
    assert_eq!(head.key, BackupKey::LeftOut);
    let key = fs::read(home.state().join("vault.key")).unwrap();
    let bytes = fs::read(home.file()).unwrap();
    assert!(!bytes.windows(key.len()).any(|window| window == key), "the key is in it all the same");
    let fingerprint = store.fingerprinter().secret(b"x").unwrap();
    store.close().await;
    drop(store);
    // Where the key still is, nothing is lost.
    assert!(home.restore(OldStore::MoveAside("old")).await.unwrap().unsealed);
    assert_eq!(secret(&open(&home.state()).await, id).await.as_deref(), Some(SECRET));
    home.lose();

    let luck = Arc::new(SeededRandom::new(8));
    let restored = SqlStore::restore(&home.file(), &home.state(), None, OldStore::Refuse, luck).await;
    assert!(!restored.unwrap().unsealed);
    let store = open(&home.state()).await;
    assert_eq!(secret(&store, id).await, None);
    assert_ne!(store.fingerprinter().secret(b"x").unwrap(), fingerprint);
    let links = store.links(id).await.unwrap();
    assert_eq!(links.len(), 50);
    for one in &links {
        let number = one.employee.0 as usize;
        assert_eq!((&one.pairs[Field::SipPassword], &one.directory[Field::SipPassword]), (&None, &None));
        assert_eq!(one.pairs[Field::Mobile], link(number, one.employee.0).pairs[Field::Mobile]);
    }
    // Nobody knows any more which side changed: nothing is overwritten unasked.
    let row = store.directory("head office").await.unwrap().unwrap();
    assert_eq!(row.policy.fields[Field::SipPassword].first_meeting, FirstMeeting::Ask);
    assert_eq!(row.policy.fields[Field::Name].first_meeting, FirstMeeting::Directory);
    store.put_directory(&row, Some(&SecretString::from("entered again"))).await.unwrap();
    assert_eq!(secret(&store, id).await.as_deref(), Some("entered again"));
}

#[tokio::test]
async fn the_key_of_the_service_manager_is_not_ours_to_copy() {
    let home = Home::new();
    let credentials = tempfile::tempdir().unwrap();
    let key = credentials.path().join("rollcall-key");
    fs::write(&key, "a key that only the service manager has").unwrap();
    let credentials = Some(credentials.path());
    let store = SqlStore::open(&home.state(), credentials, random()).await.unwrap();
    let id = company(&store).await;
    let row = DirectoryRow { id, ..directory("head office") };
    store.put_directory(&row, Some(&SecretString::from(SECRET))).await.unwrap();
    let head = store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
    assert_eq!(head.key, BackupKey::Credential);
    store.close().await;
    drop(store);
    home.lose();
    let restored =
        SqlStore::restore(&home.file(), &home.state(), credentials, OldStore::Refuse, random()).await;
    assert!(restored.unwrap().unsealed);
    let store = SqlStore::open(&home.state(), credentials, random()).await.unwrap();
    assert_eq!(secret(&store, id).await.as_deref(), Some(SECRET));
    assert!(!home.state().join("vault.key").exists());
}

#[tokio::test]
async fn a_service_with_another_key_is_told_so() {
    let home = Home::new();
    let (store, id) = home.filled().await;
    store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
    store.close().await;
    drop(store);
    home.lose();
    let credentials = tempfile::tempdir().unwrap();
    fs::write(credentials.path().join("rollcall-key"), "another key, that never sealed anything").unwrap();
    let restore = |credentials| {
        let (file, state) = (home.file(), home.state());
        async move { SqlStore::restore(&file, &state, credentials, OldStore::Refuse, random()).await }
    };
    let refused = restore(Some(credentials.path())).await;
    assert!(matches!(refused, Err(Error::OtherKey)), "{refused:?}");
    // The way out that it names.
    assert!(restore(None).await.unwrap().unsealed);
    fs::rename(home.state().join("vault.key"), credentials.path().join("rollcall-key")).unwrap();
    let store = SqlStore::open(&home.state(), Some(credentials.path()), random()).await.unwrap();
    assert_eq!(secret(&store, id).await.as_deref(), Some(SECRET));
}

#[tokio::test]
async fn an_interrupted_restore_is_neither_old_nor_new_until_it_is_done_again() {
    let home = Home::new();
    let (store, id) = home.filled().await;
    store.backup(&home.file(), true, MADE_MS, "1").await.unwrap();
    store.close().await;
    drop(store);
    // As if it had died after the old files moved aside: a first start in
    // between would make an empty store.
    fs::create_dir(home.state().join("restoring")).unwrap();
    fs::rename(home.state().join("rollcall.db"), home.state().join("restoring/rollcall.db")).unwrap();
    let refused = SqlStore::open(&home.state(), None, Arc::new(SeededRandom::new(9))).await;
    assert!(matches!(refused, Err(Error::Restoring(_))));
    assert!(!home.state().join("rollcall.db").exists());
    home.restore(OldStore::MoveAside("old")).await.unwrap();
    assert_eq!(open(&home.state()).await.links(id).await.unwrap().len(), 50);
}

/// A connection of somebody else to the same file.
async fn raw(state_dir: &Path) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let path = state_dir.join("rollcall.db");
    AnyConnection::connect(&format!("sqlite://{}?mode=rw", path.display())).await.unwrap()
}
