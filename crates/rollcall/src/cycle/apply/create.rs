//! A new employee: one request with everything the PBX needs, then the
//! picture, then what goes back to the person.

use super::write_pbx::{state_of, target};
use super::{Apply, Done, written};
use crate::cycle::recover;
use crate::cycle::report::{ChangeResult, Side};
use crate::limits;
use anyhow::{Result, anyhow};
use pbx::{Error, NewEmployee, Saved, checks};
use reconcile::plan::{Action, Change, GENERATED, NumberFrom};
use reconcile::{
    Conflict, ConflictKind, Direction, Field, Link, Pair, Person, Reading, RefusedBy, Value, WayOut,
};
use secrecy::{ExposeSecret, SecretString};
use store::{By, JournalRow, State, What};

impl Apply<'_> {
    pub(super) async fn create(
        &self,
        action: &Action,
        number: &str,
        number_from: NumberFrom,
        done: &mut Done,
    ) -> Result<()> {
        if let Some(why) = self.stopped() {
            self.not_tried(Side::Pbx, &action.pbx, &why, done);
            return Ok(());
        }
        let Some(person) = self.people.get(action.person.as_str()).copied() else { return Ok(()) };
        let late = self.late.get(action.person.as_str()).map(Vec::as_slice).unwrap_or_default();
        // Of two creations with one number the PBX lets only one happen.
        let number = match late.last().and_then(|step| step.reserved_number.as_deref()) {
            Some(asked_before) if number_from == NumberFrom::Free => asked_before,
            _ => number,
        };
        let secret = self.new_secret(action, done).await?;
        let mut new = NewEmployee {
            name: sent(action, Field::Name).unwrap_or_default(),
            number: number.to_owned(),
            secret,
            email: sent(action, Field::Email),
            mobile: sent(action, Field::Mobile),
        };
        for _ in 0..limits::NUMBER_TRIES {
            match self.post(action, &new).await? {
                Ok((seq, saved)) => return self.created(action, person, &new, seq, saved, done).await,
                Err(Error::Occupied { .. }) if self.came_late(late).await => {
                    done.fail(
                        "an earlier request for this employee was carried out late; the next run joins it"
                            .to_owned(),
                    );
                    return Ok(());
                }
                Err(Error::Occupied { .. }) if number_from == NumberFrom::Free => {
                    let next = self.numbers.lock().await.allocate();
                    new.number = match next {
                        Some(next) => next.into(),
                        None => {
                            return Err(anyhow!("no number is free any more in the ranges of this server"));
                        }
                    };
                }
                Err(error) => {
                    self.not_created(action, person, number, &error, done);
                    return Ok(());
                }
            }
        }
        Err(anyhow!(
            "{} free numbers in a row were occupied meanwhile; the next run tries again",
            limits::NUMBER_TRIES
        ))
    }

    /// One journalled request, settled here only if it failed. An answer that
    /// was lost is looked for, never asked for again.
    async fn post(&self, action: &Action, new: &NewEmployee) -> Result<Result<(i64, Saved), Error>> {
        let print = self.app.store.fingerprinter().secret(new.secret.expose_secret().as_bytes());
        let row = JournalRow {
            cause: "new in the directory".to_owned(),
            after: serde_json::json!({
                "name": new.name, "number": new.number, "email": new.email, "mobile": new.mobile,
            }),
            reserved_number: Some(new.number.as_str().into()),
            fingerprint: print.ok().map(|value| value.canonical().into()),
            ..self.row_of(action, None, store::Side::Pbx, What::Create)
        };
        self.journal(std::slice::from_ref(&row)).await?;
        let answer = match self.pbx.create(new, self.region()).await {
            Err(error @ Error::OutcomeUnknown { .. }) => self.look_for(&row, new, error).await,
            answer => answer,
        };
        if let Err(error) = &answer {
            self.settle(row.seq, state_of(error), None, None).await?;
        }
        Ok(answer.map(|saved| (row.seq, saved)))
    }

    /// Whether the employee whose creation went unanswered is there: the same
    /// number and the same secret are proof, the same name is not.
    async fn look_for(&self, row: &JournalRow, new: &NewEmployee, unknown: Error) -> Result<Saved, Error> {
        let Ok(Some(found)) = self.pbx.find(&new.number).await else { return Err(unknown) };
        let Ok(Some(record)) = self.pbx.record(found.id, self.region()).await else { return Err(unknown) };
        let secret = record.fields[Field::SipPassword].values().first().map(Value::canonical);
        match secret == row.fingerprint.as_deref() {
            true => {
                // Whether it was asked for with or without them is not known.
                let outcome = |field, sent: &Option<String>| {
                    let lost = sent.is_some() && record.fields[field] == Reading::Empty;
                    (field, if lost { Err(unknown.clone()) } else { Ok(()) })
                };
                let outcomes = vec![outcome(Field::Email, &new.email), outcome(Field::Mobile, &new.mobile)];
                let (before, stored) = (record.fields.clone(), record.fields.clone());
                Ok(Saved { record, stored, before, outcomes, photo_etag: None })
            }
            false => Err(Error::Occupied {
                number: new.number.clone(),
                holder: "somebody else meanwhile".to_owned(),
            }),
        }
    }

    /// Whether a creation of an earlier run was carried out after all.
    async fn came_late(&self, late: &[JournalRow]) -> bool {
        for step in late {
            let found = recover::look_for(self.pbx, step, self.region()).await;
            if found.is_ok_and(|found| {
                found.is_some_and(|id| !recover::is_somebody_elses(self.world, &step.person, id))
            }) {
                return true;
            }
        }
        false
    }

    /// The employee exists: link first, so that nothing can make it twice,
    /// then the picture, then the write-back.
    async fn created(
        &self,
        action: &Action,
        person: &Person,
        new: &NewEmployee,
        seq: i64,
        saved: Saved,
        done: &mut Done,
    ) -> Result<()> {
        let employee = saved.record.id;
        let now_ms = self.app.clock.now_ms();
        done.employee = Some(employee);
        done.number = Some(new.number.clone());
        done.linked = true;
        done.pbx_writes += 1;
        let mut link = self.new_link(person, employee);
        for field in Field::ALL {
            let stored = &saved.stored[field];
            if !matches!(stored, Reading::NotLooked | Reading::Unusable(_)) {
                let value = stored.values().first().cloned();
                link.pbx[field] = Some(written(value, now_ms, None));
            }
        }
        link.dial = saved.record.dial().into();
        link.record_looked_ms = now_ms;
        self.note_created(action, new, &saved, done).await;
        stand_on_the_new(person, &saved, done);
        stand_on_stored(person, &saved, done);
        self.first_pairs(&mut link, &saved, action, done);
        let again: Vec<_> =
            self.links.get(action.person.as_str()).map(|link| link.person.clone()).into_iter().collect();
        self.app.store.agree(By::Run(self.running.id), &again, std::slice::from_ref(&link)).await?;
        // Only now: until it is linked, the unfinished step is all that tells whose it is.
        self.settle(seq, State::Done, None, Some(employee)).await?;
        done.lifted.push((action.person.clone(), None));
        let before = link.clone();
        let photo = Action {
            pbx: action.pbx.iter().filter(|change| change.field == Field::Photo).cloned().collect(),
            employee: Some(employee),
            ..action.clone()
        };
        self.write_pbx(&photo, employee, &mut link, done).await?;
        let back =
            Action { directory: self.write_back(action, new), employee: Some(employee), ..action.clone() };
        self.write_directory(&back, employee, &mut link, done).await?;
        if link != before {
            self.app.store.agree(By::Run(self.running.id), &[], std::slice::from_ref(&link)).await?;
        }
        Ok(())
    }

    /// What goes back to the person, with the number that was given in the end.
    fn write_back(&self, action: &Action, new: &NewEmployee) -> Vec<Change> {
        let number = Value::new(new.number.as_str(), new.number.as_str());
        let back = action.directory.iter().map(|change| match change.field {
            Field::Extension => Change { after: Some(number.clone()), ..change.clone() },
            _ => change.clone(),
        });
        back.collect()
    }

    async fn note_created(&self, action: &Action, new: &NewEmployee, saved: &Saved, done: &mut Done) {
        for change in action.pbx.iter().filter(|change| change.field != Field::Photo) {
            let refused = saved.outcomes.iter().find(|(field, _)| *field == change.field);
            match refused.and_then(|(_, outcome)| outcome.as_ref().err()) {
                Some(error) => self.pbx_refused(action, change, error, done).await,
                None => {
                    let number = Value::new(new.number.as_str(), new.number.as_str());
                    let sent = match change.field {
                        Field::Extension => Change { after: Some(number), ..change.clone() },
                        _ => change.clone(),
                    };
                    let stored = saved.stored[change.field].values().first();
                    let note = super::write_pbx::differs(&sent, stored, "PBX");
                    done.note(Side::Pbx, &sent, ChangeResult::Done, note);
                }
            }
        }
    }

    /// Everything both sides are known to say is agreed from the start; what
    /// may not flow back simply differs, and rests so.
    fn first_pairs(&self, link: &mut Link, saved: &Saved, action: &Action, done: &Done) {
        for field in Field::ALL {
            let refused = saved.outcomes.iter().any(|(of, outcome)| *of == field && outcome.is_err())
                || done.conflicts.iter().any(|conflict| conflict.field == Some(field));
            let direction = self.world.policy.direction(field);
            let flows = self.world.mapped[field] && direction != Direction::Off;
            let due_back = action.directory.iter().any(|change| change.field == field);
            // What the PBX could not be sent stays a first meeting, and a
            // conflict; a picture travels later, in a request of its own.
            let set = link.directory[field].as_ref().is_some_and(|sight| sight.value.is_some());
            let sent = field != Field::Photo && action.pbx.iter().any(|change| change.field == field);
            let kept_back = set && !sent && direction.to_pbx();
            // Nobody sent it: a human gave it to the new employee meanwhile.
            let put_there = link.pbx[field].as_ref().is_some_and(|sight| sight.value.is_some());
            let edited = put_there && !sent && direction.to_directory();
            if refused || !flows || due_back || kept_back || edited {
                continue;
            }
            if let (Some(directory), Some(pbx)) = (&link.directory[field], &link.pbx[field]) {
                let (directory, pbx) = (directory.value.clone(), pbx.value.clone());
                link.pairs[field] = Some(Pair { directory, pbx, held: false });
            }
        }
    }

    /// The directory's SIP password if it can be used, else a new one.
    async fn new_secret(&self, action: &Action, done: &mut Done) -> Result<SecretString> {
        let change = action.pbx.iter().find(|change| change.field == Field::SipPassword);
        let wanted = change.and_then(|change| change.after.as_ref());
        let Some(wanted) = wanted.filter(|value| value.canonical() != GENERATED) else {
            return Ok(checks::generate_secret(&*self.app.random));
        };
        let secret = self.directory.lock().await.secret(&target(action), wanted).await;
        let secret = secret.map_err(|error| self.directory_failed(error))?;
        let secret = secret.ok_or_else(|| anyhow!("the SIP password changed in the directory meanwhile"))?;
        match checks::secret(&secret) {
            Ok(()) => Ok(secret),
            Err(why) => {
                if let Some(change) = change {
                    let why = format!("{why}; the employee got a generated one in the PBX");
                    self.refused_here(action, Side::Pbx, change, &why, done);
                }
                Ok(checks::generate_secret(&*self.app.random))
            }
        }
    }

    fn not_created(&self, action: &Action, person: &Person, number: &str, error: &Error, done: &mut Done) {
        let conflict = |kind, field, ways_out| Conflict {
            person: action.person.clone(),
            employee: None,
            kind,
            field,
            name: action.name.to_string(),
            refused_by: match error {
                Error::Unusable { .. } => RefusedBy::Rollcall,
                _ => RefusedBy::Pbx,
            },
            directory_value: Some(number.to_owned()),
            pbx_value: None,
            reason: error.to_string(),
            ways_out,
            candidates: Vec::new(),
            stands_on: reconcile::plan::creation_stands_on(person),
        };
        for change in &action.pbx {
            done.note(Side::Pbx, change, ChangeResult::Refused, None);
        }
        match error {
            Error::Occupied { .. } => {
                let ways_out = vec![WayOut::Retry, WayOut::LeaveOut];
                done.conflicts.push(conflict(ConflictKind::NumberTaken, Some(Field::Extension), ways_out));
            }
            Error::Refused { .. } | Error::Unusable { .. } => {
                let ways_out = vec![WayOut::Retry, WayOut::LeaveOut];
                self.set_aside(None, conflict(ConflictKind::Refused, None, ways_out), done);
            }
            Error::OutcomeUnknown { .. } => done.fail(error.to_string()),
            _ => {
                self.stop(&error.to_string());
                done.fail(error.to_string());
            }
        }
    }
}

