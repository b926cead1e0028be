//! Creating and changing employees.
//!
//! A write compares the record with what the caller decided on, in the same
//! breath, and reports field by field. What cannot be refused here is sent
//! once in one request; a refusal is then taken apart, with a named bound.

use crate::advice;
use crate::body::{self, Body};
use crate::change::{Change, FieldWrite, NewEmployee, Outcome, Saved};
use crate::client::Pbx;
use crate::error::Error;
use crate::photos::PhotoAnswer;
use crate::record::{Record, Wired, reading};
use crate::waf;
use crate::wire::{CONGESTION_MS, Call};
use http::Method;
use reconcile::{EmployeeId, Field, FieldMap, Reading, canonical};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Writing requests for one employee in one save.
const WRITES_MAX: u8 = 6;
/// How often a save is begun on a PBX that is busy for the moment.
const TRIES_MAX: u8 = 4;

impl Pbx {
    /// Creates an employee with one request. If the PBX refuses it, once more
    /// with the indispensable alone, and the rest one by one.
    pub async fn create(&self, new: &NewEmployee, region: Option<&str>) -> Result<Saved, Error> {
        scrubbed(self.create_once(new, region).await, Some(&new.secret))
    }

    async fn create_once(&self, new: &NewEmployee, region: Option<&str>) -> Result<Saved, Error> {
        for change in [
            Change::Name(new.name.clone()),
            Change::Extension(new.number.clone()),
            Change::SipPassword(new.secret.clone()),
        ] {
            self.sendable(&change)?;
        }
        let extras = [
            new.email.clone().map(|email| Change::Email(Some(email))),
            new.mobile.clone().map(|mobile| Change::Mobile(Some(mobile))),
        ];
        let (extras, mut outcomes) = self.sort_out(extras.into_iter().flatten());
        let _turn = self.wire.pacing.writer().await;
        match self.post(new, &extras, region).await {
            Ok(record) => {
                outcomes.extend(extras.iter().map(|change| (change.field(), Ok(()))));
                let (before, stored) = (record.fields.clone(), record.fields.clone());
                Ok(Saved { record, stored, before, outcomes, photo_etag: None })
            }
            Err(error) => {
                let error = self.or_occupied(new, error).await;
                if extras.is_empty() || !matches!(error, Error::Refused { .. }) {
                    return Err(error);
                }
                let record = match self.post(new, &[], region).await {
                    Ok(record) => record,
                    Err(error) => return Err(self.or_occupied(new, error).await),
                };
                let mut job = Job { outcomes, ..Job::new(self, record, region) };
                job.writes_left -= 2;
                job.write(extras.iter().collect()).await;
                let Job { record, stored, before, outcomes, .. } = job;
                Ok(Saved { record, stored, before, outcomes, photo_etag: None })
            }
        }
    }

    /// Makes these changes, as far as they are possible and still wanted.
    ///
    /// An error means that nothing was written, or that nobody knows; what
    /// concerns single fields stands in the outcomes.
    pub async fn save(
        &self,
        id: EmployeeId,
        writes: &[FieldWrite],
        region: Option<&str>,
    ) -> Result<Saved, Error> {
        let secret = writes.iter().find_map(|write| match &write.change {
            Change::SipPassword(secret) => Some(secret),
            _ => None,
        });
        let _turn = self.wire.pacing.writer().await;
        let mut tries = 1;
        loop {
            match self.save_once(id, writes, region).await {
                // Nothing was written. Whoever was in the way may have
                // changed what this stands on: it is read again.
                Err(error) if tries < TRIES_MAX && self.is_over_soon(&error).await => tries += 1,
                outcome => return scrubbed(outcome, secret),
            }
        }
    }

    async fn save_once(
        &self,
        id: EmployeeId,
        writes: &[FieldWrite],
        region: Option<&str>,
    ) -> Result<Saved, Error> {
        let record = self.record(id, region).await?.ok_or(Error::Gone { id })?;
        let mut job = Job::new(self, record, region);
        // A picture of a refused request stays although the rest does not, so
        // it always travels alone, and last.
        let (photos, fields): (Vec<_>, Vec<_>) =
            writes.iter().partition(|write| write.change.field() == Field::Photo);
        job.carry_out(fields).await;
        job.carry_out(photos).await;
        job.finish().await
    }

