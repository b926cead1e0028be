//! The faults of both halves, as one line of text that people can type:
//! `pbx.latency=30ms, pbx.locked=5%, ldap.cut-after=120, ldap.code=51/20`.
//!
//! Each part is `pbx.` or `ldap.`, a name, `=` and a value; the names and
//! values stand with [`pbx::Faults::set`] and [`directory::Faults::set`]. An
//! empty value takes the fault back. Counted faults strike at the same request
//! every time, those by chance as the sandbox's seed decides.

use crate::{directory, pbx};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    pub pbx: pbx::Faults,
    pub ldap: directory::Faults,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    #[error("`{0}` is not a fault: write it like `pbx.locked=5%` or `ldap.latency=30ms`")]
    Form(String),
    #[error("{0}")]
    Value(String),
}

impl Faults {
    pub fn parse(spec: &str) -> Result<Self, FaultsError> {
        let mut faults = Faults::default();
        for part in spec.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let form = || FaultsError::Form(part.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(form)?;
            let (half, name) = name.trim().split_once('.').ok_or_else(form)?;
            match half {
                "pbx" => faults.pbx.set(name, value.trim()),
                "ldap" => faults.ldap.set(name, value.trim()),
                _ => return Err(form()),
            }
            .map_err(FaultsError::Value)?;
        }
        Ok(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pbx::Rate;
    use std::time::Duration;

    #[test]
    fn one_line_sets_both_halves() {
        let faults = Faults::parse("pbx.locked=5%, ldap.latency=30ms,, pbx.drop=1/50,").unwrap();
        assert_eq!(faults.pbx.locked, Rate::Percent(5));
        assert_eq!(faults.pbx.drop, Rate::every(50));
        assert_eq!(faults.ldap.latency, Duration::from_millis(30));
        assert_eq!(Faults::parse(" "), Ok(Faults::default()));
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for spec in
            ["pbx.locked", "locked=5%", "web.locked=5%", "pbx.nosuch=1", "ldap.nosuch=1", "pbx.locked=soon"]
        {
            assert!(Faults::parse(spec).is_err(), "{spec}");
        }
    }
}
