//! Names: compared as they are seen, and folded for the first meeting only.

use super::{is_invisible, unusable};
use crate::value::{Unusable, Value};
use caseless::Caseless;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// NFC, trimmed, white space collapsed; case counts.
pub fn name(raw: &str) -> Result<Value, Unusable> {
    if let Some(c) = raw.chars().find(|c| c.is_control() && !c.is_whitespace()) {
        let code = u32::from(c);
        return Err(unusable(raw, format!("holds the control character U+{code:04X}: type the name again")));
    }
    let seen = collapse(raw.chars());
    let canonical = if is_nfc(&seen) { seen } else { seen.nfc().collect() };
    if canonical.is_empty() {
        return Err(unusable(raw, "only white space"));
    }
    Ok(Value::new(raw, canonical))
}

/// The form in which names are compared when person and employee first meet:
/// NFKC, case-folded, white space collapsed.
pub fn join_name(name: &str) -> String {
    if name.is_ascii() {
        return collapse(name.chars().map(|c| c.to_ascii_lowercase()));
    }
    // Folding can undo a normal form and the other way round: this sequence,
    // the Unicode Standard's compatibility caseless match, is a fixed point.
    let folded = name.chars().filter(|c| !is_invisible(*c)).nfd().default_case_fold();
    collapse(folded.nfkd().default_case_fold().nfkd().nfc())
}

/// The words of a name, sorted, each once. Two names that share one are
/// neither for nor against a match. An initial is not a word: half a company
/// shares it; neither are an apostrophe and the dots of Ё a difference.
pub fn name_words(name: &str) -> Vec<String> {
    let folded: String = join_name(name)
        .chars()
        .filter(|c| !matches!(c, '\'' | '`' | '\u{2BC}' | '\u{2018}' | '\u{2019}'))
        .map(|c| if c == 'ё' { 'е' } else { c })
        .collect();
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !is_initial(word));
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Whether this is no word: nothing, or one letter of a script that has case
/// (in Chinese, one letter is a family name).
fn is_initial(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_none_or(char::is_lowercase) && letters.next().is_none()
}

fn collapse(text: impl Iterator<Item = char>) -> String {
    let mut collapsed = String::with_capacity(text.size_hint().0);
    let mut gap = false;
    for c in text.filter(|c| !is_invisible(*c)) {
        if c.is_whitespace() {
            gap = !collapsed.is_empty();
        } else {
            if gap {
                collapsed.push(' ');
            }
            gap = false;
            collapsed.push(c);
        }
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_that_look_the_same_are_the_same() {
        for (raw, canonical) in [
            ("Anna Smirnova", "Anna Smirnova"),
            ("  Anna\u{A0} \t Smirnova\r\n", "Anna Smirnova"),
            ("\u{FEFF}An\u{AD}na\u{200B} Smirnova\u{200F}", "Anna Smirnova"),
            ("Анна\u{3000}Йогансен", "Анна Йогансен"),
            ("Анна И\u{306}огансен", "Анна Йогансен"),
            ("o\u{2060}\u{308}", "ö"),
        ] {
            let value = name(raw).unwrap();
            assert_eq!((value.raw(), value.canonical()), (raw, canonical));
        }
    }

    #[test]
    fn what_is_seen_counts() {
        for (one, other) in [("anna", "Anna"), ("Семён", "Семен"), ("Ann", "Аnn"), ("\u{FB01}", "fi")]
        {
            assert!(!name(one).unwrap().equivalent(&name(other).unwrap()), "{one} {other}");
        }
        assert_ne!(name("کتاب\u{200C}ها").unwrap().canonical(), "کتابها", "a joiner is seen");
    }

    #[test]
    fn a_name_of_nothing_or_of_control_characters_is_unusable() {
        for (raw, why) in [
            (" \u{A0}\t", "only white space"),
            ("\u{200B}", "only white space"),
            ("Anna\0", "holds the control character U+0000: type the name again"),
            ("\u{1b}[1mAnna", "holds the control character U+001B: type the name again"),
        ] {
            assert_eq!(name(raw).unwrap_err().why, why);
        }
    }

    #[test]
    fn the_join_folds_case_and_compatibility() {
        for (raw, folded) in [
            ("  ANNA  Smirnova", "anna smirnova"),
            ("ИВАНОВ\u{A0}Иван", "иванов иван"),
            ("Straße", "strasse"),
            ("ＡＮＮＡ", "anna"),
            ("\u{FB01}nn", "finn"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("И\u{306}ог", "йог"),
        ] {
            assert_eq!(join_name(raw), folded);
        }
    }

    #[test]
    fn words_leave_out_initials_and_punctuation() {
        for (raw, words) in [
            ("Smirnova, Anna A.", &["anna", "smirnova"][..]),
            ("Семёнов И. И.", &["семенов"]),
            ("Римский-Корсаков Римский", &["корсаков", "римский"]),
            ("Conan O’Brien", &["conan", "obrien"]),
            ("李 明", &["明", "李"]),
            ("Ext 2", &["2", "ext"]),
            (" . ", &[]),
        ] {
            assert_eq!(name_words(raw), words, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn canonical_and_folded_forms_stay(raw in "\\PC{0,12}|(?s).{0,12}") {
            if let Ok(value) = name(&raw) {
                let again = name(value.canonical()).unwrap();
                prop_assert_eq!(again.canonical(), value.canonical());
                prop_assert_eq!(join_name(value.canonical()), join_name(&raw));
            }
            let folded = join_name(&raw);
            prop_assert_eq!(join_name(&folded), folded.as_str());
            prop_assert_eq!(name_words(&folded), name_words(&raw));
        }
    }
}
