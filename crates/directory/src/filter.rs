//! Search filters in their string form (RFC 4515).
//!
//! The codec carries assertion values as text, so a value that is not UTF-8
//! after unescaping is refused here, in words. Deliberately absent: printing a
//! filter, which nobody needs.

use ldap3_proto::proto::{LdapFilter, LdapMatchingRuleAssertion, LdapSubstringFilter};
use serde::Serialize;
use thiserror::Error;

/// Filters nest no deeper than this, here and in every server we know.
const DEPTH_MAX: usize = 32;
const LENGTH_MAX: usize = 16 * 1024;

#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[error("the filter is wrong at character {}: {what}", .at + 1)]
pub struct FilterError {
    /// How many characters stand in front of the place where reading stopped.
    pub at: usize,
    pub what: &'static str,
}

/// Reads a filter. The outermost parentheses may be left out, as every
/// administrator does sooner or later.
pub fn parse(text: &str) -> Result<LdapFilter, FilterError> {
    let mut reader = Reader { text, at: 0 };
    if text.len() > LENGTH_MAX {
        return reader.fail("it is longer than 16,384 bytes");
    }
    reader.skip_blanks();
    let filter = match reader.peek() {
        None => return reader.fail("it is empty"),
        Some(b'(') => reader.filter(DEPTH_MAX)?,
        Some(_) => reader.inner(DEPTH_MAX)?,
    };
    reader.skip_blanks();
    match reader.peek() {
        None => Ok(filter),
        Some(b')') => reader.fail("one closing parenthesis too many"),
        Some(_) => reader.fail("something follows the end of the filter"),
    }
}

/// `(&first second)`, without a level of its own where one is enough.
pub fn all(first: LdapFilter, second: Option<LdapFilter>) -> LdapFilter {
    match second {
        None => first,
        Some(second) => LdapFilter::And(vec![first, second]),
    }
}

pub fn equal(attribute: &str, value: &str) -> LdapFilter {
    LdapFilter::Equality(attribute.to_owned(), value.to_owned())
}

