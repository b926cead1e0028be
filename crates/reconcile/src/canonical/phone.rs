//! Phones outside the PBX: compared as E.164, whatever the spelling.
//!
//! A spelling is taken apart here, into digits, a leading plus and an inner
//! extension; the phone library sees nothing but `+` and digits, so a hostile
//! value cannot reach its parser. Deliberately absent: letters that stand for
//! digits (`1-800-FLOWERS`), and any guess at a number that is not valid: it is
//! compared digit by digit.

use super::{extension, is_invisible, unusable};
use crate::value::{Unusable, Value};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use unicode_normalization::UnicodeNormalization;

/// A longer text is no phone number, and is not looked at.
const TEXT_CHARS_MAX: usize = 256;
/// E.164 has at most 15 digits; an international prefix may stand in front.
const DIGITS_MAX: usize = 18;
/// A number with a plus that is not valid is compared by its digits if it has
/// at least so many.
const DIGITS_WITH_PLUS_MIN: usize = 5;
/// Up to so many digits without a plus may be an internal number, and stay
/// what they are.
const INTERNAL_DIGITS_MAX: usize = 8;
/// From so many digits on, such a number may also be a whole national one: some
/// countries have no longer ones.
const NATIONAL_DIGITS_MIN: usize = 7;
/// RFC 3966 allows more; nobody has such an inner extension.
const INNER_DIGITS_MAX: usize = 15;
/// Behind a bare comma a longer number is a second phone.
const INNER_DIGITS_AFTER_COMMA_MAX: usize = 6;

/// Words in front of a number, and in front of an inner extension.
const LABELS: [&str; 9] = ["tel", "phone", "mob", "mobile", "cell", "тел", "моб", "сот", "т"];
const INNER_LABELS: [&str; 13] = [
    "ext",
    "extn",
    "extension",
    "x",
    "int",
    "anexo",
    "доб",
    "добавочный",
    "доп",
    "вн",
    "внутр",
    "внутренний",
    "х",
];

/// A phone of the directory. National forms need the region (`RU`).
pub fn mobile(raw: &str, region: Option<&str>) -> Result<Value, Unusable> {
    read(raw, region, Side::Directory)
}

/// A phone of the PBX, which drops the plus of what it finds badly formatted:
/// digits are read both internationally and nationally.
pub fn mobile_in_pbx(raw: &str, region: Option<&str>) -> Result<Value, Unusable> {
    read(raw, region, Side::Pbx)
}

/// How a phone is written to the PBX: digits only, without its inner
/// extension. Nothing, if the PBX would not take it.
pub fn mobile_for_pbx(phone: &Value) -> Option<String> {
    let number = phone.canonical().split(';').next()?;
    let digits = number.strip_prefix('+').or_else(|| number.strip_prefix(BY_DIGITS))?;
    let taken = (2..=15).contains(&digits.len()) && !digits.starts_with('0');
    taken.then(|| digits.to_owned())
}

/// How a phone is written to the directory: E.164, and ` ext. 12` behind it if
/// there is an inner extension. A number that is not valid keeps its spelling.
pub fn mobile_for_directory(phone: &Value) -> String {
    if !phone.canonical().starts_with('+') {
        return phone.raw().trim().to_owned();
    }
    phone.canonical().replace(INNER, " ext. ")
}

/// The internal number that is written behind a phone: `доб. 123`, `вн. 201`,
/// `ext. 55`, `x12`, `#201`, `,201`. How to read it depends on no region.
pub fn inner_extension(raw: &str, _region: Option<&str>) -> Result<Value, Unusable> {
    let phone = Phone::parse(raw).map_err(|why| unusable(raw, why))?;
    let inner = phone.inner.ok_or_else(|| unusable(raw, "no inner extension in this phone"))?;
    extension(&inner)
        .map(|number| Value::new(raw, number.canonical()))
        .map_err(|refused| unusable(raw, format!("the inner extension {inner}: {}", refused.why)))
}

/// Whether national numbers can be read by this region.
pub fn is_region(code: &str) -> bool {
    region_of(code).is_some_and(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some())
}

/// What stands in a canonical form instead of the plus, where only the digits
/// are known, and in front of an inner extension.
const BY_DIGITS: &str = "digits:";
const INNER: &str = ";ext=";

#[derive(Clone, Copy)]
enum Side {
    Directory,
    Pbx,
}

fn read(raw: &str, region: Option<&str>, side: Side) -> Result<Value, Unusable> {
    let phone = Phone::parse(raw).map_err(|why| unusable(raw, why))?;
    phone.check_length().map_err(|why| unusable(raw, why))?;
    let (canonical, also) = phone.readings(region, side);
    let inner = phone.inner.map(|inner| format!("{INNER}{inner}")).unwrap_or_default();
    let value = Value::new(raw, canonical + &inner);
    Ok(match also {
        Some(also) => value.or_also(also + &inner),
        None => value,
    })
}

