//! Errors as people and scripts read them.

use crate::app::Usage;
use anyhow::{Error, anyhow};

/// The command was called wrongly; `what` says how to call it.
pub fn usage(what: impl Into<String>) -> Error {
    anyhow!(Usage(what.into()))
}

pub fn is_usage(error: &Error) -> bool {
    error.chain().any(|cause| cause.is::<Usage>())
}

/// An error and its causes in one paragraph; what a cause repeats is said once.
pub fn describe(error: &Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        match text.is_empty() {
            true => text = cause,
            false if text.contains(&cause) => {}
            false => text = format!("{text}: {cause}"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_cause_is_told_once() {
        let error = Err::<(), _>(anyhow!("connection refused")).context("cannot ask: connection refused");
        let error = error.context("server `hq` could not be read").unwrap_err();
        assert_eq!(describe(&error), "server `hq` could not be read: cannot ask: connection refused");
    }

    #[test]
    fn a_wrong_call_is_known_below_any_context() {
        assert!(is_usage(&usage("no").context("while")));
        assert!(!is_usage(&anyhow!("no")));
    }
}
