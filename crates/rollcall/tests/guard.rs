//! The guard at work, through the real binary: what it stops stays stopped
//! until a human or the facts end it, and automatic runs wait for a human to
//! look first.

mod support;

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::company::Report;
use support::office::{Office, PASSWORD, SERVER};

const NOTHING: (u64, u64) = (0, 0);

/// Of twenty people these are too many at once.
const MANY: std::ops::RangeInclusive<usize> = 1..=6;

fn tripped(report: &Report) -> Vec<&str> {
    let tripped = report.json["halted"]["tripped"].as_array().map(Vec::as_slice).unwrap_or_default();
    tripped.iter().map(|trip| trip["kind"].as_str().expect("a kind")).collect()
}

fn plan(report: &Report) -> String {
    report.json["plan"].as_str().expect("a hash").to_owned()
}

fn warnings(report: &Report) -> String {
    report.json["warnings"].to_string()
}

/// What is stopped on the server, by its own account.
fn stopped(office: &Office) -> Vec<(String, String)> {
    let shown = office.json(&["server", "show", SERVER])["stopped"].clone();
    let listed = office.json(&["server", "list"])["servers"][0]["stopped"].clone();
    assert_eq!(shown, listed);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let rows = shown.as_array().expect("a list").clone();
    rows.iter().map(|row| (text(&row["kind"]), text(&row["plan"]))).collect()
}

/// Twenty people in step, six of whom just left; a run stopped for that.
fn halted() -> (Office, Report) {
    let office = Office::in_step(20);
    office.disable(MANY);
    let before = office.writes();
    let run = office.sync().exits(3);
    assert_eq!((tripped(&run), run.writes(), office.writes()), (vec!["disables"], NOTHING, before));
    assert_eq!(stopped(&office), [("disables".to_owned(), plan(&run))]);
    (office, run)
}

#[test]
fn a_stopped_kind_is_held_back_until_exactly_its_plan_is_released() {
    let (office, halt) = halted();
    let hash = plan(&halt);
    // Fewer than the limit by now, and somebody else changes.
    office.enable(1..=3);
    office.set(10, "mobile", &["+79161110010"]);
    for automatic in [false, true] {
        let run = if automatic { office.automatic() } else { office.sync() }.exits(3);
        assert_eq!(run.json["halted"], Value::Null, "{run:#?}");
        let held = run.json["held_back"].as_array().expect("a list").clone();
        assert_eq!((held.len(), &held[0]["people"], &held[0]["stopped"]), (1, &3.into(), &"disables".into()));
        let why = held[0]["why"].as_str().expect("a reason");
        assert!(why.contains(&format!("rollcall apply {} --release", &hash[..12])), "{why}");
        assert!(run.person("Person 04")["reason"].as_str().expect("a reason").contains("guard stopped"));
        let done = ["Person 10: pbx mobile: 79160000010 → 79161110010"];
        assert_eq!(run.changed(), if automatic { &[][..] } else { &done }, "the rest goes on, once");
    }
    assert_eq!(office.disabled(), [""; 0]);
    // What moved since is left out, and then nothing is stopped any more.
    let run = office.report(&["apply", &hash[..10], "--release"]).exits(0);
    assert_eq!((plan(&run), run.counts()), (hash.clone(), [("disabled", 3)].into()));
    assert_eq!(warnings(&run).matches("a side moved").count(), 3, "{run:#?}");
    assert_eq!(office.disabled(), ["Person 04", "Person 05", "Person 06"]);
    assert_eq!(stopped(&office), []);
    office.disable([1]);
    assert_eq!(office.sync().exits(0).counts(), [("disabled", 1)].into());
    office.run(&["apply", &hash, "--release"]).exits(2);
}

#[test]
fn only_a_release_lets_a_halted_plan_pass() {
    let (office, halt) = halted();
    let before = office.writes();
    let run = office.report(&["apply", &plan(&halt)]).exits(3);
    assert_eq!((tripped(&run), plan(&run), office.writes()), (vec!["disables"], plan(&halt), before));
    assert_eq!(office.disabled(), [""; 0]);
    office.report(&["apply", &plan(&halt), "--release"]).exits(0);
    assert_eq!(office.disabled().len(), 6);
}

