//! The PBX side of one person's writes: contents fetched at the last moment,
//! one save, and what the PBX made of it.

use super::outcome::NotSent;
use super::{Apply, Done};
use crate::cycle::report::{ChangeResult, Side};
use crate::limits;
use anyhow::Result;
use bytes::Bytes;
use directory::Target;
use pbx::{Error, FieldWrite, PhotoAnswer, Saved};
use reconcile::merge::Cause;
use reconcile::plan::{Action, Change};
use reconcile::{EmployeeId, Field, Link, Reading, Value};
use store::{Picture, PictureId, State};

impl Apply<'_> {
    pub(super) async fn write_pbx(
        &self,
        action: &Action,
        employee: EmployeeId,
        link: &mut Link,
        done: &mut Done,
    ) -> Result<()> {
        if action.pbx.is_empty() {
            return Ok(());
        }
        if let Some(why) = self.stopped() {
            self.not_tried(Side::Pbx, &action.pbx, &why, done);
            return Ok(());
        }
        let mut writes = Vec::new();
        let mut sent = Vec::new();
        for change in &action.pbx {
            match self.pbx_content(action, change).await {
                Ok(content) => {
                    let expected = change.before.clone().map_or(Reading::Empty, Reading::one);
                    writes.push(FieldWrite { change: content, expected });
                    sent.push(change.clone());
                }
                Err(why) => self.not_sent(action, Side::Pbx, change, why, done),
            }
        }
        if writes.is_empty() {
            return Ok(());
        }
        let kept = self.keep_pbx_picture(action, employee, &sent).await?;
        let rows = self.intend(action, Some(employee), store::Side::Pbx, &sent, kept).await?;
        match self.pbx.save(employee, &writes, self.region()).await {
            Ok(saved) => self.take_saved(action, &sent, &rows, saved, link, done).await,
            Err(error) => {
                for (change, row) in sent.iter().zip(&rows) {
                    self.settle(*row, state_of(&error), None, None).await?;
                    self.pbx_refused(action, change, &error, done).await;
                }
                Ok(())
            }
        }
    }

    /// What a save stored becomes the agreed value, whatever was sent.
    pub(super) async fn take_saved(
        &self,
        action: &Action,
        sent: &[Change],
        rows: &[i64],
        saved: Saved,
        link: &mut Link,
        done: &mut Done,
    ) -> Result<()> {
        let (mut fields_written, mut overtaken) = (false, false);
        for (change, row) in sent.iter().zip(rows) {
            let field = change.field;
            let outcome =
                saved.outcomes.iter().rev().find(|(of, _)| *of == field).map(|(_, outcome)| outcome);
            match outcome {
                Some(Ok(())) => {
                    let stored = match &saved.stored[field] {
                        Reading::NotLooked => change.after.clone(),
                        // Pictures are stored byte by byte: another one was put there since.
                        reading if field == Field::Photo && !stands(reading, change) => {
                            overtaken = true;
                            change.after.clone()
                        }
                        reading => reading.values().first().cloned(),
                    };
                    self.stored(action, store::Side::Pbx, change, *row, &stored, done).await?;
                    let note = differs(change, stored.as_ref(), "PBX");
                    done.note(Side::Pbx, change, ChangeResult::Done, note);
                    done.lifted.push((action.person.clone(), Some(field)));
                    if let (Field::Extension, Some(number)) = (field, &change.before) {
                        let at_ms = self.app.clock.now_ms();
                        self.app.store.release_number(self.row.pbx, number.canonical(), at_ms).await?;
                    }
                    self.agree_written(link, Side::Pbx, change, stored);
                    match field {
                        Field::Photo => done.pbx_writes += 1,
                        _ => fields_written = true,
                    }
                }
                Some(Err(error)) => {
                    self.settle(*row, state_of(error), None, None).await?;
                    self.pbx_refused(action, change, error, done).await;
                }
                None => {
                    self.settle(*row, State::Unknown, None, None).await?;
                    done.note(Side::Pbx, change, ChangeResult::Unknown, None);
                }
            }
        }
        done.pbx_writes += u32::from(fields_written);
        self.take_repairs(sent, &saved, link, done);
        // The save read the whole record again. Where somebody else's edit came
        // to light, the record was not looked at yet: the next run has to.
        let news = [Field::Mobile, Field::SipPassword].into_iter().any(|field| {
            let now = saved.record.fields[field].values().first();
            self.world.mapped[field]
                && link.pbx[field].as_ref().is_none_or(|sight| sight.value.as_ref() != now)
        });
        if !news {
            link.dial = saved.record.dial().into();
            link.record_looked_ms = self.app.clock.now_ms();
        }
        if let Some(etag) = saved.photo_etag.filter(|_| !overtaken) {
            link.photo_etag = Some(etag.into());
            link.photo_looked_ms = self.app.clock.now_ms();
        }
        Ok(())
    }

    /// Saving one field, the PBX may cut or clean another. That is nobody's
    /// edit: it is agreed and told, and never sent to the directory. Only what
    /// is left of a value counts: another one was typed by somebody meanwhile,
    /// and a number too, for of one that can be used nothing is ever cut.
    fn take_repairs(&self, sent: &[Change], saved: &Saved, link: &mut Link, done: &mut Done) {
        let others = [Field::Name, Field::Mobile, Field::Email].into_iter();
        for field in others.filter(|field| sent.iter().all(|change| change.field != *field)) {
            let before = saved.before[field].values().first();
            let after = saved.record.fields[field].values().first();
            let known = link.pbx[field].as_ref().is_some_and(|sight| sight.value.as_ref() == before);
            if before == after || !known || !is_left_of(after, before) {
                continue;
            }
            let change = Change {
                field,
                before: before.cloned(),
                after: after.cloned(),
                cause: reconcile::merge::Cause::PbxChanged,
            };
            let note = "the PBX changed it by itself while another field was saved".to_owned();
            done.note(Side::Pbx, &change, ChangeResult::Done, Some(note));
            link.pbx[field] = Some(super::written(after.cloned(), self.app.clock.now_ms(), None));
            // Where something else was agreed on, somebody's edit is still to flow.
            if let Some(pair) = link.pairs[field].as_mut().filter(|pair| pair.pbx.as_ref() == before) {
                pair.pbx = after.cloned();
            }
        }
    }

    /// What is sent for a change. Secrets and pictures are fetched again here
    /// and refused if they moved since they were read.
    async fn pbx_content(&self, action: &Action, change: &Change) -> Result<pbx::Change, NotSent> {
        let text = || change.after.as_ref().map(|value| value.raw().to_owned());
        Ok(match change.field {
            Field::Name => pbx::Change::Name(text().unwrap_or_default()),
            Field::Extension => pbx::Change::Extension(text().unwrap_or_default()),
            Field::Mobile => pbx::Change::Mobile(text()),
            Field::Email => pbx::Change::Email(text()),
            Field::Photo if change.cause == Cause::Undo && change.after.is_some() => {
                let kept = self.kept_picture(action, store::Side::Pbx, change).await?;
                pbx::Change::Photo(Some(Bytes::from(kept)))
            }
            Field::Photo => pbx::Change::Photo(self.directory_photo(action, change).await?.map(Bytes::from)),
            Field::SipPassword => {
                let Some(wanted) = &change.after else {
                    return Err(NotSent::Unfit("a SIP password is never cleared".to_owned()));
                };
                let secret = self.directory.lock().await.secret(&target(action), wanted).await;
                let secret = secret.map_err(|error| self.directory_failed(error))?;
                pbx::Change::SipPassword(secret.ok_or(NotSent::Moved("directory"))?)
            }
        })
    }

    /// The directory's picture as the PBX can take it.
    async fn directory_photo(&self, action: &Action, change: &Change) -> Result<Option<Vec<u8>>, NotSent> {
        let Some(wanted) = &change.after else { return Ok(None) };
        let bytes = self.directory.lock().await.photo_bytes(&target(action), wanted).await;
        let bytes = bytes.map_err(|error| self.directory_failed(error))?;
        let bytes = bytes.ok_or(NotSent::Moved("directory"))?;
        if bytes.len() < limits::PBX_PHOTO_BYTES_MIN {
            let why = format!("the picture has {} bytes, and the PBX takes none below 1 KiB", bytes.len());
            return Err(NotSent::Unfit(why));
        }
        Ok(Some(picture::fit(bytes, limits::PBX_PHOTO_BYTES_MAX).map_err(NotSent::unfit)?))
    }

    /// Keeps a picture that is about to be overwritten, for undo.
    async fn keep_pbx_picture(
        &self,
        action: &Action,
        employee: EmployeeId,
        sent: &[Change],
    ) -> Result<Option<PictureId>> {
        if !sent.iter().any(|change| change.field == Field::Photo && change.before.is_some()) {
            return Ok(None);
        }
        let Ok(PhotoAnswer::Picture { bytes, .. }) = self.pbx.photo(employee, None).await else {
            return Ok(None);
        };
        let picture = Picture {
            directory: self.row.id,
            person: action.person.clone(),
            taken_ms: self.app.clock.now_ms(),
            bytes: bytes.to_vec(),
        };
        Ok(Some(self.app.store.keep_picture(&picture).await?))
    }

    pub(super) async fn pbx_refused(&self, action: &Action, change: &Change, error: &Error, done: &mut Done) {
        match error {
            Error::Moved { .. } => {
                done.note(Side::Pbx, change, ChangeResult::Moved, Some(error.to_string()));
            }
            Error::OutcomeUnknown { .. } => {
                done.note(Side::Pbx, change, ChangeResult::Unknown, Some(error.to_string()));
                done.fail(error.to_string());
            }
            Error::Refused { .. } | Error::Occupied { .. } => {
                self.refused_there(action, Side::Pbx, change, &error.to_string(), done);
            }
            Error::Unusable { .. } | Error::NotTried { .. } => {
                self.refused_here(action, Side::Pbx, change, &error.to_string(), done);
            }
            // Deleted since the listing: the next run sees that.
            Error::Gone { id } if !self.is_listed(*id).await => {
                self.failed(Side::Pbx, change, &error.to_string(), done);
            }
            // One answer that made no sense is this employee's trouble only,
            // and will be so the next time.
            Error::Gone { .. } | Error::BadAnswer { .. } | Error::TooLarge { .. } => {
                self.refused_there(action, Side::Pbx, change, &error.to_string(), done);
            }
            _ => {
                self.stop(&error.to_string());
                self.failed(Side::Pbx, change, &error.to_string(), done);
            }
        }
    }

    /// Whether the PBX still lists an employee whom it says it does not have.
    async fn is_listed(&self, id: EmployeeId) -> bool {
        let Some(employee) = self.employees.get(&id) else { return false };
        let Some(number) = employee.fields[Field::Extension].values().first() else { return false };
        let found = self.pbx.find(number.raw()).await;
        found.is_ok_and(|found| found.is_some_and(|found| found.id == id))
    }
}

