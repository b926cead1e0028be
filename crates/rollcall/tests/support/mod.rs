//! What stories are told with: the real binary with a state of its own, and
//! real directory servers in [`lab`]. Whatever goes wrong here panics, with
//! the words of the program that refused.

#![allow(dead_code, reason = "every story is a program of its own and uses its part of this")]
#![allow(clippy::panic, reason = "the helpers of a test fail as a test does")]

pub mod branch;
pub mod company;
pub mod lab;
pub mod office;
pub mod pbx;

use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// No single command of a story may take longer.
const COMMAND_MAX: &str = "180s";

/// An installation: the binary and a state directory, which goes with it.
#[derive(Debug)]
pub struct Rollcall {
    home: PathBuf,
    /// Asked which servers a domain has.
    pub name_server: Option<SocketAddr>,
}

impl Rollcall {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rollcall-{}-{count}", process::id()));
        fs::create_dir_all(&home).expect("the target directory is writable");
        Rollcall { home, name_server: None }
    }

    pub fn state(&self) -> PathBuf {
        self.home.join("state")
    }

    /// A file beside the state, for a password or an API key.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.home.join(name);
        fs::write(&path, content).expect("the target directory is writable");
        path
    }

    /// Runs a command to its end, whatever that is.
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Output {
        let args = self.arguments(args);
        let output = self
            .clean(Command::new("timeout"))
            .args(["--kill-after=5s", COMMAND_MAX, env!("CARGO_BIN_EXE_rollcall")])
            .args(&args)
            .stdin(Stdio::null())
            .output()
            .expect("coreutils has timeout");
        let output = Output {
            command: args.join(OsStr::new(" ")).to_string_lossy().into_owned(),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert_ne!(output.code, Some(124), "not done within {COMMAND_MAX}: {output:#?}");
        output
    }

    /// Starts a command and lets it run beside the story.
    pub fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Running {
        let child = self
            .clean(Command::new(env!("CARGO_BIN_EXE_rollcall")))
            .args(self.arguments(args))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("cargo built the binary");
        Running(child)
    }

    /// Serves the pages on a free port of loopback.
    pub fn serve(&self) -> Serving {
        self.serve_with::<&str>(&[])
    }

    /// The same with more options.
    pub fn serve_with<A: AsRef<OsStr>>(&self, options: &[A]) -> Serving {
        let more = options.iter().map(|option| option.as_ref().to_os_string());
        let mut child = self
            .clean(Command::new(env!("CARGO_BIN_EXE_rollcall")))
            .args(self.arguments(["serve", "--listen", "127.0.0.1:0", "--json"]))
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cargo built the binary");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |key: &str| said[key].as_str().map(str::to_owned);
        Serving { url: text("url").expect("an address"), setup: text("setup"), _running: Running(child) }
    }

    /// Runs a command that is to end itself by SIGKILL at a write to its store:
    /// `before agree 3`. Whether it got there; what it said is shown if it did not.
    pub fn dies<A: AsRef<OsStr>>(&self, at: &str, args: impl IntoIterator<Item = A>) -> bool {
        let output = self
            .clean(Command::new(env!("CARGO_BIN_EXE_rollcall")))
            .env("ROLLCALL_DIE_AT", at)
            .args(self.arguments(args))
            .stdin(Stdio::null())
            .output()
            .expect("cargo built the binary");
        let killed = output.status.signal() == Some(9);
        if !killed {
            eprintln!("survived `{at}`: {} {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        killed
    }

    fn clean(&self, command: Command) -> Command {
        let mut command = clean(command);
        command.envs(self.name_server.map(|address| ("ROLLCALL_DNS", address.to_string())));
        command
    }

    fn arguments<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Vec<OsString> {
        let own = [OsString::from("--state"), self.state().into_os_string()];
        own.into_iter().chain(args.into_iter().map(|arg| arg.as_ref().to_os_string())).collect()
    }
}

impl Drop for Rollcall {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// The demonstration, which stays up after it told its story.
#[derive(Debug)]
pub struct Demo {
    pub url: String,
    _running: Running,
}

impl Demo {
    pub fn start() -> Self {
        let mut child = clean(Command::new(env!("CARGO_BIN_EXE_rollcall")))
            .args(["demo", "--keep"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("cargo built the binary");
        let said = BufReader::new(child.stdout.take().expect("its output is piped"));
        let url = said.lines().map_while(Result::ok).find_map(|line| {
            let (_, url) = line.split_once("pages ")?;
            Some(url.trim().to_owned())
        });
        Demo { url: url.expect("it says where its pages are"), _running: Running(child) }
    }
}

/// Pages that are served, until this is dropped.
#[derive(Debug)]
pub struct Serving {
    pub url: String,
    /// Where the administrator is made, while there is none.
    pub setup: Option<String>,
    _running: Running,
}

/// What a command said, and its exit code; none when a signal ended it.
#[derive(Debug)]
pub struct Output {
    pub command: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Insists on exit code 0.
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// What a command with `--json` printed.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:#?}"))
    }
}

/// A command that runs beside the story, killed at its end.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// SIGKILL: no handler runs, nothing is flushed. Returns when it is dead.
    pub fn kill(&mut self) {
        self.0.kill().expect("one may kill one's own child");
        self.0.wait().expect("a killed child ends");
    }

    /// Whether it ended by itself, and how.
    pub fn ended(&mut self) -> Option<process::ExitStatus> {
        self.0.try_wait().expect("one may ask after one's own child")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Settings of the person who runs the tests must not reach the story.
fn clean(mut command: Command) -> Command {
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLCALL_")) {
        command.env_remove(name);
    }
    command
}