#[test]
fn a_plan_reviewed_before_the_stop_waits_with_the_others() {
    let office = Office::in_step(20);
    office.disable([20]);
    office.set(10, "mobile", &["+79161110010"]);
    let harmless = plan(&office.preview().exits(0));
    office.disable(MANY);
    assert_eq!(tripped(&office.sync().exits(3)), ["disables"]);
    let run = office.report(&["apply", &harmless]).exits(3);
    assert_eq!(run.changed(), ["Person 10: pbx mobile: 79160000010 → 79161110010"]);
    assert!(warnings(&run).contains("Person 20: not done, held back"), "{run:#?}");
    assert_eq!(office.disabled(), [""; 0]);
}

#[test]
fn a_discarded_plan_lets_the_next_run_count_anew() {
    let (office, halt) = halted();
    let hash = plan(&halt);
    let discarded = office.json(&["plans", "discard", &hash[..12]]);
    assert_eq!(discarded, json!({ "discarded": hash, "server": SERVER, "ended": ["disables"] }));
    assert_eq!(stopped(&office), []);
    office.run(&["plans", "discard", &hash]).exits(2);
    office.run(&["apply", &hash, "--release"]).exits(2);
    // Still too many; then no longer.
    assert_eq!(tripped(&office.sync().exits(3)), ["disables"]);
    office.json(&["plans", "discard", &hash]);
    office.enable(1..=1);
    assert_eq!(office.sync().exits(0).counts(), [("disabled", 5)].into());
}

#[test]
fn other_limits_end_a_stop_and_the_same_do_not() {
    let (office, _) = halted();
    office.edit(&["--guard-floor", "5"]);
    assert_eq!(stopped(&office).len(), 1);
    office.edit(&["--guard-floor", "6"]);
    assert_eq!(stopped(&office), []);
    let guard = office.json(&["server", "show", SERVER])["guard"].clone();
    assert_eq!(guard, json!({ "floor": 6, "percent": 10, "ceiling": 500 }));
    assert_eq!(office.sync().exits(0).counts(), [("disabled", 6)].into());
    for (options, words) in [
        (&["--guard-percent", "101"][..], "at most 100"),
        (&["--guard-floor", "501"], "above --guard-ceiling 500"),
        (&["--guard-ceiling", "5"], "--guard-floor 6 lies above"),
    ] {
        let refused = office.run(&[&["server", "edit", SERVER], options].concat()).exits(2);
        assert!(refused.stderr.contains(words), "{refused:#?}");
    }
    office.edit(&["--guard-floor", "0", "--guard-percent", "0", "--guard-ceiling", "0"]);
    office.enable([1]);
    office.sync().exits(0);
    office.disable([1]);
    assert_eq!(tripped(&office.sync().exits(3)), ["disables"], "nobody passes unseen");
}

#[test]
fn a_stop_ends_by_itself_when_it_concerns_nobody_any_more() {
    let (office, _) = halted();
    office.enable(MANY);
    office.directory.with_faults(|faults| faults.size_limit = Some(5));
    let run = office.sync().exits(3);
    assert!(!warnings(&run).contains("ended by itself"), "an incomplete read proves nothing: {run:#?}");
    office.directory.with_faults(|faults| faults.size_limit = None);
    assert_eq!(stopped(&office).len(), 1);
    let preview = office.preview().exits(0);
    assert_eq!((stopped(&office).len(), warnings(&preview).as_str()), (1, "[]"), "a preview changes nothing");
    let run = office.sync().exits(0);
    assert_eq!(warnings(&run).matches("people disabled: what the guard stopped").count(), 1, "{run:#?}");
    assert!(warnings(&run).contains("ended by itself"), "{run:#?}");
    assert_eq!(stopped(&office), []);
    assert_eq!(warnings(&office.sync().exits(0)), "[]");
}

