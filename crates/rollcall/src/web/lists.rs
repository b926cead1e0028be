//! Lists by the page: what an address asks for, and which part of it there is.
//! What an address asks for and is not known is ignored.

use super::render::Pager;
use super::visit::encoded;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::future::Future;
use store::{Page, Window};

/// The values of an address by their names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Wishes(BTreeMap<String, String>);

impl Wishes {
    /// A text without blanks around it; empty where nothing is asked for.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map(|text| text.trim()).unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }

    /// A value of a closed set, by the word it is stored under.
    pub fn one_of<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(serde_json::Value::from(self.text(name))).ok()
    }

    pub fn page(&self) -> u32 {
        self.text("page").parse().unwrap_or(1).max(1)
    }
}

/// The same list at another page, or in another order: an address that goes on
/// behind these values.
pub fn base(values: &[(&str, &str)]) -> String {
    let asked = values.iter().filter(|(_, value)| !value.is_empty());
    let parts: Vec<String> = asked.map(|(name, value)| format!("{name}={}&", encoded(value))).collect();
    format!("?{}", parts.concat())
}

/// The page that is asked for; where a list has become shorter, its last one.
pub async fn paged<T, R>(
    asked: u32,
    rows: u32,
    read: impl Fn(Window) -> R,
) -> Result<(Vec<T>, Pager), store::Error>
where
    R: Future<Output = Result<Page<T>, store::Error>>,
{
    let mut page = asked.max(1);
    loop {
        let window = Window { limit: rows, offset: Pager::offset(page, rows) };
        let found = read(window).await?;
        let pager = Pager { page, rows, total: found.total };
        let last = u32::try_from(pager.pages()).unwrap_or(u32::MAX);
        if page <= last {
            return Ok((found.rows, pager));
        }
        page = last;
    }
}

/// The page of rows that are all at hand.
pub fn cut<T>(mut all: Vec<T>, asked: u32, rows: u32) -> (Vec<T>, Pager) {
    let total = all.len() as u64;
    let last = Pager { page: 1, rows, total }.pages();
    let page = asked.clamp(1, u32::try_from(last).unwrap_or(u32::MAX));
    let before = (Pager::offset(page, rows) as usize).min(all.len());
    let mut shown = all.split_off(before);
    shown.truncate(rows as usize);
    (shown, Pager { page, rows, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(query: &[(&str, &str)]) -> Wishes {
        Wishes(query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn what_is_not_known_is_not_asked_for() {
        let odd = wishes(&[("page", "-1"), ("server", "x"), ("trigger", "never"), ("search", "  a b ")]);
        assert_eq!((odd.page(), odd.number("server"), odd.text("search")), (1, None, "a b"));
        assert_eq!(odd.one_of::<store::Trigger>("trigger"), None);
        let known = wishes(&[("page", "7"), ("trigger", "undo")]);
        assert_eq!((known.page(), known.one_of("trigger")), (7, Some(store::Trigger::Undo)));
        assert_eq!(wishes(&[("page", "99999999999")]).page(), 1);
    }

    #[test]
    fn an_address_goes_on_with_what_was_asked() {
        assert_eq!(base(&[("a", "x&y"), ("b", ""), ("c", "ё")]), "?a=x%26y&c=%D1%91&");
        assert_eq!(base(&[]), "?");
    }

    #[tokio::test]
    async fn behind_the_last_page_is_the_last_page() {
        let read = |window: Window| async move {
            let rows = (window.offset..7).take(window.limit as usize).collect();
            Ok(Page { rows, total: 7 })
        };
        for (asked, page, rows) in [(0, 1, vec![0, 1, 2]), (3, 3, vec![6]), (u32::MAX, 3, vec![6])] {
            let (found, pager) = paged(asked, 3, read).await.unwrap();
            assert_eq!((pager.page, found), (page, rows.clone()));
            let (found, pager) = cut((0..7).collect(), asked, 3);
            assert_eq!((pager.page, pager.total, found), (page, 7, rows));
        }
        let (none, pager) = cut(Vec::<u8>::new(), 9, 3);
        assert_eq!((none.len(), pager.page), (0, 1));
    }
}
