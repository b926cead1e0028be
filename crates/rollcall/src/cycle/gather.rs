//! Reads both sides and our memory into one world, looking closer only where
//! a decision needs it. Reads only.

use super::progress::{Phase, Progress};
use super::recover::{Recovered, recover};
use crate::app::App;
use crate::limits;
use anyhow::{Context, Result};
use directory::{Directory, Known, Target};
use futures_util::StreamExt;
use futures_util::stream;
use pbx::{Pbx, PhotoAnswer};
use reconcile::guard::{Counts, GuardKind};
use reconcile::needs::{self, Look, Needs};
use reconcile::{
    Employee, EmployeeId, Field, Link, PersonId, Reading, SetAside, Verdict, Whereabouts, World,
};
use std::collections::{BTreeMap, HashMap};
use store::{DirectoryId, DirectoryRow, HeldBy};

/// A world, and what was looked at to make it.
pub struct Gathered {
    pub world: World,
    pub looked: Looked,
    /// The search references met, to be remembered after a complete read.
    pub references: Vec<String>,
    pub warnings: Vec<String>,
    pub recovered: Recovered,
}

/// What was looked at beyond the listings, by employee.
#[derive(Debug, Default)]
pub struct Looked {
    /// With the dial string the list showed at that time.
    pub records: HashMap<EmployeeId, Box<str>>,
    pub etags: HashMap<EmployeeId, Option<Box<str>>>,
}

pub async fn gather(
    app: &App,
    row: &DirectoryRow,
    directory: &mut Directory,
    pbx: &Pbx,
    also: &[Look],
    progress: &dyn Progress,
) -> Result<Gathered> {
    let links = app.store.links(row.id).await?;
    let settings = directory.settings().clone();
    let known = Known { references: row.references.iter().cloned().collect(), linked: links.len() };
    progress.phase(Phase::ReadDirectory, (!links.is_empty()).then_some(links.len()));
    let mut last = 0;
    let mut read_so_far = |count: usize| {
        progress.advance(count.saturating_sub(last));
        last = count;
    };
    let read = directory
        .read_people(&known, &mut read_so_far)
        .await
        .with_context(|| format!("server `{}` could not be read", row.name))?;
    progress.phase(Phase::ReadPbx, None);
    let listing = pbx.snapshot(&|_| {}).await.context("the PBX could not be read")?;

    let held = app.store.held_numbers(row.pbx, app.clock.now_ms() - row.policy.cool_down_ms).await?;
    let (mut reserved, cooling) = split_held(held, row);
    reserved.extend(asked_elsewhere(app, row).await?);
    let elsewhere = linked_elsewhere(app, row).await?;
    let mut world = World {
        now_ms: app.clock.now_ms(),
        policy: effective_policy(row, &settings),
        mapped: settings.map.mapped(),
        people: read.snapshot,
        employees: listing.employees,
        numbers: listing.numbers,
        extensions_length: listing.extensions_length,
        links,
        linked_elsewhere: elsewhere,
        reserved,
        cooling,
        decisions: app.store.decisions(row.id).await?,
        set_aside: set_aside(app, row).await?,
        whereabouts: HashMap::new(),
        attribute_changes: HashMap::new(),
        dates_attributes: settings.kind == directory::Kind::ActiveDirectory,
        directory_seen_ms: row.last_complete_ms,
        pbx_seen_ms: row.pbx_complete_ms,
        skew_ms: directory.skew_ms(),
        recent: recent(app, row).await?,
        ran_before: row.ran_before,
    };
    let mut warnings = read.warnings;
    if world.people.rows.is_empty() {
        warnings
            .push("nobody was found in the directory: check domain root, subdivisions and filter".to_owned());
    }
    let mut recovered = recover(app, row, pbx, &mut world).await?;
    let also = [also, &recovered.looks()].concat();
    let looked = look_closer(&mut world, directory, pbx, &also, progress, &mut warnings).await?;
    recovered.find_out(&mut world);
    Ok(Gathered { world, looked, references: read.references.into_iter().collect(), warnings, recovered })
}

