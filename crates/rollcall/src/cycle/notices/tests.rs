use super::*;
use crate::cli::testing::{NOW_MS, app, report, server, start_as};
use crate::cycle::stops::Stop;
use crate::notify::{Noted, Notify, Program};
use anyhow::anyhow;
use effects::BoxFuture;
use reconcile::guard::{GuardKind, Tripped};
use serde_json::Value;
use std::sync::Arc;
use store::{RunId, RunNote};

struct Lab {
    app: App,
    row: DirectoryRow,
    noted: Arc<Noted>,
}

/// A server, and a program that would be told.
async fn lab() -> Lab {
    let noted = Arc::new(Noted::default());
    let app = App { notify: noted.clone(), ..app() };
    server(&app).await;
    let program = Program { path: "/usr/bin/tell".to_owned(), arguments: vec!["--all".to_owned()] };
    set_program(&app, Some(&program)).await.unwrap();
    let row = app.server("hq").await.unwrap();
    Lab { app, row, noted }
}

impl Lab {
    async fn tell(&self, trigger: Trigger, ran: Result<Ran>) {
        tell(&self.app, &self.row, trigger, &ran).await;
    }

    /// What was told since the last time somebody asked.
    fn told(&self) -> Vec<Value> {
        let all = self.noted.all();
        all.iter().map(|(_, text)| serde_json::from_str(text).unwrap()).collect()
    }
}

fn halted(plan: &str) -> Result<Ran> {
    let kind = GuardKind::Disables;
    let tripped = Tripped { kind, people: 12, recent: 2, limit: 5, linked: 40, stopped: false };
    let halted = Some(Halt { tripped: vec![tripped], look_first: None });
    Ok(Ran { report: Report { halted, plan: plan.to_owned(), ..report() }, ended: Vec::new() })
}

#[tokio::test]
async fn a_halted_plan_is_told_once() {
    let lab = lab().await;
    for plan in ["one", "one", "another", "one"] {
        lab.tell(Trigger::Automatic, halted(plan)).await;
    }
    let told = lab.told();
    let plans: Vec<&str> = told.iter().map(|notice| notice["plan"].as_str().unwrap()).collect();
    assert_eq!(plans, ["one", "another"]);
    let notice = &told[0];
    assert_eq!(
        (&notice["event"], &notice["server"], &notice["run"]),
        (&"halted".into(), &"hq".into(), &7.into())
    );
    assert_eq!(notice["at_ms"], NOW_MS);
    assert_eq!(notice["halted"]["tripped"][0]["kind"], "disables");
    let text = notice["text"].as_str().unwrap();
    for words in ["more than the limit of 5", "rollcall plans show one", "rollcall apply one --release"] {
        assert!(text.contains(words), "{text}");
    }
    let (program, text) = &lab.noted.all()[0];
    assert_eq!((program.path.as_str(), &program.arguments[..]), ("/usr/bin/tell", &["--all".to_owned()][..]));
    assert!(text.ends_with("}\n") && text.lines().count() == 1, "one object, one line");
}

#[tokio::test]
async fn a_failed_run_is_told() {
    let lab = lab().await;
    let run = start_as(&lab.app, lab.row.id, Trigger::Automatic).await;
    let note =
        RunNote { outcome: Outcome::Failed, ended_ms: Some(NOW_MS), plan_hash: None, report: Value::Null };
    lab.app.store.note_run(run, &note).await.unwrap();
    lab.tell(Trigger::Automatic, Err(anyhow!("connection refused").context("it could not be read"))).await;
    let told = lab.told();
    assert_eq!((&told[0]["event"], &told[0]["run"]), (&"failed".into(), &run.0.into()));
    assert_eq!(told[0]["text"], "The synchronisation of hq failed: it could not be read: connection refused");
}

#[tokio::test]
async fn a_human_at_a_terminal_sees_for_themselves() {
    let lab = lab().await;
    for trigger in [Trigger::Manual, Trigger::Apply, Trigger::Demo] {
        lab.tell(trigger, halted("one")).await;
        lab.tell(trigger, Err(anyhow!("it failed"))).await;
    }
    assert_eq!(lab.told(), [Value::Null; 0]);
    lab.tell(Trigger::Automatic, halted("one")).await;
    assert_eq!(lab.told().len(), 1, "nobody was told of it before");
}

#[tokio::test]
async fn a_stop_that_ended_by_itself_is_told() {
    let lab = lab().await;
    let stop = Stop { since_ms: 1, run: RunId(5), plan: "one".to_owned() };
    let ended = vec![(GuardKind::Disables, stop)];
    lab.tell(Trigger::Manual, Ok(Ran { report: report(), ended })).await;
    let told = lab.told();
    assert_eq!((&told[0]["event"], &told[0]["halted"]), (&"stop-ended".into(), &Value::Null));
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.starts_with("hq: people disabled") && text.contains("run 5 ended by itself"), "{text}");
}

#[tokio::test]
async fn what_went_well_is_not_told() {
    let lab = lab().await;
    lab.tell(Trigger::Automatic, Ok(Ran { report: report(), ended: Vec::new() })).await;
    assert_eq!(lab.told(), [Value::Null; 0]);
}

#[tokio::test]
async fn without_a_program_nobody_is_told_and_later_they_are() {
    let lab = lab().await;
    let program = program(&lab.app).await.unwrap();
    set_program(&lab.app, None).await.unwrap();
    lab.tell(Trigger::Automatic, halted("one")).await;
    assert_eq!(lab.told(), [Value::Null; 0]);
    set_program(&lab.app, program.as_ref()).await.unwrap();
    lab.tell(Trigger::Automatic, halted("one")).await;
    assert_eq!(lab.told().len(), 1);
}

#[derive(Debug)]
struct Broken;

impl Notify for Broken {
    fn tell<'a>(&'a self, _: &'a Program, _: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Err(anyhow!("no such program")) })
    }
}

#[tokio::test]
async fn whoever_could_not_be_told_is_told_next_time() {
    let mut lab = lab().await;
    lab.app.notify = Arc::new(Broken);
    lab.tell(Trigger::Automatic, halted("one")).await;
    lab.app.notify = lab.noted.clone();
    lab.tell(Trigger::Automatic, halted("one")).await;
    assert_eq!(lab.told().len(), 1);
}

#[tokio::test]
async fn endless_words_are_cut() {
    let lab = lab().await;
    lab.tell(Trigger::Automatic, Err(anyhow!("я".repeat(100_000)))).await;
    let told = lab.told();
    assert_eq!(told[0]["text"].as_str().map(|text| text.chars().count()), Some(limits::NOTICE_CHARS_MAX));
}

#[tokio::test]
async fn only_so_many_halted_plans_are_remembered() {
    let lab = lab().await;
    for plan in 0..=limits::NOTICES_REMEMBERED_MAX {
        lab.tell(Trigger::Automatic, halted(&format!("plan {plan}"))).await;
    }
    let known = super::told(&lab.app, lab.row.id).await.unwrap();
    assert_eq!((known.len(), known[0].as_str()), (limits::NOTICES_REMEMBERED_MAX, "plan 1"));
}
