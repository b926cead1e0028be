//! A signed-in connection and what its server says about itself.

use crate::advice::{Doing, Refusal};
use crate::connection::{Connection, REFERENCES_MAX, SearchEnd};
use crate::dial::{Dial, LDAPI, Stream};
use crate::dialect::MarkSpace;
use crate::discover::Server;
use crate::entry::Entry;
use crate::error::Error;
use crate::settings::{Kind, Security, Settings, SignIn};
use crate::{dn, filter, tls};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindCred, LdapDerefAliases, LdapFilter, LdapResultCode, LdapSearchRequest, LdapSearchScope,
};
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret, SecretString};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TLS_TIMEOUT: Duration = Duration::from_secs(15);
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(30);
/// A server that gives nothing but empty pages is given up after so many.
const EMPTY_PAGES_MAX: usize = 1000;
/// Entries that are kept of a search for a handful.
const FOUND_MAX: usize = 1000;

const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// Active Directory: no search references to other domains.
const DOMAIN_SCOPE: &str = "1.2.840.113556.1.4.1339";

/// What to look for, and where.
#[derive(Clone, Debug)]
pub struct Query {
    pub base: String,
    pub scope: LdapSearchScope,
    pub filter: LdapFilter,
    pub attributes: Vec<String>,
}

impl Query {
    pub fn entry(dn: impl Into<String>, attributes: Vec<String>) -> Self {
        Query { base: dn.into(), scope: LdapSearchScope::Base, filter: filter::any_entry(), attributes }
    }

    pub fn children(dn: impl Into<String>, filter: LdapFilter, attributes: Vec<String>) -> Self {
        Query { base: dn.into(), scope: LdapSearchScope::OneLevel, filter, attributes }
    }

    pub fn below(dn: impl Into<String>, filter: LdapFilter, attributes: Vec<String>) -> Self {
        Query { base: dn.into(), scope: LdapSearchScope::Subtree, filter, attributes }
    }
}

/// How a paged search ended.
#[derive(Debug)]
pub struct Pages {
    /// Why something may be missing; none when the server proved the end.
    pub cut_short: Option<Refusal>,
    pub references: Vec<String>,
}

#[derive(Debug)]
pub struct Session {
    pub connection: Connection,
    pub root: Root,
    pub marks: MarkSpace,
    /// How far the directory's clock is ahead of ours, where it tells.
    pub skew_ms: Option<i64>,
}

/// The server's own entry, as far as we need it.
#[derive(Debug, Default)]
pub struct Root {
    pub naming_contexts: Vec<String>,
    /// The context Active Directory keeps its people in.
    pub default_context: Option<String>,
    pub subschema_dn: Option<String>,
    controls: Vec<String>,
    current_time_ms: Option<i64>,
    settings_dn: Option<String>,
    pub schema_dn: Option<String>,
    pub vendor: String,
    /// The kind of server it looks like.
    pub looks_like: Option<Kind>,
}

impl Session {
    /// Connects, secures, signs in and asks the server who it is.
    pub async fn open(
        dial: &dyn Dial,
        settings: &Settings,
        secret: Option<&SecretString>,
        server: &Server,
        now_ms: impl Fn() -> i64 + Send,
    ) -> Result<Self, Error> {
        let mut connection = secured(dial, settings, secret, server).await?;
        sign_in(&mut connection, settings, secret).await?;
        let root = Root::read(&mut connection).await?;
        let skew_ms = root.current_time_ms.map(|theirs| theirs - now_ms());
        let mut session = Session { connection, root, marks: MarkSpace(None), skew_ms };
        session.marks = session.mark_space(settings.kind).await?;
        Ok(session)
    }

    /// The naming context a DN lies in, or the DN itself if the server does
    /// not say.
    pub fn naming_context(&self, base_dn: &str) -> String {
        let Ok(base) = dn::parse(base_dn) else { return base_dn.to_owned() };
        let parsed = self.root.naming_contexts.iter().filter_map(|name| Some((name, dn::parse(name).ok()?)));
        let around = parsed.filter(|(_, parts)| !parts.is_empty() && dn::within(&base, parts));
        around
            .max_by_key(|(_, parts)| parts.len())
            .map_or_else(|| base_dn.to_owned(), |(name, _)| name.clone())
    }

    /// One search without paging, for at most a handful of entries.
    pub async fn find(&mut self, query: Query) -> Result<(Vec<Entry>, SearchEnd), Error> {
        self.find_with(query, Vec::new()).await
    }

    /// The same, with controls of its own.
    pub async fn find_with(
        &mut self,
        query: Query,
        mut controls: Vec<LdapControl>,
    ) -> Result<(Vec<Entry>, SearchEnd), Error> {
        let mut entries = Vec::new();
        controls.extend(self.search_controls());
        let mut take = |entry| {
            entries.push(Entry::from(entry));
            entries.len() < FOUND_MAX
        };
        let end = self.connection.search(request(query), controls, &mut take).await?;
        Ok((entries, end))
    }

