//! One directory: a session that is opened when needed and kept, and finding
//! single people by their id.

use crate::advice::{Doing, Refusal};
use crate::connection::SearchEnd;
use crate::dial::Dial;
use crate::dialect::{Address, MarkSpace, account};
use crate::discover::{Server, servers};
use crate::entry::Entry;
use crate::error::Error;
use crate::filter;
use crate::map::{Lens, Photo};
use crate::session::{Query, Session};
use crate::settings::{Settings, SignIn};
use crate::snapshot::PEOPLE_MAX;
use effects::Clock;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{LdapFilter, LdapResultCode};
use reconcile::canonical::Fingerprinter;
use reconcile::{Person, PersonId};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::Arc;

/// A person as a request names them: by id, with the DN they were last seen
/// under as a hint; empty where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub id: PersonId,
    pub dn: String,
}

impl From<&Person> for Target {
    fn from(person: &Person) -> Self {
        Target { id: person.id.clone(), dn: person.dn.to_string() }
    }
}

pub struct Directory {
    pub(crate) settings: Settings,
    pub(crate) secret: Option<SecretString>,
    pub(crate) fingerprinter: Fingerprinter,
    pub(crate) dial: Arc<dyn Dial>,
    pub(crate) clock: Arc<dyn Clock>,
    session: Option<Session>,
    /// Who answered last; it is tried first.
    sticky: Option<Server>,
    /// How the mapped attributes are numbered in replication metadata.
    pub(crate) attribute_ids: Option<Vec<(String, u32)>>,
}

impl Directory {
    /// `secret` is the password, or the private key of the client certificate.
    pub fn new(
        settings: Settings,
        secret: Option<SecretString>,
        fingerprinter: Fingerprinter,
        dial: Arc<dyn Dial>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        settings.check()?;
        let password_missing = secret.as_ref().is_none_or(|secret| secret.expose_secret().is_empty());
        if matches!(settings.sign_in, SignIn::Simple { .. }) && password_missing {
            return Err(Error::Settings("the password is missing".to_owned()));
        }
        Ok(Directory {
            settings,
            secret,
            fingerprinter,
            dial,
            clock,
            session: None,
            sticky: None,
            attribute_ids: None,
        })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How far the directory's clock is ahead of ours, where it was measured
    /// (Active Directory, at sign-in).
    pub fn skew_ms(&self) -> Option<i64> {
        self.session.as_ref().and_then(|session| session.skew_ms)
    }

    /// The person as the directory has them now, without their photo's
    /// content; none if no entry has this id.
    pub async fn person(&mut self, target: &Target) -> Result<Option<Person>, Error> {
        let attributes = self.person_attributes(Photo::NotLooked);
        let entry = self.locate(target, attributes).await?;
        Ok(entry.and_then(|entry| self.reader().person(&entry)).map(|(person, _)| person))
    }

    /// Ends the session politely.
    pub async fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.connection.close().await;
        }
    }

    /// A session that is believed to work, with the hosts tried in turn.
    pub(crate) async fn session(&mut self) -> Result<&mut Session, Error> {
        if self.session.as_ref().is_some_and(|session| session.connection.is_broken()) {
            self.session = None;
        }
        if self.session.is_none() {
            let first = self.sticky.as_ref();
            let (session, server) =
                open(&*self.dial, &self.clock, &self.settings, self.secret.as_ref(), first).await?;
            self.session = Some(session);
            self.sticky = Some(server);
        }
        Ok(self.session.as_mut().expect("it was opened above"))
    }

    /// A small search. A connection that died while idle is replaced once.
    pub(crate) async fn find(&mut self, query: Query) -> Result<(Vec<Entry>, SearchEnd), Error> {
        self.find_with(query, Vec::new()).await
    }

    /// The same, with controls of its own.
    pub(crate) async fn find_with(
        &mut self,
        query: Query,
        controls: Vec<LdapControl>,
    ) -> Result<(Vec<Entry>, SearchEnd), Error> {
        match self.session().await?.find_with(query.clone(), controls.clone()).await {
            Err(error) if error.is_lost() => self.session().await?.find_with(query, controls).await,
            answer => answer,
        }
    }

    pub(crate) async fn entry(&mut self, what: &str, query: Query) -> Result<Option<Entry>, Error> {
        match self.session().await?.entry(what, query.clone()).await {
            Err(error) if error.is_lost() => self.session().await?.entry(what, query).await,
            answer => answer,
        }
    }

    /// Finds one entry by id, below the domain root.
    pub(crate) async fn locate(
        &mut self,
        target: &Target,
        attributes: Vec<String>,
    ) -> Result<Option<Entry>, Error> {
        let base = self.settings.base_dn.clone();
        self.locate_below(base, target, attributes).await
    }

    pub(crate) async fn locate_below(
        &mut self,
        base: String,
        target: &Target,
        attributes: Vec<String>,
    ) -> Result<Option<Entry>, Error> {
        let known_place = Some(&target.dn).filter(|dn| !dn.is_empty());
        let what = format!("looking up {}", known_place.map_or(target.id.as_str(), String::as_str));
        match self.settings.address() {
            Address::Guid => self.entry(&what, Query::entry(guid_dn(&target.id), attributes)).await,
            Address::Filter(attribute) => {
                let query = Query::below(&base, filter::equal(&attribute, target.id.as_str()), attributes);
                let (mut entries, end) = self.find(query).await?;
                if end.result.code != LdapResultCode::Success {
                    let refusal = Refusal::new(&end.result, Doing::Read);
                    return Err(Error::Refused { what, refusal });
                }
                if entries.len() > 1 {
                    let refusal = Refusal::ours(format!(
                        "several entries have the {attribute} `{}`: choose an id attribute whose values are unique",
                        target.id
                    ));
                    return Err(Error::Refused { what, refusal });
                }
                Ok(entries.pop())
            }
            Address::Scan(attribute) => {
                let mut hinted = None;
                if let Some(dn) = known_place {
                    let query = Query::entry(dn, attributes.clone());
                    hinted = self.entry(&what, query).await.or_else(|error| match error.code() {
                        // The hint was no DN any more; the scan below decides.
                        Some(_) => Ok(None),
                        None => Err(error),
                    })?;
                }
                match hinted.filter(|entry| self.settings.id_of(entry).as_ref() == Some(&target.id)) {
                    Some(entry) => Ok(Some(entry)),
                    None => self.scan(&what, base, &attribute, target, attributes).await,
                }
            }
        }
    }

    /// Looks at everybody who has the id attribute.
    async fn scan(
        &mut self,
        what: &str,
        base: String,
        attribute: &str,
        target: &Target,
        attributes: Vec<String>,
    ) -> Result<Option<Entry>, Error> {
        let settings = self.settings.clone();
        let has_id = LdapFilter::Present(attribute.to_owned());
        let query = Query::below(base, has_id, vec![attribute.to_owned()]);
        let mut found = None;
        let mut entries = 0;
        let mut compare = |entry: Entry| {
            entries += 1;
            if settings.id_of(&entry).as_ref() == Some(&target.id) {
                found = Some(entry.dn);
            }
            entries < PEOPLE_MAX
        };
        let pages = self.session().await?.pages(query, settings.page_size, &mut compare).await?;
        match (found, pages.cut_short) {
            (Some(dn), _) => self.entry(what, Query::entry(dn, attributes)).await,
            (None, None) => Ok(None),
            (None, Some(refusal)) => Err(Error::Refused { what: what.to_owned(), refusal }),
        }
    }

    pub(crate) fn person_attributes(&self, photo: Photo) -> Vec<String> {
        let mut names = self.settings.own_attributes();
        for name in self.settings.map.attributes(photo) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                names.push(name);
            }
        }
        names
    }

    /// What turns an entry of the present session into a person.
    pub(crate) fn reader(&self) -> Reader<'_> {
        let session = self.session.as_ref();
        Reader {
            settings: &self.settings,
            fingerprinter: &self.fingerprinter,
            marks: session.map_or(MarkSpace(None), |session| session.marks.clone()),
            now_ms: self.clock.now_ms() + session.and_then(|session| session.skew_ms).unwrap_or(0),
        }
    }

    /// The session together with the reader of its entries.
    pub(crate) async fn reading(&mut self) -> Result<(&mut Session, Reader<'_>), Error> {
        self.session().await?;
        let now_ms = self.clock.now_ms();
        let session = self.session.as_mut().expect("it was opened above");
        let reader = Reader {
            settings: &self.settings,
            fingerprinter: &self.fingerprinter,
            marks: session.marks.clone(),
            now_ms: now_ms + session.skew_ms.unwrap_or(0),
        };
        Ok((session, reader))
    }
}

