//! Peace: nothing goes wrong any more and nobody edits. Everything must come to
//! rest within a few runs, and what rests must be right.

use crate::life::Life;
use crate::stage::Stage;
use crate::truth::is_unusable;
use crate::witness::Key;
use reconcile::{
    Answer, Conflict, ConflictKind, Direction, Field, Link, LinkState, PersonId, Value, WayOut, canonical,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::{
    Conflicts, ConflictsOf, Coordination, DirectoryRow, History, JournalOf, Links, MemoryStore, Settings,
    Trigger,
};
use uuid::Uuid;

/// Runs until rest, at most.
const RUNS_MAX: usize = 8;
/// Longer than any block, back-off, lease and window of the guard.
const PEACE: Duration = Duration::from_secs(26 * 3_600);
const MINUTE: Duration = Duration::from_secs(60);
/// Shorter secrets are words that may stand anywhere.
const SECRET_CHARS_MIN: usize = 8;

/// Synchronises until nothing is written any more, and looks at what is there.
pub async fn come_to_rest(life: &mut Life) {
    life.calm_down();
    tokio::time::sleep(PEACE).await;
    // An administrator who does not want what is stopped, nor the plan: the next
    // run counts anew, and what it then stops is released, and remembered.
    let stopped = format!("directory/{}/stopped", life.directory);
    drop(life.stage.store().put_meta(&stopped, None).await);
    let mut quiet = 0;
    for _ in 0..RUNS_MAX {
        let before = attempts(&life.stage);
        let report = match life.sync(Trigger::Manual, 0).await {
            Some(Ok(report)) => report,
            Some(Err(error)) => return life.stage.violated(format!("a run failed in peace: {error:#}")),
            None => return life.stage.violated("a process died in peace".to_owned()),
        };
        if report.halted.is_some() {
            life.stage.count("run halted by the guard");
            if let Some(Err(error)) = life.release(&report.plan).await {
                return life.stage.violated(format!("a release failed in peace: {error:#}"));
            }
        }
        quiet = if attempts(&life.stage) == before && report.halted.is_none() { quiet + 1 } else { 0 };
        if quiet == 2 {
            break;
        }
        tokio::time::sleep(MINUTE).await;
    }
    if quiet < 2 {
        return life.stage.violated(format!("no rest after {RUNS_MAX} runs"));
    }
    look(life).await;
}

/// Without its memory Rollcall finds everybody again and rewrites nothing that
/// is equal.
pub async fn lose_the_memory(life: &mut Life) {
    let stage = life.stage.clone();
    let old = stage.store();
    let (row, pbx) = (row(&old).await, old.pbxes().await.unwrap_or_default());
    let secrets = (
        old.secret(store::SecretOf::Pbx(row.pbx)).await.ok().flatten(),
        old.secret(store::SecretOf::Directory(row.id)).await.ok().flatten(),
    );
    let linked = old.links(row.id).await.unwrap_or_default();
    let new = MemoryStore::new(&*stage.secrets);
    stage.note(format_args!("the memory is lost\n{}", stage.witness().portrait()));
    for pbx in pbx {
        drop(new.put_pbx(&pbx, secrets.0.as_ref()).await);
    }
    let blank = DirectoryRow { id: store::DirectoryId::NEW, ..row };
    let Ok(id) = new.put_directory(&blank, secrets.1.as_ref()).await else { return };
    life.directory = id;
    stage.set_store(new);
    let equal = equal_values(&stage, &linked);
    let made = stage.witness().made.len();
    let report = life.sync(Trigger::Manual, 0).await;
    if let Some(Ok(report)) = report
        && report.halted.is_some()
    {
        drop(life.release(&report.plan).await);
    }
    let again = stage.store().links(id).await.unwrap_or_default();
    let again: BTreeSet<_> = again.into_iter().map(|link| (link.person, link.employee.0)).collect();
    let witness = stage.witness();
    let moved: Vec<String> = equal
        .iter()
        // Enabled people match first: somebody else may have been better.
        .filter(|(person, _, _, employee)| again.contains(&(PersonId::new(person.to_string()), *employee)))
        .filter(|(link, field, theirs, ours)| {
            let person = witness.people.get(link).map(|person| &person.values[*field]);
            let employee = witness.employees.get(ours).map(|employee| &employee.values[*field]);
            person != Some(&theirs.0) || employee != Some(&theirs.1)
        })
        .map(|(link, field, ..)| format!("{field} of {link}"))
        .collect();
    let new = witness.made.len() - made;
    drop(witness);
    stage.note(format_args!("{new} employees were made after the loss"));
    for what in moved {
        stage.violated(format!("after the loss of the memory an equal value was rewritten: {what}"));
    }
}

/// What a human may answer to a conflict, if this is a way out that says so.
pub fn answer(stage: &Stage, conflict: &Conflict, way: WayOut) -> Option<Answer> {
    let candidate = || {
        let employee = stage.lot.pick(&conflict.candidates)?.employee;
        stage.witness().given(employee, &conflict.person);
        Some(employee)
    };
    Some(match way {
        WayOut::UseDirectory => Answer::UseDirectory,
        WayOut::UsePbx => Answer::UsePbx,
        WayOut::PickEmployee => Answer::Employee { id: candidate()? },
        WayOut::NewEmployee => Answer::NewEmployee,
        WayOut::Relink if conflict.kind == ConflictKind::BackUnderNewId => {
            Answer::Employee { id: candidate()? }
        }
        WayOut::Relink => Answer::Relink,
        WayOut::GiveNumber => Answer::Number {
            number: format!("2{}", stage.lot.within(10, 40)),
            keep_in_pbx: stage.lot.strikes(300),
        },
        WayOut::LeaveOut => Answer::LeaveOut,
        WayOut::LeaveAsIs => Answer::LeaveAsIs,
        WayOut::Retry => return None,
    })
}

/// Everything that must be true when nothing moves.
async fn look(life: &mut Life) {
    let stage = life.stage.clone();
    let store = stage.store();
    let rested = std::mem::take(&mut life.rested);
    let rest = Rest {
        row: row(&store).await,
        links: store.links(life.directory).await.unwrap_or_default(),
        asked: asked(&store, life.directory).await,
        rested,
        stage: &stage,
        told: &life.told,
    };
    let mut wrong = Vec::new();
    for link in &rest.links {
        rest.state(link, &mut wrong);
        for field in Field::ALL {
            rest.field(link, field, &mut wrong);
        }
    }
    rest.nobody_forgotten(&mut wrong);
    rest.no_orphans(&mut wrong);
    let settled = rest.settled();
    life.rested = settled;
    for what in wrong {
        stage.violated(format!("at rest: {what}"));
    }
    secrets_stay(&stage, &store, life.directory).await;
    stage.witness().rest();
}

struct Rest<'a> {
    stage: &'a Stage,
    /// Fields of which a report said that something else was stored than was sent.
    told: &'a BTreeSet<(String, Field)>,
    row: DirectoryRow,
    links: Vec<Link>,
    /// Whom, and which field, a human was asked about or decided on.
    asked: BTreeSet<(PersonId, Option<Field>)>,
    /// What was agreed, with nobody asked, when everything rested last.
    rested: BTreeSet<(PersonId, u64, Field)>,
}

