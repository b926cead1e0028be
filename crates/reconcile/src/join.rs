//! Who is who: matches people without a link to employees without one.
//! An existing link decides and never moves without a human; ambiguity is a
//! result, not an error.

use crate::canonical;
use crate::conflict::{Answer, Candidate, ConflictKind, Decision};
use crate::employee::{Employee, EmployeeId};
use crate::field::Field;
use crate::link::{Link, LinkState};
use crate::person::{Person, PersonId, Whereabouts};
use crate::plan;
use crate::value::{Reading, Value};
use crate::world::{Index, World};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The fields that serve as join keys, in the order they are named to people.
pub const KEYS: [Field; 4] = [Field::Email, Field::Name, Field::Mobile, Field::Extension];

/// What joining says about one person without a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    Join {
        employee: EmployeeId,
        by: Vec<Field>,
        decided: bool,
    },
    /// A human gave the person an employee that another link held.
    Relink {
        employee: EmployeeId,
        from: PersonId,
    },
    Nobody,
    /// Disabled, and nobody's employee is clearly theirs: none of our business.
    Ignored,
    LeftOut,
    Ask {
        kind: ConflictKind,
        candidates: Vec<Candidate>,
    },
}

impl Match {
    pub(crate) fn relinked_from(&self) -> Option<&PersonId> {
        match self {
            Match::Relink { from, .. } => Some(from),
            _ => None,
        }
    }
}

/// One entry for every person without a link, by id.
pub fn join<'w>(world: &'w World, index: &Index<'w>) -> BTreeMap<&'w str, Match> {
    let unlinked = world.people.rows.iter();
    let unlinked = unlinked.filter(|person| !index.linked_people.contains_key(person.id.as_str()));
    let mut unlinked: Vec<&Person> = unlinked.collect();
    if unlinked.is_empty() {
        return BTreeMap::new();
    }
    unlinked.sort_by(|a, b| a.id.cmp(&b.id));
    let employees: Vec<Keyed> =
        world.employees.rows.iter().map(|employee| Keyed::employee(employee, world)).collect();
    let finder = Finder::over(&employees);
    let mut matcher = Matcher {
        world,
        index,
        employees: &employees,
        results: BTreeMap::new(),
        decided: BTreeSet::new(),
        joined: BTreeSet::new(),
        claimed: BTreeSet::new(),
    };

    let open: Vec<&Person> = unlinked.into_iter().filter(|person| !matcher.decide(person)).collect();
    let (enabled, disabled): (Vec<&Person>, Vec<&Person>) =
        open.into_iter().partition(|person| person.account.active());
    matcher.match_enabled(&finder, &enabled);
    matcher.match_disabled(&finder, &disabled);
    matcher.results
}

/// The join keys of one side, normalised.
struct Keyed {
    id: EmployeeId,
    email: Vec<String>,
    name: Option<Name>,
    mobile: Vec<String>,
    /// The record was not read, and `mobile` is the list's dial string: where
    /// calls go, which need not be the mobile number.
    dial_only: bool,
    extension: Vec<String>,
}

struct Name {
    folded: String,
    /// Taken apart only where another name has to be told from it.
    canonical: String,
}

impl Keyed {
    fn employee(employee: &Employee, world: &World) -> Self {
        let mut keys = Keyed::of(employee.id, |field| &employee.fields[field]);
        if keys.mobile.is_empty() && !employee.dial.is_empty() {
            keys.dial_only = true;
            let dial = canonical::mobile_in_pbx(&employee.dial, world.policy.region.as_deref());
            keys.mobile = dial.iter().flat_map(Value::readings).map(str::to_owned).collect();
        }
        keys
    }

    fn person(person: &Person) -> Self {
        Keyed::of(EmployeeId(0), |field| &person.fields[field])
    }

