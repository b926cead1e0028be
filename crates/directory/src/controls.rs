//! Controls the codec has no type for: assertion (RFC 4528), post-read
//! (RFC 4527), and the effective rights of 389 DS.

use crate::entry::Entry;
use crate::frame;
use bytes::BytesMut;
use ldap3_lber::structures::{ASNTag, OctetString, Sequence, Tag};
use ldap3_lber::write::encode_into;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{LdapFilter, LdapOp};

const ASSERTION: &str = "1.3.6.1.1.12";
const POST_READ: &str = "1.3.6.1.1.13.2";
const EFFECTIVE_RIGHTS: &str = "1.3.6.1.4.1.42.2.27.9.5.2";

/// The request is carried out only if the filter holds. Always critical: two
/// of the servers we know silently ignore a non-critical one.
pub fn assertion(filter: LdapFilter) -> LdapControl {
    LdapControl::Unknown { oid: ASSERTION.to_owned(), criticality: true, value: Some(encode(filter.into())) }
}

/// The answer to a change brings these attributes as they are after it.
pub fn post_read(attributes: &[&str]) -> LdapControl {
    let name =
        |name: &&str| Tag::OctetString(OctetString { inner: name.as_bytes().to_vec(), ..Default::default() });
    let names = Sequence { inner: attributes.iter().map(name).collect(), ..Default::default() };
    LdapControl::Unknown {
        oid: POST_READ.to_owned(),
        criticality: false,
        value: Some(encode(Tag::Sequence(names))),
    }
}

/// The answer brings what the account with this DN may do with the entry's
/// attributes. Critical: without it the answer says nothing.
pub fn effective_rights(dn: &str) -> LdapControl {
    LdapControl::Unknown {
        oid: EFFECTIVE_RIGHTS.to_owned(),
        criticality: true,
        value: Some(format!("dn:{dn}").into_bytes()),
    }
}

/// The entry in the answer to [`post_read`].
pub fn post_read_entry(controls: &[LdapControl]) -> Option<Entry> {
    const SEARCH_RESULT_ENTRY: u8 = 0x64;
    let value = controls.iter().find_map(|control| match control {
        LdapControl::Unknown { oid, value: Some(value), .. } if oid == POST_READ => Some(value),
        _ => None,
    })?;
    // Some servers tag it as a sequence, some as the answer it is.
    let mut entry = value.clone();
    *entry.first_mut()? = SEARCH_RESULT_ENTRY;
    let mut message = frame::wrap(&entry);
    match frame::decode(&mut message) {
        Ok(Some(message)) => match message.op {
            LdapOp::SearchResultEntry(entry) => Some(entry.into()),
            _ => None,
        },
        _ => None,
    }
}

fn encode(tag: Tag) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    encode_into(&mut bytes, tag.into_structure()).expect("encoding into memory cannot fail");
    bytes.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter;

    #[test]
    fn an_assertion_is_critical_and_holds_the_filter() {
        let LdapControl::Unknown { criticality, value, .. } = assertion(filter::parse("(!(cn=*))").unwrap())
        else {
            panic!("a control without a type of its own");
        };
        assert!(criticality);
        assert_eq!(value.unwrap(), [0xa2, 4, 0x87, 2, b'c', b'n']);
    }

    #[test]
    fn post_read_answers_are_read_under_either_tag() {
        for tag in [0x30, 0x64] {
            let mut value = vec![tag, 0, 4, 2, b'd', b'n', 0x30, 0];
            let attribute = [0x30, 9, 4, 2, b'c', b'n', 0x31, 3, 4, 1, b'x'];
            value.extend(attribute);
            value[1] = u8::try_from(value.len() - 2).unwrap();
            value[7] = u8::try_from(attribute.len()).unwrap();
            let control =
                LdapControl::Unknown { oid: POST_READ.to_owned(), criticality: false, value: Some(value) };
            let entry = post_read_entry(&[control]).expect("an entry");
            assert_eq!((entry.dn.as_str(), entry.text("CN")), ("dn", Some("x")));
        }
        let torn = LdapControl::Unknown {
            oid: POST_READ.to_owned(),
            criticality: false,
            value: Some(vec![0x64, 9]),
        };
        assert!(post_read_entry(&[torn]).is_none());
    }
}
