//! Writing a person's values: one modify for all of them, guarded so that an
//! edit somebody made since we read is never lost.
//!
//! A value is exchanged by deleting the old one and adding the new one, which
//! every server refuses if the old one is gone; the other values of the
//! attribute stay. What guards an empty attribute differs by server, see
//! [`EmptyGuard`]. Every request is preceded by a fresh look at the entry and
//! followed by one. What was stored is reported from the answer's post-read where
//! the server knows it (RFC 4527), and from that last look where it does not.

use crate::advice::{Doing, Refusal};
use crate::connection::Modified;
use crate::controls;
use crate::dialect::EmptyGuard;
use crate::directory::{Directory, Target};
use crate::entry::Entry;
use crate::error::Error;
use crate::filter;
use crate::map::{Photo, Source};
use crate::settings::Kind;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{LdapFilter, LdapModify, LdapModifyType, LdapPartialAttribute, LdapResultCode};
use reconcile::{Field, Person, Reading, Value};
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use uuid::Uuid;

/// Modify requests for one person in one run.
pub const REQUESTS_MAX: usize = 6;

/// What a field shall say.
#[derive(Clone)]
pub enum Content {
    Text(String),
    Photo(Vec<u8>),
    Secret(SecretString),
}

/// One change: `before` is the value the read gave, none if there was none;
/// `after` none clears it.
#[derive(Clone, Debug)]
pub struct Write {
    pub field: Field,
    pub before: Option<Value>,
    pub after: Option<Content>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Carried out, or already so. What the field says now.
    Stored(Reading),
    /// Somebody was there since we read; nothing was overwritten. What the
    /// field says now.
    Stale(Reading),
    Refused(Refusal),
    /// The connection died after the request was sent: only the next read
    /// will tell.
    Unknown(String),
    /// The server cannot be reached any more; nothing was written.
    Gone(Error),
}

#[derive(Clone, Debug, Default)]
pub struct WriteReport {
    /// One for every change.
    pub outcomes: Vec<(Field, Outcome)>,
    /// The person as they were read after the last request.
    pub person: Option<Person>,
}

impl Directory {
    /// Writes the changes. Refused as a whole, they are tried one by one, the
    /// extension first, with at most [`REQUESTS_MAX`] requests.
    pub async fn write(&mut self, target: &Target, changes: &[Write]) -> WriteReport {
        let mut job = Job::default();
        let mut writable: Vec<&Write> = Vec::new();
        for change in changes {
            match self.attribute(change.field) {
                Ok(_) => writable.push(change),
                Err(refusal) => job.settle(change.field, Outcome::Refused(refusal)),
            }
        }
        job.batches.push_back(writable);
        while let Some(batch) = job.batches.pop_front() {
            if let Err(error) = self.attempt(target, &batch, &mut job).await {
                let advice = format!("nothing was written: {error}");
                job.settle_all(
                    &batch,
                    &match error.is_gone() {
                        true => Outcome::Gone(error),
                        false => Outcome::Refused(Refusal { advice, ..refusal_of(&error) }),
                    },
                );
            }
        }
        job.report
    }