/// A session with one of the servers, tried in turn from `first` on.
pub(crate) async fn open(
    dial: &dyn Dial,
    clock: &Arc<dyn Clock>,
    settings: &Settings,
    secret: Option<&SecretString>,
    first: Option<&Server>,
) -> Result<(Session, Server), Error> {
    let mut servers = servers(dial, settings).await?;
    let at = servers.iter().position(|server| Some(server) == first).unwrap_or_default();
    servers.rotate_left(at);
    let mut failure = Error::Settings("the server address is missing".to_owned());
    for server in servers {
        let clock = clock.clone();
        match Session::open(dial, settings, secret, &server, move || clock.now_ms()).await {
            Ok(session) => return Ok((session, server)),
            // Wrong everywhere, and asking everywhere would lock the account.
            Err(error @ (Error::SignIn { .. } | Error::Settings(_))) => return Err(error),
            Err(error) => {
                tracing::info!(%error, "directory host does not answer");
                failure = error;
            }
        }
    }
    Err(failure)
}

/// Turns entries into people.
pub(crate) struct Reader<'a> {
    settings: &'a Settings,
    fingerprinter: &'a Fingerprinter,
    marks: MarkSpace,
    /// Now, by the directory's clock.
    now_ms: i64,
}

impl Reader<'_> {
    /// An entry as a person, and when their account will expire; none if it
    /// has no id we may read.
    pub fn person(&self, entry: &Entry) -> Option<(Person, Option<i64>)> {
        let settings = self.settings;
        let (account, expires_ms) = account(settings.kind, &settings.map, entry, self.now_ms);
        let person = Person {
            id: settings.id_of(entry)?,
            dn: entry.dn.as_str().into(),
            account,
            fields: self.lens().readings(entry, Photo::NotLooked),
            mark: settings.mark_of(entry, &self.marks),
            modified_ms: settings.modified_ms(entry),
        };
        Some((person, expires_ms))
    }

    pub fn lens(&self) -> Lens<'_> {
        Lens {
            map: &self.settings.map,
            region: self.settings.region.as_deref(),
            fingerprinter: self.fingerprinter,
        }
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("hosts", &self.settings.hosts)
            .field("domain", &self.settings.domain)
            .finish_non_exhaustive()
    }
}

/// The DN that names an entry by its objectGUID.
pub(crate) fn guid_dn(id: &PersonId) -> String {
    format!("<GUID={id}>")
}
