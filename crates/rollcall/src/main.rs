//! The `rollcall` command.

#![forbid(unsafe_code)]

use clap::Parser;
use clap::error::ErrorKind;
use rollcall::cli::args::Cli;
use rollcall::cli::errors::{describe, is_usage};
use rollcall::cli::output::{Out, print};
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Two are enough: what takes long here is waiting.
const WORKER_THREADS: usize = 2;

const FAILED: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(refuse(&error)),
    };
    log(cli.verbose);
    let out = Out::new(cli.json);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(rollcall::cli::run(cli, &out)),
        Err(error) => Err(error.into()),
    };
    ExitCode::from(result.unwrap_or_else(|error| {
        let code = if is_usage(&error) { USAGE } else { FAILED };
        fail(&describe(&error), out.json);
        code
    }))
}

/// Help and version go where they are asked for; anything else is a mistake.
fn refuse(error: &clap::Error) -> u8 {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !asked && std::env::args_os().any(|arg| arg == "--json") {
        fail(error.render().to_string().trim_start_matches("error: ").trim_end(), true);
    } else if let Err(error) = error.print() {
        tracing::debug!(%error, "nobody reads the help");
    }
    if asked { 0 } else { USAGE }
}

/// One paragraph on standard error; scripts get an object as well.
fn fail(error: &str, json: bool) {
    use io::Write;
    // Nobody is left to be told when even this cannot be written.
    let _ = writeln!(io::stderr(), "error: {error}");
    if json {
        let _ = print(&format!("{}\n", serde_json::json!({ "error": error })));
    }
}

/// Our own voices by -v. The libraries are heard only when asked, and only
/// when they warn: our errors say what theirs would, what they trace may hold
/// what nobody should read, and the codec warns of every control it passes on
/// unread.
fn log(verbose: u8) {
    let (ours, theirs) = match verbose {
        0 => ("error", "off"),
        1 => ("info", "warn,ldap3_proto=error"),
        2 => ("debug", "warn,ldap3_proto=error"),
        _ => ("trace", "warn,ldap3_proto=error"),
    };
    let crates = ["rollcall", "directory", "pbx", "store", "sandbox"];
    let filter: Vec<String> = crates.iter().map(|name| format!("{name}={ours}")).collect();
    let filter = EnvFilter::new(format!("{theirs},{}", filter.join(",")));
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(io::stderr).init();
}