fn stands(reading: &Reading, change: &Change) -> bool {
    match (reading.values().first(), &change.after) {
        (Some(stored), Some(sent)) => stored.equivalent(sent),
        (stored, sent) => stored.is_some() == sent.is_some(),
    }
}

/// Whether a value is the rest of another one: some characters are gone, and
/// none came.
fn is_left_of(after: Option<&Value>, before: Option<&Value>) -> bool {
    let (Some(after), Some(before)) = (after, before) else { return false };
    let mut left = before.raw().chars();
    after.raw().chars().all(|c| left.any(|other| other == c))
}

pub(super) fn target(action: &Action) -> Target {
    Target { id: action.person.clone(), dn: action.dn.to_string() }
}

/// Told once, never retried: the other side stored something else.
pub(super) fn differs(change: &Change, stored: Option<&reconcile::Value>, side: &str) -> Option<String> {
    let same = match (&change.after, stored) {
        (Some(sent), Some(stored)) => sent.equivalent(stored) || change.field == Field::Photo,
        (None, None) => true,
        _ => false,
    };
    let stored = || stored.map_or("nothing", |value| value.raw()).to_owned();
    (!same && change.field != Field::SipPassword).then(|| format!("the {side} stored `{}` instead", stored()))
}

pub(super) fn state_of(error: &Error) -> State {
    match error {
        Error::OutcomeUnknown { .. } => State::Unknown,
        _ => State::Refused,
    }
}
