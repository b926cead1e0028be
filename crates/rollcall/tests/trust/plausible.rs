//! A read of far fewer than the last time is believed when a human says so.

use crate::inside::{Company, SERVER};
use reconcile::Verdict;
use rollcall::cycle::{self, Expect, Report, Silent};
use sandbox::directory::Personality::OpenLdap;
use store::Outcome;

fn reasons(report: &Report) -> (&str, &str) {
    let reason = |verdict| Verdict::reason(verdict).unwrap_or_default();
    (reason(&report.directory.verdict), reason(&report.pbx.verdict))
}

/// Twenty-four people, of whom fourteen are deleted.
async fn shrunk() -> Company {
    let company = Company::of(OpenLdap, 24).await;
    for at in 0..14 {
        company.fire(at);
    }
    company
}

#[tokio::test]
async fn half_a_directory_is_doubted_and_named() {
    let company = shrunk().await;
    for _ in 0..2 {
        let report = company.sync().await;
        assert_eq!((report.counts.disabled, report.exit_code()), (0, 3), "{report:#?}");
        let (why, pbx) = reasons(&report);
        assert!(why.starts_with("10 people were read, 24 the last time under the same settings"), "{why}");
        assert!(why.contains("--expect-fewer"), "{why}");
        assert_eq!(pbx, "");
        assert_eq!(company.last_run().await.outcome, Outcome::Partial);
    }
}

#[tokio::test]
async fn a_human_says_that_it_is_right_and_the_plan_remembers_it() {
    let company = shrunk().await;
    let preview = company.preview(Expect::Fewer).await;
    assert_eq!(reasons(&preview), ("", ""));
    // The guard still watches: fourteen of twenty-four are too many.
    assert!(preview.halted.is_some(), "{preview:#?}");
    let run = cycle::apply(&company.app, &preview.plan, true, &Silent).await.unwrap();
    assert_eq!((run.counts.disabled, reasons(&run)), (14, ("", "")), "{run:#?}");
    // And ten is what there was the last time.
    assert_eq!(reasons(&company.sync().await), ("", ""));
}

#[tokio::test]
async fn previews_and_halted_runs_do_not_move_the_count() {
    let company = shrunk().await;
    company.preview(Expect::Fewer).await;
    let halted = company.sync_as(&company.app, Expect::Fewer).await.unwrap();
    assert!(halted.halted.is_some(), "{halted:#?}");
    let report = company.sync().await;
    assert!(reasons(&report).0.contains("24 the last time"), "{report:#?}");
    // The plan of a halted run remembers what was expected, too.
    let run = cycle::apply(&company.app, &halted.plan, true, &Silent).await.unwrap();
    assert_eq!(run.counts.disabled, 14, "{run:#?}");
}

#[tokio::test]
async fn a_changed_scope_starts_anew() {
    let company = shrunk().await;
    let mut row = company.app.server(SERVER).await.unwrap();
    row.settings["filter"] = "(cn=Person-*)".into();
    company.app.store.put_directory(&row, None).await.unwrap();
    let report = company.sync().await;
    assert_eq!(reasons(&report), ("", ""), "{report:#?}");
    assert!(report.halted.is_some(), "the guard still watches");
}

#[tokio::test]
async fn half_a_pbx_is_doubted_too() {
    let company = Company::of(OpenLdap, 24).await;
    company.sync().await;
    for employee in company.pbx.employees().iter().take(14) {
        company.pbx.delete(employee.id).unwrap();
    }
    let report = company.sync().await;
    let (people, why) = reasons(&report);
    assert_eq!(people, "");
    assert!(why.starts_with("10 employees were read, 24 the last time"), "{why}");
    assert_eq!((report.exit_code(), report.counts.conflicts), (3, 0), "no deletion is noticed");
    let report = company.sync_as(&company.app, Expect::Fewer).await.unwrap();
    assert_eq!(reasons(&report), ("", ""));
}
