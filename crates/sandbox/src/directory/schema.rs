//! The attributes and object classes both kinds of server know, how values are
//! compared, and which values are refused. What no test or person needs is
//! left out; an attribute that is not in the table does not exist.

use super::dn::{Dn, Spelling};
use std::borrow::Cow;
use uuid::Uuid;

/// Which server the sandbox plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personality {
    OpenLdap,
    ActiveDirectory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Letter case and repeated spaces do not matter.
    Text,
    /// Text of ASCII characters only.
    Ascii,
    /// Neither do spaces nor hyphens.
    Phone,
    /// Text, compared byte by byte.
    Exact,
    /// Has no equality rule on OpenLDAP.
    Picture,
    Octets,
    Integer,
    Boolean,
    /// Generalised time, and change sequence numbers, which begin with one.
    Time,
    /// Sixteen bytes on AD, text on OpenLDAP.
    Guid,
    Name,
}

/// Whether an attribute exists on a server and how many values it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    No,
    One,
    Many,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Always,
    /// With `+` on OpenLDAP; AD makes no difference.
    Operational,
    /// When asked for by name.
    ByName,
}

#[derive(Debug)]
pub struct Attribute {
    pub name: &'static str,
    /// As AD has it.
    oid: &'static str,
    pub syntax: Syntax,
    open: Shape,
    ad: Shape,
    /// What AD takes at most, in characters or bytes. OpenLDAP knows no such limit.
    ad_max: usize,
    pub shown: Shown,
    /// Written by the server only.
    pub fixed: bool,
}

use Shape::{Many, No, One};
use Syntax::{Ascii, Boolean, Exact, Guid, Integer, Name, Octets, Phone, Picture, Text, Time};

const fn user(
    name: &'static str,
    oid: &'static str,
    syntax: Syntax,
    open: Shape,
    ad: Shape,
    ad_max: usize,
) -> Attribute {
    Attribute { name, oid, syntax, open, ad, ad_max, shown: Shown::Always, fixed: false }
}

const fn server(name: &'static str, oid: &'static str, syntax: Syntax, open: Shape, ad: Shape) -> Attribute {
    Attribute { name, oid, syntax, open, ad, ad_max: usize::MAX, shown: Shown::Operational, fixed: true }
}

const fn by_name(name: &'static str, oid: &'static str, syntax: Syntax, open: Shape, ad: Shape) -> Attribute {
    Attribute { shown: Shown::ByName, ..server(name, oid, syntax, open, ad) }
}

