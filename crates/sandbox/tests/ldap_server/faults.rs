//! Pages, limits, and everything that can be made to go wrong.

use crate::client::*;
use ldap3_proto::LdapSearchScope;
use ldap3_proto::proto::LdapModifyType::Replace;
use sandbox::company::Company;
use sandbox::directory::{Directory, Faults, Personality};
use std::time::Duration;

const OPEN: Personality = Personality::OpenLdap;
const AD: Personality = Personality::ActiveDirectory;

fn company(personality: Personality, people: usize) -> Directory {
    let directory = directory(personality);
    directory.populate(&Company::new(people, 1)).unwrap();
    directory
}

fn faults(directory: &Directory, all: &[(&str, &str)]) {
    let mut new = Faults::default();
    for (name, value) in all {
        new.set(name, value).unwrap();
    }
    directory.with_faults(|faults| *faults = new);
}

fn people() -> ldap3_proto::LdapFilter {
    present("givenName")
}

/// The sizes of the pages, and what the last one ended with.
async fn pages(client: &mut Client, base: &str, size: i64) -> (Vec<usize>, i64) {
    let (mut sizes, mut cookie) = (Vec::new(), Vec::new());
    loop {
        let found = client.page(base, people(), size, cookie).await;
        sizes.push(found.entries.len());
        cookie = found.cookie.clone().unwrap_or_default();
        if cookie.is_empty() {
            return (sizes, found.code());
        }
    }
}

#[tokio::test]
async fn pages_hold_what_an_unpaged_search_holds() {
    for personality in [OPEN, AD] {
        let directory = company(personality, 60);
        let mut client = Client::signed_in(&directory, "pbx-sync").await;
        for (size, sizes) in [(25, vec![25, 25, 10]), (30, vec![30, 30]), (60, vec![60]), (61, vec![60])] {
            assert_eq!(pages(&mut client, directory.base(), size).await, (sizes, 0));
        }
        let whole = client.find(directory.base(), people(), &["1.1"]).await;
        let (mut paged, mut cookie) = (Vec::new(), Vec::new());
        for _ in 0..9 {
            let page = client.page(directory.base(), people(), 7, cookie).await;
            paged.extend(page.entries);
            cookie = page.cookie.unwrap();
        }
        assert_eq!((paged, cookie), (whole.entries, Vec::new()));
    }
}

#[tokio::test]
async fn a_cookie_is_good_once_for_one_search_on_one_connection() {
    for (personality, code) in [(OPEN, 2), (AD, 53)] {
        let directory = company(personality, 60);
        let base = directory.base();
        let mut client = Client::signed_in(&directory, "pbx-sync").await;
        let mut other = Client::signed_in(&directory, "pbx-sync").await;
        let cookie = client.page(base, people(), 10, Vec::new()).await.cookie.unwrap();
        assert_eq!(other.page(base, people(), 10, cookie.clone()).await.code(), code);
        // Other operations between pages do no harm.
        assert_eq!(client.read(base, &["1.1"]).await.code(), 0);
        assert_eq!(client.page(base, people(), 10, cookie.clone()).await.code(), 0);
        assert_eq!(client.page(base, people(), 10, cookie).await.code(), code, "an old cookie");
        let cookie = client.page(base, people(), 10, Vec::new()).await.cookie.unwrap();
        client.page(base, present("sn"), 10, Vec::new()).await;
        assert_eq!(client.page(base, people(), 10, cookie).await.code(), code, "a search came between");
        let cookie = client.page(base, people(), 10, Vec::new()).await.cookie.unwrap();
        assert_eq!(client.page(base, present("sn"), 10, cookie).await.code(), code, "of another search");
    }
    let directory = company(AD, 1);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    assert_eq!(client.page(AD_BASE, people(), 0, Vec::new()).await.code(), 1);
}

#[tokio::test]
async fn people_who_come_and_go_between_pages_tear_the_read() {
    let directory = company(OPEN, 60);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    let first = client.page(OPEN_BASE, people(), 30, Vec::new()).await;
    let all = directory.people();
    directory.delete(all[59]).unwrap();
    let second = client.page(OPEN_BASE, people(), 30, first.cookie.unwrap()).await;
    assert_eq!(
        (second.entries.len(), second.cookie, second.done.map(|done| done.code as i64)),
        (29, Some(Vec::new()), Some(0))
    );
}

