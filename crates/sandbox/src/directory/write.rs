//! Modify, add, rename and delete, with each server's own refusals. A request
//! is done as a whole or not at all.

use super::account::Rights;
use super::dn::Dn;
use super::filter::Filter;
use super::schema::{Attribute, Personality, Shape, lineage, violation};
use super::tree::{Attributes, Entry, Tick, Tree, identity, position, put};
use super::view::{Site, View};
use ldap3_proto::LdapPartialAttribute;
use ldap3_proto::LdapResultCode::{self as Code, *};
use ldap3_proto::proto::{LdapModify, LdapModifyDNRequest, LdapModifyType, LdapResult};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A result other than success, in the server's words.
#[derive(Debug)]
pub struct Refusal {
    pub code: Code,
    pub text: String,
    pub matched: String,
}

/// Somebody writing at some moment.
#[derive(Debug)]
pub struct Writer<'a> {
    pub site: &'a Site,
    pub tree: &'a mut Tree,
    pub rights: &'a Rights,
    pub at: Tick,
}

impl Refusal {
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Refusal { code, text: text.into(), matched: String::new() }
    }

    pub fn into_result(self) -> LdapResult {
        LdapResult { code: self.code, matcheddn: self.matched, message: self.text, referral: Vec::new() }
    }
}

/// The entry a request names: by DN, or on AD by `<GUID=…>`.
pub fn find(site: &Site, tree: &Tree, name: &str) -> Result<String, Refusal> {
    if let Some(guid) = name.strip_prefix("<GUID=").and_then(|rest| rest.strip_suffix('>'))
        && site.personality == Personality::ActiveDirectory
    {
        let bad = || Refusal::new(InvalidDNSyntax, "invalid GUID");
        let id = parse_guid(guid).ok_or_else(bad)?;
        return tree
            .key_of(id)
            .map(str::to_owned)
            .ok_or_else(|| Refusal::new(NoSuchObject, "no such object"));
    }
    let dn = parse(name)?;
    let key = dn.key();
    match tree.get(&key) {
        Some(_) => Ok(key),
        None => Err(Refusal { matched: tree.deepest(&dn).to_owned(), ..Refusal::new(NoSuchObject, "") }),
    }
}

pub fn parse(name: &str) -> Result<Dn, Refusal> {
    Dn::parse(name).ok_or_else(|| Refusal::new(InvalidDNSyntax, "invalid DN"))
}

/// Dashed, or as the plain hexadecimal digits of the stored bytes.
fn parse_guid(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    Some(if text.contains('-') { id } else { Uuid::from_bytes_le(id.into_bytes()) })
}

