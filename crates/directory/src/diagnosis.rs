//! Trying a configuration step by step, each with what was found, up to the
//! first one that fails.

use crate::directory::Directory;
use crate::discover::{Server, servers};
use crate::entry::Entry;
use crate::error::Error;
use crate::map::{Photo, Source};
use crate::rights::{self, MayWrite};
use crate::session::{Root, secured};
use crate::settings::{Kind, Security};
use crate::step::{Step, StepName};
use reconcile::Field;

impl Directory {
    /// Tries everything a synchronisation needs, on connections of its own.
    /// Writes nothing. Steps behind the first failure that others stand on are
    /// there as not reached.
    pub async fn test(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.try_servers(&mut steps).await {
            self.try_service(&mut steps).await;
        }
        let tried = |name: &StepName| steps.iter().any(|step| step.name == *name);
        let missing = StepName::ALL.into_iter().filter(|name| name.concerns(&self.settings) && !tried(name));
        let missing: Vec<Step> = missing.map(Step::not_reached).collect();
        steps.extend(missing);
        steps
    }

    /// What can be tried with a host that answers.
    async fn try_service(&self, steps: &mut Vec<Step>) {
        let scratch = Directory::new(
            self.settings.clone(),
            self.secret.clone(),
            self.fingerprinter.clone(),
            self.dial.clone(),
            self.clock.clone(),
        );
        let tried = match scratch {
            Ok(mut scratch) => {
                let tried = scratch.try_reading(steps).await;
                scratch.close().await;
                tried
            }
            Err(error) => Err((StepName::SignIn, error)),
        };
        if let Err((name, error)) = tried {
            steps.push(Step::new(name, false, error.to_string()));
        }
    }

    /// Name, port and TLS of every server; whether at least one is fine.
    async fn try_servers(&self, steps: &mut Vec<Step>) -> bool {
        let servers = match servers(&*self.dial, &self.settings).await {
            Ok(servers) => servers,
            Err(error) => {
                steps.push(Step::new(StepName::Domain, false, error.to_string()));
                return false;
            }
        };
        if let Some(domain) = &self.settings.domain {
            let named: Vec<String> =
                servers.iter().map(|Server { host, port }| format!("{host}:{port}")).collect();
            let detail = format!("{domain} names {}", named.join(", "));
            steps.push(Step::new(StepName::Domain, true, detail));
        }
        let mut reached = None;
        for server in servers {
            let outcome = secured(&*self.dial, &self.settings, self.secret.as_ref(), &server).await;
            let host = server.host;
            let good = |name, detail: &str| Step::new(name, true, format!("{host}: {detail}"));
            let bad = |name, error: &Error| Step::new(name, false, error.to_string());
            let name = good(StepName::Name, "the name is known");
            let port = good(StepName::Port, "the server answers");
            match outcome {
                Err(error @ Error::Connect { unknown_name: true, .. }) => {
                    steps.push(bad(StepName::Name, &error))
                }
                Err(error @ Error::Connect { .. }) => steps.extend([name, bad(StepName::Port, &error)]),
                Err(error) => steps.extend([name, port, bad(StepName::Tls, &error)]),
                Ok(connection) => {
                    connection.close().await;
                    reached = Some(host.clone());
                    let protected = match self.settings.security {
                        Security::None => "not encrypted",
                        Security::StartTls | Security::Ldaps => "the certificate is trusted",
                    };
                    steps.extend([name, port, good(StepName::Tls, protected)]);
                }
            }
        }
        if let Some(other) = &reached {
            for step in steps.iter_mut().filter(|step| !step.is_ok()) {
                *step = Step::new(step.name, true, format!("failed, but {other} answers: {}", step.detail));
            }
        }
        reached.is_some()
    }

