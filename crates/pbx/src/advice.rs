//! Words for people: what the PBX said, made readable, and what can be done.

use reconcile::Field;

/// A refusal may be a whole stack trace.
pub(crate) const TEXT_CHARS_MAX: usize = 300;

/// What the administrator can do about a refused creation, whose values all
/// passed the checks here.
pub(crate) const CREATE: &str =
    "Create the employee on the PBX's own page: it names the value that is at fault";

/// What the administrator can do about a refused value. Chosen by what was
/// sent, because what the PBX says is translated.
pub(crate) fn advice(field: Option<Field>) -> String {
    match field {
        Some(Field::Name) => "Change the name: the PBX refuses words that look like SQL or markup",
        Some(Field::Extension) => "Choose another number: 2 to 8 digits that nothing else in the PBX uses",
        Some(Field::Mobile) => {
            "A mobile must be unique in the PBX, and cannot go while somebody's forwarding or a route uses it"
        }
        Some(Field::Email) => "Correct the e-mail address",
        Some(Field::Photo) => "Use another picture: JPEG, PNG, GIF or WEBP of at least 1 KB",
        Some(Field::SipPassword) => {
            "Choose another SIP password: long, of several kinds of characters and not a common word"
        }
        None => "Open the employee in the PBX and save it there: the page names the value that is at fault",
    }
    .to_owned()
}

/// Removes HTML, white space and everything beyond `chars_max`.
pub(crate) fn plain(text: &str, chars_max: usize) -> String {
    let mut bare = String::with_capacity(text.len().min(chars_max * 4));
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        bare.push_str(&rest[..open]);
        // A bracket that is never closed, or is no tag, is just a character.
        let tag = rest[open + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'));
        match rest[open..].find('>').filter(|_| tag) {
            Some(close) => {
                bare.push(' ');
                rest = &rest[open + close + 1..];
            }
            None => {
                bare.push('<');
                rest = &rest[open + 1..];
            }
        }
    }
    bare.push_str(rest);
    for (entity, character) in
        [("&nbsp;", " "), ("&quot;", "\""), ("&#039;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
    {
        bare = bare.replace(entity, character);
    }
    let words: Vec<&str> =
        bare.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_text() {
        let html =
            "Specified number is already used for - <i class=\"users icon\"></i> Queue: Sales &lt;2001&gt;";
        assert_eq!(plain(html, 300), "Specified number is already used for - Queue: Sales <2001>");
        assert_eq!(plain("a < b > c", 300), "a < b > c");
        assert_eq!(plain("cut <a href='", 300), "cut <a href='");
        assert_eq!(plain("  two\n\u{7}lines ", 300), "two lines");
        assert_eq!(plain("&amp;lt;", 300), "&lt;");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(plain(&"ё".repeat(400), 300).chars().count(), 301);
        assert_eq!(plain("short", 5), "short");
    }
}