/// A phone number taken apart.
struct Phone {
    plus: bool,
    digits: String,
    inner: Option<String>,
}

impl Phone {
    fn parse(raw: &str) -> Result<Phone, &'static str> {
        if raw.chars().nth(TEXT_CHARS_MAX).is_some() {
            return Err("too long for a phone number");
        }
        let text = plain(raw);
        let (number, inner) = split_inner(without_label(text.trim()));
        if number.chars().any(char::is_alphabetic) {
            return Err("holds letters: not a phone number");
        }
        let mut phone = Phone { plus: false, digits: String::new(), inner: inner.map(str::to_owned) };
        for c in number.chars() {
            match c {
                '0'..='9' => phone.digits.push(c),
                '+' if !phone.plus && phone.digits.is_empty() => phone.plus = true,
                '+' | ',' | ';' => return Err("more than one phone number: leave one of them"),
                c if is_punctuation(c) => {}
                _ => return Err("holds characters that no phone number has"),
            }
        }
        Ok(phone)
    }

    fn check_length(&self) -> Result<(), &'static str> {
        let digits_min = if self.plus { DIGITS_WITH_PLUS_MIN } else { 2 };
        match self.digits.len() {
            0 if self.inner.is_some() => Err("only an inner extension: no phone number in front of it"),
            0 => Err("no digits: not a phone number"),
            digits if digits < digits_min => Err("too few digits for a phone number"),
            digits if digits > DIGITS_MAX => Err("too many digits for one phone number"),
            _ => Ok(()),
        }
    }

    /// The canonical reading of the number, and a second one that counts as
    /// well. A number that is compared by its digits has no valid reading, or is
    /// so short that it may be an internal one: so that form, read again, stays.
    fn readings(&self, region: Option<&str>, side: Side) -> (String, Option<String>) {
        let digits = self.digits.as_str();
        let by_digits = || format!("{BY_DIGITS}{digits}");
        let international = || e164(&format!("+{digits}"), None);
        let national = || e164(digits, Some(region_of(region?)?));
        if self.plus {
            // A plus in front of the national prefix (`+8 926 …`) is a slip.
            let slip = || if digits.len() > INTERNAL_DIGITS_MAX { national() } else { None };
            return (international().or_else(slip).unwrap_or_else(by_digits), None);
        }
        if digits.len() < NATIONAL_DIGITS_MIN {
            return (by_digits(), None);
        }
        if digits.len() <= INTERNAL_DIGITS_MAX {
            return (by_digits(), national().or_else(international));
        }
        match side {
            Side::Directory => (national().or_else(international).unwrap_or_else(by_digits), None),
            Side::Pbx => match international() {
                Some(canonical) => (canonical, national()),
                None => (national().unwrap_or_else(by_digits), None),
            },
        }
    }
}

/// Compatibility forms, capitals and what is not seen make no difference.
fn plain(raw: &str) -> String {
    if raw.is_ascii() {
        return raw.to_ascii_lowercase();
    }
    raw.nfkc().flat_map(char::to_lowercase).filter(|c| !is_invisible(*c)).collect()
}

fn without_label(text: &str) -> &str {
    let word_end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(word_end);
    if LABELS.contains(&word) { rest.trim_start_matches(['.', ':', ' ']) } else { text }
}

/// The number, and the inner extension if one is marked as such at its end.
fn split_inner(text: &str) -> (&str, Option<&str>) {
    let end = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ')' | ']' | '#' | '.'));
    let (before, inner) = end.split_at(end.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ':' | '=' | '-'));
    let unlabelled = before.trim_end_matches(char::is_alphabetic);
    let label = &before[unlabelled.len()..];
    let digits_max = if INNER_LABELS.contains(&label) || before.ends_with('#') {
        INNER_DIGITS_MAX
    } else if before.ends_with([',', ';']) {
        INNER_DIGITS_AFTER_COMMA_MAX
    } else {
        return (text, None);
    };
    if !(1..=digits_max).contains(&inner.len()) {
        return (text, None);
    }
    let in_front = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '#' | '(' | '[' | '.' | '-' | '/');
    (unlabelled.trim_end_matches(in_front), Some(inner))
}

/// What stands between the digits of a phone number.
fn is_punctuation(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '(' | ')' | '[' | ']' | '.' | '/' | '~' | '\u{2212}')
        || matches!(c, '\u{2010}'..='\u{2015}')
}

fn region_of(code: &str) -> Option<Region> {
    Region::from_code(code).ok().filter(|region| *region != Region::World)
}

/// The number if it is a valid one. The text is digits, perhaps with a plus in
/// front: the caller saw to that.
fn e164(text: &str, region: Option<Region>) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(text, region).ok()?;
    let valid = PHONE_NUMBER_UTIL.is_valid_number(&number);
    valid.then(|| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned())
}

#[cfg(test)]
mod tests;
