//! Undoing a run: which steps of its journal are meant, what is known of them,
//! and what became of them. What to do about them is decided by
//! [`reconcile::plan::undo`]; from there on it is a run like any other.

use super::apply::Done;
use super::gather::Gathered;
use super::lease::lease;
use super::progress::Progress;
use super::recover::Recovered;
use super::report::{ChangeResult, NotUndone, Report, Side};
use super::run::{self, Task};
use super::step::StepRef;
use crate::app::{App, Usage};
use anyhow::{Result, anyhow};
use reconcile::needs::Look;
use reconcile::plan::{self, Plan, Step, Wrote};
use reconcile::{Decision, Field, PersonId, Value, canonical};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use store::{DirectoryId, DirectoryRow, JournalOf, JournalRow, PictureId, RunId, State, Trigger, What};

/// So much of an id is enough to mean it.
const ID_CHARS_MIN: usize = 8;

/// What a human asks to be undone: a run, or one person's part, or some steps.
#[derive(Clone, Debug)]
pub struct Asked {
    pub run: i64,
    /// A name or an id.
    pub person: Option<String>,
    pub steps: Vec<i64>,
}

/// The same, found in the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoing {
    pub run: RunId,
    pub person: Option<PersonId>,
    pub steps: Vec<i64>,
}

/// Undoes a run, or the asked part of it.
pub async fn undo(app: &App, asked: &Asked, progress: &dyn Progress) -> Result<Report> {
    let (row, undoing) = find(app, asked).await?;
    loop {
        // A run that was waited for was another one; this undo is still due.
        if let Ok(leased) = lease(app, &row, progress).await? {
            let row = app.server(&row.name).await;
            let work =
                async { run::run(&leased, &row?, Trigger::Undo, Task::Undo(&undoing), progress).await };
            return Ok(leased.during(work).await?.report);
        }
    }
}

/// Shows what undoing would do. Writes to neither side.
pub async fn preview_undo(app: &App, asked: &Asked, progress: &dyn Progress) -> Result<Report> {
    let (row, undoing) = find(app, asked).await?;
    run::show(app, &row, Task::Undo(&undoing), progress).await
}

/// The server it is about, if what is asked for can be found.
pub async fn undoable(app: &App, asked: &Asked) -> Result<DirectoryRow> {
    Ok(find(app, asked).await?.0)
}

/// Finds what is asked for, or says what is wrong with the question.
async fn find(app: &App, asked: &Asked) -> Result<(DirectoryRow, Undoing)> {
    let id = RunId(asked.run);
    let Some(run) = app.store.run(id).await? else {
        return Err(anyhow!(Usage(format!("there is no run {id}; see `rollcall history`"))));
    };
    let rows = app.store.directories().await?;
    let Some(row) = rows.into_iter().find(|row| row.id == run.directory) else {
        let why = format!("run {id} was of server `{}`, which was removed since", run.directory_name);
        return Err(anyhow!(Usage(why)));
    };
    let journal = app.store.journal_of(&JournalOf::Run(id)).await?;
    if journal.is_empty() {
        return Err(anyhow!(Usage(format!("run {id} wrote nothing that could be undone"))));
    }
    let person = match &asked.person {
        Some(query) => Some(find_person(app, row.id, id, &journal, query).await?),
        None => None,
    };
    let belongs = |row: &&JournalRow| person.as_ref().is_none_or(|person| row.person == *person);
    let known: BTreeSet<i64> = journal.iter().filter(belongs).map(|row| row.seq).collect();
    if let Some(seq) = asked.steps.iter().find(|seq| !known.contains(seq)) {
        let of = if person.is_some() { " of this person" } else { "" };
        let why = format!("run {id} has no step {seq}{of}; see `rollcall history {id}`");
        return Err(anyhow!(Usage(why)));
    }
    Ok((row, Undoing { run: id, person, steps: asked.steps.clone() }))
}

/// The one person of a run who is called so.
async fn find_person(
    app: &App,
    directory: DirectoryId,
    run: RunId,
    journal: &[JournalRow],
    query: &str,
) -> Result<PersonId> {
    let mut names = names_then(app, run).await?;
    names.extend(
        app.store.links(directory).await?.into_iter().map(|link| (link.person, link.name.to_string())),
    );
    let folded = canonical::join_name(query);
    let is = |id: &PersonId| {
        let id_text = id.as_str().to_lowercase();
        let by_id = query.len() >= ID_CHARS_MIN && id_text.starts_with(&query.to_lowercase());
        by_id
            || id.as_str() == query
            || names.get(id).is_some_and(|name| canonical::join_name(name) == folded)
    };
    let found: BTreeSet<&PersonId> = journal.iter().map(|row| &row.person).filter(|id| is(id)).collect();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(anyhow!(Usage(format!(
            "run {run} did nothing about `{query}`; give the whole name or the id, see `rollcall history {run}`"
        )))),
        (Some(one), Some(other)) => {
            Err(anyhow!(Usage(format!("`{query}` is several people: {one}, {other}, …; give the id"))))
        }
    }
}

