//! Steps of the journal in the words of a page.

use crate::cli::journal::Written;
use crate::cli::words::meaning;
use crate::cycle::StepRef;
use crate::web::render::Page;
use crate::web::visit::encoded;
use reconcile::merge::Cause;
use reconcile::{Field, LeftReason, PersonId};
use store::{RunId, Side, State};

/// A line of a journal as it is shown.
pub struct StepLine {
    pub at_ms: i64,
    pub run: i64,
    pub step: i64,
    /// Whose step it is, where that is not plain already.
    pub who: Option<Who>,
    pub what: String,
    /// Where it was written; nowhere, if it is about our own memory.
    pub side: Option<&'static str>,
    pub before: Option<String>,
    pub after: Option<String>,
    pub cause: String,
    pub state: String,
    pub tone: &'static str,
    /// Whether there is something to undo.
    pub is_done: bool,
}

pub struct Who {
    pub name: String,
    pub href: String,
}

impl StepLine {
    pub fn of(p: &Page, written: Written, who: Option<Who>) -> Self {
        let is_field = written.what.parse::<Field>().is_ok();
        let set = if is_field { "field" } else { "step-what" };
        let is_secret = written.what.parse() == Ok(Field::SipPassword);
        let value = |value: Option<String>| if is_secret { value.map(|_| p.t("value-set")) } else { value };
        let side = meaning::<Side>(&written.side).filter(|side| *side != Side::Rollcall);
        StepLine {
            is_done: written.is_done(),
            at_ms: written.at_ms,
            run: written.run,
            step: written.step,
            who,
            what: p.word(set, &written.what),
            side: side.map(Side::as_str),
            cause: cause(p, &written.cause),
            state: p.word("step-state", &written.state),
            tone: match meaning::<State>(&written.state) {
                Some(State::Done) => "good",
                Some(State::Refused) => "bad",
                Some(State::Intended | State::Unknown) => "warn",
                Some(State::Undone) | None => "",
            },
            before: value(written.before),
            after: value(written.after),
        }
    }
}

/// Causes are words of closed sets, or else a sentence of the run.
fn cause(p: &Page, text: &str) -> String {
    if let Some(cause) = meaning::<Cause>(text) {
        return p.named("cause", &cause);
    }
    if let Some(reason) = meaning::<LeftReason>(text) {
        return p.named("state", &reason);
    }
    match StepRef::undone_by(text) {
        Some(step) => p.lang.say("cause-undo-of", &[("step", step.seq.into()), ("run", step.run.0.into())]),
        None => p.told(text),
    }
}

/// Where the steps of one person in a run are shown.
pub fn of_person(run: RunId, person: &PersonId) -> String {
    format!("/history/{run}/steps?person={}", encoded(person.as_str()))
}
