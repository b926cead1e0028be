//! The command line: parse, call, render. What may be relied on is written
//! down in docs/reference/cli.md.

pub mod args;
pub mod backup;
pub mod conflicts;
pub mod demo;
pub mod errors;
pub mod explain;
mod files;
pub mod history;
pub mod journal;
pub mod notify;
pub mod output;
pub mod pbx;
pub mod people;
mod plans;
mod progress;
mod report;
pub mod run;
pub mod sandbox;
mod serve;
pub mod server;
mod steps;
#[cfg(test)]
pub(crate) mod testing;
pub mod undo;
pub mod words;

use crate::app::App;
use anyhow::Result;
use args::{Cli, Command};
use errors::usage;
use output::Out;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Carries out one command; its exit code.
pub async fn run(cli: Cli, out: &Out) -> Result<u8> {
    let state = || state_dir(cli.state.clone(), |name| env::var_os(name));
    let open = || async { App::open(&state()?).await };
    match cli.command {
        Command::Sandbox(args) => sandbox::run(&args, out).await,
        Command::Demo(args) => demo::run(&args, out).await,
        Command::Serve(args) => serve::run(open().await?, &args, out).await,
        Command::Server(command) => server::run(&open().await?, command, out).await,
        Command::Pbx(command) => pbx::run(&open().await?, command, out).await,
        Command::Preview { server, expect_fewer } => {
            run::preview(&open().await?, &server, run::expected(expect_fewer), out).await
        }
        Command::Sync(args) => run::sync(&open().await?, &args, out).await,
        Command::Apply { plan, release } => run::apply(&open().await?, &plan, release, out).await,
        Command::Undo(args) => undo::run(&open().await?, &args, out).await,
        Command::Plans(args) => plans::run(&open().await?, args, out).await,
        Command::Notify(command) => notify::run(&open().await?, command, out).await,
        Command::People { server } => people::people(&open().await?, &server, out).await,
        Command::Disabled { server } => people::disabled(&open().await?, server.as_deref(), out).await,
        Command::Conflicts(command) => conflicts::run(&open().await?, command, out).await,
        Command::Backup(args) => backup::backup(&state()?, &args, out).await,
        Command::Restore(args) => backup::restore(&state()?, &args, out).await,
        Command::History { run: Some(run), .. } => history::show(&open().await?, run, out).await,
        Command::History { run: None, limit } => history::list(&open().await?, limit, out).await,
        Command::Explain { person, server } => {
            explain::run(&open().await?, &person, server.as_deref(), out).await
        }
    }
}

/// Where everything is remembered: as said, or where the XDG rules put it.
fn state_dir(said: Option<PathBuf>, env: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    let dir = |name: &str| env(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    said.or_else(|| dir("XDG_STATE_HOME").map(|dir| dir.join("rollcall")))
        .or_else(|| dir("HOME").map(|home| home.join(".local/state/rollcall")))
        .ok_or_else(|| usage("nothing says where to remember things: give --state DIR, or set HOME"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_directory_follows_the_option_then_xdg_then_home() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
            }
        };
        let said = |said: Option<&str>, pairs| state_dir(said.map(PathBuf::from), env(pairs)).unwrap();
        assert_eq!(said(Some("here"), &[("HOME", "/h")]), PathBuf::from("here"));
        assert_eq!(said(None, &[("XDG_STATE_HOME", "/x"), ("HOME", "/h")]), PathBuf::from("/x/rollcall"));
        let relative = said(None, &[("XDG_STATE_HOME", "x"), ("HOME", "/h")]);
        assert_eq!(relative, PathBuf::from("/h/.local/state/rollcall"));
        assert!(errors::is_usage(&state_dir(None, env(&[])).unwrap_err()));
    }
}
