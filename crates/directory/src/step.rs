//! The steps of a diagnosis as data, for the command line and for pages that
//! speak other languages.

use crate::settings::Settings;
use serde::Serialize;
use std::fmt;

/// What a step looks at, in the order in which one step stands on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepName {
    Domain,
    Name,
    Port,
    Tls,
    SignIn,
    #[serde(rename = "domain root")]
    DomainRoot,
    Subdivision,
    Groups,
    People,
    Ids,
    Attributes,
    Rights,
}

impl StepName {
    pub const ALL: [StepName; 12] = [
        StepName::Domain,
        StepName::Name,
        StepName::Port,
        StepName::Tls,
        StepName::SignIn,
        StepName::DomainRoot,
        StepName::Subdivision,
        StepName::Groups,
        StepName::People,
        StepName::Ids,
        StepName::Attributes,
        StepName::Rights,
    ];

    /// The word used in JSON, which stays.
    pub const fn as_str(self) -> &'static str {
        match self {
            StepName::Domain => "domain",
            StepName::Name => "name",
            StepName::Port => "port",
            StepName::Tls => "tls",
            StepName::SignIn => "sign-in",
            StepName::DomainRoot => "domain root",
            StepName::Subdivision => "subdivision",
            StepName::Groups => "groups",
            StepName::People => "people",
            StepName::Ids => "ids",
            StepName::Attributes => "attributes",
            StepName::Rights => "rights",
        }
    }

    /// Whether these settings have something to look at.
    pub(crate) fn concerns(self, settings: &Settings) -> bool {
        match self {
            StepName::Domain => settings.domain.is_some(),
            StepName::Subdivision => !(settings.ous.is_empty() && settings.exclude.is_empty()),
            StepName::Groups => !settings.groups.is_empty(),
            _ => true,
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// A synchronisation can do with what was found. A host that fails while
    /// another one answers is told in the detail only.
    Ok,
    Failed,
    /// An earlier step failed.
    NotReached,
}

/// One step of the test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub name: StepName,
    pub state: StepState,
    /// What was found, and what the administrator can do about it; empty where
    /// the step was not reached.
    pub detail: String,
}

impl Step {
    pub(crate) fn new(name: StepName, ok: bool, detail: impl Into<String>) -> Self {
        Step { name, state: if ok { StepState::Ok } else { StepState::Failed }, detail: detail.into() }
    }

    pub(crate) const fn not_reached(name: StepName) -> Self {
        Step { name, state: StepState::NotReached, detail: String::new() }
    }

    pub fn is_ok(&self) -> bool {
        self.state == StepState::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_everywhere() {
        for name in StepName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
        assert!(StepName::ALL.is_sorted());
    }
}
