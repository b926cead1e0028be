//! From what a read found to what is known: absence is proved, never assumed,
//! and of several values one is the person's.

use crate::field::{Field, FieldMap};
use crate::link::Link;
use crate::merge::State;
use crate::person::{Mark, Person};
use crate::value::{Reading, Value};
use crate::world::World;
use std::collections::{HashMap, HashSet};

/// Fewer people than this say nothing about an attribute that vanished.
const VANISHED_PEOPLE_MIN: u32 = 3;

/// Attributes that vanished from most of the people who had them, in the whole
/// directory or below one parent: taken for a change of rights, not of data.
#[derive(Debug, Default)]
pub struct Vanished<'w> {
    everywhere: FieldMap<bool>,
    below: HashSet<(Field, &'w str)>,
}

/// Of those who had a value and whose attribute was looked at.
#[derive(Clone, Copy, Default)]
struct Tally {
    had: u32,
    lost: u32,
}

impl Tally {
    fn count(&mut self, lost: bool) {
        self.had += 1;
        self.lost += u32::from(lost);
    }

    fn most_lost(self) -> bool {
        self.lost >= VANISHED_PEOPLE_MIN && self.lost * 2 > self.had
    }
}

impl<'w> Vanished<'w> {
    pub fn find(world: &'w World, linked: &HashMap<&str, &'w Link>) -> Self {
        let link_of = |person: &Person| linked.get(person.id.as_str()).copied();
        let loses =
            |person: &Person, link, field| had(link, field) && person.fields[field] == Reading::Absent;
        let lost_any = |person: &&Person| {
            // Most people have everything: only the others are looked up.
            Field::ALL.into_iter().any(|field| person.fields[field] == Reading::Absent)
                && link_of(person)
                    .is_some_and(|link| Field::ALL.into_iter().any(|field| loses(person, link, field)))
        };
        let parents: HashSet<&str> =
            world.people.rows.iter().filter(lost_any).map(|person| parent(&person.dn)).collect();
        if parents.is_empty() {
            return Vanished::default();
        }
        let mut total = FieldMap::<Tally>::default();
        let mut by_parent: HashMap<(Field, &str), Tally> = HashMap::new();
        for person in &world.people.rows {
            let Some(link) = link_of(person) else { continue };
            let above = Some(parent(&person.dn)).filter(|above| parents.contains(above));
            for field in Field::ALL.into_iter().filter(|field| had(link, *field) && looked(person, *field)) {
                let lost = person.fields[field] == Reading::Absent;
                total[field].count(lost);
                if let Some(above) = above {
                    by_parent.entry((field, above)).or_default().count(lost);
                }
            }
        }
        by_parent.retain(|_, tally| tally.most_lost());
        Vanished {
            everywhere: FieldMap::from_fn(|field| total[field].most_lost()),
            below: by_parent.into_keys().collect(),
        }
    }

    fn holds(&self, field: Field, person: &Person) -> bool {
        self.everywhere[field] || self.below.contains(&(field, parent(&person.dn)))
    }
}

/// What is known of a field in the directory. `pbx` helps to choose among
/// several values.
pub fn in_directory<'a>(
    world: &World,
    vanished: &Vanished<'_>,
    link: Option<&'a Link>,
    person: &'a Person,
    field: Field,
    pbx: &'a Reading,
) -> State<'a> {
    match &person.fields[field] {
        Reading::Unmapped | Reading::NotLooked => State::Unknown,
        Reading::Unusable(_) => State::Unusable,
        Reading::Empty => State::Empty,
        Reading::Values(values) => State::Set(chosen(values, link, field, pbx)),
        Reading::Absent => match link {
            Some(link) if had(link, field) && !proved(world, vanished, link, person, field) => State::Unknown,
            _ => State::Empty,
        },
    }
}

