//! What stands before the API: the request filter and the rate limit. Both
//! leave localhost alone.

use super::request::decode;
use http::header::USER_AGENT;
use http::{HeaderMap, Method};
use std::collections::HashMap;
use std::net::IpAddr;

/// Bodies from this size on are not scanned.
const SCANNED_MAX: usize = 65_536;
const WINDOW_MS: i64 = 60_000;
const REQUESTS_MAX: u32 = 200;
const BLOCK_MS: i64 = 300_000;
const BLOCK_MS_MAX: i64 = 3_600_000;
const OFFENCE_MS: i64 = 24 * 3_600_000;
const ADDRESSES_MAX: usize = 10_000;
const PLAIN_PATTERNS: [&str; 6] = ["';", "\";", "' or ", "\" or ", "1=1", "1' or '1'='1"];
/// Words with white space after each but the last, and anything between.
const WORD_PATTERNS: [(&str, &str, bool); 6] = [
    ("union", "select", false),
    ("select", "from", true),
    ("insert", "into", false),
    ("delete", "from", false),
    ("drop", "table", false),
    ("update", "set", true),
];

#[derive(Debug, Default)]
pub(super) struct RateLimit(HashMap<IpAddr, Peer>);

#[derive(Debug, Default)]
struct Peer {
    window_ms: i64,
    requests: u32,
    blocked_until_ms: i64,
    offences: u32,
    offence_ms: i64,
}

impl RateLimit {
    /// Counts a request, and tells whether it may pass.
    pub(super) fn admits(&mut self, ip: IpAddr, now_ms: i64) -> bool {
        if self.0.len() >= ADDRESSES_MAX {
            self.0.retain(|_, peer| now_ms - peer.window_ms < OFFENCE_MS);
        }
        let peer = self.0.entry(ip).or_insert(Peer { window_ms: now_ms, ..Peer::default() });
        if now_ms < peer.blocked_until_ms {
            return false;
        }
        if now_ms - peer.window_ms >= WINDOW_MS {
            peer.window_ms = now_ms;
            peer.requests = 0;
        }
        peer.requests += 1;
        if peer.requests <= REQUESTS_MAX {
            return true;
        }
        peer.block(now_ms);
        false
    }

    pub(super) fn block(&mut self, ip: IpAddr, now_ms: i64) {
        self.0.entry(ip).or_default().block(now_ms);
    }

    pub(super) fn is_blocked(&self, ip: IpAddr, now_ms: i64) -> bool {
        self.0.get(&ip).is_some_and(|peer| now_ms < peer.blocked_until_ms)
    }
}

impl Peer {
    fn block(&mut self, now_ms: i64) {
        if now_ms - self.offence_ms >= OFFENCE_MS {
            self.offences = 0;
        }
        let length = BLOCK_MS.saturating_mul(1_i64 << self.offences.min(20)).min(BLOCK_MS_MAX);
        self.blocked_until_ms = now_ms + length;
        self.offences += 1;
        self.offence_ms = now_ms;
    }
}

/// Whether the filter takes offence at a request.
pub(super) fn is_suspicious(
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> bool {
    let (path, query) = (path.to_ascii_lowercase(), query.to_ascii_lowercase());
    let decoded_query = decode(&query.replace('+', " ")).to_ascii_lowercase();
    let header = |name| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
    };
    let uri = [path.as_str(), &decoded_query];
    let odd_path = decode(&path).contains("//")
        || uri.iter().any(|part| decode(part).contains("..") || decode(part).contains('\0'))
        || [&path, &query].into_iter().any(|part| part.contains("%252e"));
    if odd_path || uri.into_iter().any(looks_like_sql) || looks_like_sql(&header(USER_AGENT)) {
        return true;
    }
    let writes = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
    let multipart = header(http::header::CONTENT_TYPE).contains("multipart");
    if !writes || multipart || body.len() >= SCANNED_MAX {
        return false;
    }
    let body = String::from_utf8_lossy(body).to_ascii_lowercase();
    looks_like_sql(&body) || body.contains("../") || body.contains("..\\")
}

/// `text` is in lower case.
fn looks_like_sql(text: &str) -> bool {
    PLAIN_PATTERNS.iter().any(|pattern| text.contains(pattern))
        || WORD_PATTERNS.iter().any(|(first, second, apart)| words_follow(text, first, second, *apart))
}

/// `first%s+second`, or `first%s+.*%s+second` with something between.
fn words_follow(text: &str, first: &str, second: &str, apart: bool) -> bool {
    let blank = |c: char| c.is_ascii_whitespace() || c == '\u{b}';
    text.match_indices(first).any(|(at, _)| {
        let rest = &text[at + first.len()..];
        let next = rest.trim_start_matches(blank);
        if next.len() == rest.len() {
            return false;
        }
        if !apart {
            return next.starts_with(second);
        }
        // The first blank belongs to the first word, so the second needs one
        // of its own.
        let mut chars = rest.chars();
        chars.next();
        let rest = chars.as_str();
        rest.match_indices(second).any(|(at, _)| rest[..at].ends_with(blank))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn the_201st_request_of_a_minute_blocks_for_longer_each_time() {
        let mut limit = RateLimit::default();
        assert_eq!((0..201).filter(|_| limit.admits(IP, 0)).count(), 200);
        assert!(!limit.admits(IP, 299_999));
        assert_eq!((0..201).filter(|_| limit.admits(IP, 300_000)).count(), 200);
        assert!(!limit.admits(IP, 899_999));
        assert!(limit.admits(IP, 900_000));
    }

    #[test]
    fn the_filter_sees_sql_where_there_is_none() {
        let offends =
            |body: &str| is_suspicious(&Method::PATCH, "/x", "", &HeaderMap::new(), body.as_bytes());
        for body in
            ["Select Staffing from Berlin", "Update Tool Set", "Drop Table", "a1=1b", "A/../B", "D';Arcy"]
        {
            assert!(offends(body), "{body}");
        }
        for body in ["O'Neil Ann", "selection from", "select from", "Update Set", "dropped tables", "a..b"] {
            assert!(!offends(body), "{body}");
        }
        assert!(!offends(&format!("{}1=1", " ".repeat(SCANNED_MAX))));
        for query in ["search=a%27%20or%20b", "search=a..b", "search=O'+or+"] {
            assert!(is_suspicious(&Method::GET, "/x", query, &HeaderMap::new(), b""), "{query}");
        }
    }
}
