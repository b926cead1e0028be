//! What goes wrong on demand.

use effects::Random;
use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Before every API answer, by one of three workers.
    pub latency: Option<Latency>,

    // These strike at any API request.
    /// 503: the queue of the workers is full.
    pub busy: Rate,
    /// 429, and the address stays blocked.
    pub limit: Rate,
    /// 403 as text: the request filter takes offence.
    pub forbidden: Rate,
    /// 502 as HTML.
    pub gateway: Rate,

    // These strike at writes of employees.
    /// 422 `database is locked`; nothing is stored.
    pub locked: Rate,
    /// 400 as if no worker answered; nothing is stored.
    pub timeout: Rate,
    /// 400 as if no worker answered; it is stored all the same.
    pub timeout_done: Rate,
    /// The connection dies after the write.
    pub drop: Rate,
    /// The connection dies before the write.
    pub drop_before: Rate,
    /// Somebody else takes the number just before a create.
    pub race: Rate,
    /// 400 as if no worker answered; a create is stored all the same, but only
    /// just before the next one.
    pub late: Rate,

    // The event bus.
    /// A message about a change that never was, beside any API request.
    pub phantom_event: Rate,
    /// A message gets lost.
    pub lose_event: Rate,

    /// Names are silently cut to so many characters.
    pub cut: Option<usize>,
    /// By how much `recordsTotal` and `recordsFiltered` are wrong.
    pub total: i64,
    /// How long the verdict over an API key is remembered, in seconds, instead
    /// of 300 for a good key and 60 for a bad one.
    pub key_cache: Option<u64>,
    /// Messages come in Russian.
    pub russian: bool,
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rate {
    #[default]
    Never,
    /// The next so many times.
    Next(u32),
    /// Every so many times; `seen` of them went by since the last strike.
    Every { times: u32, seen: u32 },
    /// By chance.
    Percent(u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    pub least: Duration,
    pub most: Duration,
}

impl Faults {
    /// Sets one fault from its text, as `name=value`:
    ///
    /// | name | value |
    /// |---|---|
    /// | `latency` | `30ms` or `25ms-40ms` |
    /// | `busy`, `limit`, `forbidden`, `gateway` | how often, of the API requests |
    /// | `locked`, `timeout`, `timeout-done`, `drop`, `drop-before` | how often, of the writes |
    /// | `race`, `late` | how often, of the creates |
    /// | `phantom-event` | how often, of the API requests |
    /// | `lose-event` | how often, of the messages |
    /// | `cut` | characters |
    /// | `total` | a number, such as `-1` |
    /// | `key-cache` | seconds |
    /// | `language` | `ru` |
    ///
    /// How often is `5%`, `1/50` (every 50th), `x3` (the next three) or
    /// `always`. Each name with an empty value takes the fault back.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = |expected: &str| format!("fault `{name}`: `{value}` is not {expected}");
        if let Some(rate) = self.rate_mut(name) {
            *rate = Rate::parse(value).ok_or_else(|| wrong("how often: 5%, 1/50, x3 or always"))?;
            return Ok(());
        }
        match name {
            "latency" => {
                self.latency = optional(value, Latency::parse).ok_or_else(|| wrong("a time such as 30ms"))?
            }
            "cut" => {
                self.cut =
                    optional(value, |n| n.parse().ok()).ok_or_else(|| wrong("a number of characters"))?
            }
            "total" => {
                self.total =
                    optional(value, |n| n.parse().ok()).ok_or_else(|| wrong("a number"))?.unwrap_or(0);
            }
            "key-cache" => {
                self.key_cache =
                    optional(value, |n| n.parse().ok()).ok_or_else(|| wrong("a number of seconds"))?;
            }
            "language" if matches!(value, "ru" | "en" | "") => self.russian = value == "ru",
            "language" => return Err(wrong("ru or en")),
            _ => return Err(format!("unknown PBX fault `{name}`")),
        }
        Ok(())
    }

    fn rate_mut(&mut self, name: &str) -> Option<&mut Rate> {
        Some(match name {
            "busy" => &mut self.busy,
            "limit" => &mut self.limit,
            "forbidden" => &mut self.forbidden,
            "gateway" => &mut self.gateway,
            "locked" => &mut self.locked,
            "timeout" => &mut self.timeout,
            "timeout-done" => &mut self.timeout_done,
            "drop" => &mut self.drop,
            "drop-before" => &mut self.drop_before,
            "race" => &mut self.race,
            "late" => &mut self.late,
            "phantom-event" => &mut self.phantom_event,
            "lose-event" => &mut self.lose_event,
            _ => return None,
        })
    }
}