    /// One round: look, decide, send, look. An error means that nothing was
    /// sent in it.
    async fn attempt<'w>(
        &mut self,
        target: &Target,
        batch: &[&'w Write],
        job: &mut Job<'w>,
    ) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let entry = self.look(target, batch).await?;
        let csn = entry.text(ENTRY_CSN).map(str::to_owned);
        let mut request = Request { csn, ..Default::default() };
        for change in batch {
            match self.prepare(&entry, change, job.replacing) {
                Prepared::Settled(outcome) => job.settle(change.field, outcome),
                Prepared::Change(mods) => request.add(change, mods),
            }
        }
        if request.changes.is_empty() {
            job.report.person = self.reader().person(&entry).map(|(person, _)| person);
            return Ok(());
        }
        if job.requests == REQUESTS_MAX {
            let enough =
                Refusal::ours("the limit of six requests for one person was reached before this one");
            job.settle_all(&request.changes, &Outcome::Refused(enough));
            return Ok(());
        }
        job.requests += 1;
        let controls = self.guards(target, &request);
        let dn = self.target_dn(&entry);
        match self.send(&dn, request.mods.clone(), controls).await {
            Err(error) => job.settle_all(&request.changes, &Outcome::Unknown(error.to_string())),
            Ok(answer) if answer.result.code == LdapResultCode::Success => {
                self.confirm(target, &dn, &request, &answer, job).await;
            }
            Ok(answer) => self.refused(target, request, &answer, job).await,
        }
        Ok(())
    }

    /// The entry as it is now, with all that guards and reports need.
    async fn look(&mut self, target: &Target, batch: &[&Write]) -> Result<Entry, Error> {
        let photo = match batch.iter().any(|change| change.field == Field::Photo) {
            true => Photo::Wanted,
            false => Photo::NotLooked,
        };
        let mut attributes = self.person_attributes(photo);
        if self.settings.kind == Kind::ActiveDirectory && !attributes.iter().any(|name| name == OBJECT_GUID) {
            attributes.push(OBJECT_GUID.to_owned());
        }
        let entry = self.locate(target, attributes).await?;
        entry.ok_or_else(|| Error::NoSuchPerson(target.id.to_string()))
    }

    fn prepare(&self, entry: &Entry, change: &Write, replacing: bool) -> Prepared {
        let Ok(attribute) = self.attribute(change.field) else { return Prepared::Change(Vec::new()) };
        let values: Vec<&Vec<u8>> =
            entry.values(attribute).iter().filter(|value| !value.is_empty()).collect();
        let after = change.after.as_ref().map(Content::bytes);
        let already = after.is_some_and(|after| values.iter().any(|value| value.as_slice() == after));
        let old = change.before.as_ref().and_then(|before| {
            values.iter().copied().find(|value| self.is_value(change.field, value, before))
        });
        let reading = || self.reader().lens().reading(entry, change.field);
        match (&change.before, old, after) {
            // Wanted and there, or unwanted and gone: an equal value is never written.
            (None, _, Some(_)) if already => Prepared::Settled(Outcome::Stored(reading())),
            (Some(_), None, Some(_)) if already => Prepared::Settled(Outcome::Stored(reading())),
            (_, None, None) if values.is_empty() => Prepared::Settled(Outcome::Stored(reading())),
            (Some(_), Some(old), Some(after)) if old == after => {
                Prepared::Settled(Outcome::Stored(reading()))
            }
            // Not what we read.
            (Some(_), None, _) => Prepared::Settled(Outcome::Stale(reading())),
            (None, _, _) if !values.is_empty() => Prepared::Settled(Outcome::Stale(reading())),
            (_, old, after) if old.is_some() && self.replaces(change.field, replacing) => {
                if entry.text(ENTRY_CSN).is_none() {
                    let unguarded = "`entryCSN` cannot be read, and without it nothing protects this value: \
                                     let the account read it";
                    return Prepared::Settled(Outcome::Refused(Refusal::ours(unguarded)));
                }
                let others = values.iter().copied().filter(|value| Some(*value) != old).cloned();
                let set: Vec<_> = others.chain(after.filter(|_| !already).map(<[u8]>::to_vec)).collect();
                Prepared::Change(vec![modification(LdapModifyType::Replace, attribute, set)])
            }
            (_, old, after) => {
                let delete =
                    old.map(|old| modification(LdapModifyType::Delete, attribute, vec![old.clone()]));
                let add = after.filter(|_| !already);
                let add = add.map(|new| modification(LdapModifyType::Add, attribute, vec![new.to_vec()]));
                Prepared::Change(delete.into_iter().chain(add).collect())
            }
        }
    }

    /// The controls that keep a request from hitting another entry or an
    /// attribute that is not as we saw it, and that bring what it stored.
    fn guards(&self, target: &Target, request: &Request<'_>) -> Vec<LdapControl> {
        let guard = self.settings.kind.empty_guard();
        if guard == EmptyGuard::Add {
            return Vec::new();
        }
        let touched: BTreeSet<&str> =
            request.mods.iter().map(|one| one.modification.atype.as_str()).collect();
        let mut controls = vec![controls::post_read(&touched.into_iter().collect::<Vec<_>>())];
        if guard == EmptyGuard::Assertion {
            let mut all = vec![filter::equal(self.settings.id_attribute(), target.id.as_str())];
            let absent = |name: &&str| LdapFilter::Not(Box::new(LdapFilter::Present((*name).to_owned())));
            all.extend(request.filled().iter().map(absent));
            if let (true, Some(csn)) = (request.replaces(), &request.csn) {
                all.push(filter::equal(ENTRY_CSN, csn));
            }
            controls.push(controls::assertion(LdapFilter::And(all)));
        }
        controls
    }

    async fn send(
        &mut self,
        dn: &str,
        mods: Vec<LdapModify>,
        controls: Vec<LdapControl>,
    ) -> Result<Modified, Error> {
        self.session().await?.connection.modify(dn, mods, controls).await
    }

    /// Reports what a success stored: what its answer says, where the server
    /// says it, for until we look somebody may have been there. A value that
    /// came to stand beside another one in an attribute we took for empty is
    /// taken back.
    async fn confirm(
        &mut self,
        target: &Target,
        dn: &str,
        request: &Request<'_>,
        answer: &Modified,
        job: &mut Job<'_>,
    ) {
        let after = match self.look(target, &request.changes).await {
            Ok(entry) => entry,
            Err(error) => {
                let lost =
                    Outcome::Unknown(format!("it was carried out, but could not be read back: {error}"));
                return job.settle_all(&request.changes, &lost);
            }
        };
        let at_once = controls::post_read_entry(&answer.controls);
        let witness = at_once.as_ref().unwrap_or(&after);
        let filled = request.filled();
        // Where emptiness was asserted, a second value came after ours.
        let asserted = self.settings.kind.empty_guard() == EmptyGuard::Assertion;
        for change in &request.changes {
            let Ok(attribute) = self.attribute(change.field).map(str::to_owned) else { continue };
            let crowded =
                !asserted && filled.contains(&attribute.as_str()) && witness.values(&attribute).len() > 1;
            let outcome = match &change.after {
                Some(ours) if crowded => {
                    let back = modification(LdapModifyType::Delete, &attribute, vec![ours.bytes().to_vec()]);
                    self.take_back(target, dn, change, back).await
                }
                _ => Outcome::Stored(self.reader().lens().reading(witness, change.field)),
            };
            job.settle(change.field, outcome);
        }
        job.report.person = self.reader().person(&after).map(|(person, _)| person);
    }

    async fn take_back(&mut self, target: &Target, dn: &str, change: &Write, back: LdapModify) -> Outcome {
        let unknown = |error: Error| {
            Outcome::Unknown(format!("two values met, and ours could not be taken back: {error}"))
        };
        match self.send(dn, vec![back], Vec::new()).await {
            Err(error) => unknown(error),
            Ok(_) => match self.look(target, &[change]).await {
                Err(error) => unknown(error),
                Ok(entry) => Outcome::Stale(self.reader().lens().reading(&entry, change.field)),
            },
        }
    }

    /// Sorts out a refusal: another way, one by one, somebody else's edit, or
    /// a refusal to report.
    async fn refused<'w>(
        &mut self,
        target: &Target,
        request: Request<'w>,
        answer: &Modified,
        job: &mut Job<'w>,
    ) {
        let no_equality_rule = answer.result.code == LdapResultCode::InappropriateMatching;
        if no_equality_rule && self.settings.kind == Kind::OpenLdap && !job.replacing {
            job.replacing = true;
            return job.batches.push_front(request.changes);
        }
        if is_about_the_server(&answer.result.code) {
            let refusal = Refusal::new(&answer.result, Doing::Write("the entry"));
            return job.settle_all(&request.changes, &Outcome::Refused(refusal));
        }
        let [change] = request.changes[..] else {
            let mut singles = request.changes;
            singles.sort_by_key(|change| change.field != Field::Extension);
            return job.batches.extend(singles.into_iter().map(|change| vec![change]));
        };
        let attribute = self.attribute(change.field).unwrap_or_default().to_owned();
        let refusal = Refusal::new(&answer.result, Doing::Write(&attribute));
        let may_be_stale = matches!(
            answer.result.code,
            LdapResultCode::NoSuchAttribute
                | LdapResultCode::AttributeOrValueExists
                | LdapResultCode::AssertionFailed
        );
        let moved = match may_be_stale {
            true => self.look(target, &[change]).await.ok(),
            false => None,
        };
        // 16 tells nothing: Samba answers it for an attribute it does not know.
        let is_filled = answer.result.code != LdapResultCode::NoSuchAttribute;
        let outcome = match moved.map(|entry| self.prepare(&entry, change, job.replacing)) {
            Some(Prepared::Settled(outcome)) => outcome,
            // Still empty to us, and still not to the server.
            Some(Prepared::Change(_)) if change.before.is_none() && is_filled => {
                let advice = format!(
                    "`{attribute}` looks empty to the account, but the server holds a value there: let the account read it"
                );
                Outcome::Refused(Refusal { advice, ..refusal })
            }
            _ => Outcome::Refused(refusal),
        };
        job.settle(change.field, outcome);
    }

    /// The attribute a field is written to, or why it cannot be.
    fn attribute(&self, field: Field) -> Result<&str, Refusal> {
        let source = self.settings.map.fields[field].as_ref();
        let source =
            source.ok_or_else(|| Refusal::ours(format!("the {field} is not mapped to any attribute")))?;
        source.writable().ok_or_else(|| {
            Refusal::ours(match source {
                Source::Attribute(name) => format!("`{name}` is the entry's name and is never written"),
                _ => format!("the {field} is made from `{source}` and cannot be written back"),
            })
        })
    }

    /// Whether these stored bytes are the value that was read. Text that has no
    /// canonical form is known by its spelling: a human may exchange it.
    fn is_value(&self, field: Field, bytes: &[u8], before: &Value) -> bool {
        match (field, self.reader().lens().value(field, bytes)) {
            (Field::Photo | Field::SipPassword, value) => {
                value.is_ok_and(|value| value.canonical() == before.canonical())
            }
            (_, Ok(value)) => value.raw() == before.raw(),
            (_, Err(_)) => bytes == before.raw().as_bytes(),
        }
    }

    /// Whether this field is exchanged by replacing the whole attribute under
    /// the entry's mark: slapd cannot compare pictures.
    fn replaces(&self, field: Field, replacing: bool) -> bool {
        self.settings.kind == Kind::OpenLdap && (replacing || field == Field::Photo)
    }

    fn target_dn(&self, entry: &Entry) -> String {
        let guid = entry.values(OBJECT_GUID).first().and_then(|bytes| bytes.as_slice().try_into().ok());
        match (self.settings.kind, guid) {
            (Kind::ActiveDirectory, Some(guid)) => format!("<GUID={}>", Uuid::from_bytes_le(guid)),
            _ => entry.dn.clone(),
        }
    }
}