#[test]
fn another_kind_stops_the_run_while_one_is_stopped() {
    let (office, first) = halted();
    for n in 11..=16 {
        office.set(n, "mail", &[]);
    }
    let second = office.sync().exits(3);
    assert_eq!(tripped(&second), ["clears"]);
    let mut both = vec![("disables".to_owned(), plan(&first)), ("clears".to_owned(), plan(&second))];
    assert_eq!(stopped(&office), both);
    // One released, the other waits.
    let run = office.report(&["apply", &plan(&second), "--release"]).exits(3);
    assert_eq!((run.counts(), office.disabled()), ([("updated_in_pbx", 6)].into(), Vec::new()));
    both.pop();
    assert_eq!(stopped(&office), both);
    office.report(&["apply", &plan(&first), "--release"]).exits(0);
    assert_eq!((stopped(&office), office.disabled().len()), (Vec::new(), 6));
    office.sync().exits(0);
}

#[test]
fn lost_employees_stop_both_directions_until_a_human_released_them() {
    let office = Office::in_step(20);
    office.delete_employees(MANY);
    office.set(10, "mobile", &["+79161110010"]);
    office.pbx.edit(office.pbx.named("Person 11").id, json!({ "user_email": "new@example.test" }));
    let before = office.writes();
    let halt = office.sync().exits(3);
    assert_eq!(tripped(&halt), ["lost-employees"]);
    let again = office.sync().exits(3);
    assert_eq!((tripped(&again), office.writes()), (vec!["lost-employees"], before));
    assert_eq!(again.json["halted"]["tripped"][0]["stopped"], true);
    assert_eq!(stopped(&office), [("lost-employees".to_owned(), plan(&again))]);
    // The words of the last run are the ones that hold.
    let run = office.report(&["apply", &plan(&again), "--release"]).exits(4);
    assert_eq!(run.changed().len(), 2, "{run:#?}");
    assert_eq!(stopped(&office), []);
    let run = office.sync().exits(4);
    assert_eq!((&run.json["halted"], run.conflicts().len()), (&Value::Null, 6), "they are asked about");
    office.delete_employees(7..=12);
    let run = office.sync().exits(3);
    assert_eq!(run.json["halted"]["tripped"][0]["people"], 6, "others were not released");
}

#[test]
fn a_pbx_that_was_replaced_after_the_preview_halts_its_plan() {
    let office = Office::in_step(20);
    office.set(10, "mobile", &["+79161110010"]);
    let reviewed = plan(&office.preview().exits(0));
    office.delete_employees(MANY);
    let before = office.writes();
    let run = office.report(&["apply", &reviewed]).exits(3);
    assert_eq!((tripped(&run), office.writes()), (vec!["lost-employees"], before));
    assert_ne!(plan(&run), reviewed);
    let run = office.report(&["apply", &plan(&run), "--release"]).exits(4);
    assert_eq!(run.changed(), ["Person 10: pbx mobile: 79160000010 → 79161110010"]);
}

#[test]
fn people_of_a_day_are_united_and_only_those_of_automatic_runs_count() {
    let office = Office::in_step(20);
    // By hand, and seen by whoever did it.
    office.disable(16..=19);
    office.sync().exits(0);
    office.disable(1..=3);
    office.automatic().exits(0);
    office.enable(1..=3);
    office.automatic().exits(0);
    office.disable(1..=5);
    assert_eq!(
        office.automatic().exits(0).counts(),
        [("disabled", 5)].into(),
        "five people, three of them twice"
    );
    office.disable([6]);
    let run = office.automatic().exits(3);
    let trip = &run.json["halted"]["tripped"][0];
    assert_eq!((&trip["people"], &trip["recent"]), (&6.into(), &5.into()), "{run:#?}");
}