impl Rate {
    pub const ALWAYS: Rate = Rate::every(1);

    pub const fn every(times: u32) -> Self {
        Rate::Every { times, seen: 0 }
    }

    pub fn strikes(&mut self, random: &dyn Random) -> bool {
        match self {
            Rate::Never | Rate::Next(0) => false,
            Rate::Next(left) => {
                *left -= 1;
                true
            }
            Rate::Every { times, seen } => {
                *seen += 1;
                let strikes = *seen >= *times;
                if strikes {
                    *seen = 0;
                }
                strikes
            }
            Rate::Percent(percent) => below(random, 100) < u64::from(*percent),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(percent) = text.strip_suffix('%') {
            return percent.parse().ok().filter(|percent| *percent <= 100).map(Rate::Percent);
        }
        if let Some(times) = text.strip_prefix("1/") {
            return times.parse().ok().filter(|times| *times > 0).map(Rate::every);
        }
        if let Some(times) = text.strip_prefix('x') {
            return times.parse().ok().map(Rate::Next);
        }
        match text {
            "" => Some(Rate::Never),
            "always" => Some(Rate::ALWAYS),
            _ => None,
        }
    }
}

impl Latency {
    pub(super) fn draw(self, random: &dyn Random) -> Duration {
        let spread = self.most.saturating_sub(self.least).as_micros();
        let extra = below(random, u64::try_from(spread).unwrap_or(u64::MAX).saturating_add(1));
        self.least + Duration::from_micros(extra)
    }

    fn parse(text: &str) -> Option<Self> {
        let (least, most) = text.split_once('-').unwrap_or((text, text));
        let ms = |text: &str| text.trim().strip_suffix("ms")?.parse().ok().map(Duration::from_millis);
        let (least, most) = (ms(least)?, ms(most)?);
        (least <= most).then_some(Latency { least, most })
    }
}

/// A number below `bound`, which is not 0. The bias is far below what a test
/// could see.
pub(super) fn below(random: &dyn Random, bound: u64) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % bound
}

/// `None` for a text that means nothing; `Some(None)` for no text.
fn optional<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { parse(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use effects::SeededRandom;

    #[test]
    fn faults_are_set_and_taken_back_by_name() {
        let texts = [
            ("latency", "25ms-40ms"),
            ("locked", "5%"),
            ("timeout-done", "1/50"),
            ("drop", "x2"),
            ("total", "-1"),
            ("language", "ru"),
        ];
        let mut faults = Faults::default();
        for (name, value) in texts {
            faults.set(name, value).unwrap();
        }
        let expected = Faults {
            latency: Some(Latency { least: Duration::from_millis(25), most: Duration::from_millis(40) }),
            locked: Rate::Percent(5),
            timeout_done: Rate::every(50),
            drop: Rate::Next(2),
            total: -1,
            russian: true,
            ..Faults::default()
        };
        assert_eq!(faults, expected);
        for (name, _) in texts {
            faults.set(name, "").unwrap();
        }
        assert_eq!(faults, Faults::default());
        for (name, value) in
            [("latency", "40ms-25ms"), ("locked", "101%"), ("drop", "1/0"), ("cut", "x"), ("no", "1")]
        {
            assert!(faults.set(name, value).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn rates_strike_as_often_as_they_say() {
        let random = SeededRandom::new(1);
        let strikes = |mut rate: Rate, of: usize| (0..of).filter(|_| rate.strikes(&random)).count();
        assert_eq!(strikes(Rate::Never, 100), 0);
        assert_eq!(strikes(Rate::Next(3), 100), 3);
        assert_eq!(strikes(Rate::every(50), 100), 2);
        assert_eq!(strikes(Rate::ALWAYS, 100), 100);
        assert!((300..=700).contains(&strikes(Rate::Percent(5), 10_000)));
    }
}