const OBJECT_GUID: &str = "objectGUID";
const ENTRY_CSN: &str = "entryCSN";

enum Prepared {
    /// No request is needed.
    Settled(Outcome),
    Change(Vec<LdapModify>),
}

/// All changes of one person, under way.
#[derive(Default)]
struct Job<'w> {
    report: WriteReport,
    batches: VecDeque<Vec<&'w Write>>,
    requests: usize,
    /// Attributes are replaced under the entry's mark from now on.
    replacing: bool,
}

impl Job<'_> {
    fn settle(&mut self, field: Field, outcome: Outcome) {
        if !self.report.outcomes.iter().any(|(settled, _)| *settled == field) {
            self.report.outcomes.push((field, outcome));
        }
    }

    fn settle_all(&mut self, changes: &[&Write], outcome: &Outcome) {
        for change in changes {
            self.settle(change.field, outcome.clone());
        }
    }
}

/// One modify under construction.
#[derive(Default)]
struct Request<'w> {
    changes: Vec<&'w Write>,
    mods: Vec<LdapModify>,
    /// The mark the entry had when we looked.
    csn: Option<String>,
}

impl<'w> Request<'w> {
    fn add(&mut self, change: &'w Write, mods: Vec<LdapModify>) {
        self.changes.push(change);
        self.mods.extend(mods);
    }

