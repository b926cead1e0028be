//! The command line as scripts meet it: exit codes, JSON, and what never shows.

mod support;

use effects::{SeededRandom, SystemClock};
use sandbox::company::Company;
use sandbox::dns::NameServer;
use sandbox::{directory, pbx};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use support::Rollcall;
use tokio::runtime::Runtime;

const PASSWORD: &str = "correct-horse-battery";

/// A company on loopback and an installation that knows it.
struct Lab {
    runtime: Runtime,
    pbx: pbx::Pbx,
    directory: directory::Directory,
    running: Option<(pbx::Running, directory::Running)>,
    rollcall: Rollcall,
}

impl Lab {
    fn new(people: usize) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let company = Company::new(people, 1);
        let random = Arc::new(SeededRandom::new(1));
        let options = pbx::Options { random: random.clone(), ..pbx::Options::default() };
        let pbx = pbx::Pbx::with_employees(options, &company.employees);
        let personality = directory::Personality::ActiveDirectory;
        let options = directory::Options::new(personality, PASSWORD.into(), Arc::new(SystemClock), random);
        let directory = directory::Directory::new(options).expect("a directory");
        directory.populate(&company).expect("room for a company");
        let free = (Ipv4Addr::LOCALHOST, 0).into();
        let running = runtime.block_on(async {
            let pbx = pbx::serve(pbx.clone(), free).await.expect("a free port");
            (pbx, directory::serve(directory.clone(), free).await.expect("a free port"))
        });
        let lab = Lab { runtime, pbx, directory, running: Some(running), rollcall: Rollcall::new() };
        lab.introduce();
        lab
    }

    fn introduce(&self) {
        let (pbx, directory) = self.running.as_ref().expect("just started");
        self.rollcall.run(["pbx", "set", "--url", &format!("http://{}", pbx.addr)]).ok();
        let password = self.rollcall.file("password", &format!("{PASSWORD}\n"));
        let password = password.to_str().expect("a plain path");
        let port = directory.addr.port().to_string();
        let dn = self.directory.account_dn("pbx-sync").expect("the account");
        let args =
            ["server", "add", "hq", "--type", "active-directory", "--host", "127.0.0.1", "--port", &port];
        let more = ["--security", "none", "--bind-dn", &dn, "--password-file", password];
        let rest = ["--base-dn", self.directory.base(), "--region", "RU", "--write-back"];
        self.rollcall.run(args.iter().chain(&more).chain(&rest)).ok();
    }

    fn json(&self, args: &[&str], code: i32) -> Value {
        let output = self.rollcall.run(args.iter().chain(&["--json"])).exits(code);
        assert!(!format!("{output:?}").contains(PASSWORD), "a secret was told: {output:?}");
        output.json()
    }

    /// Both sides are gone.
    fn stop(&mut self) {
        if let Some((pbx, directory)) = self.running.take() {
            drop(directory);
            self.runtime.block_on(pbx.shutdown()).expect("the PBX ends");
        }
    }
}