/// Fetches what the pure core asks for, and what else was asked for, and fills it in.
async fn look_closer(
    world: &mut World,
    directory: &mut Directory,
    pbx: &Pbx,
    also: &[Look],
    progress: &dyn Progress,
    warnings: &mut Vec<String>,
) -> Result<Looked> {
    let region = world.policy.region.clone();
    let region = region.as_deref();
    let mut needs = needs::needs(world);
    needs.also(also);
    let records = records_to_read(&needs, pbx.is_local());
    let avatars: Vec<EmployeeId> = needs.avatars.iter().copied().take(limits::AVATARS_IN_TURN).collect();
    let total = needs.whereabouts.len() + needs.photos.len() + records.len() + avatars.len();
    progress.phase(Phase::LookUp, Some(total));
    find_missing(world, directory, &needs.whereabouts, progress).await;
    read_photos(world, directory, &needs.photos, progress, warnings).await;
    needs::recall_photos(world);
    let mut looked = Looked::default();
    read_records(world, pbx, &records, region, progress, &mut looked, warnings).await;
    read_avatars(world, pbx, &avatars, progress, &mut looked, warnings).await;
    date(world, directory, warnings).await;
    world.now_ms = world.now_ms.max(world.people.at_ms).max(world.employees.at_ms);
    Ok(looked)
}

/// When single attributes changed, where that has to be known.
async fn date(world: &mut World, directory: &mut Directory, warnings: &mut Vec<String>) {
    let mut failed = 0;
    for id in needs::to_date(world) {
        match directory.attribute_changes(&target(world, &id)).await {
            Ok(changes) => {
                world.attribute_changes.insert(id, changes);
            }
            Err(error) => {
                warnings.push(format!("it is not known when the data of {id} changed: {error}"));
                failed += 1;
                if error.is_gone() || failed >= limits::FAILED_LOOKUPS_MAX {
                    break;
                }
            }
        }
    }
}

/// The records a decision needs, then as many in turn as the PBX can bear.
fn records_to_read(needs: &Needs, local: bool) -> Vec<EmployeeId> {
    let budget = if local { limits::RECORDS_IN_TURN_LOCAL } else { limits::RECORDS_IN_TURN_REMOTE };
    let in_turn = needs.records_in_turn.iter().take(budget.saturating_sub(needs.records.len()));
    needs.records.iter().chain(in_turn).copied().collect()
}

/// Nobody is gone by absence alone: each missing person is looked up by id. A
/// person found in scope, or a refusal, proves that the read was torn.
async fn find_missing(
    world: &mut World,
    directory: &mut Directory,
    missing: &[PersonId],
    progress: &dyn Progress,
) {
    let mut torn = None;
    for id in missing {
        let found = match directory.whereabouts(&target(world, id)).await {
            Ok(found) => found,
            // Everybody else would have to wait in vain for it as well.
            Err(error) if error.is_gone() => {
                torn = Some(format!("the directory went away: {error}"));
                break;
            }
            Err(error) => Whereabouts::Refused(error.to_string()),
        };
        match &found {
            Whereabouts::InScope => torn = Some("the read missed people who are there".to_owned()),
            Whereabouts::Refused(why) => {
                torn = Some(format!("a missing person could not be looked up: {why}"));
            }
            Whereabouts::NotFound | Whereabouts::OutOfScope { .. } | Whereabouts::FilteredOut { .. } => {}
        }
        world.whereabouts.insert(id.clone(), found);
        progress.advance(1);
    }
    if let Some(why) = torn {
        world.people.verdict = Verdict::Partial(why);
    }
}

async fn read_photos(
    world: &mut World,
    directory: &mut Directory,
    wanted: &[PersonId],
    progress: &dyn Progress,
    warnings: &mut Vec<String>,
) {
    let at: HashMap<PersonId, usize> =
        world.people.rows.iter().enumerate().map(|(at, person)| (person.id.clone(), at)).collect();
    let targets: Vec<Target> =
        wanted.iter().filter_map(|id| Some(Target::from(&world.people.rows[*at.get(id)?]))).collect();
    let people = &mut world.people.rows;
    let mut take = |id: &PersonId, reading: Reading| {
        progress.advance(1);
        if let Some(&at) = at.get(id) {
            people[at].fields[Field::Photo] = reading;
        }
    };
    if let Err(error) = directory.photos(&targets, &mut take).await {
        warnings.push(format!("not every picture could be read from the directory: {error}"));
    }
}

