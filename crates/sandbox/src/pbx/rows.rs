//! One save, row by row in the order of the PBX: user, extension, SIP account,
//! forwarding, mobile. Each changed row sends its message at once; the record
//! and the records that follow its numbers change only when all is done.

use super::events::{Event, Model};
use super::fields::Draft;
use super::state::{Employee, Forwarding, Holder, Mobile, NextRows, Sip, State};
use super::text;
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};

pub(super) struct Save<'a> {
    state: &'a mut State,
    next: NextRows,
    id: u64,
    fresh: bool,
    record: Employee,
    user_columns: Vec<&'static str>,
    /// Numbers that others have to follow: old and new.
    moved: Vec<(String, String)>,
}

impl<'a> Save<'a> {
    pub(super) fn begin(state: &'a mut State, id: Option<u64>) -> Self {
        let stored = id.and_then(|id| state.employee(id)).cloned();
        let mut next = state.next.clone();
        let fresh = stored.is_none();
        let record = stored.unwrap_or_else(|| Employee {
            id: take(&mut next.user),
            username: String::new(),
            email: String::new(),
            language: String::new(),
            avatar: String::new(),
            sip: None,
            mobile: None,
        });
        Save { next, id: record.id, fresh, record, user_columns: Vec::new(), moved: Vec::new(), state }
    }

    pub(super) fn user(&mut self, draft: &Draft) {
        let columns = &mut self.user_columns;
        assign("username", &mut self.record.username, draft.username.as_deref(), columns);
        assign("email", &mut self.record.email, draft.email.as_deref(), columns);
        assign("language", &mut self.record.language, Some("en"), columns);
        if self.fresh {
            self.state.outbox.push(Event::created(Model::Users, self.id));
            self.user_columns.clear();
        }
    }

    pub(super) fn clear_picture(&mut self) {
        self.state.pictures.remove(self.id);
        assign("avatar", &mut self.record.avatar, Some(""), &mut self.user_columns);
    }

    /// The file is written at once, whatever becomes of the rest.
    pub(super) fn set_picture(&mut self, bytes: Bytes, now_ms: i64) {
        if self.state.pictures.bytes(self.id) != Some(&bytes) {
            self.state.revision += 1;
        }
        let name = self.state.pictures.store(self.id, bytes, now_ms);
        assign("avatar", &mut self.record.avatar, Some(&name), &mut self.user_columns);
    }

    pub(super) fn lose_picture(&mut self) {
        if self.state.pictures.bytes(self.id).is_some() {
            self.state.revision += 1;
        }
        self.state.pictures.remove(self.id);
    }

    pub(super) fn end_user(&mut self) {
        let columns = std::mem::take(&mut self.user_columns);
        self.send(Event::changed(Model::Users, self.id, columns));
    }

    pub(super) fn extension(&mut self, draft: &Draft) -> Result<(), String> {
        let number = draft.number.clone().unwrap_or_default();
        self.must_be_free(&number)?;
        let index = text::search_index(&self.record.username, &self.record.email, &number);
        let callerid = text::callerid(&self.record.username);
        let Some(mut sip) = self.record.sip.take() else {
            let extension_row = take(&mut self.next.extension);
            self.state.outbox.push(Event::created(Model::Extensions, extension_row));
            self.record.sip = Some(blank_sip(number, callerid, index, extension_row));
            return Ok(());
        };
        let mut columns = Vec::new();
        if sip.number != number {
            columns.push("number");
            let noise = sip_noise(&sip, vec!["extension"]);
            self.send(Event::changed(Model::Sip, sip.sip_row, noise));
            let row = sip.forwarding.row;
            self.send(Event::changed(Model::ExtensionForwardingRights, row, vec!["extension"]));
            self.follow(&sip.number, &number, &mut sip.forwarding);
            sip.number = number;
        }
        assign("callerid", &mut sip.callerid, Some(&callerid), &mut columns);
        assign("search_index", &mut sip.search_index, Some(&index), &mut columns);
        self.send(Event::changed(Model::Extensions, sip.extension_row, columns));
        self.record.sip = Some(sip);
        Ok(())
    }

