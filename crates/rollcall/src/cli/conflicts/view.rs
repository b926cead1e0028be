//! Conflicts as people read them: what happened, what each side stores, what
//! to type.

use crate::cli::output::{Cell, Ink, Look, Page, Table, View, count, shown};
use crate::cli::words;
use reconcile::{Answer, Candidate, Conflict, ConflictKind, Field, PersonId, WayOut};
use serde::Serialize;
use std::collections::BTreeSet;
use store::{ConflictId, ConflictRow, ConflictState, DirectoryId, QuarantineRow};

/// Candidates that are offered by name.
const CANDIDATES_SHOWN_MAX: usize = 8;
const CANDIDATES_LISTED_MAX: usize = 3;

/// One conflict: who, what, why, and the ways out.
pub fn explain(page: &mut Page, id: Option<i64>, conflict: &Conflict) {
    let number = id.map(|id| format!("{id}  ")).unwrap_or_default();
    let kind = words::conflict_kind(conflict.kind, conflict.field);
    page.indented(2, format!("{number}{} · {kind}", shown(Some(&conflict.name))), Ink::Strong);
    page.indented(4, conflict.reason.clone(), Ink::Plain);
    page.indented(4, stored(conflict), Ink::Dim);
    for candidate in conflict.candidates.iter().take(CANDIDATES_SHOWN_MAX) {
        page.indented(4, self::candidate(candidate), Ink::Dim);
    }
    if conflict.candidates.len() > CANDIDATES_SHOWN_MAX {
        let more = conflict.candidates.len() - CANDIDATES_SHOWN_MAX;
        page.indented(4, format!("and {}", count(more, "other", "others")), Ink::Dim);
    }
    match id {
        Some(id) => page.grid(
            commands(id, conflict)
                .into_iter()
                .map(|(command, meaning)| [Cell::from(format!("  {command}")), Cell::new(meaning, Ink::Dim)]),
        ),
        None => {
            let ways: Vec<&str> =
                conflict.ways_out.iter().map(|way| way_in_words(*way, conflict.kind)).collect();
            page.indented(4, format!("Ways out: {}", ways.join(" · ")), Ink::Dim);
        }
    }
}

/// Many conflicts, without their ways out; each with what else there is to say.
pub fn list<'a>(page: &mut Page, rows: impl Iterator<Item = (Option<i64>, &'a Conflict, Vec<String>)>) {
    let mut table = Table::new(["ID", "Person", "Conflict"]).keep(["ID"]);
    for (id, conflict, notes) in rows {
        let mut what =
            format!("{}\n{}", words::conflict_kind(conflict.kind, conflict.field), conflict.reason);
        let more = [stored(conflict), candidates(conflict)].into_iter().chain(notes);
        for more in more.filter(|more| !more.is_empty()) {
            what = format!("{what}\n{more}");
        }
        table.row([
            Cell::new(id.map(|id| id.to_string()).unwrap_or_default(), Ink::Strong),
            shown(Some(&conflict.name)).into(),
            what.into(),
        ]);
    }
    page.table(&table);
}

/// What to type for each way out, and what it means.
fn commands(id: i64, conflict: &Conflict) -> Vec<(String, String)> {
    let resolve = |answer: &str| format!("rollcall conflicts resolve {id} {answer}");
    let mut commands = Vec::new();
    for way in &conflict.ways_out {
        let meaning = way_in_words(*way, conflict.kind).to_owned();
        match way {
            WayOut::UseDirectory => commands.push((resolve("--use directory"), meaning)),
            WayOut::UsePbx => commands.push((resolve("--use pbx"), meaning)),
            WayOut::PickEmployee => {
                let offered = conflict.candidates.iter().take(CANDIDATES_SHOWN_MAX);
                commands.extend(offered.map(|one| {
                    (
                        resolve(&format!("--employee {}", one.employee)),
                        format!("it is {}", shown(Some(&one.name))),
                    )
                }));
            }
            WayOut::NewEmployee => commands.push((resolve("--new"), meaning)),
            WayOut::Relink => commands.push((resolve("--relink"), meaning)),
            WayOut::GiveNumber => commands.push((resolve("--number N"), meaning)),
            WayOut::LeaveOut => commands.push((resolve("--leave-out"), meaning)),
            WayOut::LeaveAsIs => commands.push((resolve("--leave-as-is"), meaning)),
            WayOut::Retry => commands.push((format!("rollcall conflicts retry {id}"), meaning)),
        }
    }
    commands
}

pub const fn way_in_words(way: WayOut, kind: ConflictKind) -> &'static str {
    match (way, kind) {
        (WayOut::UseDirectory, _) => "take the directory's value",
        (WayOut::UsePbx, _) => "take the PBX's value",
        (WayOut::PickEmployee, _) => "pick the employee",
        (WayOut::NewEmployee, ConflictKind::EmployeeDeleted) => "create the employee again",
        (WayOut::NewEmployee, _) => "create a new employee",
        (WayOut::Relink, ConflictKind::BackUnderNewId) => "the same human under a new id",
        (WayOut::Relink, _) => "the same employee after all",
        (WayOut::GiveNumber, _) => "give another number",
        (WayOut::LeaveOut, _) => "leave this person out",
        (WayOut::LeaveAsIs, _) => "leave both sides as they are",
        (WayOut::Retry, _) => "try again at the next run",
    }
}