    async fn post(
        &self,
        new: &NewEmployee,
        extras: &[Change],
        region: Option<&str>,
    ) -> Result<Record, Error> {
        let (mut email, mut mobile) = (None, None);
        for change in extras {
            match change {
                Change::Email(value) => email = value.as_deref(),
                Change::Mobile(value) => mobile = value.as_deref(),
                _ => {}
            }
        }
        let call = Call::send(Method::POST, "employees", &body::post(new, email, mobile), "create employees");
        let mut tries = 1;
        let outcome = loop {
            match self.call::<Wired>(&call).await {
                Err(error) if tries < TRIES_MAX && self.is_over_soon(&error).await => tries += 1,
                outcome => break outcome,
            }
        };
        let wired = outcome.map_err(|error| match error {
            Error::Refused { status, text, .. } => {
                Error::Refused { status, text, advice: advice::CREATE.to_owned() }
            }
            error => error,
        })?;
        Ok(wired.into_record(&self.fingerprinter, region))
    }

    /// A refusal because of the number, called by its name. Where the list
    /// cannot be read, the refusal stays as it came.
    async fn or_occupied(&self, new: &NewEmployee, error: Error) -> Error {
        let holder = match error {
            Error::Refused { .. } => self.holder(&new.number).await.ok().flatten(),
            _ => None,
        };
        holder.map_or(error, |holder| Error::Occupied { number: new.number.clone(), holder })
    }

    /// Waits for a PBX that is busy for the moment, not for one that blocks us.
    async fn is_over_soon(&self, error: &Error) -> bool {
        let Error::Busy { retry_at_ms, .. } = error else { return false };
        let wait_ms = retry_at_ms - self.wire.clock.now_ms();
        if wait_ms > CONGESTION_MS {
            return false;
        }
        self.wire.clock.sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))).await;
        true
    }

    fn sort_out(&self, changes: impl Iterator<Item = Change>) -> (Vec<Change>, Vec<(Field, Outcome)>) {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for change in changes {
            match self.sendable(&change) {
                Ok(()) => good.push(change),
                Err(error) => bad.push((change.field(), Err(error))),
            }
        }
        (good, bad)
    }

    /// The checks, and from another machine the PBX's front filter as well.
    fn sendable(&self, change: &Change) -> Result<(), Error> {
        change.check()?;
        let text = match change {
            Change::Name(text) | Change::Email(Some(text)) => text.trim(),
            Change::SipPassword(secret) => secret.expose_secret(),
            Change::Extension(_) | Change::Mobile(_) | Change::Email(None) | Change::Photo(_) => {
                return Ok(());
            }
        };
        // The filter sees the JSON: a value that begins with ; follows a quote.
        let quoted = serde_json::Value::from(text).to_string();
        match waf::suspicious(&quoted).filter(|_| !self.wire.origin.loopback) {
            Some(pattern) => {
                let why = format!("the PBX's front filter takes `{pattern}` for an attack. {}", waf::ADVICE);
                Err(Error::Unusable { field: change.field(), why })
            }
            None => Ok(()),
        }
    }
}

/// One save under way.
struct Job<'a> {
    pbx: &'a Pbx,
    region: Option<&'a str>,
    record: Record,
    before: FieldMap<Reading>,
    stored: FieldMap<Reading>,
    outcomes: Vec<(Field, Outcome)>,
    photo_etag: Option<String>,
    wrote_photo: bool,
    writes_left: u8,
    /// PATCH judges the whole stored record again, so one weak secret of old
    /// makes it refuse everything. Then PUT, which judges what it is given.
    way: Way,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Patch,
    /// And the record itself was found to be sound.
    PatchOnly,
    Put,
}

impl<'a> Job<'a> {
    fn new(pbx: &'a Pbx, record: Record, region: Option<&'a str>) -> Self {
        Job {
            pbx,
            region,
            before: record.fields.clone(),
            stored: record.fields.clone(),
            record,
            outcomes: Vec::new(),
            photo_etag: None,
            wrote_photo: false,
            writes_left: WRITES_MAX,
            way: Way::Patch,
        }
    }

    async fn carry_out(&mut self, writes: Vec<&FieldWrite>) {
        let mut due = Vec::new();
        for write in writes {
            match self.examine(write).await {
                Ok(true) => due.push(&write.change),
                Ok(false) => self.outcomes.push((write.change.field(), Ok(()))),
                Err(error) => self.outcomes.push((write.change.field(), Err(error))),
            }
        }
        self.write(due).await;
    }

