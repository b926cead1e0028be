use super::*;
use crate::app::App;
use crate::cli::testing::{NOW_MS, ambiguous, app, both_changed, conflict, server};
use crate::web::testing::Browser;
use axum::http::StatusCode;
use reconcile::{Answer, Candidate, Conflict, ConflictKind, EmployeeId, PersonId, RefusedBy};
use store::{By, QuarantineRow};

/// A server `hq` with these conflicts, numbered from 1, and a browser.
async fn with(conflicts: &[Conflict]) -> (Browser, DirectoryId) {
    let app = app();
    let id = server(&app).await;
    found(&app, id, conflicts).await;
    (Browser::new(app).await, id)
}

async fn found(app: &App, id: DirectoryId, conflicts: &[Conflict]) {
    app.store.sync_conflicts(By::Hand(id), NOW_MS, conflicts, &BTreeSet::new()).await.unwrap();
}

async fn answers(browser: &Browser, id: DirectoryId) -> Vec<Answer> {
    let decisions = browser.web.app.store.decisions(id).await.unwrap();
    decisions.into_iter().map(|decision| decision.answer).collect()
}

/// Presses the button of conflict 1, and looks at the page it leads to.
async fn press(browser: &Browser, form: &[(&str, &str)]) -> String {
    let form: Vec<(&str, &str)> =
        [("ids", "1"), ("then", "/conflicts")].into_iter().chain(form.iter().copied()).collect();
    let answer = browser.post("/conflicts/answer", &form).await;
    assert_eq!((answer.status, answer.to.as_deref()), (StatusCode::SEE_OTHER, Some("/conflicts")));
    browser.get("/conflicts").await.content().to_owned()
}

fn candidate(employee: u64) -> Candidate {
    let (name, extension) = ("Пётр Иванов".to_owned(), format!("2{employee}"));
    Candidate { employee: EmployeeId(employee), name, extension, agrees: Vec::new(), differs: Vec::new() }
}

fn of_kind(kind: ConflictKind, field: Option<Field>, ways_out: &[WayOut]) -> Conflict {
    Conflict { ways_out: ways_out.to_vec(), ..conflict("p1", "Иванов Пётр", kind, field) }
}