#[test]
fn an_automatic_run_waits_until_a_human_looked() {
    let office = Office::new(4);
    let before = office.writes();
    let halt = office.automatic().exits(3);
    assert_eq!(
        (&halt.json["halted"], office.writes()),
        (&json!({ "tripped": [], "look_first": "never-looked" }), before)
    );
    assert_eq!(stopped(&office), [], "nobody decided yet");
    assert_eq!(plan(&office.automatic().exits(3)), plan(&halt));
    // Neither its own plan nor a look at that is a look at what a run does.
    assert_eq!(office.json(&["plans", "show", &plan(&halt)])["people"].as_array().map(Vec::len), Some(4));
    office.automatic().exits(3);
    assert_eq!(office.writes(), before);
    office.preview().exits(0);
    assert_eq!(office.automatic().exits(0).counts()["created"], 4);
    let history = office.json(&["history"])["runs"].clone();
    assert_eq!((&history[0]["trigger"], &history[0]["outcome"]), (&"automatic".into(), &"done".into()));
    assert_eq!(history[1]["outcome"], "halted");
    assert_eq!(office.automatic().exits(0).writes(), NOTHING);
}

#[test]
fn what_waits_for_a_look_can_be_released_unseen() {
    let office = Office::new(4);
    let before = office.writes();
    let halt = office.automatic().exits(3);
    office.run(&["apply", &plan(&halt), "--json"]).exits(3);
    assert_eq!(office.writes(), before);
    assert_eq!(office.report(&["apply", &plan(&halt), "--release"]).exits(0).counts()["created"], 4);
    assert_eq!(office.automatic().exits(0).writes(), NOTHING, "a human carried it out");
}

#[test]
fn other_settings_want_another_look() {
    let mut office = Office::in_step(4);
    let look_first = |office: &Office| office.json(&["server", "show", SERVER])["look_first"].clone();
    office.automatic().exits(0);
    let password = office.password_file();
    for harmless in
        [&["--password-file", &password][..], &["--guard-percent", "20"], &["--numbers", "400-480"]]
    {
        office.edit(harmless);
        assert_eq!((look_first(&office), office.automatic().code), (Value::Null, 0), "{harmless:?}");
    }
    for (n, change) in [
        &["--filter", "(mail=*)"][..],
        &["--both-changed", "mobile=directory"],
        &["--no-write-back"],
        &["--region", "DE"],
    ]
    .into_iter()
    .enumerate()
    {
        office.edit(change);
        assert_eq!(look_first(&office), "settings-changed", "{change:?}");
        let halt = office.automatic().exits(3);
        assert_eq!(halt.json["halted"]["look_first"], "settings-changed", "{change:?}");
        // Each way in which a human may look.
        match n {
            0 => office.preview(),
            1 => office.sync(),
            2 => office.report(&["apply", &plan(&halt), "--release"]),
            _ => office.report(&["apply", &plan(&office.preview())]),
        };
        assert_eq!(look_first(&office), Value::Null, "{change:?}");
        assert_eq!(office.automatic().json["halted"], Value::Null, "{change:?}");
    }
    // A plan of earlier settings says nothing about these.
    office.set(1, "mobile", &["+79161110010"]);
    let earlier = plan(&office.preview());
    office.edit(&["--write-back"]);
    office.report(&["apply", &earlier]);
    assert_eq!(look_first(&office), "settings-changed");
    // Nor does a look that saw half of it, or a run that did not come to pass.
    office.directory.with_faults(|faults| faults.size_limit = Some(2));
    office.preview().exits(3);
    office.sync().exits(3);
    office.directory.with_faults(|faults| faults.size_limit = None);
    assert_eq!(look_first(&office), "settings-changed");
    office.disable(1..=4);
    assert_eq!(tripped(&office.sync().exits(3)), ["disables"]);
    assert_eq!(look_first(&office), "settings-changed");
    office.close_directory();
    office.run(&["preview", SERVER]).exits(1);
    assert_eq!(look_first(&office), "settings-changed");
}

#[test]
fn every_server_can_be_synchronised_automatically() {
    let office = Office::in_step(4);
    let all = office.json(&["sync", "--all", "--automatic"]);
    assert_eq!(all["runs"][0]["halted"], Value::Null);
    assert_eq!(office.json(&["history"])["runs"][0]["trigger"], "automatic");
}

