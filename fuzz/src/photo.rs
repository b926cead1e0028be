//! A picture, and what is made of it when it is too large for the other side.
//!
//! How much memory that takes is for libFuzzer to watch: `scripts/fuzz` sets
//! its limits a little above the bound that the decoder is given.

use picture::fit;
use reconcile::{Value, canonical};

pub fn target(data: &[u8]) {
    let picture = canonical::photo(data);
    if let Ok(picture) = &picture {
        assert!(picture.equivalent(picture));
        assert_eq!(canonical::photo(data).as_ref(), Ok(picture), "read twice");
    }
    marked(data);
    // A limit above it, one far below it, and one that little stays below.
    for bytes_max in [data.len(), data.len() / 2, 700] {
        let Ok(fitted) = fit(data.to_vec(), bytes_max) else { continue };
        assert!(fitted.len() <= bytes_max);
        if data.len() <= bytes_max {
            assert!(fitted == data, "byte-exact where it fits");
            continue;
        }
        let derived = canonical::photo(&fitted);
        let same = |a: &Value, b: &Value| a.equivalent(b) && b.equivalent(a);
        let recognised = matches!((&picture, &derived), (Ok(a), Ok(b)) if same(a, b));
        assert!(recognised, "{picture:?} became {derived:?}");
    }
}

/// A comment that is put in is found again, and nothing else has changed.
fn marked(data: &[u8]) {
    const ORIGINAL: &[u8] = b"the original";
    let comment = canonical::derived_comment(ORIGINAL);
    let Some(marked) = canonical::insert_comment(data, &comment) else { return };
    let at = marked.windows(comment.len()).position(|window| window == comment);
    assert!(at.is_some(), "the comment is there");
    assert_eq!(marked.len(), data.len() + comment.len());
    if let Ok(picture) = canonical::photo(&marked) {
        let digest = String::from_utf8_lossy(&comment);
        assert!(picture.also().is_some_and(|original| digest.ends_with(original)));
    }
}
