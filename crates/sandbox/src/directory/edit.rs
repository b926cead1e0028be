//! What somebody does in another window: edits that no account's rights, no
//! fault and no check of values stand in the way of. They move the stamps of
//! the entries like any other change, and do not count as writes of a client.

use super::account::Rights;
use super::dn::{Dn, Spelling};
use super::schema::Personality;
use super::tree::{Entry, Tick, Tree, put};
use super::view::View;
use super::write::{Refusal, Writer};
use super::{Directory, Error, State};
use ldap3_proto::LdapPartialAttribute;
use ldap3_proto::proto::LdapModifyDNRequest;
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

const ACCOUNT_DISABLED: i64 = 2;
/// The time that stands for "locked until an administrator unlocks it".
const LOCKED_FOR_GOOD: &str = "000001010000Z";

/// An entry with all it has, written and worked out.
#[derive(Clone, PartialEq, Eq)]
pub struct EntryView {
    pub id: Uuid,
    pub dn: String,
    pub attributes: BTreeMap<String, Vec<Vec<u8>>>,
}

impl EntryView {
    /// The first value, as text.
    pub fn text(&self, attribute: &str) -> Option<String> {
        let values = self.attributes.get(attribute)?;
        values.first().map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

/// Everything but secrets, as text.
impl fmt::Debug for EntryView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entry(&"dn", &self.dn).entry(&"id", &self.id);
        for (name, values) in &self.attributes {
            match name.as_str() {
                "sipPassword" => map.entry(name, &"set"),
                _ => map.entries(values.iter().map(|value| (name, String::from_utf8_lossy(value)))),
            };
        }
        map.finish()
    }
}

impl Directory {
    /// Adds a person below `parent`. Object classes, the login, the naming
    /// attribute and the family name are made from what is given.
    pub fn hire(
        &self,
        parent: &str,
        login: &str,
        name: &str,
        attributes: &[(&str, &str)],
    ) -> Result<Uuid, Error> {
        let id = self.new_id();
        let family = name.split_whitespace().next().unwrap_or(name);
        let mut all = match self.personality() {
            Personality::OpenLdap => {
                vec![
                    ("objectClass", "inetOrgPerson"),
                    ("objectClass", "pbxPerson"),
                    ("uid", login),
                    ("cn", name),
                ]
            }
            Personality::ActiveDirectory => vec![
                ("objectClass", "user"),
                ("sAMAccountName", login),
                ("userAccountControl", "512"),
                ("accountExpires", "9223372036854775807"),
            ],
        };
        all.extend([("sn", family), ("displayName", name)]);
        all.extend(attributes);
        let rdn = match self.personality() {
            Personality::OpenLdap => ("uid".to_owned(), login.to_owned()),
            Personality::ActiveDirectory => ("cn".to_owned(), name.to_owned()),
        };
        self.plant(&place(parent)?, rdn, &all, id)
    }

    /// Adds an organisational unit below `parent`.
    pub fn found_unit(&self, parent: &str, name: &str) -> Result<Uuid, Error> {
        self.plant(
            &place(parent)?,
            ("ou".to_owned(), name.to_owned()),
            &[("objectClass", "organizationalUnit")],
            self.new_id(),
        )
    }

    /// Gives an attribute these values, whatever they are; none takes it away.
    pub fn set<V: AsRef<[u8]>>(&self, id: Uuid, attribute: &str, values: &[V]) -> Result<(), Error> {
        let known = self.personality().attribute(attribute);
        let known =
            known.filter(|known| !known.fixed).ok_or_else(|| Error::NoAttribute(attribute.to_owned()))?;
        let values = values.iter().map(|value| value.as_ref().to_vec()).collect();
        self.change(id, |state, key, at| {
            let mut attributes =
                state.tree.get(key).map(|entry| entry.attributes.clone()).unwrap_or_default();
            put(&mut attributes, known, values);
            state.tree.update(key, attributes, at, false);
            Ok(())
        })
    }

    pub fn disable(&self, id: Uuid) -> Result<(), Error> {
        self.set_disabled(id, true)
    }

    pub fn enable(&self, id: Uuid) -> Result<(), Error> {
        self.set_disabled(id, false)
    }

    /// Moves an entry, with everything below it, under another.
    pub fn move_to(&self, id: Uuid, parent: &str) -> Result<(), Error> {
        let dn = self.dn(id)?;
        let rdn = Dn::parse(&dn).unwrap_or_default();
        let newrdn = Dn::default().child(rdn.first().cloned().unwrap_or_default());
        self.relocate(dn, newrdn.text(Spelling::Hex), Some(parent.to_owned()))
    }

    /// Renames an entry where it is; `rdn` is text such as `cn=New name`.
    pub fn rename(&self, id: Uuid, rdn: &str) -> Result<(), Error> {
        self.relocate(self.dn(id)?, rdn.to_owned(), None)
    }

    /// Takes an entry away; it must have nothing below it.
    pub fn delete(&self, id: Uuid) -> Result<(), Error> {
        let dn = self.dn(id)?;
        self.as_superuser(|writer| writer.delete(&dn)).map_err(|refusal| refused(&dn, &refusal))
    }

