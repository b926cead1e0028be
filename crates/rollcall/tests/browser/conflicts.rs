//! Each way out of each kind of conflict, pressed in a browser; what it does
//! shows on both sides after the next synchronisation.

use super::site::at_an_office;
use super::support::office::Office;
use super::window::Window;
use serde_json::json;
use uuid::Uuid;

const PEOPLE: usize = 26;

/// Whom, and the words of the button; a number where one is given.
pub type Press<'a> = (&'a str, &'a str, Option<&'a str>);

const ANSWERS: [Press<'static>; 19] = [
    ("Person 01", "Use the domain's", None),
    ("Person 02", "Use the PBX's", None),
    ("Person 03", "Leave as is", None),
    ("Person 06", "Make the employee again", None),
    ("Person 07", "Leave this person out", None),
    ("Person 08", "The same employee after all: relink", None),
    ("Person 09", "Leave as is", None),
    ("Person 10", "Leave as is", None),
    ("Person 11", "Give", Some("451")),
    ("Person 13", "Use the PBX's", None),
    ("Person 14", "Give", Some("453")),
    ("Person 15", "Use the PBX's", None),
    ("Person 16", "Give", Some("454")),
    ("Person 18", "Give", Some("455")),
    ("<b>Person 20</b>", "Leave as is", None),
    ("<b>Person 21</b>", "Try again", None),
    ("Person 22", "The same human: relink", None),
    ("Person 23", "Make a new employee", None),
    ("Person 24", "Leave this person out", None),
];

#[test]
fn what_changed_apart_is_answered_and_the_answers_are_carried_out() {
    at_an_office(PEOPLE, async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        site.first_visit(&window).await;
        let office = site.office();
        office.sync().exits(0);
        office.edit(&["--guard-floor", "100"]);
        change_apart(office);
        let again = hired_again(office);
        let asked = office.sync().exits(4).conflicts().len();
        assert_eq!(asked, 26);
        let writes = office.writes();
        window.open("/conflicts").await;
        for press in ANSWERS {
            answer(&window, press).await;
        }
        window.tick_in_row("Person 12", "keep_in_pbx").await;
        answer(&window, ("Person 12", "Give", Some("452"))).await;
        many_at_once(&window).await;
        window.open("/conflicts").await;
        window.press("Remove Person 25 from the list").await;
        window.sees("1 row is removed").await;
        window.sees_not("Person 25").await;
        assert_eq!(office.writes(), writes, "an answer is carried out by the next synchronisation");

        office.sync().exits(4);
        carried_out(office, &again);
        // A number that somebody gave up in that run can be had in the next.
        office.sync().exits(4);
        window.open("/conflicts?state=silenced").await;
        for person in ["Person 03", "Person 09", "Person 10", "Person 20"] {
            window.sees(person).await;
        }
        let stands = ["Person 21", "Person 25", "Person 26"];
        window.open("/conflicts").await;
        for person in stands {
            window.sees(person).await;
        }
        window.press("Clear all").await;
        window.confirm().await;
        window.sees("rows are removed. No data was changed").await;
        let quiet = office.sync().exits(4);
        assert_eq!((quiet.writes(), quiet.conflicts().len()), ((0, 0), stands.len()), "what stands returns");
        window.close().await;
    });
}

