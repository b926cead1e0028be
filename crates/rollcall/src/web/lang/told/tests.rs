use super::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where those sentences are made that pages show.
const SOURCES: [&str; 5] =
    ["../reconcile/src", "../directory/src", "../pbx/src", "../picture/src", "src/cycle"];

/// Texts of the sources that are pieces of sentences, or reach no page.
const NO_SENTENCES: [&str; 56] = [
    " (LDAP code §)",
    " (LDAP code §: §)",
    " ext. ",
    " of run ",
    " of this person",
    " to §",
    "' or ",
    "(the SIP password)",
    ", or ",
    "389ds or freeipa",
    "; free nearby: §",
    "; nobody has §: is the name right, and may the account read it?",
    "; the certificate shown has the SHA-256 fingerprint §",
    "\" or ",
    "all there are",
    "asking for rights",
    "database is locked",
    "employees are never deleted by us: if this one is not wanted, delete employee§, number §, in the PBX",
    "kind of directory",
    "listing what is below `§`",
    "looking at `§`",
    "looking at a group",
    "looking at a person",
    "looking for domain roots",
    "looking up §",
    "may not write §",
    "more than the limit of §",
    "read taken numbers",
    "reading the schema",
    "rollcall original ",
    "step § of run §",
    "the certificate is trusted",
    "the domain root",
    "the excluded subdivision",
    "the group `§`",
    "the name is known",
    "the notification program cannot be read; set it again with `rollcall notify set`",
    "the server answers",
    "The synchronisation of § failed: §",
    "The synchronisation of § was stopped before its first write: §. Look at it with `rollcall plans show §`; \
     carry out exactly that with `rollcall apply § --release`.",
    "This is a test of Rollcall's notifications.",
    "undo of ",
    "unknown field `§`: expected one of §",
    "unknown § `§`: expected one of §",
    "what the guard stopped cannot be read",
    "what was told before cannot be read",
    "which was stopped before",
    "§ (§ bytes)",
    "§ := (secret)",
    "§ := § bytes",
    "§ := §",
    "§ `§` cannot be read",
    "§ of § linked: §, ",
    "§ § (§ bytes)",
    "§, § bytes",
    "§: give the account the right to write them, unless these fields shall only be read from the directory",
];

fn russian() -> Lang {
    Lang::of("ru").expect("Russian")
}

#[test]
fn a_sentence_is_said_in_the_language_of_the_page() {
    for (said, told) in [
        ("left out by an administrator", "администратор решил не синхронизировать этого человека"),
        (
            "number 250 is asked for by Ёлкин Илья, Ann, B. too: nobody gets it",
            "номер 250 нужен ещё и другим (Ёлкин Илья, Ann, B.): его не получает никто",
        ),
        (
            "the mobile in the directory cannot be used: holds letters: not a phone number",
            "поле «мобильный» (домен) использовать нельзя: содержит буквы: это не телефон",
        ),
        (
            "held back, for the guard stopped it: people disabled, values cleared",
            "задержано: это остановил предохранитель (отключённые люди, очищенные значения)",
        ),
        (
            "number 201 belongs to a call queue of the PBX; free nearby: 203, 204",
            "номер 201 уже занят: очередь вызовов (АТС); рядом свободны: 203, 204",
        ),
        (
            "dc1:389: the sign-in was refused: the account is disabled: enable it in the directory \
             (LDAP code 49: 80090308: data 533)",
            "dc1:389: во входе отказано: учётная запись отключена: включите её в домене \
             (код LDAP 49: 80090308: data 533)",
        ),
        (
            "dc1:636: no secure connection: the server's certificate has been revoked; the certificate shown has \
             the SHA-256 fingerprint AB:CD",
            "dc1:636: нет защищённого соединения: сертификат сервера отозван; отпечаток SHA-256 показанного \
             сертификата: AB:CD",
        ),
        (
            "of 2 people: name from `cn`: 2, mobile from `mobile`: 0; nobody has `mobile`: is the name right, and \
             may the account read it?",
            "из 2 человек: имя из `cn`: 2, мобильный из `mobile`: 0; ни у кого нет `mobile`: верно ли имя и может \
             ли учётная запись его читать?",
        ),
        (
            "the PBX refused with status 422: bad. Correct the e-mail address",
            "АТС отказала (код 422): bad. Исправьте адрес почты",
        ),
        ("it was refused; the name in the PBX is 'mobile'", "отказано; the name in the PBX is 'mobile'"),
        ("Отказ: server said so", "Отказ: server said so"),
        ("", ""),
    ] {
        assert_eq!(russian().told(said), told);
        assert_eq!(Lang::default().told(said), said);
    }
}

