//! Where people are out of scope although a search finds them. The rest of the
//! scope is a filter that the server applies (`dialect`, `groups`).

use crate::directory::Directory;
use crate::dn;
use crate::entry::Entry;
use crate::error::Error;

/// The places in which an entry is nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    excluded: Vec<Vec<String>>,
    own: Option<Vec<String>>,
}

impl Outside {
    /// Whether this entry is below an excluded subdivision, or the account we
    /// sign in with.
    pub fn holds(&self, entry: &Entry) -> bool {
        self.excludes(entry)
            || self.own.as_ref().is_some_and(|own| dn::parse(&entry.dn).is_ok_and(|place| place == *own))
    }

    /// Whether this entry is below an excluded subdivision. A name we cannot
    /// read proves nothing.
    pub fn excludes(&self, entry: &Entry) -> bool {
        !self.excluded.is_empty()
            && dn::parse(&entry.dn)
                .is_ok_and(|place| self.excluded.iter().any(|base| dn::within(&place, base)))
    }
}

impl Directory {
    /// The places that are out of scope, in the server's own spelling; and why
    /// that is not known, where a subdivision that is to be left out cannot be
    /// found: it may have been renamed, with everybody below it.
    pub(crate) async fn outside(&mut self) -> Result<(Outside, Vec<String>), Error> {
        let mut outside = Outside { excluded: Vec::new(), own: self.settings.own_dn() };
        let mut reasons = Vec::new();
        for text in self.settings.exclude.clone() {
            match self.prove(&text, "the excluded subdivision").await {
                Ok(entry) => outside.excluded.extend(dn::parse(&entry.dn)),
                Err(error @ Error::Refused { .. }) => {
                    outside.excluded.extend(dn::parse(&text));
                    reasons.push(error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Ok((outside, reasons))
    }

    /// The same for somebody who looks on: not to know is an error.
    pub(crate) async fn known_outside(&mut self) -> Result<Outside, Error> {
        let (outside, reasons) = self.outside().await?;
        match reasons.is_empty() {
            true => Ok(outside),
            false => Err(Error::Settings(reasons.join("; "))),
        }
    }
}
