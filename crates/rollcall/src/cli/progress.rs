//! How far a run is, on standard error, while somebody watches.

use crate::cycle::{Phase, Progress, Silent};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(120);

/// A bar where a human watches a terminal, nothing where scripts run.
pub fn watched(json: bool) -> Box<dyn Progress> {
    match io::stderr().is_terminal() && !json {
        true => Box::new(Bar::new()),
        false => Box::new(Silent),
    }
}

/// One line that is rewritten and disappears in the end.
#[derive(Debug)]
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(TICK);
        Bar(bar)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn phase(&self, phase: Phase, total: Option<usize>) {
        let template = match total {
            Some(_) => "{spinner} {msg:<22} {bar:30} {pos}/{len}",
            None => "{spinner} {msg:<22} {pos}",
        };
        let style = ProgressStyle::with_template(template).expect("the two templates above are well formed");
        self.0.reset();
        self.0.set_style(style.progress_chars("━╸─"));
        self.0.set_message(words(phase));
        match total {
            Some(total) => self.0.set_length(total as u64),
            None => self.0.unset_length(),
        }
    }

    fn advance(&self, by: usize) {
        self.0.inc(by as u64);
    }
}

pub const fn words(phase: Phase) -> &'static str {
    match phase {
        Phase::ReadDirectory => "Reading the directory",
        Phase::ReadPbx => "Reading the PBX",
        Phase::LookUp => "Looking closer",
        Phase::Plan => "Planning",
        Phase::Write => "Writing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_has_a_template_that_parses() {
        let bar = Bar(ProgressBar::hidden());
        for phase in [Phase::ReadDirectory, Phase::ReadPbx, Phase::LookUp, Phase::Plan, Phase::Write] {
            bar.phase(phase, Some(10));
            bar.advance(3);
            assert_eq!((bar.0.position(), bar.0.length()), (3, Some(10)));
            bar.phase(phase, None);
            assert_eq!((bar.0.position(), bar.0.length()), (0, None));
        }
    }
}
