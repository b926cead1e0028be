//! The report of a run as people read it: what was read, who changes and how,
//! what needs a human, what was held back.

use super::conflicts::view as conflict;
use super::output::{Cell, Ink, NONE, Page, Table, View, count, quoted, shown};
use super::words;
use crate::app::App;
use crate::cycle::Report;
use crate::cycle::report::{ChangeReport, ChangeResult, PersonReport, Side, Status, Updated};
use crate::limits;
use anyhow::Result;
use reconcile::guard::Halt;
use reconcile::merge::Cause;
use reconcile::{Conflict, ConflictKind, Field};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use store::ConflictsOf;

/// More conflicts than this are listed, not explained.
const CONFLICTS_EXPLAINED_MAX: usize = 8;
/// Reasons for which people are skipped, commonest first.
const SKIP_REASONS_MAX: usize = 6;
/// So many steps that were not undone are listed.
const NOT_UNDONE_SHOWN_MAX: usize = 40;
/// So many people stand for all of them in a brief report.
const PEOPLE_BRIEFLY: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Preview,
    Run,
    /// A run of the past.
    Past,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Whole,
    /// Some of the people, conflicts by kind.
    Brief,
}

/// The JSON form is the report, exactly.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct ReportView {
    pub report: Report,
    #[serde(skip)]
    pub kind: Kind,
    #[serde(skip)]
    pub extent: Extent,
    #[serde(skip)]
    pub known: Known,
}

type Key = (String, ConflictKind, Option<Field>);

/// What the store knows about the people of a report.
#[derive(Debug, Default)]
pub struct Known {
    /// Who was linked before; none where that is not known.
    linked: Option<HashSet<String>>,
    conflicts: HashMap<Key, i64>,
}

impl Known {
    /// Everybody linked before a run.
    pub async fn before(app: &App) -> Result<Self> {
        let mut linked = HashSet::new();
        for row in app.store.directories().await? {
            linked.extend(app.store.links(row.id).await?.into_iter().map(|link| link.person.to_string()));
        }
        Ok(Known { linked: Some(linked), conflicts: HashMap::new() })
    }

    /// Adds the numbers under which conflicts can be answered.
    pub async fn with_conflicts(mut self, app: &App, server: &str) -> Result<Self> {
        if let Some(row) = app.store.directory(server).await? {
            let rows = app.store.conflicts(ConflictsOf::Directory(row.id)).await?;
            self.conflicts = rows
                .into_iter()
                .map(|row| {
                    let conflict = row.conflict;
                    ((conflict.person.to_string(), conflict.kind, conflict.field), row.id.0)
                })
                .collect();
        }
        Ok(self)
    }

    fn is_new(&self, person: &PersonReport) -> bool {
        self.linked.as_ref().is_some_and(|linked| !linked.contains(&person.id))
    }
}

impl View for ReportView {
    fn write(&self, page: &mut Page) {
        self.write_head(page);
        self.write_people(page);
        self.write_conflicts(page);
        self.write_held_back(page);
        self.write_not_undone(page);
        self.write_warnings(page);
        self.write_counts(page);
        self.write_next(page);
    }

    fn exit_code(&self) -> u8 {
        self.report.exit_code()
    }
}

impl ReportView {
    fn write_head(&self, page: &mut Page) {
        let report = &self.report;
        let preview = self.kind == Kind::Preview;
        page.title(match (report.run.filter(|_| !preview), report.undoes) {
            (None, None) => format!("Preview of {}", report.server),
            (None, Some(undone)) => format!("Preview of undoing run {undone} of {}", report.server),
            (Some(run), None) => format!("Synchronisation of {}, run {run}", report.server),
            (Some(run), Some(undone)) => format!("Undo of run {undone} of {}, run {run}", report.server),
        });
        page.facts([
            ("directory", words::verdict(&report.directory.verdict, report.directory.read, "people")),
            ("PBX", words::verdict(&report.pbx.verdict, report.pbx.read, "employees")),
            ("plan", Cell::new(&report.plan, Ink::Dim)),
        ]);
    }

    fn write_people(&self, page: &mut Page) {
        write_people(page, &self.report.people, self.extent, |person| self.is_joined(person));
        self.write_skipped(page);
    }

