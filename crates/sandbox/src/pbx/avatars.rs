//! Pictures: what a save accepts, the files, and how nginx serves them.
//!
//! A file outlives the record that names it when a save is refused late, and a
//! record may name a file that is gone: both are habits of the real server.

use super::envelope::{self, Response};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

pub(super) const DEFAULT_URL: &str = "/admin-cabinet/assets/img/unknownPerson.jpg";
pub(super) const INVALID: &str =
    "Invalid avatar image: must be at least 1KB and a valid image format (JPEG, PNG, GIF, WEBP)";
const BYTES_MIN: usize = 1024;
/// PHP's strict decoding, to which padding is not needed.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[derive(Debug, Default)]
pub(super) struct Pictures(HashMap<u64, Picture>);

#[derive(Debug)]
struct Picture {
    bytes: Bytes,
    modified_s: i64,
}

/// What a value of `user_avatar` asks for.
pub(super) enum Wish {
    /// Anything but a picture or nothing.
    Keep,
    Clear,
    Replace(Bytes),
    Refuse,
}

impl Wish {
    pub(super) fn read(value: Option<&str>) -> Self {
        match value {
            None => Wish::Keep,
            Some("") => Wish::Clear,
            Some(text) if text.starts_with("data:image") => decode(text).map_or(Wish::Refuse, Wish::Replace),
            Some(_) => Wish::Keep,
        }
    }
}

impl Pictures {
    /// Stores the file and returns what the database names it by.
    pub(super) fn store(&mut self, id: u64, bytes: Bytes, now_ms: i64) -> String {
        let name = envelope::hex(&Sha256::digest(&bytes)[..16]);
        if self.0.get(&id).is_none_or(|old| old.bytes != bytes) {
            self.0.insert(id, Picture { bytes, modified_s: now_ms.div_euclid(1000) });
        }
        name
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.0.remove(&id);
    }

    pub(super) fn bytes(&self, id: u64) -> Option<&Bytes> {
        self.0.get(&id).map(|picture| &picture.bytes)
    }

    pub(super) fn url(&self, id: u64, named: &str) -> String {
        if named.is_empty() || !self.0.contains_key(&id) {
            return DEFAULT_URL.to_owned();
        }
        format!("/avatars/user_{id}.jpg")
    }

    /// `GET` or `HEAD` of a path below `/avatars/`. Whatever is not there is
    /// the default picture.
    pub(super) fn serve(&self, name: &str, head: bool, headers: &HeaderMap) -> Response {
        let id = name.strip_prefix("user_").and_then(|rest| rest.strip_suffix(".jpg")?.parse().ok());
        match id.and_then(|id: u64| self.0.get(&id)) {
            Some(picture) => file(&picture.bytes, picture.modified_s, 604_800, head, headers),
            None => file(&Bytes::from_static(UNKNOWN_PERSON), 1_700_000_000, 259_200, head, headers),
        }
    }
}

fn file(bytes: &Bytes, modified_s: i64, age_s: i64, head: bool, headers: &HeaderMap) -> Response {
    let etag = format!("\"{modified_s:x}-{:x}\"", bytes.len());
    let modified = envelope::http_date(modified_s);
    let sent = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let known = match sent(IF_NONE_MATCH) {
        Some(tag) => tag == etag,
        None => sent(IF_MODIFIED_SINCE) == Some(&modified),
    };
    let builder = http::Response::builder()
        .status(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK })
        .header(ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .header(LAST_MODIFIED, &modified)
        .header(ETAG, etag)
        .header(EXPIRES, envelope::http_date(modified_s + age_s))
        .header(CACHE_CONTROL, format!("max-age={age_s}"));
    let builder = if known { builder } else { builder.header(CONTENT_TYPE, "image/jpeg") };
    let body = if known || head { Bytes::new() } else { bytes.clone() };
    builder.body(body).expect("dates and numbers are valid header values")
}

/// Base64 after the first comma, line breaks aside, with the beginning
/// of a picture. The declared type is not looked at.
fn decode(text: &str) -> Option<Bytes> {
    let (_, encoded) = text.split_once(',')?;
    let encoded: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = BASE64.decode(encoded).ok()?;
    let signed = bytes.starts_with(&[0xff, 0xd8, 0xff])
        || bytes.starts_with(b"\x89PNG")
        || bytes.starts_with(b"GIF8")
        || bytes.starts_with(b"RIFF");
    (bytes.len() >= BYTES_MIN && signed).then(|| bytes.into())
}

/// One grey pixel, as PNG.
const UNKNOWN_PERSON: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00,
    0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81,
    0xda, 0x45, 0x08, 0x3b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
