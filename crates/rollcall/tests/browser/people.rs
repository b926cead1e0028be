//! Employees, those who are disabled, history and undo, as they are seen.

use super::runs::finished;
use super::site::at_an_office;

#[test]
fn everybody_is_found_and_each_is_told_whole() {
    at_an_office(6, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        window.open("/employees").await;
        window.sees("Nobody is linked yet").await;
        let office = site.office();
        office.sync().exits(0);
        // The PBX takes no name with a tag in it: that is a conflict, and told.
        office.set(1, "displayName", &["<b>Somebody</b> & \"Co\""]);
        office.sync().exits(4);

        window.open("/employees").await;
        window.sees("<b>Somebody</b> & \"Co\"").await;
        window.press("Internal number").await;
        window.arrives("/employees?sort=number").await;
        window.fill("search", "person 03").await;
        window.press("Search").await;
        window.sees_not("Person 04").await;
        window.press("Person 03").await;
        window.sees("Linked and kept in step.").await;
        window.sees("p3@example.test").await;
        window.sees("What was written").await;

        window.open("/employees").await;
        window.choose("state", "left").await;
        window.arrives("/employees?sort=name&order=asc&search=&server=&state=left").await;
        window.sees("Take back a filter").await;
        window.close().await;
    });
}

#[test]
fn who_is_disabled_is_listed_until_he_returns() {
    at_an_office(6, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        let office = site.office();
        office.sync().exits(0);
        window.open("/disabled").await;
        window.sees("Nobody who is disabled or gone").await;
        office.disable([3]);
        office.sync();
        let before = office.writes();
        window.open("/disabled").await;
        window.sees("Person 03").await;
        window.press("What mentions 303").await;
        window.sees("In MikoPBX 303 is the number of Person 03.").await;
        window.sees("This phone does not forward calls.").await;
        window.sees("MikoPBX does not tell which incoming routes").await;
        assert_eq!(office.writes(), before, "looking wrote something");
        office.enable([3]);
        office.sync();
        window.open("/disabled").await;
        window.sees("Nobody who is disabled or gone").await;
        window.close().await;
    });
}

#[test]
fn a_run_is_undone_after_a_look_at_what_that_does() {
    at_an_office(4, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        let office = site.office();
        office.sync().exits(0);
        let mobile = || office.pbx.named("Person 02").mobile;
        let before = mobile();
        office.set(2, "mobile", &["+7 916 111-22-33"]);
        office.sync().exits(0);
        let changed = mobile();
        assert_ne!(changed, before);

        window.open("/history").await;
        window.press("2").await;
        window.arrives("/history/2").await;
        window.sees("changed in the domain").await;
        window.press("1 step").await;
        window.arrives("/history/2/steps").await;
        window.press("Undo the marked steps").await;
        window.sees("Mark the steps that are to be undone.").await;
        window.tick("input[name='step']").await;
        window.press("Undo the marked steps").await;
        window.arrives("/servers/1/plans/").await;
        window.sees("What an undo would do").await;
        assert_eq!(mobile(), changed, "a look wrote something");
        window.press("Apply this plan").await;
        finished(site, 3).await;
        assert_eq!(mobile(), before);
        window.open("/history/2/steps").await;
        window.sees("undone").await;
        window.open("/history/3").await;
        window.sees("undoes run 2").await;
        window.close().await;
    });
}
