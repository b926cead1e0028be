//! The forms in which lists are searched and sorted. Pure, so that both stores
//! find the same.

use crate::lists::Standing;
use crate::words::words;
use reconcile::canonical::join_name;
use reconcile::{Conflict, Field, LeftReason, Link, LinkState, Value};

/// As much of one text as is searched and sorted by; an index of PostgreSQL
/// takes no more than a few of these.
const FOLDED_BYTES_MAX: usize = 256;
/// Words of a search; further ones are not looked for.
const SEARCH_WORDS_MAX: usize = 8;

/// A text as it is searched and sorted: as names are compared, and Ё as Е.
pub(crate) fn fold(text: &str) -> String {
    let plain = |c: char| if c == 'ё' { 'е' } else { c };
    let mut folded: String = join_name(text).chars().filter(|c| !c.is_control()).map(plain).collect();
    folded.truncate(folded.floor_char_boundary(FOLDED_BYTES_MAX));
    folded
}

/// What is searched in several texts at once. No word of a search reaches over
/// the line between two.
pub(crate) fn searched<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(fold).collect::<Vec<_>>().join("\n")
}

/// What of a conflict is searched.
pub(crate) fn conflict_searched(conflict: &Conflict) -> String {
    let values = [&conflict.directory_value, &conflict.pbx_value].into_iter().filter_map(Option::as_deref);
    searched([&*conflict.name].into_iter().chain(values))
}

/// The words of a search: all of them have to be there.
pub(crate) struct Needles(Vec<String>);

impl Needles {
    pub(crate) fn of(search: &str) -> Self {
        let is_number = search.contains(|c: char| c.is_ascii_digit())
            && search.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || "+-().".contains(c));
        let folded = if is_number { digits(search) } else { fold(search) };
        Needles(folded.split_whitespace().take(SEARCH_WORDS_MAX).map(str::to_owned).collect())
    }

    pub(crate) fn are_in(&self, searched: &str) -> bool {
        self.0.iter().all(|word| searched.contains(&**word))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As patterns of LIKE, in which `!` takes its meaning from what follows.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .map(|word| format!("%{}%", word.replace('!', "!!").replace('%', "!%").replace('_', "!_")))
    }
}

/// A link as lists show, sort and search it.
pub(crate) struct Listed {
    pub number: String,
    pub email: String,
    pub mobile: String,
    pub state: State,
    pub since_ms: i64,
    pub name_key: Vec<u8>,
    pub number_key: Vec<u8>,
    pub email_key: Vec<u8>,
    pub search: String,
}

impl Listed {
    pub(crate) fn of(link: &Link) -> Self {
        let [number, email, mobile] = [Field::Extension, Field::Email, Field::Mobile]
            .map(|field| sights(link, field).next().map_or_else(String::new, |value| value.raw().to_owned()));
        let mut texts = vec![fold(&link.name), fold(&number), fold(&email)];
        for value in sights(link, Field::Mobile) {
            for reading in value.readings().chain([value.raw()]).map(digits) {
                if !texts.contains(&reading) {
                    texts.push(reading);
                }
            }
        }
        let (state, since_ms) = State::of(&link.state);
        Listed {
            name_key: fold(&link.name).into_bytes(),
            number_key: number_key(&number),
            email_key: fold(&email).into_bytes(),
            search: texts.join("\n"),
            number,
            email,
            mobile,
            state,
            since_ms,
        }
    }
}

words! {
    /// A [`LinkState`] in one word.
    pub enum State {
        Active = "active",
        Resting = "resting",
        Disabled = "disabled",
        Expired = "expired",
        Locked = "locked",
        Deleted = "deleted",
        MovedOut = "moved-out",
        FilteredOut = "filtered-out",
    }
}

impl State {
    fn of(state: &LinkState) -> (Self, i64) {
        match state {
            LinkState::Active => (State::Active, 0),
            LinkState::Resting { since_ms } => (State::Resting, *since_ms),
            LinkState::Left { reason, since_ms } => (State::left(*reason), *since_ms),
        }
    }

    pub(crate) const fn left(reason: LeftReason) -> Self {
        match reason {
            LeftReason::Disabled => State::Disabled,
            LeftReason::Expired => State::Expired,
            LeftReason::Locked => State::Locked,
            LeftReason::Deleted => State::Deleted,
            LeftReason::MovedOut => State::MovedOut,
            LeftReason::FilteredOut => State::FilteredOut,
        }
    }

    pub(crate) const fn since(self, since_ms: i64) -> LinkState {
        let reason = match self {
            State::Active => return LinkState::Active,
            State::Resting => return LinkState::Resting { since_ms },
            State::Disabled => LeftReason::Disabled,
            State::Expired => LeftReason::Expired,
            State::Locked => LeftReason::Locked,
            State::Deleted => LeftReason::Deleted,
            State::MovedOut => LeftReason::MovedOut,
            State::FilteredOut => LeftReason::FilteredOut,
        };
        LinkState::Left { reason, since_ms }
    }
}

impl Standing {
    pub(crate) fn is_of(self, state: &LinkState) -> bool {
        match (self, state) {
            (Standing::Active, LinkState::Active)
            | (Standing::Resting, LinkState::Resting { .. })
            | (Standing::Left, LinkState::Left { .. }) => true,
            (Standing::LeftAs(wanted), LinkState::Left { reason, .. }) => wanted == *reason,
            _ => false,
        }
    }
}

/// The values last seen: in the PBX, and in the directory.
fn sights(link: &Link, field: Field) -> impl Iterator<Item = &Value> {
    [&link.pbx[field], &link.directory[field]].into_iter().flatten().filter_map(|sight| sight.value.as_ref())
}

/// Shorter numbers first, then digit by digit: as numbers are sorted, but with
/// the zeros that begin one.
fn number_key(number: &str) -> Vec<u8> {
    let folded = fold(number);
    let length = u8::try_from(folded.len()).unwrap_or(u8::MAX);
    [&[length], folded.as_bytes()].concat()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(FOLDED_BYTES_MAX).collect()
}
