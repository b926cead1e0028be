//! The journal of writes: a row is there before its effect.

use super::Apply;
use crate::cycle::fence::ran_out;
use anyhow::Result;
use reconcile::plan::{Action, Change};
use reconcile::{EmployeeId, Value};
use serde_json::Value as Json;
use std::sync::atomic::Ordering;
use store::{JournalRow, PictureId, Settlement, Side, State, What};

impl Apply<'_> {
    /// Notes changes of one side as intended; the numbers of their rows.
    pub(super) async fn intend(
        &self,
        action: &Action,
        employee: Option<EmployeeId>,
        side: Side,
        changes: &[Change],
        picture: Option<PictureId>,
    ) -> Result<Vec<i64>> {
        let rows: Vec<JournalRow> = changes
            .iter()
            .map(|change| JournalRow {
                what: What::Field(change.field),
                cause: self.cause(action, side, change),
                before: json(change.before.as_ref()),
                after: json(change.after.as_ref()),
                picture: picture.filter(|_| change.field == reconcile::Field::Photo),
                ..self.row_of(action, employee, side, What::Field(change.field))
            })
            .collect();
        self.journal(&rows).await?;
        Ok(rows.iter().map(|row| row.seq).collect())
    }

    /// Notes something that happened to a link.
    pub(super) async fn note_step(&self, action: &Action, what: What, cause: &str) -> Result<()> {
        let row = JournalRow {
            cause: cause.to_owned(),
            state: State::Done,
            ..self.row_of(action, action.employee, Side::Rollcall, what)
        };
        self.journal(&[row]).await
    }

    /// Every write comes through here before anything is sent: under a lease
    /// that lasts, as the store and the clock see it.
    pub(super) async fn journal(&self, rows: &[JournalRow]) -> Result<()> {
        if !self.running.hold.lasts() {
            self.stop("");
            return Err(ran_out(&self.row.name));
        }
        Ok(self.app.store.journal(rows).await?)
    }

    pub(super) async fn settle(
        &self,
        seq: i64,
        state: State,
        after: Option<&Option<Value>>,
        employee: Option<EmployeeId>,
    ) -> Result<(), store::Error> {
        let settlement = Settlement { state, after: after.map(|value| json(value.as_ref())), employee };
        self.app.store.settle(self.running.id, seq, &settlement).await
    }

    pub(super) fn row_of(
        &self,
        action: &Action,
        employee: Option<EmployeeId>,
        side: Side,
        what: What,
    ) -> JournalRow {
        JournalRow {
            run: self.running.id,
            seq: self.seq.fetch_add(1, Ordering::Relaxed),
            directory: self.row.id,
            at_ms: self.app.clock.now_ms(),
            person: action.person.clone(),
            employee,
            side,
            what,
            cause: String::new(),
            before: Json::Null,
            after: Json::Null,
            state: State::Intended,
            reserved_number: None,
            fingerprint: None,
            picture: None,
        }
    }
}

fn json(value: Option<&Value>) -> Json {
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or(Json::Null)
}