    /// Whether this write is still due: sendable, not there already, and
    /// decided on what is stored now.
    async fn examine(&mut self, write: &FieldWrite) -> Result<bool, Error> {
        let field = write.change.field();
        if let Some(fatal) = self.fatal() {
            return Err(fatal.clone());
        }
        self.pbx.sendable(&write.change)?;
        let stored = match field {
            Field::Photo if self.record.has_photo => match self.pbx.photo(self.record.id, None).await? {
                PhotoAnswer::Picture { reading, .. } => reading,
                PhotoAnswer::Missing | PhotoAnswer::NotModified => Reading::Empty,
            },
            field => self.record.fields[field].clone(),
        };
        self.record.fields[field] = stored.clone();
        self.stored[field] = stored.clone();
        if same(&stored, &self.wanted(&write.change)) {
            return Ok(false);
        }
        match &write.expected {
            Reading::NotLooked | Reading::Unmapped => Ok(true),
            expected if same(&stored, expected) => Ok(true),
            _ => Err(Error::Moved { field }),
        }
    }

    fn wanted(&self, change: &Change) -> Reading {
        match change {
            Change::Name(name) => reading(name, canonical::name),
            Change::Extension(number) => reading(number, canonical::extension),
            Change::Mobile(mobile) => reading(mobile.as_deref().unwrap_or_default(), |mobile| {
                canonical::mobile_in_pbx(mobile, self.region)
            }),
            Change::Email(email) => reading(email.as_deref().unwrap_or_default(), canonical::email),
            Change::Photo(Some(photo)) => {
                canonical::photo(photo).map_or_else(Reading::Unusable, Reading::one)
            }
            Change::Photo(None) => Reading::Empty,
            Change::SipPassword(secret) => {
                reading(secret.expose_secret(), |secret| self.pbx.fingerprinter.secret(secret.as_bytes()))
            }
        }
    }

    /// Writes the changes, together if the PBX lets that be.
    async fn write(&mut self, mut due: Vec<&Change>) {
        let refusal = loop {
            if due.is_empty() {
                return;
            }
            let refusal = match self.send(&due).await {
                Err(error) if matches!(error, Error::Refused { .. }) => error,
                outcome => return self.settle(&due, outcome),
            };
            let free = self.without_taken(due.clone()).await;
            if free.len() < due.len() {
                due = free;
            } else if !self.turn_to_put().await {
                break refusal;
            }
        };
        if due.len() == 1 {
            return self.settle(&due, Err(refusal));
        }
        self.write_apart(due).await;
    }

    /// First what an employee cannot be without, then one by one.
    async fn write_apart(&mut self, due: Vec<&Change>) {
        let is_core = |change: &&Change| {
            matches!(change, Change::Name(_) | Change::Extension(_) | Change::SipPassword(_))
        };
        let (mut core, mut rest): (Vec<_>, Vec<_>) = due.into_iter().partition(is_core);
        if core.len() > 1 && !rest.is_empty() {
            match self.send(&core).await {
                Err(Error::Refused { .. }) => {}
                outcome => self.settle(&std::mem::take(&mut core), outcome),
            }
        }
        core.append(&mut rest);
        for change in core {
            let outcome = self.send(&[change]).await;
            self.settle(&[change], outcome);
        }
    }

    /// Sends the changes in one request, and keeps the record it answers with.
    async fn send(&mut self, changes: &[&Change]) -> Result<(), Error> {
        if let Some(fatal) = self.fatal() {
            return Err(fatal.clone());
        }
        let (method, body) = match self.way {
            Way::Patch | Way::PatchOnly => (Method::PATCH, body::patch(&self.record, changes)),
            Way::Put => (Method::PUT, body::put(&self.record, changes)),
        };
        let field = changes.first().map_or(Field::Name, |change| change.field());
        self.writes_left = self.writes_left.checked_sub(1).ok_or(Error::NotTried { field })?;
        self.record = self.request(method, &body).await?;
        for field in changes.iter().map(|change| change.field()) {
            self.stored[field] = self.record.fields[field].clone();
        }
        self.wrote_photo |= field == Field::Photo;
        Ok(())
    }

    async fn request(&self, method: Method, body: &Body) -> Result<Record, Error> {
        let id = self.record.id;
        let call = Call::send(method, format!("employees/{id}"), body, "change employees").about(id);
        let wired: Wired = self.pbx.call(&call).await?;
        Ok(wired.into_record(&self.pbx.fingerprinter, self.region))
    }

