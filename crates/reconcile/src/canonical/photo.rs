//! Pictures: known by what they start with and by their digest.
//!
//! Deliberately absent: decoding. A picture we shrank carries the digest of
//! its original in a JPEG comment, so that it is recognised without our
//! database; that comment is read here, and nothing else of the picture is.

use crate::value::{Unusable, Value};
use sha2::{Digest, Sha256};

const COMMENT: &str = "rollcall original ";
const DIGEST: &str = "sha256:";

/// How many segments of a JPEG are looked at. The comment is put in front of
/// them, behind the application segments; cameras write a handful of those.
const SEGMENTS_MAX: usize = 64;

const START_OF_IMAGE: [u8; 2] = [0xFF, 0xD8];
const MARKER_COMMENT: u8 = 0xFE;
const MARKER_APPLICATION: std::ops::RangeInclusive<u8> = 0xE0..=0xEF;

/// A description and the SHA-256 of the bytes. A picture that was derived from
/// another one is also known by the digest of that other one.
pub fn photo(bytes: &[u8]) -> Result<Value, Unusable> {
    let described = |kind: &str| format!("{kind}, {} bytes", bytes.len());
    let Some(kind) = kind(bytes) else {
        let why = if bytes.is_empty() { "no bytes" } else { "not a JPEG, PNG, GIF or WEBP picture" };
        return Err(Unusable { raw: described("unknown"), why: why.into() });
    };
    let value = Value::new(described(kind), digest(bytes));
    Ok(match segments(bytes).find_map(|segment| original_in(&segment)) {
        Some(original) => value.or_also(original),
        None => value,
    })
}

/// The JPEG comment segment for a picture derived from `original`.
pub fn derived_comment(original: &[u8]) -> Vec<u8> {
    let text = format!("{COMMENT}{}", digest(original));
    let length = u16::try_from(text.len() + 2).expect("the text is a fixed prefix and a digest");
    [&[0xFF, MARKER_COMMENT], &length.to_be_bytes()[..], text.as_bytes()].concat()
}

/// Puts a comment segment into a JPEG, behind its application segments (JFIF
/// wants to be first). Nothing, if this is no JPEG.
pub fn insert_comment(jpeg: &[u8], comment: &[u8]) -> Option<Vec<u8>> {
    if !jpeg.starts_with(&START_OF_IMAGE) {
        return None;
    }
    let application = |segment: &Segment<'_>| MARKER_APPLICATION.contains(&segment.marker);
    // One less than are looked at, or the comment would not be found again.
    let before = segments(jpeg).take(SEGMENTS_MAX - 1).take_while(application);
    let at = before.last().map_or(START_OF_IMAGE.len(), |segment| segment.end);
    Some([&jpeg[..at], comment, &jpeg[at..]].concat())
}

fn kind(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\xFF\xD8\xFF") {
        Some("JPEG")
    } else if bytes.starts_with(b"\x89PNG\r\n\x1A\n") {
        Some("PNG")
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some("GIF")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("WEBP")
    } else {
        None
    }
}

fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::from(DIGEST), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String does not fail");
        hex
    })
}

/// One segment of a JPEG in front of the scan.
struct Segment<'a> {
    marker: u8,
    content: &'a [u8],
    /// The offset of the next segment.
    end: usize,
}

/// The segments in front of the scan, as far as they are whole. Empty for
/// anything that is not a JPEG.
fn segments(jpeg: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let start = if jpeg.starts_with(&START_OF_IMAGE) { START_OF_IMAGE.len() } else { jpeg.len() };
    let first = segment_at(jpeg, start);
    std::iter::successors(first, |before| segment_at(jpeg, before.end)).take(SEGMENTS_MAX)
}

fn segment_at(jpeg: &[u8], at: usize) -> Option<Segment<'_>> {
    let &[0xFF, marker @ (0xC0..=0xCF | 0xDB..=MARKER_COMMENT), high, low] = jpeg.get(at..)?.first_chunk()?
    else {
        // The scan (0xDA), padding or a marker without a length: what is ours
        // stands in front of those.
        return None;
    };
    // A length counts its own two bytes.
    let length = usize::from(u16::from_be_bytes([high, low]));
    let end = at + 2 + length;
    Some(Segment { marker, content: jpeg.get(at + 4..end)?, end })
}

