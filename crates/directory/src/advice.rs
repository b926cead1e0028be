//! What a server's refusal means and what the administrator can do about it.

use crate::settings::Fingerprint;
use ldap3_proto::proto::LdapResult;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Diagnostic texts of servers are cut to this many characters.
const TEXT_CHARS_MAX: usize = 300;

/// A refusal: by the server, with its code and text, or by ourselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The LDAP result code; none if no server was asked.
    pub code: Option<u32>,
    /// The server's own words, possibly empty.
    pub text: String,
    pub advice: String,
}

/// What we were doing when the server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing<'a> {
    StartTls,
    SignIn,
    Read,
    /// Writing this attribute, or several at once.
    Write(&'a str),
}

impl Refusal {
    pub(crate) fn new(result: &LdapResult, doing: Doing<'_>) -> Self {
        // The codec's codes are an `i64` enum of at most 4096.
        let code = u32::try_from(result.code.clone() as i64).unwrap_or(80);
        let text: String =
            result.message.chars().filter(|char| !char.is_control()).take(TEXT_CHARS_MAX).collect();
        Refusal { code: Some(code), advice: advice(code, &text, doing), text }
    }

    /// Whether it is about the moment and not about the value: busy (51),
    /// unavailable (52), out of time (3).
    pub fn is_passing(&self) -> bool {
        matches!(self.code, Some(3 | 51 | 52))
    }

    pub(crate) fn ours(advice: impl Into<String>) -> Self {
        Refusal { code: None, text: String::new(), advice: advice.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.advice)?;
        match (self.code, self.text.trim()) {
            (None, _) => Ok(()),
            (Some(code), "") => write!(f, " (LDAP code {code})"),
            (Some(code), text) => write!(f, " (LDAP code {code}: {text})"),
        }
    }
}

/// Plain words for a result code, with the server's text where it tells more
/// than the code.
pub fn advice(code: u32, text: &str, doing: Doing<'_>) -> String {
    let what = match doing {
        Doing::Write(attribute) => attribute,
        _ => "the attribute",
    };
    match (code, doing) {
        (49, _) => return sign_in_advice(text),
        (53, Doing::SignIn) => {
            return "the account is deactivated, or the password is empty: check the account in the directory".to_owned();
        }
        (32 | 34, Doing::SignIn) => {
            return "no such account: check the sign-in name".to_owned();
        }
        (48, Doing::SignIn) => {
            return "the account cannot sign in this way: it may have no password".to_owned();
        }
        (1 | 2 | 12 | 52 | 53, Doing::StartTls) => {
            return "the server does not offer StartTLS: use LDAPS, or give the server a certificate"
                .to_owned();
        }
        (16, Doing::Write(_)) => {
            return format!(
                "`{what}` no longer holds the value we read, or the directory does not know this attribute: \
                 check the attribute map, and whether the schema has it"
            );
        }
        _ => {}
    }
    match code {
        1 => "the server could not do it in this state: it may not allow anonymous use; check the sign-in".to_owned(),
        2 => "the server did not understand the request".to_owned(),
        3 => "the server's time limit was reached before the answer was complete: raise the limit for this account, \
              or choose smaller subdivisions"
            .to_owned(),
        4 => "the server's size limit was reached before the answer was complete: raise the limit for this account \
              (paged results), or choose a smaller page size"
            .to_owned(),
        7 => "the server does not support this way of signing in".to_owned(),
        8 => "the server wants a protected connection for this: choose LDAPS or StartTLS".to_owned(),
        10 => "the server says that another server is responsible: check the domain root and the server address"
            .to_owned(),
        11 => "an administrative limit of the server was reached: raise the look-through and paging limits for this \
               account, or choose a smaller page size"
            .to_owned(),
        12 => "the server does not support an extension that is indispensable here".to_owned(),
        13 => "the server only answers on an encrypted connection: choose LDAPS or StartTLS".to_owned(),
        16 => format!("the entry has no `{what}` any more"),
        17 => format!("the directory's schema does not know `{what}`: choose another attribute, or extend the schema"),
        18 => format!("`{what}` cannot be compared by the server"),
        19 => format!("a rule of the directory does not allow this value of `{what}`"),
        20 => format!("`{what}` has been filled by somebody else in the meantime, or it takes one value only"),
        21 => format!("the directory does not take this value for `{what}`: it is too long, empty or of a wrong form"),
        32 => "no such entry: check the name of the domain root or subdivision; the account may also not be allowed to \
               see it"
            .to_owned(),
        34 => "a distinguished name is wrong: check the domain root and the subdivisions".to_owned(),
        50 => match doing {
            Doing::Write(_) => format!(
                "the account has no right to write `{what}`: give it write permission on this attribute for the people \
                 concerned"
            ),
            _ => "the account has no right to read this: give it read permission".to_owned(),
        },
        51 => "the server is busy: this is tried again later".to_owned(),
        52 => "the server is not available at the moment: this is tried again later".to_owned(),
        53 => format!("the server is unwilling to do this: {what} may be maintained by the server itself, or the directory be read-only"),
        64 | 67 => format!("`{what}` is part of the entry's name and cannot be changed this way"),
        65 => format!(
            "the entry's object classes do not allow `{what}`: add the object class that has it to the people concerned, \
             or choose another attribute"
        ),
        71 => "the change would touch several servers".to_owned(),
        122 => "the entry has changed in the meantime: it is looked at again in the next run".to_owned(),
        4096 => "the server asks for a complete new read".to_owned(),
        _ => "the server refused, and its code tells no more".to_owned(),
    }
}