async fn read_records(
    world: &mut World,
    pbx: &Pbx,
    wanted: &[EmployeeId],
    region: Option<&str>,
    progress: &dyn Progress,
    looked: &mut Looked,
    warnings: &mut Vec<String>,
) {
    let mut at = places(&world.employees.rows);
    let mut failed = 0;
    let mut answers = stream::iter(wanted.iter().copied())
        .map(|id| async move { (id, pbx.record(id, region).await) })
        .buffer_unordered(limits::PBX_CONCURRENCY);
    while let Some((id, answer)) = answers.next().await {
        progress.advance(1);
        let Some(at) = at.remove(&id) else { continue };
        match answer {
            Ok(Some(record)) => {
                let photo = world.employees.rows[at].fields[Field::Photo].clone();
                world.employees.rows[at].fields = record.fields;
                world.employees.rows[at].fields[Field::Photo] = photo;
                looked.records.insert(id, world.employees.rows[at].dial.clone());
            }
            // Deleted between the listing and now: the next run sees that.
            Ok(None) => {}
            Err(error) => {
                warnings.push(format!("the record of employee {id} could not be read: {error}"));
                failed += 1;
                let hopeless = matches!(error, pbx::Error::Busy { .. } | pbx::Error::NotSignedIn { .. });
                if hopeless || failed >= limits::FAILED_LOOKUPS_MAX {
                    break;
                }
            }
        }
    }
}

async fn read_avatars(
    world: &mut World,
    pbx: &Pbx,
    wanted: &[EmployeeId],
    progress: &dyn Progress,
    looked: &mut Looked,
    warnings: &mut Vec<String>,
) {
    let seen: HashMap<EmployeeId, (Option<Box<str>>, Reading)> =
        world.links.iter().map(|link| (link.employee, (link.photo_etag.clone(), last_photo(link)))).collect();
    let at = places(&world.employees.rows);
    let seen = &seen;
    let mut answers = stream::iter(wanted.iter().copied())
        .map(|id| async move {
            let etag = seen.get(&id).and_then(|(etag, _)| etag.as_deref());
            (id, pbx.photo(id, etag).await)
        })
        .buffer_unordered(limits::AVATAR_CONCURRENCY);
    let mut failed = 0usize;
    while let Some((id, answer)) = answers.next().await {
        progress.advance(1);
        let Some(&at) = at.get(&id) else { continue };
        let (reading, etag) = match answer {
            Ok(PhotoAnswer::NotModified) => match seen.get(&id) {
                Some((etag, reading)) => (reading.clone(), etag.clone()),
                None => continue,
            },
            // The list names a picture, and it is not there: the employee was
            // deleted since, or the PBX lost its files. Nobody cleared it.
            Ok(PhotoAnswer::Missing) if seen.get(&id).is_some_and(|(_, last)| !last.values().is_empty()) => {
                continue;
            }
            Ok(PhotoAnswer::Missing) => (Reading::Empty, None),
            // One that cannot be used is fetched every time: there is no sight
            // of it that "not modified" could stand for.
            Ok(PhotoAnswer::Picture { reading: reading @ Reading::Unusable(_), .. }) => (reading, None),
            Ok(PhotoAnswer::Picture { reading, etag, .. }) => (reading, etag.map(Into::into)),
            Err(error) => {
                if failed == 0 {
                    warnings.push(format!("the picture of employee {id} could not be read: {error}"));
                }
                failed += 1;
                if failed >= limits::FAILED_LOOKUPS_MAX {
                    break;
                }
                continue;
            }
        };
        world.employees.rows[at].fields[Field::Photo] = reading;
        looked.etags.insert(id, etag);
    }
}

/// How a person is asked for: by id, with the DN last seen as a hint.
fn target(world: &World, id: &PersonId) -> Target {
    let seen = world.people.rows.binary_search_by(|person| person.id.cmp(id)).ok();
    let dn = match seen {
        Some(at) => world.people.rows[at].dn.to_string(),
        None => {
            world.links.iter().find(|link| link.person == *id).map_or_else(String::new, |l| l.dn.to_string())
        }
    };
    Target { id: id.clone(), dn }
}