#[test]
fn a_company_from_preview_to_explanation() {
    let mut lab = Lab::new(60);
    assert_eq!(lab.json(&["pbx", "test"], 0)["ok"], true);
    assert_eq!(lab.json(&["server", "test", "hq"], 0)["ok"], true);
    let shown = lab.json(&["server", "show", "hq"], 0);
    assert_eq!(
        (&shown["password"], &shown["fields"]["extension"]["attribute"]),
        (&"set".into(), &"ipPhone".into())
    );

    let preview = lab.json(&["preview", "hq"], 4);
    assert_eq!((&preview["run"], lab.pbx.writes(), lab.directory.writes()), (&Value::Null, 0, 0));
    let plan = preview["plan"].as_str().expect("a hash").to_owned();
    let run = lab.json(&["apply", &plan[..12]], 4);
    assert_eq!((&run["run"], &run["plan"]), (&1.into(), &preview["plan"]));
    assert_eq!(run["counts"]["created"], preview["counts"]["created"]);
    assert_eq!(run["counts"]["failed"], 0);
    assert_eq!(run["writes"]["pbx"], lab.pbx.writes());
    assert_eq!(run["writes"]["directory"], lab.directory.writes());

    let writes = (lab.pbx.writes(), lab.directory.writes());
    let quiet = lab.json(&["sync", "hq"], 4);
    assert_eq!((&quiet["writes"]["pbx"], &quiet["writes"]["directory"]), (&0.into(), &0.into()));
    assert_eq!((lab.pbx.writes(), lab.directory.writes()), writes);
    let all = lab.json(&["sync", "--all"], 4);
    assert_eq!(all["runs"].as_array().map(Vec::len), Some(1));

    answer_everything(&lab);
    let people = lab.json(&["people", "hq"], 0);
    assert!(people["people"].as_array().is_some_and(|people| people.len() == 60), "{people}");
    assert_eq!(lab.json(&["disabled"], 0)["disabled"][0]["reason"], "disabled");
    let history = lab.json(&["history"], 0);
    assert_eq!(history["runs"][0]["server"], "hq");
    let past = lab.json(&["history", "1"], 0);
    assert_eq!(past["report"]["counts"], run["counts"]);
    let somebody = run["people"][0]["name"].as_str().expect("a name");
    let explained = lab.json(&["explain", somebody], 0);
    assert!(
        explained["people"][0]["journal"].as_array().is_some_and(|steps| !steps.is_empty()),
        "{explained}"
    );

    lab.stop();
    let error = lab.json(&["sync", "hq"], 1);
    assert!(error["error"].as_str().is_some_and(|text| text.contains("server `hq`")), "{error}");
    assert_eq!(lab.json(&["pbx", "test"], 1)["ok"], false);
    assert_eq!(lab.json(&["sync", "--all"], 1)["runs"][0]["server"], "hq");
    assert_eq!(lab.json(&["server", "remove", "hq"], 0)["removed"], "hq");
    assert_eq!(lab.json(&["server", "list"], 0)["servers"], Value::Array(Vec::new()));
}

/// Answers every conflict by a way out that ends or silences it.
fn answer_everything(lab: &Lab) {
    let conflicts = lab.json(&["conflicts", "list"], 0)["conflicts"].clone();
    let conflicts = conflicts.as_array().expect("a list");
    assert!(!conflicts.is_empty(), "the company has its riddles");
    for conflict in conflicts {
        let id = conflict["id"].to_string();
        assert_eq!(lab.json(&["conflicts", "show", &id], 0)["name"], conflict["name"]);
        assert_eq!(lab.json(&["conflicts", "retry", &id], 0)["waiting"], false);
        lab.json(&["conflicts", "resolve", &id, "--use", "pbx"], 2);
        lab.json(&["conflicts", "resolve", &id, "--leave-out"], 0);
    }
    let left = lab.json(&["sync", "hq"], 0);
    assert_eq!(left["counts"]["conflicts"], 0);
    let unusable =
        conflicts.iter().find(|conflict| conflict["kind"] == "unusable").expect("a riddle of its own");
    let id = unusable["id"].to_string();
    lab.json(&["conflicts", "resolve", &id, "--ask-again"], 0);
    let asked = lab.json(&["sync", "hq"], 4);
    assert_eq!(asked["counts"]["conflicts"], 1);
    assert_eq!(lab.json(&["conflicts", "clear"], 0)["cleared"], conflicts.len());
}

#[test]
fn an_incomplete_read_exits_with_3() {
    let lab = Lab::new(45);
    lab.directory.with_faults(|faults| faults.size_limit = Some(20));
    let partial = lab.json(&["preview", "hq"], 3);
    assert_eq!(partial["directory"]["verdict"], "partial");
    assert!(partial["directory"]["reason"].is_string(), "{partial}");
}

#[test]
fn a_wrong_call_exits_with_2_and_says_how_to_call() {
    let rollcall = Rollcall::new();
    for (args, words) in [
        (&["frobnicate"][..], "unrecognized subcommand"),
        (&["sync"], "required"),
        (&["sync", "hq"], "there is no server `hq`"),
        (&["sync", "--all"], "rollcall server add"),
        (&["pbx", "test"], "rollcall pbx set"),
        (&["pbx", "set", "--url", "https://pbx.example.test"], "--api-key-file"),
        (&["server", "add", "hq", "--type", "freeipa"], "a new server also needs --host or --domain"),
        (&["apply", "abc"], "there is no plan `abc`"),
        (&["history", "7"], "there is no run 7"),
        (&["conflicts", "show", "7"], "there is no conflict 7"),
        (&["explain", "nobody"], "nobody known"),
        (&["sandbox", "--faults", "nonsense"], "is not a fault"),
    ] {
        let output = rollcall.run(args.iter().chain(&["--json"])).exits(2);
        assert!(output.stderr.starts_with("error: ") && output.stderr.contains(words), "{output:#?}");
        assert!(output.json()["error"].as_str().is_some_and(|text| text.contains(words)), "{output:#?}");
        let plain = rollcall.run(args).exits(2);
        assert_eq!(plain.stdout, "", "{plain:#?}");
    }
    let help = rollcall.run(["--help"]).ok();
    assert!(help.stdout.contains("rollcall demo"), "{help:#?}");
}