/// How the people of a run were called then, as far as that is kept.
async fn names_then(app: &App, run: RunId) -> Result<HashMap<PersonId, String>> {
    let people = run::people_rows(app, run).await?;
    Ok(people.into_iter().map(|row| (row.person, row.name)).collect())
}

/// The steps that are to be undone, with what has to be known about them.
#[derive(Debug)]
pub struct Journal {
    undoing: Undoing,
    rows: Vec<JournalRow>,
    names: HashMap<PersonId, String>,
    /// Pictures that are there and are what was overwritten.
    kept: HashSet<PictureId>,
}

impl Undoing {
    pub async fn load(&self, app: &App) -> Result<Journal> {
        let mut rows = app.store.journal_of(&JournalOf::Run(self.run)).await?;
        rows.retain(|row| {
            self.person.as_ref().is_none_or(|person| row.person == *person)
                && (self.steps.is_empty() || self.steps.contains(&row.seq))
        });
        let mut kept = HashSet::new();
        for row in &rows {
            if let Some(id) = row.picture
                && let Some(picture) = app.store.picture(id).await?
                && canonical::photo(&picture.bytes).ok().as_ref().map(Value::canonical)
                    == value(&row.before).ok().flatten().as_ref().map(Value::canonical)
            {
                kept.insert(id);
            }
        }
        Ok(Journal { undoing: self.clone(), rows, names: names_then(app, self.run).await?, kept })
    }
}

impl Journal {
    /// What has to be looked at before it can be said whether ours still stands.
    pub fn looks(&self) -> Vec<Look> {
        let look = |row: &JournalRow, side, field| {
            row.employee.map(|employee| Look { person: row.person.clone(), employee, side, field })
        };
        let looks = self.rows.iter().flat_map(|row| match (row.what, side_of(row.side)) {
            (What::Field(field), Some(side)) => vec![look(row, side, field)],
            // Who is joined again agrees on everything the two say.
            (What::Unlink, _) => vec![
                look(row, reconcile::Side::Pbx, Field::Mobile),
                look(row, reconcile::Side::Pbx, Field::Photo),
                look(row, reconcile::Side::Directory, Field::Photo),
            ],
            _ => Vec::new(),
        });
        looks.flatten().collect()
    }

    /// Plans the undo in a world in which all that was looked at.
    pub fn plan(self, gathered: &Gathered) -> Undo {
        let world = &gathered.world;
        let mut already = 0;
        let mut steps = Vec::new();
        for row in &self.rows {
            match self.what(row, &gathered.recovered) {
                Some(what) => {
                    let person = row.person.clone();
                    steps.push(Step { seq: row.seq, person, employee: row.employee, what });
                }
                None => already += u32::from(row.state == State::Undone),
            }
        }
        let undo = plan::undo(world, &steps);
        let refused: BTreeSet<i64> = undo.not_undone.iter().map(|step| step.seq).collect();
        let planned: BTreeSet<i64> =
            steps.iter().map(|step| step.seq).filter(|seq| !refused.contains(seq)).collect();
        let mut names = self.names;
        names.extend(world.links.iter().map(|link| (link.person.clone(), link.name.to_string())));
        let mut told: Vec<NotUndone> = Vec::new();
        let mut targets = BTreeMap::new();
        for row in self.rows {
            if planned.contains(&row.seq) {
                targets.insert((row.person.clone(), row.side, row.what), Target::of(&row));
            } else if let Some(step) = undo.not_undone.iter().find(|step| step.seq == row.seq) {
                told.push(not_undone(&names, &row.person, row.seq, row.side, row.what, &step.why));
            }
        }
        let (plan, forget, remember) = (undo.plan, by_person(undo.forget), by_person(undo.remember));
        Undo { undoing: self.undoing, plan, not_undone: told, targets, forget, remember, names, already }
    }

