//! A pair belongs to its meaning. What a change of settings does to the pairs
//! that are remembered: dropped pairs meet anew, after a preview.

use super::options::Draft;
use directory::Source;
use reconcile::{Direction, Field, FieldMap, Link, Pair};

/// What becomes of the pairs of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    /// Another attribute, template or region: what was seen means something else.
    Void,
    /// The field was off: nobody kept it in step meanwhile.
    MeetsAnew,
    /// It may now flow where it could not: whatever differs meets anew.
    MeetsAnewIfDifferent,
}

/// The links that change, and how many pairs each field loses.
#[derive(Debug)]
pub struct Dropped {
    pub links: Vec<Link>,
    pub pairs: FieldMap<usize>,
}

pub fn after(old: &Draft, new: &Draft, links: &[Link]) -> Dropped {
    let fates = FieldMap::from_fn(|field| fate(old, new, field));
    let mut dropped = Dropped { links: Vec::new(), pairs: FieldMap::default() };
    for link in links {
        let mut now = link.clone();
        for (field, fate) in fates.iter() {
            meet(&mut now, field, *fate);
            dropped.pairs[field] += usize::from(link.pairs[field].is_some() && now.pairs[field].is_none());
        }
        if now != *link {
            dropped.links.push(now);
        }
    }
    dropped
}

fn fate(old: &Draft, new: &Draft, field: Field) -> Fate {
    let (from, to) = (direction(old, field), direction(new, field));
    let widened = (to.to_pbx() && !from.to_pbx()) || (to.to_directory() && !from.to_directory());
    match (from, to) {
        _ if !same_meaning(old, new, field) => Fate::Void,
        (Direction::Off, Direction::Off) => Fate::Stays,
        (Direction::Off, _) => Fate::MeetsAnew,
        _ if widened => Fate::MeetsAnewIfDifferent,
        _ => Fate::Stays,
    }
}

fn meet(link: &mut Link, field: Field, fate: Fate) {
    let drops = match fate {
        Fate::Stays => false,
        Fate::Void => {
            // The old attribute's sights would prove the new one's emptiness.
            link.directory[field] = None;
            if field == Field::Mobile {
                link.pbx[field] = None;
            }
            if field == Field::Photo {
                link.photo_mark = None;
            }
            true
        }
        Fate::MeetsAnew => true,
        Fate::MeetsAnewIfDifferent => link.pairs[field].as_ref().is_some_and(differs),
    };
    if drops {
        link.pairs[field] = None;
    }
}

/// What a human agreed although it differs is not asked about again.
fn differs(pair: &Pair) -> bool {
    let equivalent = match (&pair.directory, &pair.pbx) {
        (Some(directory), Some(pbx)) => directory.equivalent(pbx),
        (None, None) => true,
        _ => false,
    };
    !equivalent && !pair.held
}

fn direction(draft: &Draft, field: Field) -> Direction {
    draft.policy.direction(field)
}

fn same_meaning(old: &Draft, new: &Draft, field: Field) -> bool {
    // The region resolves mobiles; an inner extension is read without it.
    let region = field != Field::Mobile || old.settings.region == new.settings.region;
    region
        && match (&old.settings.map.fields[field], &new.settings.map.fields[field]) {
            (Some(Source::Attribute(a)), Some(Source::Attribute(b)))
            | (Some(Source::Inner(a)), Some(Source::Inner(b))) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::ServerOptions;
    use directory::Kind;
    use reconcile::{EmployeeId, Interval, LinkState, Mark, PersonId, Sight, Value};

    fn draft() -> Draft {
        let mut draft = Draft::new(Kind::OpenLdap);
        let options = ServerOptions {
            hosts: vec!["localhost".to_owned()],
            domain: None,
            bind_dn: Some("cn=sync,dc=a".to_owned()),
            base_dn: Some("dc=a".to_owned()),
            region: Some("ru".to_owned()),
            maps: vec!["name=displayName".to_owned()],
            ..ServerOptions::default()
        };
        draft.take(&options).unwrap();
        draft
    }

    /// A link that agrees on everything but, to the letter, on the mobile.
    fn link() -> Link {
        let value = |text: &str| Some(Value::new(text, text));
        let pair = |field| {
            let pbx = if field == Field::Mobile { value("another") } else { value("same") };
            Some(Pair { directory: value("same"), pbx, held: false })
        };
        let sight = |_| {
            let change = Interval { after_ms: 0, by_ms: 1 };
            Some(Sight { value: value("same"), change, mark: None })
        };
        Link {
            person: PersonId::new("p"),
            employee: EmployeeId(1),
            state: LinkState::Active,
            pairs: FieldMap::from_fn(pair),
            directory: FieldMap::from_fn(sight),
            pbx: FieldMap::from_fn(sight),
            name: "P".into(),
            dn: "cn=p,dc=a".into(),
            dial: "".into(),
            record_looked_ms: 1,
            photo_looked_ms: 1,
            photo_etag: None,
            photo_mark: Some(Mark("1".into())),
        }
    }

    fn check(change: impl Fn(&mut ServerOptions), expected: &[Field]) -> Vec<Link> {
        let old = draft();
        let mut options = ServerOptions::default();
        change(&mut options);
        let mut new = old.clone();
        new.take(&options).unwrap();
        let dropped = after(&old, &new, &[link()]);
        let fields: Vec<Field> =
            dropped.pairs.iter().filter(|(_, count)| **count > 0).map(|(field, _)| field).collect();
        assert_eq!(fields, expected, "{options:?}");
        dropped.links
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn another_meaning_voids_the_pair_and_the_sights() {
        let links = check(
            |options| options.maps = texts(&["photo=thumbnailPhoto", "email="]),
            &[Field::Email, Field::Photo],
        );
        assert_eq!(links[0].directory[Field::Photo], None);
        assert_eq!(links[0].photo_mark, None);
        assert!(links[0].directory[Field::Name].is_some() && links[0].pbx[Field::Photo].is_some());
        let links = check(|options| options.region = Some("de".to_owned()), &[Field::Mobile]);
        assert_eq!((&links[0].directory[Field::Mobile], &links[0].pbx[Field::Mobile]), (&None, &None));
        check(|options| options.maps = texts(&["email=MAIL"]), &[]);
    }

    #[test]
    fn widening_drops_what_differs_and_narrowing_nothing() {
        assert_eq!(check(|options| options.write_back = true, &[Field::Mobile]).len(), 1);
        check(|options| options.directions = texts(&["mobile=off", "name=off"]), &[]);
        check(|options| options.base_dn = Some("ou=x,dc=a".to_owned()), &[]);
    }

    #[test]
    fn a_held_pair_survives_widening() {
        let (old, mut new) = (draft(), draft());
        new.policy.write_back = true;
        let mut held = link();
        held.pairs[Field::Mobile].as_mut().unwrap().held = true;
        assert!(after(&old, &new, &[held]).links.is_empty());
    }

    #[test]
    fn leaving_off_drops_every_pair_of_the_field() {
        let mut old = draft();
        old.policy.fields[Field::Email].direction = Direction::Off;
        let dropped = after(&old, &draft(), &[link()]);
        assert_eq!(dropped.pairs[Field::Email], 1);
        // Sights stay: the field was looked at all the time.
        assert!(dropped.links[0].directory[Field::Email].is_some());
    }
}
