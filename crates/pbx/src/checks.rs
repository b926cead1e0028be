//! What the PBX would refuse, cut or change in silence, found out before
//! anything is sent.
//!
//! A refusal by the PBX is not harmless: a bad picture costs the old one, nine
//! digits become another number. The common-password dictionary of the PBX is
//! not known here; it alone is left to the PBX.

use effects::Random;
use reconcile::canonical;
use secrecy::{ExposeSecret, SecretString};

pub const NAME_CHARS_MAX: usize = 100;
pub const EMAIL_CHARS_MAX: usize = 255;
pub const EMAIL_LOCAL_BYTES_MAX: usize = 64;
pub const PHOTO_BYTES_MIN: usize = 1024;
/// The PBX has no limit, but the whole picture goes through its job queue.
pub const PHOTO_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The score below which the PBX refuses a SIP password.
pub const STRENGTH_MIN: u8 = 60;
pub const SECRET_BYTES_MIN: usize = 5;
pub const SECRET_BYTES_MAX: usize = 64;

const SECRET_LENGTH: usize = 20;
/// Letters and digits that are not mistaken for each other.
const ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

pub fn name(name: &str) -> Result<(), String> {
    let name = name.trim();
    let lower = name.to_lowercase();
    match () {
        () if name.is_empty() || name == "0" => Err("it is empty".into()),
        () if name.chars().count() > NAME_CHARS_MAX => {
            Err(format!("it is longer than {NAME_CHARS_MAX} characters, which the PBX would cut off"))
        }
        () if name.chars().any(char::is_control) => Err("it contains control characters".into()),
        () if becomes_url(name) => Err("it begins with http: the PBX would take out its blanks".into()),
        () if has_tag(name) => Err("it contains what looks like an HTML tag".into()),
        () if has_handler(&lower) => Err("it contains what looks like a script (on…=)".into()),
        () => match script_scheme(&lower).or_else(|| sql_pair(&lower)) {
            Some(found) => Err(format!("the PBX takes it for an attack because of {found}")),
            None => Ok(()),
        },
    }
}

pub fn number(number: &str) -> Result<(), String> {
    match number.len() {
        2..=8 if number.bytes().all(|b| b.is_ascii_digit()) => Ok(()),
        _ => Err("an internal number has 2 to 8 digits and nothing else".into()),
    }
}

pub fn mobile(mobile: &str) -> Result<(), String> {
    let digits = mobile.strip_prefix('+').unwrap_or(mobile);
    let fits = (2..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits && !digits.starts_with('0') {
        return Ok(());
    }
    Err("a mobile number is 2 to 15 digits that do not begin with 0".into())
}

/// The PBX's own test is that of PHP: ASCII, and a domain with a dot.
pub fn email(email: &str) -> Result<(), String> {
    canonical::email(email).map_err(|unusable| unusable.why)?;
    let Some((local, domain)) = email.trim().rsplit_once('@') else {
        return Err("it has no @".into());
    };
    let bare = |part: &str| part.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),:;<>[\\]@".contains(&b));
    match () {
        () if email.chars().count() > EMAIL_CHARS_MAX => {
            Err(format!("it is longer than {EMAIL_CHARS_MAX} characters"))
        }
        () if !(1..=EMAIL_LOCAL_BYTES_MAX).contains(&local.len()) => {
            Err(format!("the part before the @ has 1 to {EMAIL_LOCAL_BYTES_MAX} characters"))
        }
        () if !bare(local) || !bare(domain) => Err("the PBX takes plain ASCII addresses only".into()),
        () if !domain.trim_end_matches('.').contains('.') => Err("the PBX wants a domain with a dot".into()),
        () if becomes_url(email) => Err("it begins with http".into()),
        () => Ok(()),
    }
}

pub fn photo(bytes: &[u8]) -> Result<(), String> {
    match bytes.len() {
        ..PHOTO_BYTES_MIN => Err(format!("it has {} bytes and the PBX wants at least 1024", bytes.len())),
        PHOTO_BYTES_MIN..=PHOTO_BYTES_MAX if picture_type(bytes).is_some() => Ok(()),
        PHOTO_BYTES_MIN..=PHOTO_BYTES_MAX => Err("it is not a JPEG, PNG, GIF or WEBP picture".into()),
        _ => Err(format!("it is larger than {PHOTO_BYTES_MAX} bytes")),
    }
}

/// The type by its signature, which is all that the PBX looks at.
pub(crate) fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