pub fn any_entry() -> LdapFilter {
    LdapFilter::Present("objectClass".to_owned())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn filter(&mut self, depth: usize) -> Result<LdapFilter, FilterError> {
        self.expect(b'(', "an opening parenthesis is missing")?;
        self.skip_blanks();
        let filter = self.inner(depth)?;
        self.skip_blanks();
        self.expect(b')', "a closing parenthesis is missing")?;
        Ok(filter)
    }

    fn inner(&mut self, depth: usize) -> Result<LdapFilter, FilterError> {
        let Some(depth) = depth.checked_sub(1) else {
            return self.fail("it is nested more than 32 levels deep");
        };
        match self.peek() {
            Some(b'&') => Ok(LdapFilter::And(self.list(depth)?)),
            Some(b'|') => Ok(LdapFilter::Or(self.list(depth)?)),
            Some(b'!') => {
                self.at += 1;
                self.skip_blanks();
                Ok(LdapFilter::Not(Box::new(self.filter(depth)?)))
            }
            _ => self.item(),
        }
    }

    /// The members of `&` or `|`. Both may be empty (RFC 4526).
    fn list(&mut self, depth: usize) -> Result<Vec<LdapFilter>, FilterError> {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'(') {
                return Ok(members);
            }
            members.push(self.filter(depth)?);
        }
    }

    fn item(&mut self) -> Result<LdapFilter, FilterError> {
        let left = self.take_while(|byte| is_attribute_byte(byte) || byte == b':').to_owned();
        if let Some(left) = left.strip_suffix(':') {
            self.expect(b'=', "`=` is missing after `:`")?;
            return self.extensible(left);
        }
        if !is_attribute(&left) {
            return self.fail("an attribute name is missing or contains a wrong character");
        }
        let make = match self.peek() {
            Some(b'=') => None,
            Some(b'>') => Some(LdapFilter::GreaterOrEqual as fn(String, String) -> LdapFilter),
            Some(b'<') => Some(LdapFilter::LessOrEqual as fn(String, String) -> LdapFilter),
            Some(b'~') => Some(LdapFilter::Approx as fn(String, String) -> LdapFilter),
            _ => return self.fail("one of `=`, `>=`, `<=`, `~=`, `:=` is missing after the attribute"),
        };
        self.at += 1;
        match make {
            None => self.equality(left),
            Some(make) => self.ordering(left, make),
        }
    }

    fn ordering(
        &mut self,
        attribute: String,
        make: fn(String, String) -> LdapFilter,
    ) -> Result<LdapFilter, FilterError> {
        self.expect(b'=', "`=` is missing after `>`, `<` or `~`")?;
        let value = self.value()?;
        if self.peek() == Some(b'*') {
            return self.fail("`*` is only allowed after `=`: write \\2a for the character");
        }
        Ok(make(attribute, value))
    }

    fn equality(&mut self, attribute: String) -> Result<LdapFilter, FilterError> {
        let mut parts = vec![self.value()?];
        while self.peek() == Some(b'*') {
            self.at += 1;
            parts.push(self.value()?);
        }
        let full = |part: String| (!part.is_empty()).then_some(part);
        let last = parts.pop().unwrap_or_default();
        if parts.is_empty() {
            return Ok(LdapFilter::Equality(attribute, last));
        }
        let any: Vec<String> = parts.drain(1..).collect();
        let substrings = LdapSubstringFilter { initial: parts.pop().and_then(full), any, final_: full(last) };
        if substrings.any.iter().any(String::is_empty) {
            return self.fail("two `*` stand side by side");
        }
        if substrings == LdapSubstringFilter::default() {
            return Ok(LdapFilter::Present(attribute));
        }
        Ok(LdapFilter::Substring(attribute, substrings))
    }

    /// `attribute:dn:rule:=value`, of which either attribute or rule may be
    /// missing.
    fn extensible(&mut self, left: &str) -> Result<LdapFilter, FilterError> {
        let mut parts = left.split(':');
        let attribute = parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let mut rest: Vec<&str> = parts.collect();
        let dn_attributes = rest.first().is_some_and(|part| part.eq_ignore_ascii_case("dn"));
        if dn_attributes {
            rest.remove(0);
        }
        let rule = match rest[..] {
            [] => None,
            [rule] if is_attribute(rule) => Some(rule.to_owned()),
            _ => return self.fail("the matching rule before `:=` is wrong"),
        };
        if attribute.as_deref().is_some_and(|attribute| !is_attribute(attribute))
            || (attribute.is_none() && rule.is_none())
        {
            return self.fail("an attribute or a matching rule is missing before `:=`");
        }
        let match_value = self.value()?;
        Ok(LdapFilter::Extensible(LdapMatchingRuleAssertion {
            matching_rule: rule,
            type_: attribute,
            match_value,
            dn_attributes,
        }))
    }

    /// Everything up to `*`, a parenthesis or the end, with `\xx` resolved.
    fn value(&mut self) -> Result<String, FilterError> {
        let start = self.at;
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'*' | b')' => break,
                b'(' => return self.fail("`(` stands inside a value: write \\28"),
                0 => return self.fail("a NUL stands inside a value: write \\00"),
                b'\\' => {
                    let code = self.text.get(self.at + 1..self.at + 3);
                    let code = code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
                    match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
                        Some(byte) => bytes.push(byte),
                        None => return self.fail("two hexadecimal digits are missing after `\\`"),
                    }
                    self.at += 3;
                }
                byte => {
                    bytes.push(byte);
                    self.at += 1;
                }
            }
        }
        String::from_utf8(bytes).or_else(|_| {
            self.at = start;
            self.fail("the value is not text (UTF-8): binary values cannot be used in a filter")
        })
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &str {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn skip_blanks(&mut self) {
        self.take_while(|byte| byte.is_ascii_whitespace());
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), FilterError> {
        if self.peek() != Some(byte) {
            return self.fail(what);
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fail<T>(&self, what: &'static str) -> Result<T, FilterError> {
        // Reading stops at ASCII or at the beginning of another character.
        Err(FilterError { at: self.text[..self.at].chars().count(), what })
    }
}

/// An attribute name or numeric OID, with options: `cn`, `2.5.4.3`, `cn;lang-de`.
pub fn is_attribute(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(is_attribute_byte)
}

fn is_attribute_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b';' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use ldap3_proto::LdapCodec;
    use ldap3_proto::proto::{LdapDerefAliases, LdapMsg, LdapOp, LdapSearchRequest, LdapSearchScope};
    use proptest::prelude::*;
    use tokio_util::codec::Encoder;

    /// The filter's bytes as our codec sends them.
    fn ours(text: &str) -> Option<Vec<u8>> {
        let filter = parse(text).ok()?;
        let request = LdapSearchRequest {
            base: String::new(),
            scope: LdapSearchScope::Base,
            aliases: LdapDerefAliases::Never,
            sizelimit: 0,
            timelimit: 0,
            typesonly: false,
            filter,
            attrs: Vec::new(),
        };
        let mut bytes = BytesMut::new();
        let message = LdapMsg::new(1, LdapOp::SearchRequest(request));
        LdapCodec::default().encode(message, &mut bytes).unwrap();
        Some(bytes.to_vec())
    }

    /// The filter's bytes as the `ldap3` crate makes them.
    fn oracle(text: &str) -> Option<Vec<u8>> {
        use lber::{structures::ASNTag, write};
        let tag = ldap3::parse_filter(text).ok()?;
        let mut bytes = BytesMut::new();
        write::encode_into(&mut bytes, tag.into_structure()).unwrap();
        Some(bytes.to_vec())
    }

    #[test]
    fn the_oracle_agrees_on_what_administrators_write() {
        for text in [
            "(cn=Ivan)",
            "(cn=)",
            "(cn=*)",
            "(cn=Iv*)",
            "(cn=*an)",
            "(cn=I*v*an)",
            "(cn=*\\2a*)",
            "(memberOf=CN=a,DC=b)",
            "(cn=Иванов Иван)",
            "(cn=\\d0\\98ван)",
            "(&(objectClass=user)(!(cn=x))(|(a=1)(b>=2)(c<=3)(d~=4)))",
            "(&)",
            "(|)",
            "(cn;lang-de=x)",
            "(2.5.4.3=x)",
            "(cn=a\\28b\\29c\\5c)",
            "(member=CN=Ё\\2c Ж,OU=«x»,DC=y)",
        ] {
            let (ours, oracle) = (ours(text), oracle(text));
            let (ours, oracle) = (ours.expect(text), oracle.expect(text));
            assert!(ours.windows(oracle.len()).any(|window| window == oracle), "{text}");
        }
        // The oracle leaves a FALSE out that our codec writes: the rest is the same.
        assert_eq!(
            parse("(userAccountControl:1.2.840.113556.1.4.803:=2)"),
            Ok(LdapFilter::Extensible(LdapMatchingRuleAssertion {
                matching_rule: Some("1.2.840.113556.1.4.803".to_owned()),
                type_: Some("userAccountControl".to_owned()),
                match_value: "2".to_owned(),
                dn_attributes: false,
            }))
        );
    }

    #[test]
    fn extensible_matches_in_all_their_forms() {
        let parts = |text| match parse(text) {
            Ok(LdapFilter::Extensible(m)) => (m.type_, m.dn_attributes, m.matching_rule),
            other => panic!("{text}: {other:?}"),
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("(cn:=x)"), (some("cn"), false, None));
        assert_eq!(parts("(cn:dn:=x)"), (some("cn"), true, None));
        assert_eq!(parts("(cn:dn:2.4.6:=x)"), (some("cn"), true, some("2.4.6")));
        assert_eq!(parts("(:dn:2.4.6:=x)"), (None, true, some("2.4.6")));
        assert_eq!(parts("(:2.4.6:=x)"), (None, false, some("2.4.6")));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, at, what) in [
            ("", 0, "empty"),
            ("(cn=x", 5, "closing parenthesis"),
            ("(cn=x))", 6, "too many"),
            ("(cn=x)(sn=y)", 6, "follows"),
            ("(cn=a(b)", 5, "\\28"),
            ("(cn=a\\zz)", 5, "hexadecimal"),
            ("(cn=a\\2)", 5, "hexadecimal"),
            ("(cn=a\\+1)", 5, "hexadecimal"),
            ("(cn=\\d0)", 4, "UTF-8"),
            ("(cn=a**b)", 8, "side by side"),
            ("(cn>=a*)", 6, "\\2a"),
            ("(=x)", 1, "attribute"),
            ("(c n=x)", 2, "`=`"),
            ("(:=x)", 3, "missing before"),
            ("(!cn=x)", 2, "opening"),
            ("(фио=x)", 1, "attribute"),
            ("(cn=Анна", 8, "closing parenthesis"),
            ("(&(cn=Анна)(sn=\\d0))", 15, "UTF-8"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.at == at && error.what.contains(what), "{text}: {error:?}");
        }
    }

    #[test]
    fn nesting_and_length_have_a_limit() {
        let nested = |n: usize| format!("{}(cn=x){}", "(!".repeat(n), ")".repeat(n));
        assert!(parse(&nested(DEPTH_MAX - 1)).is_ok());
        assert!(parse(&nested(DEPTH_MAX)).is_err());
        assert!(parse(&nested(200_000)).is_err());
        assert!(parse(&format!("(cn={})", "x".repeat(LENGTH_MAX))).is_err());
    }

    #[test]
    fn outer_parentheses_and_blanks_are_forgiven() {
        assert_eq!(parse("cn=x"), parse("(cn=x)"));
        assert_eq!(parse(" ( & (a=1)\n (b=2) ) "), parse("(&(a=1)(b=2))"));
        assert_eq!(parse("(cn= x )"), Ok(equal("cn", " x ")), "blanks in a value are the value");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn the_oracle_agrees_on_any_escaped_value(bytes in proptest::collection::vec(any::<u8>(), 1..20)) {
            let value: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
            let text = format!("(cn={value})");
            match ours(&text) {
                Some(ours) => {
                    let oracle = oracle(&text).expect("it takes all escapes");
                    prop_assert!(ours.windows(oracle.len()).any(|window| window == oracle));
                }
                None => prop_assert!(std::str::from_utf8(&bytes).is_err()),
            }
        }
    }
}