#[test]
fn servers_of_a_domain_are_found_by_its_name() {
    let mut lab = Lab::new(20);
    let port = lab.running.as_ref().expect("just started").1.addr.port();
    let offer =
        ("_ldap._tcp.dc._msdcs.example.test".to_owned(), vec![(0, 100, port, "localhost".to_owned())]);
    let dns = lab.runtime.block_on(NameServer::start(vec![offer])).expect("a free port");
    let steps = |lab: &Lab, code| lab.json(&["server", "test", "hq"], code)["steps"].clone();
    lab.rollcall.run(["server", "edit", "hq", "--domain", "example.test", "--host", "dc1"]).exits(2);
    let plain = lab.rollcall.run(["server", "edit", "hq", "--domain", "example.test"]).exits(2);
    assert!(plain.stderr.contains("to `example.test` in the clear"), "{plain:#?}");
    let domain = ["server", "edit", "hq", "--domain", "example.test", "--allow-plain"];
    let edited = lab.rollcall.run(domain).ok();
    assert!(edited.stdout.contains("example.test, which names its servers"), "{edited:#?}");
    // The machine's own name servers do not know the domain.
    lab.rollcall.name_server = Some(dns.addr);
    let found = steps(&lab, 0);
    assert_eq!((&found[0]["name"], &found[0]["state"]), (&"domain".into(), &"ok".into()));
    assert_eq!(found[0]["detail"], format!("example.test names localhost:{port}"));
    assert_eq!(lab.json(&["preview", "hq"], 4)["directory"]["read"], 20);
    drop(dns);
    lab.rollcall.name_server = Some("127.0.0.1:1".parse().expect("an address"));
    let lost = steps(&lab, 1);
    assert!(lost[0]["detail"].as_str().is_some_and(|why| why.contains("_msdcs.example.test")), "{lost}");
    // Named again, nobody is asked.
    lab.rollcall.run(["server", "edit", "hq", "--host", "127.0.0.1"]).ok();
    assert_eq!(steps(&lab, 0)[0]["name"], "name");
}

#[test]
fn a_reader_who_leaves_early_is_no_error() {
    let rollcall = Rollcall::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .arg("--state")
        .arg(rollcall.state())
        .args(["server", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cargo built the binary");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr)), (Some(0), "".into()));
}

#[test]
fn the_demonstration_holds_what_it_says() {
    let rollcall = Rollcall::new();
    let told = rollcall.run(["demo", "--json"]).ok().json();
    let runs = told["runs"].as_array().expect("three runs");
    assert_eq!((runs.len(), &told["preview"]["run"]), (3, &Value::Null));
    assert_eq!(runs[0]["plan"], told["preview"]["plan"]);
    assert_eq!(runs[1]["writes"], serde_json::json!({ "pbx": 0, "directory": 0 }));
    assert_eq!(runs[2]["counts"]["created"], 2);
    assert_eq!(runs[2]["counts"]["disabled"], 1);
    for run in runs {
        assert_eq!((&run["counts"]["failed"], &run["halted"]), (&0.into(), &Value::Null), "{run}");
    }
    // What it says about the changes: one to the PBX, one to the directory.
    let updated = |side: &str| {
        let people = runs[2]["people"].as_array().expect("people").iter();
        people.filter(|person| person["updated"] == side).count()
    };
    assert_eq!((updated("pbx"), updated("directory"), updated("both")), (1, 1, 2));
    assert!(!rollcall.state().exists(), "the demonstration leaves the user's state alone");
    let text = rollcall.run(["demo"]).ok().stdout;
    assert!(text.contains("Nothing was written: both sides are as they were."), "{text}");
    assert!(!text.contains('\u{1b}'), "colours are for terminals: {text}");
}