#[test]
fn every_sentence_is_recognised_and_none_is_shadowed() {
    for sentence in SENTENCES.iter() {
        let said: Vec<&str> = sentence
            .parts
            .iter()
            .map(|part| match part {
                Part::Words(words) => words,
                Part::Place(_) | Part::Name(_) => "§",
            })
            .collect();
        let said = said.concat();
        let first = SENTENCES.iter().find(|other| other.places(&said).is_some()).map(|other| &*other.key);
        assert_eq!(first, Some(&*sentence.key), "{said}");
        let places = sentence.parts.windows(2);
        assert!(
            places.into_iter().all(|two| two.iter().any(|part| matches!(part, Part::Words(_)))),
            "{}: nobody could tell where one place ends",
            sentence.key
        );
    }
    assert!(SENTENCES.len() > 100);
}

/// A sentence that is changed, or a new one, is missed here.
#[test]
fn whatever_the_inner_crates_say_is_known() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut exempt: BTreeSet<&str> = NO_SENTENCES.iter().copied().collect();
    let mut unknown = BTreeSet::new();
    for path in SOURCES.iter().flat_map(|source| files(&here.join(source))) {
        for said in literals(&fs::read_to_string(&path).expect("a source")) {
            if !exempt.remove(&*said) && !is_known(&said) && !NO_SENTENCES.contains(&&*said) {
                unknown.insert(format!("{}: {said}", path.display()));
            }
        }
    }
    let unknown: Vec<String> = unknown.into_iter().collect();
    assert!(unknown.is_empty(), "without a told-… of its own:\n{}", unknown.join("\n"));
    assert!(exempt.is_empty(), "exempt, but nobody says it: {exempt:?}");
}

fn is_known(said: &str) -> bool {
    SENTENCES.iter().any(|sentence| sentence.places(said).is_some())
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        let is_source = path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests.rs");
        return if is_source { vec![path.to_owned()] } else { Vec::new() };
    }
    let entries = fs::read_dir(path).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| !path.ends_with("tests")).flat_map(|path| files(&path)).collect()
}

/// The texts of three words and more in a source, with § for what is put in;
/// without its tests, comments, logs and reasons of `expect`.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let source: String = lines.flat_map(|line| [line, "\n"]).collect();
    let mut found = Vec::new();
    let mut rest = source.as_str();
    while let Some(at) = rest.find('"') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        if before.ends_with('\'') {
            rest = after;
            continue;
        }
        let end = end_of_literal(after);
        let text = unescaped(&after[..end]);
        rest = after.get(end + 1..).unwrap_or_default();
        let call = before.rsplit([';', '{', '}', ')']).next().unwrap_or_default();
        let is_log = ["expect(", "reason = ", "tracing::", "sqlx::"].iter().any(|word| call.contains(word));
        if !is_log && text.matches(' ').count() >= 2 {
            found.push(text);
        }
    }
    found
}

fn end_of_literal(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return at,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// As it is said, with § where something is put in.
fn unescaped(literal: &str) -> String {
    let mut text = String::new();
    let mut chars = literal.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                Some('n') => text.push('\n'),
                Some(c) => text.push(c),
                None => {}
            },
            '{' if chars.next_if_eq(&'{').is_some() => text.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => text.push('}'),
            '{' => {
                chars.by_ref().find(|c| *c == '}');
                text.push('§');
            }
            c => text.push(c),
        }
    }
    text
}
