//! Entries as a reader sees them: what was written, and what the server works
//! out on top of it.

use super::account::Rights;
use super::dn::Dn;
use super::filter::{Filter, Subject};
use super::schema::{Attribute, Personality, Shown, class_definitions, lineage};
use super::tree::{Entry, Tick, Tree, is_child};
use jiff::Timestamp;
use ldap3_proto::{LdapPartialAttribute, LdapSearchResultEntry, LdapSearchScope};
use std::borrow::Cow;
use uuid::Uuid;

/// What holds for the whole directory.
#[derive(Debug)]
pub struct Site {
    pub personality: Personality,
    /// The suffix, in the server's spelling.
    pub base: String,
    /// The incarnation of AD's database.
    pub invocation: Uuid,
    /// Key of the naming contexts below AD's domain, which a search of the
    /// domain does not enter.
    configuration_key: String,
}

#[derive(Debug)]
pub struct View<'a> {
    pub site: &'a Site,
    pub tree: &'a Tree,
    pub rights: &'a Rights,
    pub key: &'a str,
    pub entry: &'a Entry,
}

/// A search, ready to be carried out in pieces.
#[derive(Debug)]
pub struct Query {
    pub base: String,
    pub scope: LdapSearchScope,
    pub filter: Filter,
    pub selection: Selection,
    pub types_only: bool,
}

#[derive(Debug, Default)]
pub struct Selection {
    user: bool,
    operational: bool,
    named: Vec<&'static Attribute>,
}

/// Part of an answer.
#[derive(Debug)]
pub struct Piece {
    pub entries: Vec<LdapSearchResultEntry>,
    /// Where to go on, if there is more.
    pub after: Option<String>,
}

impl Site {
    pub fn new(personality: Personality, base: String, invocation: Uuid) -> Self {
        let mut site = Site { personality, base, invocation, configuration_key: String::new() };
        site.configuration_key = Dn::parse(&site.configuration()).unwrap_or_default().key();
        site
    }

    pub fn configuration(&self) -> String {
        format!("CN=Configuration,{}", self.base)
    }

    /// Where the schema is published.
    pub fn subschema(&self) -> String {
        match self.personality {
            Personality::OpenLdap => "cn=Subschema".to_owned(),
            Personality::ActiveDirectory => format!("CN=Aggregate,CN=Schema,{}", self.configuration()),
        }
    }

    pub fn is_configuration(&self, key: &str) -> bool {
        key.starts_with(&self.configuration_key)
    }
}

impl Query {
    /// At most `entries_max` of what matches, from behind `after`.
    pub fn piece(
        &self,
        site: &Site,
        tree: &Tree,
        rights: &Rights,
        after: Option<&str>,
        entries_max: usize,
    ) -> Piece {
        let outside = !site.is_configuration(&self.base);
        let in_scope = |key: &str| match self.scope {
            LdapSearchScope::Base => key == self.base,
            LdapSearchScope::OneLevel => is_child(&self.base, key),
            LdapSearchScope::Subtree => true,
            LdapSearchScope::Children => key != self.base,
        };
        let mut piece = Piece { entries: Vec::new(), after: None };
        let mut last = None;
        for (key, entry) in self.candidates(tree, after) {
            if !in_scope(key) || (outside && site.is_configuration(key)) {
                continue;
            }
            let view = View { site, tree, rights, key, entry };
            if !self.filter.matches(&view) {
                continue;
            }
            if piece.entries.len() == entries_max {
                piece.after = last;
                break;
            }
            piece.entries.push(view.select(&self.selection, self.types_only));
            last = Some(key.to_owned());
        }
        piece
    }

    /// What could match, in the order of names, from behind `after`.
    fn candidates<'a>(
        &'a self,
        tree: &'a Tree,
        after: Option<&str>,
    ) -> Box<dyn Iterator<Item = (&'a str, &'a Entry)> + 'a> {
        let named = match &self.scope {
            LdapSearchScope::Base => Some(vec![self.base.as_str()]),
            _ => self.filter.ids().map(|ids| ids.into_iter().filter_map(|id| tree.key_of(id)).collect()),
        };
        let Some(mut keys) = named else { return Box::new(tree.below(&self.base, after)) };
        keys.retain(|key| key.starts_with(&self.base) && after.is_none_or(|after| *key > after));
        keys.sort_unstable();
        keys.dedup();
        Box::new(keys.into_iter().filter_map(|key| tree.get(key).map(|entry| (key, entry))))
    }
}

