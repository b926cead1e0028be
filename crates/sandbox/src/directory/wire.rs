//! Messages on the wire. Encoding is `ldap3_proto`'s own; decoding differs in
//! one point: its filters hold text only, so assertions that are no UTF-8 are
//! let through in disguise ([`masked`]) instead of ending the connection.

use bytes::{Buf, BytesMut};
use ldap3_lber::common::TagClass;
use ldap3_lber::structure::{PL, StructureTag};
use ldap3_lber::structures::{ASNTag, Tag};
use ldap3_lber::{Err, Parser, write};
use ldap3_proto::proto::LdapOp;
use ldap3_proto::{LdapFilter, LdapMsg, LdapSearchResultEntry};
use std::borrow::Cow;
use std::io;
use tokio_util::codec::{Decoder, Encoder};

/// The longest request that is read: room for a few pictures.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
const SEARCH_REQUEST: u64 = 3;
/// Starts the disguise of an assertion that is no UTF-8; hexadecimal digits
/// follow. A private-use character: nobody's name has it.
const MASK: char = '\u{f8ff}';

#[derive(Debug)]
pub struct Wire;

impl Decoder for Wire {
    type Item = LdapMsg;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<LdapMsg>> {
        let (tag, used) = match Parser::default().parse(buffer) {
            Ok((rest, tag)) => (tag, buffer.len() - rest.len()),
            Err(Err::Incomplete(_)) if buffer.len() <= MESSAGE_BYTES_MAX => return Ok(None),
            Err(_) => return Err(io::Error::other("not an LDAP message")),
        };
        buffer.advance(used);
        LdapMsg::try_from(mask_search(tag)).map(Some).map_err(io::Error::other)
    }
}

impl Encoder<LdapMsg> for Wire {
    type Error = io::Error;

    fn encode(&mut self, message: LdapMsg, buffer: &mut BytesMut) -> io::Result<()> {
        write::encode_into(buffer, message.into())
    }
}

/// The text that stands for an assertion in a decoded filter.
pub fn masked(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => std::iter::once(MASK)
            .chain(bytes.iter().flat_map(|b| format!("{b:02x}").into_bytes()).map(char::from))
            .collect(),
    }
}

/// What the asker sent, out of the text of a decoded filter.
pub fn assertion_bytes(text: &str) -> Cow<'_, [u8]> {
    let Some(hex) = text.strip_prefix(MASK) else { return Cow::Borrowed(text.as_bytes()) };
    let pairs = hex.as_bytes().chunks(2).map_while(|pair| std::str::from_utf8(pair).ok());
    pairs.map_while(|pair| u8::from_str_radix(pair, 16).ok()).collect::<Vec<u8>>().into()
}

/// The filter that an assertion control carries.
pub fn assertion(value: &[u8]) -> Option<LdapFilter> {
    let (_, tag) = Parser::default().parse(value).ok()?;
    LdapFilter::try_from(mask(tag)).ok()
}

/// The attribute names that a read-entry control carries.
pub fn selection(value: &[u8]) -> Option<Vec<String>> {
    let (_, tag) = Parser::default().parse(value).ok()?;
    let names = tag.expect_constructed()?.into_iter();
    names.map(|tag| tag.expect_primitive().and_then(|name| String::from_utf8(name).ok())).collect()
}

/// An entry as the value of a read-entry control.
pub fn entry_value(entry: LdapSearchResultEntry) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    write::encode_into(&mut buffer, Tag::from(LdapOp::SearchResultEntry(entry)).into_structure())
        .expect("writing into memory does not fail");
    buffer.to_vec()
}

fn mask_search(message: StructureTag) -> StructureTag {
    let is_search = |tag: &StructureTag| tag.class == TagClass::Application && tag.id == SEARCH_REQUEST;
    match message.payload {
        PL::C(parts) => {
            let parts = parts.into_iter().map(|part| if is_search(&part) { mask(part) } else { part });
            StructureTag { payload: PL::C(parts.collect()), ..message }
        }
        PL::P(_) => message,
    }
}

fn mask(tag: StructureTag) -> StructureTag {
    let payload = match tag.payload {
        PL::P(bytes) if std::str::from_utf8(&bytes).is_err() && is_text(tag.class, tag.id) => {
            PL::P(masked(&bytes).into_bytes())
        }
        PL::C(parts) => PL::C(parts.into_iter().map(mask).collect()),
        primitive => primitive,
    };
    StructureTag { payload, ..tag }
}

/// Octet strings, and the context tags that stand for them in filters.
fn is_text(class: TagClass, id: u64) -> bool {
    class == TagClass::Context || (class == TagClass::Universal && id == 4)
}
