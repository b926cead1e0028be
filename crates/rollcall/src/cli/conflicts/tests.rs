use super::*;
use crate::cli::args::{AnswerArgs, ResolveArgs, RetryArgs, SideArg};
use crate::cli::errors::is_usage;
use crate::cli::output::tests::text;
use crate::cli::testing::{NOW_MS, ambiguous, app, both_changed, conflict, server};
use reconcile::{Candidate, Conflict, ConflictKind, EmployeeId, Field, PersonId, WayOut};
use serde_json::json;
use std::collections::BTreeSet;
use store::{By, ConflictState, QuarantineRow};

/// A server `hq` with these conflicts, numbered from 1.
async fn with(conflicts: &[Conflict]) -> (App, DirectoryId) {
    let app = app();
    let id = server(&app).await;
    app.store.sync_conflicts(By::Hand(id), NOW_MS, conflicts, &BTreeSet::new()).await.unwrap();
    (app, id)
}

fn answer(change: impl FnOnce(&mut AnswerArgs)) -> AnswerArgs {
    let mut answer = AnswerArgs {
        take: None,
        employee: None,
        new: false,
        relink: false,
        number: None,
        leave_out: false,
        leave_as_is: false,
        ask_again: false,
    };
    change(&mut answer);
    answer
}

async fn resolve_with(app: &App, ids: &[i64], change: impl FnOnce(&mut AnswerArgs)) -> Result<Settled> {
    let args = ResolveArgs { ids: ids.to_vec(), answer: answer(change), keep_in_pbx: false };
    resolve(app, &rows(app, ids).await?, &Said::from(&args)).await
}

#[tokio::test]
async fn an_answer_is_remembered_on_what_it_stands_on() {
    let (app, id) = with(&[both_changed()]).await;
    resolve_with(&app, &[1], |answer| answer.take = Some(SideArg::Pbx)).await.unwrap();
    let decisions = app.store.decisions(id).await.unwrap();
    assert_eq!(decisions.len(), 1);
    assert_eq!((&decisions[0].answer, decisions[0].stands_on.as_str()), (&Answer::UsePbx, "then"));
    let views = list(&app, ConflictsOf::Everybody).await.unwrap();
    assert_eq!(views[0].answer, Some(Answer::UsePbx));
    resolve_with(&app, &[1], |answer| answer.ask_again = true).await.unwrap();
    assert_eq!(app.store.decisions(id).await.unwrap(), []);
    let again = resolve_with(&app, &[1], |answer| answer.ask_again = true).await.unwrap_err();
    assert!(is_usage(&again) && again.to_string().contains("no answer"), "{again}");
}

#[tokio::test]
async fn only_the_ways_out_lead_out() {
    let (app, id) = with(&[both_changed(), ambiguous()]).await;
    for (change, words) in [
        (
            Box::new(|answer: &mut AnswerArgs| answer.new = true) as Box<dyn Fn(&mut AnswerArgs)>,
            "ways out are",
        ),
        (Box::new(|answer| answer.number = Some("215".to_owned())), "ways out are"),
        (Box::new(|answer| answer.number = Some("12a".to_owned())), "holds letters"),
        (Box::new(|answer| answer.relink = true), "ways out are"),
    ] {
        let error = resolve_with(&app, &[1], change).await.unwrap_err();
        assert!(is_usage(&error) && error.to_string().contains(words), "{error}");
    }
    let stranger = resolve_with(&app, &[2], |answer| answer.employee = Some(99)).await.unwrap_err();
    assert!(stranger.to_string().contains("these are: 12, 14"), "{stranger}");
    let mixed = resolve_with(&app, &[1, 2], |answer| answer.leave_out = true).await.unwrap_err();
    assert!(mixed.to_string().contains("different kinds"), "{mixed}");
    let missing = resolve_with(&app, &[9], |answer| answer.new = true).await.unwrap_err();
    assert!(is_usage(&missing), "{missing}");
    assert_eq!(app.store.decisions(id).await.unwrap(), []);
}

#[tokio::test]
async fn back_under_a_new_id_relinks_to_the_candidate_many_at_once() {
    let back = |person: &str, employee| Conflict {
        ways_out: vec![WayOut::Relink, WayOut::NewEmployee, WayOut::LeaveOut],
        candidates: vec![Candidate {
            employee: EmployeeId(employee),
            name: "Иванов Пётр".to_owned(),
            extension: "212".to_owned(),
            agrees: Vec::new(),
            differs: Vec::new(),
        }],
        ..conflict(person, "Иванов Пётр", ConflictKind::BackUnderNewId, None)
    };
    let (app, id) = with(&[back("p1", 12), back("p2", 14)]).await;
    resolve_with(&app, &[1, 2], |answer| answer.relink = true).await.unwrap();
    let mut answers: Vec<Answer> =
        app.store.decisions(id).await.unwrap().into_iter().map(|decision| decision.answer).collect();
    answers.sort_by_key(|answer| format!("{answer:?}"));
    let employee = |id| Answer::Employee { id: EmployeeId(id) };
    assert_eq!(answers, [employee(12), employee(14)]);
    let both = resolve_with(&app, &[1, 2], |answer| answer.employee = Some(12)).await.unwrap_err();
    assert!(both.to_string().contains("one by one"), "{both}");
}

