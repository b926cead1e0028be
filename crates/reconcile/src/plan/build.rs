//! Puts a plan together: every link, every person without one, then numbers,
//! order and guard.

use super::describe;
use super::renumber::{self, Want};
use super::{Action, HeldBack, LineOutcome, PersonLine, Plan};
use crate::absence::Vanished;
use crate::conflict::{Answer, Candidate, Conflict, ConflictKind, WayOut};
use crate::field::Field;
use crate::guard::{self, GuardKind};
use crate::join::{self, Match};
use crate::numbers;
use crate::person::{Person, PersonId};
use crate::world::{Index, World};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Makes the plan for a world. Pure: the same world gives the same plan.
pub fn plan(world: &World) -> Plan {
    let mut builder = Builder::over(world);
    let matches = join::join(world, &builder.index);
    builder.lines.reserve(world.people.rows.len());
    // A link that a human moved is not looked at under its old person.
    let moved: HashSet<&PersonId> = matches.values().filter_map(Match::relinked_from).collect();
    for link in &world.links {
        if world.doubt().is_some() || !moved.contains(&link.person) {
            builder.linked(link);
        }
    }
    for (id, result) in &matches {
        if let Some(person) = builder.index.people.get(id).copied() {
            builder.unlinked(person, result);
        }
    }
    renumber::settle(&mut builder);
    builder.finish()
}

/// An action on its way into the plan, with the number it needs.
#[derive(Debug)]
pub(super) struct Draft {
    pub action: Action,
    pub line: PersonLine,
    pub want: Option<Want>,
}

pub(super) struct Builder<'w> {
    pub world: &'w World,
    pub index: Index<'w>,
    pub vanished: Vanished<'w>,
    pub drafts: Vec<Draft>,
    pub lines: Vec<PersonLine>,
    pub conflicts: Vec<Conflict>,
    pub held_back: BTreeMap<&'static str, (u32, String)>,
    /// Whose linked employee is missing or replaced.
    pub lost: BTreeSet<PersonId>,
    /// How many people are held back, by what was stopped.
    pub held_stopped: BTreeMap<GuardKind, u32>,
}

impl<'w> Builder<'w> {
    pub fn over(world: &'w World) -> Self {
        let index = world.index();
        Builder {
            world,
            vanished: Vanished::find(world, &index.linked_people),
            index,
            drafts: Vec::new(),
            lines: Vec::new(),
            conflicts: Vec::new(),
            held_back: BTreeMap::new(),
            lost: BTreeSet::new(),
            held_stopped: BTreeMap::new(),
        }
    }

    /// Adds a conflict unless a human said "leave as is" to exactly this.
    /// True when it stands.
    pub fn raise(&mut self, conflict: Conflict) -> bool {
        let left = self.decisions(conflict.person.as_str()).iter().any(|decision| {
            decision.kind == conflict.kind
                && decision.field == conflict.field
                && decision.stands_on == conflict.stands_on
                && decision.answer == Answer::LeaveAsIs
        });
        if !left {
            self.conflicts.push(conflict);
        }
        !left
    }

