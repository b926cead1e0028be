use super::*;
use crate::cli::output::tests::text;
use crate::cli::testing::{change, person, report};
use crate::cycle::report::{Counts, NotUndone, Writes};
use reconcile::Verdict;
use reconcile::guard::{GuardKind, Halt, Tripped};
use reconcile::plan::HeldBack;

fn view(kind: Kind, change: impl FnOnce(&mut Report)) -> ReportView {
    let mut report = report();
    change(&mut report);
    // Everybody but the first of the conflicts has a number already.
    let known = Known { linked: None, conflicts: HashMap::new() };
    ReportView { report, kind, extent: Extent::Whole, known }
}

fn numbered(mut view: ReportView) -> ReportView {
    let keys = view.report.conflicts.iter().map(|one| (one.person.to_string(), one.kind, one.field));
    view.known.conflicts = keys.zip(3..).collect();
    view
}

#[test]
fn a_run_at_80_columns() {
    insta::assert_snapshot!(text(&numbered(view(Kind::Run, |_| {})), 80));
}

#[test]
fn a_run_at_120_columns() {
    insta::assert_snapshot!(text(&numbered(view(Kind::Run, |_| {})), 120));
}

#[test]
fn a_preview_knows_no_numbers_of_conflicts_and_says_what_to_type() {
    let preview = view(Kind::Preview, |report| {
        report.run = None;
        report.people[1].changes[0].result = ChangeResult::Planned;
    });
    insta::assert_snapshot!(text(&preview, 80));
}

#[test]
fn a_halted_run_names_the_way_on() {
    let halted = view(Kind::Run, |report| {
        let tripped = Tripped {
            kind: GuardKind::Disables,
            people: 12,
            recent: 2,
            limit: 5,
            linked: 40,
            stopped: false,
        };
        report.halted = Some(Halt { tripped: vec![tripped], look_first: None });
        report.people.clear();
        report.conflicts.clear();
    });
    assert_eq!(halted.exit_code(), 3);
    insta::assert_snapshot!(text(&halted, 80));
}

#[test]
fn an_incomplete_read_says_what_it_held_back() {
    let partial = view(Kind::Run, |report| {
        report.directory.verdict = Verdict::Partial("the server's size limit was reached".to_owned());
        report.held_back = vec![HeldBack {
            what: "leavers".to_owned(),
            people: 3,
            why: "the read was incomplete".to_owned(),
            stopped: None,
        }];
        report.people.clear();
        report.conflicts.clear();
    });
    assert_eq!(partial.exit_code(), 3);
    insta::assert_snapshot!(text(&partial, 80));
}

#[test]
fn a_quiet_run_says_so() {
    let quiet = view(Kind::Run, |report| {
        report.people.retain(|person| person.changes.is_empty() && person.reason.is_none());
        report.conflicts.clear();
        report.counts = Counts { unchanged: 1, ..Counts::default() };
        report.writes = Writes::default();
    });
    assert_eq!(quiet.exit_code(), 0);
    let text = text(&quiet, 80);
    assert!(text.contains("Nothing was written: both sides are as they were."), "{text}");
}

#[test]
fn in_step_is_said_only_of_what_was_read_whole() {
    let rest = |change: fn(&mut Report)| {
        let quiet = view(Kind::Preview, |report| {
            report.people.clear();
            report.conflicts.clear();
            report.counts = Counts::default();
            change(report);
        });
        text(&quiet, 80)
    };
    assert!(rest(|_| {}).ends_with("\nNothing to do: both sides are in step.\n"));
    let partial = |report: &mut Report| report.pbx.verdict = Verdict::Partial("it hung up".to_owned());
    for (changed, words) in [
        (rest(partial), "incomplete"),
        (rest(|report| report.directory.read = 0), "Nobody was read from the directory. Check"),
        (
            rest(|report| report.conflicts = vec![crate::cli::testing::ambiguous()]),
            "Nothing to do but the conflicts",
        ),
    ] {
        assert!(changed.contains(words) && !changed.contains("in step."), "{changed}");
        assert!(!changed.contains("nobody\n"), "{changed}");
    }
}

#[test]
fn a_brief_report_bounds_people_and_counts_conflicts() {
    let mut brief = view(Kind::Preview, |report| {
        let mobile = || change(Side::Pbx, Field::Mobile, Some("1"), Some("2"), Cause::DirectoryChanged);
        let one = |n: usize| {
            person(&format!("Person {n:02}"), Status::Processed, Some(Updated::Pbx), vec![mobile()])
        };
        report.people = (0..15).map(one).collect();
    });
    brief.extent = Extent::Brief;
    let text = text(&brief, 80);
    assert!(
        text.contains("Person 09") && !text.contains("Person 10") && text.contains("and 5 others"),
        "{text}"
    );
    assert!(text.contains("1  ambiguous match") && !text.contains("Ways out"), "{text}");
}

#[test]
fn somebody_who_was_not_linked_before_was_joined() {
    let mut joined = view(Kind::Run, |report| report.people.truncate(2));
    joined.known.linked = Some(HashSet::new());
    let text = text(&joined, 100);
    assert!(text.contains("joined with employee 12"), "{text}");
    assert!(text.contains("new employee, mobile 4915174100039"), "{text}");
}

#[test]
fn json_is_the_report_and_nothing_else() {
    let view = numbered(view(Kind::Run, |_| {}));
    assert_eq!(serde_json::to_value(&view).unwrap(), serde_json::to_value(report()).unwrap());
}

fn undo(kind: Kind, change: impl FnOnce(&mut Report)) -> String {
    let undo = view(kind, |report| {
        (report.run, report.undoes) = (Some(8), Some(7));
        report.conflicts.clear();
        report.people.truncate(2);
        report.people.remove(0);
        report.people[0].changes[0].cause = Cause::Undo;
        report.counts = Counts { updated_in_pbx: 1, ..Counts::default() };
        report.not_undone = vec![NotUndone {
            person: "p9".to_owned(),
            name: "Щербаков Илья".to_owned(),
            step: 3,
            side: store::Side::Directory,
            what: "mobile".to_owned(),
            why: "it was changed since: `79031112233` stands there now".to_owned(),
        }];
        change(report);
    });
    text(&undo, 100)
}

#[test]
fn an_undo_says_what_it_left_and_that_the_rest_rests() {
    insta::assert_snapshot!(undo(Kind::Run, |_| {}));
}

#[test]
fn an_undo_says_how_to_go_on_and_when_nothing_is_left() {
    let preview = undo(Kind::Preview, |report| report.run = None);
    assert!(preview.contains("Preview of undoing run 7 of hq"), "{preview}");
    assert!(preview.contains("rollcall apply 3fa9c2d1e0b8"), "{preview}");
    let none = |not_undone: bool| {
        undo(Kind::Run, |report| {
            report.people.clear();
            if !not_undone {
                report.not_undone.clear();
            }
        })
    };
    assert!(none(true).contains("Nothing of run 7 can be undone."));
    assert!(none(false).contains("Nothing of run 7 is left to undo."));
}