    fn of<'a>(id: EmployeeId, reading: impl Fn(Field) -> &'a Reading) -> Self {
        let all = |field: Field| -> Vec<String> {
            reading(field).values().iter().flat_map(Value::readings).map(str::to_owned).collect()
        };
        let name = reading(Field::Name).values().first().map(|value| Name {
            folded: canonical::join_name(value.canonical()),
            canonical: value.canonical().to_owned(),
        });
        Keyed {
            id,
            email: all(Field::Email),
            name,
            mobile: all(Field::Mobile),
            dial_only: false,
            extension: all(Field::Extension),
        }
    }

    /// The keys that speak for the two being one, and those that speak against.
    fn compare(&self, other: &Keyed) -> Evidence {
        let mut evidence = Evidence::default();
        for field in KEYS {
            let (mine, theirs) = match field {
                Field::Email => (&self.email, &other.email),
                Field::Mobile => (&self.mobile, &other.mobile),
                Field::Extension => (&self.extension, &other.extension),
                _ => continue,
            };
            if mine.is_empty() || theirs.is_empty() {
                continue;
            }
            let equal = mine.iter().any(|key| theirs.contains(key));
            // Another dial string says nothing against anybody.
            if equal || field != Field::Mobile || !(self.dial_only || other.dial_only) {
                evidence.note(field, equal);
            }
        }
        if let (Some(mine), Some(theirs)) = (&self.name, &other.name) {
            if mine.folded == theirs.folded {
                evidence.note(Field::Name, true);
            } else if !share_a_word(&mine.canonical, &theirs.canonical) {
                evidence.note(Field::Name, false);
            }
        }
        evidence
    }
}

fn share_a_word(one: &str, other: &str) -> bool {
    let words = canonical::name_words(other);
    canonical::name_words(one).iter().any(|word| words.contains(word))
}

#[derive(Clone, Debug, Default)]
struct Evidence {
    agrees: Vec<Field>,
    differs: Vec<Field>,
}

impl Evidence {
    fn note(&mut self, field: Field, equal: bool) {
        if equal { self.agrees.push(field) } else { self.differs.push(field) }
    }

    /// The same e-mail, or two keys for, or one for and none against.
    fn strong(&self) -> bool {
        self.agrees.contains(&Field::Email)
            || self.agrees.len() >= 2
            || (self.agrees.len() == 1 && self.differs.is_empty())
    }
}

/// Finds the employees that share at least one key.
struct Finder<'k> {
    by_key: HashMap<(Field, &'k str), Vec<usize>>,
}

impl<'k> Finder<'k> {
    fn over(employees: &'k [Keyed]) -> Self {
        let mut by_key: HashMap<(Field, &'k str), Vec<usize>> = HashMap::new();
        for (at, keys) in employees.iter().enumerate() {
            keys.each(|field, key| by_key.entry((field, key)).or_default().push(at));
        }
        Finder { by_key }
    }

    fn candidates(&self, person: &Keyed) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        person.each(|field, key| found.extend(self.by_key.get(&(field, key)).into_iter().flatten()));
        found
    }
}

impl Keyed {
    fn each<'k>(&'k self, mut see: impl FnMut(Field, &'k str)) {
        let lists =
            [(Field::Email, &self.email), (Field::Mobile, &self.mobile), (Field::Extension, &self.extension)];
        for (field, keys) in lists {
            keys.iter().for_each(|key| see(field, key));
        }
        if let Some(name) = &self.name {
            see(Field::Name, &name.folded);
        }
    }
}

struct Hit {
    at: usize,
    evidence: Evidence,
}

struct Matcher<'a, 'w> {
    world: &'w World,
    index: &'a Index<'w>,
    employees: &'a [Keyed],
    results: BTreeMap<&'w str, Match>,
    /// Employees that a human gave to somebody.
    decided: BTreeSet<EmployeeId>,
    /// Employees that the rules join to somebody in this very plan.
    joined: BTreeSet<EmployeeId>,
    /// Employees that some enabled person matches, strongly or weakly.
    claimed: BTreeSet<EmployeeId>,
}