    pub(super) fn sip(&mut self, draft: &Draft) {
        let renamed = self.state.employee(self.id).is_some_and(|old| old.username != self.record.username);
        let Some(sip) = &mut self.record.sip else { return };
        let mut columns = if renamed { vec!["description"] } else { Vec::new() };
        if let Some(secret) = draft.secret.as_deref().filter(|secret| *secret != sip.secret.expose_secret()) {
            sip.secret = SecretString::from(secret);
            columns.push("secret");
        }
        assign("transport", &mut sip.transport, draft.transport.as_deref(), &mut columns);
        assign("dtmfmode", &mut sip.dtmfmode, draft.dtmfmode.as_deref(), &mut columns);
        assign("networkfilterid", &mut sip.networkfilterid, draft.networkfilterid.as_deref(), &mut columns);
        assign(
            "manualattributes",
            &mut sip.manualattributes,
            draft.manualattributes.as_deref(),
            &mut columns,
        );
        if let Some(recording) = draft.enable_recording.filter(|recording| *recording != sip.enable_recording)
        {
            sip.enable_recording = recording;
            columns.push("enableRecording");
        }
        let event = if sip.sip_row == 0 {
            sip.sip_row = take(&mut self.next.sip);
            Some(Event::created(Model::Sip, sip.sip_row))
        } else {
            Event::changed(Model::Sip, sip.sip_row, sip_noise(sip, columns))
        };
        sip.pristine &= event.is_none();
        self.send(event);
    }

    /// An omitted ring time counts as 0.
    pub(super) fn forwarding(&mut self, draft: &Draft) {
        let Some(sip) = &mut self.record.sip else { return };
        let forwarding = &mut sip.forwarding;
        let mut columns = Vec::new();
        assign("forwarding", &mut forwarding.always, draft.always.as_deref(), &mut columns);
        assign("forwardingonbusy", &mut forwarding.on_busy, draft.on_busy.as_deref(), &mut columns);
        let unavailable = draft.on_unavailable.as_deref();
        assign("forwardingonunavailable", &mut forwarding.on_unavailable, unavailable, &mut columns);
        let ringlength = draft.ringlength.unwrap_or(0);
        if forwarding.ringlength != ringlength {
            forwarding.ringlength = ringlength;
            columns.push("ringlength");
        }
        let model = Model::ExtensionForwardingRights;
        let event = if forwarding.row == 0 {
            forwarding.row = take(&mut self.next.forwarding);
            Some(Event::created(model, forwarding.row))
        } else {
            Event::changed(model, forwarding.row, columns)
        };
        self.send(event);
    }

    /// An omitted mobile is deleted.
    pub(super) fn mobile(&mut self, draft: &Draft) -> Result<(), String> {
        let number = draft.mobile.clone().unwrap_or_default();
        let stored = self.record.mobile.take();
        if number.is_empty() {
            return match stored {
                Some(mobile) => self.drop_mobile(mobile),
                None => Ok(()),
            };
        }
        self.must_be_free(&number).map_err(|error| format!("Failed to save mobile extension: {error}"))?;
        let callerid = text::callerid(&self.record.username);
        let index = text::search_index(&self.record.username, &self.record.email, &number);
        let dialstring = draft.dialstring.as_deref();
        let mobile = match stored {
            Some(mobile) => self.change_mobile(mobile, number, &callerid, &index, dialstring),
            None => {
                let dialstring = dialstring.unwrap_or_default().to_owned();
                let (extension_row, phone_row) = (take(&mut self.next.extension), take(&mut self.next.phone));
                self.state.outbox.push(Event::created(Model::Extensions, extension_row));
                self.state.outbox.push(Event::created(Model::ExternalPhones, phone_row));
                Mobile { number, dialstring, callerid, search_index: index, extension_row, phone_row }
            }
        };
        self.record.mobile = Some(mobile);
        Ok(())
    }

    pub(super) fn commit(self) -> u64 {
        for (old, new) in &self.moved {
            for id in self.state.forwarding_to(old) {
                self.state.touch(id, |employee| {
                    if let Some(sip) = &mut employee.sip {
                        sip.forwarding.follow(old, new);
                    }
                });
            }
            for reference in self.state.references.iter_mut().filter(|reference| reference.target == *old) {
                reference.target.clone_from(new);
            }
        }
        self.state.next = self.next;
        self.state.put(self.record);
        self.id
    }

    fn change_mobile(
        &mut self,
        mut mobile: Mobile,
        number: String,
        callerid: &str,
        index: &str,
        dialstring: Option<&str>,
    ) -> Mobile {
        let mut columns = Vec::new();
        if mobile.number != number {
            columns.push("number");
            self.send(Event::changed(Model::ExternalPhones, mobile.phone_row, vec!["extension"]));
            if let Some(mut sip) = self.record.sip.take() {
                self.follow(&mobile.number, &number, &mut sip.forwarding);
                self.record.sip = Some(sip);
            }
            mobile.number = number;
        }
        assign("callerid", &mut mobile.callerid, Some(callerid), &mut columns);
        assign("search_index", &mut mobile.search_index, Some(index), &mut columns);
        self.send(Event::changed(Model::Extensions, mobile.extension_row, columns));
        let mut columns = Vec::new();
        assign("dialstring", &mut mobile.dialstring, dialstring, &mut columns);
        self.send(Event::changed(Model::ExternalPhones, mobile.phone_row, columns));
        mobile
    }

