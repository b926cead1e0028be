//! Trying a configuration step by step, each with what was found, up to the
//! first one that fails.

use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::Error;
use crate::map::{Photo, Source};
use crate::session::{Query, Root, secured};
use crate::settings::{Kind, Security, Settings};
use reconcile::Field;
use serde::Serialize;

/// One step of the test, in words for the administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub name: &'static str,
    /// Whether a synchronisation can do with what was found. A host that fails
    /// while another one answers is told in `detail` only.
    pub ok: bool,
    pub detail: String,
}

impl Directory {
    /// Tries everything a synchronisation needs, on connections of its own.
    /// Writes nothing.
    pub async fn test(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.try_hosts(&mut steps).await {
            return steps;
        }
        let scratch = Directory::new(
            self.settings.clone(),
            self.secret.clone(),
            self.fingerprinter.clone(),
            self.dial.clone(),
            self.clock.clone(),
        );
        let tried = match scratch {
            Ok(mut scratch) => {
                let tried = scratch.try_reading(&mut steps).await;
                scratch.close().await;
                tried
            }
            Err(error) => Err(("sign-in", error)),
        };
        if let Err((name, error)) = tried {
            steps.push(Step { name, ok: false, detail: error.to_string() });
        }
        steps
    }

    /// Name, port and TLS of every host; whether at least one is fine.
    async fn try_hosts(&self, steps: &mut Vec<Step>) -> bool {
        let mut reached = None;
        for host in &self.settings.hosts {
            let outcome = secured(&*self.dial, &self.settings, self.secret.as_ref(), host).await;
            let good = |name, detail: &str| Step { name, ok: true, detail: format!("{host}: {detail}") };
            let bad = |name, error: &Error| Step { name, ok: false, detail: error.to_string() };
            let name = good("name", "the name is known");
            let port = good("port", "the server answers");
            match outcome {
                Err(error @ Error::Connect { unknown_name: true, .. }) => steps.push(bad("name", &error)),
                Err(error @ Error::Connect { .. }) => steps.extend([name, bad("port", &error)]),
                Err(error) => steps.extend([name, port, bad("tls", &error)]),
                Ok(connection) => {
                    connection.close().await;
                    reached = Some(host);
                    let protected = match self.settings.security {
                        Security::None => "not encrypted",
                        Security::StartTls | Security::Ldaps => "the certificate is trusted",
                    };
                    steps.extend([name, port, good("tls", protected)]);
                }
            }
        }
        if let Some(other) = reached {
            for step in steps.iter_mut().filter(|step| !step.ok) {
                step.ok = true;
                step.detail = format!("failed, but {other} answers: {}", step.detail);
            }
        }
        reached.is_some()
    }

    async fn try_reading(&mut self, steps: &mut Vec<Step>) -> Result<(), (&'static str, Error)> {
        let mut good = |name, detail| steps.push(Step { name, ok: true, detail });
        let kind = self.settings.kind;
        let root = &self.session().await.map_err(|error| ("sign-in", error))?.root;
        let (vendor, other_kind) = (root.vendor.clone(), other_kind(root, kind));
        good(
            "sign-in",
            format!("signed in{}", if vendor.is_empty() { String::new() } else { format!(" to {vendor}") }),
        );
        let base = self.settings.base_dn.clone();
        self.prove(&base, "the domain root").await.map_err(|error| ("domain root", error))?;
        good("domain root", format!("`{base}` can be read"));
        for ou in self.settings.ous.clone() {
            self.prove(&ou, "the subdivision").await.map_err(|error| ("subdivision", error))?;
            good("subdivision", format!("`{ou}` can be read"));
        }
        let (sample, more) = self.sample().await.map_err(|error| ("people", error))?;
        let count = sample.len();
        steps.push(Step {
            name: "people",
            ok: count > 0,
            detail: match (count, more) {
                (0, _) => format!(
                    "nobody was found: {}",
                    other_kind.as_deref().unwrap_or("check domain root, subdivisions and filter")
                ),
                (_, true) => format!("{count} people found on the first page, and there are more"),
                (_, false) => format!("{count} people found"),
            },
        });
        if let Some(entry) = sample.first() {
            steps.push(self.try_ids(&sample, other_kind.as_deref()));
            steps.push(self.try_attributes(&sample));
            steps.push(self.try_rights(entry).await.map_err(|error| ("rights", error))?);
        }
        Ok(())
    }

