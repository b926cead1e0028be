//! Carries out a plan. The only place that writes to a directory or a PBX, and
//! every write goes through the journal: intended before, settled after.
//!
//! One bad person never stops the others; what makes everything pointless (the
//! PBX is gone, our own store is) is said once for everybody who is left.

mod create;
mod journal;
mod outcome;
mod undo;
mod update;
mod write_directory;
mod write_pbx;

pub use outcome::Done;

use super::fence::{Hold, ran_out};
use super::gather::Looked;
use super::people;
use super::progress::Progress;
use super::run::CANCELLED;
use super::undo::Undo;
use crate::app::App;
use crate::limits;
use directory::Directory;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use pbx::Pbx;
use reconcile::absence::Vanished;
use reconcile::numbers::Numbers;
use reconcile::observe;
use reconcile::plan::{Action, LinkStep};
use reconcile::{Employee, EmployeeId, Field, Interval, Link, Person, PersonId, Sight, Value, World};
use std::collections::HashMap;
use std::sync::atomic::AtomicI64;
use store::{DirectoryRow, JournalOf, JournalRow, QuarantineRow, RunId, What};
use tokio::sync::Mutex;

/// A run, and the lease it writes under.
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    pub id: RunId,
    pub hold: &'a Hold,
}

pub struct Apply<'a> {
    app: &'a App,
    row: &'a DirectoryRow,
    running: Running<'a>,
    world: &'a World,
    pbx: &'a Pbx,
    /// One operation at a time per connection.
    directory: Mutex<&'a mut Directory>,
    /// The book of numbers, for the next free one when a number turns out to
    /// be occupied after all.
    numbers: Mutex<Numbers<'a>>,
    people: HashMap<&'a str, &'a Person>,
    employees: HashMap<EmployeeId, &'a Employee>,
    vanished: Vanished<'a>,
    /// Every link as it is stored, by person.
    kept: HashMap<&'a str, &'a Link>,
    /// Every link as this run saw it, by person.
    links: HashMap<String, Link>,
    refused_before: HashMap<(PersonId, Option<Field>), QuarantineRow>,
    /// Creations of earlier runs that may still come, by person, oldest first.
    late: HashMap<String, Vec<JournalRow>>,
    seq: AtomicI64,
    /// What is undone, if that is what is carried out.
    undo: Option<&'a Undo>,
    /// Set once something made every further write pointless.
    stopped: std::sync::Mutex<Option<String>>,
}

impl<'a> Apply<'a> {
    pub async fn new(
        app: &'a App,
        row: &'a DirectoryRow,
        running: Running<'a>,
        world: &'a World,
        looked: &Looked,
        pbx: &'a Pbx,
        directory: &'a mut Directory,
    ) -> Result<Self, store::Error> {
        let mut links: HashMap<String, Link> =
            world.links.iter().map(|link| (link.person.to_string(), link.clone())).collect();
        for link in observe::observe(world) {
            links.insert(link.person.to_string(), link);
        }
        for link in links.values_mut() {
            looked.remember(world, link);
        }
        let index = world.index();
        let vanished = Vanished::find(world, &index.linked_people);
        let refused = app.store.quarantine(row.id).await?;
        let mut late: HashMap<String, Vec<JournalRow>> = HashMap::new();
        for step in app.store.journal_of(&JournalOf::Unfinished(row.id)).await? {
            if step.what == What::Create {
                late.entry(step.person.to_string()).or_default().push(step);
            }
        }
        Ok(Apply {
            app,
            row,
            running,
            world,
            pbx,
            directory: Mutex::new(directory),
            numbers: Mutex::new(Numbers::open(world)),
            people: index.people,
            employees: index.employees,
            vanished,
            kept: index.linked_people,
            links,
            late,
            refused_before: refused.into_iter().map(|row| ((row.person.clone(), row.field), row)).collect(),
            seq: AtomicI64::new(1),
            undo: None,
            stopped: std::sync::Mutex::default(),
        })
    }

