//! Looking at single people: their photo, their SIP password, where somebody
//! went who is not in scope any more, and when an attribute changed.

use crate::advice::{Doing, Refusal};
use crate::dialect::Address;
use crate::directory::{Directory, Target};
use crate::entry::Entry;
use crate::error::Error;
use crate::map::Source;
use crate::session::Query;
use crate::settings::Kind;
use crate::{dn, filter, metadata};
use ldap3_proto::proto::{LdapFilter, LdapResultCode, LdapSearchScope};
use reconcile::{AttributeChange, Field, FieldMap, PersonId, Reading, Value, Whereabouts};
use secrecy::SecretString;

impl Directory {
    /// Reads the photos of these people, one after the other. Somebody who is
    /// not found any more is `NotLooked`.
    pub async fn photos(
        &mut self,
        people: &[Target],
        each: &mut (dyn FnMut(&PersonId, Reading) + Send),
    ) -> Result<(), Error> {
        let Some(attributes) = self.attributes_of(Field::Photo) else { return Ok(()) };
        for target in people {
            let entry = self.locate(target, attributes.clone()).await?;
            let reading =
                entry.map_or(Reading::NotLooked, |entry| self.reader().lens().reading(&entry, Field::Photo));
            each(&target.id, reading);
        }
        Ok(())
    }

    /// The content of the photo that was read as `wanted`; none if the person
    /// has another one by now.
    pub async fn photo_bytes(&mut self, target: &Target, wanted: &Value) -> Result<Option<Vec<u8>>, Error> {
        self.content(target, Field::Photo, wanted).await
    }