impl Rest<'_> {
    fn state(&self, link: &Link, wrong: &mut Vec<String>) {
        let witness = self.stage.witness();
        let person = id(&link.person).and_then(|id| witness.people.get(&id));
        let active = person.is_some_and(|person| person.is_active());
        // A read that finds nobody proves nothing about anybody.
        if witness.people.values().all(|person| !person.in_scope) {
            return;
        }
        let employed = witness.employees.contains_key(&link.employee.0);
        match (&link.state, active) {
            (LinkState::Active, true) | (LinkState::Left { .. }, false) | (LinkState::Resting { .. }, _) => {}
            (LinkState::Active, false) | (LinkState::Left { .. }, true)
                if !employed && self.is_asked(&link.person, None) => {}
            (state, active) => {
                wrong.push(format!("{} is {state:?} and active in the directory: {active}", link.person));
            }
        }
        if !employed && active && !self.is_asked(&link.person, None) {
            wrong.push(format!("employee {} of {} is gone and nobody asks", link.employee, link.person));
        }
        if !employed && !active {
            wrong.push(format!("{} is linked to employee {}, and both are gone", link.person, link.employee));
        }
    }

    fn field(&self, link: &Link, field: Field, wrong: &mut Vec<String>) {
        let witness = self.stage.witness();
        let Some(id) = id(&link.person) else { return };
        let employee = link.employee.0;
        let (Some(person), Some(ours)) = (witness.people.get(&id), witness.employees.get(&employee)) else {
            return;
        };
        if link.state != LinkState::Active || !person.is_active() {
            return;
        }
        let (theirs, ours) = (&person.values[field], &ours.values[field]);
        let edited = (
            witness.edits.get(&(Key::Person(id), field)),
            witness.edits.get(&(Key::Employee(employee), field)),
        );
        let stirred =
            [Key::Person(id), Key::Employee(employee)].iter().any(|key| witness.stirred.contains(key));
        let known = self.rested.contains(&(link.person.clone(), employee, field));
        let exempt = witness.exempted.contains(&(employee, field));
        if known && !stirred && !exempt {
            match edited {
                (Some(edit), None) if edit != theirs => {
                    wrong.push(format!("the directory's {field} {edit:?} of {id} became {theirs:?}"));
                }
                // The PBX cuts what is too long while something else is saved.
                (None, Some(edit))
                    if edit.first() != ours.as_ref() && !is_cut(edit.first(), ours.as_ref()) =>
                {
                    wrong.push(format!("the PBX's {field} {edit:?} of employee {employee} became {ours:?}"));
                }
                _ => {}
            }
        }
        let held = link.pairs[field].as_ref().is_some_and(|pair| pair.held);
        // What was not seen since our own write cannot be proved to be empty.
        let sight = link.directory[field].as_ref();
        let blind =
            theirs.is_empty() && sight.is_some_and(|sight| sight.value.is_some() && sight.mark.is_none());
        let told = self.told.contains(&(link.person.to_string(), field));
        if held
            || told
            || blind
            || exempt
            || witness.left_over.contains(&(id, field))
            || self.is_asked(&link.person, Some(field))
            || self.is_asked(&link.person, None)
        {
            return;
        }
        if self.row.policy.direction(field) == Direction::Both && !self.agree(field, theirs, ours.as_ref()) {
            wrong.push(format!(
                "{field} of {id} is {theirs:?} in the directory and {ours:?} in the PBX, and nobody asks; pair {:?}",
                link.pairs[field]
            ));
        }
    }

    fn settled(&self) -> BTreeSet<(PersonId, u64, Field)> {
        let of = |link: &Link| {
            let agreed =
                |field: &Field| link.pairs[*field].is_some() && !self.is_asked(&link.person, Some(*field));
            let (person, employee) = (link.person.clone(), link.employee.0);
            let fields: Vec<Field> = Field::ALL.into_iter().filter(|field| agreed(field)).collect();
            fields.into_iter().map(move |field| (person.clone(), employee, field))
        };
        self.links.iter().flat_map(of).collect()
    }

    fn agree(&self, field: Field, theirs: &[Value], ours: Option<&Value>) -> bool {
        match (theirs, ours) {
            ([], None) => true,
            // An emptiness that may not cross, or cannot be proved.
            ([], Some(_)) | (_, None) => !self.row.policy.fields[field].clear,
            (theirs, Some(ours)) => {
                theirs.iter().any(|theirs| theirs.equivalent(ours) || fits(field, theirs, ours))
            }
        }
    }

    /// Every active person has an employee, or a human was asked.
    fn nobody_forgotten(&self, wrong: &mut Vec<String>) {
        let linked: BTreeSet<&PersonId> = self.links.iter().map(|link| &link.person).collect();
        let witness = self.stage.witness();
        for (id, person) in witness.people.iter().filter(|(_, person)| person.is_active()) {
            let id = PersonId::new(id.to_string());
            let asked = self.asked.iter().any(|(asked, _)| *asked == id);
            if !linked.contains(&id) && !asked {
                wrong.push(format!("{id} ({}) has no employee and nobody asks", person.dn));
            }
        }
    }

    /// Whoever was made by us belongs to somebody.
    fn no_orphans(&self, wrong: &mut Vec<String>) {
        let owned: BTreeMap<u64, &PersonId> =
            self.links.iter().map(|link| (link.employee.0, &link.person)).collect();
        let witness = self.stage.witness();
        for (employee, person) in &witness.made {
            // Whoever an administrator leaves out stays out, employee or not.
            let known = !witness.disguised.contains(employee) && !self.is_asked(person, None);
            if known && witness.employees.contains_key(employee) && !owned.contains_key(employee) {
                wrong.push(format!("employee {employee} was made for {person} and belongs to nobody"));
            }
        }
    }

    fn is_asked(&self, person: &PersonId, field: Option<Field>) -> bool {
        self.asked.contains(&(person.clone(), field))
    }
}

