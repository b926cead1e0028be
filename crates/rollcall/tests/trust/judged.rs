//! A conflict about a value that a run did not look at stays as it is.

use crate::inside::{Answer, Company};
use reconcile::{ConflictKind, Field};
use sandbox::directory::Personality::OpenLdap;
use serde_json::json;
use store::ConflictRow;

async fn only(company: &Company) -> ConflictRow {
    let mut rows = company.conflicts().await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    rows.remove(0)
}

#[tokio::test]
async fn a_conflict_about_a_record_that_was_not_read_stays_as_it_is() {
    let company = Company::of(OpenLdap, 2).await;
    let found = company.pbx.employees().into_iter().find(|employee| employee.email == "p0@example.test");
    let employee = found.expect("they were hired").id;
    let in_pbx = |mobile: &str| company.pbx.edit(employee, json!({ "mobile_number": mobile })).unwrap();
    let in_directory =
        |mobile: &str| company.directory.set(company.person(0), "mobile", &[mobile]).expect("they are there");
    in_directory("+7 926 123-45-67");
    company.sync().await;
    in_directory("+7 926 123-45-68");
    in_pbx("79261234569");
    company.sync().await;
    let asked = only(&company).await;
    assert_eq!((asked.conflict.kind, asked.conflict.field), (ConflictKind::BothChanged, Some(Field::Mobile)));

    // Neither seen once more nor ended: nobody looked.
    company.answer_record(employee, Some(Answer::Gibberish));
    let report = company.sync().await;
    assert!(report.conflicts.is_empty(), "{report:#?}");
    assert_eq!(only(&company).await, asked);

    // Seen again it is the same one, and once its cause is gone it is over.
    company.answer_record(employee, None);
    company.sync().await;
    let again = only(&company).await;
    assert_eq!((again.id, again.first_seen_ms, again.count), (asked.id, asked.first_seen_ms, 2));
    in_pbx("79261234568");
    company.sync().await;
    assert!(company.conflicts().await.is_empty());
}