impl Selection {
    pub fn new(names: &[String], personality: Personality) -> Self {
        let mut selection = Selection { user: names.is_empty(), ..Selection::default() };
        for name in names {
            match name.as_str() {
                "*" => selection.user = true,
                "+" => selection.operational = true,
                name => selection.named.extend(personality.attribute(name)),
            }
        }
        // AD makes no difference between what people and what the server wrote.
        if personality == Personality::ActiveDirectory {
            selection.operational = selection.user;
        }
        selection
    }

    fn takes(&self, attribute: &'static Attribute) -> bool {
        match attribute.shown {
            Shown::Always if self.user => true,
            Shown::Operational if self.operational => true,
            _ => self.named.iter().any(|named| named.name == attribute.name),
        }
    }
}

impl View<'_> {
    pub fn select(&self, selection: &Selection, types_only: bool) -> LdapSearchResultEntry {
        let seen =
            |attribute: &&'static Attribute| selection.takes(attribute) && self.rights.sees(attribute.name);
        let attributes = self.site.personality.attributes().filter(seen).filter_map(|attribute| {
            let vals = self.read(attribute);
            let any = !vals.is_empty();
            let vals = if types_only { Vec::new() } else { vals.into_owned() };
            any.then(|| LdapPartialAttribute { atype: attribute.name.to_owned(), vals })
        });
        LdapSearchResultEntry { dn: self.entry.dn.clone(), attributes: attributes.collect() }
    }

    pub fn read(&self, attribute: &'static Attribute) -> Cow<'_, [Vec<u8>]> {
        let written = self.entry.get(attribute);
        if !attribute.fixed || !written.is_empty() {
            return Cow::Borrowed(written);
        }
        Cow::Owned(self.worked_out(attribute.name))
    }

    fn worked_out(&self, name: &str) -> Vec<Vec<u8>> {
        let (entry, site) = (self.entry, self.site);
        let text = match name {
            "entryDN" | "distinguishedName" => entry.dn.clone(),
            "entryUUID" => entry.id.to_string(),
            "entryCSN" => csn(entry.changed),
            "createTimestamp" => format!("{}Z", stamp(entry.created)),
            "modifyTimestamp" if site.personality == Personality::OpenLdap => {
                format!("{}Z", stamp(entry.changed))
            }
            "modifyTimestamp" | "whenChanged" => format!("{}.0Z", stamp(entry.changed)),
            "whenCreated" => format!("{}.0Z", stamp(entry.created)),
            "uSNCreated" => entry.created.usn.to_string(),
            "uSNChanged" => entry.changed.usn.to_string(),
            "structuralObjectClass" => entry.texts("objectClass").into_iter().next().unwrap_or_default(),
            "subschemaSubentry" => site.subschema(),
            "hasSubordinates" => if self.tree.has_children(self.key) { "TRUE" } else { "FALSE" }.to_owned(),
            "instanceType" => "4".to_owned(),
            "name" => rdn_value(&entry.dn),
            "objectCategory" => format!("CN={},CN=Schema,{}", self.category(), site.configuration()),
            "objectGUID" => return vec![entry.id.to_bytes_le().to_vec()],
            "replPropertyMetaData" => return vec![self.metadata()],
            "allowedAttributesEffective" => return self.writable(),
            _ => return Vec::new(),
        };
        vec![text.into_bytes()]
    }

    fn category(&self) -> &'static str {
        let classes = self.entry.texts("objectClass");
        match classes.last().map(String::as_str) {
            Some("user" | "person") => "Person",
            Some("computer") => "Computer",
            Some("organizationalUnit") => "Organizational-Unit",
            Some("group") => "Group",
            Some("domainDNS") => "Domain-DNS",
            Some("nTDSDSA") => "NTDS-DSA",
            Some("attributeSchema") => "Attribute-Schema",
            _ => "Container",
        }
    }

    fn writable(&self) -> Vec<Vec<u8>> {
        let all = self.site.personality.attributes();
        all.filter(|attribute| !attribute.fixed && self.rights.may_write(attribute.name))
            .map(|attribute| attribute.name.as_bytes().to_vec())
            .collect()
    }

    /// Version 1 of the blob: a header of four numbers, then 48 bytes for each
    /// attribute that ever had a value. The naming attribute has no record of
    /// its own; `name` stands for it.
    fn metadata(&self) -> Vec<u8> {
        const SECONDS_1601_TO_1970: i64 = 11_644_473_600;
        let number = |name: &str| self.site.personality.attribute(name).map_or(0, Attribute::attid);
        let (cn, name) = (number("cn"), number("name"));
        let mut records: Vec<_> = self.entry.records.iter().collect();
        records.sort_unstable_by_key(|record| record.attribute.attid());
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        let mut blob: Vec<u8> = [1, 0, count, 0].into_iter().flat_map(u32::to_le_bytes).collect();
        for record in records {
            let attid = record.attribute.attid();
            let seconds = record.at.us.div_euclid(1_000_000) + SECONDS_1601_TO_1970;
            blob.extend(if attid == cn { name } else { attid }.to_le_bytes());
            blob.extend(record.version.to_le_bytes());
            blob.extend(seconds.to_le_bytes());
            blob.extend(self.site.invocation.to_bytes_le());
            blob.extend(record.at.usn.to_le_bytes());
            blob.extend(record.at.usn.to_le_bytes());
        }
        blob
    }
}

