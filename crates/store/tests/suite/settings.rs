//! Settings, secrets and small things.

use crate::common::{company, conflict, directory, everywhere, link, pbx, person};
use crate::rows::{decision, quarantined, start, step};
use reconcile::{Answer, ConflictKind};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::BTreeSet;
use store::{
    By, ConflictsOf, DirectoryId, DirectoryRow, Error, JournalOf, JournalRow, PbxId, Picture, SecretOf,
    Trigger,
};

#[tokio::test]
async fn settings_are_stored_and_observations_are_not_overwritten() {
    everywhere(async |store| {
        let id = company(store).await;
        store.note_directory_read(By::Hand(id), 77, &["ldap://elsewhere".to_owned()]).await.unwrap();
        store.note_pbx_read(By::Hand(id), 78).await.unwrap();
        let mut row = store.directory("head office").await.unwrap().unwrap();
        assert_eq!((row.last_complete_ms, row.pbx_complete_ms), (77, 78));
        assert_eq!(row.references, ["ldap://elsewhere"]);
        assert_eq!(row.policy, directory("").policy);

        row.name = "Moscow".into();
        row.settings = json!({"base": "dc=new"});
        row.last_complete_ms = 0;
        row.references.clear();
        assert_eq!(store.put_directory(&row, None).await.unwrap(), id);
        let branch = store.put_directory(&directory("branch"), None).await.unwrap();
        assert_ne!(branch, id);
        let rows = store.directories().await.unwrap();
        assert_eq!(rows.iter().map(|row| &*row.name).collect::<Vec<_>>(), ["Moscow", "branch"]);
        assert_eq!((rows[0].last_complete_ms, rows[0].references.len()), (77, 1));
        assert_eq!(rows[0].settings, json!({"base": "dc=new"}));
        assert_eq!(store.pbxes().await.unwrap(), [pbx(1, "office")]);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused_in_words() {
    everywhere(async |store| {
        let id = company(store).await;
        let twice = store.put_directory(&directory("head office"), None).await;
        assert!(matches!(twice, Err(Error::NameTaken(name)) if name == "head office"));
        let twice = store.put_pbx(&pbx(2, "office"), None).await;
        assert!(matches!(twice, Err(Error::NameTaken(_))));
        let lost = DirectoryRow { pbx: PbxId(9), ..directory("lost") };
        assert!(matches!(store.put_directory(&lost, None).await, Err(Error::Missing(_))));
        let unknown = DirectoryRow { id: DirectoryId(99), ..directory("unknown") };
        assert!(matches!(store.put_directory(&unknown, None).await, Err(Error::Missing(_))));
        assert!(matches!(store.note_pbx_read(By::Hand(DirectoryId(99)), 1).await, Err(Error::Missing(_))));
        assert!(matches!(store.release_number(PbxId(9), "201", 1).await, Err(Error::Missing(_))));
        assert!(matches!(store.agree(By::Hand(DirectoryId(99)), &[], &[]).await, Err(Error::Missing(_))));

        store.put_pbx(&pbx(2, "warehouse"), None).await.unwrap();
        let moved = DirectoryRow { id, pbx: PbxId(2), ..directory("head office") };
        store.agree(By::Hand(id), &[], &[link(1, 10)]).await.unwrap();
        assert!(matches!(store.put_directory(&moved, None).await, Err(Error::PbxFixed(_))));
        store.agree(By::Hand(id), &[person(1)], &[]).await.unwrap();
        store.put_directory(&moved, None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn secrets_come_back_and_go() {
    everywhere(async |store| {
        let id = company(store).await;
        let secret = |text: &str| SecretString::from(text.to_owned());
        let row = DirectoryRow { id, ..directory("head office") };
        store.put_directory(&row, Some(&secret("bind pässword"))).await.unwrap();
        store.put_pbx(&pbx(1, "office"), Some(&secret("api key"))).await.unwrap();
        store.put_directory(&row, None).await.unwrap();
        let read = async |of| {
            let secret: Option<SecretString> = store.secret(of).await.unwrap();
            secret.map(|secret| secret.expose_secret().to_owned())
        };
        assert_eq!(read(SecretOf::Directory(id)).await.as_deref(), Some("bind pässword"));
        assert_eq!(read(SecretOf::Pbx(PbxId::DEFAULT)).await.as_deref(), Some("api key"));
        store.put_pbx(&pbx(1, "office"), Some(&secret(""))).await.unwrap();
        assert_eq!(read(SecretOf::Pbx(PbxId::DEFAULT)).await, None);
        assert_eq!(read(SecretOf::Directory(DirectoryId(9))).await, None);
        let (one, two) = (store.fingerprinter(), store.fingerprinter());
        assert_eq!(one.secret(b"x"), two.secret(b"x"));
        assert_ne!(one.secret(b"x"), one.secret(b"y"));
    })
    .await;
}

#[tokio::test]
async fn metas_are_listed_by_how_their_names_begin() {
    everywhere(async |store| {
        for name in ["s/b", "s/a", "S/c", "s_a", "%", "s/"] {
            store.put_meta(name, Some(&format!("of {name}"))).await.unwrap();
        }
        let names = async |prefix: &str| -> Vec<String> {
            let metas = store.metas(prefix).await.unwrap();
            assert!(metas.iter().all(|(name, value)| *value == format!("of {name}")), "{metas:?}");
            metas.into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names("s/").await, ["s/", "s/a", "s/b"]);
        assert_eq!(names("S").await, ["S/c"]);
        assert_eq!(names("%").await, ["%"]);
        assert!(names("_").await.is_empty());
        store.remove_metas(&["s/a".into(), "none".into(), "S/c".into()]).await.unwrap();
        assert_eq!(names("s/").await, ["s/", "s/b"]);
        assert!(names("S").await.is_empty());
        store.remove_metas(&[]).await.unwrap();
        assert_eq!(names("s").await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn meta_is_put_replaced_and_removed() {
    everywhere(async |store| {
        assert_eq!(store.meta("a").await.unwrap(), None);
        store.put_meta("a", Some("1")).await.unwrap();
        store.put_meta("a", Some("2")).await.unwrap();
        assert_eq!(store.meta("a").await.unwrap().as_deref(), Some("2"));
        store.put_meta("a", None).await.unwrap();
        assert_eq!(store.meta("a").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn meta_is_swapped_only_where_it_is_as_it_was_read() {
    everywhere(async |store| {
        let swap = async |was, now| store.swap_meta("a", was, now).await.unwrap();
        assert!(!swap(Some("1"), "2").await, "nothing was there");
        assert!(swap(None, "1").await);
        assert!(!swap(None, "2").await, "something was there");
        assert!(!swap(Some("0"), "2").await, "it was another");
        assert_eq!(store.meta("a").await.unwrap().as_deref(), Some("1"));
        assert!(swap(Some("1"), "2").await && swap(Some("2"), "2").await);
        assert_eq!(store.meta("a").await.unwrap().as_deref(), Some("2"));
    })
    .await;
}

#[tokio::test]
async fn a_removed_directory_takes_everything_but_its_history() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        for (id, number) in [(id, 1), (other, 2)] {
            let row = DirectoryRow { id, ..directory(&format!("directory {number}")) };
            store.put_directory(&row, Some(&"secret".to_owned().into())).await.unwrap();
            store.agree(By::Hand(id), &[], &[link(number, number as u64)]).await.unwrap();
            store
                .sync_conflicts(By::Hand(id), 1, &[conflict(1, ConflictKind::Refused, "x")], &BTreeSet::new())
                .await
                .unwrap();
            store.put_decision(id, &decision(1, Answer::LeaveOut, "x")).await.unwrap();
            store.change_quarantine(By::Hand(id), &[], &[quarantined(1, 1)]).await.unwrap();
            store.put_plan(id, "hash", 1, "{}").await.unwrap();
            store.put_meta(&format!("directory/{id}/cursor"), Some("c")).await.unwrap();
            store.take_lease(id, "me", 10, 0).await.unwrap();
        }
        let picture = Picture { directory: id, person: person(1), taken_ms: 1, bytes: vec![1] };
        let picture = store.keep_picture(&picture).await.unwrap();
        let run = start(store, id, Trigger::Manual, 5).await;
        store
            .journal(&[JournalRow { reserved_number: Some("205".into()), ..step(run, 1, id) }])
            .await
            .unwrap();

        store.remove_directory(id).await.unwrap();
        assert_eq!(store.directory("directory 1").await.unwrap(), None);
        assert!(store.secret(SecretOf::Directory(id)).await.unwrap().is_none());
        assert!(store.links(id).await.unwrap().is_empty());
        assert!(store.conflicts(ConflictsOf::Directory(id)).await.unwrap().is_empty());
        assert!(store.decisions(id).await.unwrap().is_empty());
        assert!(store.quarantine(id).await.unwrap().is_empty());
        assert!(store.plans(id).await.unwrap().is_empty());
        assert_eq!(store.picture(picture).await.unwrap(), None);
        assert_eq!(store.meta(&format!("directory/{id}/cursor")).await.unwrap(), None);
        assert_eq!(store.lease_holder(id, 0).await.unwrap(), None);
        assert_eq!(store.held_numbers(PbxId::DEFAULT, 0).await.unwrap(), []);

        assert_eq!(store.run(run).await.unwrap().unwrap().directory_name, "directory 1");
        assert_eq!(store.journal_of(&JournalOf::Run(run)).await.unwrap().len(), 1);
        assert_eq!(store.links(other).await.unwrap(), [link(2, 2)]);
        assert_eq!(store.decisions(other).await.unwrap().len(), 1);
        assert!(store.secret(SecretOf::Directory(other)).await.unwrap().is_some());
        assert!(store.meta(&format!("directory/{other}/cursor")).await.unwrap().is_some());
        assert!(store.lease_holder(other, 0).await.unwrap().is_some());
        // An id is never given twice: history belongs to the old one.
        let next = store.put_directory(&directory("next"), None).await.unwrap();
        assert!(next > other && next != id);
    })
    .await;
}
