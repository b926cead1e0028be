//! Steps of the journal as people and scripts read them.

use super::output::{Cell, Ink, shown};
use super::words;
use reconcile::Field;
use reconcile::merge::Cause;
use serde::Serialize;
use serde_json::Value as Json;
use store::{JournalRow, Side, State};

/// A step of the journal.
#[derive(Debug, Serialize)]
pub struct Written {
    pub at_ms: i64,
    pub run: i64,
    /// Its number in the run: `undo RUN --step` takes it.
    pub step: i64,
    pub side: String,
    pub what: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub cause: String,
    pub state: String,
}

impl From<JournalRow> for Written {
    fn from(row: JournalRow) -> Self {
        // A journal keeps a secret's fingerprint; it tells nobody anything.
        let secret = row.what == store::What::Field(Field::SipPassword);
        let text = |value: Json| match value {
            Json::Null => None,
            _ if secret => Some("set".to_owned()),
            Json::String(text) => Some(text),
            Json::Object(value) => value.get("raw").and_then(Json::as_str).map(str::to_owned),
            other => Some(other.to_string()),
        };
        Written {
            at_ms: row.at_ms,
            run: row.run.0,
            step: row.seq,
            side: words::word(row.side),
            what: row.what.to_string(),
            before: text(row.before),
            after: text(row.after),
            cause: row.cause,
            state: words::word(row.state),
        }
    }
}

impl Written {
    pub fn is_done(&self) -> bool {
        self.state == State::Done.as_str()
    }

    /// `PBX mobile: 7926… → 7927…`.
    pub fn what_cell(&self) -> Cell {
        let side = match words::meaning(&self.side) {
            Some(Side::Pbx) => "PBX ",
            Some(Side::Directory) => "directory ",
            Some(Side::Rollcall) | None => "",
        };
        let values = match (&self.before, &self.after) {
            (None, None) => String::new(),
            (before, after) => format!(": {} → {}", shown(before.as_deref()), shown(after.as_deref())),
        };
        format!("{side}{}{values}", self.what).into()
    }

    pub fn cause_cell(&self) -> Cell {
        match words::meaning::<Cause>(&self.cause) {
            Some(cause) => words::cause(cause).into(),
            None => self.cause.clone().into(),
        }
    }

    pub fn state_cell(&self) -> Cell {
        Cell::new(&self.state, if self.is_done() { Ink::Plain } else { Ink::Warn })
    }
}
