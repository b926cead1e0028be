//! `simulate SEED...` lives these seeds again and tells what happened;
//! `simulate --from A --count N` lives many and tells what went wrong.

#![forbid(unsafe_code)]

use clap::Parser;
use simulation::{Outcome, live};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Lives whole synchronisations from seeds and checks what must hold always.
#[derive(Debug, Parser)]
struct Args {
    /// Live these seeds again, and print every step.
    seeds: Vec<u64>,
    /// The first seed of many.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 300)]
    count: u64,
    /// How many at once.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Stop after so many seeds that went wrong.
    #[arg(long, default_value_t = 20)]
    wrong_max: usize,
}

#[derive(Debug, Default)]
struct Totals {
    lives: u64,
    runs: u64,
    steps: u64,
    writes: u64,
    exempt: u64,
    repairs: u64,
    faults: BTreeMap<&'static str, u64>,
    wrong: Vec<(u64, Vec<String>)>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let fine = match args.seeds.is_empty() {
        true => many(&args),
        false => args.seeds.iter().filter(|seed| !tell(**seed)).count() == 0,
    };
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(seed: u64) -> bool {
    let outcome = live(seed, true);
    for line in &outcome.trace {
        println!("{line}");
    }
    println!("seed {seed}: {} runs, {} steps, trace {:016x}", outcome.runs, outcome.steps, outcome.digest);
    for violation in &outcome.violations {
        println!("seed {seed}: {violation}");
    }
    outcome.violations.is_empty()
}

fn many(args: &Args) -> bool {
    let started = Instant::now();
    let next = AtomicU64::new(args.from);
    let totals = Mutex::new(Totals::default());
    let end = args.from.saturating_add(args.count);
    thread::scope(|scope| {
        for _ in 0..args.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let enough =
                        totals.lock().unwrap_or_else(PoisonError::into_inner).wrong.len() >= args.wrong_max;
                    if seed >= end || enough {
                        return;
                    }
                    let outcome = live(seed, false);
                    totals.lock().unwrap_or_else(PoisonError::into_inner).add(outcome);
                }
            });
        }
    });
    let totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    totals.print(started.elapsed().as_secs_f64());
    totals.wrong.is_empty()
}

impl Totals {
    fn add(&mut self, outcome: Outcome) {
        self.lives += 1;
        self.runs += outcome.runs;
        self.steps += outcome.steps;
        self.writes += outcome.writes;
        self.exempt += outcome.exempt;
        self.repairs += outcome.repairs;
        for (fault, count) in outcome.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        if !outcome.violations.is_empty() {
            self.wrong.push((outcome.seed, outcome.violations));
        }
    }

    fn print(&self, seconds: f64) {
        println!(
            "{} lives in {seconds:.1} s: {} runs, {} steps, {} writes; {} edits lost in the PBX's own window, {} \
             silent repairs of the PBX",
            self.lives, self.runs, self.steps, self.writes, self.exempt, self.repairs
        );
        for (fault, count) in &self.faults {
            println!("{count:>10}  {fault}");
        }
        for (seed, violations) in &self.wrong {
            for violation in violations {
                println!("seed {seed}: {violation}");
            }
        }
        println!("{} seeds went wrong", self.wrong.len());
    }
}