/// The text a creation sends for a field.
fn sent(action: &Action, field: Field) -> Option<String> {
    let change = action.pbx.iter().find(|change| change.field == field)?;
    change.after.as_ref().map(|value| value.raw().to_owned())
}

/// What was refused before the employee existed stands on what the PBX has
/// instead, a generated password for one, as the next run will find it.
fn stand_on_stored(person: &Person, saved: &Saved, done: &mut Done) {
    let stands_on = |field: Field| {
        reconcile::plan::field_stands_on(field, &person.fields[field], &saved.record.fields[field])
    };
    for row in &mut done.set_aside {
        if let Some(field) = row.field {
            row.stands_on = stands_on(field);
            row.conflict.stands_on.clone_from(&row.stands_on);
        }
    }
    for conflict in &mut done.conflicts {
        if let Some(field) = conflict.field {
            conflict.stands_on = stands_on(field);
        }
    }
}

/// What was refused along with a creation stands on what the PBX stored instead:
/// that is what the next run compares.
fn stand_on_the_new(person: &Person, saved: &Saved, done: &mut Done) {
    let stands_on = |field: Field| {
        reconcile::plan::field_stands_on(field, &person.fields[field], &saved.record.fields[field])
    };
    for conflict in &mut done.conflicts {
        conflict.employee = Some(saved.record.id);
        if let Some(field) = conflict.field {
            conflict.stands_on = stands_on(field);
        }
    }
    for row in &mut done.set_aside {
        row.conflict.employee = Some(saved.record.id);
        if let Some(field) = row.field {
            row.stands_on = stands_on(field);
            row.conflict.stands_on.clone_from(&row.stands_on);
        }
    }
}