pub fn secret(secret: &SecretString) -> Result<(), String> {
    let text = secret.expose_secret();
    match () {
        () if text.len() < SECRET_BYTES_MIN => {
            Err(format!("it is shorter than {SECRET_BYTES_MIN} characters"))
        }
        () if text.len() > SECRET_BYTES_MAX => Err(format!("it is longer than {SECRET_BYTES_MAX} bytes")),
        () if text.trim() != text || text.chars().any(char::is_control) => {
            Err("it begins or ends with a blank, or contains control characters, which the PBX takes away"
                .into())
        }
        () if becomes_url(text) => Err("it begins with http: the PBX would change it".into()),
        () if ["admin", "password", "12345", "secret"].contains(&text) => Err("everybody knows it".into()),
        () => match strength(text.as_bytes()) {
            STRENGTH_MIN.. => Ok(()),
            score => Err(format!(
                "it is too weak for the PBX (strength {score} of at least {STRENGTH_MIN}): make it longer, of several kinds of characters"
            )),
        },
    }
}

/// A new SIP password that every check here accepts.
pub fn generate_secret(random: &dyn Random) -> SecretString {
    let mut candidate = SecretString::default();
    // One draw is enough but for some in a million. Only a broken source of
    // randomness needs all of these, and then the PBX refuses the result.
    for _ in 0..100 {
        candidate = draw(random).into();
        if secret(&candidate).is_ok() && crate::suspicious(candidate.expose_secret()).is_none() {
            break;
        }
    }
    candidate
}

fn draw(random: &dyn Random) -> String {
    let mut bytes = [0; 4 * SECRET_LENGTH];
    random.fill(&mut bytes);
    // Bytes beyond the last whole multiple would favour the first letters.
    let even = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < 4 * ALPHABET.len());
    even.take(SECRET_LENGTH).map(|byte| char::from(ALPHABET[byte % ALPHABET.len()])).collect()
}

/// The PBX's strength score of a SIP password, 0 to 100, over bytes.
pub fn strength(secret: &[u8]) -> u8 {
    let length = secret.len();
    let kinds = [
        secret.iter().any(u8::is_ascii_lowercase),
        secret.iter().any(u8::is_ascii_uppercase),
        secret.iter().any(u8::is_ascii_digit),
        secret.iter().any(|byte| !byte.is_ascii_alphanumeric()),
    ];
    let kinds = kinds.into_iter().filter(|has| *has).count();
    let mut score = match length {
        16.. => 30,
        12.. => 20,
        8.. => 10,
        short => i32::try_from(short).unwrap_or(0),
    };
    score += 10 * i32::try_from(kinds).unwrap_or(0);
    score += variety(secret);
    score += if kinds >= 3 && length >= 12 { 10 } else { 0 };
    score -= if secret.windows(3).any(|three| three[0] == three[1] && three[1] == three[2]) { 10 } else { 0 };
    score -= if has_sequence(secret) { 10 } else { 0 };
    score -= if length < 10 && secret.iter().all(u8::is_ascii_alphabetic) { 15 } else { 0 };
    u8::try_from(score.clamp(0, 100)).unwrap_or(0)
}

fn variety(secret: &[u8]) -> i32 {
    let mut seen = [false; 256];
    secret.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let unique = seen.into_iter().filter(|seen| *seen).count();
    let more_than = |tenths: usize| unique * 10 > secret.len() * tenths;
    match () {
        () if more_than(7) => 20,
        () if more_than(5) => 15,
        () if more_than(3) => 10,
        () => 5,
    }
}

fn has_sequence(secret: &[u8]) -> bool {
    const RUNS: [&str; 12] = [
        "qwerty", "asdfgh", "zxcvbn", "12345", "23456", "34567", "45678", "56789", "abcde", "bcdef", "cdefg",
        "defgh",
    ];
    let lower = secret.to_ascii_lowercase();
    RUNS.into_iter().any(|run| {
        let back: Vec<u8> = run.bytes().rev().collect();
        lower.windows(run.len()).any(|part| part == run.as_bytes() || part == back)
    })
}

/// Text that begins with http goes through a filter that keeps only what may
/// stand in an address.
fn becomes_url(text: &str) -> bool {
    let is_http = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http"));
    is_http && !text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn has_tag(name: &str) -> bool {
    name.split('<')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/?!".contains(c)))
}

/// A word that begins with `on` and is followed by an equals sign.
fn has_handler(lower: &str) -> bool {
    lower.split('=').rev().skip(1).any(|before| {
        let word = before.trim_end().rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        word.len() > 2 && word.starts_with("on")
    })
}

fn script_scheme(lower: &str) -> Option<&'static str> {
    ["javascript:", "vbscript:", "data:text/html"].into_iter().find(|scheme| lower.contains(scheme))
}