impl Writer<'_> {
    /// Says whether any value changed.
    pub fn modify(
        &mut self,
        name: &str,
        changes: &[LdapModify],
        assertion: Option<&Filter>,
    ) -> Result<bool, Refusal> {
        let personality = self.site.personality;
        let changes: Vec<Change> =
            changes.iter().map(|change| Change::check(personality, change)).collect::<Result<_, _>>()?;
        let key = find(self.site, self.tree, name)?;
        let entry = self.entry(&key)?;
        if let Some(assertion) = assertion {
            let view = View { site: self.site, tree: self.tree, rights: self.rights, key: &key, entry };
            if !assertion.matches(&view) {
                return Err(Refusal::new(AssertionFailed, ""));
            }
        }
        if let Some(change) = changes.iter().find(|change| !self.rights.may_write(change.attribute.name)) {
            return Err(Refusal::new(
                InsufficentAccessRights,
                format!("no write access to {}", change.attribute.name),
            ));
        }
        let mut attributes = entry.attributes.clone();
        for change in &changes {
            change.apply(personality, &mut attributes)?;
        }
        self.check_naming(entry, &changes, &attributes)?;
        check_whole(personality, &attributes)?;
        let always = personality == Personality::OpenLdap;
        Ok(self.tree.update(&key, attributes, self.at, always))
    }

    pub fn add(&mut self, dn: &Dn, given: &[LdapPartialAttribute], id: Uuid) -> Result<(), Refusal> {
        let personality = self.site.personality;
        let mut attributes = Attributes::new();
        for attribute in given {
            let change = Change::new(personality, Kind::Add, attribute)?;
            change.apply(personality, &mut attributes)?;
        }
        for (name, value) in dn.first().into_iter().flatten() {
            let attribute = known(personality, name)?;
            let mut values = values_of(&attributes, attribute).to_vec();
            if position(attribute, &values, value.as_bytes()).is_none() {
                values.push(value.clone().into_bytes());
            }
            put(&mut attributes, attribute, values);
        }
        if personality == Personality::ActiveDirectory {
            complete(personality, &mut attributes)?;
        }
        check_whole(personality, &attributes)?;
        self.check_place(dn)?;
        self.check_shaping()?;
        self.tree.insert(dn, id, attributes, self.at);
        Ok(())
    }

    pub fn rename(&mut self, request: &LdapModifyDNRequest) -> Result<(), Refusal> {
        let personality = self.site.personality;
        let new_rdn = parse(&request.newrdn)?.first().cloned();
        let new_rdn = new_rdn.ok_or_else(|| Refusal::new(InvalidDNSyntax, "empty name"))?;
        let key = find(self.site, self.tree, &request.dn)?;
        let entry = self.entry(&key)?;
        let old = Dn::parse(&entry.dn).unwrap_or_default();
        let parent = match &request.new_superior {
            None => old.parent(),
            Some(parent) => {
                let parent = find(self.site, self.tree, parent)
                    .map_err(|refusal| Refusal { text: "new superior not found".to_owned(), ..refusal })?;
                if parent.starts_with(&key) {
                    return Err(Refusal::new(UnwillingToPerform, "an entry cannot move below itself"));
                }
                Dn::parse(&self.entry(&parent)?.dn).unwrap_or_default()
            }
        };
        let target = parent.child(new_rdn.clone());
        let mut attributes = entry.attributes.clone();
        if request.deleteoldrdn {
            rename_values(personality, &mut attributes, old.first().into_iter().flatten(), false)?;
        }
        rename_values(personality, &mut attributes, new_rdn.iter(), true)?;
        check_whole(personality, &attributes)?;
        if target.key() != key {
            self.check_place(&target)?;
        }
        self.check_shaping()?;
        self.tree.update(&key, attributes, self.at, true);
        self.tree.rename(&key, &target, self.at);
        Ok(())
    }

    pub fn delete(&mut self, name: &str) -> Result<(), Refusal> {
        let key = find(self.site, self.tree, name)?;
        self.check_shaping()?;
        if self.tree.has_children(&key) {
            return Err(Refusal::new(NotAllowedOnNonLeaf, "subordinate objects must be deleted first"));
        }
        self.tree.remove(&key);
        Ok(())
    }

    fn entry(&self, key: &str) -> Result<&Entry, Refusal> {
        self.tree.get(key).ok_or_else(|| Refusal::new(NoSuchObject, ""))
    }

    fn check_shaping(&self) -> Result<(), Refusal> {
        match self.rights.may_shape_the_tree() {
            true => Ok(()),
            false => Err(Refusal::new(InsufficentAccessRights, "no write access to parent")),
        }
    }

    /// A place has to be free, and to have something above it.
    fn check_place(&self, dn: &Dn) -> Result<(), Refusal> {
        if self.tree.get(&dn.key()).is_some() {
            return Err(Refusal::new(EntryAlreadyExists, ""));
        }
        if self.tree.get(&dn.parent().key()).is_none() {
            let matched = self.tree.deepest(dn).to_owned();
            return Err(Refusal { matched, ..Refusal::new(NoSuchObject, "parent does not exist") });
        }
        Ok(())
    }

    /// The values in an entry's own name stay: OpenLDAP looks at the outcome,
    /// AD at the attempt.
    fn check_naming(&self, entry: &Entry, changes: &[Change], after: &Attributes) -> Result<(), Refusal> {
        let personality = self.site.personality;
        let dn = Dn::parse(&entry.dn).unwrap_or_default();
        for (name, value) in dn.first().into_iter().flatten() {
            let attribute = known(personality, name)?;
            let touched = changes.iter().any(|change| change.attribute.name == attribute.name);
            if personality == Personality::ActiveDirectory && touched {
                return Err(Refusal::new(
                    NotALlowedOnRDN,
                    format!("{name} is the naming attribute: rename the object"),
                ));
            }
            if touched && position(attribute, values_of(after, attribute), value.as_bytes()).is_none() {
                return Err(Refusal::new(
                    NamingViolation,
                    format!("naming attribute '{name}' is not present in entry"),
                ));
            }
        }
        Ok(())
    }
}

