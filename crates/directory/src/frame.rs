//! Cuts LDAP messages out of a byte stream and decodes them.
//!
//! Lengths, nesting and operations are checked here, before the codec sees a
//! byte: a peer that is not an LDAP server, or a hostile one, is an error in
//! words after a few bytes, never a huge allocation, a deep recursion or a
//! half-read entry.

use bytes::BytesMut;
use ldap3_proto::LdapCodec;
use ldap3_proto::proto::LdapMsg;
use tokio_util::codec::{Decoder, Encoder};
use tracing::dispatcher::{self, Dispatch};

/// No answer is larger: an entry with a few pictures is a few MiB.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Answers nest six levels deep; filters never come back.
const NESTING_MAX: usize = 24;
const SEQUENCE: u8 = 0x30;

/// Takes one whole message off the front of `buffer`, if it is there.
pub fn decode(buffer: &mut BytesMut) -> Result<Option<LdapMsg>, &'static str> {
    let Some(length) = message_length(buffer)? else { return Ok(None) };
    if buffer.len() < length {
        return Ok(None);
    }
    let mut message = buffer.split_to(length);
    well_formed(&message, NESTING_MAX)?;
    known_operation(&message)?;
    let mut codec = LdapCodec::new(Some(MESSAGE_BYTES_MAX), Some(NESTING_MAX));
    // The codec traces whole messages, and entries may hold SIP passwords.
    dispatcher::with_default(&Dispatch::none(), || codec.decode(&mut message))
        .map_err(|_| "the message is no LDAP answer we can understand")
}

pub fn encode(message: LdapMsg) -> BytesMut {
    let mut bytes = BytesMut::new();
    LdapCodec::default().encode(message, &mut bytes).expect("encoding into memory cannot fail");
    bytes
}

/// An operation's bytes as a message of their own, so that [`decode`] reads it.
pub fn wrap(operation: &[u8]) -> BytesMut {
    const ID: [u8; 3] = [2, 1, 1];
    let length = u32::try_from(ID.len() + operation.len()).unwrap_or(u32::MAX);
    let mut message = BytesMut::from(&[SEQUENCE, 0x84][..]);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(&ID);
    message.extend_from_slice(operation);
    message
}

/// The length of the first message with its header, once that is known.
fn message_length(buffer: &[u8]) -> Result<Option<usize>, &'static str> {
    match buffer.first() {
        None => return Ok(None),
        Some(&SEQUENCE) => {}
        Some(_) => return Err("what it sends is not LDAP: is this the right port, and the right security?"),
    }
    match header(buffer)? {
        Some((head, body)) if body <= MESSAGE_BYTES_MAX => Ok(Some(head + body)),
        Some(_) => Err("it announced a message larger than 16 MiB"),
        None => Ok(None),
    }
}

/// Header and body length of the element at the front; `None` if more bytes
/// are needed to tell. Lengths are definite and at most four bytes (RFC 4511).
fn header(bytes: &[u8]) -> Result<Option<(usize, usize)>, &'static str> {
    match bytes.get(1) {
        None => Ok(None),
        Some(&short @ 0..=0x7f) => Ok(Some((2, usize::from(short)))),
        Some(&long @ 0x81..=0x84) => {
            let head = 2 + usize::from(long & 0x7f);
            let digits = bytes.get(2..head);
            Ok(digits.map(|digits| (head, digits.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))))
        }
        Some(_) => Err("it sent a length that LDAP does not allow"),
    }
}

/// Whether every element ends exactly where its parent says, and none nests
/// too deep. The codec would silently drop the rest of a torn list.
fn well_formed(mut bytes: &[u8], depth: usize) -> Result<(), &'static str> {
    const TORN: &str = "it sent a message whose parts do not fit together";
    const CONSTRUCTED: u8 = 0x20;
    const LONG_TAG: u8 = 0x1f;
    let Some(depth) = depth.checked_sub(1) else { return Err("it sent a message that is nested too deep") };
    while let [tag, ..] = *bytes {
        let (head, body) = header(bytes)?.ok_or(TORN)?;
        let content = bytes.get(head..head + body).ok_or(TORN)?;
        if tag & LONG_TAG == LONG_TAG {
            return Err(TORN);
        }
        if tag & CONSTRUCTED != 0 {
            well_formed(content, depth)?;
        }
        bytes = &bytes[head + body..];
    }
    Ok(())
}

