//! Filters, compiled once per search: names resolved, assertions brought into
//! the form in which values are compared. Evaluation has three outcomes, as
//! RFC 4511 has it: a filter on an attribute that the server does not know, or
//! that the asker may not see, is neither true nor false.

use super::schema::{Attribute, Comparable, Personality, Syntax};
use super::wire;
use ldap3_proto::LdapFilter;
use ldap3_proto::proto::{LdapMatchingRuleAssertion, LdapSubstringFilter};
use std::borrow::Cow;
use uuid::Uuid;

const BIT_AND: &str = "1.2.840.113556.1.4.803";
const BIT_OR: &str = "1.2.840.113556.1.4.804";
/// AD follows names from entry to entry: groups in groups.
const CHAIN: &str = "1.2.840.113556.1.4.1941";

#[derive(Debug)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Undefined,
    Present(&'static Attribute),
    Value(&'static Attribute, Match),
}

/// What one value of an attribute has to be like.
#[derive(Debug)]
pub enum Match {
    Equal(Comparable<'static>),
    AtLeast(Comparable<'static>),
    AtMost(Comparable<'static>),
    /// Folded like the values: at the start, in this order, at the end.
    Parts {
        initial: String,
        any: Vec<String>,
        last: String,
    },
    AllBits(i64),
    AnyBit(i64),
    /// This name stands in the attribute, or in that of an entry named there,
    /// and so on.
    Chain(Comparable<'static>),
    /// `(objectCategory=person)`: the class's own name instead of its DN.
    Category(String),
}

/// What a filter is asked about.
pub trait Subject {
    fn values(&self, attribute: &'static Attribute) -> Cow<'_, [Vec<u8>]>;

    /// The values of the attribute, those of the entries named there, and so on.
    fn chain(&self, attribute: &'static Attribute) -> Vec<Vec<u8>>;
}

impl Filter {
    pub fn new(filter: &LdapFilter, personality: Personality, hidden: &dyn Fn(&str) -> bool) -> Filter {
        let again = |filter: &LdapFilter| Filter::new(filter, personality, hidden);
        let attribute = |name: &str| personality.attribute(name).filter(|attribute| !hidden(attribute.name));
        let value = |name: &str, make: &dyn Fn(&'static Attribute) -> Option<Match>| {
            let attribute = attribute(name)?;
            Some(Filter::Value(attribute, make(attribute)?))
        };
        let compiled = match filter {
            LdapFilter::And(all) => Some(Filter::And(all.iter().map(again).collect())),
            LdapFilter::Or(any) => Some(Filter::Or(any.iter().map(again).collect())),
            LdapFilter::Not(inner) => Some(Filter::Not(Box::new(again(inner)))),
            LdapFilter::Present(name) => attribute(name).map(Filter::Present),
            LdapFilter::Equality(name, text) | LdapFilter::Approx(name, text) => {
                value(name, &|attribute| equal(attribute, personality, text))
            }
            LdapFilter::GreaterOrEqual(name, text) => {
                value(name, &|attribute| bound(attribute, text).map(Match::AtLeast))
            }
            LdapFilter::LessOrEqual(name, text) => {
                value(name, &|attribute| bound(attribute, text).map(Match::AtMost))
            }
            LdapFilter::Substring(name, parts) => {
                value(name, &|attribute| attribute.has_parts().then(|| substring(attribute, parts)))
            }
            LdapFilter::Extensible(rule) => rule
                .type_
                .as_deref()
                .and_then(|name| value(name, &|attribute| extensible(attribute, personality, rule))),
        };
        compiled.unwrap_or(Filter::Undefined)
    }

    pub fn matches(&self, subject: &dyn Subject) -> bool {
        self.evaluate(subject) == Some(true)
    }

    /// The only entries that can match, where the filter names them by id: a
    /// search for them need not look at all the others.
    pub fn ids(&self) -> Option<Vec<Uuid>> {
        match self {
            Filter::Value(attribute, Match::Equal(Comparable::Bytes(bytes)))
                if attribute.syntax == Syntax::Guid =>
            {
                Uuid::from_slice(bytes).ok().map(|id| vec![id])
            }
            Filter::And(all) => all.iter().find_map(Filter::ids),
            Filter::Or(any) => {
                any.iter().map(Filter::ids).collect::<Option<Vec<_>>>().map(|ids| ids.concat())
            }
            _ => None,
        }
    }

    fn evaluate(&self, subject: &dyn Subject) -> Option<bool> {
        match self {
            Filter::And(all) => decide(all, subject, false),
            Filter::Or(any) => decide(any, subject, true),
            Filter::Not(inner) => inner.evaluate(subject).map(|truth| !truth),
            Filter::Undefined => None,
            Filter::Present(attribute) => Some(!subject.values(attribute).is_empty()),
            Filter::Value(attribute, wanted @ Match::Chain(_)) => {
                Some(subject.chain(attribute).iter().any(|value| wanted.holds(attribute, value)))
            }
            Filter::Value(attribute, wanted) => {
                Some(subject.values(attribute).iter().any(|value| wanted.holds(attribute, value)))
            }
        }
    }
}

/// One `decisive` answer decides; else one that is not known leaves it open.
fn decide(filters: &[Filter], subject: &dyn Subject, decisive: bool) -> Option<bool> {
    let mut outcome = Some(!decisive);
    for filter in filters {
        match filter.evaluate(subject) {
            Some(truth) if truth == decisive => return Some(decisive),
            None => outcome = None,
            Some(_) => {}
        }
    }
    outcome
}

impl Match {
    fn holds(&self, attribute: &Attribute, value: &[u8]) -> bool {
        let number = || std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
        match self {
            Match::Equal(wanted) | Match::Chain(wanted) => {
                attribute.comparable(value).is_some_and(|value| value == *wanted)
            }
            Match::AtLeast(least) => attribute.comparable(value).is_some_and(|value| value >= *least),
            Match::AtMost(most) => attribute.comparable(value).is_some_and(|value| value <= *most),
            Match::AllBits(bits) => number().is_some_and(|number| number & bits == *bits),
            Match::AnyBit(bits) => number().is_some_and(|number| number & bits != 0),
            Match::Parts { initial, any, last } => match attribute.comparable(value) {
                Some(Comparable::Bytes(bytes)) => {
                    contains(&String::from_utf8_lossy(&bytes), initial, any, last)
                }
                _ => false,
            },
            Match::Category(class) => {
                let text = String::from_utf8_lossy(value);
                let name = text.split(',').next().and_then(|rdn| rdn.split_once('=')).map(|(_, name)| name);
                name.is_some_and(|name| name.replace('-', "").eq_ignore_ascii_case(class))
            }
        }
    }
}

fn equal(attribute: &'static Attribute, personality: Personality, text: &str) -> Option<Match> {
    if !personality.has_equality(attribute) {
        return None;
    }
    if attribute.name == "objectCategory" && !text.contains('=') {
        // A user's category is that of all persons.
        let class = if text.eq_ignore_ascii_case("user") { "person" } else { text };
        return Some(Match::Category(class.to_owned()));
    }
    let assertion = wire::assertion_bytes(text);
    Some(Match::Equal(attribute.comparable(&assertion)?.into_owned()))
}

fn bound(attribute: &'static Attribute, text: &str) -> Option<Comparable<'static>> {
    let comparable = attribute.comparable(text.as_bytes())?;
    attribute.has_order().then(|| comparable.into_owned())
}

fn substring(attribute: &Attribute, parts: &LdapSubstringFilter) -> Match {
    // Unlike a whole value, a part keeps the space at its ends.
    let part = |text: &String| match attribute.syntax {
        Syntax::Exact => text.clone(),
        Syntax::Phone => text.to_lowercase().replace([' ', '-'], ""),
        _ => text.to_lowercase(),
    };
    Match::Parts {
        initial: parts.initial.as_ref().map(part).unwrap_or_default(),
        any: parts.any.iter().map(part).collect(),
        last: parts.final_.as_ref().map(part).unwrap_or_default(),
    }
}

fn contains(value: &str, initial: &str, any: &[String], last: &str) -> bool {
    let Some(rest) = value.strip_prefix(initial) else { return false };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    any.iter().all(|part| match rest.find(part.as_str()) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

fn extensible(
    attribute: &'static Attribute,
    personality: Personality,
    rule: &LdapMatchingRuleAssertion,
) -> Option<Match> {
    let bits = || (attribute.syntax == Syntax::Integer).then(|| rule.match_value.parse().ok()).flatten();
    match rule.matching_rule.as_deref() {
        None => equal(attribute, personality, &rule.match_value),
        Some(BIT_AND) => bits().map(Match::AllBits),
        Some(BIT_OR) => bits().map(Match::AnyBit),
        Some(CHAIN) if personality == Personality::ActiveDirectory && attribute.syntax == Syntax::Name => {
            Some(Match::Chain(attribute.comparable(rule.match_value.as_bytes())?.into_owned()))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample;

    impl Subject for Sample {
        fn values(&self, attribute: &'static Attribute) -> Cow<'_, [Vec<u8>]> {
            let values: &[&[u8]] = match attribute.name {
                "cn" => &["Ёлкин  Пётр".as_bytes()],
                "mobile" => &[b"+7 (926) 123-45-67", b"200"],
                "userAccountControl" => &[b"514"],
                "sipPassword" => &[b"Secret"],
                "uSNChanged" => &[b"999"],
                "whenChanged" => &[b"20260102030405.0Z"],
                "memberOf" => &[br"CN=a\, b,DC=x"],
                "objectCategory" => &[b"CN=Organizational-Unit,CN=Schema,DC=x"],
                "objectGUID" => &[&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xff]],
                _ => &[],
            };
            values.iter().map(|value| value.to_vec()).collect::<Vec<_>>().into()
        }

        fn chain(&self, attribute: &'static Attribute) -> Vec<Vec<u8>> {
            self.values(attribute).into_owned()
        }
    }

    fn eval(filter: LdapFilter) -> Option<bool> {
        Filter::new(&filter, Personality::ActiveDirectory, &|name| name == "sipPassword").evaluate(&Sample)
    }

    fn eq(name: &str, value: &str) -> LdapFilter {
        LdapFilter::Equality(name.to_owned(), value.to_owned())
    }

    fn not(inner: LdapFilter) -> LdapFilter {
        LdapFilter::Not(Box::new(inner))
    }

    #[test]
    fn equality_goes_by_the_syntax() {
        for (name, value, expected) in [
            ("CN", "ёлкин пётр", Some(true)),
            ("cn", "елкин петр", Some(false)),
            ("mobile", "+7(926)1234567", Some(true)),
            ("mobile", "+7", Some(false)),
            ("userAccountControl", "0514", Some(true)),
            ("userAccountControl", "x", None),
            ("memberOf", r"cn=A\2C B, dc=X", Some(true)),
            ("objectCategory", "organizationalUnit", Some(true)),
            ("objectCategory", "person", Some(false)),
            ("objectGUID", "04030201-0605-0807-090a-0b0c0d0e0fff", Some(true)),
            (
                "objectGUID",
                &wire::masked(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xff]),
                Some(true),
            ),
            ("pager", "1", Some(false)),
            ("nonsense", "1", None),
            ("sipPassword", "Secret", None),
        ] {
            assert_eq!(eval(eq(name, value)), expected, "({name}={value})");
        }
    }

    #[test]
    fn what_is_not_known_stays_open_under_and_or_not() {
        let (yes, no, open) = (|| eq("cn", "ёлкин пётр"), || eq("cn", "x"), || eq("nonsense", "x"));
        assert_eq!(eval(not(open())), None);
        assert_eq!(eval(not(no())), Some(true));
        for (filters, and, or) in [
            (vec![], Some(true), Some(false)),
            (vec![yes(), open()], None, Some(true)),
            (vec![open(), no()], Some(false), None),
            (vec![yes(), yes()], Some(true), Some(true)),
            (vec![no(), no()], Some(false), Some(false)),
        ] {
            assert_eq!(eval(LdapFilter::And(filters.clone())), and, "{filters:?}");
            assert_eq!(eval(LdapFilter::Or(filters.clone())), or, "{filters:?}");
        }
    }

    #[test]
    fn ids_are_known_only_where_nothing_else_can_match() {
        let ids = |filter: LdapFilter| {
            let ids = Filter::new(&filter, Personality::OpenLdap, &|_| false).ids();
            ids.map(|ids| ids.iter().map(Uuid::as_u128).collect::<Vec<_>>())
        };
        let id = |n: u128| eq("entryUUID", &Uuid::from_u128(n).to_string());
        assert_eq!(ids(id(1)), Some(vec![1]));
        assert_eq!(ids(LdapFilter::And(vec![eq("cn", "x"), id(1)])), Some(vec![1]));
        assert_eq!(ids(LdapFilter::Or(vec![id(1), id(2)])), Some(vec![1, 2]));
        for filter in [eq("cn", "x"), not(id(1)), LdapFilter::Or(vec![id(1), eq("cn", "x")])] {
            assert_eq!(ids(filter), None);
        }
    }

    #[test]
    fn presence_order_parts_and_bits() {
        let present = |name: &str| eval(LdapFilter::Present(name.to_owned()));
        assert_eq!(
            (present("CN"), present("pager"), present("sipPassword")),
            (Some(true), Some(false), None)
        );

        let least =
            |name: &str, value: &str| eval(LdapFilter::GreaterOrEqual(name.to_owned(), value.to_owned()));
        assert_eq!((least("uSNChanged", "1000"), least("uSNChanged", "99")), (Some(false), Some(true)));
        assert_eq!(least("whenChanged", "20260102030405Z"), Some(true));
        assert_eq!(least("objectGUID", "x"), None);
        let most = |name: &str, value: &str| eval(LdapFilter::LessOrEqual(name.to_owned(), value.to_owned()));
        assert_eq!((most("uSNChanged", "1000"), most("uSNChanged", "99")), (Some(true), Some(false)));

        let part = |name: &str, pattern: &str| eval(LdapFilter::Substring(name.to_owned(), pattern.into()));
        for pattern in ["ёл*", "*пётр", "ё*н*р", "*кин п*", "ёлкин пётр*"] {
            assert_eq!(part("cn", pattern), Some(true), "{pattern}");
        }
        for pattern in ["л*", "*ётр*ётр*", "ёлкин*ёлкин пётр", "*кин  п*"] {
            assert_eq!(part("cn", pattern), Some(false), "{pattern}");
        }
        assert_eq!(part("mobile", "*92612345*"), Some(false));
        assert_eq!(part("mobile", "*)123 45*"), Some(true));
        assert_eq!(part("memberOf", "CN=a*"), None);

        let bits = |rule: &str, value: &str| {
            let (matching_rule, type_) = (Some(rule.to_owned()), Some("userAccountControl".to_owned()));
            eval(LdapFilter::Extensible(LdapMatchingRuleAssertion {
                matching_rule,
                type_,
                match_value: value.to_owned(),
                dn_attributes: false,
            }))
        };
        assert_eq!(
            (bits(BIT_AND, "2"), bits(BIT_AND, "3"), bits(BIT_OR, "3")),
            (Some(true), Some(false), Some(true))
        );
        assert_eq!(bits("1.2.3", "2"), None);
    }
}