    /// The links whose observations changed and that no action touches.
    pub fn observed(&self, actions: &[Action]) -> Vec<Link> {
        let acted: std::collections::HashSet<&str> =
            actions.iter().map(|action| action.person.as_str()).collect();
        let mut changed: Vec<Link> = self
            .links
            .values()
            .filter(|link| !acted.contains(link.person.as_str()))
            .filter(|link| self.kept.get(link.person.as_str()) != Some(link))
            .cloned()
            .collect();
        changed.sort_by(|a, b| a.person.cmp(&b.person));
        changed
    }

    /// Numbers that somebody changed in the PBX since the last run.
    pub fn given_up(&self) -> Vec<String> {
        let number = |link: &Link| {
            let sight = link.pbx[Field::Extension].as_ref()?;
            sight.value.as_ref().map(|value| value.canonical().to_owned())
        };
        let changed = self.links.iter().filter_map(|(person, link)| {
            let before = number(self.kept.get(person.as_str())?)?;
            (number(link).is_some_and(|now| now != before)).then_some(before)
        });
        let mut numbers: Vec<String> = changed.collect();
        numbers.sort_unstable();
        numbers
    }

    /// Carries out the actions, wave after wave.
    pub async fn carry_out(&self, actions: &[Action], progress: &dyn Progress) -> Vec<Done> {
        {
            let mut numbers = self.numbers.lock().await;
            for action in actions {
                if let Some(LinkStep::Create { number, .. }) = &action.link {
                    numbers.reserve(number);
                }
            }
        }
        let mut done = Vec::with_capacity(actions.len());
        for wave in actions.chunk_by(|a, b| a.wave == b.wave) {
            let mut waiting = wave.iter();
            let mut under_way = FuturesUnordered::new();
            loop {
                if progress.is_cancelled() {
                    self.stop(CANCELLED);
                }
                let free = limits::PBX_CONCURRENCY - under_way.len();
                let one = async |action| (action, self.person(action).await);
                under_way.extend(waiting.by_ref().take(free).map(one));
                let Some((action, result)) = under_way.next().await else { break };
                progress.advance(1);
                progress.person(&people::seen(action, &result));
                done.push(result);
            }
        }
        done.sort_by(|a: &Done, b: &Done| a.person.cmp(&b.person));
        done
    }

    async fn person(&self, action: &Action) -> Done {
        let mut done = Done::of(action);
        let result = match &action.link {
            Some(LinkStep::Create { number, number_from }) => {
                self.create(action, number, *number_from, &mut done).await
            }
            _ => self.update(action, &mut done).await,
        };
        if let Err(error) = result {
            if let Some(store::Error::LeaseLost(_)) = error.downcast_ref() {
                self.stop(&error.to_string());
            }
            done.fail(error.to_string());
        }
        done
    }

    /// Why nothing more is tried, if that is so.
    pub fn stopped(&self) -> Option<String> {
        self.stopped.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// A side that cannot be reached because the lease is over is not the one
    /// to blame.
    fn stop(&self, why: &str) {
        let over = (!self.running.hold.lasts()).then(|| ran_out(&self.row.name).to_string());
        let why = over.as_deref().unwrap_or(why);
        let mut stopped = self.stopped.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        stopped.get_or_insert_with(|| why.to_owned());
    }

    /// A link that does not exist yet, with what this run saw of both.
    fn new_link(&self, person: &Person, employee: EmployeeId) -> Link {
        let blank = Link::blank(person.id.clone(), employee, &person.dn);
        let employee = self.employees.get(&employee).copied();
        observe::observed(self.world, &self.vanished, &blank, Some(person), employee)
    }

    fn region(&self) -> Option<&str> {
        self.world.policy.region.as_deref()
    }
}

impl Looked {
    /// Notes in a link when its record and picture were looked at.
    fn remember(&self, world: &World, link: &mut Link) {
        if let Some(dial) = self.records.get(&link.employee) {
            link.record_looked_ms = world.now_ms;
            link.dial.clone_from(dial);
        }
        if let Some(etag) = self.etags.get(&link.employee) {
            link.photo_looked_ms = world.now_ms;
            link.photo_etag.clone_from(etag);
        }
    }
}

/// What we wrote ourselves is known to the moment.
fn written(value: Option<Value>, now_ms: i64, before: Option<&Sight>) -> Sight {
    Sight {
        value,
        change: Interval { after_ms: now_ms, by_ms: now_ms },
        mark: before.and_then(|sight| sight.mark.clone()),
    }
}