    fn is_joined(&self, person: &PersonReport) -> bool {
        person.employee.is_some()
            && self.known.is_new(person)
            && !is_created(person)
            && person.status == Status::Processed
    }

    fn write_skipped(&self, page: &mut Page) {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        let skipped = self.report.people.iter().filter(|person| person.status == Status::Skipped);
        for person in skipped.filter(|person| person.changes.is_empty()) {
            *reasons.entry(person.reason.as_deref().unwrap_or("nothing to do")).or_default() += 1;
        }
        let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, people)| std::cmp::Reverse(*people));
        if reasons.is_empty() {
            return;
        }
        page.gap();
        page.say("Skipped", Ink::Strong);
        page.grid(
            reasons
                .iter()
                .take(SKIP_REASONS_MAX)
                .map(|(why, people)| [people.to_string().into(), (*why).into()]),
        );
    }

    fn write_conflicts(&self, page: &mut Page) {
        let conflicts = &self.report.conflicts;
        if conflicts.is_empty() {
            return;
        }
        page.title(count(conflicts.len(), "conflict", "conflicts"));
        if self.extent == Extent::Brief {
            return write_kinds(page, conflicts);
        }
        let id = |conflict: &Conflict| {
            let key = (conflict.person.to_string(), conflict.kind, conflict.field);
            self.known.conflicts.get(&key).copied()
        };
        if conflicts.len() <= CONFLICTS_EXPLAINED_MAX {
            for conflict in conflicts {
                page.gap();
                conflict::explain(page, id(conflict), conflict);
            }
        } else {
            conflict::list(page, conflicts.iter().map(|conflict| (id(conflict), conflict, Vec::new())));
        }
        page.gap();
        if conflicts.iter().any(|conflict| id(conflict).is_none()) {
            page.say(
                "A conflict gets its number at the synchronisation; then answer it with `rollcall conflicts resolve`.",
                Ink::Dim,
            );
        } else if conflicts.len() > CONFLICTS_EXPLAINED_MAX {
            page.say("What can be done about one: rollcall conflicts show ID", Ink::Dim);
        }
    }

    fn write_held_back(&self, page: &mut Page) {
        if self.report.held_back.is_empty() {
            return;
        }
        page.title("Held back");
        page.grid(self.report.held_back.iter().map(|held| {
            [held.people.to_string().into(), held.what.clone().into(), Cell::new(&held.why, Ink::Warn)]
        }));
    }

    fn write_not_undone(&self, page: &mut Page) {
        let rows = &self.report.not_undone;
        if rows.is_empty() {
            return;
        }
        page.title("Not undone");
        let mut table = Table::new(["Step", "Person", "What", "Why"]).keep(["Step"]);
        for row in rows.iter().take(NOT_UNDONE_SHOWN_MAX) {
            let side = match row.side {
                store::Side::Pbx => "PBX ",
                store::Side::Directory => "directory ",
                store::Side::Rollcall => "",
            };
            table.row([
                row.step.to_string().into(),
                shown(Some(&row.name)).into(),
                format!("{side}{}", row.what).into(),
                Cell::new(&row.why, Ink::Warn),
            ]);
        }
        page.table(&table);
        let others = rows.len().saturating_sub(NOT_UNDONE_SHOWN_MAX);
        if others > 0 {
            page.say(format!("and {}; --json has them all", count(others, "other", "others")), Ink::Dim);
        }
    }

    fn write_warnings(&self, page: &mut Page) {
        page.gap();
        for warning in &self.report.warnings {
            page.say(format!("Warning: {warning}"), Ink::Warn);
        }
    }

    pub fn write_counts(&self, page: &mut Page) {
        let counts = &self.report.counts;
        let parts = [
            (counts.created, "created"),
            (counts.joined, "joined"),
            (counts.updated_in_pbx, "updated in the PBX"),
            (counts.updated_in_directory, "updated in the directory"),
            (counts.disabled, "newly disabled"),
            (counts.restored, "restored"),
            (counts.conflicts, "in conflict"),
            (counts.failed, "failed"),
            (counts.unchanged, "unchanged"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        page.gap();
        page.say(parts.join(" · "), Ink::Strong);
        if self.kind != Kind::Preview && self.report.halted.is_none() {
            let writes = &self.report.writes;
            let written = match (writes.pbx, writes.directory) {
                (0, 0) => "Nothing was written: both sides are as they were.".to_owned(),
                (pbx, directory) => {
                    let pbx = count(pbx as usize, "write", "writes");
                    format!("{pbx} to the PBX, {directory} to the directory.")
                }
            };
            page.say(written, Ink::Plain);
        }
    }

    fn write_next(&self, page: &mut Page) {
        let hash: String = self.report.plan.chars().take(limits::HASH_SHOWN).collect();
        let changes =
            self.report.people.iter().any(|person| !what(person, self.is_joined(person)).is_empty());
        if let Some(halt) = &self.report.halted {
            page.gap();
            let stopped = match self.kind {
                Kind::Preview => "The guard stops this plan",
                Kind::Run | Kind::Past => "Stopped by the guard before the first write",
            };
            page.say(format!("{stopped}: {halt}."), Ink::Bad);
            if self.kind != Kind::Preview && !halt.tripped.is_empty() {
                page.say(
                    "Until that is settled, later runs hold the like of it back and do the rest.",
                    Ink::Plain,
                );
            }
            return ways_on(page, &hash, &self.report.server, halt);
        }
        if self.kind == Kind::Past {
            return;
        }
        if let Some(undone) = self.report.undoes {
            return self.write_next_of_undo(page, undone, &hash, changes);
        }
        if nobody_was_read(&self.report) {
            page.say(
                "Nobody was read from the directory. Check the server's type, domain root, subdivisions and filter, \
                 and whether the account may read people there:",
                Ink::Warn,
            );
            page.command(2, &format!("rollcall server show {}", quoted(&self.report.server)));
            page.command(2, &format!("rollcall server test {}", quoted(&self.report.server)));
        }
        if self.kind != Kind::Preview {
            return;
        }
        if !changes {
            return self.write_rest(page);
        }
        page.say("Nothing was written. Carry out exactly this plan, or whatever is due by then:", Ink::Plain);
        page.command(2, &format!("rollcall apply {hash}"));
        page.command(2, &format!("rollcall sync {}", quoted(&self.report.server)));
    }

    fn write_next_of_undo(&self, page: &mut Page, undone: i64, hash: &str, changes: bool) {
        match (self.kind, changes) {
            (Kind::Preview, true) => {
                page.say("Nothing was written. Carry out exactly this plan:", Ink::Plain);
                page.command(2, &format!("rollcall apply {hash}"));
            }
            (_, false) if self.report.not_undone.is_empty() => {
                page.say(format!("Nothing of run {undone} is left to undo."), Ink::Plain);
            }
            (_, false) => page.say(format!("Nothing of run {undone} can be undone."), Ink::Warn),
            (_, true) => page.say(
                "What was put back rests as it is, on both sides, until one of them changes.",
                Ink::Plain,
            ),
        }
    }

    /// Why a preview has nothing to do. "In step" is said of what was read
    /// completely, and of nothing else.
    fn write_rest(&self, page: &mut Page) {
        let report = &self.report;
        let complete = report.directory.verdict.is_complete() && report.pbx.verdict.is_complete();
        match () {
            () if !complete => page.say(
                "Nothing to do as far as was read; whether both sides are in step, an incomplete read cannot tell.",
                Ink::Warn,
            ),
            () if nobody_was_read(report) => {}
            () if !report.held_back.is_empty() => page.say("Nothing to do but what is held back.", Ink::Warn),
            () if !report.conflicts.is_empty() => {
                page.say("Nothing to do but the conflicts, which wait for an answer.", Ink::Warn);
            }
            () => page.say("Nothing to do: both sides are in step.", Ink::Good),
        }
    }
}

/// What a human can do about a plan that was halted.
pub fn ways_on(page: &mut Page, plan: &str, server: &str, halt: &Halt) {
    let server = quoted(server);
    let mut ways = vec![
        ("Look at it:", format!("rollcall plans show {plan}")),
        ("Carry out exactly this plan:", format!("rollcall apply {plan} --release")),
        ("Drop it, and let the next run count anew:", format!("rollcall plans discard {plan}")),
    ];
    if halt.look_first.is_some() {
        ways.push((
            "Look at what a run does now, and let automatic runs do it:",
            format!("rollcall preview {server}"),
        ));
    }
    if !halt.tripped.is_empty() {
        let edit = format!("rollcall server edit {server} --guard-percent N");
        ways.push(("Change the limits (also --guard-floor and --guard-ceiling):", edit));
    }
    for (what, command) in ways {
        page.say(what, Ink::Plain);
        page.command(2, &command);
    }
}

/// A complete read that found no people: hardly what anybody wants.
fn nobody_was_read(report: &Report) -> bool {
    report.directory.read == 0 && report.directory.verdict.is_complete()
}

/// Everybody with whom something happens.
pub fn write_people(
    page: &mut Page,
    people: &[PersonReport],
    extent: Extent,
    is_joined: impl Fn(&PersonReport) -> bool,
) {
    let mut table =
        Table::new(["Person", "Number", "Status", "Updated", "What"]).keep(["Number", "Status", "Updated"]);
    let mut left_out = 0;
    for person in people {
        let what = what(person, is_joined(person));
        if what.is_empty() {
            continue;
        }
        if extent == Extent::Brief && table.len() == PEOPLE_BRIEFLY {
            left_out += 1;
            continue;
        }
        let ink = if person.status == Status::Failed { Ink::Bad } else { Ink::Plain };
        table.row([
            Cell::from(person.name.clone()),
            shown(person.extension.as_deref()).into(),
            words::status(person.status),
            words::updated(person.updated).into(),
            Cell::new(what.join("\n"), ink),
        ]);
    }
    if !table.is_empty() {
        page.gap();
        page.table(&table);
    }
    if left_out > 0 {
        page.say(format!("and {}", count(left_out, "other", "others")), Ink::Dim);
    }
}

/// How many conflicts of each kind.
fn write_kinds(page: &mut Page, conflicts: &[Conflict]) {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for conflict in conflicts {
        *kinds.entry(words::conflict_kind(conflict.kind, conflict.field)).or_default() += 1;
    }
    page.grid(kinds.into_iter().map(|(kind, n)| [n.to_string().into(), kind.into()]));
}

fn is_created(person: &PersonReport) -> bool {
    let named = |change: &ChangeReport| {
        change.side == Side::Pbx && change.field == Field::Name && change.cause == Cause::NewEmployee
    };
    person.changes.iter().any(named)
}

/// What happens to a person, line by line; nothing for those who rest.
fn what(person: &PersonReport, joined: bool) -> Vec<String> {
    let created = is_created(person);
    let mut lines = Vec::new();
    if created {
        lines.push(creation(person));
    } else if joined {
        let employee = person.employee.map_or_else(|| NONE.to_owned(), |id| id.to_string());
        lines.push(format!("joined with employee {employee}"));
    }
    let both = person.updated == Some(Updated::Both);
    let told = |change: &&ChangeReport| !(created && change.side == Side::Pbx && went_well(change));
    lines.extend(person.changes.iter().filter(told).map(|change| words::change(change, both)));
    let tells = matches!(person.status, Status::Processed | Status::Failed);
    lines.extend(person.reason.iter().filter(|_| tells).map(|reason| shown(Some(reason))));
    lines
}

/// Everything about somebody new in one line; name and number have columns.
fn creation(person: &PersonReport) -> String {
    let told = |change: &&ChangeReport| {
        let obvious = matches!(change.field, Field::Name | Field::SipPassword | Field::Extension);
        change.side == Side::Pbx && went_well(change) && !obvious
    };
    let mut line = "new employee".to_owned();
    for change in person.changes.iter().filter(told) {
        line.push_str(&format!(", {} {}", change.field, shown(change.after.as_deref())));
    }
    line
}

fn went_well(change: &ChangeReport) -> bool {
    matches!(change.result, ChangeResult::Planned | ChangeResult::Done) && change.note.is_none()
}

#[cfg(test)]
mod tests;
