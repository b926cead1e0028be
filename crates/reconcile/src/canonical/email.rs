//! E-mail addresses: case-folded as a whole.

use super::unusable;
use crate::value::{Unusable, Value};
use caseless::Caseless;
use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;

/// What input masks of the PBX leave behind where nobody typed an address.
const PLACEHOLDERS: [&str; 4] = ["@", "_@_", "_@_._", "___@___.___"];

/// The bare address, without a display name and without an address literal.
pub fn email(raw: &str) -> Result<Value, Unusable> {
    let address = raw.trim();
    if address.is_empty() {
        return Err(unusable(raw, "only white space"));
    }
    if PLACEHOLDERS.contains(&address) {
        return Err(unusable(raw, "a placeholder, not an e-mail address"));
    }
    let bare = Options::default().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(address, bare)
        .map_err(|why| unusable(raw, format!("not an e-mail address: {why}")))?;
    Ok(Value::new(raw, folded(address)))
}

fn folded(address: &str) -> String {
    if address.is_ascii() {
        return address.to_ascii_lowercase();
    }
    address.nfd().default_case_fold().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_does_not_count() {
        for (raw, canonical) in [
            ("anna@example.org", "anna@example.org"),
            (" Anna.Smirnova@Example.ORG\r\n", "anna.smirnova@example.org"),
            ("ИВАН@Пример.РФ", "иван@пример.рф"),
            ("anna+pbx@localhost", "anna+pbx@localhost"),
        ] {
            let value = email(raw).unwrap();
            assert_eq!((value.raw(), value.canonical()), (raw, canonical));
        }
    }

    #[test]
    fn everything_else_is_unusable() {
        for raw in [
            " ",
            "@",
            "_@_",
            "_@_._",
            "___@___.___",
            "anna",
            "anna@",
            "@example.org",
            "anna@@example.org",
            "anna@example..org",
            "anna smirnova@example.org",
            "Anna <anna@example.org>",
            "anna@[127.0.0.1]",
            "anna@example.org, anna@example.com",
            "anna@exa\0mple.org",
        ] {
            assert!(email(raw).is_err(), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn canonical_stays(raw in "[A-Za-z.+]{1,6}@[A-Za-zÀ-Яß.-]{1,12}|(?s).{0,16}") {
            if let Ok(value) = email(&raw) {
                prop_assert_eq!(folded(value.canonical()), value.canonical());
                let small = Value::new("", folded(&raw.trim().to_lowercase()));
                prop_assert!(value.equivalent(&small), "{value:?} {small:?}");
            }
        }
    }
}
