use super::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn keys(code: &str) -> BTreeSet<String> {
    let text = Files::get(&format!("{code}.ftl")).expect("the file of a language").data;
    let text = String::from_utf8(text.into_owned()).expect("UTF-8");
    FluentResource::try_new(text.clone()).unwrap_or_else(|(_, errors)| panic!("{code}.ftl: {errors:?}"));
    let mut keys = BTreeSet::new();
    let mut last = String::new();
    for line in text.lines() {
        let Some((name, _)) = line.split_once('=') else { continue };
        let (is_attribute, name) = (line.starts_with("    ."), name.trim());
        if is_attribute {
            keys.insert(format!("{last}{name}"));
        } else if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            assert!(keys.insert(name.to_owned()), "{code}.ftl says `{name}` twice");
            last = name.to_owned();
        }
    }
    keys
}

#[test]
fn every_language_says_everything_and_nothing_else() {
    let english = keys(ENGLISH);
    for lang in Lang::all() {
        let here = keys(lang.code());
        let missing: Vec<_> = english.difference(&here).collect();
        let more: Vec<_> = here.difference(&english).collect();
        assert!(missing.is_empty() && more.is_empty(), "{lang:?}: missing {missing:?}, too many {more:?}");
    }
}

/// Files below a directory of this crate.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn whatever_is_said_can_be_said() {
    let english = keys(ENGLISH);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut said = 0;
    for path in files(&here.join("templates")).into_iter().chain(files(&here.join("src/web"))) {
        let text = fs::read_to_string(&path).expect("text");
        for call in [".t(\"", ".say(\"", ".n(\"", ".with(\""] {
            for after in text.split(call).skip(1) {
                let key = after.split('"').next().unwrap_or_default();
                said += 1;
                assert!(english.contains(key), "{}: nothing is called `{key}`", path.display());
            }
        }
    }
    assert!(said > 50, "only {said} texts were found");
}

#[test]
fn russian_counts_as_russians_do() {
    let russian = Lang::of("ru").expect("Russian");
    let people = |n: i64| russian.say("count-people", &[("n", n.into())]);
    let said: Vec<String> = [0, 1, 2, 5, 11, 21, 22, 25, 50_000].map(people).into();
    let expected = [
        "0 человек",
        "1 человек",
        "2 человека",
        "5 человек",
        "11 человек",
        "21 человек",
        "22 человека",
        "25 человек",
        "50000 человек",
    ];
    assert_eq!(said, expected);
}

#[test]
fn the_browser_says_which_language() {
    let preferred = |text: &str| Lang::preferred(text).code();
    assert_eq!(preferred("ru-RU,ru;q=0.9,en;q=0.8"), "ru");
    assert_eq!(preferred("de-DE, ru;q=0.5"), "ru");
    assert_eq!(preferred("de"), "en");
    assert_eq!(preferred(""), "en");
    assert_eq!(preferred(",;,-"), "en");
}