/// What is known of a field in the PBX, whose records are whole: no absence
/// has to be proved there.
pub fn in_pbx(reading: &Reading) -> State<'_> {
    match reading {
        Reading::Unmapped | Reading::NotLooked => State::Unknown,
        Reading::Absent | Reading::Empty => State::Empty,
        Reading::Values(values) => values.first().map_or(State::Empty, State::Set),
        Reading::Unusable(_) => State::Unusable,
    }
}

/// Whether a human has to say which of several values is the person's: only
/// where a wrong guess would cost a number or a password.
pub fn undecided(reading: &Reading, link: Option<&Link>, field: Field, pbx: &Reading) -> bool {
    let values = reading.values();
    values.len() > 1
        && matches!(field, Field::Extension | Field::SipPassword)
        && agreed_or_equivalent(values, link, field, pbx).is_none()
}

/// The agreed value while it is among them; else the one equivalent to the
/// PBX's; else the smallest in canonical order.
fn chosen<'a>(values: &'a [Value], link: Option<&Link>, field: Field, pbx: &Reading) -> &'a Value {
    agreed_or_equivalent(values, link, field, pbx).unwrap_or(&values[0])
}

fn agreed_or_equivalent<'a>(
    values: &'a [Value],
    link: Option<&Link>,
    field: Field,
    pbx: &Reading,
) -> Option<&'a Value> {
    if let [only] = values {
        return Some(only);
    }
    let agreed = link.and_then(|link| link.pairs[field].as_ref()).and_then(|pair| pair.directory.as_ref());
    let among = |wanted: &Value| {
        values.iter().find(|value| *value == wanted).or_else(|| values.iter().find(|v| v.equivalent(wanted)))
    };
    agreed.and_then(among).or_else(|| pbx.values().iter().find_map(among))
}

/// Whether we ever saw a value of this field, and no proof of emptiness since.
pub(crate) fn had(link: &Link, field: Field) -> bool {
    match &link.directory[field] {
        Some(sight) => sight.value.is_some(),
        None => link.pairs[field].as_ref().is_some_and(|pair| pair.directory.is_some()),
    }
}

fn looked(person: &Person, field: Field) -> bool {
    !matches!(person.fields[field], Reading::Unmapped | Reading::NotLooked)
}

fn proved(world: &World, vanished: &Vanished<'_>, link: &Link, person: &Person, field: Field) -> bool {
    if !world.people.verdict.is_complete() || vanished.holds(field, person) {
        return false;
    }
    let then = link.directory[field].as_ref().and_then(|sight| sight.mark.as_ref());
    let (Some(then), Some(now)) = (then, person.mark.as_ref()) else { return false };
    if !world.dates_attributes {
        // Marks that all servers share begin with the time: an older one comes
        // from a replica that lags behind, which may not have the value yet.
        return match (server(then), server(now)) {
            (None, None) => then.0 < now.0,
            (then_at, now_at) => then != now && then_at == now_at,
        };
    }
    let change = world.attribute_changes.get(&person.id).and_then(|changes| changes[field].as_ref());
    change.is_some_and(|change| later(&change.mark, then))
}

/// The server a mark counts for; none where marks are the same on all of them
/// (slapd). After a fail-over every mark differs, and that proves nothing.
fn server(mark: &Mark) -> Option<&str> {
    mark.0.rsplit_once(':').map(|(server, _)| server)
}

/// Whether an AD mark (`server:usn`) is later than another of the same server.
/// Numbers of different servers cannot be compared.
fn later(mark: &Mark, than: &Mark) -> bool {
    let parts = |mark: &Mark| {
        let (server, usn) = mark.0.rsplit_once(':')?;
        Some((server.to_owned(), usn.parse::<u64>().ok()?))
    };
    match (parts(mark), parts(than)) {
        (Some((server, usn)), Some((other, then))) => server == other && usn > then,
        _ => false,
    }
}

/// The DN above this one: everything after the first unescaped comma.
fn parent(dn: &str) -> &str {
    let mut escaped = false;
    for (at, byte) in dn.bytes().enumerate() {
        match byte {
            b',' if !escaped => return &dn[at + 1..],
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    ""
}
