//! Run request, plans and live runs, as they are seen.

use super::site::{Site, at_an_office};
use super::window::Window;

#[test]
fn a_run_request_shows_everybody_and_writes_nothing() {
    at_an_office(6, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        let office = site.office();
        office.set(1, "displayName", &["<script>alert(1)</script> & \"Co\""]);
        office.set(2, "mail", &["no mail address"]);
        let before = office.writes();

        window.open("/servers").await;
        window.press("Run request").await;
        window.press_in("Far fewer people", "Run request").await;
        window.arrives("/servers/1/plans/").await;
        window.sees("The guard has nothing against this plan.").await;
        window.sees("<script>alert(1)</script> & \"Co\"").await;
        window.sees("Person 06").await;
        window.sees("no mail address").await;
        window.sees("cannot be used").await;
        assert_eq!(office.writes(), before, "a run request wrote something");

        // Filters and search.
        window.fill("search", "person 03").await;
        window.press("Search").await;
        window.sees("Person 03").await;
        window.sees_not("Person 04").await;
        window.fill("search", "nobody at all").await;
        window.press("Search").await;
        window.sees("Take back a filter").await;
        assert_eq!(office.writes(), before);
        window.close().await;
    });
}

#[test]
fn exactly_the_plan_that_was_seen_is_applied() {
    at_an_office(4, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        request(&window).await;
        let plan = window.here().await;
        site.office().set(2, "displayName", &["Somebody Else"]);
        window.press("Apply this plan").await;
        window.arrives("/history/1").await;
        let names: Vec<String> = site.office().pbx.employees().into_iter().map(|one| one.name).collect();
        assert_eq!(names.len(), 3, "who moved since is left out: {names:?}");
        window.open(&plan).await;
        window.sees("carried out").await;
        assert_eq!(window.count("button.primary").await, 0, "it can be applied once");
        window.close().await;
    });
}

#[test]
fn two_browsers_see_one_run_and_either_can_cancel_it() {
    at_an_office(40, async |site, driver| {
        let office = site.office();
        office.pbx.misbehave("pbx.latency=300ms");
        let (first, second) =
            (driver.window(&site.serving.url).await, driver.window(&site.serving.url).await);
        site.first_visit(&first).await;
        site.sign_in(&second).await;
        first.open("/servers/1/synchronize").await;
        first.press("Synchronize now").await;
        first.arrives("/servers/1/job").await;
        second.open("/servers/1/synchronize").await;
        second.arrives("/servers/1/job").await;
        for window in [&first, &second] {
            window.sees("Writing").await;
            window.element("[data-live-rows] tr").await;
            window.sees("processed").await;
            window.sees("inside MikoPBX").await;
        }
        second.press("Cancel").await;
        second.confirm().await;
        // Both are led to what became of it.
        first.arrives("/history/1").await;
        second.arrives("/history/1").await;
        let made = office.pbx.employees().len();
        assert!((1..40).contains(&made), "{made} employees were made");

        // The next run does the rest, and nobody is made twice.
        office.pbx.misbehave("");
        first.open("/servers/1/synchronize").await;
        first.press("Synchronize now").await;
        first.arrives("/history/2").await;
        let mut names: Vec<String> = office.pbx.employees().into_iter().map(|one| one.name).collect();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), office.pbx.employees().len()), (40, 40));
        first.close().await;
        second.close().await;
    });
}

#[test]
fn a_server_that_is_away_is_told_and_nothing_is_lost() {
    at_an_office(3, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        site.office().edit(&["--port", "1"]);
        window.open("/servers/1/request").await;
        window.press_in("Far fewer people", "Run request").await;
        window.sees("The run failed").await;
        window.sees("127.0.0.1").await;
        window.press("Try again").await;
        window.arrives("/servers/1/request").await;
        window.close().await;
    });
}

#[test]
fn automatic_runs_wait_for_a_look_and_then_for_their_turn() {
    at_an_office(3, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        window.open("/servers").await;
        window.sees("only by hand").await;
        window.press("Switch automatic synchronisation of hq on").await;
        window.sees("Its first automatic run waits until you have looked").await;
        window.sees("automatic, every 15 min").await;
        window.sees("in 1").await;
        request(&window).await;
        window.open("/servers").await;
        window.sees_not("automatic runs wait until").await;
        window.press("Pause").await;
        window.sees("hq is paused.").await;
        window.press("Go on").await;
        window.press("Switch automatic synchronisation of hq off").await;
        window.sees("only by hand").await;
        window.close().await;
    });
}

#[test]
fn a_server_is_duplicated_and_removed() {
    at_an_office(2, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        site.office().sync().exits(0);
        window.open("/servers").await;
        window.press("Remove").await;
        window.sees("Remove hq?").await;
        window.sees("who 2 people are in the PBX").await;
        window.press("Remove hq").await;
        window.sees("hq is forgotten.").await;
        assert_eq!(site.office().pbx.employees().len(), 2, "everybody stays in the PBX");
        window.close().await;
    });
}

async fn request(window: &Window) {
    window.open("/servers/1/request").await;
    window.press_in("Far fewer people", "Run request").await;
    window.arrives("/servers/1/plans/").await;
}

/// Waits until so many runs have ended.
pub async fn finished(site: &Site, runs: usize) {
    for _ in 0..600 {
        let list = site.office().json(&["history"]);
        let ended = |run: &serde_json::Value| run["outcome"] != "running";
        if list["runs"].as_array().is_some_and(|list| list.len() >= runs && list.iter().all(ended)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("run {runs} did not end");
}