#[rustfmt::skip]
static ATTRIBUTES: &[Attribute] = &[
    user("objectClass", "2.5.4.0", Text, Many, Many, 256),
    user("cn", "2.5.4.3", Text, Many, One, 64),
    user("sn", "2.5.4.4", Text, Many, One, 64),
    user("l", "2.5.4.7", Text, Many, One, 128),
    user("o", "2.5.4.10", Text, Many, Many, 64),
    user("ou", "2.5.4.11", Text, Many, Many, 64),
    user("title", "2.5.4.12", Text, Many, One, 128),
    user("description", "2.5.4.13", Text, Many, Many, 1024),
    user("physicalDeliveryOfficeName", "2.5.4.19", Text, Many, One, 128),
    user("telephoneNumber", "2.5.4.20", Phone, Many, One, 64),
    user("facsimileTelephoneNumber", "2.5.4.23", Phone, Many, One, 64),
    user("member", "2.5.4.31", Name, Many, Many, usize::MAX),
    user("givenName", "2.5.4.42", Text, Many, One, 64),
    user("initials", "2.5.4.43", Text, Many, One, 6),
    user("uid", "0.9.2342.19200300.100.1.1", Text, Many, Many, 256),
    user("mail", "0.9.2342.19200300.100.1.3", Ascii, Many, One, 256),
    user("homePhone", "0.9.2342.19200300.100.1.20", Phone, Many, One, 64),
    user("dc", "0.9.2342.19200300.100.1.25", Text, One, One, 255),
    user("mobile", "0.9.2342.19200300.100.1.41", Phone, Many, One, 64),
    user("pager", "0.9.2342.19200300.100.1.42", Phone, Many, One, 64),
    user("jpegPhoto", "0.9.2342.19200300.100.1.60", Picture, Many, Many, usize::MAX),
    user("departmentNumber", "2.16.840.1.113730.3.1.2", Text, Many, Many, 64),
    user("employeeNumber", "1.2.840.113556.1.2.610", Text, One, One, 512),
    user("displayName", "1.2.840.113556.1.2.13", Text, One, One, 256),
    user("ipPhone", "1.2.840.113556.1.4.721", Text, Many, One, 64),
    user("sipPassword", "1.2.840.113556.1.8000.2554.41717.1.1", Exact, One, One, 255),

    user("thumbnailPhoto", "2.16.840.1.113730.3.1.35", Picture, No, One, 102_400),
    user("middleName", "2.16.840.1.113730.3.1.34", Text, No, One, 64),
    user("otherMobile", "1.2.840.113556.1.4.647", Text, No, Many, 64),
    user("otherTelephone", "1.2.840.113556.1.2.18", Text, No, Many, 64),
    user("otherIpPhone", "1.2.840.113556.1.4.722", Text, No, Many, 64),
    user("department", "1.2.840.113556.1.2.141", Text, No, One, 64),
    user("company", "1.2.840.113556.1.2.146", Text, No, One, 64),
    user("info", "1.2.840.113556.1.2.81", Text, No, One, 1024),
    user("extensionAttribute1", "1.2.840.113556.1.2.423", Text, No, One, 1024),
    user("extensionAttribute2", "1.2.840.113556.1.2.424", Text, No, One, 1024),
    user("extensionAttribute10", "1.2.840.113556.1.2.432", Text, No, One, 1024),
    user("sAMAccountName", "1.2.840.113556.1.4.221", Text, No, One, 256),
    user("userPrincipalName", "1.2.840.113556.1.4.656", Text, No, One, 1024),
    user("userAccountControl", "1.2.840.113556.1.4.8", Integer, No, One, 11),
    user("accountExpires", "1.2.840.113556.1.4.159", Integer, No, One, 20),
    user("lockoutTime", "1.2.840.113556.1.4.662", Integer, No, One, 20),

    Attribute { fixed: false, ..server("pwdAccountLockedTime", "1.3.6.1.4.1.42.2.27.8.1.17", Time, One, No) },
    server("structuralObjectClass", "2.5.21.9", Text, One, No),
    server("entryDN", "1.3.6.1.1.20", Name, One, No),
    server("entryUUID", "1.3.6.1.1.16.4", Guid, One, No),
    server("entryCSN", "1.3.6.1.4.1.4203.666.1.7", Time, One, No),
    server("createTimestamp", "2.5.18.1", Time, One, No),
    server("modifyTimestamp", "2.5.18.2", Time, One, One),
    server("subschemaSubentry", "2.5.18.10", Name, One, No),
    server("hasSubordinates", "2.5.18.9", Boolean, One, No),

    server("distinguishedName", "2.5.4.49", Name, No, One),
    server("name", "1.2.840.113556.1.4.1", Text, No, One),
    server("instanceType", "1.2.840.113556.1.2.1", Integer, No, One),
    server("objectCategory", "1.2.840.113556.1.4.782", Name, No, One),
    server("objectGUID", "1.2.840.113556.1.4.2", Guid, No, One),
    server("whenCreated", "1.2.840.113556.1.2.2", Time, No, One),
    server("whenChanged", "1.2.840.113556.1.2.3", Time, No, One),
    server("uSNCreated", "1.2.840.113556.1.2.19", Integer, No, One),
    server("uSNChanged", "1.2.840.113556.1.2.120", Integer, No, One),
    server("isCriticalSystemObject", "1.2.840.113556.1.4.868", Boolean, No, One),
    server("showInAdvancedViewOnly", "1.2.840.113556.1.2.169", Boolean, No, One),
    server("invocationId", "1.2.840.113556.1.2.115", Octets, No, One),
    by_name("replPropertyMetaData", "1.2.840.113556.1.4.3", Octets, No, One),
    by_name("allowedAttributesEffective", "1.2.840.113556.1.4.914", Text, No, Many),
    Attribute { shown: Shown::Always, ..server("memberOf", "1.2.840.113556.1.2.102", Name, Many, Many) },

    server("lDAPDisplayName", "1.2.840.113556.1.2.460", Text, No, One),
    server("attributeID", "1.2.840.113556.1.2.30", Text, No, One),
    server("isSingleValued", "1.2.840.113556.1.2.33", Boolean, No, One),
    server("msDS-IntId", "1.2.840.113556.1.4.1716", Integer, No, One),
];

