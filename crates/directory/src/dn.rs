//! Distinguished names (RFC 4514), as far as settings need them: is it one,
//! and does one stand below another? People are never compared by DN.

/// The relative names, lowest first, each as `attribute=value` folded to lower
/// case with escapes resolved; or what is wrong with the text.
pub fn parse(text: &str) -> Result<Vec<String>, &'static str> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rdn(rest)?;
        names.push(name);
        rest = match after.strip_prefix(',') {
            Some(more) if more.trim().is_empty() => return Err("it ends with a comma"),
            Some(more) => more.trim_start(),
            None => after,
        };
    }
    Ok(names)
}

/// Whether `dn` is `base` or stands below it. Both as [`parse`] gave them.
pub fn within(dn: &[String], base: &[String]) -> bool {
    dn.ends_with(base)
}

/// The value of the lowest relative name, as it is spelt: `Sales` of
/// `OU=Sales,DC=example,DC=com`.
pub fn own_name(text: &str) -> Option<String> {
    let (_, after) = text.split_once('=')?;
    value(after.trim_start()).ok().map(|(value, _)| value).filter(|value| !value.is_empty())
}

/// One relative name (`+` parts included) and what follows it.
fn rdn(text: &str) -> Result<(String, &str), &'static str> {
    let mut folded = String::new();
    let mut rest = text;
    loop {
        let (attribute, after) =
            rest.split_once('=').ok_or("`=` is missing: write OU=Sales,DC=example,DC=com")?;
        if !crate::filter::is_attribute(attribute.trim()) {
            return Err("an attribute name such as OU or DC is missing before `=`");
        }
        let (value, after) = value(after.trim_start())?;
        if value.is_empty() {
            return Err("a value is missing after `=`");
        }
        folded.push_str(&attribute.trim().to_lowercase());
        folded.push('=');
        folded.push_str(&value.to_lowercase());
        match after.strip_prefix('+') {
            Some(more) => rest = more.trim_start(),
            None => return Ok((folded, after)),
        }
        folded.push('+');
    }
}

/// A value with its escapes resolved, up to an unescaped `,` or `+`. Blanks
/// around it do not count, escaped ones do.
fn value(text: &str) -> Result<(String, &str), &'static str> {
    let mut bytes = Vec::new();
    let mut kept = 0;
    let mut chars = text.char_indices();
    let mut end = text.len();
    while let Some((at, char)) = chars.next() {
        match char {
            ',' | '+' => {
                end = at;
                break;
            }
            '\\' => {
                let tail = &text[at + 1..];
                let hex = tail.get(..2).filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
                match hex.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                    Some(byte) => {
                        bytes.push(byte);
                        chars.next();
                        chars.next();
                    }
                    None => match chars.next() {
                        Some((_, escaped)) => push(&mut bytes, escaped),
                        None => return Err("nothing follows the last `\\`"),
                    },
                }
                kept = bytes.len();
            }
            '"' | ';' | '<' | '>' => {
                return Err("`\"`, `;`, `<` and `>` have to be written with a `\\` before them");
            }
            other => {
                push(&mut bytes, other);
                if other != ' ' {
                    kept = bytes.len();
                }
            }
        }
    }
    bytes.truncate(kept);
    let value = String::from_utf8(bytes).map_err(|_| "an escaped value is not text (UTF-8)")?;
    Ok((value, &text[end..]))
}

fn push(bytes: &mut Vec<u8>, char: char) {
    bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_spellings_of_one_name_are_one_name() {
        let expected = parse("OU=ИТ\\, связь,DC=example,DC=test").unwrap();
        for spelling in [
            "ou=ит\\2C связь,dc=EXAMPLE,dc=test",
            " OU = ИТ\\, связь , DC=example, DC=test ",
            "OU=\\d0\\98\\d0\\a2\\2c связь,DC=example,DC=test",
        ] {
            assert_eq!(parse(spelling).unwrap(), expected, "{spelling}");
        }
        assert_eq!(expected[0], "ou=ит, связь");
        assert_eq!(own_name("OU=ИТ\\, связь,DC=example").as_deref(), Some("ИТ, связь"));
        assert_eq!((own_name(""), own_name("OU=")), (None, None));
    }

    #[test]
    fn a_base_holds_itself_and_what_is_below() {
        let parse = |text| parse(text).unwrap();
        let base = parse("DC=example,DC=test");
        assert!(within(&parse("ou=a+cn=b,dc=Example,dc=test"), &base));
        assert!(within(&base, &base));
        assert!(within(&base, &[]), "everything stands below the root");
        assert!(!within(&parse("DC=test"), &base));
        assert!(!within(&parse("DC=myexample,DC=test"), &base));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, what) in [
            ("Sales", "`=`"),
            ("OU=Sales,", "comma"),
            ("OU=,DC=x", "value"),
            ("O U=a", "attribute"),
            ("OU=a\\", "follows"),
            ("OU=a<b", "`\\`"),
            ("OU=\\d0", "UTF-8"),
        ] {
            assert!(parse(text).expect_err(text).contains(what), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[a=,+\\\\ \"0-9ж]{0,40}") {
            let _ = parse(&text);
        }
    }
}