    fn drop_mobile(&mut self, mobile: Mobile) -> Result<(), String> {
        let own = self.record.sip.as_ref().filter(|sip| sip.forwarding.points_at(&mobile.number));
        let own = own.map(|sip| self.record.represent(&sip.number));
        let blockers = blockers(self.state, &mobile.number, self.id, own);
        if !blockers.is_empty() {
            return Err(format!("Failed to delete mobile number: {}", blockers.join(", ")));
        }
        self.state.outbox.push(Event::deleted(Model::ExternalPhones, mobile.phone_row));
        self.state.outbox.push(Event::deleted(Model::Extensions, mobile.extension_row));
        Ok(())
    }

    /// A number may belong to this record already, in either of its rows.
    fn must_be_free(&self, number: &str) -> Result<(), String> {
        match self.state.holder(number) {
            None => Ok(()),
            Some(Holder::Employee(owner)) if owner == self.id => Ok(()),
            Some(_) => {
                let represent = self.state.represent(number).unwrap_or_default();
                Err(format!("Specified number is already used for - {represent}"))
            }
        }
    }

    /// Lets the forwarding of everybody follow a number, one's own at once.
    fn follow(&mut self, old: &str, new: &str, own: &mut Forwarding) {
        let model = Model::ExtensionForwardingRights;
        for id in self.state.forwarding_to(old) {
            if id == self.id {
                continue;
            }
            let others = self.state.employee(id).and_then(|employee| employee.sip.as_ref());
            let event = others.and_then(|sip| {
                let mut forwarding = sip.forwarding.clone();
                Event::changed(model, forwarding.row, forwarding.follow(old, new))
            });
            self.send(event);
        }
        let columns = own.follow(old, new);
        self.send(Event::changed(model, own.row, columns));
        self.moved.push((old.to_owned(), new.to_owned()));
    }

    fn send(&mut self, event: Option<Event>) {
        self.state.outbox.extend(event);
    }
}

/// What forbids to delete the number of this employee, as HTML. The employee's
/// own forwarding is told by the caller, who knows what becomes of it.
pub(super) fn blockers(state: &State, number: &str, id: u64, own: Option<String>) -> Vec<String> {
    let routing = |id: u64, represent: &str| {
        format!("Employee routing settings - <a href='/admin-cabinet/extensions/modify/{id}'>{represent}</a>")
    };
    let references = state.references.iter().filter(|reference| reference.target == number);
    let mut blockers: Vec<String> = references.map(|reference| reference.represent.clone()).collect();
    for other in state.forwarding_to(number).into_iter().filter(|other| *other != id) {
        let employee = state.employee(other);
        let represent =
            employee.and_then(|employee| Some(employee.represent(&employee.sip.as_ref()?.number)));
        blockers.push(routing(other, &represent.unwrap_or_default()));
    }
    blockers.extend(own.map(|represent| routing(id, &represent)));
    blockers.iter().map(|blocker| format!("There are references to the object - {blocker}")).collect()
}

/// A changed SIP row lists these columns too, changed or not.
fn sip_noise(sip: &Sip, mut columns: Vec<&'static str>) -> Vec<&'static str> {
    if columns.is_empty() {
        return columns;
    }
    columns.extend(["enableRecording", "weakSecret"]);
    if !sip.pristine {
        columns.push("port");
    }
    if !sip.networkfilterid.is_empty() {
        columns.push("networkfilterid");
    }
    columns
}

/// The rows 0 are made in the steps that follow.
fn blank_sip(number: String, callerid: String, search_index: String, extension_row: u64) -> Sip {
    Sip {
        number,
        callerid,
        search_index,
        secret: SecretString::from(""),
        transport: String::new(),
        dtmfmode: String::new(),
        manualattributes: String::new(),
        enable_recording: true,
        networkfilterid: String::new(),
        disabled: false,
        pristine: false,
        forwarding: Forwarding::default(),
        extension_row,
        sip_row: 0,
    }
}

fn assign(column: &'static str, field: &mut String, value: Option<&str>, columns: &mut Vec<&'static str>) {
    if let Some(value) = value.filter(|value| value != field) {
        value.clone_into(field);
        columns.push(column);
    }
}

fn take(next: &mut u64) -> u64 {
    let row = *next;
    *next += 1;
    row
}
