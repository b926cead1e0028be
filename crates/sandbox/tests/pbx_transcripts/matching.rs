//! Comparing what was recorded with what is answered.

use serde_json::Value;

/// What was scrubbed when the exchanges were recorded. Each stands for some
/// text, or for a whole value.
const SCRUBBED: [&str; 15] = [
    "<pid>",
    "<timestamp>",
    "<sha1>",
    "<jwt>",
    "<opaque>",
    "<api-key>",
    "<datetime>",
    "<first5>",
    "<last5>",
    "<generated-sip-secret>",
    "<random>",
    "<date>",
    "<time>",
    "<n>",
    "<value>",
];
/// An API key's beginning and end were not scrubbed in this one text.
const KEY_SHOWN: &str = "<i class=\"key icon\"></i> API key - ";

/// Every difference, with its place.
pub fn differences(recorded: &Value, answered: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", recorded, answered, &mut found);
    found
}

/// Whether the answer has everything that the excerpt has.
pub fn excerpt_differences(excerpt: &Value, answered: &Value) -> Vec<String> {
    match (excerpt, answered) {
        (Value::Object(part), Value::Object(whole)) => {
            let values = part.iter().map(|(key, value)| (value, whole.get(key).unwrap_or(&Value::Null)));
            values.flat_map(|(value, answered)| excerpt_differences(value, answered)).collect()
        }
        _ => differences(excerpt, answered),
    }
}

pub fn text_fits(recorded: &str, answered: &str) -> bool {
    if recorded.starts_with(KEY_SHOWN) {
        return answered.starts_with(KEY_SHOWN) && answered.len() == recorded.len();
    }
    let Some((at, scrubbed)) = first_scrubbed(recorded) else { return recorded == answered };
    let (before, after) = (&recorded[..at], &recorded[at + scrubbed.len()..]);
    let Some(rest) = answered.strip_prefix(before) else { return false };
    // Something must stand where something was scrubbed.
    let ends = rest.char_indices().skip(1).map(|(at, _)| at).chain([rest.len()]);
    !rest.is_empty() && ends.into_iter().any(|end| text_fits(after, &rest[end..]))
}

fn compare(place: &str, recorded: &Value, answered: &Value, found: &mut Vec<String>) {
    match (recorded, answered) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let place = format!("{place}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(&place, a, b, found),
                    (a, b) => found.push(format!("{place}: recorded {a:?}, answered {b:?}")),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{place}[{i}]"), a, b, found);
            }
        }
        (Value::String(a), Value::String(b)) if text_fits(a, b) => {}
        (Value::String(a), Value::Number(_)) if a == "<pid>" => {}
        (a, b) if a == b => {}
        (a, b) => found.push(format!("{place}: recorded {a}, answered {b}")),
    }
}

fn first_scrubbed(text: &str) -> Option<(usize, &'static str)> {
    SCRUBBED.iter().filter_map(|scrubbed| Some((text.find(scrubbed)?, *scrubbed))).min()
}
