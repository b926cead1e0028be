//! The entries, in the order of their names, and what the server keeps about
//! their changes. Knows nothing of rights or of requests.

use super::dn::{Dn, END, Spelling};
use super::schema::{Attribute, Comparable, Personality};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::ops::Bound;
use uuid::Uuid;

#[derive(Debug)]
pub struct Tree {
    spelling: Spelling,
    member_of: Option<&'static Attribute>,
    /// By [`Dn::key`]: an entry stands before everything below it.
    entries: BTreeMap<String, Entry>,
    keys: HashMap<Uuid, String>,
}

/// The attributes somebody wrote. A bare minimum of them for each entry: what
/// the server itself knows is worked out when it is read.
pub type Attributes = Vec<(&'static Attribute, Vec<Vec<u8>>)>;

#[derive(Clone)]
pub struct Entry {
    pub id: Uuid,
    /// The distinguished name in the server's own spelling.
    pub dn: String,
    pub attributes: Attributes,
    pub created: Tick,
    pub changed: Tick,
    /// One for each attribute that ever had a value.
    pub records: Vec<Record>,
}

/// When something happened, as AD and OpenLDAP count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// Rises strictly: never the same for two changes.
    pub us: i64,
    pub usn: u64,
}

/// The last change of one attribute.
#[derive(Clone, Debug)]
pub struct Record {
    pub attribute: &'static Attribute,
    pub version: u32,
    pub at: Tick,
}

/// The name only: values may be secrets.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("dn", &self.dn).finish_non_exhaustive()
    }
}

impl Entry {
    pub fn get(&self, attribute: &Attribute) -> &[Vec<u8>] {
        self.by_name(attribute.name)
    }

    pub fn by_name(&self, name: &str) -> &[Vec<u8>] {
        let found = self.attributes.iter().find(|(known, _)| known.name == name);
        found.map_or(&[], |(_, values)| values)
    }

    pub fn texts(&self, name: &str) -> Vec<String> {
        self.by_name(name).iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    fn record(&mut self, attribute: &'static Attribute, at: Tick) {
        match self.records.iter_mut().find(|record| record.attribute.name == attribute.name) {
            Some(record) => (record.version, record.at) = (record.version + 1, at),
            None => self.records.push(Record { attribute, version: 1, at }),
        }
    }
}

/// Puts values where the attribute's were, or takes the attribute away.
pub fn put(attributes: &mut Attributes, attribute: &'static Attribute, values: Vec<Vec<u8>>) {
    let at = attributes.iter().position(|(known, _)| known.name == attribute.name);
    match at {
        Some(at) if values.is_empty() => drop(attributes.remove(at)),
        Some(at) => attributes[at].1 = values,
        None if values.is_empty() => {}
        None => attributes.push((attribute, values)),
    }
}

impl Tree {
    pub fn new(personality: Personality) -> Self {
        Tree {
            spelling: personality.spelling(),
            member_of: personality.attribute("memberOf"),
            entries: BTreeMap::new(),
            keys: HashMap::new(),
        }
    }

    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub fn key_of(&self, id: Uuid) -> Option<&str> {
        self.keys.get(&id).map(String::as_str)
    }

    /// The entry at `base` and everything below it, in order, from behind `after`.
    pub fn below<'a>(
        &'a self,
        base: &'a str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a str, &'a Entry)> + use<'a> {
        let start = match after {
            Some(after) => Bound::Excluded(after.to_owned()),
            None => Bound::Included(base.to_owned()),
        };
        self.entries
            .range((start, Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(base))
            .map(|(key, entry)| (key.as_str(), entry))
    }

    pub fn has_children(&self, key: &str) -> bool {
        self.below(key, Some(key)).next().is_some()
    }

    /// The deepest ancestor that exists, for the `matchedDN` of a refusal.
    pub fn deepest(&self, dn: &Dn) -> &str {
        let mut dn = dn.parent();
        while dn.first().is_some() {
            if let Some(entry) = self.entries.get(&dn.key()) {
                return &entry.dn;
            }
            dn = dn.parent();
        }
        ""
    }

    pub fn insert(&mut self, dn: &Dn, id: Uuid, attributes: Attributes, at: Tick) {
        let records = attributes.iter().map(|(attribute, _)| Record { attribute, version: 1, at }).collect();
        let dn_text = self.respell(dn);
        let entry = Entry { id, dn: dn_text, attributes, created: at, changed: at, records };
        let members = entry.by_name("member").to_vec();
        self.keys.insert(id, dn.key());
        self.entries.insert(dn.key(), entry);
        self.tell_members(&dn.key(), &[], &members);
    }

