//! Whom a look-up has to find before it is believed that it finds nobody: the
//! rights may have been taken away, or the server may not be what it was.

use crate::link::LinkState;
use crate::person::Person;
use crate::world::World;
use std::collections::HashSet;

/// So many are tried: the first ones may have been deleted since they were
/// listed.
pub const CANARIES_MAX: usize = 3;

/// People this very listing returned, who therefore exist: linked and active
/// ones before others, each in the order of their ids.
pub fn canaries(world: &World) -> Vec<&Person> {
    let active = world.links.iter().filter(|link| link.state == LinkState::Active);
    let linked: HashSet<&str> = active.map(|link| link.person.as_str()).collect();
    let at_work = |person: &&Person| person.account.active() && linked.contains(person.id.as_str());
    let rows = &world.people.rows;
    rows.iter()
        .filter(at_work)
        .chain(rows.iter().filter(|person| !at_work(person)))
        .take(CANARIES_MAX)
        .collect()
}
