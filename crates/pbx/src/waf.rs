//! The words that the PBX's front filter takes for an attack.
//!
//! It scans the raw text of every remote request below 64 KiB, refuses with
//! 403, and too many of those get the address banned: better not to send them.

/// Bodies from this size on are not scanned.
const SCANNED_BYTES_MAX: usize = 65_536;

pub(crate) const ADVICE: &str =
    "Change the value, or run Rollcall on the PBX itself, where nothing is filtered";

/// The pattern that a request body would be refused for, when sent from
/// another machine.
pub fn suspicious(body: &str) -> Option<&'static str> {
    if body.len() >= SCANNED_BYTES_MAX {
        return None;
    }
    let text = body.to_lowercase();
    let plain = ["';", "\";", "' or ", "\" or ", "1=1", "../", "..\\"];
    let apart = [("select", "from"), ("update", "set")];
    let adjacent = [("union", "select"), ("insert", "into"), ("delete", "from"), ("drop", "table")];
    plain
        .into_iter()
        .find(|pattern| text.contains(pattern))
        .or_else(|| apart.into_iter().find(|&(a, b)| far(&text, a, b)).map(|(a, _)| a))
        .or_else(|| adjacent.into_iter().find(|&(a, b)| near(&text, a, b)).map(|(a, _)| a))
}

/// `first`, white space, anything, white space, `second`.
fn far(text: &str, first: &str, second: &str) -> bool {
    after_blank(text, first).any(|rest| {
        rest.match_indices(second).any(|(at, _)| rest[..at].ends_with(|c: char| c.is_ascii_whitespace()))
    })
}

/// `first`, white space, `second`.
fn near(text: &str, first: &str, second: &str) -> bool {
    after_blank(text, first).any(|rest| rest.trim_ascii_start().starts_with(second))
}

/// What follows `word` and one white-space character, wherever it occurs.
fn after_blank<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(word)
        .map(|(at, word)| &text[at + word.len()..])
        .filter_map(|rest| rest.strip_prefix(|c: char| c.is_ascii_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::suspicious;

    #[test]
    fn patterns_of_the_front_filter() {
        for text in [
            r#"{"user_username":"Rock ' or roll"}"#,
            r#"{"user_username":"D';Arcy"}"#,
            r#"{"user_username":";semicolon first"}"#,
            r#"{"user_username":"Team 1=1"}"#,
            r#"{"user_username":"A/../B"}"#,
            r#"{"user_username":"Select Staffing from Berlin"}"#,
            r#"{"user_username":"Update Tool Set"}"#,
            r#"{"user_username":"Drop  Table"}"#,
            r#"{"user_username":"Credit Union Select"}"#,
            r#"{"sip_secret":"a1=1b"}"#,
        ] {
            assert!(suspicious(text).is_some(), "{text}");
        }
        for text in [
            r#"{"number":"290","user_username":"O'Neil Ann","sip_secret":"Xk29dlsQ7pWz"}"#,
            r#"{"user_username":"Select from"}"#,
            r#"{"user_username":"Updates, Settings"}"#,
            r#"{"user_email":"drop.table@example.org"}"#,
            "",
        ] {
            assert_eq!(suspicious(text), None, "{text}");
        }
        assert_eq!(suspicious(&format!("1=1{}", "x".repeat(65_536))), None, "not scanned");
    }
}
