//! What the PBX does to texts: cleaning, refusing, matching, and the forms it
//! derives from names. Case is ASCII case, as with PHP's and SQLite's own.

use std::ops::Range;

/// Elements that are removed with all they hold.
const ELEMENTS: [&str; 8] = ["script", "iframe", "object", "embed", "applet", "meta", "link", "style"];
const FORM_TAGS: [&str; 6] = ["form", "input", "button", "select", "textarea", "option"];
const SCHEMES: [&str; 3] = ["javascript:", "vbscript:", "data:text/html"];

/// PHP's `trim`, which leaves a non-breaking space alone.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\0', '\u{b}'])
}

pub(super) fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// What PHP's URL filter leaves of a text.
pub(super) fn url_characters(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

/// The name for the telephone's display.
pub(super) fn callerid(name: &str) -> String {
    let plain = name.chars().map(|c| match c {
        'Ё' => 'E',
        'ё' => 'e',
        other => other,
    });
    plain.filter(|c| c.is_alphanumeric() || c.is_whitespace() || "+-.@".contains(*c)).collect()
}

pub(super) fn search_index(name: &str, email: &str, number: &str) -> String {
    format!("{name} {} {email} {number}", callerid(name)).to_lowercase()
}

/// SQLite's `LIKE`: `%` for any run, `_` for any one character.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last `%` stood, and how much of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '_' || c.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

/// The clean-up for storage: removes elements that could run, addresses that
/// could, event handlers, and tags of forms. Everything else stays verbatim.
pub(super) fn strip_markup(text: &str) -> String {
    let mut text = text.to_owned();
    for name in ELEMENTS {
        remove_all(&mut text, |lower, from| element(lower, from, name));
    }
    for scheme in SCHEMES {
        remove_all(&mut text, |lower, from| {
            let start = from + lower[from..].find(scheme)?;
            let end = lower[start..].find(['"', '\'']).map_or(lower.len(), |quote| start + quote);
            Some(start..end)
        });
    }
    remove_all(&mut text, handler);
    for name in FORM_TAGS {
        remove_all(&mut text, |lower, from| tag(lower, from, name, false));
        remove_all(&mut text, |lower, from| tag(lower, from, name, true));
    }
    trim(&text).to_owned()
}

/// Whether the PBX refuses the text after the clean-up.
pub(super) fn is_dangerous(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let include = lower
        .match_indices("<!--#")
        .any(|(at, found)| lower[at + found.len()..].starts_with(|c: char| c.is_ascii_alphabetic()));
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let pair = |first: &str, second: &str| {
        let at = words.iter().position(|word| *word == first);
        at.is_some_and(|at| words[at..].contains(&second))
    };
    lower.contains("<?")
        || include
        || pair("union", "select")
        || pair("delete", "from")
        || pair("insert", "into")
        || pair("update", "set")
}

/// Whether PHP's e-mail filter would pass the address.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    let local_ok =
        local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    local_ok && domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label_ok)
}

/// `^\+?[1-9]\d{1,14}$`
pub(super) fn is_mobile(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (2..=15).contains(&digits.len()) && !digits.starts_with('0') && is_digits(digits)
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn remove_all(text: &mut String, find: impl Fn(&str, usize) -> Option<Range<usize>>) {
    let mut from = 0;
    loop {
        let lower = text.to_ascii_lowercase();
        let Some(range) = find(&lower, from) else { return };
        from = range.start;
        text.replace_range(range, "");
    }
}

/// An element with its content, or its lone opening or closing tag.
fn element(lower: &str, from: usize, name: &str) -> Option<Range<usize>> {
    let Some(opening) = tag(lower, from, name, false) else { return tag(lower, from, name, true) };
    let closing = tag(lower, opening.end, name, true);
    Some(opening.start..closing.map_or(opening.end, |closing| closing.end))
}

fn tag(lower: &str, from: usize, name: &str, closing: bool) -> Option<Range<usize>> {
    let head = format!("<{}{name}", if closing { "/" } else { "" });
    lower[from..].match_indices(&head).find_map(|(at, _)| {
        let start = from + at;
        let rest = &lower[start + head.len()..];
        let whole_name = !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        let end = rest.find('>').map(|end| start + head.len() + end + 1)?;
        whole_name.then_some(start..end)
    })
}

/// ` onxxx = …` up to `>`. It needs no blank before it, which is how it eats
/// the end of a picture in Base64.
fn handler(lower: &str, from: usize) -> Option<Range<usize>> {
    lower[from..].match_indices("on").find_map(|(at, _)| {
        let rest = &lower[from + at + 2..];
        let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if word == 0 || !rest[word..].trim_start().starts_with('=') {
            return None;
        }
        let start = from + lower[from..from + at].trim_end().len();
        let end = rest.find('>').map_or(lower.len(), |end| from + at + 2 + end);
        Some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_removed_and_the_rest_is_verbatim() {
        for (text, expected) in [
            ("Bob onclick=x y> z", "Bob> z"),
            ("javascript:alert(1) Bob", ""),
            ("a<script>b</script>c", "ac"),
            ("a<Link rel=x>c", "ac"),
            ("Eve <b>Bold</b> & \"Q\" 😀", "Eve <b>Bold</b> & \"Q\" 😀"),
            ("<form action=x>a</form>", "a"),
            ("Anton = Simon", "Anton = Simon"),
            ("AAAAonAA==", "AAAA"),
        ] {
            assert_eq!(strip_markup(text), expected, "{text}");
        }
    }

    #[test]
    fn a_telephone_shows_a_plain_name() {
        // The letter that stands for Ё is Latin.
        assert_eq!(callerid("Ёлкин <b> Пётр-1 (x)"), "Eлкин b Пeтр-1 x");
    }

    #[test]
    fn dangerous_texts_are_told() {
        for text in ["Update Team Set", "x <?php", "<!--#exec", "Union of select people"] {
            assert!(is_dangerous(text), "{text}");
        }
        for text in ["Settle Update", "Set Update", "Unions select", "<!-- x"] {
            assert!(!is_dangerous(text), "{text}");
        }
    }

    #[test]
    fn like_knows_both_wildcards_and_ascii_case_only() {
        for (pattern, text) in
            [("%JOHN%", "x john y"), ("%", ""), ("a_c", "abc"), ("%a%b%", "xxaxxbxx"), ("%%", "x")]
        {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("фёдор", "Фёдор"), ("a_c", "ac"), ("abc", "abcd"), ("%ab", "abc")]
        {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn addresses_are_judged_like_php_does() {
        for good in ["a@b.co", "o'neil+x@sub.example.org", "x@y.zz"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["bad", "a@localhost", "ann@exämple.de", ".a@b.co", "a..b@c.de", "@b.co", "a@-b.co"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