    /// The SIP password that was read as `wanted`; none if it has changed.
    pub async fn secret(&mut self, target: &Target, wanted: &Value) -> Result<Option<SecretString>, Error> {
        let bytes = self.content(target, Field::SipPassword, wanted).await?;
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(SecretString::from))
    }

    /// Where a person is whom a complete read did not return.
    pub async fn whereabouts(&mut self, target: &Target) -> Result<Whereabouts, Error> {
        match self.search_for(target).await {
            Err(Error::Refused { refusal, .. }) => Ok(Whereabouts::Refused(refusal.to_string())),
            answer => answer,
        }
    }

    /// When each field's attribute changed last, as far as the directory
    /// tells: Active Directory does, from its replication metadata.
    pub async fn attribute_changes(
        &mut self,
        target: &Target,
    ) -> Result<FieldMap<Option<AttributeChange>>, Error> {
        const METADATA: &str = "replPropertyMetaData";
        if self.settings.kind != Kind::ActiveDirectory {
            return Ok(FieldMap::default());
        }
        let ids = self.attribute_ids().await?;
        let Some(entry) = self.locate(target, vec![METADATA.to_owned()]).await? else {
            return Err(Error::NoSuchPerson(target.id.to_string()));
        };
        let marks = self.session().await?.marks.clone();
        let stamps = entry.values(METADATA).first().map(|blob| metadata::parse(blob)).unwrap_or_default();
        let id_of =
            |name: &str| ids.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, id)| *id);
        let latest = |source: &Source| {
            let ids: Vec<u32> = source.attributes().filter_map(id_of).collect();
            let stamp =
                stamps.iter().filter(|stamp| ids.contains(&stamp.attribute)).max_by_key(|s| s.local_usn)?;
            let mark = marks.mark(&stamp.local_usn.to_string())?;
            Some(AttributeChange { time_ms: stamp.time_ms, mark })
        };
        Ok(FieldMap::from_fn(|field| self.settings.map.fields[field].as_ref().and_then(latest)))
    }

    fn attributes_of(&self, field: Field) -> Option<Vec<String>> {
        let source = self.settings.map.fields[field].as_ref()?;
        let mut names = vec![self.settings.id_attribute().to_owned()];
        names.extend(source.attributes().map(str::to_owned));
        Some(names)
    }

    async fn content(
        &mut self,
        target: &Target,
        field: Field,
        wanted: &Value,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(attributes) = self.attributes_of(field) else { return Ok(None) };
        let Some(entry) = self.locate(target, attributes).await? else {
            return Err(Error::NoSuchPerson(target.id.to_string()));
        };
        let Some(Source::Attribute(name)) = &self.settings.map.fields[field] else { return Ok(None) };
        let reader = self.reader();
        let same = |bytes: &&Vec<u8>| {
            reader.lens().value(field, bytes).is_ok_and(|value| value.canonical() == wanted.canonical())
        };
        Ok(entry.values(name).iter().find(same).cloned())
    }

    async fn search_for(&mut self, target: &Target) -> Result<Whereabouts, Error> {
        let found = match self.locate_anywhere(target).await? {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(Whereabouts::NotFound),
            Err(refusal) => return Ok(Whereabouts::Refused(refusal.to_string())),
        };
        let place = dn::parse(&found.dn).unwrap_or_default();
        let mut below = false;
        for base in self.settings.bases().to_vec() {
            let what = format!("looking at `{base}`");
            let Some(base) = self.entry(&what, Query::entry(&base, vec!["1.1".to_owned()])).await? else {
                let refusal =
                    Refusal::ours(format!("`{base}` cannot be read, so nobody can tell who is in scope"));
                return Ok(Whereabouts::Refused(refusal.to_string()));
            };
            // Both DNs are in the server's own spelling.
            below |= dn::parse(&base.dn).is_ok_and(|base| dn::within(&place, &base));
        }
        let (outside, reasons) = self.outside().await?;
        if !below || outside.excludes(&found) {
            return Ok(Whereabouts::OutOfScope { dn: found.dn });
        }
        if let Some(reason) = reasons.into_iter().next() {
            return Ok(Whereabouts::Refused(reason));
        }
        if outside.holds(&found) {
            return Ok(Whereabouts::FilteredOut { dn: found.dn });
        }
        if self.passes(target, &found, self.settings.people_filter()?).await? {
            return Ok(Whereabouts::InScope);
        }
        // Whom the filter leaves out without the groups is out for certain.
        let grouped = !self.settings.groups.is_empty();
        if grouped
            && self.passes(target, &found, self.settings.filter_without_groups()?).await?
            && let Some(why) = self.may_be_member(&found.dn).await?
        {
            return Ok(Whereabouts::Refused(why));
        }
        Ok(Whereabouts::FilteredOut { dn: found.dn })
    }

    /// Looks over the whole naming context. Where that is refused, only a
    /// person found below the domain root proves anything.
    async fn locate_anywhere(&mut self, target: &Target) -> Result<Result<Option<Entry>, Refusal>, Error> {
        let attributes = vec![self.settings.id_attribute().to_owned()];
        let base_dn = self.settings.base_dn.clone();
        let context = self.session().await?.naming_context(&base_dn);
        match self.locate_below(context.clone(), target, attributes.clone()).await {
            Err(Error::Refused { refusal, .. }) => {
                let nearer = self.locate_below(base_dn, target, attributes).await?;
                let blind = Refusal {
                    advice: format!(
                        "the account cannot search `{context}`, so nobody can tell whether this person was deleted or \
                         moved: {}",
                        refusal.advice
                    ),
                    ..refusal
                };
                Ok(nearer.map(Some).ok_or(blind))
            }
            answer => answer.map(Ok),
        }
    }

    async fn passes(&mut self, target: &Target, found: &Entry, people: LdapFilter) -> Result<bool, Error> {
        match self.settings.address() {
            Address::Guid => self.answers(&crate::directory::guid_dn(&target.id), people).await,
            Address::Scan(_) => self.answers(&found.dn, people).await,
            Address::Filter(attribute) => {
                let id = filter::equal(&attribute, target.id.as_str());
                self.answers(&found.dn, LdapFilter::And(vec![id, people])).await
            }
        }
    }

    /// The numbers of the mapped attributes in replication metadata, asked of
    /// the schema once.
    async fn attribute_ids(&mut self) -> Result<Vec<(String, u32)>, Error> {
        if let Some(ids) = &self.attribute_ids {
            return Ok(ids.clone());
        }
        let Some(schema) = self.session().await?.root.schema_dn.clone() else { return Ok(Vec::new()) };
        let names = self
            .settings
            .map
            .fields
            .iter()
            .flat_map(|(_, source)| source.iter().flat_map(Source::attributes));
        let wanted: Vec<LdapFilter> = names.map(|name| filter::equal("lDAPDisplayName", name)).collect();
        let attributes = ["lDAPDisplayName", "attributeID", "msDS-IntId"].map(str::to_owned).to_vec();
        let query = Query {
            base: schema,
            scope: LdapSearchScope::OneLevel,
            filter: LdapFilter::Or(wanted),
            attributes,
        };
        let (entries, end) = self.find(query).await?;
        if end.result.code != LdapResultCode::Success {
            let refusal = Refusal::new(&end.result, Doing::Read);
            return Err(Error::Refused { what: "reading the schema".to_owned(), refusal });
        }
        let ids: Vec<_> = entries.iter().filter_map(metadata::attribute_number).collect();
        self.attribute_ids = Some(ids.clone());
        Ok(ids)
    }
}