impl Subject for View<'_> {
    fn values(&self, attribute: &'static Attribute) -> Cow<'_, [Vec<u8>]> {
        let values = self.read(attribute);
        // OpenLDAP stores the classes it was given, and matches those above them too.
        if attribute.name == "objectClass" && self.site.personality == Personality::OpenLdap {
            let all = values.iter().flat_map(|class| lineage(&String::from_utf8_lossy(class)));
            return all.map(|class| class.as_bytes().to_vec()).collect::<Vec<_>>().into();
        }
        values
    }

    fn chain(&self, attribute: &'static Attribute) -> Vec<Vec<u8>> {
        let mut found = self.read(attribute).into_owned();
        let mut looked_at = 0;
        while let Some(name) = found.get(looked_at) {
            looked_at += 1;
            let key = std::str::from_utf8(name).ok().and_then(Dn::parse).unwrap_or_default().key();
            let further = self.tree.get(&key).map(|entry| entry.get(attribute).to_vec()).unwrap_or_default();
            let new = further.into_iter().filter(|name| !found.contains(name)).collect::<Vec<_>>();
            found.extend(new);
        }
        found
    }
}

/// What the server says about itself at the empty name.
pub fn root_dse(site: &Site, usn: u64, now_ms: i64, names: &[String]) -> LdapSearchResultEntry {
    let base = site.base.clone();
    let common = [
        ("namingContexts", vec![base.clone()]),
        ("supportedLDAPVersion", vec!["3".to_owned()]),
        ("vendorName", vec!["Rollcall sandbox".to_owned()]),
    ];
    let own: Vec<(&str, Vec<String>)> = match site.personality {
        Personality::OpenLdap => vec![
            ("supportedControl", OPEN_CONTROLS.map(str::to_owned).to_vec()),
            ("supportedExtension", vec!["1.3.6.1.4.1.4203.1.11.3".to_owned()]),
            ("supportedFeatures", vec!["1.3.6.1.4.1.4203.1.5.1".to_owned()]),
            ("subschemaSubentry", vec![site.subschema()]),
        ],
        Personality::ActiveDirectory => {
            let configuration = site.configuration();
            let schema = format!("CN=Schema,{configuration}");
            vec![
                ("namingContexts", vec![configuration.clone(), schema.clone()]),
                ("supportedControl", AD_CONTROLS.map(str::to_owned).to_vec()),
                ("supportedCapabilities", vec!["1.2.840.113556.1.4.800".to_owned()]),
                ("defaultNamingContext", vec![base.clone()]),
                ("rootDomainNamingContext", vec![base]),
                ("schemaNamingContext", vec![schema]),
                ("subschemaSubentry", vec![site.subschema()]),
                ("dsServiceName", vec![format!("CN=NTDS Settings,CN=DC1,CN=Servers,{configuration}")]),
                ("configurationNamingContext", vec![configuration]),
                ("highestCommittedUSN", vec![usn.to_string()]),
                ("currentTime", vec![format!("{}.0Z", time_text(now_ms))]),
                ("isSynchronized", vec!["TRUE".to_owned()]),
            ]
        }
    };
    let classes = match site.personality {
        Personality::OpenLdap => vec![("objectClass", vec!["top".to_owned(), "OpenLDAProotDSE".to_owned()])],
        Personality::ActiveDirectory => Vec::new(),
    };
    // OpenLDAP takes everything but the class for operational.
    let everything = match site.personality {
        Personality::OpenLdap => names.iter().any(|name| name == "+"),
        Personality::ActiveDirectory => {
            names.is_empty() || names.iter().any(|name| name == "*" || name == "+")
        }
    };
    let by_default = |name: &str| name == "objectClass" && (names.is_empty() || asked(names, "*"));
    let mut attributes: Vec<LdapPartialAttribute> = Vec::new();
    for (name, values) in classes.into_iter().chain(common).chain(own) {
        if !(everything || asked(names, name) || by_default(name)) {
            continue;
        }
        let values = values.into_iter().map(String::into_bytes);
        match attributes.iter_mut().find(|attribute| attribute.atype == name) {
            Some(attribute) => attribute.vals.extend(values),
            None => attributes.push(LdapPartialAttribute { atype: name.to_owned(), vals: values.collect() }),
        }
    }
    LdapSearchResultEntry { dn: String::new(), attributes }
}