fn change_apart(office: &Office) {
    let pbx = |n: usize| office.pbx.named(&format!("Person {n:02}")).id;
    // Both sides gave another mobile.
    for n in 1..=5 {
        office.set(n, "mobile", &[&format!("+7 916 111-00-{n:02}")]);
        office.pbx.set_mobile(pbx(n), &format!("791622200{n:02}"));
    }
    office.delete_employees([6, 7]);
    for n in [8, 9] {
        let fields = json!({
            "user_username": format!("Stranger {n}"), "number": format!("48{n}"),
            "user_email": format!("stranger{n}@example.test"),
        });
        office.pbx.edit(pbx(n), fields);
    }
    office.set(10, "mobile", &["no phone"]);
    for n in 11..=13 {
        office.set(n, "ipPhone", &["12a"]);
    }
    office.pbx.queue("490");
    office.set(14, "ipPhone", &["490"]);
    office.pbx.hire("491", "Only Here", "", "");
    office.set(15, "ipPhone", &["491"]);
    for n in [16, 17] {
        office.set(n, "ipPhone", &["470"]);
    }
    office.set(18, "ipPhone", &["319"]);
    office.set(19, "ipPhone", &["318"]);
    for n in [20, 21] {
        office.set(n, "displayName", &[&format!("<b>Person {n}</b>")]);
    }
    for n in [25, 26] {
        office.set(n, "mail", &["nobody"]);
    }
}

/// Their accounts were deleted and made anew.
fn hired_again(office: &Office) -> Vec<Uuid> {
    let unit = format!("OU=Staff,{}", office.directory.base());
    let again = |n| {
        office.delete_person(n);
        let (login, name, mail) = (format!("again{n}"), format!("Person {n}"), format!("p{n}@example.test"));
        office.directory.hire(&unit, &login, &name, &[("mail", &mail)]).expect("room for a person")
    };
    (22..=24).map(again).collect()
}

pub async fn answer(window: &Window, (person, button, number): Press<'_>) {
    if let Some(number) = number {
        window.fill_in_row(person, "number", number).await;
    }
    window.press_in_row(person, button).await;
    window.part(".note.good").await;
}

/// Of one kind, by their boxes.
async fn many_at_once(window: &Window) {
    window.open("/conflicts?kind=both-changed").await;
    for person in ["Person 04", "Person 05"] {
        window.tick_in_row(person, "ids").await;
    }
    window.press_css("form#many button[value='use-directory']").await;
    window.sees("2 conflicts are answered").await;
}

fn carried_out(office: &Office, again: &[Uuid]) {
    let mobile = |n: usize| office.pbx.named(&format!("Person {n:02}")).mobile;
    let number = |n: usize| office.pbx.named(&format!("Person {n:02}")).number;
    let both = |n: usize| (number(n), office.text(n, "ipPhone"));
    let same = |number: &str| (number.to_owned(), number.to_owned());
    for n in [1, 4, 5] {
        assert_eq!(mobile(n), format!("791611100{n:02}"), "the domain's");
    }
    assert_eq!((mobile(2), office.text(2, "mobile")), ("79162220002".into(), "+79162220002".into()));
    assert_eq!((mobile(3), office.text(3, "mobile")), ("79162220003".into(), "+7 916 111-00-03".into()));
    let called = |name: &str| office.pbx.employees().iter().filter(|employee| employee.name == name).count();
    assert_eq!((both(6), called("Person 07")), (same("306"), 0));
    assert_eq!(
        (office.text(8, "displayName"), office.text(8, "ipPhone")),
        ("Stranger 8".into(), "488".into())
    );
    assert_eq!((office.text(9, "displayName"), called("Stranger 9")), ("Person 09".into(), 1));
    assert_eq!((mobile(10), office.text(10, "mobile")), ("79160000010".into(), "no phone".into()));
    assert_eq!(
        (both(11), both(14), both(16), both(18)),
        (same("451"), same("453"), same("454"), same("455"))
    );
    assert_eq!(both(12), ("452".to_owned(), "12a".to_owned()), "only in the PBX");
    assert_eq!((both(13), both(15)), (same("313"), same("315")));
    assert_eq!(called("Person 20"), 1, "the PBX keeps its name");
    let of = |at: usize| office.text_of(again[at], "ipPhone");
    assert_eq!((of(0), called("Person 22")), ("322".to_owned(), 1));
    assert_eq!((of(1).len(), called("Person 23")), (3, 2), "a free number, and written back");
    assert_eq!((of(2), called("Person 24")), (String::new(), 1));
}
