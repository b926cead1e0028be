//! The program that is told when an automatic run is halted or fails.

use super::args::{NotifyCommand, NotifySetArgs};
use super::errors::usage;
use super::output::{Ink, Out, Page, View};
use crate::app::App;
use crate::cycle;
use crate::limits;
use crate::notify::Program;
use anyhow::Result;
use serde::Serialize;
use std::path::Path;

pub async fn run(app: &App, command: NotifyCommand, out: &Out) -> Result<u8> {
    match command {
        NotifyCommand::Set(args) => {
            let program = chosen(args)?;
            cycle::set_program(app, program.as_ref()).await?;
            out.show(&Shown::from(program))
        }
        NotifyCommand::Show => out.show(&Shown::from(cycle::program(app).await?)),
        NotifyCommand::Test => {
            let Some(program) = cycle::program(app).await? else {
                return Err(usage(
                    "nobody is notified yet; say who with `rollcall notify set --command PROGRAM`",
                ));
            };
            cycle::test_program(app, &program).await?;
            out.show(&Tested { notified: program.path })
        }
    }
}

/// The program of these options; none with `--off`.
fn chosen(args: NotifySetArgs) -> Result<Option<Program>> {
    args.receiver.command.map(|path| named(&path, args.arguments)).transpose()
}

/// A program that can be started.
pub fn named(path: &Path, arguments: Vec<String>) -> Result<Program> {
    if !path.is_absolute() || !path.is_file() {
        return Err(usage(format!(
            "{} is not the whole path of a program: it is looked for nowhere else",
            path.display()
        )));
    }
    let Some(path) = path.to_str().map(str::to_owned) else {
        return Err(usage(format!("the path {} is not UTF-8", path.display())));
    };
    match arguments.len() > limits::NOTIFY_ARGUMENTS_MAX {
        true => Err(usage(format!("a program gets at most {} arguments", limits::NOTIFY_ARGUMENTS_MAX))),
        false => Ok(Program { path, arguments }),
    }
}

#[derive(Debug, Serialize)]
struct Shown {
    /// The program and its arguments.
    command: Option<Vec<String>>,
}

impl From<Option<Program>> for Shown {
    fn from(program: Option<Program>) -> Self {
        let words = |Program { path, arguments }| std::iter::once(path).chain(arguments).collect();
        Shown { command: program.map(words) }
    }
}

impl View for Shown {
    fn write(&self, page: &mut Page) {
        match &self.command {
            None => page.say("Nobody is notified.", Ink::Plain),
            Some(command) => {
                page.say("When an automatic run is halted or fails, this is started:", Ink::Plain);
                page.command(2, &command.join(" "));
                page.say("Try it: rollcall notify test", Ink::Dim);
            }
        }
    }
}

#[derive(Debug, Serialize)]
struct Tested {
    notified: String,
}

impl View for Tested {
    fn write(&self, page: &mut Page) {
        page.say(format!("{} has taken the notice.", self.notified), Ink::Good);
    }
}
