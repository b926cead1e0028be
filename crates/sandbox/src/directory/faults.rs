//! What goes wrong on demand. All of it is counted, none of it drawn by lot,
//! so that a fault strikes at the same place every time.

use ldap3_proto::LdapResultCode;
use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Before every answer.
    pub latency: Duration,
    pub bind: Option<Failure>,
    pub search: Option<Failure>,
    /// Modify, add, delete and rename.
    pub write: Option<Failure>,
    /// The connection is dropped after this many entries were sent on it.
    pub cut_after: Option<u64>,
    /// At most this many entries a page, whatever was asked for.
    pub page_short: Option<usize>,
    /// After this many pages the cookie is missing although more is there.
    pub page_lost: Option<u32>,
    /// The n-th request on a connection is answered with a notice of disconnection.
    pub disconnect_at: Option<u64>,
    /// A search ends with code 4 after this many entries, paged or not.
    pub size_limit: Option<usize>,
    /// Every n-th write is done, and the connection dropped before the answer.
    pub lose_answer: Option<u64>,
    /// From the n-th look-up by id on nobody is found, as on a server that
    /// hides the id or lost its people; lists are whole.
    pub forget_ids: Option<u64>,
}

/// A result code for every n-th request of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: LdapResultCode,
    pub every: u64,
}

impl Faults {
    /// Sets one fault from its text, as `name=value`:
    ///
    /// | name | value |
    /// |---|---|
    /// | `latency` | `30ms` |
    /// | `bind`, `search`, `write` | `51` or `51/20`: the code, always or every 20th time |
    /// | `code` | the same for `search` and `write` |
    /// | `cut-after`, `page-short`, `page-lost`, `disconnect-at`, `size-limit`, `lose-answer`, `forget-ids` | a number |
    ///
    /// Each name alone (an empty value) takes the fault back.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = || optional(value, |text| text.parse().ok().filter(|n| *n > 0));
        let failure = || optional(value, Failure::parse);
        let wrong = |expected: &str| format!("fault `{name}`: `{value}` is not {expected}");
        let (a_number, a_failure) =
            (|| wrong("a number above 0"), || wrong("a result code such as 51 or 51/20"));
        match name {
            "latency" => {
                let ms = optional(value, |text| text.trim_end_matches("ms").parse().ok());
                self.latency =
                    Duration::from_millis(ms.ok_or_else(|| wrong("a time such as 30ms"))?.unwrap_or(0));
            }
            "bind" => self.bind = failure().ok_or_else(a_failure)?,
            "search" => self.search = failure().ok_or_else(a_failure)?,
            "write" => self.write = failure().ok_or_else(a_failure)?,
            "code" => {
                self.search = failure().ok_or_else(a_failure)?;
                self.write = self.search.clone();
            }
            "cut-after" => self.cut_after = number().ok_or_else(a_number)?,
            "page-short" => self.page_short = number().ok_or_else(a_number)?.map(|n| n as usize),
            "page-lost" => self.page_lost = number().ok_or_else(a_number)?.map(|n| n as u32),
            "disconnect-at" => self.disconnect_at = number().ok_or_else(a_number)?,
            "size-limit" => self.size_limit = number().ok_or_else(a_number)?.map(|n| n as usize),
            "forget-ids" => self.forget_ids = number().ok_or_else(a_number)?,
            "lose-answer" => self.lose_answer = number().ok_or_else(a_number)?,
            _ => return Err(format!("unknown directory fault `{name}`")),
        }
        Ok(())
    }
}

impl Failure {
    pub fn always(code: LdapResultCode) -> Self {
        Failure { code, every: 1 }
    }

    fn parse(text: &str) -> Option<Self> {
        let (code, every) = text.split_once('/').unwrap_or((text, "1"));
        let code = LdapResultCode::try_from(code.parse::<i64>().ok()?).ok()?;
        let every = every.parse().ok().filter(|every| *every > 0)?;
        Some(Failure { code, every })
    }

    /// Whether it strikes the `count`-th request, counted from 1.
    pub fn strikes(&self, count: u64) -> bool {
        count.is_multiple_of(self.every)
    }
}

/// `None` for a text that means nothing; `Some(None)` for no text.
fn optional<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { parse(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_set_and_taken_back_by_name() {
        let mut faults = Faults::default();
        for (name, value) in [
            ("latency", "30ms"),
            ("code", "51/20"),
            ("cut-after", "120"),
            ("page-short", "1"),
            ("forget-ids", "3"),
        ] {
            faults.set(name, value).unwrap();
        }
        let busy = Some(Failure { code: LdapResultCode::Busy, every: 20 });
        assert_eq!(
            faults,
            Faults {
                latency: Duration::from_millis(30),
                search: busy.clone(),
                write: busy,
                cut_after: Some(120),
                page_short: Some(1),
                forget_ids: Some(3),
                ..Faults::default()
            }
        );
        for name in ["latency", "code", "cut-after", "page-short", "forget-ids"] {
            faults.set(name, "").unwrap();
        }
        assert_eq!(faults, Faults::default());
        for (name, value) in
            [("latency", "soon"), ("code", "51/0"), ("code", "9999"), ("cut-after", "0"), ("x", "1")]
        {
            assert!(faults.set(name, value).is_err(), "{name}={value}");
        }
    }
}
