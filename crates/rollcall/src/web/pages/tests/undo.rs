//! Steps of a run, and taking them back.

use super::*;
use crate::cli::testing::report;
use crate::web::live::Task;

async fn written() -> (Site, DirectoryId, RunId) {
    let (app, id) = few().await;
    let run = start_as(&app, id, Trigger::Manual).await;
    wrote(&app, id, run).await;
    let note = RunNote {
        outcome: Outcome::Done,
        ended_ms: Some(NOW_MS),
        plan_hash: None,
        report: json!(report().without_people()),
    };
    app.store.note_run(run, &note).await.unwrap();
    (Site::of(app).await, id, run)
}

#[tokio::test]
async fn steps_look_like_this() {
    let (site, _, run) = written().await;
    let path = format!("/history/{run}/steps");
    insta::assert_snapshot!("steps", site.get(&path).await.content());
    insta::assert_snapshot!("steps_ru", site.get_in("ru", &path).await.content());
    let text = site.get(&format!("{path}?person=p3")).await.content();
    assert_eq!(text.matches("data-label=\"Step\"").count(), 1, "{text}");
    assert!(!text.contains(EVIL) && !text.contains("fp:00ff"), "{text}");
    let none = site.get(&format!("{path}?person=nobody")).await.content();
    assert!(none.contains("No steps"), "{none}");
}

/// What the last job of a server was asked for.
fn asked(site: &Site, id: DirectoryId) -> (i64, Option<String>, Vec<i64>) {
    let job = site.web.jobs.of(id).expect("a job was started");
    match &job.task {
        Task::PreviewUndo(asked) => (asked.run, asked.person.clone(), asked.steps.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_run_a_person_or_steps_are_undone_after_a_preview() {
    let person = "192df0c9-fb24";
    for (form, whom, steps) in [
        (String::new(), None, vec![]),
        (format!("person={person}"), Some(person.to_owned()), vec![]),
        ("marked=true&step=1&step=2".to_owned(), None, vec![1, 2]),
        (format!("marked=true&person={person}&step=2"), Some(person.to_owned()), vec![2]),
    ] {
        let (site, id, run) = written().await;
        let shown = site.post(&format!("/history/{run}/undo"), &form).await;
        assert_eq!(shown.leads_to(), format!("/servers/{id}/job"), "{form}");
        assert_eq!(asked(&site, id), (run.0, whom, steps), "{form}");
    }
}

#[tokio::test]
async fn whoever_marks_nothing_is_told_so() {
    let (site, id, run) = written().await;
    let shown = site.post(&format!("/history/{run}/undo"), "marked=true&person=p3&step=x").await;
    let back = shown.leads_to().to_owned();
    assert!(back.starts_with(&format!("/history/{run}/steps?person=p3")), "{back}");
    assert!(site.web.jobs.of(id).is_none(), "nothing was started");
    assert!(site.get(&back).await.text().contains("Mark the steps that are to be undone."));
}

#[tokio::test]
async fn what_is_running_and_what_is_removed_cannot_be_undone() {
    let (app, id) = few().await;
    let run = start_as(&app, id, Trigger::Manual).await;
    wrote(&app, id, run).await;
    let site = Site::of(app.clone()).await;
    let undo = format!("action=\"/history/{run}/undo\"");
    let text = site.get(&format!("/history/{run}")).await.text();
    assert!(!text.contains(&undo), "it is running");
    app.store.remove_directory(id).await.unwrap();
    let text = site.get(&format!("/history/{run}")).await.text();
    assert!(!text.contains(&undo), "its server is gone");
    assert_eq!(site.post(&format!("/history/{run}/undo"), "").await.status, StatusCode::NOT_FOUND);
}