    /// What there is to undo of a step; nothing if it had no effect, or has none any more.
    fn what(&self, row: &JournalRow, recovered: &Recovered) -> Option<plan::What> {
        let asked_for = self.undoing.steps.contains(&row.seq);
        match recovered.state_of(StepRef::of(row)).unwrap_or(row.state) {
            State::Done => {}
            State::Undone => return None,
            State::Refused => {
                return asked_for.then(|| plan::What::Void("it was refused: nothing was written".to_owned()));
            }
            State::Intended | State::Unknown => {
                let why = "nobody knows yet whether it happened: the next synchronisation looks";
                return Some(plan::What::Void(why.to_owned()));
            }
        }
        Some(match (row.what, side_of(row.side)) {
            (What::Field(field), Some(side)) => match (value(&row.before), value(&row.after)) {
                (Ok(before), Ok(after)) => {
                    let lost = field == Field::Photo
                        && before.is_some()
                        && row.picture.is_none_or(|picture| !self.kept.contains(&picture));
                    plan::What::Wrote(Wrote { side, field, before, after, kept: !lost })
                }
                _ => plan::What::Void("the journal cannot be read here".to_owned()),
            },
            (What::Field(_), None) | (What::Leave | What::Return, _) => plan::What::Observed,
            (What::Create, _) => {
                let number = row.after["number"].as_str().unwrap_or_default();
                plan::What::Created { number: number.into() }
            }
            (What::Join, _) => plan::What::Joined,
            (What::Unlink, _) if StepRef::undone_by(&row.cause).is_some() => plan::What::Parted,
            (What::Unlink, _) => plan::What::Ended,
        })
    }
}

/// A step that is undone by what is planned for its person, side and field.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub step: StepRef,
    pub picture: Option<PictureId>,
}

impl Target {
    fn of(row: &JournalRow) -> Self {
        Target { step: StepRef::of(row), picture: row.picture }
    }
}

/// An undo as it is planned.
#[derive(Debug)]
pub struct Undo {
    undoing: Undoing,
    pub plan: Plan,
    not_undone: Vec<NotUndone>,
    targets: BTreeMap<(PersonId, store::Side, What), Target>,
    forget: BTreeMap<PersonId, Vec<Decision>>,
    remember: BTreeMap<PersonId, Vec<Decision>>,
    names: HashMap<PersonId, String>,
    /// Steps that were undone before.
    already: u32,
}

impl Undo {
    pub fn target(&self, person: &PersonId, side: store::Side, what: What) -> Option<Target> {
        self.targets.get(&(person.clone(), side, what)).copied()
    }

    /// Answers that are void once a person's part is undone.
    pub fn to_forget(&self, person: &PersonId) -> &[Decision] {
        self.forget.get(person).map(Vec::as_slice).unwrap_or_default()
    }