/// Two words of SQL in their order, whatever stands between them.
fn sql_pair(lower: &str) -> Option<&'static str> {
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let after = |first: &str, second: &str| {
        words.iter().position(|word| *word == first).is_some_and(|at| words[at..].contains(&second))
    };
    [
        ("union", "select", "the words union … select"),
        ("delete", "from", "the words delete … from"),
        ("insert", "into", "the words insert … into"),
        ("update", "set", "the words update … set"),
    ]
    .into_iter()
    .find(|(first, second, _)| after(first, second))
    .map(|(_, _, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use effects::{Random, SeededRandom};

    #[test]
    fn the_score_is_that_of_the_pbx() {
        for (secret, score) in [
            ("test1234", 50),
            ("StrongP@ss123", 90),
            ("12345", 5 + 10 + 20 - 10),
            ("Xk29dlsQ7pWz", 20 + 30 + 20 + 10),
            ("aaaaaaaaaaaaaaaa", 30 + 10 + 5 - 10),
            ("abcdef", 6 + 10 + 20 - 10 - 15),
            ("ytrewq", 6 + 10 + 20 - 10 - 15),
            ("aaa", 0),
        ] {
            assert_eq!(i32::from(strength(secret.as_bytes())), score, "{secret}");
        }
    }

    #[test]
    fn secrets() {
        let check = |text: &str| secret(&text.to_owned().into());
        assert!(check("StrongP@ss123").is_ok());
        assert!(check("Xk29dlsQ7pWz").is_ok());
        for text in ["", "1234", "test1234", "admin", " Xk29dlsQ7pWz", "Xk29dlsQ7pWz\t", "http k29dlsQ7pWz"] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check(&"Xk29dlsQ".repeat(8)).is_ok());
        assert!(check(&"Xk29dlsQ".repeat(9)).is_err());
    }

    #[test]
    fn generated_secrets_pass_and_differ() {
        let random = SeededRandom::new(1);
        let made: std::collections::BTreeSet<String> = (0..1000)
            .map(|_| {
                let made = generate_secret(&random);
                assert_eq!(secret(&made), Ok(()));
                assert!(made.expose_secret().bytes().all(|b| b.is_ascii_alphanumeric()));
                assert_eq!(made.expose_secret().len(), SECRET_LENGTH);
                made.expose_secret().to_owned()
            })
            .collect();
        assert_eq!(made.len(), 1000);
    }

    #[derive(Debug)]
    struct Stuck;

    impl Random for Stuck {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_stuck_source_ends_in_a_refusal_not_in_a_loop() {
        assert!(secret(&generate_secret(&Stuck)).is_err());
    }

    #[test]
    fn names() {
        for ok in [
            "O'Neil & \"Co\"",
            "Фёдор Ёлкин",
            "a < b",
            "Http",
            "Httpov",
            "Anton Onegin",
            "Updates Settings",
            "Selection 1=1",
            "一二三",
        ] {
            assert_eq!(name(ok), Ok(()), "{ok}");
        }
        for bad in [
            "",
            "  ",
            "0",
            "Httpov Иван",
            "http bob",
            "<script>x",
            "Bob </b>",
            "<?php",
            "<!--#exec",
            "Bob onclick=x y> z",
            "Bob onload =x",
            "javascript:alert(1) Bob",
            "Update Team Set",
            "Credit Union, select members",
            "two\nlines",
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert!(name(&"ё".repeat(100)).is_ok());
        assert!(name(&"ё".repeat(101)).is_err());
    }

    #[test]
    fn numbers_and_mobiles() {
        for (text, ok) in [
            ("20", true),
            ("00000063", true),
            ("1", false),
            ("123456789", false),
            ("2a", false),
            ("２０１", false),
            ("", false),
        ] {
            assert_eq!(number(text).is_ok(), ok, "{text}");
        }
        for (text, ok) in [
            ("79991234567", true),
            ("+79991234567", true),
            ("0123", false),
            ("7", false),
            ("7999 123", false),
            ("", false),
            ("1234567890123456", false),
        ] {
            assert_eq!(mobile(text).is_ok(), ok, "{text}");
        }
    }

    #[test]
    fn emails() {
        for ok in ["anna@example.org", "a.b+c@sub.example.org"] {
            assert_eq!(email(ok), Ok(()), "{ok}");
        }
        for bad in [
            "",
            "not-an-email",
            "anna@localhost",
            "анна@example.org",
            "a b@example.org",
            "a@b@example.org",
            "_@_._",
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
        assert!(email(&format!("a@{}.org", "b".repeat(300))).is_err());
        assert!(email(&format!("{}@example.org", "b".repeat(65))).is_err());
    }

    #[test]
    fn photos() {
        let picture = |start: &[u8], length| [start, &vec![0; length - start.len()]].concat();
        assert!(photo(&picture(b"\xff\xd8\xff\xe0", 1024)).is_ok());
        assert!(photo(&picture(b"\xff\xd8\xff\xe0", 1023)).is_err());
        assert!(photo(&picture(b"RIFF\0\0\0\0WEBPVP8 ", 2000)).is_ok());
        assert!(photo(&picture(b"RIFF\0\0\0\0WAVE", 2000)).is_err());
        assert!(photo(&picture(b"GIF89a", 2000)).is_ok());
        assert!(photo(&picture(b"%PDF-1.4", 2000)).is_err());
        assert!(photo(&picture(b"\xff\xd8\xff\xe0", PHOTO_BYTES_MAX + 1)).is_err());
    }
}