/// An object class: its superior, the attributes it must have, and of those
/// that are tied to classes at all the ones it may have. Every other attribute
/// is taken to be allowed everywhere.
struct Class(&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const TIED: &[&str] =
    &["mobile", "mail", "jpegPhoto", "employeeNumber", "displayName", "ipPhone", "sipPassword"];
const CLASSES: &[Class] = &[
    Class("top", "", &[], &[]),
    Class("domain", "top", &["dc"], &["dc"]),
    Class("domainDNS", "domain", &[], &[]),
    Class("organizationalUnit", "top", &["ou"], &[]),
    Class("container", "top", &["cn"], &[]),
    Class("person", "top", &["cn"], &[]),
    Class("organizationalPerson", "person", &[], &[]),
    Class("inetOrgPerson", "organizationalPerson", &["sn"], TIED.split_at(5).0),
    Class("pbxPerson", "top", &[], TIED.split_at(5).1),
    Class("user", "organizationalPerson", &[], TIED),
    Class("computer", "user", &[], &[]),
    Class("groupOfNames", "top", &["cn", "member"], &["member"]),
    Class("group", "top", &["cn"], &["member"]),
    Class("nTDSDSA", "top", &["cn"], &[]),
    Class("attributeSchema", "top", &["cn"], &[]),
];

/// The prefixes of AD's attribute numbers. An attribute outside them has an
/// `msDS-IntId` of its own.
const PREFIXES: &[(u32, &str)] = &[
    (0x00, "2.5.4."),
    (0x02, "1.2.840.113556.1.2."),
    (0x09, "1.2.840.113556.1.4."),
    (0x15, "0.9.2342.19200300.100.1."),
    (0x16, "2.16.840.1.113730.3.1."),
    (0x19, "2.5.18."),
];

impl Personality {
    /// The attribute of that name, if this server has it.
    pub fn attribute(self, name: &str) -> Option<&'static Attribute> {
        self.attributes().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    pub fn attributes(self) -> impl Iterator<Item = &'static Attribute> {
        ATTRIBUTES.iter().filter(move |attribute| self.shape(attribute) != Shape::No)
    }

    pub fn spelling(self) -> Spelling {
        match self {
            Personality::OpenLdap => Spelling::Hex,
            Personality::ActiveDirectory => Spelling::Backslash,
        }
    }

    pub fn shape(self, attribute: &Attribute) -> Shape {
        match self {
            Personality::OpenLdap => attribute.open,
            Personality::ActiveDirectory => attribute.ad,
        }
    }

    /// Whether a value is one this server would store.
    pub fn accepts(self, attribute: &Attribute, value: &[u8]) -> bool {
        let text = std::str::from_utf8(value);
        let ad = self == Personality::ActiveDirectory;
        let length = match text {
            Ok(text) if attribute.syntax != Syntax::Picture => text.chars().count(),
            _ => value.len(),
        };
        if value.is_empty() || (ad && length > attribute.ad_max) {
            return false;
        }
        match (attribute.syntax, text) {
            (Octets, _) => true,
            (Picture, _) => ad || value.starts_with(&[0xff, 0xd8]),
            (Guid, _) => true,
            (_, Err(_)) => false,
            // The alphabet of telephone numbers is that of RFC 4517's PrintableString.
            (Phone, Ok(text)) => {
                ad || text.chars().all(|c| c.is_ascii_alphanumeric() || " '()+,-./:?=".contains(c))
            }
            (Ascii, Ok(text)) => ad || text.is_ascii(),
            (Integer, Ok(text)) => text.parse::<i64>().is_ok(),
            (Boolean, Ok(text)) => matches!(text, "TRUE" | "FALSE"),
            (Name, Ok(text)) => Dn::parse(text).is_some(),
            (Time, Ok(text)) => text.ends_with('Z') && text.bytes().take(12).all(|b| b.is_ascii_digit()),
            (Text | Exact, Ok(text)) => attribute.name != "objectClass" || class(text).is_some(),
        }
    }

    /// Whether two values of this attribute can be told equal: OpenLDAP has no
    /// rule for pictures, and therefore refuses to add or delete one of them.
    pub fn has_equality(self, attribute: &Attribute) -> bool {
        self == Personality::ActiveDirectory || attribute.syntax != Picture
    }
}