    /// Attributes that get their first value.
    fn filled(&self) -> Vec<&str> {
        let touched = |kind: LdapModifyType, name: &str| {
            self.mods.iter().any(|one| one.operation == kind && one.modification.atype == name)
        };
        let added = self.mods.iter().filter(|one| one.operation == LdapModifyType::Add);
        let names = added.map(|one| one.modification.atype.as_str());
        names.filter(|name| !touched(LdapModifyType::Delete, name)).collect()
    }

    fn replaces(&self) -> bool {
        self.mods.iter().any(|one| one.operation == LdapModifyType::Replace)
    }
}

impl Content {
    fn bytes(&self) -> &[u8] {
        match self {
            Content::Text(text) => text.as_bytes(),
            Content::Photo(bytes) => bytes,
            Content::Secret(secret) => secret.expose_secret().as_bytes(),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Text(text) => write!(f, "Text({text:?})"),
            Content::Photo(bytes) => write!(f, "Photo({} bytes)", bytes.len()),
            Content::Secret(_) => f.write_str("Secret"),
        }
    }
}

fn modification(operation: LdapModifyType, attribute: &str, vals: Vec<Vec<u8>>) -> LdapModify {
    LdapModify { operation, modification: LdapPartialAttribute { atype: attribute.to_owned(), vals } }
}

/// Refusals that trying attribute by attribute would only repeat.
fn is_about_the_server(code: &LdapResultCode) -> bool {
    use LdapResultCode as Code;
    matches!(
        code,
        Code::Busy
            | Code::Unavailable
            | Code::Referral
            | Code::NoSuchObject
            | Code::TimeLimitExceeded
            | Code::AdminLimitExceeded
            | Code::StrongerAuthRequired
            | Code::ConfidentialityRequired
    )
}

fn refusal_of(error: &Error) -> Refusal {
    match error {
        Error::Refused { refusal, .. } | Error::SignIn { refusal, .. } => refusal.clone(),
        other => Refusal::ours(other.to_string()),
    }
}