    /// What is to be remembered about a person's joins.
    pub fn to_remember(&self, person: &PersonId) -> &[Decision] {
        self.remember.get(person).map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds to a report what only an undo has to tell. `done` is what became of
    /// the plan, if it was carried out.
    pub fn tell(&self, report: &mut Report, done: Option<&[Done]>) {
        report.undoes = Some(self.undoing.run.0);
        report.not_undone.clone_from(&self.not_undone);
        if let Some(done) = done {
            let done: HashMap<&PersonId, &Done> = done.iter().map(|done| (&done.person, done)).collect();
            for ((person, side, what), target) in &self.targets {
                if let Some(why) = failure(done.get(person).copied(), *side, *what) {
                    let row = not_undone(&self.names, person, target.step.seq, *side, *what, &why);
                    report.not_undone.push(row);
                }
            }
        }
        report.not_undone.sort_by_key(|row| row.step);
        if self.already > 0 {
            let run = self.undoing.run;
            report.warnings.push(match self.targets.is_empty() && self.not_undone.is_empty() {
                true => format!("run {run} was undone already"),
                false => format!("{} of run {run} were undone already", steps(self.already)),
            });
        }
    }
}

fn by_person(decisions: Vec<Decision>) -> BTreeMap<PersonId, Vec<Decision>> {
    let mut sorted: BTreeMap<PersonId, Vec<Decision>> = BTreeMap::new();
    for decision in decisions {
        sorted.entry(decision.person.clone()).or_default().push(decision);
    }
    sorted
}

fn steps(count: u32) -> String {
    if count == 1 { "1 step".to_owned() } else { format!("{count} steps") }
}

/// Why a planned step was not undone in the end.
fn failure(done: Option<&Done>, side: store::Side, what: What) -> Option<String> {
    let moved = "a side moved since the plan was made: look at it again";
    let Some(done) = done else { return Some(moved.to_owned()) };
    let What::Field(field) = what else {
        let partly = "not every value could be put back, so the two stay linked; undo this step alone to end the link all the same";
        let why = || done.failed.clone().unwrap_or_else(|| partly.to_owned());
        return (!done.linked).then(why);
    };
    let side = if side == store::Side::Pbx { Side::Pbx } else { Side::Directory };
    let change = done.changes.iter().find(|change| change.side == side && change.field == field);
    match change {
        Some(change) if change.result == ChangeResult::Done => None,
        Some(change) => Some(change.note.clone().unwrap_or_else(|| "it was refused".to_owned())),
        None => Some(done.failed.clone().unwrap_or_else(|| moved.to_owned())),
    }
}

fn not_undone(
    names: &HashMap<PersonId, String>,
    person: &PersonId,
    step: i64,
    side: store::Side,
    what: What,
    why: &str,
) -> NotUndone {
    NotUndone {
        person: person.to_string(),
        name: names.get(person).cloned().unwrap_or_else(|| person.to_string()),
        step,
        side,
        what: what.to_string(),
        why: why.to_owned(),
    }
}

/// A value as the journal keeps it.
fn value(json: &Json) -> Result<Option<Value>, serde_json::Error> {
    Option::<Value>::deserialize(json)
}

fn side_of(side: store::Side) -> Option<reconcile::Side> {
    match side {
        store::Side::Pbx => Some(reconcile::Side::Pbx),
        store::Side::Directory => Some(reconcile::Side::Directory),
        store::Side::Rollcall => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reconcile::EmployeeId;
    use serde_json::json;

    fn row(seq: i64, side: store::Side, what: What) -> JournalRow {
        JournalRow {
            run: RunId(7),
            seq,
            directory: DirectoryId(1),
            at_ms: 0,
            person: PersonId::new("p1"),
            employee: Some(EmployeeId(12)),
            side,
            what,
            cause: String::new(),
            before: Json::Null,
            after: json!({ "raw": "a" }),
            state: State::Done,
            reserved_number: None,
            fingerprint: None,
            picture: None,
        }
    }

    fn journal(rows: Vec<JournalRow>, steps: &[i64]) -> Journal {
        let undoing = Undoing { run: RunId(7), person: None, steps: steps.to_vec() };
        Journal { undoing, rows, names: HashMap::new(), kept: HashSet::from([PictureId(3)]) }
    }

    #[test]
    fn what_a_listing_does_not_show_is_looked_at() {
        let looks = |row| {
            let looks = journal(vec![row], &[]).looks().into_iter();
            looks.map(|look| (look.side, look.field, look.employee.0)).collect::<Vec<_>>()
        };
        let mobile = What::Field(Field::Mobile);
        assert_eq!(looks(row(1, store::Side::Pbx, mobile)), [(reconcile::Side::Pbx, Field::Mobile, 12)]);
        assert_eq!(looks(row(1, store::Side::Rollcall, What::Join)), []);
        assert_eq!(looks(row(1, store::Side::Rollcall, What::Unlink)).len(), 3);
    }

    #[test]
    fn a_step_is_what_the_journal_says_of_it() {
        let nothing = Recovered::default();
        let told = |row: JournalRow, steps: &[i64]| {
            let journal = journal(vec![row], steps);
            journal.what(&journal.rows[0], &nothing).map(|what| format!("{what:?}"))
        };
        let is = |row, starts: &str| {
            let what = told(row, &[]).unwrap_or_default();
            assert!(what.starts_with(starts), "{what} is not {starts}");
        };
        let write = || row(1, store::Side::Pbx, What::Field(Field::Email));
        is(write(), "Wrote");
        is(JournalRow { after: json!(5), ..write() }, "Void");
        is(row(1, store::Side::Rollcall, What::Join), "Joined");
        is(row(1, store::Side::Rollcall, What::Leave), "Observed");
        is(row(1, store::Side::Rollcall, What::Return), "Observed");
        let unlink = row(1, store::Side::Rollcall, What::Unlink);
        is(unlink.clone(), "Ended");
        is(JournalRow { cause: "undo of step 1 of run 2".to_owned(), ..unlink }, "Parted");
        let create =
            JournalRow { after: json!({ "number": "212" }), ..row(1, store::Side::Pbx, What::Create) };
        is(create, "Created { number: \"212\" }");

        for state in [State::Intended, State::Unknown] {
            is(JournalRow { state, ..write() }, "Void");
        }
        assert_eq!(told(JournalRow { state: State::Undone, ..write() }, &[1]), None);
        let refused = || JournalRow { state: State::Refused, ..write() };
        assert_eq!(told(refused(), &[]), None, "nobody asked");
        assert!(told(refused(), &[1]).is_some_and(|what| what.contains("it was refused")));
    }

    #[test]
    fn a_picture_that_is_not_kept_is_known_to_be_lost() {
        let kept = |picture: Option<i64>, before: Json| {
            let photo = row(1, store::Side::Pbx, What::Field(Field::Photo));
            let journal = journal(vec![JournalRow { picture: picture.map(PictureId), before, ..photo }], &[]);
            match journal.what(&journal.rows[0], &Recovered::default()) {
                Some(plan::What::Wrote(wrote)) => wrote.kept,
                other => panic!("{other:?}"),
            }
        };
        assert!(kept(Some(3), json!({ "raw": "JPEG" })));
        assert!(!kept(Some(4), json!({ "raw": "JPEG" })));
        assert!(!kept(None, json!({ "raw": "JPEG" })));
        assert!(kept(None, Json::Null), "there was none");
    }
}