impl Attribute {
    /// The number that stands for this attribute in `replPropertyMetaData`.
    pub fn attid(&self) -> u32 {
        match self.prefixed() {
            Some(attid) => attid,
            None => {
                0xbf81_0000
                    | u32::from(self.oid.bytes().fold(0u16, |sum, b| sum.rotate_left(3) ^ u16::from(b)))
            }
        }
    }

    /// The number that the schema entry of an added attribute names.
    pub fn int_id(&self) -> Option<i32> {
        self.prefixed().is_none().then_some(self.attid().cast_signed())
    }

    pub fn oid(&self) -> &'static str {
        self.oid
    }

    /// As the subschema defines it (RFC 4512).
    pub fn definition(&self, personality: Personality) -> String {
        let single = if personality.shape(self) == One { " SINGLE-VALUE" } else { "" };
        let fixed = if self.fixed { " NO-USER-MODIFICATION" } else { "" };
        format!("( {} NAME '{}'{single}{fixed} )", self.oid, self.name)
    }

    fn prefixed(&self) -> Option<u32> {
        PREFIXES.iter().find_map(|(number, prefix)| {
            let arc: u32 = self.oid.strip_prefix(prefix)?.parse().ok()?;
            Some(number << 16 | arc)
        })
    }

    /// The form in which values are compared, or nothing where no value of
    /// this attribute can be like the one given.
    pub fn comparable<'a>(&self, value: &'a [u8]) -> Option<Comparable<'a>> {
        let text = std::str::from_utf8(value);
        let owned = |text: String| Comparable::Bytes(Cow::Owned(text.into_bytes()));
        Some(match self.syntax {
            Exact | Octets | Picture => Comparable::Bytes(Cow::Borrowed(value)),
            Text | Ascii | Boolean => owned(fold(text.ok()?)),
            Phone => owned(text.ok()?.to_lowercase().replace([' ', '-'], "")),
            Integer => Comparable::Integer(text.ok()?.parse().ok()?),
            // `20261123075914.0Z` and `20261123075914Z` are one moment.
            Time => owned(text.ok()?.replace(".0Z", "Z")),
            Name => owned(Dn::parse(text.ok()?)?.key()),
            Guid => Comparable::Bytes(Cow::Owned(guid(value)?.into_bytes().to_vec())),
        })
    }

    /// Whether one value can come before another.
    pub fn has_order(&self) -> bool {
        matches!(self.syntax, Integer | Time | Text | Ascii)
    }

    /// Whether part of a value can be matched.
    pub fn has_parts(&self) -> bool {
        matches!(self.syntax, Text | Ascii | Phone | Exact)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparable<'a> {
    Bytes(Cow<'a, [u8]>),
    Integer(i64),
}

impl Comparable<'_> {
    pub fn into_owned(self) -> Comparable<'static> {
        match self {
            Comparable::Bytes(bytes) => Comparable::Bytes(Cow::Owned(bytes.into_owned())),
            Comparable::Integer(integer) => Comparable::Integer(integer),
        }
    }
}

/// Lower case, white space trimmed and collapsed.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}

/// AD stores a GUID with its first three fields turned round; both servers
/// take the dashed text.
fn guid(value: &[u8]) -> Option<Uuid> {
    match Uuid::from_slice_le(value) {
        Ok(guid) => Some(guid),
        Err(_) => Uuid::try_parse_ascii(value).ok(),
    }
}

fn class(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.0.eq_ignore_ascii_case(name))
}