/// A PBX keeps the beginning of what is too long.
pub fn is_cut(edit: Option<&Value>, ours: Option<&Value>) -> bool {
    matches!((edit, ours), (Some(edit), Some(ours)) if edit.raw().starts_with(ours.raw()))
}

/// Whether this is as much of the directory's value as a PBX can keep.
fn fits(field: Field, theirs: &Value, ours: &Value) -> bool {
    is_unusable(ours)
        || is_unusable(theirs)
        || canonical::for_pbx(field, theirs)
            .is_ok_and(|sent| sent.equivalent(ours) || sent.raw().trim_start_matches('+') == ours.raw())
        // A PBX has no room for an inner number.
        || (field == Field::Mobile
            && theirs.canonical().split_once(";ext=").is_some_and(|(outer, _)| ours.readings().any(|ours| ours == outer)))
        || (field == Field::Name && theirs.canonical().starts_with(ours.canonical()))
}

async fn row(store: &MemoryStore) -> DirectoryRow {
    store.directories().await.unwrap_or_default().into_iter().next().expect("the server was set up")
}

async fn asked(store: &MemoryStore, directory: store::DirectoryId) -> BTreeSet<(PersonId, Option<Field>)> {
    let open = store.conflicts(ConflictsOf::Directory(directory)).await.unwrap_or_default();
    let decided = store.decisions(directory).await.unwrap_or_default();
    let set_aside = store.quarantine(directory).await.unwrap_or_default();
    let open = open.into_iter().map(|row| (row.conflict.person, row.conflict.field));
    // Whoever is left out is left out whole, whatever was asked.
    let decided = decided.into_iter().map(|decision| match decision.answer {
        Answer::LeaveOut => (decision.person, None),
        _ => (decision.person, decision.field),
    });
    open.chain(decided).chain(set_aside.into_iter().map(|row| (row.person, row.field))).collect()
}

