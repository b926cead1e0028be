//! What is special about the writes of an undo: where a picture comes from, what
//! they leave behind, and in which order it is remembered.
//!
//! Whenever the process dies, the next run finds the undone value either held
//! or its step unfinished, which makes it held (see `reconcile::unfinished`).
//! So a step is settled last, behind the agreement; and what forbids the next
//! run to do it all again is remembered before the link ends.

use super::outcome::NotSent;
use super::{Apply, Done};
use crate::cycle::report::ChangeResult;
use crate::cycle::step::StepRef;
use crate::cycle::undo::{Target, Undo};
use anyhow::Result;
use reconcile::merge::Cause;
use reconcile::plan::{Action, Change};
use reconcile::{ConflictKind, EmployeeId, Value};
use store::{By, JournalRow, Side, State, What};

/// A step of an undo that is written but not yet settled.
#[derive(Clone, Debug)]
pub struct Unsettled {
    row: i64,
    stored: Option<Value>,
    undid: StepRef,
}

impl<'a> Apply<'a> {
    /// Says that what is carried out is an undo.
    pub fn undoing(mut self, undo: Option<&'a Undo>) -> Self {
        self.undo = undo;
        self
    }

    fn target(&self, action: &Action, side: Side, what: What) -> Option<Target> {
        self.undo?.target(&action.person, side, what)
    }

    /// What a change is written for, as the journal says it.
    pub(super) fn cause(&self, action: &Action, side: Side, change: &Change) -> String {
        let target = self.target(action, side, What::Field(change.field));
        match target.filter(|_| change.cause == Cause::Undo) {
            Some(target) => target.step.as_cause(),
            None => {
                let word = serde_json::to_value(change.cause).ok();
                word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
            }
        }
    }

    /// The picture that was overwritten, to the byte.
    pub(super) async fn kept_picture(
        &self,
        action: &Action,
        side: Side,
        change: &Change,
    ) -> Result<Vec<u8>, NotSent> {
        let gone = || NotSent::Unfit("the picture that was there before is not kept any more".to_owned());
        let target = self.target(action, side, What::Field(change.field)).ok_or_else(gone)?;
        let picture = self.app.store.picture(target.picture.ok_or_else(gone)?).await?;
        Ok(picture.ok_or_else(gone)?.bytes)
    }

    /// Settles a write that was stored. One of an undo waits for its agreement.
    pub(super) async fn stored(
        &self,
        action: &Action,
        side: Side,
        change: &Change,
        row: i64,
        stored: &Option<Value>,
        done: &mut Done,
    ) -> Result<()> {
        let target = self.target(action, side, What::Field(change.field));
        match target.filter(|_| change.cause == Cause::Undo) {
            Some(Target { step, .. }) => {
                done.unsettled.push(Unsettled { row, stored: stored.clone(), undid: step });
            }
            None => self.settle(row, State::Done, Some(stored), None).await?,
        }
        Ok(())
    }

    /// Settles what waited, after both sides were agreed on it.
    pub(super) async fn settle_undone(&self, done: &mut Done) -> Result<()> {
        for Unsettled { row, stored, undid } in done.unsettled.drain(..) {
            undid.turn(self.app, self.row.id, State::Undone).await?;
            self.settle(row, State::Done, Some(&stored), None).await?;
        }
        Ok(())
    }

    /// Answers that led to what is undone are taken back before it is: a run
    /// that finds them still in force would follow them again.
    pub(super) async fn take_back_answers(&self, action: &Action) -> Result<()> {
        let Some(undo) = self.undo else { return Ok(()) };
        let answers = undo.decisions(&action.person).iter();
        for answer in answers.filter(|answer| answer.kind != ConflictKind::UndoneJoin) {
            self.app.store.put_decision(self.row.id, answer).await?;
        }
        Ok(())
    }

    /// Remembers whom a person is not, or is after all.
    pub(super) async fn remember_joins(&self, action: &Action) -> Result<()> {
        let Some(undo) = self.undo else { return Ok(()) };
        let joins = undo.decisions(&action.person).iter();
        for join in joins.filter(|join| join.kind == ConflictKind::UndoneJoin) {
            self.app.store.put_decision(self.row.id, join).await?;
        }
        Ok(())
    }

    /// Ends the link of an undone join, once its values are back. While one is
    /// not, the link stays: without it nobody could put it back any more.
    pub(super) async fn part(&self, action: &Action, employee: EmployeeId, done: &mut Done) -> Result<()> {
        let Some(Target { step, .. }) = self.target(action, Side::Rollcall, What::Join) else {
            return Ok(());
        };
        if done.changes.iter().any(|change| change.result != ChangeResult::Done) {
            return Ok(());
        }
        self.remember_joins(action).await?;
        let row = JournalRow {
            cause: step.as_cause(),
            ..self.row_of(action, Some(employee), Side::Rollcall, What::Unlink)
        };
        self.journal(std::slice::from_ref(&row)).await?;
        self.app.store.agree(By::Run(self.running.id), std::slice::from_ref(&action.person), &[]).await?;
        step.turn(self.app, self.row.id, State::Undone).await?;
        self.settle(row.seq, State::Done, None, None).await?;
        done.linked = true;
        Ok(())
    }

    /// After a join that undoes the end of a link.
    pub(super) async fn joined_again(&self, action: &Action) -> Result<()> {
        let Some(Target { step, .. }) = self.target(action, Side::Rollcall, What::Unlink) else {
            return Ok(());
        };
        self.remember_joins(action).await?;
        step.turn(self.app, self.row.id, State::Undone).await
    }

    /// The cause of a join that undoes the end of a link.
    pub(super) fn join_cause(&self, action: &Action) -> Option<String> {
        Some(self.target(action, Side::Rollcall, What::Unlink)?.step.as_cause())
    }
}