fn original_in(segment: &Segment<'_>) -> Option<String> {
    if segment.marker != MARKER_COMMENT {
        return None;
    }
    let original = std::str::from_utf8(segment.content).ok()?.strip_prefix(COMMENT)?;
    let hex = original.strip_prefix(DIGEST)?.as_bytes();
    let is_digest = hex.len() == 64 && hex.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_digest.then(|| original.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHA256_OF_ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// SOI, JFIF, a quantisation table, the scan.
    const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0\x00\x07JFIF\0\xFF\xDB\x00\x03q\xFF\xDA\x00\x02scan\xFF\xD9";

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        for (bytes, raw) in [
            (&b"\xFF\xD8\xFF\xE0"[..], "JPEG, 4 bytes"),
            (b"\x89PNG\r\n\x1A\n", "PNG, 8 bytes"),
            (b"GIF89a", "GIF, 6 bytes"),
            (b"GIF87a", "GIF, 6 bytes"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "WEBP, 16 bytes"),
        ] {
            assert_eq!(photo(bytes).unwrap().raw(), raw);
        }
        for bytes in [&b""[..], b"\xFF\xD8", b"<svg/>", b"BM", b"RIFF\0\0\0\0WAVE", b"abc"] {
            assert!(photo(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn equal_bytes_are_the_same_picture_and_no_others() {
        assert_eq!(digest(b"abc"), SHA256_OF_ABC);
        let (one, other) = (photo(JPEG).unwrap(), photo(b"GIF89a").unwrap());
        assert!(one.equivalent(&photo(JPEG).unwrap()));
        assert!(!one.equivalent(&other));
        assert_eq!(one.also(), None);
    }

    #[test]
    fn a_derived_picture_is_known_by_its_original() {
        let original = [JPEG, b"much larger"].concat();
        let comment = derived_comment(&original);
        let derived = insert_comment(JPEG, &comment).unwrap();
        assert_eq!(&derived[..11], &JPEG[..11], "JFIF stays first");
        assert_eq!(derived[11..11 + comment.len()], comment);
        assert_eq!(derived[11 + comment.len()..], JPEG[11..]);

        let (derived, original) = (photo(&derived).unwrap(), photo(&original).unwrap());
        assert_eq!(derived.also(), Some(original.canonical()));
        assert!(derived.equivalent(&original) && original.equivalent(&derived));
        assert!(!derived.equivalent(&photo(JPEG).unwrap()));
    }

    #[test]
    fn other_comments_say_nothing() {
        let upper = SHA256_OF_ABC.to_uppercase();
        for text in ["made with love", "rollcall original sha256:12", &format!("{COMMENT}{upper}")] {
            let length = u16::try_from(text.len() + 2).unwrap().to_be_bytes();
            let comment = [b"\xFF\xFE", &length[..], text.as_bytes()].concat();
            let jpeg = insert_comment(JPEG, &comment).unwrap();
            assert_eq!(photo(&jpeg).unwrap().also(), None, "{text}");
        }
        let torn = &derived_comment(b"abc")[..40];
        assert_eq!(photo(&[&JPEG[..2], torn].concat()).unwrap().also(), None);
        let behind_the_scan = [JPEG, &derived_comment(b"abc")].concat();
        assert_eq!(photo(&behind_the_scan).unwrap().also(), None);
    }

    #[test]
    fn a_comment_goes_into_a_jpeg_only() {
        assert_eq!(insert_comment(b"GIF89a", &derived_comment(b"abc")), None);
        assert_eq!(insert_comment(b"", b""), None);
        assert_eq!(insert_comment(b"\xFF\xD8", b"c").unwrap(), b"\xFF\xD8c");

        let many_segments = [b"\xFF\xD8", &b"\xFF\xE2\x00\x03i".repeat(100)[..], &JPEG[2..]].concat();
        let commented = insert_comment(&many_segments, &derived_comment(b"abc")).unwrap();
        assert_eq!(photo(&commented).unwrap().also(), Some(SHA256_OF_ABC));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_only_bytes(
            head in prop::sample::select(vec![&b""[..], b"\xFF\xD8", &JPEG[..11], JPEG]),
            tail in prop::collection::vec(prop_oneof![Just(0xFF), Just(0xFE), Just(0), any::<u8>()], 0..64),
        ) {
            let bytes = [head, &tail].concat();
            prop_assert_eq!(photo(&bytes).is_ok(), kind(&bytes).is_some());
            if let Some(commented) = insert_comment(&bytes, &derived_comment(b"abc")) {
                prop_assert_eq!(commented.len(), bytes.len() + derived_comment(b"abc").len());
                if let Ok(value) = photo(&commented) {
                    prop_assert_eq!(value.also(), Some(SHA256_OF_ABC));
                }
            }
        }
    }
}
