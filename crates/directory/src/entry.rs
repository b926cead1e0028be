//! One entry as the server sent it, and the two kinds of time in it.

use ldap3_proto::proto::{LdapPartialAttribute, LdapSearchResultEntry};

#[derive(Clone)]
pub struct Entry {
    pub dn: String,
    attributes: Vec<LdapPartialAttribute>,
}

impl Entry {
    /// The values of an attribute, named in any case.
    pub fn values(&self, attribute: &str) -> &[Vec<u8>] {
        let found = self.attributes.iter().find(|one| one.atype.eq_ignore_ascii_case(attribute));
        found.map_or(&[], |found| &found.vals)
    }

    /// The first value as text.
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.values(attribute).first().and_then(|value| std::str::from_utf8(value).ok())
    }

    pub fn texts(&self, attribute: &str) -> impl Iterator<Item = &str> {
        self.values(attribute).iter().filter_map(|value| std::str::from_utf8(value).ok())
    }

    pub fn number(&self, attribute: &str) -> Option<i64> {
        self.text(attribute)?.parse().ok()
    }

    pub fn flag(&self, attribute: &str) -> bool {
        self.text(attribute).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// A point in time in generalized form, in ms since the Unix epoch.
    pub fn time_ms(&self, attribute: &str) -> Option<i64> {
        generalized_time_ms(self.text(attribute)?)
    }
}

impl From<LdapSearchResultEntry> for Entry {
    fn from(entry: LdapSearchResultEntry) -> Self {
        Entry { dn: entry.dn, attributes: entry.attributes }
    }
}

/// Names only: values may be secret.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entry(&self.dn).entries(self.attributes.iter().map(|one| &one.atype)).finish()
    }
}

/// `20261123075914.0Z`, `20261123075914Z`, `202611230759+0300`.
pub fn generalized_time_ms(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (minute, second) = match digits {
        14 => (part(10, 12)?, part(12, 14)?),
        12 => (part(10, 12)?, 0),
        10 => (0, 0),
        _ => return None,
    };
    let days = days_since_1970(part(0, 4)?, part(4, 6)?, part(6, 8)?)?;
    let rest =
        text[digits..].trim_start_matches(['.', ',']).trim_start_matches(|char: char| char.is_ascii_digit());
    let offset_minutes = match rest.as_bytes() {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), offset @ ..] if offset.iter().all(u8::is_ascii_digit) => {
            let number: i64 = rest[1..].parse().ok()?;
            let minutes = match offset.len() {
                2 => number * 60,
                4 => number / 100 * 60 + number % 100,
                _ => return None,
            };
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let minutes = (days * 24 + part(8, 10)?) * 60 + minute - offset_minutes;
    Some((minutes * 60 + second) * 1000)
}

/// A Windows file time (100 ns since 1601) in ms since the Unix epoch.
pub const fn file_time_ms(ticks: i64) -> i64 {
    ticks / 10_000 - 11_644_473_600_000
}

/// Days from 1970-01-01 to a Gregorian date, by counting leap days from a
/// March-based year.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let days_before_year = 365 * year + year / 4 - year / 100 + year / 400;
    Some(days_before_year + (153 * month_from_march + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generalized_times_in_their_usual_forms() {
        for (text, ms) in [
            ("19700101000000Z", Some(0)),
            ("20261123075914.0Z", Some(1_795_420_754_000)),
            ("20261123075914.997246Z", Some(1_795_420_754_000)),
            ("20261123105914+0300", Some(1_795_420_754_000)),
            ("20240229120000Z", Some(1_709_208_000_000)),
            ("2000030112-05", Some(951_930_000_000)),
            ("16010101000000Z", Some(-11_644_473_600_000)),
            ("20261323000000Z", None),
            ("2000030112+9223372036854775807", None),
            ("2000030112+-500", None),
            ("2000030112+", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(generalized_time_ms(text), ms, "{text}");
        }
    }

    #[test]
    fn file_times_count_from_1601() {
        assert_eq!(file_time_ms(0), -11_644_473_600_000);
        assert_eq!(file_time_ms(116_444_736_000_000_000), 0);
    }
}
