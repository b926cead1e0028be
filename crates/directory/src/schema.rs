//! The attributes a server knows, for somebody who chooses which one holds a
//! field: out of the subschema that every LDAP server publishes (RFC 4512).
//! Deliberately absent: syntaxes and matching rules, which decide nothing here.

use crate::advice::{Doing, Refusal};
use crate::directory::Directory;
use crate::error::Error;
use crate::session::Query;
use ldap3_proto::proto::LdapResultCode;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Attributes that are listed; further ones are left out.
pub const ATTRIBUTES_MAX: usize = 10_000;
/// People whose object classes are looked at.
const PEOPLE_LOOKED_AT: usize = 50;
/// A chain of superior classes is followed so far.
const SUPERIORS_MAX: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Schema {
    /// In the order of their names.
    pub attributes: Vec<SchemaAttribute>,
    /// Whether there are more than are listed.
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SchemaAttribute {
    pub name: String,
    pub single_valued: bool,
    /// Kept by the server itself, which lets nobody write it.
    pub servers_own: bool,
    /// Whether the object classes of the people in scope allow it.
    pub of_people: bool,
}

impl Directory {
    /// The attributes of the server's schema.
    pub async fn schema(&mut self) -> Result<Schema, Error> {
        const WHAT: &str = "reading the schema";
        let refused = |refusal| Error::Refused { what: WHAT.to_owned(), refusal };
        let Some(dn) = self.session().await?.root.subschema_dn.clone() else {
            return Err(refused(Refusal::ours("the server does not say where its schema is")));
        };
        let attributes = ["attributeTypes", "objectClasses", "dITContentRules"].map(str::to_owned).to_vec();
        let (entries, end) = self.find(Query::entry(dn, attributes)).await?;
        let entry = match (end.result.code.clone(), entries.first()) {
            (LdapResultCode::Success, Some(entry)) => entry,
            (LdapResultCode::Success, None) => {
                return Err(refused(Refusal::ours("the account is not allowed to see it")));
            }
            _ => return Err(refused(Refusal::new(&end.result, Doing::Read))),
        };
        let classes = Classes::read(entry.texts("objectClasses"), entry.texts("dITContentRules"));
        let mut of_people = BTreeSet::new();
        let (people, _) = self.some_people(PEOPLE_LOOKED_AT, vec!["objectClass".to_owned()]).await?;
        for class in people.iter().flat_map(|person| person.texts("objectClass")) {
            classes.collect(class, SUPERIORS_MAX, &mut of_people);
        }
        let mut attributes: Vec<SchemaAttribute> = entry
            .texts("attributeTypes")
            .map(Definition::read)
            .filter_map(|definition| attribute(&definition, &of_people))
            .collect();
        attributes.sort_by_cached_key(|attribute| attribute.name.to_lowercase());
        let more = attributes.len() > ATTRIBUTES_MAX;
        attributes.truncate(ATTRIBUTES_MAX);
        Ok(Schema { attributes, more })
    }
}

fn attribute(definition: &Definition<'_>, of_people: &BTreeSet<String>) -> Option<SchemaAttribute> {
    Some(SchemaAttribute {
        name: (*definition.names().first()?).to_owned(),
        single_valued: definition.has("SINGLE-VALUE"),
        servers_own: definition.has("NO-USER-MODIFICATION"),
        of_people: definition.known_as().any(|name| of_people.contains(&name.to_lowercase())),
    })
}

/// The classes of a schema, by every name they have, in lower case.
#[derive(Default)]
struct Classes(BTreeMap<String, Class>);

#[derive(Clone, Default)]
struct Class {
    superiors: Vec<String>,
    attributes: Vec<String>,
}

impl Classes {
    /// `rules` say what Active Directory adds to a class: auxiliary classes,
    /// and attributes of its own.
    fn read<'a>(classes: impl Iterator<Item = &'a str>, rules: impl Iterator<Item = &'a str>) -> Self {
        let mut known = Classes::default();
        for text in classes.chain(rules) {
            let definition = Definition::read(text);
            let list = |keyword| definition.list(keyword).into_iter().map(str::to_lowercase);
            for name in definition.known_as() {
                let class = known.0.entry(name.to_lowercase()).or_default();
                class.superiors.extend(list("SUP").chain(list("AUX")));
                class.attributes.extend(list("MUST").chain(list("MAY")));
            }
        }
        known
    }

    /// Everything a class and those above it allow. `left` ends a schema whose
    /// classes stand above themselves.
    fn collect(&self, class: &str, left: usize, attributes: &mut BTreeSet<String>) {
        let (Some(class), Some(left)) = (self.0.get(&class.to_lowercase()), left.checked_sub(1)) else {
            return;
        };
        attributes.extend(class.attributes.iter().cloned());
        for superior in &class.superiors {
            self.collect(superior, left, attributes);
        }
    }
}