/// Every way out, on a kind that offers it, and what pressing it remembers.
#[tokio::test]
async fn each_way_out_is_offered_by_its_kind_and_remembered() {
    use ConflictKind as Kind;
    use WayOut::{GiveNumber, LeaveAsIs, LeaveOut, NewEmployee, PickEmployee, Relink, UseDirectory, UsePbx};
    let email = Some(Field::Email);
    let number = Some(Field::Extension);
    let employee = |id| Answer::Employee { id: EmployeeId(id) };
    let give = |keep_in_pbx| Answer::Number { number: "0215".to_owned(), keep_in_pbx };
    type Case = (Kind, Option<Field>, WayOut, &'static [(&'static str, &'static str)], Answer);
    let cases: [Case; 20] = [
        (Kind::BothChanged, email, UseDirectory, &[("answer", "use-directory")], Answer::UseDirectory),
        (Kind::BothChanged, email, UsePbx, &[("answer", "use-pbx")], Answer::UsePbx),
        (Kind::BothChanged, email, LeaveAsIs, &[("answer", "leave-as-is")], Answer::LeaveAsIs),
        (Kind::FirstMeeting, number, UseDirectory, &[("answer", "use-directory")], Answer::UseDirectory),
        (Kind::FirstMeeting, number, UsePbx, &[("answer", "use-pbx")], Answer::UsePbx),
        (Kind::SeveralValues, number, GiveNumber, &[("answer", "number"), ("number", "0215")], give(false)),
        (
            Kind::Unusable,
            number,
            GiveNumber,
            &[("answer", "number"), ("number", " 0215 "), ("keep_in_pbx", "true")],
            give(true),
        ),
        (Kind::Unusable, number, LeaveOut, &[("answer", "leave-out")], Answer::LeaveOut),
        (Kind::NumberTaken, number, GiveNumber, &[("answer", "number"), ("number", "0215")], give(false)),
        (Kind::NumberTaken, number, UsePbx, &[("answer", "use-pbx")], Answer::UsePbx),
        (
            Kind::NumberWantedTwice,
            number,
            GiveNumber,
            &[("answer", "number"), ("number", "0215")],
            give(false),
        ),
        (Kind::NumberSwap, number, GiveNumber, &[("answer", "number"), ("number", "0215")], give(false)),
        (Kind::NoFreeNumber, number, LeaveOut, &[("answer", "leave-out")], Answer::LeaveOut),
        (Kind::NoName, None, LeaveOut, &[("answer", "leave-out")], Answer::LeaveOut),
        (
            Kind::AmbiguousMatch,
            None,
            PickEmployee,
            &[("answer", "employee"), ("employee", "12")],
            employee(12),
        ),
        (Kind::AlreadySomeones, None, NewEmployee, &[("answer", "new-employee")], Answer::NewEmployee),
        (Kind::BackUnderNewId, None, Relink, &[("answer", "relink")], employee(12)),
        (Kind::EmployeeDeleted, None, NewEmployee, &[("answer", "new-employee")], Answer::NewEmployee),
        (Kind::NotTheSameEmployee, None, Relink, &[("answer", "relink")], Answer::Relink),
        (Kind::Refused, email, LeaveAsIs, &[("answer", "leave-as-is")], Answer::LeaveAsIs),
    ];
    for (kind, field, way, form, expected) in cases {
        let offered = Conflict { candidates: vec![candidate(12)], ..of_kind(kind, field, &[way]) };
        let (browser, id) = with(&[offered]).await;
        let page = browser.get("/conflicts").await;
        let value = form[0].1;
        let button = format!("name=\"answer\" value=\"{value}\"");
        assert_eq!(page.text.matches(&button).count(), 1, "{kind:?} {way:?}");
        let after = press(&browser, form).await;
        assert!(after.contains("class=\"note good\""), "{kind:?} {way:?}: {after}");
        assert_eq!(answers(&browser, id).await, [expected], "{kind:?}");

        // Who does not offer it does not take it either.
        let other = if way == LeaveOut { UsePbx } else { LeaveOut };
        let closed = Conflict { candidates: vec![candidate(12)], ..of_kind(kind, field, &[other]) };
        let (browser, id) = with(&[closed]).await;
        assert_eq!(browser.get("/conflicts").await.text.matches(&button).count(), 0, "{kind:?} {way:?}");
        let after = press(&browser, form).await;
        assert!(after.contains("class=\"note bad\""), "{kind:?} {way:?}: {after}");
        assert_eq!(answers(&browser, id).await, [], "{kind:?} {way:?}");
    }
}

#[tokio::test]
async fn of_several_who_are_back_one_is_picked() {
    let back = of_kind(ConflictKind::BackUnderNewId, None, &[WayOut::Relink, WayOut::NewEmployee]);
    let (browser, id) = with(&[Conflict { candidates: vec![candidate(12), candidate(14)], ..back }]).await;
    let page = browser.get("/conflicts").await.text;
    assert!(!page.contains("value=\"relink\""), "a relink of whom?");
    assert_eq!(page.matches("value=\"employee\"").count(), 2);
    press(&browser, &[("answer", "employee"), ("employee", "14")]).await;
    assert_eq!(answers(&browser, id).await, [Answer::Employee { id: EmployeeId(14) }]);
}

#[tokio::test]
async fn a_retry_lifts_what_waits_and_the_next_run_is_offered() {
    let refused = Conflict {
        refused_by: RefusedBy::Pbx,
        reason: "the PBX refused: not an address".to_owned(),
        ..of_kind(ConflictKind::Refused, Some(Field::Email), &[WayOut::Retry, WayOut::LeaveAsIs])
    };
    let (browser, id) = with(std::slice::from_ref(&refused)).await;
    let waits = QuarantineRow {
        person: refused.person.clone(),
        field: refused.field,
        attempts: 2,
        next_try_ms: NOW_MS + 1_800_000,
        stands_on: refused.stands_on.clone(),
        conflict: refused,
    };
    browser.web.app.store.change_quarantine(By::Hand(id), &[], &[waits]).await.unwrap();
    let before = browser.get("/conflicts").await.text;
    assert!(before.contains("Tried 2 times; again") && before.contains("in 30 min"), "{before}");
    assert!(before.contains("refused by the PBX") && before.contains("the PBX refused: not an address"));
    let after = press(&browser, &[("answer", "retry")]).await;
    assert!(after.contains(&format!("action=\"/servers/{id}/synchronize\"")), "{after}");
    assert_eq!(browser.web.app.store.quarantine(id).await.unwrap(), []);
}

#[tokio::test]
async fn an_answer_is_shown_offers_the_next_run_and_can_be_taken_back() {
    let (browser, id) = with(&[both_changed()]).await;
    let after = press(&browser, &[("answer", "use-pbx")]).await;
    assert!(after.contains("The next synchronisation carries it out."), "{after}");
    assert!(after.contains("Synchronize hq now"), "{after}");
    let later = browser.get("/conflicts").await.text;
    assert!(!later.contains("Synchronize hq now"), "said once");
    assert!(later.contains("Use the PBX&#39;s: the next synchronisation carries it out."), "{later}");
    press(&browser, &[("answer", "ask-again")]).await;
    assert_eq!(answers(&browser, id).await, []);
    let again = press(&browser, &[("answer", "ask-again")]).await;
    assert!(again.contains("class=\"note bad\""), "{again}");
}

/// People who are asked the same.
fn many(count: usize) -> Vec<Conflict> {
    let one = |n: usize| Conflict {
        person: PersonId::new(&*format!("p{n:03}")),
        name: format!("Person {n:03}"),
        ..both_changed()
    };
    (0..count).map(one).collect()
}

#[tokio::test]
async fn many_of_a_kind_are_answered_at_once() {
    let (browser, id) = with(&many(60)).await;
    let unfiltered = browser.get("/conflicts").await.text;
    assert!(!unfiltered.contains("form=\"many\""), "kinds differ until one is chosen");
    let page = browser.get("/conflicts?kind=both-changed").await.text;
    assert_eq!(page.matches("form=\"many\"").count(), limits::PAGE_ROWS as usize);

    let marked = [("ids", "2"), ("ids", "5"), ("answer", "use-directory")];
    press(&browser, &marked).await;
    assert_eq!(
        answers(&browser, id).await,
        [Answer::UseDirectory, Answer::UseDirectory, Answer::UseDirectory]
    );

    // On every page, as far as the filter goes.
    let all = [("all", "true"), ("kind", "both-changed"), ("search", "person 01"), ("answer", "use-pbx")];
    browser.post("/conflicts/answer", &all).await;
    let pbx = answers(&browser, id).await.into_iter().filter(|answer| *answer == Answer::UsePbx).count();
    assert_eq!(pbx, 11);

    let personal = [("all", "true"), ("kind", "both-changed"), ("answer", "number"), ("number", "215")];
    browser.post("/conflicts/answer", &personal).await;
    let nobody = browser.get("/conflicts").await.text;
    assert!(nobody.contains("none of these conflicts can be answered so"), "{nobody}");
    let none = browser.post("/conflicts/answer", &[("answer", "use-pbx")]).await;
    assert_eq!(none.status, StatusCode::SEE_OTHER);
    assert!(browser.get("/conflicts").await.text.contains("no conflict is marked"));
}

#[tokio::test]
async fn one_row_or_all_are_removed_and_no_answer_is_lost() {
    let (browser, id) = with(&many(3)).await;
    press(&browser, &[("answer", "use-pbx")]).await;
    let after = press(&browser, &[("answer", "remove")]).await;
    assert!(
        after.contains("1 row is removed. No data was changed") && !after.contains("Person 000"),
        "{after}"
    );
    assert!(after.contains("Whatever still stands returns with the next synchronisation"), "{after}");
    let cleared = browser.post("/conflicts/clear", &[("then", "/conflicts"), ("server", "")]).await;
    assert_eq!(cleared.to.as_deref(), Some("/conflicts"));
    assert!(browser.get("/conflicts").await.text.contains("2 rows are removed"));
    assert_eq!(answers(&browser, id).await, [Answer::UsePbx]);
    let nowhere = browser.post("/conflicts/clear", &[("server", "77")]).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_hostile_name_is_only_text_and_nobody_is_led_elsewhere() {
    let evil = "<script>alert(1)</script>\"'><b>";
    let hostile = Conflict {
        name: evil.to_owned(),
        directory_value: Some(evil.to_owned()),
        reason: evil.to_owned(),
        candidates: vec![Candidate { name: evil.to_owned(), ..candidate(12) }],
        ..ambiguous()
    };
    let (browser, _) = with(&[hostile]).await;
    let page = browser.get("/conflicts?kind=ambiguous-match&search=%22%3E%3Cscript%3E").await.text;
    assert!(!page.contains("><script>") && !page.contains("<b>\""), "{page}");
    let page = browser.get("/conflicts?kind=ambiguous-match").await.text;
    assert!(!page.contains("<script>alert") && page.contains("&#60;script&#62;"), "{page}");
    let led =
        browser.post("/conflicts/answer", &[("ids", "1"), ("answer", "remove"), ("then", "//evil")]).await;
    assert_eq!(led.to.as_deref(), Some("/"));
}

#[tokio::test]
async fn filters_that_mean_nothing_are_ignored() {
    let (browser, _) = with(&many(2)).await;
    for query in ["?page=x", "?kind=nonsense&server=99&state=no&sort=up", "?page=0", "?kind=undone-join"] {
        assert_eq!(browser.get(&format!("/conflicts{query}")).await.status, StatusCode::OK, "{query}");
    }
    let found = browser.get("/conflicts?search=person+001").await.text;
    assert!(found.contains("Person 001") && !found.contains("Person 000"), "{found}");
    let person = browser.get("/conflicts?sort=person-backwards").await.text;
    assert!(person.find("Person 001") < person.find("Person 000"), "{person}");
}

#[tokio::test]
async fn whatever_a_conflict_can_be_is_said_in_words() {
    let (browser, _) = with(&[]).await;
    let visit = Visit::of(&browser.web, &axum::http::HeaderMap::new(), "/".to_owned()).await;
    let p = Page::outside(&browser.web, &visit, "");
    for kind in ConflictKind::ALL {
        assert_ne!(p.word("conflict-kind", kind.as_str()), format!("conflict-kind-{}", kind.as_str()));
        for (field, candidates) in [(None, vec![]), (Some(Field::Mobile), vec![candidate(12)])] {
            let row = Conflict { candidates, ..of_kind(kind, field, &[]) };
            let view = views(&browser.web.app, vec![row_of(row)]).await.unwrap().remove(0);
            let why = Row::of(&p, view, false).why;
            assert!(!why.starts_with("conflict-why"), "{why}");
        }
    }
    for by in [RefusedBy::Rollcall, RefusedBy::Directory, RefusedBy::Pbx] {
        for set in ["conflict-by", "refused-by", "conflict-words"] {
            assert!(!p.named(set, &by).starts_with(set), "{set} {by:?}");
        }
    }
}

fn row_of(conflict: Conflict) -> ConflictRow {
    ConflictRow {
        id: store::ConflictId(1),
        directory: DirectoryId(1),
        conflict,
        first_seen_ms: NOW_MS,
        last_seen_ms: NOW_MS,
        count: 1,
        state: ConflictState::Open,
        ended_ms: None,
    }
}

#[tokio::test]
async fn the_page_in_its_states() {
    let (empty, _) = with(&[]).await;
    insta::assert_snapshot!("empty", empty.get("/conflicts").await.snapshot());
    let unusable = Conflict {
        directory_value: Some("12a".to_owned()),
        ..of_kind(ConflictKind::Unusable, Some(Field::Extension), &[WayOut::GiveNumber, WayOut::LeaveOut])
    };
    let (browser, _) = with(&[both_changed(), ambiguous(), unusable]).await;
    insta::assert_snapshot!("open", browser.get("/conflicts").await.snapshot());
    press(&browser, &[("answer", "use-pbx")]).await;
    insta::assert_snapshot!(
        "answered_of_a_kind",
        browser.get("/conflicts?kind=both-changed").await.snapshot()
    );
    press(&browser, &[("answer", "leave-as-is")]).await;
    insta::assert_snapshot!("left_as_is", browser.get("/conflicts?state=silenced").await.snapshot());
    let russian = browser.in_russian();
    insta::assert_snapshot!("in_russian", russian.get("/conflicts").await.snapshot());
}