    /// The answer a human gave to exactly this question, where there is one.
    pub fn answer(
        &self,
        person: &str,
        kind: ConflictKind,
        field: Option<Field>,
        stands_on: &str,
    ) -> Option<&'w Answer> {
        let found = self.decisions(person).iter().rev().find(|decision| {
            decision.kind == kind && decision.field == field && decision.stands_on == stands_on
        });
        found.map(|decision| &decision.answer)
    }

    /// "Leave out" holds until it is taken back, whatever changes meanwhile.
    pub fn left_out(&self, person: &str) -> bool {
        self.decisions(person).iter().any(|decision| decision.answer == Answer::LeaveOut)
    }

    /// Of several reasons the first in the alphabet is told, whoever came first.
    pub fn hold_back(&mut self, what: &'static str, why: &str) {
        let (people, told) = self.held_back.entry(what).or_insert_with(|| (0, why.to_owned()));
        *people += 1;
        if why < told.as_str() {
            why.clone_into(told);
        }
    }

    pub fn skip(&mut self, person: &Person, reason: impl Into<String>) {
        let line = self.line(person, LineOutcome::Skip, Some(reason.into()));
        self.lines.push(line);
    }

    pub fn line(&self, person: &Person, outcome: LineOutcome, reason: Option<String>) -> PersonLine {
        PersonLine {
            person: person.id.clone(),
            employee: None,
            name: describe::name_of(person),
            extension: person.fields[Field::Extension].values().first().map(|value| value.canonical().into()),
            outcome,
            differs: Vec::new(),
            reason,
        }
    }

    fn decisions(&self, person: &str) -> &[&'w crate::Decision] {
        self.index.decisions.get(person).map(Vec::as_slice).unwrap_or_default()
    }

    fn unlinked(&mut self, person: &'w Person, result: &Match) {
        match result {
            Match::LeftOut => self.skip(person, "left out by an administrator"),
            Match::Ignored => self.skip(
                person,
                format!(
                    "{}, and has no employee in the PBX",
                    describe::left_reason(person.account).map_or("inactive", describe::left_in_words)
                ),
            ),
            Match::Join { employee, by, decided } => self.joined(person, *employee, by, *decided),
            Match::Relink { employee, from } => self.relinked(person, *employee, from),
            Match::Nobody => self.create(person, None),
            Match::Ask { kind, candidates } => {
                let mut conflict = describe::about(&person.id, &describe::name_of(person), *kind);
                conflict.directory_value = describe::shown(&person.fields[Field::Email]);
                conflict.stands_on = join::stands_on(person, candidates);
                conflict.candidates.clone_from(candidates);
                (conflict.reason, conflict.ways_out) = match kind {
                    ConflictKind::BackUnderNewId => (
                        "this employee belongs to a person who is gone: back under a new id?".to_owned(),
                        vec![WayOut::Relink, WayOut::NewEmployee, WayOut::LeaveOut],
                    ),
                    ConflictKind::AlreadySomeones => (
                        format!("the employee who matches is already {}", self.owners(candidates)),
                        vec![WayOut::NewEmployee, WayOut::LeaveOut],
                    ),
                    _ if candidates.is_empty() => (
                        "the join with an employee was undone, and nobody else matches: nothing is created before somebody says so"
                            .to_owned(),
                        vec![WayOut::NewEmployee, WayOut::LeaveOut],
                    ),
                    _ => (
                        "several people or employees match, or only in part: nobody was joined or created"
                            .to_owned(),
                        vec![WayOut::PickEmployee, WayOut::NewEmployee, WayOut::LeaveOut],
                    ),
                };
                let reason = conflict.reason.clone();
                self.conflicted(person, conflict, reason);
            }
        }
    }

    /// Whose the candidates are, here or on another server.
    fn owners(&self, candidates: &[Candidate]) -> String {
        let owners = candidates.iter().map(|candidate| {
            let here = self.index.links_by_employee.get(&candidate.employee);
            let elsewhere = self.world.linked_elsewhere.get(&candidate.employee);
            match (here, elsewhere) {
                (Some(link), _) => format!("that of {}", link.name),
                (None, Some(server)) => format!("that of somebody on server `{server}`"),
                (None, None) => "somebody else's".to_owned(),
            }
        });
        owners.collect::<Vec<_>>().join(", or ")
    }

    pub fn conflicted(&mut self, person: &Person, conflict: Conflict, reason: String) {
        let outcome = if self.raise(conflict) { LineOutcome::Conflict } else { LineOutcome::Skip };
        let line = self.line(person, outcome, Some(reason));
        self.lines.push(line);
    }

    pub fn finish(mut self) -> Plan {
        self.hold_stopped();
        // An action of a later wave needs what an earlier one frees.
        let key = |draft: &Draft| (draft.action.wave, draft.action.name.clone(), draft.action.person.clone());
        self.drafts.sort_by_cached_key(key);
        let (actions, lines): (Vec<Action>, Vec<PersonLine>) =
            self.drafts.into_iter().map(|draft| (draft.action, draft.line)).unzip();
        self.lines.extend(lines);
        self.lines.sort_by(|a, b| a.person.cmp(&b.person));
        self.conflicts.sort_by(|a, b| {
            (&a.name, &a.person, a.kind, a.field).cmp(&(&b.name, &b.person, b.kind, b.field))
        });
        let warnings =
            numbers::warning(self.world).into_iter().chain(shared_mail(self.world, &actions)).collect();
        let joins = actions.iter().filter(|action| matches!(action.link, Some(super::LinkStep::Join { .. })));
        let people = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (linked, joining) = (people(self.world.links.len()), people(joins.count()));
        let lost = self.lost.difference(&self.world.lost_released).cloned().collect();
        let mut touched = guard::touched(&actions, lost, self.world.ran_before);
        if self.world.doubt().is_some() && self.world.stopped.contains(&GuardKind::LostEmployees) {
            // Whom an incomplete read did not miss may be lost all the same.
            touched.entry(GuardKind::LostEmployees).or_default();
        }
        let World { recent, stopped: kinds, policy, .. } = self.world;
        let held_back = self.held_back.into_iter().map(|(what, (people, why))| {
            let what = what.to_owned();
            HeldBack { what, people, why, stopped: None }
        });
        let stopped = self.held_stopped.into_iter().map(|(kind, people)| HeldBack::stopped(kind, people));
        Plan {
            halt: guard::guard(&touched, recent, kinds, linked, joining, policy.thresholds),
            touched,
            lost: self.lost,
            actions,
            people: self.lines,
            conflicts: self.conflicts,
            held_back: held_back.chain(stopped).collect(),
            warnings,
            directory: self.world.people.verdict.clone(),
            pbx: self.world.employees.verdict.clone(),
        }
    }
}

/// E-mail addresses that new employees share with others: the PBX takes that
/// without a word, and the next one to match by e-mail would be ambiguous.
fn shared_mail(world: &World, actions: &[Action]) -> Vec<String> {
    let created = |action: &&Action| matches!(action.link, Some(super::LinkStep::Create { .. }));
    let mail = |action: &Action| {
        let change = action.pbx.iter().find(|change| change.field == Field::Email)?;
        Some(change.after.as_ref()?.canonical().to_owned())
    };
    let mut shared: BTreeMap<String, BTreeSet<&str>> =
        actions.iter().filter(created).filter_map(mail).map(|mail| (mail, BTreeSet::new())).collect();
    if shared.is_empty() {
        return Vec::new();
    }
    for person in &world.people.rows {
        for mail in person.fields[Field::Email].values() {
            if let Some(people) = shared.get_mut(mail.canonical()) {
                people.insert(person.id.as_str());
            }
        }
    }
    let names: HashMap<&str, &Person> =
        world.people.rows.iter().map(|person| (person.id.as_str(), person)).collect();
    let several = shared.iter().filter(|(_, people)| people.len() > 1);
    several
        .map(|(mail, people)| {
            let people = people.iter().filter_map(|id| names.get(id)).map(|person| describe::name_of(person));
            let people: Vec<Box<str>> = people.collect();
            format!("the e-mail {mail} belongs to several people: {}", people.join("; "))
        })
        .collect()
}
