//! Trying a configuration step by step, each with what was found, up to the
//! first one that fails.

use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::Error;
use crate::map::{Photo, Source};
use crate::session::{Query, secured};
use crate::settings::{Kind, Security};
use reconcile::Field;
use serde::Serialize;

/// One step of the test, in words for the administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub name: &'static str,
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
        let mut reached = false;
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
                    reached = true;
                    let protected = match self.settings.security {
                        Security::None => "not encrypted",
                        Security::StartTls | Security::Ldaps => "the certificate is trusted",
                    };
                    steps.extend([name, port, good("tls", protected)]);
                }
            }
        }
        reached
    }

    async fn try_reading(&mut self, steps: &mut Vec<Step>) -> Result<(), (&'static str, Error)> {
        let mut good = |name, detail| steps.push(Step { name, ok: true, detail });
        let vendor = self.session().await.map_err(|error| ("sign-in", error))?.root.vendor.clone();
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
                (0, _) => "nobody was found: check domain root, subdivisions and filter".to_owned(),
                (_, true) => format!("{count} people found on the first page, and there are more"),
                (_, false) => format!("{count} people found"),
            },
        });
        steps.push(self.try_attributes(&sample));
        if let Some(entry) = sample.first() {
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
        for base in self.settings.bases().to_vec() {
            let query = Query::below(base, filter.clone(), self.person_attributes(Photo::NotLooked));
            let mut take = |entry| {
                match sample.len() < wanted {
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
        let list = |names: &[&str]| match names {
            [] => "nothing".to_owned(),
            names => names.join(", "),
        };
        match no.is_empty() {
            true => step(true, format!("may write {}", list(&yes))),
            false => step(
                false,
                format!(
                    "may write {}, but not {}: needed only if these fields shall be written to the directory",
                    list(&yes),
                    list(&no)
                ),
            ),
        }
    }
}