    /// The entry with this DN; none if there is no such entry.
    pub async fn entry(&mut self, what: &str, query: Query) -> Result<Option<Entry>, Error> {
        let (mut entries, end) = self.find(query).await?;
        match end.result.code {
            LdapResultCode::Success => Ok(entries.pop()),
            LdapResultCode::NoSuchObject => Ok(None),
            _ => {
                Err(Error::Refused { what: what.to_owned(), refusal: Refusal::new(&end.result, Doing::Read) })
            }
        }
    }

    /// A search in pages, each entry handed over as it arrives. `each` says
    /// whether it wants more.
    pub async fn pages(
        &mut self,
        query: Query,
        page_size: u16,
        each: &mut (dyn FnMut(Entry) -> bool + Send),
    ) -> Result<Pages, Error> {
        let paged = self.root.controls.iter().any(|oid| oid == PAGED_RESULTS);
        let mut references = Vec::new();
        let mut cookie = Vec::new();
        let mut empty_pages = 0;
        loop {
            let mut controls = self.search_controls();
            if paged {
                controls.push(LdapControl::SimplePagedResults { size: i64::from(page_size), cookie });
            }
            let (mut wanted, mut count) = (true, 0_usize);
            let mut take = |entry| {
                count += 1;
                wanted = each(Entry::from(entry));
                wanted
            };
            let end = self.connection.search(request(query.clone()), controls, &mut take).await?;
            references.extend(end.references);
            references.truncate(REFERENCES_MAX);
            empty_pages = if count == 0 { empty_pages + 1 } else { 0 };
            let next = end.controls.into_iter().find_map(|control| match control {
                LdapControl::SimplePagedResults { cookie, .. } => Some(cookie),
                _ => None,
            });
            cookie = next.unwrap_or_default();
            let cut_short = match end.result.code {
                LdapResultCode::Success if !wanted => Some(Refusal::ours("we stopped at our own limit")),
                LdapResultCode::Success if empty_pages > EMPTY_PAGES_MAX => {
                    Some(Refusal::ours("the server gives page after page without anybody on it"))
                }
                LdapResultCode::Success if cookie.is_empty() => None,
                LdapResultCode::Success if paged => continue,
                // Asked again without its cookie, it would begin at the beginning.
                LdapResultCode::Success => {
                    Some(Refusal::ours("the server gave a first page, and does not say that it has pages"))
                }
                _ => Some(Refusal::new(&end.result, Doing::Read)),
            };
            return Ok(Pages { cut_short, references });
        }
    }

    fn search_controls(&self) -> Vec<LdapControl> {
        match self.root.controls.iter().any(|oid| oid == DOMAIN_SCOPE) {
            true => {
                vec![LdapControl::Unknown { oid: DOMAIN_SCOPE.to_owned(), criticality: false, value: None }]
            }
            false => Vec::new(),
        }
    }

    async fn mark_space(&mut self, kind: Kind) -> Result<MarkSpace, Error> {
        let settings_dn = match (kind, &self.root.settings_dn) {
            (Kind::OpenLdap, _) => return Ok(MarkSpace(None)),
            (Kind::Ds389 | Kind::FreeIpa, _) => {
                return Ok(MarkSpace(Some(self.connection.address().to_owned())));
            }
            (Kind::ActiveDirectory, None) => return Ok(MarkSpace(None)),
            (Kind::ActiveDirectory, Some(dn)) => dn.clone(),
        };
        let query = Query::entry(settings_dn, vec!["invocationId".to_owned()]);
        let (entries, _) = self.find(query).await?;
        let id = entries
            .first()
            .and_then(|entry| entry.values("invocationId").first()?.as_slice().try_into().ok());
        Ok(MarkSpace(id.map(|bytes| Uuid::from_bytes_le(bytes).to_string())))
    }
}

impl Root {
    async fn read(connection: &mut Connection) -> Result<Self, Error> {
        let attributes = [
            "namingContexts",
            "defaultNamingContext",
            "subschemaSubentry",
            "supportedControl",
            "currentTime",
            "dsServiceName",
            "schemaNamingContext",
            "vendorName",
            "vendorVersion",
            "forestFunctionality",
            "structuralObjectClass",
        ];
        let query = Query::entry("", attributes.map(str::to_owned).to_vec());
        let mut root = Root::default();
        let mut take = |entry| {
            let entry = Entry::from(entry);
            let all = |name| entry.texts(name).map(str::to_owned).collect::<Vec<_>>();
            root = Root {
                naming_contexts: all("namingContexts"),
                default_context: entry.text("defaultNamingContext").map(str::to_owned),
                subschema_dn: entry.text("subschemaSubentry").map(str::to_owned),
                controls: all("supportedControl"),
                current_time_ms: entry.time_ms("currentTime"),
                settings_dn: entry.text("dsServiceName").map(str::to_owned),
                schema_dn: entry.text("schemaNamingContext").map(str::to_owned),
                vendor: [all("vendorName"), all("vendorVersion")].concat().join(", "),
                looks_like: Kind::of_root(&entry),
            };
            true
        };
        // A server that hides its own entry is read without extras.
        connection.search(request(query), Vec::new(), &mut take).await?;
        Ok(root)
    }
}