fn stored(conflict: &Conflict) -> String {
    let side =
        |name: &str, value: &Option<String>| value.as_deref().map(|v| format!("{name}: {}", shown(Some(v))));
    let sides = [side("directory", &conflict.directory_value), side("PBX", &conflict.pbx_value)];
    sides.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Who it may be, in a few words.
fn candidates(conflict: &Conflict) -> String {
    let one = |one: &Candidate| {
        format!("employee {} ({}, {})", one.employee, shown(Some(&one.name)), one.extension)
    };
    let some: Vec<String> = conflict.candidates.iter().take(CANDIDATES_LISTED_MAX).map(one).collect();
    let more = if conflict.candidates.len() > CANDIDATES_LISTED_MAX { ", …" } else { "" };
    if some.is_empty() { String::new() } else { format!("may be: {}{more}", some.join(", ")) }
}

fn candidate(candidate: &Candidate) -> String {
    let fields = |fields: &[Field]| fields.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(", ");
    let mut text =
        format!("employee {}: {}, {}", candidate.employee, shown(Some(&candidate.name)), candidate.extension);
    if !candidate.agrees.is_empty() {
        text.push_str(&format!("; same {}", fields(&candidate.agrees)));
    }
    if !candidate.differs.is_empty() {
        text.push_str(&format!("; other {}", fields(&candidate.differs)));
    }
    text
}

/// A refused change that waits for its next try, or until either side moves.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SetAside {
    pub attempts: u32,
    pub next_try_ms: i64,
}

impl From<&QuarantineRow> for SetAside {
    fn from(row: &QuarantineRow) -> Self {
        SetAside { attempts: row.attempts, next_try_ms: row.next_try_ms }
    }
}

impl SetAside {
    fn in_words(self, look: &Look) -> String {
        let tries = count(usize::try_from(self.attempts).unwrap_or_default(), "time", "times");
        format!("tried {tries}; again at {}, or when either side changes", look.time(self.next_try_ms))
    }
}

/// A conflict as scripts read it.
#[derive(Debug, Serialize)]
pub struct ConflictView {
    pub id: ConflictId,
    #[serde(skip)]
    pub directory: DirectoryId,
    pub server: String,
    pub state: ConflictState,
    /// What a human answered, where it has not taken effect yet.
    pub answer: Option<Answer>,
    /// When the refused change is tried again, where it waits for that.
    pub set_aside: Option<SetAside>,
    pub first_seen_ms: i64,
    pub last_seen_ms: i64,
    pub count: i64,
    #[serde(flatten)]
    pub conflict: Conflict,
}

impl ConflictView {
    pub fn new(
        server: String,
        row: ConflictRow,
        answer: Option<Answer>,
        set_aside: Option<SetAside>,
    ) -> Self {
        ConflictView {
            id: row.id,
            directory: row.directory,
            server,
            state: row.state,
            answer,
            set_aside,
            first_seen_ms: row.first_seen_ms,
            last_seen_ms: row.last_seen_ms,
            count: row.count,
            conflict: row.conflict,
        }
    }

    /// What a list says beside the conflict itself.
    fn notes(&self, look: &Look) -> Vec<String> {
        let answer = self.answer.as_ref().map(|answer| format!("answered: {}", answer_in_words(answer)));
        answer.into_iter().chain(self.set_aside.map(|set_aside| set_aside.in_words(look))).collect()
    }

    fn standing(&self) -> Option<String> {
        let answer = self.answer.as_ref()?;
        Some(match self.state {
            ConflictState::Silenced => format!("left by an administrator ({})", answer_in_words(answer)),
            _ => format!("answered ({}); takes effect at the next synchronisation", answer_in_words(answer)),
        })
    }
}