    /// After a refusal: takes out the numbers that somebody else has.
    async fn without_taken<'c>(&mut self, due: Vec<&'c Change>) -> Vec<&'c Change> {
        let mut free = Vec::new();
        for change in due {
            let number = match change {
                Change::Extension(number) | Change::Mobile(Some(number)) => number,
                _ => {
                    free.push(change);
                    continue;
                }
            };
            let own = *number == self.record.number || *number == self.record.mobile_number;
            match self.pbx.holder(number).await {
                Ok(Some(holder)) if !own => {
                    let number = number.clone();
                    self.settle(&[change], Err(Error::Occupied { number, holder }));
                }
                // Without an answer the refusal is reported as it came.
                Ok(_) | Err(_) => free.push(change),
            }
        }
        free
    }

    /// After a refusal: asks with a PATCH of nothing whether the stored record
    /// is what the PBX refuses, and if so goes on with PUT.
    async fn turn_to_put(&mut self) -> bool {
        if self.way != Way::Patch || self.writes_left == 0 {
            return false;
        }
        self.writes_left -= 1;
        let blocked = matches!(self.request(Method::PATCH, &Body::new()).await, Err(Error::Refused { .. }));
        self.way = if blocked { Way::Put } else { Way::PatchOnly };
        blocked
    }

    fn settle(&mut self, changes: &[&Change], outcome: Outcome) {
        for change in changes {
            let field = change.field();
            let outcome = match outcome.clone() {
                Err(Error::NotTried { .. }) => Err(Error::NotTried { field }),
                Err(Error::Refused { status, text, .. }) => {
                    Err(Error::Refused { status, text, advice: advice::advice(Some(field)) })
                }
                outcome => outcome,
            };
            self.outcomes.push((field, outcome));
        }
    }

    /// What made everything after it pointless.
    fn fatal(&self) -> Option<&Error> {
        self.outcomes
            .iter()
            .filter_map(|(_, outcome)| outcome.as_ref().err())
            .find(|error| !error.concerns_one_field())
    }

    async fn finish(mut self) -> Result<Saved, Error> {
        let wrote = self.outcomes.iter().any(|(_, outcome)| outcome.is_ok());
        if let Some(fatal) = self.fatal().filter(|_| !wrote) {
            return Err(fatal.clone());
        }
        if self.wrote_photo {
            self.look_at_photo().await;
        }
        let Job { record, stored, before, outcomes, photo_etag, .. } = self;
        Ok(Saved { record, stored, before, outcomes, photo_etag })
    }

    /// What the PBX stored of a picture shows only at its address. A failure
    /// to look leaves it `NotLooked`; the next run looks.
    async fn look_at_photo(&mut self) {
        match self.pbx.photo(self.record.id, None).await {
            Ok(PhotoAnswer::Picture { reading, etag, .. }) => {
                self.record.fields[Field::Photo] = reading.clone();
                self.stored[Field::Photo] = reading;
                self.photo_etag = etag;
            }
            Ok(PhotoAnswer::Missing) => {
                self.record.fields[Field::Photo] = Reading::Empty;
                self.stored[Field::Photo] = Reading::Empty;
            }
            Ok(PhotoAnswer::NotModified) | Err(_) => {}
        }
    }
}

/// Whether two readings say the same.
fn same(a: &Reading, b: &Reading) -> bool {
    match (a, b) {
        (Reading::Values(a), Reading::Values(b)) => {
            a.first().zip(b.first()).is_some_and(|(a, b)| a.equivalent(b))
        }
        (Reading::Empty | Reading::Absent, Reading::Empty | Reading::Absent) => true,
        (Reading::Unusable(a), Reading::Unusable(b)) => a.raw == b.raw,
        _ => false,
    }
}

/// A PBX may quote what it was sent: at once, or when it refuses the next.
fn scrubbed(result: Result<Saved, Error>, secret: Option<&SecretString>) -> Result<Saved, Error> {
    let Some(secret) = secret.map(SecretString::expose_secret).filter(|secret| !secret.is_empty()) else {
        return result;
    };
    let scrub = |error: &mut Error| {
        if let Some(words) = error.words_mut() {
            *words = words.replace(secret, "(the SIP password)");
        }
    };
    match result {
        Ok(mut saved) => {
            saved.outcomes.iter_mut().filter_map(|(_, outcome)| outcome.as_mut().err()).for_each(scrub);
            Ok(saved)
        }
        Err(mut error) => {
            scrub(&mut error);
            Err(error)
        }
    }
}