    pub fn entry(&self, id: Uuid) -> Option<EntryView> {
        let state = self.state();
        let key = state.tree.key_of(id)?;
        self.show(&state.tree, key)
    }

    /// All entries in which somebody wrote this value, in the order of their names.
    pub fn find(&self, attribute: &str, value: &str) -> Vec<Uuid> {
        let Some(attribute) = self.personality().attribute(attribute) else { return Vec::new() };
        let Some(wanted) = attribute.comparable(value.as_bytes()) else { return Vec::new() };
        let state = self.state();
        let has = |value: &Vec<u8>| attribute.comparable(value).as_ref() == Some(&wanted);
        state
            .tree
            .below("", None)
            .filter(|(_, entry)| entry.get(attribute).iter().any(has))
            .map(|(_, e)| e.id)
            .collect()
    }

    /// All people, in the order of their names.
    pub fn people(&self) -> Vec<Uuid> {
        let login = match self.personality() {
            Personality::OpenLdap => "uid",
            Personality::ActiveDirectory => "sAMAccountName",
        };
        let state = self.state();
        let is_person = |entry: &Entry| {
            let critical = entry.by_name("isCriticalSystemObject");
            !entry.by_name(login).is_empty()
                && critical.is_empty()
                && !entry.texts("objectClass").iter().any(|c| c == "computer")
        };
        state.tree.below("", None).filter(|(_, entry)| is_person(entry)).map(|(_, entry)| entry.id).collect()
    }

    pub(super) fn plant(
        &self,
        parent: &Dn,
        rdn: (String, String),
        attributes: &[(&str, &str)],
        id: Uuid,
    ) -> Result<Uuid, Error> {
        let mut given: Vec<LdapPartialAttribute> = Vec::new();
        for (name, value) in attributes {
            let value = value.as_bytes().to_vec();
            match given.iter_mut().find(|attribute| attribute.atype.eq_ignore_ascii_case(name)) {
                Some(attribute) => attribute.vals.push(value),
                None => given.push(LdapPartialAttribute { atype: (*name).to_owned(), vals: vec![value] }),
            }
        }
        let dn = parent.child(vec![rdn]);
        self.as_superuser(|writer| writer.add(&dn, &given, id))
            .map_err(|refusal| refused(&dn.text(Spelling::Hex), &refusal))?;
        Ok(id)
    }

    fn set_disabled(&self, id: Uuid, disabled: bool) -> Result<(), Error> {
        match self.personality() {
            Personality::OpenLdap => {
                let values = if disabled { vec![LOCKED_FOR_GOOD] } else { Vec::new() };
                self.set(id, "pwdAccountLockedTime", &values)
            }
            Personality::ActiveDirectory => {
                let now = self.entry(id).and_then(|entry| entry.text("userAccountControl")?.parse().ok());
                let now: i64 = now.unwrap_or(512);
                let then = if disabled { now | ACCOUNT_DISABLED } else { now & !ACCOUNT_DISABLED };
                self.set(id, "userAccountControl", &[then.to_string()])
            }
        }
    }

    fn relocate(&self, dn: String, newrdn: String, new_superior: Option<String>) -> Result<(), Error> {
        let request = LdapModifyDNRequest { dn, newrdn, deleteoldrdn: true, new_superior };
        let place = request.new_superior.clone().unwrap_or_else(|| request.newrdn.clone());
        self.as_superuser(|writer| writer.rename(&request)).map_err(|refusal| refused(&place, &refusal))
    }

    fn dn(&self, id: Uuid) -> Result<String, Error> {
        let state = self.state();
        let entry = state.tree.key_of(id).and_then(|key| state.tree.get(key));
        entry.map(|entry| entry.dn.clone()).ok_or_else(|| Error::NoEntry(id.to_string()))
    }

    fn show(&self, tree: &Tree, key: &str) -> Option<EntryView> {
        let entry = tree.get(key)?;
        let rights = Rights::everything();
        let view = View { site: &self.0.site, tree, rights: &rights, key, entry };
        let attributes = self.personality().attributes();
        let attributes =
            attributes.map(|attribute| (attribute.name.to_owned(), view.read(attribute).into_owned()));
        let attributes = attributes.filter(|(_, values)| !values.is_empty()).collect();
        Some(EntryView { id: entry.id, dn: entry.dn.clone(), attributes })
    }

    fn change(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut State, &str, Tick) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut state = self.state();
        let at = self.next_tick(state.last);
        let key = state.tree.key_of(id).map(str::to_owned).ok_or_else(|| Error::NoEntry(id.to_string()))?;
        state.last = at;
        change(&mut state, &key, at)
    }

    fn as_superuser(
        &self,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let rights = Rights::everything();
        let mut state = self.state();
        let at = self.next_tick(state.last);
        write(&mut Writer { site: &self.0.site, tree: &mut state.tree, rights: &rights, at })?;
        state.last = at;
        Ok(())
    }
}

fn place(parent: &str) -> Result<Dn, Error> {
    Dn::parse(parent).ok_or_else(|| Error::NoEntry(parent.to_owned()))
}

fn refused(dn: &str, refusal: &Refusal) -> Error {
    Error::Place { dn: dn.to_owned(), why: format!("code {}, {}", refusal.code.clone() as i64, refusal.text) }
}