impl View for ConflictView {
    fn write(&self, page: &mut Page) {
        page.title(format!("Conflict {} of server {}", self.id, self.server));
        explain(page, Some(self.id.0), &self.conflict);
        page.gap();
        let times = format!(
            "{}, last {}, in {}",
            page.look.time(self.first_seen_ms),
            page.look.time(self.last_seen_ms),
            count(usize::try_from(self.count).unwrap_or_default(), "run", "runs")
        );
        let mut facts = vec![
            ("first seen", times.into()),
            ("refused by", words::refused_by(self.conflict.refused_by).into()),
            ("person", self.conflict.person.to_string().into()),
        ];
        if let Some(employee) = self.conflict.employee {
            facts.push(("employee", employee.to_string().into()));
        }
        if let Some(set_aside) = self.set_aside {
            facts.push(("set aside", set_aside.in_words(&page.look).into()));
        }
        if let Some(standing) = self.standing() {
            facts.push(("answer", Cell::new(standing, Ink::Good)));
        }
        page.facts(facts);
        if self.answer.is_some() {
            page.gap();
            page.say("To take the answer back:", Ink::Plain);
            page.command(2, &format!("rollcall conflicts resolve {} --ask-again", self.id));
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Conflicts {
    pub conflicts: Vec<ConflictView>,
}

impl View for Conflicts {
    fn write(&self, page: &mut Page) {
        if self.conflicts.is_empty() {
            return page.say("No conflicts.", Ink::Good);
        }
        let (left, open): (Vec<_>, Vec<_>) =
            self.conflicts.iter().partition(|row| row.state == ConflictState::Silenced);
        for server in servers(&open) {
            let of_server = open.iter().filter(|row| row.server == server);
            page.title(format!("Conflicts of server {server}"));
            let look = page.look.clone();
            list(page, of_server.map(|row| (Some(row.id.0), &row.conflict, row.notes(&look))));
        }
        if !left.is_empty() {
            page.title("Left as they are");
            let look = page.look.clone();
            list(page, left.iter().map(|row| (Some(row.id.0), &row.conflict, row.notes(&look))));
        }
        let answered = open.iter().filter(|row| row.answer.is_some()).count();
        page.gap();
        if answered > 0 {
            page.say(format!("{answered} answered: takes effect at the next synchronisation."), Ink::Good);
        }
        page.say("What can be done about one: rollcall conflicts show ID", Ink::Dim);
    }
}

/// Their servers, each once, in order.
fn servers<'a>(rows: &[&'a ConflictView]) -> BTreeSet<&'a str> {
    rows.iter().map(|row| row.server.as_str()).collect()
}

/// What became of an answer, a retry or a clearing.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Settled {
    Resolved {
        resolved: Vec<Answered>,
    },
    AskedAgain {
        asked_again: Vec<i64>,
    },
    Retried {
        retried: i64,
        /// Whether a refused change was waiting for its next try.
        waiting: bool,
    },
    RetriedPerson {
        person: PersonId,
        name: String,
        /// How many refused changes were waiting for their next try.
        lifted: usize,
    },
    Cleared {
        cleared: u64,
    },
}

#[derive(Debug, Serialize)]
pub struct Answered {
    pub conflict: i64,
    #[serde(flatten)]
    pub answer: Answer,
}

impl View for Settled {
    fn write(&self, page: &mut Page) {
        const THEN: &str = "at the next synchronisation";
        let mut say = |text: String| page.say(text, Ink::Plain);
        match self {
            Settled::Resolved { resolved } => {
                for Answered { conflict, answer } in resolved {
                    say(match answer {
                        Answer::LeaveAsIs => {
                            format!(
                                "Conflict {conflict}: both sides stay as they are until one of them changes."
                            )
                        }
                        Answer::LeaveOut => {
                            format!("Conflict {conflict}: left out until you say --ask-again.")
                        }
                        answer => format!("Conflict {conflict}: {} {THEN}.", answer_in_words(answer)),
                    });
                }
            }
            Settled::AskedAgain { asked_again } => {
                asked_again.iter().for_each(|id| say(format!("Conflict {id}: asked again {THEN}.")));
            }
            Settled::Retried { retried, waiting: true } => {
                say(format!("Conflict {retried}: tried again {THEN}."));
            }
            Settled::Retried { retried, waiting: false } => {
                say(format!(
                    "Conflict {retried}: nothing was waiting; the next synchronisation looks at it anyway."
                ));
            }
            Settled::RetriedPerson { name, lifted: 0, .. } => {
                say(format!("{name}: nothing was waiting; the next synchronisation looks at them anyway."));
            }
            Settled::RetriedPerson { name, lifted, .. } => {
                let changes = count(*lifted, "refused change is", "refused changes are");
                say(format!("{name}: {changes} tried again {THEN}."));
            }
            Settled::Cleared { cleared } => {
                let rows = count(usize::try_from(*cleared).unwrap_or_default(), "conflict", "conflicts");
                say(format!("{rows} removed. No data was changed; what still stands returns {THEN}."));
            }
        }
    }
}

pub fn answer_in_words(answer: &Answer) -> String {
    match answer {
        Answer::UseDirectory => "take the directory's value".to_owned(),
        Answer::UsePbx => "take the PBX's value".to_owned(),
        Answer::Employee { id } => format!("it is employee {id}"),
        Answer::NotThese { ids } => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            format!("it is not employee {}", ids.join(" or "))
        }
        Answer::NewEmployee => "create a new employee".to_owned(),
        Answer::Relink => "the same employee after all".to_owned(),
        Answer::Number { number, keep_in_pbx: false } => format!("give number {number}"),
        Answer::Number { number, keep_in_pbx: true } => format!("give number {number} in the PBX only"),
        Answer::LeaveOut => "leave this person out".to_owned(),
        Answer::LeaveAsIs => "leave both sides as they are".to_owned(),
    }
}
