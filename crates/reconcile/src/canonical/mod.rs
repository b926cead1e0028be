//! Canonical forms: what makes two spellings the same value.
//!
//! One function per field turns the spelling of one side into a [`Value`], or
//! says in words why it has no canonical form. Whether a value is *missing* is
//! decided by the caller, before it asks. Nothing here cuts, repairs or
//! guesses: a canonical form is for comparing, and the spelling is kept.

mod cross;
mod email;
mod extension;
mod name;
mod phone;
mod photo;
mod secret;

pub use cross::{for_directory, for_pbx};
pub use email::email;
pub use extension::extension;
pub use name::{join_name, name, name_words};
pub use phone::{inner_extension, is_region, mobile, mobile_for_directory, mobile_for_pbx, mobile_in_pbx};
pub use photo::{derived_comment, insert_comment, photo};
pub use secret::Fingerprinter;

use crate::value::Unusable;

/// As much of an unusable spelling as is kept to be shown.
const RAW_SHOWN_CHARS_MAX: usize = 256;

/// Control characters are shown as `�`: what ends up here goes to terminals,
/// pages and logs.
fn unusable(raw: &str, why: impl Into<String>) -> Unusable {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut raw_shown: String = raw.chars().take(RAW_SHOWN_CHARS_MAX).map(shown).collect();
    if raw.chars().nth(RAW_SHOWN_CHARS_MAX).is_some() {
        raw_shown.push('…');
    }
    Unusable { raw: raw_shown, why: why.into() }
}

/// Characters that are not seen and come along when text is pasted: soft
/// hyphen, zero-width space, word joiner, direction marks, byte order mark.
/// The zero-width joiners are not among them: they change what is seen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2060}' | '\u{FEFF}')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_spelling_is_safe_to_show() {
        let shown = unusable(&format!("a\0\u{1b}[2J{}", "я".repeat(300)), "why");
        assert!(shown.raw.starts_with("a��[2Jя"), "{}", shown.raw);
        assert!(shown.raw.ends_with("я…"));
        assert_eq!(shown.raw.chars().count(), RAW_SHOWN_CHARS_MAX + 1);
    }
}