async fn retry(app: &App, id: i64) -> Result<Settled> {
    retry::retry(app, &RetryArgs { id: Some(id), ..RetryArgs::default() }).await
}

async fn retry_person(app: &App, person: &str) -> Result<Settled> {
    let (person, server) = (Some(person.to_owned()), Some("hq".to_owned()));
    retry::retry(app, &RetryArgs { id: None, person, server }).await
}

fn refused(field: Option<Field>) -> Conflict {
    Conflict {
        ways_out: vec![WayOut::Retry, WayOut::LeaveAsIs],
        ..conflict("p1", "Иванов Пётр", ConflictKind::Refused, field)
    }
}

fn set_aside(refused: &Conflict) -> QuarantineRow {
    QuarantineRow {
        person: refused.person.clone(),
        field: refused.field,
        attempts: 2,
        next_try_ms: NOW_MS + 1_800_000,
        stands_on: "then".to_owned(),
        conflict: refused.clone(),
    }
}

#[tokio::test]
async fn a_retry_lifts_the_refusal_and_clearing_removes_rows_only() {
    let refused = refused(Some(Field::Email));
    let (app, id) = with(&[refused.clone(), both_changed()]).await;
    app.store.change_quarantine(By::Hand(id), &[], &[set_aside(&refused)]).await.unwrap();
    assert!(matches!(retry(&app, 2).await.unwrap(), Settled::Retried { retried: 2, waiting: true }));
    assert_eq!(app.store.quarantine(id).await.unwrap(), []);
    assert!(matches!(retry(&app, 1).await.unwrap(), Settled::Retried { waiting: false, .. }));

    assert!(is_usage(&clear_one(&app, Some(1), Some("hq")).await.unwrap_err()));
    assert!(matches!(clear_one(&app, Some(1), None).await.unwrap(), Settled::Cleared { cleared: 1 }));
    assert!(is_usage(&clear_one(&app, Some(1), None).await.unwrap_err()));
    assert!(matches!(clear_one(&app, None, Some("hq")).await.unwrap(), Settled::Cleared { cleared: 1 }));
    assert!(matches!(clear_one(&app, None, None).await.unwrap(), Settled::Cleared { cleared: 0 }));
}

async fn clear_one(app: &App, id: Option<i64>, server: Option<&str>) -> Result<Settled> {
    clear(app, which(app, id, server).await?).await
}

#[tokio::test]
async fn a_set_aside_change_says_when_it_is_tried_again() {
    let refused = refused(Some(Field::Email));
    let (app, id) = with(&[refused.clone(), both_changed()]).await;
    app.store.change_quarantine(By::Hand(id), &[], &[set_aside(&refused)]).await.unwrap();
    let conflicts = list(&app, ConflictsOf::Everybody).await.unwrap();
    let words = "tried 2 times; again at 2023-11-14 22:43, or when either side changes";
    // Folded as the width has it.
    let flat = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for view in &conflicts {
        let is_it = view.conflict.kind == ConflictKind::Refused;
        let told = flat(text(view, 80));
        assert_eq!(told.contains(words), is_it, "{told}");
        let json = serde_json::to_value(view).unwrap();
        let expected = json!({ "attempts": 2, "next_try_ms": NOW_MS + 1_800_000 });
        assert_eq!(json["set_aside"], if is_it { expected } else { json!(null) });
    }
    assert_eq!(flat(text(&Conflicts { conflicts }, 80)).matches("tried 2 times; again at").count(), 1);
}

#[tokio::test]
async fn a_person_as_a_whole_is_retried_by_name_or_id() {
    let (email, mobile) = (refused(Some(Field::Email)), refused(Some(Field::Mobile)));
    let other = Conflict { person: PersonId::new("p2"), name: "Other".to_owned(), ..email.clone() };
    for person in ["p1", "иванов  ПЁТР"] {
        let (app, id) = with(&[email.clone(), mobile.clone(), other.clone()]).await;
        let rows = [set_aside(&email), set_aside(&mobile), set_aside(&other)];
        app.store.change_quarantine(By::Hand(id), &[], &rows).await.unwrap();
        let settled = retry_person(&app, person).await.unwrap();
        let json = serde_json::to_value(&settled).unwrap();
        assert_eq!(json, json!({ "person": "p1", "name": "Иванов Пётр", "lifted": 2 }));
        assert_eq!(app.store.quarantine(id).await.unwrap(), [set_aside(&other)]);
        assert_eq!(serde_json::to_value(retry_person(&app, person).await.unwrap()).unwrap()["lifted"], 0);
        assert!(is_usage(&retry_person(&app, "nobody").await.unwrap_err()));
    }
}

#[tokio::test]
async fn lists_and_explanations() {
    let (app, _) = with(&[both_changed(), ambiguous()]).await;
    resolve_with(&app, &[1], |answer| answer.leave_as_is = true).await.unwrap();
    resolve_with(&app, &[2], |answer| answer.employee = Some(14)).await.unwrap();
    let conflicts = list(&app, ConflictsOf::Everybody).await.unwrap();
    assert_eq!(conflicts[0].state, ConflictState::Silenced);
    assert!(text(&conflicts[0], 80).ends_with("rollcall conflicts resolve 1 --ask-again\n"));
    insta::assert_snapshot!("one_conflict", text(&conflicts[1], 80));
    insta::assert_snapshot!("all_conflicts", text(&Conflicts { conflicts }, 80));
}
