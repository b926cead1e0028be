//! One writer: a process that is held up for longer than its lease writes
//! nothing beside its successor, to neither side and not to the store.

use crate::inside::Company;
use effects::{Clock, SeededRandom};
use http::Method;
use rollcall::app::App;
use rollcall::cycle::Expect;
use rollcall::limits::{LEASE_MARGIN_MS, LEASE_MS, LEASE_RENEW_MS};
use sandbox::directory::Personality::OpenLdap;
use std::sync::Arc;
use std::time::Duration;
use store::{JournalOf, Lease, Outcome, State};

/// The records that a run reads before it plans.
const RECORDS: usize = 4;

/// Three of four have another e-mail, and are to be written to.
async fn due() -> Company {
    let company = Company::of(OpenLdap, RECORDS).await;
    for at in 0..3 {
        company.rename_mail(at, &format!("new{at}@example.test"));
    }
    company
}

/// Another process on the same store, network and clock.
fn another(company: &Company, seed: u64) -> App {
    App { random: Arc::new(SeededRandom::new(seed)), ..company.app.clone() }
}

#[test]
fn a_lease_lasts_while_one_renewal_fails() {
    let renew_ms = LEASE_RENEW_MS as i64;
    assert!(2 * renew_ms + LEASE_MARGIN_MS < LEASE_MS);
}

#[tokio::test]
async fn a_process_that_slept_through_its_lease_sends_nothing_although_nobody_took_it() {
    let company = due().await;
    let (clock, before) = (company.clock.clone(), company.writes());
    // Between the read that a write stands on and the write.
    company.before(Method::GET, "employees/", RECORDS, move || {
        Box::pin(async move { clock.advance(Duration::from_millis(LEASE_MS as u64)) })
    });
    let report = company.sync_as(&company.app, Expect::AsBefore).await.unwrap();
    assert_eq!((company.writes(), report.counts.failed), (before, 3), "nothing was sent");
    assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
    assert!(report.warnings[0].contains("ran out while this process was held up"), "{:?}", report.warnings);
    assert_eq!(company.last_run().await.outcome, Outcome::Partial);
    // The next run does what was left.
    let report = company.sync().await;
    assert_eq!((report.counts.updated_in_pbx, report.exit_code()), (3, 0), "{report:#?}");
}

#[tokio::test]
async fn with_little_left_of_its_lease_a_run_stops_between_two_writes() {
    let company = due().await;
    let clock = company.clock.clone();
    // Less than a renewal later, but too late for a request to be over in time.
    company.before(Method::PATCH, "employees/", 0, move || {
        let left = LEASE_MS - LEASE_MARGIN_MS + 1;
        Box::pin(async move { clock.advance(Duration::from_millis(left as u64)) })
    });
    let report = company.sync_as(&company.app, Expect::AsBefore).await.unwrap();
    // What was under way is done; renewed, the run goes on.
    assert_eq!(report.counts.updated_in_pbx + report.counts.failed, 3, "{report:#?}");
    assert_eq!(company.sync().await.exit_code(), 0);
    assert_eq!(company.sync().await.writes.pbx, 0);
}

#[tokio::test]
async fn a_process_whose_lease_was_taken_writes_nothing_beside_its_successor() {
    let company = due().await;
    let other = another(&company, 99);
    let before = company.writes();
    let held_up = company.hold_up(Method::GET, "employees/", RECORDS);
    let meanwhile = async {
        company.clock.advance(Duration::from_millis(LEASE_MS as u64));
        let report = company.sync_as(&other, Expect::AsBefore).await.unwrap();
        // The other two were under way at the same time, and done.
        assert_eq!((report.counts.updated_in_pbx, report.exit_code()), (1, 0), "{report:#?}");
        assert_eq!(company.writes().0, before.0 + 3);
    };
    let late = held_up.suspend(company.sync_as(&company.app, Expect::AsBefore), meanwhile).await;
    let error = late.unwrap_err();
    assert!(error.to_string().contains("took over") || error.to_string().contains("ran out"), "{error:#}");
    assert_eq!(company.writes(), (before.0 + 3, before.1), "everybody was written to once");
    assert_eq!(company.last_run().await.outcome, Outcome::Done);
    assert_eq!(company.sync().await.writes.pbx, 0);
}

/// The clock of another machine may be ahead: for it the lease was over. Only
/// the store can tell.
#[tokio::test]
async fn the_store_tells_a_run_that_it_was_replaced() {
    let company = due().await;
    let (app, id, before) = (company.app.clone(), company.id, company.writes());
    company.before(Method::GET, "employees/", 0, move || {
        Box::pin(async move {
            let now_ms = app.clock.now_ms();
            let lease = app.store.take_lease(id, "machine", now_ms + 2 * LEASE_MS, now_ms + LEASE_MS).await;
            assert_eq!(lease.unwrap(), Lease::Held);
        })
    });
    let error = company.sync_as(&company.app, Expect::AsBefore).await.unwrap_err();
    assert!(error.to_string().contains("another process took over server `hq`"), "{error:#}");
    assert_eq!(company.writes(), before);
    let run = company.last_run().await;
    assert_eq!(run.outcome, Outcome::Failed, "what it stored is its own row: {run:#?}");
    let holder = company.app.store.lease_holder(company.id, company.clock.now_ms()).await.unwrap();
    assert_eq!(holder.map(|(holder, _)| holder).as_deref(), Some("machine"), "it is still the other's");
}

#[tokio::test]
async fn a_run_replaced_while_it_writes_stops_before_the_next_write() {
    let company = due().await;
    let (app, id, before) = (company.app.clone(), company.id, company.writes());
    company.before(Method::PATCH, "employees/", 0, move || {
        Box::pin(async move {
            let now_ms = app.clock.now_ms();
            app.store.take_lease(id, "machine", now_ms + 2 * LEASE_MS, now_ms + LEASE_MS).await.unwrap();
        })
    });
    let error = company.sync_as(&company.app, Expect::AsBefore).await.unwrap_err();
    assert!(error.to_string().contains("stopped between two writes"), "{error:#}");
    let run = company.last_run().await;
    let journal = company.app.store.journal_of(&JournalOf::Run(run.id)).await.unwrap();
    let sent = company.writes().0 - before.0;
    assert!(sent <= journal.len() as u64, "every write has its row");
    assert!(journal.iter().all(|step| step.state != State::Intended), "{journal:#?}");
    // What the successor finds is what both sides say; nothing was agreed meanwhile.
    company.app.store.release_lease(company.id, "machine").await.unwrap();
    assert_eq!(company.sync().await.exit_code(), 0);
    assert_eq!(company.sync().await.writes.pbx, 0);
    assert!(company.conflicts().await.is_empty());
}