#[test]
fn kept_plans_are_listed_and_shown_as_the_report_shows_them() {
    let (office, halt) = halted();
    let mine = office.preview().exits(3);
    let plans = office.json(&["plans", SERVER])["plans"].clone();
    assert_eq!(plans, office.json(&["plans"])["plans"]);
    let of = |hash: String| plans.as_array().unwrap().iter().find(|row| row["plan"] == hash).unwrap().clone();
    let row = of(plan(&halt));
    assert_eq!((&row["server"], &row["state"]), (&SERVER.into(), &"pending".into()));
    assert_eq!((&row["halted"], &of(plan(&mine))["halted"]), (&halt.json["halted"], &Value::Null));
    let shown = office.json(&["plans", "show", &plan(&halt)[..12]]);
    assert_eq!(shown["halted"], halt.json["halted"]);
    let people = shown["people"].as_array().expect("people");
    assert_eq!(people.len(), 6);
    assert_eq!(
        (&people[0]["name"], &people[0]["reason"]),
        (&"Person 01".into(), &"disabled in the directory".into())
    );
    let text = office.run(&["plans", "show", &plan(&halt)]).ok().stdout;
    for words in ["Person 06", "people disabled", "plans discard", "apply", "--guard-percent"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(office.run(&["plans"]).ok().stdout.contains("people disabled"));
    // Changes as in a preview, to the letter.
    office.set(10, "mobile", &["+79161110010"]);
    let preview = office.preview();
    let shown = office.json(&["plans", "show", &plan(&preview)]);
    assert_eq!(shown["people"][0]["changes"], preview.person("Person 10")["changes"]);
    assert_eq!(shown["people"].as_array().map(Vec::len), Some(1), "of those who change only");
    office.run(&["plans", "show", "0000"]).exits(2);
    office.run(&["plans", "elsewhere"]).exits(2);
}

#[test]
fn a_halted_run_says_in_words_what_can_be_done() {
    let (office, halt) = halted();
    office.json(&["plans", "discard", &plan(&halt)]);
    let said = office.run(&["sync", SERVER]).exits(3).stdout;
    let hash = &plan(&halt)[..12];
    for words in [
        "6 of 20 linked: people disabled, more than the limit of 5".to_owned(),
        format!("rollcall plans show {hash}"),
        format!("rollcall apply {hash} --release"),
        format!("rollcall plans discard {hash}"),
        format!("rollcall server edit {SERVER} --guard-percent"),
    ] {
        assert!(said.contains(&words), "{words}: {said}");
    }
    let shown = office.run(&["server", "show", SERVER]).ok().stdout;
    assert!(shown.contains("Stopped by the guard since") && shown.contains("people disabled"), "{shown}");
    assert!(office.run(&["server", "list"]).ok().stdout.contains("stopped: people disabled"));
}

/// A program that writes down what it was told.
struct Secretary {
    script: PathBuf,
    told: PathBuf,
}

impl Secretary {
    fn of(office: &Office) -> Self {
        let told = office.rollcall.state().with_file_name("told");
        let script = office.rollcall.file(
            "tell",
            "#!/bin/sh\ncat >>\"$1\"\nprintf '%s %s\\n' \"$2\" \"${CREDENTIALS_DIRECTORY-unset}\" >>\"$1.how\"\n",
        );
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("one's own file");
        let (path, to) = (script.to_str().expect("a plain path"), told.to_str().expect("a plain path"));
        let set = office.run(&["--json", "notify", "set", "--command", path, to, "--loud"]).ok().json();
        assert_eq!(set, json!({ "command": [path, to, "--loud"] }));
        assert_eq!(office.json(&["notify", "show"]), set);
        Secretary { script, told }
    }

    /// What was told since the last time somebody asked.
    fn told(&self) -> Vec<Value> {
        let told = fs::read_to_string(&self.told).unwrap_or_default();
        assert!(!told.contains(PASSWORD), "{told}");
        let _ = fs::remove_file(&self.told);
        told.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
    }

    fn how(&self) -> String {
        fs::read_to_string(self.told.with_extension("how")).unwrap_or_default()
    }
}

#[test]
fn somebody_is_told_what_no_human_sees() {
    let mut office = Office::in_step(20);
    let secretary = Secretary::of(&office);
    assert_eq!(office.json(&["notify", "test"])["notified"], secretary.script.to_str().unwrap());
    assert_eq!(secretary.told()[0]["event"], "test");
    office.automatic().exits(0);
    assert_eq!(secretary.told(), [Value::Null; 0], "all is well");
    office.disable(MANY);
    let halt = office.automatic().exits(3);
    let told = secretary.told();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["event"], &told[0]["plan"]), (&"halted".into(), &halt.json["plan"]));
    assert_eq!((&told[0]["halted"], &told[0]["run"]), (&halt.json["halted"], &halt.json["run"]));
    // The same plan halted once more: known.
    office.json(&["plans", "discard", &plan(&halt)]);
    assert_eq!(plan(&office.automatic().exits(3)), plan(&halt));
    assert_eq!(secretary.told(), [Value::Null; 0]);
    office.enable(MANY);
    office.automatic().exits(0);
    assert_eq!(secretary.told()[0]["event"], "stop-ended");
    office.close_directory();
    office.run(&["sync", SERVER]).exits(1);
    assert_eq!(secretary.told(), [Value::Null; 0], "a human saw it");
    office.run(&["sync", SERVER, "--automatic"]).exits(1);
    let told = secretary.told();
    assert_eq!((told.len(), &told[0]["event"], &told[0]["server"]), (1, &"failed".into(), &SERVER.into()));
    assert!(told[0]["text"].as_str().is_some_and(|text| text.contains("could not be read")), "{told:?}");
    office.run(&["notify", "set", "--off"]).ok();
    assert_eq!(office.json(&["notify", "show"]), json!({ "command": null }));
    office.run(&["sync", SERVER, "--automatic"]).exits(1);
    assert_eq!(secretary.told(), [Value::Null; 0]);
}

