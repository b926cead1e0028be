//! Some hundreds of lives, and a death at every single step of a few.

#![allow(clippy::panic)]

use simulation::{live, live_doomed};
use std::thread;

/// Seeds of every run of the tests. Hundreds of thousands of others are lived
/// by `scripts/simulate --from A --count N`.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=240;
/// Lives that once went wrong.
const ONCE_WRONG: [u64; 17] = [
    1_004_191, 1_005_038, 1_005_314, 1_010_244, 1_018_104, 1_020_468, 1_037_522, 1_042_778, 1_045_583,
    1_060_696, 1_096_975, 2_015_298, 2_032_293, 2_039_852, 2_044_418, 2_087_335, 2_234_049,
];
/// Companies in which a process dies at every step of its run.
const DOOMED: [(u64, usize); 4] = [(4, 0), (9, 0), (6, 1), (18, 1)];

#[test]
fn what_must_hold_always_holds_in_every_life() {
    let wrong: Vec<String> = in_two_halves(SEEDS.chain(ONCE_WRONG).collect(), |seed| {
        live(seed, false).violations.into_iter().map(|what| format!("seed {seed}: {what}")).collect()
    });
    assert!(wrong.is_empty(), "replay with scripts/simulate SEED:\n{}", wrong.join("\n"));
}

#[test]
fn a_seed_is_the_same_life_every_time() {
    for seed in [7, 21, 55, 118] {
        let (once, again) = (live(seed, true), live(seed, true));
        let differs = once.trace.iter().zip(&again.trace).find(|(one, other)| one != other);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(once.digest, again.digest, "seed {seed}");
    }
}

#[test]
fn a_death_at_any_step_changes_nothing_about_the_end() {
    for (seed, run) in DOOMED {
        let (undisturbed, steps, wrong) = live_doomed(seed, run, 0);
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
        let different: Vec<String> = in_two_halves((1..=steps).collect(), |step| {
            let (end, _, wrong) = live_doomed(seed, run, step);
            let mut told: Vec<String> = wrong.iter().map(|what| format!("step {step}: {what}")).collect();
            if end != undisturbed {
                told.push(format!("step {step}:\n{end}\ninstead of\n{undisturbed}"));
            }
            told
        });
        assert!(different.is_empty(), "seed {seed}, {steps} steps:\n{}", different.join("\n"));
    }
}

/// On both cores; the answers in order.
fn in_two_halves(of: Vec<u64>, ask: impl Fn(u64) -> Vec<String> + Sync) -> Vec<String> {
    let (odd, even): (Vec<u64>, Vec<u64>) = of.into_iter().partition(|n| n % 2 == 1);
    let all = |half: Vec<u64>| half.into_iter().flat_map(&ask).collect::<Vec<String>>();
    thread::scope(|scope| {
        let other = scope.spawn(|| all(even));
        let mut told = all(odd);
        told.extend(other.join().expect("a life is only told"));
        told
    })
}