fn last_photo(link: &Link) -> Reading {
    match &link.pbx[Field::Photo] {
        Some(sight) => sight.value.clone().map_or(Reading::Empty, Reading::one),
        None => Reading::NotLooked,
    }
}

fn places(rows: &[Employee]) -> HashMap<EmployeeId, usize> {
    rows.iter().enumerate().map(|(at, employee)| (employee.id, at)).collect()
}

/// The stored policy, narrowed by what the map can only read.
fn effective_policy(row: &DirectoryRow, settings: &directory::Settings) -> reconcile::Policy {
    let mut policy = row.policy.clone();
    policy.read_only = settings.map.read_only();
    policy.region = settings.region.clone();
    policy
}

fn split_held(held: Vec<store::HeldNumber>, row: &DirectoryRow) -> (Vec<Box<str>>, Vec<Box<str>>) {
    let mut reserved = Vec::new();
    let mut cooling = Vec::new();
    for number in held {
        match number.by {
            HeldBy::Rest { .. } => cooling.push(number.number),
            // What became of our own half-done creations is found out first.
            HeldBy::Action { directory, .. } if directory == row.id => {}
            HeldBy::Action { .. } => reserved.push(number.number),
        }
    }
    (reserved, cooling)
}

/// Numbers that people of other directories of this PBX have, as of the last
/// complete read of each.
async fn asked_elsewhere(app: &App, row: &DirectoryRow) -> Result<Vec<Box<str>>> {
    let mut numbers: Vec<Box<str>> = Vec::new();
    for other in app.store.directories().await? {
        if other.id == row.id || other.pbx != row.pbx {
            continue;
        }
        let kept = app.store.meta(&numbers_key(other.id)).await?;
        numbers
            .extend(kept.iter().flat_map(|text| text.split(',')).filter(|n| !n.is_empty()).map(Into::into));
    }
    Ok(numbers)
}

/// Remembers the numbers people of this directory have, for the others.
pub async fn remember_numbers(app: &App, row: &DirectoryRow, world: &World) -> Result<()> {
    let extensions = world.people.rows.iter().map(|person| &person.fields[Field::Extension]);
    let mut numbers: Vec<&str> =
        extensions.flat_map(Reading::values).map(reconcile::Value::canonical).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let (key, now) = (numbers_key(row.id), numbers.join(","));
    if app.store.meta(&key).await?.unwrap_or_default() != now {
        app.store.put_meta(&key, Some(&now)).await?;
    }
    Ok(())
}

fn numbers_key(directory: DirectoryId) -> String {
    format!("directory/{}/numbers", directory.0)
}

async fn linked_elsewhere(app: &App, row: &DirectoryRow) -> Result<HashMap<EmployeeId, String>> {
    let names: BTreeMap<_, _> =
        app.store.directories().await?.into_iter().map(|directory| (directory.id, directory.name)).collect();
    let linked = app.store.linked_employees(row.pbx).await?;
    let others = linked.into_iter().filter(|link| link.directory != row.id);
    Ok(others.map(|link| (link.employee, names.get(&link.directory).cloned().unwrap_or_default())).collect())
}

async fn set_aside(app: &App, row: &DirectoryRow) -> Result<Vec<SetAside>> {
    let rows = app.store.quarantine(row.id).await?;
    Ok(rows
        .into_iter()
        .map(|row| SetAside {
            person: row.person,
            field: row.field,
            stands_on: row.stands_on,
            next_try_ms: row.next_try_ms,
            conflict: row.conflict,
        })
        .collect())
}

/// How many people automatic runs of the last 24 hours touched, per kind.
async fn recent(app: &App, row: &DirectoryRow) -> Result<Counts> {
    let since = app.clock.now_ms() - limits::GUARD_WINDOW_MS;
    let mut counts = Counts::new();
    for touch in app.store.touched(row.id, since).await? {
        let kind: Option<GuardKind> =
            serde_json::from_value(serde_json::Value::String(touch.kind.into())).ok();
        if let Some(kind) = kind {
            *counts.entry(kind).or_default() += 1;
        }
    }
    Ok(counts)
}
