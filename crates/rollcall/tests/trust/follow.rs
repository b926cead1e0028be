//! Whoever comes second shows how far the first is, and ends as it ends.

use crate::inside::{Company, SERVER};
use effects::SeededRandom;
use http::Method;
use rollcall::app::App;
use rollcall::cycle::{self, Expect, Phase, Progress};
use rollcall::limits::{FOLLOW_POLL_MS, PROGRESS_EVERY_MS};
use sandbox::directory::Personality::OpenLdap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Outcome, RunProgress, Trigger};

/// What a human would have seen.
#[derive(Default)]
struct Seen(Mutex<Vec<RunProgress>>);

impl Progress for Seen {
    fn phase(&self, phase: Phase, total: Option<usize>) {
        self.0.lock().unwrap().push(RunProgress { phase, done: 0, total });
    }

    fn advance(&self, by: usize) {
        self.0.lock().unwrap().iter_mut().last().unwrap().done += by;
    }
}

/// Lets everybody who waits for nothing but their turn go on.
async fn others() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_follower_shows_the_progress_of_the_run_and_exits_with_its_code() {
    let company = Arc::new(Company::of(OpenLdap, 3).await);
    company.rename_mail(0, "not an address");
    company.rename_mail(1, "new@example.test");
    let mut held_up = company.hold_up(Method::PATCH, "employees/", 0);
    let first = tokio::spawn({
        let company = company.clone();
        async move { company.sync().await }
    });
    while !held_up.is_there() {
        others().await;
        company.clock.advance(Duration::from_millis(PROGRESS_EVERY_MS));
    }
    let second = tokio::spawn({
        let company = company.clone();
        async move {
            let app = App { random: Arc::new(SeededRandom::new(99)), ..company.app.clone() };
            let seen = Seen::default();
            let report = cycle::sync(&app, SERVER, Trigger::Manual, Expect::AsBefore, &seen).await.unwrap();
            (report, seen.0.into_inner().unwrap())
        }
    });
    for _ in 0..8 {
        others().await;
        company.clock.advance(Duration::from_millis(FOLLOW_POLL_MS));
    }
    let running = company.last_run().await;
    assert_eq!(running.outcome, Outcome::Running);
    let progress = running.progress.unwrap();
    assert_eq!((progress.phase, progress.total), (Phase::Write, Some(1)));
    held_up.go_on();
    let first = first.await.unwrap();
    for _ in 0..8 {
        others().await;
        company.clock.advance(Duration::from_millis(FOLLOW_POLL_MS));
    }
    let (second, seen) = second.await.unwrap();
    assert_eq!(seen, [progress]);
    assert_eq!((second.run, second.exit_code()), (first.run, first.exit_code()));
    assert_eq!(first.exit_code(), 4, "{first:#?}");
    assert_eq!(company.last_run().await.progress, None, "it ended");
}

#[tokio::test]
async fn progress_is_told_at_once_and_then_so_often() {
    let company = Arc::new(Company::of(OpenLdap, 3).await);
    company.rename_mail(1, "new@example.test");
    let mut held_up = company.hold_up(Method::PATCH, "employees/", 0);
    let run = tokio::spawn({
        let company = company.clone();
        async move { company.sync_as(&company.app, Expect::AsBefore).await.unwrap() }
    });
    while !held_up.is_there() {
        others().await;
    }
    let told = async |after_ms| {
        company.clock.advance(Duration::from_millis(after_ms));
        others().await;
        company.last_run().await.progress.unwrap().phase
    };
    assert_eq!(told(0).await, Phase::ReadDirectory, "what came later waits its turn");
    assert_eq!(told(PROGRESS_EVERY_MS - 1).await, Phase::ReadDirectory);
    assert_eq!(told(1).await, Phase::Write);
    held_up.go_on();
    assert_eq!(run.await.unwrap().exit_code(), 0);
}

#[tokio::test]
async fn whoever_expects_fewer_does_not_take_another_run_for_theirs() {
    let company = Arc::new(Company::of(OpenLdap, 24).await);
    for at in 0..14 {
        company.fire(at);
    }
    let mut held_up = company.hold_up(Method::GET, "employees", 0);
    let first = tokio::spawn({
        let company = company.clone();
        async move { company.sync().await }
    });
    while !held_up.is_there() {
        others().await;
    }
    let second = tokio::spawn({
        let company = company.clone();
        async move {
            let app = App { random: Arc::new(SeededRandom::new(99)), ..company.app.clone() };
            company.sync_as(&app, Expect::Fewer).await.unwrap()
        }
    });
    others().await;
    held_up.go_on();
    let first = first.await.unwrap();
    for _ in 0..8 {
        others().await;
        company.clock.advance(Duration::from_millis(FOLLOW_POLL_MS));
    }
    let second = second.await.unwrap();
    assert!(first.directory.verdict.reason().is_some() && second.directory.verdict.is_complete());
    assert_ne!(first.run, second.run);
    assert!(second.halted.is_some(), "{second:#?}");
}