/// Fields of people and employees that say the same on both sides.
type Equal = (Uuid, Field, (Vec<Value>, Option<Value>), u64);

fn equal_values(stage: &Stage, links: &[Link]) -> Vec<Equal> {
    let witness = stage.witness();
    let mut equal = Vec::new();
    for link in links {
        let Some(id) = id(&link.person) else { continue };
        let (Some(person), Some(employee)) =
            (witness.people.get(&id), witness.employees.get(&link.employee.0))
        else {
            continue;
        };
        for field in Field::ALL {
            let (theirs, ours) = (person.values[field].clone(), employee.values[field].clone());
            if let ([one], Some(other)) = (&theirs[..], &ours)
                && one.equivalent(other)
            {
                equal.push((id, field, (theirs, ours), link.employee.0));
            }
        }
    }
    equal
}

/// No secret stands anywhere in what is remembered.
async fn secrets_stay(stage: &Stage, store: &MemoryStore, directory: store::DirectoryId) {
    let mut memory = String::new();
    let runs = store.runs(Some(directory), u32::MAX, 0).await.unwrap_or_default();
    for run in &runs {
        memory.push_str(&format!("{run:?}{:?}", store.run_people(run.id, u32::MAX, 0).await));
        memory.push_str(&format!("{:?}", store.journal_of(&JournalOf::Run(run.id)).await));
    }
    memory.push_str(&format!("{:?}", store.links(directory).await));
    memory.push_str(&format!("{:?}", store.conflicts(ConflictsOf::Everybody).await));
    memory.push_str(&format!("{:?}", store.decisions(directory).await));
    memory.push_str(&format!("{:?}", store.quarantine(directory).await));
    for plan in store.plans(directory).await.unwrap_or_default() {
        memory.push_str(&format!("{:?}", store.plan(directory, &plan.hash).await));
    }
    for secret in stage.known_secrets() {
        if secret.len() >= SECRET_CHARS_MIN && memory.contains(&secret) {
            stage.violated(format!("a secret of {} characters stands in the memory", secret.len()));
        }
    }
}

fn attempts(stage: &Stage) -> (u64, u64) {
    (stage.pbx.attempts(), stage.directory.counts().write_requests)
}

fn id(person: &PersonId) -> Option<Uuid> {
    Uuid::parse_str(person.as_str()).ok()
}
