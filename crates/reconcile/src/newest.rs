//! Between which times a value became what it is.

use crate::field::Field;
use crate::link::{Interval, Link, LinkState, Sight};
use crate::merge::{Ages, State};
use crate::person::Person;
use crate::world::World;

/// Used where the directory's clock could not be measured, ms.
const CLOCK_SLACK_MS: i64 = 5 * 60_000;
/// How exact a measured clock and the directory's own stamps are, ms.
const STAMP_SLACK_MS: i64 = 2_000;

pub fn ages(
    world: &World,
    link: &Link,
    person: &Person,
    field: Field,
    directory: State<'_>,
    pbx: State<'_>,
) -> Ages {
    let seen = span(link.directory[field].as_ref(), directory, world.directory_seen_ms, world.now_ms);
    let looked_ms = pbx_looked_ms(world, link, field);
    Ages {
        directory: narrowed(world, person, field, seen),
        pbx: span(link.pbx[field].as_ref(), pbx, looked_ms, world.now_ms),
    }
}

/// When the PBX's last value of this field was known to stand. While a link
/// rests its employee is read, but believed nothing.
pub(crate) fn pbx_looked_ms(world: &World, link: &Link, field: Field) -> i64 {
    match (&link.state, field) {
        (LinkState::Resting { .. }, _) => 0,
        (_, Field::SipPassword | Field::Mobile) => link.record_looked_ms,
        (_, Field::Photo) => link.photo_looked_ms,
        (_, Field::Name | Field::Extension | Field::Email) => world.pbx_seen_ms,
    }
}

/// Nothing was ever seen: any two times are a tie.
pub fn never(now_ms: i64) -> Ages {
    let ever = Interval { after_ms: 0, by_ms: now_ms };
    Ages { directory: ever, pbx: ever }
}

/// A value seen before keeps the interval of its sight; a new one came after
/// the last look at its predecessor.
fn span(sight: Option<&Sight>, now: State<'_>, last_look_ms: i64, now_ms: i64) -> Interval {
    match sight {
        Some(sight) if sight.value.as_ref() == now.value() => sight.change,
        _ => Interval { after_ms: last_look_ms, by_ms: now_ms },
    }
}

/// AD dates single attributes; elsewhere the entry's time is an upper bound
/// only, since any other write moves it.
fn narrowed(world: &World, person: &Person, field: Field, seen: Interval) -> Interval {
    let slack = if world.skew_ms.is_some() { STAMP_SLACK_MS } else { CLOCK_SLACK_MS };
    let ours = |theirs_ms: i64| theirs_ms - world.skew_ms.unwrap_or(0);
    let dated = world.attribute_changes.get(&person.id).and_then(|changes| changes[field].as_ref());
    let (after_ms, by_ms) = match (dated, person.modified_ms) {
        (Some(change), _) => (ours(change.time_ms) - slack, ours(change.time_ms) + slack),
        (None, Some(modified_ms)) => (seen.after_ms, ours(modified_ms) + slack),
        (None, None) => return seen,
    };
    let narrow = Interval { after_ms: seen.after_ms.max(after_ms), by_ms: seen.by_ms.min(by_ms) };
    // A stamp that contradicts what we saw ourselves is worth nothing.
    if narrow.after_ms <= narrow.by_ms { narrow } else { seen }
}
