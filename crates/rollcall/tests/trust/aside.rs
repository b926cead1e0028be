//! What fails for one employee's own reason, and would again with every run,
//! is set aside; what passes by itself is not.

use crate::inside::{Answer, Company};
use rollcall::cycle::Report;
use rollcall::limits::RETRY_FIRST_MS;
use sandbox::directory::Personality::OpenLdap;
use sandbox::faults::Faults;
use std::time::Duration;
use store::QuarantineRow;

async fn aside(company: &Company) -> Vec<QuarantineRow> {
    company.app.store.quarantine(company.id).await.unwrap()
}

fn refused(report: &Report) -> Vec<String> {
    report.conflicts.iter().map(|conflict| format!("{} {:?}", conflict.name, conflict.field)).collect()
}

/// Four people, two of whom have another e-mail.
async fn due() -> Company {
    let company = Company::of(OpenLdap, 4).await;
    company.rename_mail(0, "new0@example.test");
    company.rename_mail(1, "new1@example.test");
    company
}

/// The employee of the first of them.
fn first(company: &Company) -> u64 {
    let found = company.pbx.employees().into_iter().find(|employee| employee.email == "p0@example.test");
    found.expect("nobody changed it yet").id
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_sets_that_employee_aside_with_a_growing_pause() {
    for answer in [Answer::Gibberish, Answer::TooLarge, Answer::NoSuchEmployee] {
        let company = due().await;
        let employee = first(&company);
        company.answer_record(employee, Some(answer));
        let report = company.sync().await;
        assert_eq!((report.counts.updated_in_pbx, report.counts.failed), (1, 0), "{answer:?}: {report:#?}");
        assert_eq!(refused(&report), ["Person-0 Of-This-Company Some(Email)"], "{answer:?}");
        assert_eq!(report.exit_code(), 4);
        let row = aside(&company).await.remove(0);
        assert_eq!((row.attempts, row.conflict.refused_by), (1, reconcile::RefusedBy::Pbx));

        // It rests, and nobody loses sight of it.
        let journal = company.last_run().await.id;
        let report = company.sync().await;
        assert_eq!(refused(&report).len(), 1);
        assert_ne!(company.last_run().await.id, journal);
        assert!(report.people.iter().all(|person| person.changes.is_empty()), "{report:#?}");
        assert_eq!(aside(&company).await[0].attempts, 1);

        // After its pause it is tried again, and rests for longer.
        company.clock.advance(Duration::from_millis(RETRY_FIRST_MS as u64));
        company.sync().await;
        let again = aside(&company).await.remove(0);
        assert_eq!(again.attempts, 2, "{answer:?}");
        assert!(again.next_try_ms - row.next_try_ms > RETRY_FIRST_MS);

        // Changed on a side, it is tried at once; and done, it is forgotten.
        company.answer_record(employee, None);
        company.rename_mail(0, "newer0@example.test");
        let report = company.sync().await;
        assert_eq!((report.counts.updated_in_pbx, report.exit_code()), (1, 0), "{report:#?}");
        assert!(aside(&company).await.is_empty() && company.conflicts().await.is_empty());
    }
}

#[tokio::test]
async fn somebody_deleted_meanwhile_is_no_refusal() {
    let company = due().await;
    let employee = first(&company);
    let pbx = company.pbx.clone();
    // Between the look at the record and the read that the write stands on.
    company.before(http::Method::GET, "employees/", 4, move || {
        Box::pin(async move { pbx.delete(employee).unwrap() })
    });
    let report = company.sync().await;
    assert_eq!((report.counts.failed, report.counts.conflicts), (1, 0), "{report:#?}");
    assert!(aside(&company).await.is_empty());
    let report = company.sync().await;
    assert_eq!(report.conflicts[0].kind, reconcile::ConflictKind::EmployeeDeleted);
}

#[tokio::test]
async fn what_passes_by_itself_is_not_set_aside() {
    for faults in ["pbx.locked=always", "pbx.timeout=always", "pbx.drop-before=always"] {
        let company = due().await;
        company.pbx.set_faults(Faults::parse(faults).unwrap().pbx);
        let report = company.sync_patiently().await;
        assert!(report.counts.failed > 0, "{faults}: {report:#?}");
        assert!(aside(&company).await.is_empty() && company.conflicts().await.is_empty(), "{faults}");
        company.pbx.set_faults(sandbox::pbx::Faults::default());
        let report = company.sync().await;
        assert_eq!((report.counts.updated_in_pbx, report.exit_code()), (2, 0), "{faults}: {report:#?}");
    }
}
