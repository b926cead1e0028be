//! The subdivisions of a directory, for somebody who chooses among them.

use crate::advice::Refusal;
use crate::dial::Dial;
use crate::directory::{Directory, open};
use crate::error::Error;
use crate::session::Query;
use crate::settings::{Kind, Settings};
use crate::{dn, filter};
use effects::Clock;
use ldap3_proto::proto::LdapFilter;
use secrecy::SecretString;
use serde::Serialize;
use std::sync::Arc;

/// Children of one entry that are listed; further ones are left out.
pub const SUBDIVISIONS_MAX: usize = 500;

/// Classes whose entries hold others.
const CLASSES: [&str; 10] = [
    "organizationalUnit",
    "organization",
    "container",
    "nsContainer",
    "builtinDomain",
    "domain",
    "domainDNS",
    "dcObject",
    "locality",
    "country",
];

/// Contexts in which nobody looks for people.
const OWN_AFFAIRS: [&str; 7] = [
    "cn=config",
    "cn=schema",
    "cn=changelog",
    "cn=accesslog",
    "cn=monitor",
    "cn=configuration",
    "o=netscaperoot",
];

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subdivision {
    pub dn: String,
    /// Its own name, without what stands above it.
    pub name: String,
    pub has_subdivisions: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// In the order of their names.
    pub subdivisions: Vec<Subdivision>,
    /// Whether there are more than are listed.
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamingContexts {
    /// Where people most likely are.
    pub suggested: Option<String>,
    pub all: Vec<String>,
}

impl Directory {
    /// The subdivisions right below an entry.
    pub async fn subdivisions(&mut self, parent: &str) -> Result<Branch, Error> {
        self.prove(parent, "the subdivision").await?;
        let (children, more) = self.some_children(parent, SUBDIVISIONS_MAX).await?;
        let mut subdivisions = Vec::with_capacity(children.len());
        for dn in children {
            let has_subdivisions = !self.some_children(&dn, 1).await?.0.is_empty();
            let name = dn::own_name(&dn).unwrap_or_else(|| dn.clone());
            subdivisions.push(Subdivision { dn, name, has_subdivisions });
        }
        subdivisions.sort_by_cached_key(|one| (one.name.to_lowercase(), one.dn.clone()));
        Ok(Branch { subdivisions, more })
    }

    /// At most so many of the subdivisions right below an entry, and whether
    /// there are more.
    async fn some_children(&mut self, parent: &str, max: usize) -> Result<(Vec<String>, bool), Error> {
        let query = Query::children(parent, subdivisions(self.settings.kind), vec!["1.1".to_owned()]);
        // One more than wanted tells that there are more.
        let page_size = self.settings.page_size.min(u16::try_from(max + 1).unwrap_or(u16::MAX));
        let mut found = Vec::new();
        let mut more = false;
        let mut take = |entry: crate::entry::Entry| {
            match found.len() < max {
                true => found.push(entry.dn),
                false => more = true,
            }
            !more
        };
        let pages = self.session().await?.pages(query, page_size, &mut take).await?;
        match pages.cut_short {
            // The server's limit: what it gave is shown.
            Some(refusal) if !more && found.is_empty() => {
                Err(Error::Refused { what: format!("listing what is below `{parent}`"), refusal })
            }
            cut_short => Ok((found, more || cut_short.is_some())),
        }
    }
}

/// The naming contexts of a server, for somebody who has not chosen a domain
/// root yet: of the settings only the connection and the sign-in count.
pub async fn naming_contexts(
    settings: &Settings,
    secret: Option<&SecretString>,
    dial: &dyn Dial,
    clock: &Arc<dyn Clock>,
) -> Result<NamingContexts, Error> {
    settings.check_connection()?;
    let (session, _) = open(dial, clock, settings, secret, None).await?;
    let root = &session.root;
    let first = |text: &str| dn::parse(text).ok()?.into_iter().next();
    let for_people = |text: &&String| {
        first(text).is_some_and(|name| {
            !OWN_AFFAIRS.contains(&name.as_str())
                && !name.starts_with("dc=domaindnszones")
                && !name.starts_with("dc=forestdnszones")
        })
    };
    let mut all: Vec<String> = root.naming_contexts.iter().filter(for_people).cloned().collect();
    all.dedup();
    let suggested = root.default_context.clone().or_else(|| all.first().cloned());
    session.connection.close().await;
    match all.is_empty() && suggested.is_none() {
        true => Err(Error::Refused {
            what: "looking for domain roots".to_owned(),
            refusal: Refusal::ours("the server does not name any: write the domain root yourself"),
        }),
        false => Ok(NamingContexts { suggested, all }),
    }
}

fn subdivisions(kind: Kind) -> LdapFilter {
    let any = LdapFilter::Or(CLASSES.map(|class| filter::equal("objectClass", class)).to_vec());
    match kind {
        // What Active Directory keeps for itself is marked.
        Kind::ActiveDirectory => {
            let hidden = filter::equal("showInAdvancedViewOnly", "TRUE");
            LdapFilter::And(vec![any, LdapFilter::Not(Box::new(hidden))])
        }
        _ => any,
    }
}