/// One change of a modify, its values known to be storable.
struct Change {
    kind: Kind,
    attribute: &'static Attribute,
    values: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Add,
    Delete,
    Replace,
}

impl Change {
    fn check(personality: Personality, change: &LdapModify) -> Result<Self, Refusal> {
        let kind = match change.operation {
            LdapModifyType::Add => Kind::Add,
            LdapModifyType::Delete => Kind::Delete,
            LdapModifyType::Replace => Kind::Replace,
            LdapModifyType::Increment => {
                return Err(Refusal::new(UnwillingToPerform, "increment is not supported"));
            }
        };
        Change::new(personality, kind, &change.modification)
    }

    fn new(personality: Personality, kind: Kind, given: &LdapPartialAttribute) -> Result<Self, Refusal> {
        let attribute = known(personality, &given.atype)?;
        let name = attribute.name;
        if attribute.fixed {
            return Err(Refusal::new(ConstraintViolation, format!("{name}: no user modification allowed")));
        }
        if let Some(at) = given.vals.iter().position(|value| !personality.accepts(attribute, value)) {
            return Err(Refusal::new(
                InvalidAttributeSyntax,
                format!("{name}: value #{at} invalid per syntax"),
            ));
        }
        if kind == Kind::Add && given.vals.is_empty() {
            return Err(Refusal::new(ProtocolError, format!("{name}: no values given")));
        }
        let mut seen = BTreeSet::new();
        if let Some(at) = given.vals.iter().position(|value| !seen.insert(identity(attribute, value))) {
            return Err(Refusal::new(
                AttributeOrValueExists,
                format!("{name}: value #{at} provided more than once"),
            ));
        }
        if kind != Kind::Delete && given.vals.len() > 1 && personality.shape(attribute) == Shape::One {
            return Err(too_many(personality, name));
        }
        Ok(Change { kind, attribute, values: given.vals.clone() })
    }

    fn apply(&self, personality: Personality, attributes: &mut Attributes) -> Result<(), Refusal> {
        let (attribute, name) = (self.attribute, self.attribute.name);
        let mut values = values_of(attributes, attribute).to_vec();
        let absent = || Refusal::new(NoSuchAttribute, format!("modify/delete: {name}: no such value"));
        let by_value = self.kind != Kind::Replace && !self.values.is_empty();
        if by_value && !values.is_empty() && !personality.has_equality(attribute) {
            return Err(Refusal::new(InappropriateMatching, format!("{name}: no equality matching rule")));
        }
        match self.kind {
            Kind::Replace => values.clone_from(&self.values),
            Kind::Delete if self.values.is_empty() => {
                if values.is_empty() {
                    return Err(absent());
                }
                values.clear();
            }
            Kind::Delete => {
                for value in &self.values {
                    let at = position(attribute, &values, value).ok_or_else(absent)?;
                    values.remove(at);
                }
            }
            Kind::Add => {
                let there: BTreeSet<_> = values.iter().map(|value| identity(attribute, value)).collect();
                if self.values.iter().any(|value| there.contains(&identity(attribute, value))) {
                    let text = format!("modify/add: {name}: value already exists");
                    return Err(Refusal::new(AttributeOrValueExists, text));
                }
                values.extend_from_slice(&self.values);
            }
        }
        put(attributes, attribute, values);
        Ok(())
    }
}