/// Active Directory hides the reason of a refused sign-in in the text.
fn sign_in_advice(text: &str) -> String {
    let data =
        text.split("data ").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric).collect());
    let known = match data.map(|data: String| data.to_lowercase()).as_deref() {
        Some("525") => "the account does not exist: check the sign-in name",
        Some("52e") => {
            "the name or the password is wrong; write the name as user@domain, DOMAIN\\user or a full DN"
        }
        Some("530") => "the account may not sign in at this time of day",
        Some("531") => "the account may not sign in from this machine",
        Some("532") => "the account's password has expired: set a new one, or let it never expire",
        Some("533") => "the account is disabled: enable it in the directory",
        Some("568") => "the account is a member of too many groups",
        Some("701") => "the account has expired: extend it in the directory",
        Some("773") => "the account has to change its password first: clear that flag, or set a new password",
        Some("775") => "the account is locked after wrong passwords: unlock it in the directory",
        _ => "the name or the password is wrong, or the account is locked",
    };
    known.to_owned()
}

/// What to add to a certificate error so that the administrator may pin it.
pub(crate) fn fingerprint_hint(seen: Option<&Fingerprint>) -> String {
    seen.map_or_else(String::new, |seen| {
        format!("; the certificate shown has the SHA-256 fingerprint {seen}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3_proto::proto::LdapResultCode;

    fn refusal(code: LdapResultCode, message: &str, doing: Doing<'_>) -> String {
        let result =
            LdapResult { code, matcheddn: String::new(), message: message.to_owned(), referral: Vec::new() };
        Refusal::new(&result, doing).to_string()
    }

    #[test]
    fn active_directory_reasons_are_read_out_of_the_text() {
        let of = |data: &str| {
            let text = format!(
                "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {data}, v2580"
            );
            refusal(LdapResultCode::InvalidCredentials, &text, Doing::SignIn)
        };
        assert!(of("52e").starts_with("the name or the password is wrong; write"));
        assert!(of("532").contains("has expired"));
        assert!(of("533").contains("disabled"));
        assert!(of("701").contains("account has expired"));
        assert!(of("773").contains("change its password"));
        assert!(of("775").contains("unlock"));
        assert!(of("999").contains("or the account is locked"));
        let bare = refusal(LdapResultCode::InvalidCredentials, "", Doing::SignIn);
        assert_eq!(bare, "the name or the password is wrong, or the account is locked (LDAP code 49)");
    }

    #[test]
    fn one_code_means_different_things_in_different_places() {
        let write = Doing::Write("ipPhone");
        assert!(
            refusal(LdapResultCode::InsufficentAccessRights, "", write).contains("right to write `ipPhone`")
        );
        assert!(refusal(LdapResultCode::InsufficentAccessRights, "", Doing::Read).contains("right to read"));
        assert!(refusal(LdapResultCode::NoSuchAttribute, "", write).contains("schema"));
        assert!(
            refusal(LdapResultCode::UnwillingToPerform, "Account inactivated", Doing::SignIn)
                .contains("deactivated")
        );
        assert!(refusal(LdapResultCode::ProtocolError, "", Doing::StartTls).contains("StartTLS"));
    }

    #[test]
    fn the_servers_text_is_bounded_and_printable() {
        let shown =
            refusal(LdapResultCode::Other, &format!("a\u{1b}[31m\n{}", "x".repeat(5000)), Doing::Read);
        assert!(!shown.contains('\u{1b}') && shown.len() < 500);
    }
}
