//! Every LDAP result code in every phase, every kind of PBX answer to every
//! call: what happens stands in docs/reference/answers.md, and nobody is ever
//! disabled by it. `ROLLCALL_UPDATE=1` writes the page anew.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use simulation::{Answer, Call, Case, Forced, Phase, case, cases};
use std::fmt::Write;
use std::{env, fs, thread};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/answers.md");
const HEAD: &str = "\
# What unwanted answers do

Made by `crates/simulation/tests/matrix.rs`, which fails when this page is not true. In every case four people were linked
and everything was due at once: a change in the directory, one in the PBX, a picture, somebody who left, and a newcomer.
The answer came every time. A cell says what that one run reported. In no case was anybody else disabled, and in all of
them the next runs brought what was due, once the answer was gone.

";

#[test]
fn no_answer_disables_anybody_and_all_comes_right_afterwards() {
    let (directory, pbx) = cases();
    let (usual, end) = case(None);
    assert!(usual.wrong.is_empty(), "{:#?}", usual.wrong);
    let all: Vec<Forced> = directory.iter().chain(&pbx).copied().collect();
    let told = tell(&all);
    let mut wrong = Vec::new();
    for (forced, (case, likeness)) in all.iter().zip(&told) {
        wrong.extend(case.wrong.iter().map(|what| format!("{forced}: {what}")));
        // Who was disabled before the new number was given may free another one.
        if *likeness != end {
            wrong.push(format!("{forced}: ended as\n{likeness}\ninstead of\n{end}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), all.len(), wrong.join("\n"));
    let page = page(&usual, &directory, &pbx, &told);
    if env::var_os("ROLLCALL_UPDATE").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let kept = fs::read_to_string(PAGE).unwrap_or_default();
    let differs = kept.lines().zip(page.lines()).find(|(kept, now)| kept != now);
    assert!(kept == page, "docs/reference/answers.md is out of date, first at {differs:#?}");
}

fn page(usual: &Case, directory: &[Forced], pbx: &[Forced], told: &[(Case, String)]) -> String {
    let mut page = format!("{HEAD}As usual: {}.\n\n## LDAP result codes\n\n| code |", usual.said);
    let phases: Vec<String> = Phase::ALL.iter().map(|phase| format!(" {phase:?} |")).collect();
    writeln!(page, "{}\n|{}", phases.concat(), "---|".repeat(1 + Phase::ALL.len())).unwrap();
    let (codes, answers) = told.split_at(directory.len());
    // Codes that do the same share a row, in the order of their first.
    let mut rows: Vec<(Vec<String>, String)> = Vec::new();
    for (row, cells) in directory.chunks(Phase::ALL.len()).zip(codes.chunks(Phase::ALL.len())) {
        let Forced::Directory { code, .. } = row[0] else { panic!("the directory's cases come first") };
        let cells = cells_of(cells);
        match rows.iter_mut().find(|(_, known)| *known == cells) {
            Some((codes, _)) => codes.push(code.to_string()),
            None => rows.push((vec![code.to_string()], cells)),
        }
    }
    for (codes, cells) in rows {
        writeln!(page, "| {} |{cells}", codes.join(", ")).unwrap();
    }
    let calls: Vec<String> = Call::ALL.iter().map(|call| format!(" {call:?} |")).collect();
    write!(
        page,
        "\n## PBX answers\n\n| answer |{}\n|{}\n",
        calls.concat(),
        "---|".repeat(1 + Call::ALL.len())
    )
    .unwrap();
    for (row, cells) in pbx.chunks(Call::ALL.len()).zip(answers.chunks(Call::ALL.len())) {
        let Forced::Pbx { answer, .. } = row[0] else { panic!("the PBX's cases come last") };
        writeln!(page, "| {} |{}", words(answer), cells_of(cells)).unwrap();
    }
    page
}

fn cells_of(cells: &[(Case, String)]) -> String {
    cells.iter().map(|(case, _)| format!(" {} |", case.said.replace('|', "\\|"))).collect()
}

fn words(answer: Answer) -> &'static str {
    match answer {
        Answer::NoConnection => "no connection",
        Answer::DroppedBefore => "dropped, not done",
        Answer::DroppedBehind => "dropped, done",
        Answer::TimedOut => "400 time-out, not done",
        Answer::TimedOutDone => "400 time-out, done",
        Answer::Failed => "422 database is locked",
        Answer::Unsigned => "401",
        Answer::NotPermitted => "403 of the API",
        Answer::Filtered => "403 of the front filter",
        Answer::NotFound => "404",
        Answer::NotAllowed => "405",
        Answer::Unprocessable => "422",
        Answer::Limited => "429",
        Answer::Broken => "500 HTML",
        Answer::BadGateway => "502 HTML",
        Answer::Busy => "503",
        Answer::Html => "200 HTML",
        Answer::Empty => "200 empty",
        Answer::OtherJson => "200 other JSON",
    }
}

/// On both cores; in order.
fn tell(all: &[Forced]) -> Vec<(Case, String)> {
    let (one, other) = all.split_at(all.len() / 2);
    let live = |cases: &[Forced]| cases.iter().map(|forced| case(Some(*forced))).collect::<Vec<_>>();
    thread::scope(|scope| {
        let other = scope.spawn(move || live(other));
        let mut told = live(one);
        told.extend(other.join().expect("a case is only told"));
        told
    })
}