/// What has to hold of an entry as it will be.
fn check_whole(personality: Personality, attributes: &Attributes) -> Result<(), Refusal> {
    let single = |attribute: &Attribute| personality.shape(attribute) == Shape::One;
    if let Some((attribute, _)) =
        attributes.iter().find(|(attribute, values)| single(attribute) && values.len() > 1)
    {
        return Err(too_many(personality, attribute.name));
    }
    let names: Vec<&str> = attributes.iter().map(|(attribute, _)| attribute.name).collect();
    let classes = attributes.iter().find(|(attribute, _)| attribute.name == "objectClass");
    let classes: Vec<String> = classes
        .into_iter()
        .flat_map(|(_, values)| values)
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect();
    violation(&classes, &names).map_or(Ok(()), |text| Err(Refusal::new(ObjectClassViolation, text)))
}

/// AD stores all superior classes, and makes a new account a disabled one.
fn complete(personality: Personality, attributes: &mut Attributes) -> Result<(), Refusal> {
    let object_class = known(personality, "objectClass")?;
    let given = values_of(attributes, object_class).to_vec();
    let mut all: Vec<&str> = Vec::new();
    for class in given.iter().flat_map(|class| lineage(&String::from_utf8_lossy(class))) {
        if !all.contains(&class) {
            all.push(class);
        }
    }
    let control = known(personality, "userAccountControl")?;
    if all.contains(&"user") && values_of(attributes, control).is_empty() {
        put(attributes, control, vec![b"546".to_vec()]);
    }
    put(attributes, object_class, all.into_iter().map(|class| class.as_bytes().to_vec()).collect());
    Ok(())
}

fn rename_values<'a>(
    personality: Personality,
    attributes: &mut Attributes,
    pairs: impl Iterator<Item = &'a (String, String)>,
    add: bool,
) -> Result<(), Refusal> {
    for (name, value) in pairs {
        let attribute = known(personality, name)?;
        if !personality.accepts(attribute, value.as_bytes()) {
            return Err(Refusal::new(InvalidAttributeSyntax, format!("{name}: invalid per syntax")));
        }
        let mut values = values_of(attributes, attribute).to_vec();
        match position(attribute, &values, value.as_bytes()) {
            Some(at) if !add => drop(values.remove(at)),
            // A new spelling of the same name replaces the old one.
            Some(at) => values[at] = value.clone().into_bytes(),
            None if add && personality.shape(attribute) == Shape::One => {
                values = vec![value.clone().into_bytes()]
            }
            None if add => values.push(value.clone().into_bytes()),
            None => {}
        }
        put(attributes, attribute, values);
    }
    Ok(())
}

fn values_of<'a>(attributes: &'a Attributes, attribute: &Attribute) -> &'a [Vec<u8>] {
    let found = attributes.iter().find(|(known, _)| known.name == attribute.name);
    found.map_or(&[], |(_, values)| values)
}

fn known(personality: Personality, name: &str) -> Result<&'static Attribute, Refusal> {
    personality.attribute(name).ok_or_else(|| match personality {
        Personality::OpenLdap => {
            Refusal::new(UndefinedAttributeType, format!("{name}: attribute type undefined"))
        }
        Personality::ActiveDirectory => {
            Refusal::new(NoSuchAttribute, format!("attribute '{name}' was not found in the schema"))
        }
    })
}

fn too_many(personality: Personality, name: &str) -> Refusal {
    match personality {
        Personality::OpenLdap => {
            Refusal::new(ConstraintViolation, format!("{name}: multiple values provided"))
        }
        Personality::ActiveDirectory => {
            Refusal::new(AttributeOrValueExists, format!("attribute '{name}' is single-valued"))
        }
    }
}
