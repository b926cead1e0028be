//! A filter as an administrator may type it (RFC 4515).
//!
//! The parser has no printer of its own. There is one here, which escapes all
//! it can, and the `ldap3` crate as a second opinion on the bytes.

use bytes::BytesMut;
use directory::fuzzing::filter as parse;
use lber::structures::ASNTag;
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::{LdapDerefAliases, LdapFilter, LdapMsg, LdapOp, LdapSearchRequest, LdapSearchScope};
use tokio_util::codec::{Decoder, Encoder};

/// Written out with escapes, a longer one may pass the parser's limit.
const BYTES_MAX: usize = 5_000;

pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.len() > BYTES_MAX {
        return;
    }
    let filter = match parse(text) {
        Ok(filter) => filter,
        Err(error) => return assert!(error.at <= text.chars().count(), "{error}"),
    };
    assert_eq!(parse(&printed(&filter)).as_ref(), Ok(&filter), "printed and read again");
    if !text.trim_start().starts_with('(') {
        assert_eq!(parse(&format!("({text})")).as_ref(), Ok(&filter), "in parentheses");
    }
    let bytes = sent(filter.clone());
    assert_eq!(received(&bytes).as_ref(), Some(&filter), "as a server reads it");
    if let Some(oracle) = oracle(text).filter(|_| !is_extensible(&filter)) {
        assert!(bytes.windows(oracle.len()).any(|window| window == oracle), "as `ldap3` reads it");
    }
}

fn printed(filter: &LdapFilter) -> String {
    let list = |filters: &[LdapFilter]| filters.iter().map(printed).collect::<String>();
    let inner = match filter {
        LdapFilter::And(filters) => format!("&{}", list(filters)),
        LdapFilter::Or(filters) => format!("|{}", list(filters)),
        LdapFilter::Not(filter) => format!("!{}", printed(filter)),
        LdapFilter::Equality(attribute, value) => format!("{attribute}={}", escaped(value)),
        LdapFilter::GreaterOrEqual(attribute, value) => format!("{attribute}>={}", escaped(value)),
        LdapFilter::LessOrEqual(attribute, value) => format!("{attribute}<={}", escaped(value)),
        LdapFilter::Approx(attribute, value) => format!("{attribute}~={}", escaped(value)),
        LdapFilter::Present(attribute) => format!("{attribute}=*"),
        LdapFilter::Substring(attribute, parts) => {
            let initial = parts.initial.as_deref().map(escaped).unwrap_or_default();
            let any: String = parts.any.iter().map(|part| format!("{}*", escaped(part))).collect();
            let last = parts.final_.as_deref().map(escaped).unwrap_or_default();
            format!("{attribute}={initial}*{any}{last}")
        }
        LdapFilter::Extensible(part) => {
            let attribute = part.type_.as_deref().unwrap_or_default();
            let dn = if part.dn_attributes { ":dn" } else { "" };
            let rule = part.matching_rule.as_ref().map(|rule| format!(":{rule}")).unwrap_or_default();
            format!("{attribute}{dn}{rule}:={}", escaped(&part.match_value))
        }
    };
    format!("({inner})")
}

fn escaped(value: &str) -> String {
    value.bytes().map(|byte| format!("\\{byte:02x}")).collect()
}

fn sent(filter: LdapFilter) -> BytesMut {
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
    LdapCodec::default().encode(message, &mut bytes).expect("encoding into memory cannot fail");
    bytes
}

fn received(bytes: &BytesMut) -> Option<LdapFilter> {
    match LdapCodec::default().decode(&mut bytes.clone()).ok()??.op {
        LdapOp::SearchRequest(request) => Some(request.filter),
        _ => None,
    }
}

fn oracle(text: &str) -> Option<Vec<u8>> {
    let tag = ldap3::parse_filter(text).ok()?;
    let mut bytes = BytesMut::new();
    lber::write::encode_into(&mut bytes, tag.into_structure()).ok()?;
    Some(bytes.to_vec())
}

/// The second opinion leaves out a FALSE that our codec writes.
fn is_extensible(filter: &LdapFilter) -> bool {
    match filter {
        LdapFilter::And(filters) | LdapFilter::Or(filters) => filters.iter().any(is_extensible),
        LdapFilter::Not(filter) => is_extensible(filter),
        LdapFilter::Extensible(_) => true,
        _ => false,
    }
}