    /// The people of the first page of every base, and whether there are more.
    async fn sample(&mut self) -> Result<(Vec<Entry>, bool), Error> {
        let mut sample = Vec::new();
        let mut more = false;
        let filter = self.settings.people_filter()?;
        let page_size = self.settings.page_size;
        let wanted = usize::from(page_size);
        let own_dn = self.settings.own_dn();
        for base in self.settings.bases().to_vec() {
            let query = Query::below(base, filter.clone(), self.person_attributes(Photo::NotLooked));
            let mut take = |entry| {
                match sample.len() < wanted {
                    _ if Settings::is_own(own_dn.as_deref(), &entry) => {}
                    true => sample.push(entry),
                    false => more = true,
                }
                !more
            };
            let pages = self.session().await?.pages(query, page_size, &mut take).await?;
            if let (false, Some(refusal)) = (more, pages.cut_short) {
                return Err(Error::Refused { what: "reading people".to_owned(), refusal });
            }
        }
        Ok((sample, more))
    }

    /// Whether everybody can be told apart. An id the administrator chose may
    /// be missing on some, who are then left out.
    fn try_ids(&self, sample: &[Entry], other_kind: Option<&str>) -> Step {
        let attribute = self.settings.id_attribute();
        let is_the_servers = self.settings.ids_are_the_servers();
        let count = sample.iter().filter(|entry| self.settings.id_of(entry).is_some()).count();
        let detail = format!("{count} of {} people have a usable `{attribute}`", sample.len());
        let advice = match (other_kind, is_the_servers) {
            _ if count == sample.len() => return Step { name: "ids", ok: true, detail },
            (_, false) if count > 0 => "the others are left out",
            (Some(other_kind), true) => other_kind,
            (None, true) => "is the type right, and may the account read this attribute?",
            (_, false) => "is the name of the id attribute right, and may the account read it?",
        };
        Step { name: "ids", ok: count > 0 && !is_the_servers, detail: format!("{detail}: {advice}") }
    }

    /// How many of the sample have each mapped attribute.
    fn try_attributes(&self, sample: &[Entry]) -> Step {
        let mut seen = Vec::new();
        let mut never = Vec::new();
        for (field, source) in self.settings.map.fields.iter().filter(|(field, _)| *field != Field::Photo) {
            for name in source.iter().flat_map(Source::attributes) {
                let count = sample.iter().filter(|entry| !entry.values(name).is_empty()).count();
                seen.push(format!("{field} from `{name}`: {count}"));
                if count == 0 {
                    never.push(format!("`{name}`"));
                }
            }
        }
        let mut detail = format!("of {} people: {}", sample.len(), seen.join(", "));
        if !never.is_empty() {
            detail.push_str(&format!(
                "; nobody has {}: is the name right, and may the account read it?",
                never.join(", ")
            ));
        }
        Step { name: "attributes", ok: true, detail }
    }

    /// Whether the mapped attributes may be written, where the server tells.
    async fn try_rights(&mut self, person: &Entry) -> Result<Step, Error> {
        const EFFECTIVE: &str = "allowedAttributesEffective";
        let step = |ok, detail| Ok(Step { name: "rights", ok, detail });
        if self.settings.kind != Kind::ActiveDirectory {
            return step(
                true,
                "this kind of server does not tell what may be written: the first write will".to_owned(),
            );
        }
        let query = Query::entry(&person.dn, vec![EFFECTIVE.to_owned()]);
        let allowed = self.entry("asking for rights", query).await?;
        let may = |name: &str| {
            let allowed = allowed.as_ref();
            allowed.is_some_and(|entry| entry.texts(EFFECTIVE).any(|one| one.eq_ignore_ascii_case(name)))
        };
        let sources = self.settings.map.fields.iter().filter_map(|(_, source)| source.as_ref()?.writable());
        let (yes, no): (Vec<&str>, Vec<&str>) = sources.partition(|name| may(name));
        let refused = |which: String| {
            format!(
                "{which}: give the account the right to write them, unless these fields shall only be read from \
                 the directory"
            )
        };
        let (yes, no) = (yes.join(", "), no.join(", "));
        match (yes.is_empty(), no.is_empty()) {
            (true, true) => step(true, "no attribute is mapped that could be written".to_owned()),
            (false, true) => step(true, format!("may write {yes}")),
            (true, false) => step(false, refused(format!("may not write {no}"))),
            (false, false) => step(false, refused(format!("may write {yes}, but not {no}"))),
        }
    }
}

/// What to say if the server is of another kind than it is set to be.
fn other_kind(root: &Root, kind: Kind) -> Option<String> {
    let seen = match (root.looks_like?, kind) {
        (seen, kind) if seen == kind => return None,
        (Kind::Ds389, Kind::FreeIpa) => return None,
        (Kind::Ds389, _) => "389ds or freeipa",
        (seen, _) => seen.as_str(),
    };
    Some(format!("is the type {kind} right? this looks like {seen}"))
}
