//! Active Directory's replication metadata: when each attribute of an entry
//! changed last (MS-ADTS 3.1.1.1.9, `replPropertyMetaData`).

use crate::entry::Entry;

const HEADER_BYTES: usize = 16;
const RECORD_BYTES: usize = 48;
/// Seconds from 1601, in which the stamps count, to 1970.
const EPOCH_SECONDS: i64 = 11_644_473_600;

/// The last change of one attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The attribute's number in this domain.
    pub attribute: u32,
    pub time_ms: i64,
    /// When it arrived at the server we asked, by its own count.
    pub local_usn: u64,
}

/// The stamps of a blob; none at all if it is not of the version we know. A
/// removed attribute keeps its stamp, one that was never set has none.
pub fn parse(blob: &[u8]) -> Vec<Stamp> {
    let Some((header, records)) = blob.split_at_checked(HEADER_BYTES) else { return Vec::new() };
    let count = usize::try_from(u32_at(header, 8)).unwrap_or(usize::MAX);
    if u32_at(header, 0) != 1 || records.len() / RECORD_BYTES < count {
        return Vec::new();
    }
    let stamp = |record: &[u8]| Stamp {
        attribute: u32_at(record, 0),
        time_ms: i64::try_from(u64_at(record, 8))
            .unwrap_or(0)
            .saturating_sub(EPOCH_SECONDS)
            .saturating_mul(1000),
        local_usn: u64_at(record, 40),
    };
    records.chunks_exact(RECORD_BYTES).take(count).map(stamp).collect()
}

/// The name and number of the attribute that this schema entry defines.
pub fn attribute_number(entry: &Entry) -> Option<(String, u32)> {
    let name = entry.text("lDAPDisplayName")?.to_owned();
    // Attributes added to the schema have their own number, written as signed.
    if let Some(number) = entry.number("msDS-IntId") {
        return Some((name, (number & 0xffff_ffff) as u32));
    }
    Some((name, number_of_oid(entry.text("attributeID")?)?))
}

/// The number of a built-in attribute: its OID with the prefix replaced by
/// the prefix's place in the table every domain starts with (MS-DRSR 5.16.4).
fn number_of_oid(oid: &str) -> Option<u32> {
    const PREFIXES: [(&str, u32); 13] = [
        ("2.5.4", 0),
        ("2.5.6", 1),
        ("1.2.840.113556.1.2", 2),
        ("1.2.840.113556.1.3", 3),
        ("1.2.840.113556.1.4", 9),
        ("1.2.840.113556.1.5", 10),
        ("0.9.2342.19200300.100", 19),
        ("2.16.840.1.113730.3", 20),
        ("0.9.2342.19200300.100.1", 21),
        ("2.16.840.1.113730.3.1", 22),
        ("1.2.840.113556.1.5.7000", 23),
        ("2.5.21", 24),
        ("2.5.18", 25),
    ];
    const LOW_ARCS: u32 = 16_384;
    let (prefix, last) = oid.rsplit_once('.')?;
    let (_, place) = PREFIXES.into_iter().find(|(known, _)| *known == prefix)?;
    let last: u32 = last.parse().ok()?;
    let low = last % LOW_ARCS + if last >= LOW_ARCS { 32_768 } else { 0 };
    Some(place << 16 | low)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blob(version: u32, count: u32, records: &[(u32, u64, u64)]) -> Vec<u8> {
        let mut blob: Vec<u8> = [version, 0, count, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        for (attribute, seconds, usn) in records {
            blob.extend(attribute.to_le_bytes());
            blob.extend(3_u32.to_le_bytes());
            blob.extend(seconds.to_le_bytes());
            blob.extend([0xee; 16]);
            blob.extend((usn + 7).to_le_bytes());
            blob.extend(usn.to_le_bytes());
        }
        blob
    }

    #[test]
    fn records_are_read() {
        let blob = blob(1, 2, &[(0x0009_02d1, 11_644_473_601, 42), (0xbf81_7a37, 13_439_894_354, 43)]);
        let stamps = parse(&blob);
        assert_eq!(stamps[0], Stamp { attribute: 0x0009_02d1, time_ms: 1000, local_usn: 42 });
        assert_eq!(stamps[1].attribute, 0xbf81_7a37);
        assert_eq!(stamps.len(), 2);
    }

    #[test]
    fn what_is_not_whole_says_nothing() {
        assert_eq!(parse(&blob(2, 1, &[(1, 1, 1)])), []);
        assert_eq!(parse(&blob(1, 2, &[(1, 1, 1)])), []);
        assert_eq!(parse(&blob(1, u32::MAX, &[(1, 1, 1)])), []);
        assert_eq!(parse(b"short"), []);
    }

    #[test]
    fn built_in_attributes_are_numbered_by_their_oid() {
        for (oid, number) in [
            ("2.5.4.20", Some(0x14)),
            ("1.2.840.113556.1.4.721", Some(0x0009_02d1)),
            ("1.2.840.113556.1.4.8", Some(0x0009_0008)),
            ("0.9.2342.19200300.100.1.41", Some(0x0015_0029)),
            ("0.9.2342.19200300.100.1.3", Some(0x0015_0003)),
            ("1.2.840.113556.1.2.13", Some(0x0002_000d)),
            ("1.3.6.1.4.1.99999.1", None),
        ] {
            assert_eq!(number_of_oid(oid), number, "{oid}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