#[test]
fn a_notification_that_fails_is_a_line_in_the_log() {
    let office = Office::in_step(20);
    let secretary = Secretary::of(&office);
    fs::write(&secretary.script, "#!/bin/sh\necho nobody is there >&2\nexit 7\n").expect("one's own file");
    office.disable(MANY);
    let run = office.run(&["sync", SERVER, "--automatic", "--json"]).exits(3);
    assert!(
        run.stderr.contains("nobody could be notified") && run.stderr.contains("nobody is there"),
        "{run:#?}"
    );
    let failed = office.run(&["notify", "test"]).exits(1);
    assert!(failed.stderr.contains("exit status: 7"), "{failed:#?}");
}

#[test]
fn the_program_does_not_learn_where_the_key_of_the_vault_is() {
    let office = Office::new(1);
    let secretary = Secretary::of(&office);
    let state = office.rollcall.state();
    let credentials = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let done = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .env("CREDENTIALS_DIRECTORY", credentials)
        .args(["--state", state.to_str().expect("a plain path"), "notify", "test"])
        .output();
    assert!(done.expect("cargo built the binary").status.success());
    assert_eq!(secretary.how(), "--loud unset\n");
}

#[test]
fn a_program_is_named_by_its_whole_path() {
    let office = Office::new(1);
    for (args, words) in [
        (&["--command", "mail"][..], "whole path"),
        (&["--command", "/nonexistent/program"], "whole path"),
        (&["--off", "--command", "/bin/sh"], "cannot be used"),
        (&[], "required"),
    ] {
        let refused = office.run(&[&["notify", "set"], args].concat()).exits(2);
        assert!(refused.stderr.contains(words), "{refused:#?}");
    }
    assert!(office.run(&["notify", "test"]).exits(2).stderr.contains("rollcall notify set"));
    let many: Vec<&str> = std::iter::repeat_n("x", 33).collect();
    let refused = office.run(&[&["notify", "set", "--command", "/bin/sh"], &many[..]].concat()).exits(2);
    assert!(refused.stderr.contains("at most 32 arguments"), "{refused:#?}");
}