/// The schema, of which a client gets what it names.
pub fn subschema(site: &Site, names: &[String]) -> LdapSearchResultEntry {
    let personality = site.personality;
    let types = personality.attributes().map(|attribute| attribute.definition(personality)).collect();
    let all = [("attributeTypes", types), ("objectClasses", class_definitions(personality))];
    let named = all.into_iter().filter(|(name, _)| asked(names, name) || asked(names, "+"));
    let attributes = named.map(|(name, values): (&str, Vec<String>)| LdapPartialAttribute {
        atype: name.to_owned(),
        vals: values.into_iter().map(String::into_bytes).collect(),
    });
    LdapSearchResultEntry { dn: site.subschema(), attributes: attributes.collect() }
}

fn asked(names: &[String], name: &str) -> bool {
    names.iter().any(|asked| asked.eq_ignore_ascii_case(name))
}

pub const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
pub const ASSERTION: &str = "1.3.6.1.1.12";
pub const POST_READ: &str = "1.3.6.1.1.13.2";
pub const DOMAIN_SCOPE: &str = "1.2.840.113556.1.4.1339";
pub const MANAGE_DSA_IT: &str = "2.16.840.1.113730.3.4.2";

pub const OPEN_CONTROLS: [&str; 4] = [PAGED_RESULTS, ASSERTION, POST_READ, MANAGE_DSA_IT];
pub const AD_CONTROLS: [&str; 2] = [PAGED_RESULTS, DOMAIN_SCOPE];

/// `20260102030405`, in UTC.
pub fn time_text(ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y%m%d%H%M%S").to_string()
}

fn stamp(at: Tick) -> String {
    time_text(at.us.div_euclid(1000))
}

fn csn(at: Tick) -> String {
    format!("{}.{:06}Z#000000#001#000000", stamp(at), at.us.rem_euclid(1_000_000))
}

fn rdn_value(dn: &str) -> String {
    let dn = Dn::parse(dn).unwrap_or_default();
    dn.first().and_then(|rdn| rdn.first()).map(|(_, value)| value.clone()).unwrap_or_default()
}
