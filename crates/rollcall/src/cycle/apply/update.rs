//! One person who has an employee: the link step, the writes of both sides,
//! and the agreement they come to.

use super::{Apply, Done, written};
use crate::cycle::report::{ChangeResult, Side};
use anyhow::Result;
use reconcile::merge::Cause;
use reconcile::plan::{Action, Agreement, Change, LinkStep};
use reconcile::{EmployeeId, Field, Link, LinkState, Pair, PersonId, Value};
use store::{By, What};

/// Why somebody is joined with the employee made for them.
const FOUND_AGAIN: &str = "made by an earlier run that ended before it could say so";

impl Apply<'_> {
    pub(super) async fn update(&self, action: &Action, done: &mut Done) -> Result<()> {
        let Some(employee) = action.employee else { return Ok(()) };
        if matches!(action.link, Some(LinkStep::Unlink)) {
            return self.unlink(action, employee, done).await;
        }
        let mut end: Vec<PersonId> = Vec::new();
        let Some(mut link) = self.stepped(action, employee, &mut end) else { return Ok(()) };
        self.forget_answers(action).await?;
        for agreement in &action.agree {
            agree(&mut link, agreement);
        }
        let mut kept = self.kept.get(action.person.as_str()).map(|link| (*link).clone());
        if action.link.is_some() || !action.agree.is_empty() {
            self.app.store.agree(By::Run(self.running.id), &end, std::slice::from_ref(&link)).await?;
            kept = Some(link.clone());
        }
        let parts = matches!(action.link, Some(LinkStep::Part));
        if let Some(step) = action.link.as_ref().filter(|_| !parts) {
            self.journal_step(action, step).await?;
            self.joined_again(action).await?;
            done.linked = true;
        }
        self.write_pbx(action, employee, &mut link, done).await?;
        self.write_directory(action, employee, &mut link, done).await?;
        // What was seen is remembered even where every write was refused.
        if kept.as_ref() != Some(&link) {
            self.app.store.agree(By::Run(self.running.id), &[], std::slice::from_ref(&link)).await?;
        }
        self.settle_undone(done).await?;
        if parts { self.part(action, employee, done).await } else { Ok(()) }
    }

    /// The link after the action's step, before any write.
    fn stepped(&self, action: &Action, employee: EmployeeId, end: &mut Vec<PersonId>) -> Option<Link> {
        let known = self.links.get(action.person.as_str()).cloned();
        let fresh = || Some(self.new_link(self.people.get(action.person.as_str())?, employee));
        let now_ms = self.world.now_ms;
        let mut link = match &action.link {
            Some(LinkStep::Join { left, .. }) => {
                let mut link = fresh()?;
                if let Some(reason) = left {
                    link.state = LinkState::Left { reason: *reason, since_ms: now_ms };
                }
                link
            }
            Some(LinkStep::Relink { from }) => {
                end.push(from.clone());
                fresh()?
            }
            _ => known?,
        };
        if let Some(step) = &action.link {
            link.take(step, now_ms);
        }
        Some(link)
    }

    async fn unlink(&self, action: &Action, employee: EmployeeId, done: &mut Done) -> Result<()> {
        let number = self.links.get(action.person.as_str()).and_then(|link| {
            link.pbx[Field::Extension].as_ref()?.value.as_ref().map(|value| value.canonical().to_owned())
        });
        // First the number: once the link is gone nobody knows that it had one.
        if let Some(number) = number {
            self.app.store.release_number(self.row.pbx, &number, self.world.now_ms).await?;
        }
        self.app.store.agree(By::Run(self.running.id), std::slice::from_ref(&action.person), &[]).await?;
        self.journal_step(action, &LinkStep::Unlink).await?;
        done.employee = Some(employee);
        done.linked = true;
        Ok(())
    }

    async fn journal_step(&self, action: &Action, step: &LinkStep) -> Result<()> {
        let (what, cause) = match step {
            LinkStep::Join { by, decided: false, .. } => {
                let keys: Vec<&str> = by.iter().map(|field| field.as_str()).collect();
                (What::Join, format!("matched by {}", keys.join(", ")))
            }
            LinkStep::Join { decided: true, .. } | LinkStep::Relink { .. } => {
                let found_again = self.late.contains_key(action.person.as_str());
                let why = if found_again { FOUND_AGAIN } else { "an administrator decided so" };
                (What::Join, self.join_cause(action).unwrap_or_else(|| why.to_owned()))
            }
            LinkStep::Leave { reason } => (What::Leave, word(reason)),
            LinkStep::Return { was } => (What::Return, format!("was {}", word(was))),
            LinkStep::Unlink => (What::Unlink, "the employee was deleted in the PBX".to_owned()),
            LinkStep::Rest => (What::Leave, "the employee looks like somebody else".to_owned()),
            LinkStep::Wake => (What::Return, "it is the same employee after all".to_owned()),
            LinkStep::Create { .. } | LinkStep::Part => return Ok(()),
        };
        self.note_step(action, what, &cause).await
    }

    /// Moves the pair of a field after one side stored `stored`. What an undo
    /// wrote is held: it is meant to differ.
    pub(super) fn agree_written(&self, link: &mut Link, side: Side, change: &Change, stored: Option<Value>) {
        let field = change.field;
        let now_ms = self.app.clock.now_ms();
        let seen = |sight: &Option<reconcile::Sight>| sight.as_ref().and_then(|sight| sight.value.clone());
        let (sights, other) = match side {
            Side::Pbx => (&mut link.pbx, seen(&link.directory[field])),
            Side::Directory => (&mut link.directory, seen(&link.pbx[field])),
        };
        sights[field] = Some(written(stored.clone(), now_ms, sights[field].as_ref()));
        let (directory, pbx) = match side {
            Side::Pbx => (other, stored),
            Side::Directory => (stored, other),
        };
        link.pairs[field] = Some(match change.cause {
            Cause::Undo => Pair::left(directory, pbx),
            _ => Pair { directory, pbx, held: false },
        });
    }

    /// Says of every change that it was not tried.
    pub(super) fn not_tried(&self, side: Side, changes: &[Change], why: &str, done: &mut Done) {
        for change in changes {
            done.note(side, change, ChangeResult::Refused, Some(format!("not tried: {why}")));
        }
        done.fail(why.to_owned());
    }
}

fn agree(link: &mut Link, agreement: &Agreement) {
    link.pairs[agreement.field] = Some(Pair {
        directory: agreement.directory.clone(),
        pbx: agreement.pbx.clone(),
        held: agreement.held,
    });
}

fn word(reason: &reconcile::LeftReason) -> String {
    serde_json::to_value(reason).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
