//! Internal numbers: two to eight digits, and nothing else.

use super::unusable;
use crate::value::{Unusable, Value};

/// What the PBX takes as an internal number; it would cut a longer one short.
const DIGITS_MIN: usize = 2;
const DIGITS_MAX: usize = 8;

/// The digits as they stand: a leading zero is part of the number.
pub fn extension(raw: &str) -> Result<Value, Unusable> {
    let number = raw.trim();
    match why_not(number) {
        None => Ok(Value::new(raw, number)),
        Some(why) => Err(unusable(raw, why)),
    }
}

fn why_not(number: &str) -> Option<String> {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let only_digits = digits == number.len();
    if number.is_empty() {
        Some("only white space".into())
    } else if number.chars().any(char::is_alphabetic) {
        Some("holds letters: an internal number has digits only".into())
    } else if !only_digits && digits > DIGITS_MAX {
        Some("looks like a phone number: an internal number has 2 to 8 digits".into())
    } else if !only_digits {
        Some("holds something else than the digits 0 to 9".into())
    } else if digits < DIGITS_MIN {
        Some("a single digit: an internal number has at least 2".into())
    } else if digits > DIGITS_MAX {
        Some(format!("{digits} digits: an internal number has at most 8"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_are_taken_as_they_stand() {
        for (raw, canonical) in
            [("201", "201"), (" 0201\u{A0}", "0201"), ("10", "10"), ("12345678", "12345678")]
        {
            let value = extension(raw).unwrap();
            assert_eq!((value.raw(), value.canonical()), (raw, canonical));
        }
    }

    #[test]
    fn everything_else_says_why() {
        for (raw, why) in [
            ("12a", "letters"),
            ("доб. 201", "letters"),
            ("+7 (495) 123-45-67", "looks like a phone number"),
            ("123456789", "9 digits"),
            ("7", "a single digit"),
            ("2 0 1", "something else"),
            ("２０１", "something else"),
            ("+201", "something else"),
            ("  ", "only white space"),
        ] {
            let refused = extension(raw).unwrap_err();
            assert!(refused.why.contains(why), "{raw}: {}", refused.why);
        }
    }

    proptest! {
        #[test]
        fn only_short_digit_strings_pass(raw in "[0-9]{0,10}|[ 0-9+a]{0,6}|(?s).{0,6}") {
            let plain = raw.trim().bytes().all(|byte| byte.is_ascii_digit());
            let fits = plain && (2..=8).contains(&raw.trim().len());
            prop_assert_eq!(extension(&raw).is_ok(), fits);
        }
    }
}
