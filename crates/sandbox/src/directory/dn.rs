//! Distinguished names: RFC 4514 in, a sortable key and the server's own
//! spelling out. Alias spellings of attribute types (`commonName`, OIDs) are
//! deliberately not known.

use super::schema::fold;

/// Ends each component of a [`Dn::key`]. No component may contain it.
pub const END: char = '\u{1}';

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dn(Vec<Rdn>);

/// One or more `type=value` pairs, joined by `+` in text.
pub type Rdn = Vec<(String, String)>;

/// How a server writes a comma and its like inside a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `\2C`
    Hex,
    /// `\,`
    Backslash,
}

impl Dn {
    pub fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Dn(Vec::new()));
        }
        split(text, &[',', ';'])?.into_iter().map(parse_rdn).collect::<Option<_>>().map(Dn)
    }

    /// Folded, root first, each component ended by [`END`]: an ancestor's key
    /// is a prefix of its descendants' keys.
    pub fn key(&self) -> String {
        let mut key = String::new();
        for rdn in self.0.iter().rev() {
            let mut pairs: Vec<_> =
                rdn.iter().map(|(name, value)| format!("{}={}", name.to_lowercase(), fold(value))).collect();
            pairs.sort_unstable();
            key.push_str(&pairs.join("+"));
            key.push(END);
        }
        key
    }

    pub fn first(&self) -> Option<&Rdn> {
        self.0.first()
    }

    pub fn parent(&self) -> Dn {
        Dn(self.0.iter().skip(1).cloned().collect())
    }

    pub fn child(&self, rdn: Rdn) -> Dn {
        Dn(std::iter::once(rdn).chain(self.0.iter().cloned()).collect())
    }

    pub fn text(&self, spelling: Spelling) -> String {
        self.0.iter().map(|rdn| spell(rdn, spelling)).collect::<Vec<_>>().join(",")
    }
}

/// AD writes the types in capitals.
fn spell(rdn: &Rdn, spelling: Spelling) -> String {
    let pairs = rdn.iter().map(|(name, value)| match spelling {
        Spelling::Hex => format!("{name}={}", escape(value, spelling)),
        Spelling::Backslash => format!("{}={}", name.to_uppercase(), escape(value, spelling)),
    });
    pairs.collect::<Vec<_>>().join("+")
}

fn escape(value: &str, spelling: Spelling) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (i, c) in value.chars().enumerate() {
        let special = matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (c == '=' && spelling == Spelling::Hex)
            || (c == '#' && i == 0)
            || (c == ' ' && (i == 0 || i == last));
        match spelling {
            _ if !special => out.push(c),
            Spelling::Hex => out.push_str(&format!("\\{:02X}", u32::from(c))),
            Spelling::Backslash => out.extend(['\\', c]),
        }
    }
    out
}

fn parse_rdn(text: &str) -> Option<Rdn> {
    split(text, &['+'])?.into_iter().map(parse_pair).collect()
}

fn parse_pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let value = unescape(value)?;
    (!value.is_empty() && !value.contains(['\0', END])).then(|| (name.to_owned(), value))
}

/// Splits at separators that are neither escaped nor within quotes.
fn split<'a>(text: &'a str, separators: &[char]) -> Option<Vec<&'a str>> {
    let (mut parts, mut start, mut escaped, mut quoted) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if !quoted && separators.contains(&c) => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!escaped && !quoted).then_some(parts)
}

fn unescape(text: &str) -> Option<String> {
    let text = text.trim_start().as_bytes();
    let (mut out, mut kept, mut rest) = (Vec::with_capacity(text.len()), 0, text);
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'\\' => {
                let hex = rest.get(..2).filter(|two| two.iter().all(u8::is_ascii_hexdigit));
                let hex = hex.and_then(|two| std::str::from_utf8(two).ok());
                match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                    Some(byte) => {
                        out.push(byte);
                        rest = &rest[2..];
                    }
                    None => {
                        let (&byte, tail) = rest.split_first()?;
                        out.push(byte);
                        rest = tail;
                    }
                }
                kept = out.len();
            }
            b'"' => kept = out.len(),
            byte => out.push(byte),
        }
    }
    // Unescaped white space at the end is no part of the value.
    while out.len() > kept && out.last() == Some(&b' ') {
        out.pop();
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, open: &str, ad: &str) {
        let dn = Dn::parse(text).unwrap();
        assert_eq!((dn.text(Spelling::Hex).as_str(), dn.text(Spelling::Backslash).as_str()), (open, ad));
        assert_eq!(Dn::parse(open).unwrap().key(), dn.key());
        assert_eq!(Dn::parse(ad).unwrap().key(), dn.key());
    }

    #[test]
    fn every_spelling_of_a_name_is_one_name() {
        check("ou=a , dc=b", "ou=a,dc=b", "OU=a,DC=b");
        check(r"ou=ИТ\, связь,dc=b", r"ou=ИТ\2C связь,dc=b", r"OU=ИТ\, связь,DC=b");
        check(r"ou=R\+D,dc=b", r"ou=R\2BD,dc=b", r"OU=R\+D,DC=b");
        check(r"cn=\d0\a1,dc=b", "cn=С,dc=b", "CN=С,DC=b");
        check(r"cn=\#1 \22\\ \<x\>\;,dc=b", r"cn=\231 \22\5C \3Cx\3E\3B,dc=b", r#"CN=\#1 \"\\ \<x\>\;,DC=b"#);
        check(r"cn=\ a\ ,dc=b", r"cn=\20a\20,dc=b", r"CN=\ a\ ,DC=b");
        check(r#"cn="a,b"+sn=c,dc=d"#, r"cn=a\2Cb+sn=c,dc=d", r"CN=a\,b+SN=c,DC=d");
        assert_eq!(Dn::parse("CN=Ёлкин  А,DC=B").unwrap().key(), Dn::parse("cn=ёлкин а,dc=b").unwrap().key());
        assert_eq!(Dn::parse("a=1+b=2").unwrap().key(), Dn::parse("b=2+a=1").unwrap().key());
    }

    #[test]
    fn ancestors_are_prefixes() {
        let dn = Dn::parse("cn=a,ou=b,dc=c").unwrap();
        assert!(dn.key().starts_with(&dn.parent().key()));
        assert!(!Dn::parse("cn=a,ou=bb,dc=c").unwrap().key().starts_with(&dn.parent().key()));
        assert_eq!(dn.parent().child(dn.first().unwrap().clone()), dn);
    }

    #[test]
    fn garbage_is_refused() {
        for text in ["x", "=a", "ou=", "ou=a,", ",ou=a", r"ou=a\", "ou=\"a", r"ou=\ff", "o u=a"] {
            assert!(Dn::parse(text).is_none(), "{text}");
        }
        assert_eq!(Dn::parse(""), Some(Dn(Vec::new())));
    }
}
