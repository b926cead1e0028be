//! Everything fuzzing has taught us, thrown at the parsers again: the corpus
//! of each target goes through the function that libFuzzer calls.

// Helpers of tests are no test functions to the lint.
#![allow(clippy::unwrap_used)]

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The corpus is for reading and stays small: a seed for every idea, and every
/// finding.
const FILES_MAX: usize = 40;
const BYTES_MAX: usize = 100 * 1024;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn inputs(target: &str) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(corpus().join(target)).unwrap().map(Result::unwrap);
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

fn replay(target: &str, body: fn(&[u8])) {
    for (name, bytes) in inputs(target) {
        println!("fuzz/corpus/{target}/{name}");
        body(&bytes);
    }
}

#[test]
fn canonical() {
    replay("canonical", targets::canonical::target);
}

#[test]
fn entry() {
    replay("entry", targets::entry::target);
}

#[test]
fn envelope() {
    replay("envelope", targets::envelope::target);
}

#[test]
fn filter() {
    replay("filter", targets::filter::target);
}

#[test]
fn photo() {
    replay("photo", targets::photo::target);
}

#[test]
fn every_target_has_a_small_corpus_that_is_replayed() {
    let listed = |file: fs::DirEntry| file.file_name().into_string().unwrap();
    let mut targets: Vec<String> = fs::read_dir(corpus()).unwrap().map(Result::unwrap).map(listed).collect();
    targets.sort();
    assert_eq!(targets, ["canonical", "entry", "envelope", "filter", "photo"]);
    for target in targets {
        let inputs = inputs(&target);
        let bytes: usize = inputs.values().map(Vec::len).sum();
        assert!(
            (10..=FILES_MAX).contains(&inputs.len()) && bytes <= BYTES_MAX,
            "{target}: {} files, {bytes} bytes",
            inputs.len()
        );
    }
}