/// One definition: `( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )`.
struct Definition<'a> {
    words: Vec<&'a str>,
}

impl<'a> Definition<'a> {
    fn read(text: &'a str) -> Self {
        let mut words = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '(' | ')' | '$' => 1,
                // A quoted text keeps its blanks; no quote stands inside one (RFC 4512).
                '\'' => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
                _ => rest.find(|c: char| c.is_whitespace() || "()$'".contains(c)).unwrap_or(rest.len()),
            };
            let (word, after) = rest.split_at(length);
            words.push(word);
            rest = after.trim_start();
        }
        Definition { words }
    }

    fn has(&self, keyword: &str) -> bool {
        self.words.contains(&keyword)
    }

    fn names(&self) -> Vec<&'a str> {
        self.list("NAME")
    }

    /// The number and the names.
    fn known_as(&self) -> impl Iterator<Item = &'a str> {
        let number = self.words.get(1).copied();
        number.into_iter().chain(self.names())
    }

    /// What follows a keyword: one word, or several in parentheses.
    fn list(&self, keyword: &str) -> Vec<&'a str> {
        let Some(at) = self.words.iter().position(|word| *word == keyword) else { return Vec::new() };
        let bare = |word: &&'a str| word.trim_matches('\'');
        match self.words.get(at + 1) {
            Some(&"(") => {
                let inside = self.words[at + 2..].iter().take_while(|word| **word != ")");
                inside.filter(|word| **word != "$").map(bare).collect()
            }
            Some(word) => vec![bare(word)],
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn definitions_are_read_as_servers_write_them() {
        let cn =
            Definition::read("( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'a (b) $ SINGLE-VALUE' SUP name )");
        assert_eq!(cn.known_as().collect::<Vec<_>>(), ["2.5.4.3", "cn", "commonName"]);
        assert!(!cn.has("SINGLE-VALUE"), "that stands in the description");
        let mail = Definition::read(
            "( 0.9.2342.19200300.100.1.3 NAME 'mail' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' SINGLE-VALUE )",
        );
        assert_eq!((mail.names(), mail.has("SINGLE-VALUE")), (vec!["mail"], true));
        let tight = Definition::read("(1.2 NAME 'x' MUST(a$b) MAY c)");
        assert_eq!((tight.list("MUST"), tight.list("MAY")), (vec!["a", "b"], vec!["c"]));
    }

    #[test]
    fn a_class_allows_what_stands_above_and_beside_it() {
        let classes = Classes::read(
            [
                "( 1.1 NAME 'top' ABSTRACT MUST objectClass )",
                "( 1.2 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY telephoneNumber )",
                "( 1.3 NAME 'user' SUP person STRUCTURAL MAY ( ipPhone ) )",
                "( 1.4 NAME 'mailRecipient' SUP top AUXILIARY MAY mail )",
                "( 1.5 NAME 'loop' SUP loop AUXILIARY MAY x )",
            ]
            .into_iter(),
            ["( 1.3 NAME 'user' AUX ( mailRecipient ) MAY ( info $ pager ) )"].into_iter(),
        );
        let allowed = |class: &str| {
            let mut attributes = BTreeSet::new();
            classes.collect(class, SUPERIORS_MAX, &mut attributes);
            attributes.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(allowed("USER"), "cn info ipphone mail objectclass pager sn telephonenumber");
        assert_eq!((allowed("loop"), allowed("nobody")), ("x".to_owned(), String::new()));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[() $'a1ж]{0,40}") {
            let definition = Definition::read(&text);
            let _ = (definition.known_as().count(), definition.list("a"));
        }
    }
}
