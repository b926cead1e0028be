//! The directory side of one person's writes: one modify with its
//! preconditions, and what the directory says afterwards.

use super::outcome::NotSent;
use super::write_pbx::{differs, target};
use super::{Apply, Done};
use crate::cycle::report::{ChangeReport, ChangeResult, Side};
use crate::limits;
use anyhow::Result;
use directory::{Content, Kind, Outcome, Write};
use pbx::PhotoAnswer;
use reconcile::merge::Cause;
use reconcile::plan::{Action, Change};
use reconcile::{
    Conflict, ConflictKind, EmployeeId, Field, Link, Person, Reading, RefusedBy, Value, WayOut, canonical,
};
use secrecy::ExposeSecret;
use store::{Picture, PictureId, QuarantineRow, State};

impl Apply<'_> {
    pub(super) async fn write_directory(
        &self,
        action: &Action,
        employee: EmployeeId,
        link: &mut Link,
        done: &mut Done,
    ) -> Result<()> {
        if action.directory.is_empty() {
            return Ok(());
        }
        if let Some(why) = self.stopped() {
            self.not_tried(Side::Directory, &action.directory, &why, done);
            return Ok(());
        }
        let mut writes = Vec::new();
        let mut sent = Vec::new();
        for change in &action.directory {
            match self.directory_content(action, employee, change).await {
                Ok(after) => {
                    writes.push(Write { field: change.field, before: change.before.clone(), after });
                    sent.push(change.clone());
                }
                Err(why) => self.not_sent(action, Side::Directory, change, why, done),
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        let kept = self.keep_directory_picture(action, &sent).await?;
        let rows = self.intend(action, Some(employee), store::Side::Directory, &sent, kept).await?;
        let report = self.directory.lock().await.write(&target(action), &writes).await;
        let mut stored_any = false;
        for (change, row) in sent.iter().zip(rows) {
            let outcome = report.outcomes.iter().find(|(field, _)| *field == change.field);
            match outcome.map(|(_, outcome)| outcome) {
                Some(Outcome::Stored(reading)) => {
                    let write = writes.iter().find(|write| write.field == change.field);
                    let stored = write
                        .and_then(|write| overtaken_picture(write, reading))
                        .or_else(|| stored_value(reading, change));
                    // What is left after a clear did not come from us.
                    let ours = stored.clone().filter(|_| change.after.is_some());
                    self.stored(action, store::Side::Directory, change, row, &ours, done).await?;
                    let note = differs(change, stored.as_ref(), "directory");
                    done.note(Side::Directory, change, ChangeResult::Done, note);
                    done.lifted.push((action.person.clone(), Some(change.field)));
                    self.agree_written(link, Side::Directory, change, stored);
                    stored_any = true;
                }
                Some(Outcome::Stale(_)) => {
                    self.settle(row, State::Refused, None, None).await?;
                    let why = "it changed in the directory meanwhile: the next run compares it again";
                    done.note(Side::Directory, change, ChangeResult::Moved, Some(why.to_owned()));
                }
                Some(Outcome::Refused(refusal)) => {
                    self.settle(row, State::Refused, None, None).await?;
                    let why = refusal.to_string();
                    match refusal.code {
                        _ if refusal.is_passing() => self.failed(Side::Directory, change, &why, done),
                        Some(_) => self.refused_there(action, Side::Directory, change, &why, done),
                        None => self.refused_here(action, Side::Directory, change, &why, done),
                    }
                }
                Some(Outcome::Gone(error)) => {
                    self.settle(row, State::Refused, None, None).await?;
                    let why = self.directory_failed(error.clone()).to_string();
                    self.failed(Side::Directory, change, &why, done);
                }
                Some(Outcome::Unknown(why)) => {
                    self.settle(row, State::Unknown, None, None).await?;
                    done.note(Side::Directory, change, ChangeResult::Unknown, Some(why.clone()));
                    done.fail(format!(
                        "nobody knows whether the directory took it: {why}. The next run looks"
                    ));
                }
                None => {
                    self.settle(row, State::Refused, None, None).await?;
                    done.note(Side::Directory, change, ChangeResult::Refused, None);
                }
            }
        }
        done.directory_writes += u32::from(stored_any);
        if let Some(person) = &report.person {
            self.seen_after(link, person, done);
        }
        Ok(())
    }

    /// Our own write moved the entry's mark, and a mark that moved is what
    /// proves absence: every sight takes the new one along if its value was
    /// there afterwards. What nobody looked at proves nothing until it is seen;
    /// what was stored and is gone again keeps the old mark, and is absent.
    fn seen_after(&self, link: &mut Link, person: &Person, done: &Done) {
        for field in Field::ALL {
            let Some(sight) = &mut link.directory[field] else { continue };
            let Some(value) = &sight.value else { continue };
            let stored = |change: &ChangeReport| {
                change.side == Side::Directory && change.field == field && change.result == ChangeResult::Done
            };
            let reading = &person.fields[field];
            let is_there = reading.values().contains(value);
            let is_ours = done.changes.iter().any(stored);
            if is_there || is_ours && matches!(reading, Reading::NotLooked) {
                sight.mark.clone_from(&person.mark);
            } else if !is_ours && !self.world.dates_attributes {
                sight.mark = None;
            }
        }
    }

    /// What is sent for a change. Secrets and pictures are fetched here.
    async fn directory_content(
        &self,
        action: &Action,
        employee: EmployeeId,
        change: &Change,
    ) -> Result<Option<Content>, NotSent> {
        let Some(after) = &change.after else { return Ok(None) };
        Ok(Some(match change.field {
            Field::Photo if change.cause == Cause::Undo => {
                Content::Photo(self.kept_picture(action, store::Side::Directory, change).await?)
            }
            Field::Photo => {
                let PhotoAnswer::Picture { bytes, reading, .. } = self.pbx.photo(employee, None).await?
                else {
                    return Err(NotSent::Moved("PBX"));
                };
                if !reading.values().iter().any(|now| now.equivalent(after)) {
                    return Err(NotSent::Moved("PBX"));
                }
                let max = match self.directory.lock().await.settings().kind {
                    Kind::ActiveDirectory => limits::AD_PHOTO_BYTES_MAX,
                    Kind::OpenLdap | Kind::Ds389 | Kind::FreeIpa => limits::PBX_PHOTO_BYTES_MAX,
                };
                Content::Photo(picture::fit(bytes.to_vec(), max).map_err(NotSent::unfit)?)
            }
            Field::SipPassword => {
                let secret = self.pbx.secret(employee).await?;
                let now = self.app.store.fingerprinter().secret(secret.expose_secret().as_bytes());
                let generated = after.canonical() == reconcile::plan::GENERATED;
                if !generated && now.is_ok_and(|now| now.canonical() != after.canonical()) {
                    return Err(NotSent::Moved("PBX"));
                }
                Content::Secret(secret)
            }
            Field::Name | Field::Extension | Field::Mobile | Field::Email => {
                Content::Text(after.raw().to_owned())
            }
        }))
    }

    async fn keep_directory_picture(&self, action: &Action, sent: &[Change]) -> Result<Option<PictureId>> {
        let overwritten = sent.iter().find(|change| change.field == Field::Photo);
        let Some(before) = overwritten.and_then(|change| change.before.as_ref()) else { return Ok(None) };
        let bytes = self.directory.lock().await.photo_bytes(&target(action), before).await;
        let Ok(Some(bytes)) = bytes else { return Ok(None) };
        let picture = Picture {
            directory: self.row.id,
            person: action.person.clone(),
            taken_ms: self.app.clock.now_ms(),
            bytes,
        };
        Ok(Some(self.app.store.keep_picture(&picture).await?))
    }

    /// A change that was not made for a reason that has nothing to do with it:
    /// no conflict, the next run tries again.
    pub(super) fn failed(&self, side: Side, change: &Change, why: &str, done: &mut Done) {
        done.note(side, change, ChangeResult::Refused, Some(why.to_owned()));
        done.fail(why.to_owned());
    }

    /// An error of the directory. One that is gone would fail for everybody
    /// who is left, after a wait each.
    pub(super) fn directory_failed(&self, error: directory::Error) -> anyhow::Error {
        if error.is_gone() {
            self.stop(&format!("the directory is gone: {error}"));
        }
        error.into()
    }

    /// A change whose value could not be had, or not be sent.
    pub(super) fn not_sent(
        &self,
        action: &Action,
        side: Side,
        change: &Change,
        why: NotSent,
        done: &mut Done,
    ) {
        match why {
            NotSent::Moved(in_the) => {
                let note = format!("it changed in the {in_the} meanwhile: the next run compares it again");
                done.note(side, change, ChangeResult::Moved, Some(note));
            }
            NotSent::Unfit(why) => self.refused_here(action, side, change, &why, done),
            NotSent::Failed(error) => match error.downcast_ref() {
                // What the PBX cannot give for this employee now, it cannot the next time.
                Some(pbx::Error::BadAnswer { .. } | pbx::Error::TooLarge { .. }) => {
                    self.refused(action, side, change, &error.to_string(), RefusedBy::Pbx, done);
                }
                _ => self.failed(side, change, &error.to_string(), done),
            },
        }
    }

    /// A change that could not be sent at all.
    pub(super) fn refused_here(
        &self,
        action: &Action,
        side: Side,
        change: &Change,
        why: &str,
        done: &mut Done,
    ) {
        self.refused(action, side, change, why, RefusedBy::Rollcall, done);
    }

    /// A change that one side refused: a conflict of its field, set aside.
    pub(super) fn refused_there(
        &self,
        action: &Action,
        side: Side,
        change: &Change,
        why: &str,
        done: &mut Done,
    ) {
        let by = match side {
            Side::Pbx => RefusedBy::Pbx,
            Side::Directory => RefusedBy::Directory,
        };
        self.refused(action, side, change, why, by, done);
    }

    fn refused(
        &self,
        action: &Action,
        side: Side,
        change: &Change,
        why: &str,
        refused_by: RefusedBy,
        done: &mut Done,
    ) {
        done.note(side, change, ChangeResult::Refused, Some(why.to_owned()));
        // An undo is not tried again by itself: it is listed, and that is all.
        if change.cause == Cause::Undo {
            return;
        }
        let field = change.field;
        let nothing = Reading::Empty;
        let person = self.people.get(action.person.as_str());
        let employee = done.employee.and_then(|id| self.employees.get(&id));
        let theirs = person.map_or(&nothing, |person| &person.fields[field]);
        let ours = employee.map_or(&nothing, |employee| &employee.fields[field]);
        let raw = |value: &Option<Value>| value.as_ref().map(|value| value.raw().to_owned());
        let (directory_value, pbx_value) = match side {
            Side::Pbx => (raw(&change.after), raw(&change.before)),
            Side::Directory => (raw(&change.before), raw(&change.after)),
        };
        let conflict = Conflict {
            person: action.person.clone(),
            employee: done.employee,
            kind: ConflictKind::Refused,
            field: Some(field),
            name: action.name.to_string(),
            refused_by,
            directory_value,
            pbx_value,
            reason: format!("{field}: {why}"),
            ways_out: vec![WayOut::Retry, WayOut::LeaveAsIs],
            candidates: Vec::new(),
            stands_on: reconcile::plan::field_stands_on(field, theirs, ours),
        };
        self.set_aside(Some(field), conflict, done);
    }

    /// Remembers a refusal with its next try.
    pub(super) fn set_aside(&self, field: Option<Field>, conflict: Conflict, done: &mut Done) {
        let before = self.refused_before.get(&(conflict.person.clone(), field));
        let again = before.filter(|row| row.stands_on == conflict.stands_on);
        let attempts = again.map_or(0, |row| row.attempts) + 1;
        let wait_ms = limits::RETRY_FIRST_MS << (attempts - 1).min(16);
        done.set_aside.push(QuarantineRow {
            person: conflict.person.clone(),
            field,
            attempts,
            next_try_ms: self.world.now_ms + wait_ms.min(limits::RETRY_MAX_MS),
            stands_on: conflict.stands_on.clone(),
            conflict: conflict.clone(),
        });
        done.conflicts.push(conflict);
    }
}

/// The picture that was sent, where another one stands now. A directory stores
/// pictures byte by byte: the other one was put there since, and is an edit.
fn overtaken_picture(write: &Write, reading: &Reading) -> Option<Value> {
    let Some(Content::Photo(bytes)) = &write.after else { return None };
    let sent = canonical::photo(bytes).ok()?;
    let another_one = !reading.values().is_empty() && !reading.values().contains(&sent);
    another_one.then_some(sent)
}

/// Of several values the one that was written is the person's; where one was
/// cleared, what is left stands there now, and did not come to stand there.
fn stored_value(reading: &Reading, change: &Change) -> Option<Value> {
    let values = reading.values();
    let ours = change.after.as_ref().and_then(|sent| values.iter().find(|value| value.equivalent(sent)));
    ours.or_else(|| values.first()).cloned()
}