    async fn try_reading(&mut self, steps: &mut Vec<Step>) -> Result<(), (StepName, Error)> {
        let mut good = |name, detail| steps.push(Step::new(name, true, detail));
        let kind = self.settings.kind;
        let root = &self.session().await.map_err(|error| (StepName::SignIn, error))?.root;
        let (vendor, other_kind) = (root.vendor.clone(), other_kind(root, kind));
        good(
            StepName::SignIn,
            format!("signed in{}", if vendor.is_empty() { String::new() } else { format!(" to {vendor}") }),
        );
        let base = self.settings.base_dn.clone();
        self.prove(&base, "the domain root").await.map_err(|error| (StepName::DomainRoot, error))?;
        good(StepName::DomainRoot, format!("`{base}` can be read"));
        for ou in self.settings.ous.clone() {
            self.prove(&ou, "the subdivision").await.map_err(|error| (StepName::Subdivision, error))?;
            good(StepName::Subdivision, format!("`{ou}` can be read"));
        }
        for dn in self.settings.exclude.clone() {
            self.prove(&dn, "the excluded subdivision")
                .await
                .map_err(|error| (StepName::Subdivision, error))?;
            good(StepName::Subdivision, format!("`{dn}` is left out"));
        }
        for group in self.settings.groups.clone() {
            let step = self.try_group(&group).await.map_err(|error| (StepName::Groups, error))?;
            let ok = step.is_ok();
            steps.push(step);
            if !ok {
                return Ok(());
            }
        }
        let (wanted, attributes) =
            (usize::from(self.settings.page_size), self.person_attributes(Photo::NotLooked));
        let (sample, more) =
            self.some_people(wanted, attributes).await.map_err(|error| (StepName::People, error))?;
        let count = sample.len();
        steps.push(Step::new(
            StepName::People,
            count > 0,
            match (count, more) {
                (0, _) => format!(
                    "nobody was found: {}",
                    other_kind.as_deref().unwrap_or("check domain root, subdivisions and filter")
                ),
                (_, true) => format!("{count} people found on the first page, and there are more"),
                (_, false) => format!("{count} people found"),
            },
        ));
        if let Some(entry) = sample.first() {
            steps.push(self.try_ids(&sample, other_kind.as_deref()));
            steps.push(self.try_attributes(&sample));
            steps.push(self.try_rights(entry).await.map_err(|error| (StepName::Rights, error))?);
        }
        Ok(())
    }

    /// Whether a group can be read, and whether its members' entries say that
    /// they are members: people are searched by what their entries say.
    async fn try_group(&mut self, group: &str) -> Result<Step, Error> {
        self.prove(group, "the group").await?;
        let contradiction = self.contradiction(group).await?;
        let contradiction = contradiction
            .map_err(|refusal| Error::Refused { what: format!("the group `{group}`"), refusal })?;
        if let Some(why) = contradiction {
            return Ok(Step::new(StepName::Groups, false, why));
        }
        let detail = match (self.has_members(group).await?, self.settings.kind) {
            (true, _) => format!("`{group}` can be read"),
            (false, Kind::ActiveDirectory) => format!(
                "`{group}` has no members that we may see; a primary group such as Domain Users does not count its \
                 people"
            ),
            (false, _) => format!("`{group}` has no members that we may see"),
        };
        Ok(Step::new(StepName::Groups, true, detail))
    }

    /// Whether everybody can be told apart. An id the administrator chose may
    /// be missing on some, who are then left out.
    fn try_ids(&self, sample: &[Entry], other_kind: Option<&str>) -> Step {
        let attribute = self.settings.id_attribute();
        let is_the_servers = self.settings.ids_are_the_servers();
        let count = sample.iter().filter(|entry| self.settings.id_of(entry).is_some()).count();
        let detail = format!("{count} of {} people have a usable `{attribute}`", sample.len());
        let advice = match (other_kind, is_the_servers) {
            _ if count == sample.len() => return Step::new(StepName::Ids, true, detail),
            (_, false) if count > 0 => "the others are left out",
            (Some(other_kind), true) => other_kind,
            (None, true) => "is the type right, and may the account read this attribute?",
            (_, false) => "is the name of the id attribute right, and may the account read it?",
        };
        Step::new(StepName::Ids, count > 0 && !is_the_servers, format!("{detail}: {advice}"))
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
        Step::new(StepName::Attributes, true, detail)
    }

    /// Whether the mapped attributes may be written, where the server tells.
    async fn try_rights(&mut self, person: &Entry) -> Result<Step, Error> {
        let rights = self.rights(&person.dn).await?;
        let yes = rights::names(&rights, |may| *may == MayWrite::Yes);
        let no = rights::names(&rights, |may| *may == MayWrite::No);
        let unknown = rights.iter().find_map(|right| match &right.may_write {
            MayWrite::Unknown(why) => Some(why),
            MayWrite::Yes | MayWrite::No => None,
        });
        let refused = |which: String| {
            format!(
                "{which}: give the account the right to write them, unless these fields shall only be read from \
                 the directory"
            )
        };
        let detail = match (yes.is_empty(), no.is_empty(), unknown) {
            (true, true, Some(why)) => why.clone(),
            (true, true, None) => "no attribute is mapped that could be written".to_owned(),
            (false, true, _) => format!("may write {yes}"),
            (true, false, _) => refused(format!("may not write {no}")),
            (false, false, _) => refused(format!("may write {yes}, but not {no}")),
        };
        Ok(Step::new(StepName::Rights, no.is_empty(), detail))
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
