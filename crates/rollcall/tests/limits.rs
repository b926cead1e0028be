//! docs/reference/limits.md names every bound of the sources, with its value and
//! its file, and no other: a new number has to be explained there, or be listed
//! here as what it is.

#![allow(clippy::panic, reason = "the helpers of a test fail as a test does")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, iter};

/// Numbers that bound nothing: formats, codes, dates, and what the sandbox
/// imitates of real servers.
const NO_LIMITS: [&str; 57] = [
    "directory/src/controls.rs SEARCH_RESULT_ENTRY",
    "directory/src/dialect.rs ACCOUNT_DISABLED",
    "directory/src/dialect.rs NEVER",
    "directory/src/frame.rs ANSWERS",
    "directory/src/frame.rs CONSTRUCTED",
    "directory/src/frame.rs ID",
    "directory/src/frame.rs LONG_TAG",
    "directory/src/frame.rs SEQUENCE",
    "directory/src/metadata.rs EPOCH_SECONDS",
    "directory/src/metadata.rs HEADER_BYTES",
    "directory/src/metadata.rs LOW_ARCS",
    "directory/src/metadata.rs RECORD_BYTES",
    "directory/src/snapshot.rs PROGRESS_EVERY",
    "pbx/src/employees.rs EXTENSIONS_LENGTH",
    "reconcile/src/canonical/photo.rs MARKER_APPLICATION",
    "reconcile/src/canonical/photo.rs MARKER_COMMENT",
    "reconcile/src/canonical/photo.rs START_OF_IMAGE",
    "rollcall/src/cli/demo/changes.rs NUMBERS_TRIED",
    "rollcall/src/cli/demo/mod.rs SEED",
    "rollcall/src/cli/run.rs SEVERITY",
    "rollcall/src/main.rs FAILED",
    "rollcall/src/main.rs USAGE",
    "rollcall/src/web/pages/history.rs BAR_HEIGHT_MIN",
    "rollcall/src/app.rs DNS_PORT",
    "rollcall/src/web/pages/history.rs BARS_MIN",
    "rollcall/src/web/pages/history.rs BAR_STEP",
    "rollcall/src/web/pages/history.rs CHART_HEIGHT",
    "rollcall/src/web/pages/server/mod.rs NEW",
    "rollcall/src/web/pages/taste.rs YEAR_S",
    "sandbox/src/company/mod.rs DOUBLE_NAMES_FROM",
    "sandbox/src/company/mod.rs PEOPLE_DEFAULT",
    "sandbox/src/company/photo.rs EDGE_PX",
    "sandbox/src/company/photo.rs PICTURES",
    "sandbox/src/company/photo.rs QUALITY",
    "sandbox/src/directory/edit.rs ACCOUNT_DISABLED",
    "sandbox/src/directory/search.rs AD_PAGE_MAX",
    "sandbox/src/directory/view.rs SECONDS_1601_TO_1970",
    "sandbox/src/directory/wire.rs SEARCH_REQUEST",
    "sandbox/src/pbx/auth.rs *",
    "sandbox/src/pbx/avatars.rs BYTES_MIN",
    "sandbox/src/pbx/batch.rs *",
    "sandbox/src/pbx/events.rs KEPT_MAX",
    "sandbox/src/pbx/events.rs KEPT_MS",
    "sandbox/src/pbx/fields.rs RINGLENGTH_MAX",
    "sandbox/src/pbx/front.rs *",
    "sandbox/src/pbx/keys.rs *",
    "sandbox/src/pbx/lists.rs *",
    "sandbox/src/pbx/mod.rs WORKERS",
    "sandbox/src/pbx/save.rs NAME_MAX",
    "sandbox/src/dns.rs *",
    "sandbox/src/pbx/secrets.rs *",
    "store/src/archive.rs CHECKSUM_BYTES",
    "store/src/archive.rs FORMAT",
    "store/src/lib.rs DAY_MS",
    "store/src/sql/mod.rs LISTS",
    "store/src/sql/mod.rs MIGRATION_LOCK",
    "store/src/vault.rs NONCE_BYTES",
];

#[test]
fn the_page_and_the_sources_say_the_same() {
    let (page, sources) = (page(), sources());
    let mut wrong = Vec::new();
    for (key, value) in &sources {
        match page.get(key) {
            Some(written) if written == value => {}
            Some(written) => wrong.push(format!("{key} is {value:?}, and {written:?} on the page")),
            None if is_no_limit(key) => {}
            None => wrong.push(format!("{key} = {value:?} is not on the page")),
        }
    }
    wrong.extend(page.keys().filter(|key| !sources.contains_key(*key)).map(|key| format!("{key} is gone")));
    let unknown = NO_LIMITS.iter().filter(|name| !name.ends_with('*') && !sources.contains_key(**name));
    wrong.extend(unknown.map(|name| format!("{name} is gone, but exempt here")));
    assert!(wrong.is_empty(), "docs/reference/limits.md:\n{}", wrong.join("\n"));
    assert!(page.len() > 100 && sources.len() > page.len());
}

fn is_no_limit(key: &str) -> bool {
    NO_LIMITS.iter().any(|name| match name.strip_suffix('*') {
        Some(file) => key.starts_with(file),
        None => key == *name,
    })
}

