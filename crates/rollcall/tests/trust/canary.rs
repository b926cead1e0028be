//! Absence is proved by a look-up that is known to work.

use crate::inside::Company;
use rollcall::cycle::Report;
use sandbox::directory::Personality::{self, ActiveDirectory, OpenLdap};

const BOTH: [Personality; 2] = [OpenLdap, ActiveDirectory];

fn reason(report: &Report) -> &str {
    report.directory.verdict.reason().unwrap_or_default()
}

/// From the look-up after so many more on, nobody is found by id.
fn forget_after(company: &Company, more: u64) {
    let from = company.directory.counts().lookups + 1 + more;
    company.directory.with_faults(|faults| faults.forget_ids = Some(from));
}

#[tokio::test]
async fn a_missing_person_is_gone_where_look_ups_work() {
    for personality in BOTH {
        let company = Company::of(personality, 4).await;
        company.fire(2);
        let report = company.sync().await;
        assert_eq!((report.counts.disabled, report.exit_code()), (1, 0), "{report:#?}");
    }
}

#[tokio::test]
async fn nobody_is_gone_by_look_ups_that_do_not_find_who_is_there() {
    for personality in BOTH {
        let company = Company::of(personality, 4).await;
        company.fire(2);
        forget_after(&company, 0);
        let report = company.sync().await;
        assert_eq!((report.counts.disabled, report.exit_code()), (0, 3), "{report:#?}");
        let why = reason(&report);
        assert!(why.contains("was just listed, but looking them up by"), "{why}");
        assert!(why.starts_with("Person-"), "it names somebody: {why}");
        assert!(why.contains("Let the account search by"), "it says what to do: {why}");
        assert_eq!(report.held_back[0].what, "leavers");
        // Healed, the same absence counts.
        company.directory.with_faults(|faults| faults.forget_ids = None);
        assert_eq!(company.sync().await.counts.disabled, 1);
    }
}

#[tokio::test]
async fn a_server_that_goes_bad_half_way_is_noticed_at_the_end() {
    for personality in BOTH {
        let company = Company::of(personality, 6).await;
        company.fire(2);
        company.fire(4);
        // The first canary is found in scope, which takes two look-ups, and no one after it.
        let before = company.directory.counts().lookups;
        company.preview(rollcall::cycle::Expect::AsBefore).await;
        let whole = company.directory.counts().lookups - before;
        assert_eq!(whole, if personality == ActiveDirectory { 2 + 2 + 2 } else { 1 + 2 + 1 });
        forget_after(&company, whole / 2 - 1);
        let report = company.sync().await;
        assert_eq!((report.counts.disabled, report.exit_code()), (0, 3), "{report:#?}");
        assert!(reason(&report).contains("was just listed"), "{}", reason(&report));
    }
}

#[tokio::test]
async fn a_canary_that_left_since_the_listing_is_replaced() {
    for deleted in 1..=3 {
        let company = Company::of(OpenLdap, 6).await;
        // In the order of ids, which is not that of hiring.
        let mut ids: Vec<_> = (0..6).map(|at| company.person(at)).collect();
        ids.sort_by_key(ToString::to_string);
        company.directory.delete(ids[5]).unwrap();
        let directory = company.directory.clone();
        // The PBX is read after the directory and before the look-ups.
        company.before(http::Method::GET, "employees", 0, move || {
            Box::pin(async move {
                for id in &ids[..deleted] {
                    directory.delete(*id).unwrap();
                }
            })
        });
        let report = company.sync().await;
        let expected = if deleted < 3 { (1, 0) } else { (0, 3) };
        assert_eq!((report.counts.disabled, report.exit_code()), expected, "{deleted}: {report:#?}");
    }
}

#[tokio::test]
async fn without_anybody_missing_nobody_is_looked_up() {
    let company = Company::of(OpenLdap, 4).await;
    let before = company.directory.counts().lookups;
    assert_eq!(company.sync().await.exit_code(), 0);
    assert_eq!(company.directory.counts().lookups, before);
}