impl<'w> Matcher<'_, 'w> {
    /// Applies a remembered human choice. True when there was one.
    fn decide(&mut self, person: &'w Person) -> bool {
        let decisions = self.decisions(person);
        if decisions.iter().any(|decision| decision.answer == Answer::LeaveOut) {
            self.results.insert(person.id.as_str(), Match::LeftOut);
            return true;
        }
        let about_match = |kind| {
            matches!(
                kind,
                ConflictKind::AmbiguousMatch | ConflictKind::BackUnderNewId | ConflictKind::AlreadySomeones
            )
        };
        // What was answered before a join was undone led to that join, or to none.
        let undone_ms = undone_joins(decisions).map(|(_, at_ms)| at_ms).max().unwrap_or(i64::MIN);
        let stands = |decision: &&&Decision| about_match(decision.kind) && decision.at_ms > undone_ms;
        for decision in decisions.iter().rev().filter(stands) {
            let result = match &decision.answer {
                Answer::NewEmployee if person.account.active() => Match::Nobody,
                Answer::Employee { id } => match self.given(*id) {
                    // A disabled account is no reason to move a link.
                    Some(Match::Relink { .. }) if !person.account.active() => Match::Ignored,
                    Some(result) => result,
                    None => continue,
                },
                _ => continue,
            };
            if let Match::Join { employee, .. } | Match::Relink { employee, .. } = &result {
                self.decided.insert(*employee);
            }
            self.results.insert(person.id.as_str(), result);
            return true;
        }
        false
    }

    /// The employee a human picked, if it can still be given.
    fn given(&self, id: EmployeeId) -> Option<Match> {
        self.index.employees.get(&id)?;
        if self.decided.contains(&id) || self.world.linked_elsewhere.contains_key(&id) {
            return None;
        }
        match self.index.links_by_employee.get(&id) {
            None => Some(Match::Join { employee: id, by: Vec::new(), decided: true }),
            Some(link) if gone(self.world, self.index, link) => {
                Some(Match::Relink { employee: id, from: link.person.clone() })
            }
            Some(_) => None,
        }
    }

    fn match_enabled(&mut self, finder: &Finder<'_>, people: &[&'w Person]) {
        let hits: Vec<(&'w Person, Vec<Hit>)> =
            people.iter().map(|person| (*person, self.hits(finder, person))).collect();
        let mut wanted: HashMap<EmployeeId, usize> = HashMap::new();
        for (_, hits) in &hits {
            for hit in hits.iter().filter(|hit| hit.evidence.strong() && self.free(hit)) {
                *wanted.entry(self.employees[hit.at].id).or_default() += 1;
            }
        }
        // Who is joined now is somebody's, and a weak likeness to them no longer
        // counts: the answer is the same as in the next run.
        for (_, hits) in &hits {
            if let Some((employee, _)) = self.only_strong(hits, &wanted) {
                self.joined.insert(employee);
            }
        }
        for (person, hits) in &hits {
            let result = match self.enabled_match(hits, &wanted) {
                // Who undoes a join said who the person is not. That they are to
                // have a new employee, a phone and a number, nobody said: it is asked.
                Match::Nobody if undone_joins(self.decisions(person)).next().is_some() => {
                    self.ask(ConflictKind::AmbiguousMatch, Vec::new())
                }
                result => result,
            };
            self.results.insert(person.id.as_str(), result);
        }
        self.relink(people);
        for (_, hits) in &hits {
            self.claimed.extend(hits.iter().map(|hit| self.employees[hit.at].id));
        }
    }

    /// Moves the links that humans said to move, each to its one new person. The
    /// answer is good for the candidates it was given about, and no others.
    fn relink(&mut self, people: &[&'w Person]) {
        let mut moves: BTreeMap<EmployeeId, Vec<(&'w Person, &'w Link)>> = BTreeMap::new();
        for person in people {
            let Some(Match::Ask { kind: ConflictKind::BackUnderNewId, candidates }) =
                self.results.get(person.id.as_str())
            else {
                continue;
            };
            let stands_on = stands_on(person, candidates);
            let relink = self.decisions(person).iter().any(|decision| {
                decision.kind == ConflictKind::BackUnderNewId
                    && decision.answer == Answer::Relink
                    && decision.stands_on == stands_on
            });
            let of_the_gone = candidates.iter().filter_map(|candidate| {
                let link = self.index.links_by_employee.get(&candidate.employee).copied()?;
                gone(self.world, self.index, link).then_some(link)
            });
            if let (true, [link]) = (relink, &of_the_gone.collect::<Vec<_>>()[..]) {
                moves.entry(link.employee).or_default().push((person, link));
            }
        }
        for (employee, to) in moves {
            if let [(person, link)] = to[..]
                && self.decided.insert(employee)
            {
                let result = Match::Relink { employee, from: link.person.clone() };
                self.results.insert(person.id.as_str(), result);
            }
        }
    }

    /// The one strong candidate that is strong for no other person.
    fn only_strong<'h>(
        &self,
        hits: &'h [Hit],
        wanted: &HashMap<EmployeeId, usize>,
    ) -> Option<(EmployeeId, &'h [Field])> {
        let mut strong = hits.iter().filter(|hit| hit.evidence.strong() && self.free(hit));
        let (only, None) = (strong.next()?, strong.next()) else { return None };
        let employee = self.employees[only.at].id;
        (wanted.get(&employee) == Some(&1)).then_some((employee, &only.evidence.agrees[..]))
    }

    fn enabled_match(&self, hits: &[Hit], wanted: &HashMap<EmployeeId, usize>) -> Match {
        if let Some((employee, by)) = self.only_strong(hits, wanted) {
            return Match::Join { employee, by: by.to_vec(), decided: false };
        }
        let strong: Vec<&Hit> = hits.iter().filter(|hit| hit.evidence.strong() && self.free(hit)).collect();
        if !strong.is_empty() {
            return self.ask(ConflictKind::AmbiguousMatch, strong);
        }
        // A name alone says nothing against a linked employee: namesakes exist.
        let linked: Vec<&Hit> = hits
            .iter()
            .filter(|hit| !self.free(hit) && hit.evidence.strong() && hit.evidence.agrees != [Field::Name])
            .collect();
        if !linked.is_empty() {
            let back = linked.iter().any(|hit| {
                let link = self.index.links_by_employee.get(&self.employees[hit.at].id);
                link.is_some_and(|link| gone(self.world, self.index, link))
            });
            let kind = if back { ConflictKind::BackUnderNewId } else { ConflictKind::AlreadySomeones };
            return self.ask(kind, linked);
        }
        let joined = |hit: &&Hit| self.joined.contains(&self.employees[hit.at].id);
        let weak: Vec<&Hit> = hits.iter().filter(|hit| self.free(hit) && !joined(hit)).collect();
        if weak.is_empty() { Match::Nobody } else { self.ask(ConflictKind::AmbiguousMatch, weak) }
    }

    /// A disabled person takes only an employee no enabled person claims.
    fn match_disabled(&mut self, finder: &Finder<'_>, people: &[&'w Person]) {
        let hits: Vec<(&'w Person, Vec<Hit>)> =
            people.iter().map(|person| (*person, self.hits(finder, person))).collect();
        let strong = |hits: &[Hit], this: &Self| -> Vec<usize> {
            let fits = |hit: &&Hit| {
                hit.evidence.strong() && this.free(hit) && !this.claimed.contains(&this.employees[hit.at].id)
            };
            hits.iter().filter(fits).map(|hit| hit.at).collect()
        };
        let mut wanted: HashMap<usize, usize> = HashMap::new();
        for (_, hits) in &hits {
            strong(hits, self).into_iter().for_each(|at| *wanted.entry(at).or_default() += 1);
        }
        for (person, hits) in &hits {
            let result = match strong(hits, self)[..] {
                [at] if wanted.get(&at) == Some(&1) => Match::Join {
                    employee: self.employees[at].id,
                    by: hits
                        .iter()
                        .find(|hit| hit.at == at)
                        .map(|hit| hit.evidence.agrees.clone())
                        .unwrap_or_default(),
                    decided: false,
                },
                _ => Match::Ignored,
            };
            self.results.insert(person.id.as_str(), result);
        }
    }

    fn hits(&self, finder: &Finder<'_>, person: &Person) -> Vec<Hit> {
        if self.employees.is_empty() {
            return Vec::new();
        }
        let keys = Keyed::person(person);
        let decisions = self.decisions(person);
        let never = |at: usize| undone_joins(decisions).any(|(ids, _)| ids.contains(&self.employees[at].id));
        let compared = finder.candidates(&keys).into_iter().filter(|at| !never(*at)).map(|at| {
            let evidence = keys.compare(&self.employees[at]);
            Hit { at, evidence }
        });
        compared.filter(|hit| !hit.evidence.agrees.is_empty()).collect()
    }

    fn decisions(&self, person: &Person) -> &[&'w Decision] {
        self.index.decisions.get(person.id.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    fn free(&self, hit: &Hit) -> bool {
        let id = self.employees[hit.at].id;
        !self.decided.contains(&id)
            && !self.index.links_by_employee.contains_key(&id)
            && !self.world.linked_elsewhere.contains_key(&id)
    }

    fn ask(&self, kind: ConflictKind, hits: Vec<&Hit>) -> Match {
        let candidates = hits.into_iter().map(|hit| {
            let id = self.employees[hit.at].id;
            let shown = |field: Field| {
                let employee = self.index.employees.get(&id);
                employee
                    .and_then(|e| e.fields[field].values().first())
                    .map_or_else(String::new, |v| v.raw().into())
            };
            Candidate {
                employee: id,
                name: shown(Field::Name),
                extension: shown(Field::Extension),
                agrees: hit.evidence.agrees.clone(),
                differs: hit.evidence.differs.clone(),
            }
        });
        let mut candidates: Vec<Candidate> = candidates.collect();
        candidates.sort_by_key(|candidate| candidate.employee);
        Match::Ask { kind, candidates }
    }
}

/// The employees a person is not, as undone joins told, and when they did.
pub(crate) fn undone_joins<'w>(decisions: &[&'w Decision]) -> impl Iterator<Item = (&'w [EmployeeId], i64)> {
    decisions.iter().filter_map(|decision| match &decision.answer {
        Answer::NotThese { ids } if !ids.is_empty() => Some((&ids[..], decision.at_ms)),
        _ => None,
    })
}

/// Everything that made a person recognisable when a match was asked about.
pub(crate) fn stands_on(person: &Person, candidates: &[Candidate]) -> String {
    let mut parts: Vec<String> = KEYS.iter().map(|field| plan::essence(&person.fields[*field])).collect();
    parts.extend(candidates.iter().map(|candidate| candidate.employee.to_string()));
    plan::stands_on(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Whether the person of this link is known to be gone: not seen is not gone.
fn gone(world: &World, index: &Index<'_>, link: &Link) -> bool {
    if index.people.contains_key(link.person.as_str()) {
        return false;
    }
    let left = matches!(&link.state, LinkState::Left { reason, .. } if reason.is_gone());
    let found_gone = matches!(
        world.whereabouts.get(&link.person),
        Some(Whereabouts::NotFound | Whereabouts::OutOfScope { .. } | Whereabouts::FilteredOut { .. })
    );
    left || found_gone
}