/// `file NAME` and the value of every row of a table with four columns.
fn page() -> BTreeMap<String, Vec<u64>> {
    let text = fs::read_to_string(crates().join("../docs/reference/limits.md")).expect("the page");
    let rows = text.lines().filter(|line| line.starts_with("| `") && line.ends_with("` |"));
    let mut limits = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let &[name, value, what, file] = cells.as_slice() else { panic!("four columns, please: {row}") };
        assert!(what.ends_with('.'), "a sentence, please: {row}");
        let key = format!("{} {}", file.trim_matches('`'), name.trim_matches('`'));
        assert_eq!(limits.insert(key, written(value)), None, "twice: {row}");
    }
    limits
}

/// A value as people write it, in ms, bytes or pieces: `15 min`, `1, 2, 4 s`, `250,000`.
fn written(value: &str) -> Vec<u64> {
    let (numbers, unit) = match value.rsplit_once(' ') {
        Some((numbers, unit)) if unit.chars().all(char::is_alphabetic) => (numbers, unit),
        _ => (value, ""),
    };
    let factor = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 24 * 3_600_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        other => panic!("`{other}` is no unit: {value}"),
    };
    let numbers = numbers.split(", ").flat_map(|part| part.split('–')).map(|number| number.replace(',', ""));
    numbers.map(|number| number.parse::<u64>().unwrap_or_else(|_| panic!("{value}")) * factor).collect()
}

/// `file NAME` and the value of every constant number, list or range of numbers
/// outside of tests.
fn sources() -> BTreeMap<String, Vec<u64>> {
    let mut texts = Vec::new();
    for file in files(&crates()) {
        let path = file.strip_prefix(crates()).expect("below").display().to_string();
        // The simulation is a test of its own and no part of the product.
        if !path.contains("/src/")
            || path.starts_with("simulation/")
            || path.ends_with("tests.rs")
            || path.ends_with("testing.rs")
        {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let constants = code.split("const ").skip(1).filter_map(constant);
        texts.extend(constants.map(|(name, value)| (path.clone(), name.to_owned(), value.to_owned())));
    }
    let mut known = BTreeMap::new();
    // Some are defined by others, which may stand further down.
    for last in [false, true] {
        for (path, name, text) in &texts {
            let value = numbers(text, &known, path);
            assert!(value.is_some() || !last, "{path}: what is {name} = {text}?");
            let scale = if name.ends_with("_S") { 1_000 } else { 1 };
            let value = value.map(|value| value.iter().map(|number| number * scale).collect());
            known.extend(value.map(|value| (format!("{path} {name}"), value)));
        }
    }
    known
}

/// Name and value where what follows `const ` counts something.
fn constant(rest: &str) -> Option<(&str, &str)> {
    let (name, rest) = rest.split_once(": ")?;
    let (kind, rest) = rest.split_once(" =")?;
    let (value, _) = rest.split_once(';')?;
    let of = kind.trim_start_matches("std::ops::").trim_start_matches("RangeInclusive<");
    let of = of.trim_start_matches('[').split([';', '>']).next()?;
    let numeric = ["u8", "u16", "u32", "u64", "usize", "i64", "i32", "Duration"];
    let plain = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    // A parameter of a type or a function goes on with a bracket.
    (plain && numeric.contains(&of) && !kind.contains('(')).then(|| (name, value.trim()))
}

/// The numbers of a list, of a range, or just one.
fn numbers(text: &str, known: &BTreeMap<String, Vec<u64>>, path: &str) -> Option<Vec<u64>> {
    let text = text.trim_start_matches('[').trim_end_matches(']').replace("..=", ",");
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| number(part, known, path)).collect()
}

/// What an expression comes to: products, quotients and shifts of numbers and
/// of constants of the same crate.
fn number(text: &str, known: &BTreeMap<String, Vec<u64>>, path: &str) -> Option<u64> {
    let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(seconds) = inner("Duration::from_secs") {
        return Some(number(seconds, known, path)? * 1_000);
    }
    if let Some(ms) = inner("Duration::from_millis") {
        return number(ms, known, path);
    }
    for (sign, of) in [("*", u64::checked_mul as fn(u64, u64) -> Option<u64>), ("/", u64::checked_div)] {
        if let Some((left, right)) = text.rsplit_once(&format!(" {sign} ")) {
            return of(number(left, known, path)?, number(right, known, path)?);
        }
    }
    if let Some((left, right)) = text.split_once(" << ") {
        return Some(number(left, known, path)? << number(right, known, path)?);
    }
    if text == "i64::MAX" {
        return i64::MAX.try_into().ok();
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(&hex.replace('_', ""), 16).ok();
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return text.replace('_', "").parse().ok();
    }
    let name = text.rsplit("::").next()?;
    let of_crate = &path[..path.find('/')?];
    let found = known.iter().find(|(key, _)| key.starts_with(of_crate) && key.ends_with(&format!(" {name}")));
    found.and_then(|(_, value)| value.first().copied())
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate is in a folder").to_owned()
}

/// Every source below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => iter::once(path).filter(|path| path.extension().is_some_and(|end| end == "rs")).collect(),
    });
    files.collect()
}