/// Whether the operation is an answer: the codec prints an unknown one to the
/// standard output.
fn known_operation(message: &[u8]) -> Result<(), &'static str> {
    // Bind, entry, done, modify, reference, extended and intermediate answers.
    const ANSWERS: [u8; 7] = [0x61, 0x64, 0x65, 0x67, 0x73, 0x78, 0x79];
    let operation = || {
        let (outer, _) = header(message).ok()??;
        let id = &message[outer..];
        let (head, body) = header(id).ok()??;
        id.get(head + body).copied()
    };
    match operation() {
        Some(tag) if ANSWERS.contains(&tag) => Ok(()),
        _ => Err("it sent something that is no answer to a client"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3_proto::proto::{LdapOp, LdapPartialAttribute, LdapSearchResultEntry};
    use proptest::prelude::*;

    fn entry() -> LdapMsg {
        let attribute = LdapPartialAttribute { atype: "cn".to_owned(), vals: vec![vec![b'x'; 300]] };
        let entry = LdapSearchResultEntry { dn: "cn=x".to_owned(), attributes: vec![attribute] };
        LdapMsg::new(7, LdapOp::SearchResultEntry(entry))
    }

    fn refused(bytes: &[u8]) -> &'static str {
        decode(&mut BytesMut::from(bytes)).expect_err("this has to be refused")
    }

    #[test]
    fn a_message_arrives_byte_by_byte_and_leaves_the_next_one_alone() {
        let whole = encode(entry());
        let mut buffer = BytesMut::new();
        for byte in &whole[..whole.len() - 1] {
            buffer.extend_from_slice(&[*byte]);
            assert_eq!(decode(&mut buffer), Ok(None));
        }
        buffer.extend_from_slice(&whole[whole.len() - 1..]);
        buffer.extend_from_slice(b"0");
        assert_eq!(decode(&mut buffer), Ok(Some(entry())));
        assert_eq!(&buffer[..], b"0");
    }

    #[test]
    fn hostile_bytes_are_errors_at_once() {
        assert!(refused(b"HTTP/1.1 400 Bad Request").contains("not LDAP"));
        assert!(refused(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]).contains("16 MiB"));
        assert!(refused(&[0x30, 0x88]).contains("length"), "eight bytes of length");
        assert!(refused(&[0x30, 0x80, 0, 0]).contains("length"), "indefinite length");
        assert!(refused(&[0x30, 0x00]).contains("no answer"));
        assert!(refused(&[0x30, 5, 2, 1, 1, 0x42, 0]).contains("no answer"), "an unbind");
        assert!(refused(&[0x30, 5, 2, 1, 1, 0x7a, 0]).contains("no answer"), "an unknown operation");
        assert!(refused(&[0x30, 7, 2, 1, 1, 0x64, 2, 4, 9]).contains("fit together"));
        assert!(refused(&[0x30, 5, 2, 1, 1, 0x65, 0]).contains("understand"), "a result without a code");
        let nested: Vec<u8> = (0..60).rev().flat_map(|inner| [0x30, 2 * inner]).collect();
        assert!(refused(&nested).contains("nested"));
    }

    #[test]
    fn a_torn_attribute_list_is_an_error_not_a_shorter_list() {
        // The only attribute claims nine bytes, the list around it has two left.
        let bytes = [0x30, 13, 2, 1, 1, 0x64, 8, 4, 0, 0x30, 4, 0x30, 9, 4, 2];
        assert!(refused(&bytes).contains("fit together"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(mut bytes in proptest::collection::vec(any::<u8>(), 0..80), plain: bool) {
            if plain && bytes.len() > 2 {
                bytes[0] = SEQUENCE;
                bytes[1] = u8::try_from(bytes.len() - 2).unwrap();
            }
            let _ = decode(&mut BytesMut::from(&bytes[..]));
        }

        #[test]
        fn a_flipped_bit_never_panics(at in 0..300_usize, bit in 0..8_u8) {
            let mut bytes = encode(entry());
            let at = at % bytes.len();
            bytes[at] ^= 1_u8 << bit;
            let _ = decode(&mut bytes);
        }
    }
}
