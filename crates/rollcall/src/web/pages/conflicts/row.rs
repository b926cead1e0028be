//! One conflict as a row: why in a sentence, and what each way out is called.

use crate::cli::conflicts::view::ConflictView;
use crate::web::lang::Arg;
use crate::web::render::Page;
use reconcile::{Answer, Candidate, Conflict, ConflictKind, RefusedBy, WayOut};
use store::ConflictState;

/// A way out that needs nothing but a click.
#[derive(Debug, PartialEq, Eq)]
pub struct Button {
    pub answer: &'static str,
    pub text: String,
}

#[derive(Debug)]
pub struct Row {
    pub view: ConflictView,
    pub why: String,
    pub buttons: Vec<Button>,
    pub picks: Vec<Pick>,
    pub gives_number: bool,
    /// Whether a number may also stay out of the domain.
    pub keeps: bool,
    /// The answer given so far, and what becomes of it.
    pub answered: Option<String>,
}

/// An employee who may be the person.
#[derive(Debug)]
pub struct Pick {
    pub id: u64,
    pub text: String,
    pub agrees: String,
    pub differs: String,
}

impl Row {
    pub fn of(p: &Page, view: ConflictView, keeps: bool) -> Self {
        let conflict = &view.conflict;
        let picks = match picks_one(conflict) {
            true => conflict.candidates.iter().map(|one| Pick::of(p, one)).collect(),
            false => Vec::new(),
        };
        Row {
            why: why(p, conflict),
            buttons: buttons(p, conflict),
            picks,
            gives_number: conflict.ways_out.contains(&WayOut::GiveNumber),
            keeps,
            answered: view.answer.as_ref().map(|answer| standing(p, answer, view.state)),
            view,
        }
    }

    pub fn is_refusal(&self) -> bool {
        self.view.conflict.refused_by != RefusedBy::Rollcall
    }

    /// Something stands behind the sentence: the words of whoever refused.
    pub fn whose_words(&self) -> &'static str {
        match self.view.conflict.refused_by {
            RefusedBy::Rollcall => "conflict-words-rollcall",
            RefusedBy::Directory => "conflict-words-directory",
            RefusedBy::Pbx => "conflict-words-pbx",
        }
    }
}

impl Pick {
    fn of(p: &Page, one: &Candidate) -> Self {
        let fields = |fields: &[reconcile::Field]| {
            fields.iter().map(|field| p.word("field", field)).collect::<Vec<_>>().join(", ")
        };
        Pick {
            id: one.employee.0,
            text: format!("{} · {}", one.name, one.extension),
            agrees: fields(&one.agrees),
            differs: fields(&one.differs),
        }
    }
}

/// Of several who may be back, too, somebody has to say which.
fn picks_one(conflict: &Conflict) -> bool {
    let ways = &conflict.ways_out;
    ways.contains(&WayOut::PickEmployee) || (ways.contains(&WayOut::Relink) && conflict.candidates.len() > 1)
}

fn buttons(p: &Page, conflict: &Conflict) -> Vec<Button> {
    let clicks = conflict.ways_out.iter().filter(|way| **way != WayOut::Relink || !picks_one(conflict));
    clicks.filter_map(|way| button(p, *way, conflict.kind)).collect()
}

/// The ways out that any of these offers, without those that name an employee or a number.
pub fn for_many(p: &Page, rows: &[Row]) -> Vec<Button> {
    let mut many: Vec<Button> = Vec::new();
    for row in rows {
        let conflict = &row.view.conflict;
        for button in buttons(p, conflict) {
            if !many.contains(&button) {
                many.push(button);
            }
        }
    }
    many
}

fn button(p: &Page, way: WayOut, kind: ConflictKind) -> Option<Button> {
    let (answer, key) = match (way, kind) {
        (WayOut::UseDirectory, _) => ("use-directory", "way-use-directory"),
        (WayOut::UsePbx, _) => ("use-pbx", "way-use-pbx"),
        (WayOut::NewEmployee, ConflictKind::EmployeeDeleted) => ("new-employee", "way-employee-again"),
        (WayOut::NewEmployee, _) => ("new-employee", "way-new-employee"),
        (WayOut::Relink, ConflictKind::BackUnderNewId) => ("relink", "way-same-human"),
        (WayOut::Relink, _) => ("relink", "way-same-employee"),
        (WayOut::LeaveOut, _) => ("leave-out", "way-leave-out"),
        (WayOut::LeaveAsIs, _) => ("leave-as-is", "way-leave-as-is"),
        (WayOut::Retry, _) => ("retry", "way-retry"),
        (WayOut::PickEmployee | WayOut::GiveNumber, _) => return None,
    };
    Some(Button { answer, text: p.t(key) })
}

/// What happened, in a sentence.
fn why(p: &Page, conflict: &Conflict) -> String {
    let nothing = p.t("conflict-nothing");
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| nothing.clone());
    let (directory, pbx) = (value(&conflict.directory_value), value(&conflict.pbx_value));
    let field = conflict.field.map(|field| p.word("field", field)).unwrap_or_default();
    let key = match (conflict.kind, conflict.field) {
        (ConflictKind::Refused, None) => "conflict-why-refused-whole".to_owned(),
        (kind, _) => format!("conflict-why-{}", kind.as_str()),
    };
    let who = p.named("refused-by", &conflict.refused_by);
    let args: [(&str, Arg<'_>); 6] = [
        ("name", (&conflict.name).into()),
        ("field", (&field).into()),
        ("directory", (&directory).into()),
        ("pbx", (&pbx).into()),
        ("who", (&who).into()),
        ("n", conflict.candidates.len().into()),
    ];
    p.lang.say(&key, &args)
}

fn standing(p: &Page, answer: &Answer, state: ConflictState) -> String {
    let ids = |ids: &[u64]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let text = match answer {
        Answer::UseDirectory => p.t("way-use-directory"),
        Answer::UsePbx => p.t("way-use-pbx"),
        Answer::Employee { id } => p.with("answer-employee", "id", &id.to_string()),
        Answer::NotThese { ids: not } => {
            p.with("answer-not-these", "ids", &ids(&not.iter().map(|id| id.0).collect::<Vec<_>>()))
        }
        Answer::NewEmployee => p.t("way-new-employee"),
        Answer::Relink => p.t("way-same-employee"),
        Answer::Number { number, keep_in_pbx: false } => p.with("answer-number", "number", number),
        Answer::Number { number, keep_in_pbx: true } => p.with("answer-number-pbx", "number", number),
        Answer::LeaveOut => p.t("way-leave-out"),
        Answer::LeaveAsIs => p.t("way-leave-as-is"),
    };
    match state {
        ConflictState::Silenced => p.with("conflict-left", "answer", &text),
        _ => p.with("conflict-answered", "answer", &text),
    }
}