    /// Gives an entry new attributes. Says whether any value changed: if none
    /// did, only an `always` stamp tells that somebody wrote.
    pub fn update(&mut self, key: &str, attributes: Attributes, at: Tick, always: bool) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        let members_before = entry.by_name("member").to_vec();
        let names = entry.attributes.iter().chain(&attributes).map(|(attribute, _)| *attribute);
        let mut changed: Vec<&'static Attribute> = names
            .filter(|attribute| {
                let new = attributes.iter().find(|(known, _)| known.name == attribute.name);
                !same(entry.get(attribute), new.map_or(&[], |(_, values)| values))
            })
            .collect();
        changed.sort_unstable_by_key(|attribute| attribute.name);
        changed.dedup_by_key(|attribute| attribute.name);
        if !changed.is_empty() {
            entry.attributes = attributes;
        }
        for attribute in &changed {
            entry.record(attribute, at);
        }
        if always || !changed.is_empty() {
            entry.changed = at;
        }
        let members = entry.by_name("member").to_vec();
        self.tell_members(key, &members_before, &members);
        !changed.is_empty()
    }

    /// Keeps `memberOf` of those who joined or left a group. Their stamps do
    /// not move.
    fn tell_members(&mut self, group: &str, before: &[Vec<u8>], after: &[Vec<u8>]) {
        let (Some(member_of), Some(group)) = (self.member_of, self.entries.get(group)) else { return };
        let group = group.dn.clone().into_bytes();
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.iter().collect(), after.iter().collect());
        let left = before.difference(&after).map(|member| (member, false));
        let joined = after.difference(&before).map(|member| (member, true));
        for (member, joins) in left.chain(joined) {
            let key = std::str::from_utf8(member).ok().and_then(Dn::parse).unwrap_or_default().key();
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            let mut groups = entry.get(member_of).to_vec();
            groups.retain(|known| identity(member_of, known) != identity(member_of, &group));
            groups.extend(joins.then(|| group.clone()));
            put(&mut entry.attributes, member_of, groups);
        }
    }

    /// Moves an entry and everything below it. Only the entry itself counts as
    /// changed: servers tell nobody that the names below it are new.
    pub fn rename(&mut self, key: &str, to: &Dn, at: Tick) {
        let moving: Vec<(String, Entry)> = {
            let keys: Vec<String> = self.below(key, None).map(|(key, _)| key.to_owned()).collect();
            keys.into_iter().filter_map(|key| self.entries.remove_entry(&key)).collect()
        };
        let (new_key, new_text) = (to.key(), self.respell(to));
        let old_text = moving.first().map(|(_, entry)| entry.dn.len()).unwrap_or_default();
        for (old_key, mut entry) in moving {
            let head = entry.dn.len() - old_text;
            entry.dn.replace_range(head.., &new_text);
            let key = format!("{new_key}{}", &old_key[key.len()..]);
            if key == new_key {
                entry.changed = at;
            }
            self.keys.insert(entry.id, key.clone());
            self.entries.insert(key, entry);
        }
    }

    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.keys.remove(&entry.id);
        Some(entry)
    }

    /// The name as this server spells it, below its parent as that is spelt.
    fn respell(&self, dn: &Dn) -> String {
        match (self.entries.get(&dn.parent().key()), dn.first()) {
            (Some(parent), Some(rdn)) => {
                let own = Dn::default().child(rdn.clone()).text(self.spelling);
                format!("{own},{}", parent.dn)
            }
            _ => dn.text(self.spelling),
        }
    }
}

/// Whether an entry stands directly below another.
pub fn is_child(base: &str, key: &str) -> bool {
    key.strip_prefix(base).is_some_and(|rest| rest.matches(END).count() == 1)
}

/// Whether two sets of values are one: order means nothing, spelling does.
fn same(one: &[Vec<u8>], other: &[Vec<u8>]) -> bool {
    one.len() == other.len() && one.iter().all(|value| other.contains(value))
}

/// The form in which two values of an attribute are one value.
pub fn identity<'a>(attribute: &Attribute, value: &'a [u8]) -> Comparable<'a> {
    // What has no comparable form is still itself.
    attribute.comparable(value).unwrap_or(Comparable::Bytes(Cow::Borrowed(value)))
}

/// Where a value stands among others, by the attribute's own rule.
pub fn position(attribute: &Attribute, values: &[Vec<u8>], wanted: &[u8]) -> Option<usize> {
    let wanted = identity(attribute, wanted);
    values.iter().position(|value| identity(attribute, value) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_moves_with_everything_below_it() {
        let mut tree = Tree::new(Personality::OpenLdap);
        let dn = |text: &str| Dn::parse(text).unwrap();
        for (i, name) in
            ["dc=a", "ou=x,dc=a", "OU=y\\,z,dc=a", "cn=1,ou=Y\\,Z,dc=a", "cn=2,cn=1,ou=y\\,z,dc=a"]
                .iter()
                .enumerate()
        {
            tree.insert(&dn(name), Uuid::from_u128(i as u128), Vec::new(), Tick::default());
        }
        tree.rename(&dn("ou=y\\,z,dc=a").key(), &dn("ou=Moved,ou=x,dc=a"), Tick { us: 1, usn: 1 });
        let names: Vec<(String, i64)> =
            tree.below("", None).map(|(_, entry)| (entry.dn.clone(), entry.changed.us)).collect();
        let expected = [
            ("dc=a", 0),
            ("ou=x,dc=a", 0),
            ("ou=Moved,ou=x,dc=a", 1),
            ("cn=1,ou=Moved,ou=x,dc=a", 0),
            ("cn=2,cn=1,ou=Moved,ou=x,dc=a", 0),
        ];
        assert_eq!(names, expected.map(|(name, at)| (name.to_owned(), at)));
        for (key, entry) in tree.below("", None) {
            assert_eq!((key, tree.key_of(entry.id)), (dn(&entry.dn).key().as_str(), Some(key)));
        }
        assert!(is_child(&dn("dc=a").key(), &dn("ou=x,dc=a").key()));
        assert!(!is_child(&dn("dc=a").key(), &dn("ou=Moved,ou=x,dc=a").key()));
        assert_eq!(tree.deepest(&dn("cn=no,cn=no,ou=x,dc=a")), "ou=x,dc=a");
    }
}