#[tokio::test]
async fn limits_end_a_search_with_what_was_found_so_far() {
    let open = company(OPEN, 1100);
    let ad = company(AD, 1100);
    let found = |found: Found| (found.code(), found.entries.len());
    let mut sync = Client::signed_in(&open, "pbx-sync").await;
    assert_eq!(found(sync.find(OPEN_BASE, people(), &["1.1"]).await), (4, 500));
    assert_eq!(pages(&mut sync, OPEN_BASE, 500).await, (vec![500, 500, 100], 0), "paging lifts it");
    let mut admin = Client::signed_in(&open, "admin").await;
    assert_eq!(found(admin.find(OPEN_BASE, people(), &["1.1"]).await), (0, 1100));
    open.with_account("pbx-sync", |account| account.rights.total_max = Some(600)).unwrap();
    assert_eq!(pages(&mut sync, OPEN_BASE, 500).await, (vec![500, 100], 4), "nothing lifts this one");
    let mut asked = search(OPEN_BASE, LdapSearchScope::Subtree, people(), &["1.1"]);
    asked.sizelimit = 3;
    assert_eq!(found(admin.search(asked, Vec::new()).await), (4, 3));

    let mut client = Client::signed_in(&ad, "admin").await;
    assert_eq!(found(client.find(AD_BASE, people(), &["1.1"]).await), (4, 1000), "MaxPageSize");
    assert_eq!(pages(&mut client, AD_BASE, 5000).await, (vec![1000, 100], 0));
}

#[tokio::test]
async fn pages_lie_when_asked_to() {
    let directory = company(OPEN, 60);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    faults(&directory, &[("page-short", "29")]);
    assert_eq!(pages(&mut client, OPEN_BASE, 500).await, (vec![29, 29, 2], 0));
    faults(&directory, &[("page-lost", "2")]);
    assert_eq!(pages(&mut client, OPEN_BASE, 20).await, (vec![20, 20], 0), "looks complete and is not");
    faults(&directory, &[("size-limit", "25")]);
    assert_eq!(pages(&mut client, OPEN_BASE, 20).await, (vec![20, 5], 4));
}

#[tokio::test]
async fn connections_break_when_asked_to() {
    let directory = company(OPEN, 60);
    faults(&directory, &[("cut-after", "33")]);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    let first = client.page(OPEN_BASE, people(), 20, Vec::new()).await;
    let cut = client.page(OPEN_BASE, people(), 20, first.cookie.unwrap()).await;
    assert_eq!((cut.entries.len(), cut.code()), (13, -1), "in the middle of a page");
    // Every connection has its own count.
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    assert_eq!(client.find(OPEN_BASE, people(), &["1.1"]).await.entries.len(), 33);

    faults(&directory, &[("disconnect-at", "3")]);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    assert_eq!(client.read(OPEN_BASE, &["1.1"]).await.code(), 0);
    client.send(ldap3_proto::proto::LdapOp::DelRequest(OPEN_BASE.to_owned()), Vec::new()).await;
    assert!(client.receive().await.is_some_and(|notice| notice.msgid == 0));
    assert!(client.receive().await.is_none());
}

#[tokio::test]
async fn requests_fail_when_asked_to() {
    let directory = company(AD, 5);
    let dn = directory.entry(directory.people()[0]).unwrap().dn;
    faults(&directory, &[("search", "51/3"), ("write", "52/2")]);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    let (mut searches, mut writes) = (Vec::new(), Vec::new());
    for i in 0..6 {
        searches.push(client.read(&dn, &["1.1"]).await.code());
        let value = format!("{i}");
        writes.push(client.modify(&dn, &[(Replace, "mobile", &[value.as_bytes()])]).await);
    }
    assert_eq!(searches, [0, 0, 51, 0, 0, 51]);
    assert_eq!(writes, [0, 52, 0, 52, 0, 52]);
    assert_eq!(directory.writes(), 3);

    faults(&directory, &[("lose-answer", "1")]);
    assert_eq!(client.modify(&dn, &[(Replace, "mobile", &[b"lost"])]).await, -1);
    assert_eq!(directory.entry(directory.people()[0]).unwrap().text("mobile").as_deref(), Some("lost"));

    faults(&directory, &[("bind", "52")]);
    assert_eq!(Client::connect(&directory).bind("pbx-sync@ad.example.test", PASSWORD).await, 52);
}

#[tokio::test]
async fn latency_passes_on_the_directorys_own_clock() {
    let directory = company(AD, 1);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    let time = client.read("", &["currentTime"]).await.values("currentTime");
    directory.with_faults(|faults| faults.latency = Duration::from_secs(7));
    let later = client.read("", &["currentTime"]).await.values("currentTime");
    assert_eq!((time, later), (vec!["20270115080000.0Z".to_owned()], vec!["20270115080007.0Z".to_owned()]));
}
