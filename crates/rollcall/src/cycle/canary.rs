//! The canary: before a look-up that finds nobody is believed, it has to find
//! somebody who is there. Asked the same way as after the missing, so that a
//! right that was withdrawn, a proxy that lies and a replica that lost its
//! people all show.

use directory::{Directory, Target};
use reconcile::canary::canaries;
use reconcile::{Field, Person, Value, Whereabouts, World};

/// Proves that looking up by id finds people; else why nobody's absence is
/// believed. Somebody who is not found may have left since the listing, so
/// others are tried.
pub async fn prove(world: &World, directory: &mut Directory) -> Result<(), String> {
    let mut first = None;
    for person in canaries(world) {
        // Without a hint where they are: the missing have none that holds.
        let target = Target { id: person.id.clone(), dn: String::new() };
        let seen = match directory.whereabouts(&target).await {
            Ok(Whereabouts::InScope) => return Ok(()),
            Ok(Whereabouts::NotFound) => "finds nobody".to_owned(),
            Ok(Whereabouts::OutOfScope { dn }) => format!("finds them elsewhere, at {dn}"),
            Ok(Whereabouts::FilteredOut { .. }) => "finds them outside of the filter".to_owned(),
            Ok(Whereabouts::Refused(why)) => {
                return Err(doubt(directory, person, &format!("is refused: {why}")));
            }
            Err(error) => return Err(doubt(directory, person, &format!("failed: {error}"))),
        };
        first.get_or_insert((person, seen));
    }
    Err(match first {
        Some((person, seen)) => doubt(directory, person, &seen),
        None => "nobody was listed, so no look-up of a missing person can be trusted".to_owned(),
    })
}

fn doubt(directory: &Directory, person: &Person, seen: &str) -> String {
    let attribute = directory.settings().id_attribute();
    let name = person.fields[Field::Name].values().first().map_or("somebody", Value::raw);
    format!(
        "{name} ({}) was just listed, but looking them up by {attribute} {seen}; so nobody who is missing is taken for gone. \
         Let the account search by {attribute} in the whole domain, and check that every address of this server \
         is the same directory",
        person.dn
    )
}