/// The classes as the subschema of this server defines them. What is not tied
/// to a class is allowed by the topmost one.
pub fn class_definitions(personality: Personality) -> Vec<String> {
    let known = |names: &mut dyn Iterator<Item = &'static str>| {
        names.filter(|name| personality.attribute(name).is_some()).collect::<Vec<_>>().join(" $ ")
    };
    let tied = |name: &str| CLASSES.iter().any(|class| class.3.contains(&name));
    let untied = || personality.attributes().map(|attribute| attribute.name).filter(|name| !tied(name));
    let clause = |keyword: &str, names: String| match names.as_str() {
        "" => String::new(),
        names => format!(" {keyword} ( {names} )"),
    };
    let definition = |(index, Class(name, superior, must, may)): (usize, &Class)| {
        let above = if superior.is_empty() { String::new() } else { format!(" SUP {superior}") };
        let must = clause("MUST", known(&mut must.iter().copied()));
        let may = match superior.is_empty() {
            true => clause("MAY", known(&mut untied())),
            false => clause("MAY", known(&mut may.iter().copied())),
        };
        format!("( 1.1.{index} NAME '{name}'{above}{must}{may} )")
    };
    CLASSES.iter().enumerate().map(definition).collect()
}

/// The class and everything above it, the topmost first.
pub fn lineage(name: &str) -> Vec<&'static str> {
    let mut classes = Vec::new();
    let mut next = class(name);
    while let Some(Class(name, superior, _, _)) = next {
        classes.insert(0, *name);
        next = class(superior);
    }
    classes
}

/// What the classes of an entry find wrong with the attributes it has, in the
/// server's words.
pub fn violation(classes: &[String], attributes: &[&str]) -> Option<String> {
    let classes: Vec<&Class> = classes.iter().flat_map(|name| lineage(name)).filter_map(class).collect();
    if classes.is_empty() {
        return Some("no objectClass attribute".to_owned());
    }
    let missing = classes.iter().find_map(|Class(name, _, must, _)| {
        let missing = must.iter().find(|attribute| !attributes.contains(attribute))?;
        Some(format!("object class '{name}' requires attribute '{missing}'"))
    });
    let tied = |name: &str| CLASSES.iter().any(|class| class.3.contains(&name));
    let allowed = |name: &str| !tied(name) || classes.iter().any(|class| class.3.contains(&name));
    missing.or_else(|| {
        attributes.iter().find(|name| !allowed(name)).map(|name| format!("attribute '{name}' not allowed"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attribute_numbers_are_those_seen_on_servers() {
        let ad = Personality::ActiveDirectory;
        let attid = |name: &str| ad.attribute(name).unwrap().attid();
        assert_eq!(attid("telephoneNumber"), 0x0000_0014);
        assert_eq!(attid("IPPHONE"), 0x0009_02d1);
        assert_eq!(attid("userAccountControl"), 0x0009_0008);
        assert_eq!(attid("mobile"), 0x0015_0029);
        assert_eq!(attid("mail"), 0x0015_0003);
        let added = ad.attribute("sipPassword").unwrap();
        assert_eq!(added.int_id().map(i32::cast_unsigned), Some(added.attid()));
        let numbers: std::collections::BTreeSet<_> = ad.attributes().map(Attribute::attid).collect();
        assert_eq!(numbers.len(), ad.attributes().count());
    }

    #[test]
    fn values_are_accepted_as_the_servers_do() {
        let check = |personality: Personality, name: &str, value: &[u8], accepted: bool| {
            let attribute = personality.attribute(name).unwrap();
            assert_eq!(personality.accepts(attribute, value), accepted, "{personality:?} {name} {value:?}");
        };
        let (open, ad) = (Personality::OpenLdap, Personality::ActiveDirectory);
        for (name, value, on_open, on_ad) in [
            ("mobile", "+7 (926) 1-2".as_bytes(), true, true),
            ("mobile", "8 доб. 5".as_bytes(), false, true),
            ("mail", "ф@x".as_bytes(), false, true),
            ("cn", b"".as_slice(), false, false),
            ("cn", b"\xff".as_slice(), false, false),
            ("cn", b"a\0b".as_slice(), true, true),
            ("ipPhone", &[b'1'; 65], true, false),
            ("jpegPhoto", b"GIF89a", false, true),
            ("objectClass", b"foo", false, false),
        ] {
            check(open, name, value, on_open);
            check(ad, name, value, on_ad);
        }
        check(ad, "thumbnailPhoto", &vec![0xff; 102_400], true);
        check(ad, "thumbnailPhoto", &vec![0xff; 102_401], false);
        check(ad, "userAccountControl", b"x", false);
    }
}
