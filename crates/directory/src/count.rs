//! How many people the settings find, and the first of them, without reading
//! everybody.

use crate::advice::Refusal;
use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::Error;
use crate::filter::{self, FilterError};
use crate::session::Query;
use serde::Serialize;
use std::collections::BTreeSet;

/// Counting ends here: whoever asks wants to know whether the filter is right.
pub const COUNT_MAX: usize = 50_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    pub people: usize,
    /// Why there may be more: our own bound, or the server's limit.
    pub cut_short: Option<String>,
}

impl Directory {
    /// Counts the people in scope, asking for no attribute.
    pub async fn count_people(&mut self) -> Result<Count, Error> {
        let filter = self.settings.people_filter()?;
        let page_size = self.settings.page_size;
        let outside = self.known_outside().await?;
        // Subdivisions may overlap.
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for base in self.settings.bases().to_vec() {
            self.prove(&base, "the subdivision").await?;
            let query = Query::below(base, filter.clone(), vec!["1.1".to_owned()]);
            let mut take = |entry: Entry| {
                if !outside.holds(&entry) {
                    seen.insert(entry.dn);
                }
                seen.len() < COUNT_MAX
            };
            let pages = self.session().await?.pages(query, page_size, &mut take).await?;
            if let Some(refusal) = pages.cut_short {
                return Ok(Count { people: seen.len(), cut_short: Some(cut_short(seen.len(), &refusal)) });
            }
        }
        Ok(Count { people: seen.len(), cut_short: None })
    }

    /// The entries of the first people in scope, and whether there are more.
    pub(crate) async fn some_people(
        &mut self,
        wanted: usize,
        attributes: Vec<String>,
    ) -> Result<(Vec<Entry>, bool), Error> {
        let mut people = Vec::new();
        let mut more = false;
        let filter = self.settings.people_filter()?;
        let page_size = self.settings.page_size.min(u16::try_from(wanted).unwrap_or(u16::MAX));
        let outside = self.known_outside().await?;
        for base in self.settings.bases().to_vec() {
            let query = Query::below(base, filter.clone(), attributes.clone());
            let mut take = |entry| {
                match people.len() < wanted {
                    _ if outside.holds(&entry) => {}
                    true => people.push(entry),
                    false => more = true,
                }
                !more
            };
            let pages = self.session().await?.pages(query, page_size, &mut take).await?;
            if let (false, Some(refusal)) = (more, pages.cut_short) {
                return Err(Error::Refused { what: "reading people".to_owned(), refusal });
            }
        }
        Ok((people, more))
    }
}

/// Whether an additional filter can be understood; if not, where and why.
pub fn check_filter(text: &str) -> Result<(), FilterError> {
    filter::parse(text).map(drop)
}

fn cut_short(people: usize, refusal: &Refusal) -> String {
    match people >= COUNT_MAX {
        true => format!("counting ends at {COUNT_MAX}"),
        false => refusal.to_string(),
    }
}