/// A connection up to and including TLS.
pub async fn secured(
    dial: &dyn Dial,
    settings: &Settings,
    secret: Option<&SecretString>,
    Server { host, port }: &Server,
) -> Result<Connection, Error> {
    let (stream, address) = reached(dial, host, *port, settings.security).await?;
    if settings.security == Security::None {
        return Ok(Connection::new(stream, address));
    }
    let handshake = timeout(TLS_TIMEOUT, tls::wrap(stream, bare(host), settings, secret));
    match handshake.await.unwrap_or_else(|_| Err(tls::Failure::silent())) {
        Ok(stream) => Ok(Connection::new(stream, address)),
        Err(tls::Failure { why, seen }) => Err(Error::Tls { address, why, seen }),
    }
}

/// The certificate that a server shows. Nothing is sent but what TLS takes to
/// see it; nobody is trusted.
pub async fn shown(
    dial: &dyn Dial,
    host: &str,
    port: u16,
    security: Security,
) -> Result<CertificateDer<'static>, Error> {
    let (stream, address) = reached(dial, host, port, security).await?;
    let handshake = timeout(TLS_TIMEOUT, tls::look(stream, bare(host)));
    let shown = handshake.await.unwrap_or_else(|_| Err(tls::Failure::silent()));
    shown.map_err(|tls::Failure { why, seen }| Error::Tls { address, why, seen })
}

/// A stream that is ready for TLS, where there is to be any, and the address
/// it leads to.
async fn reached(
    dial: &dyn Dial,
    host: &str,
    port: u16,
    security: Security,
) -> Result<(Box<dyn Stream>, String), Error> {
    let address = match host.starts_with(LDAPI) {
        true => host.to_owned(),
        false => format!("{host}:{port}"),
    };
    let failed = |why: String, unknown_name| Error::Connect { address: address.clone(), why, unknown_name };
    let stream = match timeout(CONNECT_TIMEOUT, dial.dial(bare(host), port)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(failed(connect_words(&error), error.kind() == ErrorKind::NotFound)),
        Err(_) => {
            return Err(failed(
                format!(
                    "no answer for {} seconds: check address, port and firewall",
                    CONNECT_TIMEOUT.as_secs()
                ),
                false,
            ));
        }
    };
    if security != Security::StartTls {
        return Ok((stream, address));
    }
    let plain = Connection::new(stream, address.clone());
    let silent = || Error::Tls { address: address.clone(), why: tls::Failure::silent().why, seen: None };
    let stream =
        timeout(TLS_TIMEOUT, plain.start_tls()).await.map_err(|_| silent())?.map_err(maybe_tls_port)?;
    Ok((stream, address))
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

pub async fn sign_in(
    connection: &mut Connection,
    settings: &Settings,
    secret: Option<&SecretString>,
) -> Result<(), Error> {
    let address = connection.address().to_owned();
    let bind = async {
        match (&settings.sign_in, secret) {
            (SignIn::External, _) => connection.bind_external().await,
            (SignIn::Simple { dn }, Some(password)) if !password.expose_secret().is_empty() => {
                connection.bind(LdapBindCred::Simple(password.expose_secret().to_owned()), dn).await
            }
            // A name with an empty password would sign in as nobody, and succeed.
            (SignIn::Simple { .. }, _) => Err(Error::Settings("the password is missing".to_owned())),
        }
    };
    let late = || Error::Lost { address, why: "no answer to the sign-in for 30 seconds".to_owned() };
    let signed_in = timeout(SIGN_IN_TIMEOUT, bind).await.map_err(|_| late())?;
    match settings.security {
        Security::None => signed_in.map_err(maybe_tls_port),
        Security::StartTls | Security::Ldaps => signed_in,
    }
}

/// A TLS port hangs up on whoever speaks plainly.
fn maybe_tls_port(error: Error) -> Error {
    match error {
        Error::Lost { address, why } => {
            Error::Lost { address, why: format!("{why}: if this is the port for LDAPS, choose LDAPS") }
        }
        other => other,
    }
}

fn connect_words(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("the name is unknown: check the server address ({error})"),
        ErrorKind::ConnectionRefused => {
            "the connection was refused: no directory server listens there; check the port".to_owned()
        }
        ErrorKind::TimedOut => "no answer: check address, port and firewall".to_owned(),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            "there is no way to this address: check network and address".to_owned()
        }
        _ => error.to_string(),
    }
}

fn request(query: Query) -> LdapSearchRequest {
    LdapSearchRequest {
        base: query.base,
        scope: query.scope,
        aliases: LdapDerefAliases::Never,
        sizelimit: 0,
        timelimit: 0,
        typesonly: false,
        filter: query.filter,
        attrs: query.attributes,
    }
}
