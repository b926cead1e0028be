//! Signing in. There is one administrator of our own; or whoever may sign in
//! to the MikoPBX may sign in here. Sessions are remembered by a digest of
//! their key, so that nobody who reads the store can take one over.

mod account;
mod sessions;
mod setup;
mod throttle;
pub mod tokens;

pub use account::{Account, Refused, pbx_lets_in};
pub use sessions::{Flash, FlashKind, Session, Sessions};
pub use setup::Setup;
pub use throttle::Throttle;
pub use tokens::Token;

use axum::http::{HeaderMap, header};

pub const SESSION_COOKIE: &str = "rollcall_session";

/// The value of a cookie, if the browser sent one of this name.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Only paths of ours: nobody is led elsewhere after a sign-in. A browser
/// takes `\` for `/`, and drops tabs and line ends.
pub fn local_path(text: &str) -> &str {
    let is_local = text.starts_with('/')
        && !text.starts_with("//")
        && !text.contains(['\\', '\t', '\r', '\n'])
        && !text.chars().any(char::is_control);
    if is_local { text } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        for path in ["/", "/servers/1?a=b", "/sign-in?then=%2F"] {
            assert_eq!(local_path(path), path);
        }
        for path in ["//evil", "/\\evil", "https://evil", "evil", "", "/\t/evil", "\\\\evil", "/\n/evil"] {
            assert_eq!(local_path(path), "/", "{path:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; rollcall_session_2=no; rollcall_session=yes".parse().unwrap());
        assert_eq!(cookie(&headers, SESSION_COOKIE).as_deref(), Some("yes"));
        assert_eq!(cookie(&headers, "session"), None);
    }
}
