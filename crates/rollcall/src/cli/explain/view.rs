//! One person, explained.

use crate::cli::conflicts::view::{ConflictView, explain};
use crate::cli::journal::Written;
use crate::cli::output::{Cell, Ink, NONE, Page, Table, View, count, shown};
use crate::cli::words;
use reconcile::{Field, LeftReason};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
pub struct Found {
    #[serde(skip)]
    pub in_full: bool,
    pub people: Vec<Explained>,
}

#[derive(Debug, Serialize)]
pub struct Explained {
    pub server: String,
    pub id: String,
    pub name: String,
    pub dn: Option<String>,
    pub employee: Option<u64>,
    pub extension: Option<String>,
    #[serde(flatten)]
    pub state: State,
    pub fields: BTreeMap<Field, FieldView>,
    pub last_run: Option<LastRun>,
    pub conflicts: Vec<ConflictView>,
    /// Newest first.
    pub journal: Vec<Written>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    Unlinked,
    Active,
    Left { reason: LeftReason, since_ms: i64 },
    Resting { since_ms: i64 },
}

#[derive(Debug, Serialize)]
pub struct FieldView {
    pub directory: Option<Seen>,
    pub pbx: Option<Seen>,
    /// The values with which both sides last agreed.
    pub agreed: Option<Agreed>,
    /// Whether the directory has a place for it.
    #[serde(skip)]
    pub mapped: bool,
}

/// A value as last seen, and between which times it became that.
#[derive(Debug, Serialize)]
pub struct Seen {
    pub value: Option<String>,
    pub after_ms: i64,
    pub by_ms: i64,
}

#[derive(Debug, Serialize)]
pub struct Agreed {
    pub directory: Option<String>,
    pub pbx: Option<String>,
    /// A human left it so although the two differ.
    pub held: bool,
    pub differs: bool,
}

#[derive(Debug, Serialize)]
pub struct LastRun {
    pub run: i64,
    pub status: String,
    pub reason: Option<String>,
}

impl View for Found {
    fn write(&self, page: &mut Page) {
        if self.in_full {
            return self.people.iter().for_each(|person| person.write(page));
        }
        page.say(
            format!("{} fit; say more of the name, or give the number or the id.", self.people.len()),
            Ink::Plain,
        );
        page.gap();
        let mut table = Table::new(["Person", "Number", "Server", "ID"]).keep(["Number", "Server", "ID"]);
        for person in &self.people {
            table.row([
                shown(Some(&person.name)).into(),
                shown(person.extension.as_deref()).into(),
                person.server.clone().into(),
                person.id.clone().into(),
            ]);
        }
        page.table(&table);
    }
}

impl Explained {
    fn write(&self, page: &mut Page) {
        page.title(self.name.clone());
        page.facts(self.facts(page));
        if !self.fields.is_empty() {
            page.gap();
            page.table(&self.field_table(page));
        }
        if !self.conflicts.is_empty() {
            page.title(count(self.conflicts.len(), "conflict", "conflicts"));
            for row in &self.conflicts {
                page.gap();
                explain(page, Some(row.id.0), &row.conflict);
            }
        }
        if !self.journal.is_empty() {
            page.title("What was written, and why");
            page.table(&self.journal_table(page));
        }
    }

    fn facts(&self, page: &Page) -> Vec<(&'static str, Cell)> {
        let since = |ms: &i64| page.look.time(*ms);
        let state = match &self.state {
            State::Unlinked => Cell::new("no employee is linked", Ink::Warn),
            State::Active => Cell::new("linked and kept in step", Ink::Good),
            State::Left { reason, since_ms } => Cell::new(
                format!(
                    "{} since {}; the employee keeps working",
                    words::left_reason(*reason),
                    since(since_ms)
                ),
                Ink::Warn,
            ),
            State::Resting { since_ms } => Cell::new(
                format!("resting since {}: the employee looks like somebody else", since(since_ms)),
                Ink::Warn,
            ),
        };
        let mut facts = vec![("server", Cell::from(self.server.clone())), ("state", state)];
        if let Some(employee) = self.employee {
            let number =
                self.extension.as_deref().map(|number| format!(", number {number}")).unwrap_or_default();
            facts.push(("employee", format!("{employee}{number}").into()));
        }
        facts.push(("id", self.id.clone().into()));
        facts.extend(self.dn.clone().map(|dn| ("entry", dn.into())));
        if let Some(last) = &self.last_run {
            let reason = last.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            facts.push(("last news", format!("run {}, {}{reason}", last.run, last.status).into()));
        }
        facts
    }

    fn field_table(&self, page: &Page) -> Table {
        let mut table = Table::new(["Field", "Directory", "PBX", "Agreed"]).keep(["Field"]);
        let seen = |seen: &Option<Seen>| match seen {
            Some(seen) => format!("{}\nsince {}", shown(seen.value.as_deref()), page.look.time(seen.by_ms)),
            None => "not seen".to_owned(),
        };
        for (field, view) in &self.fields {
            table.row([
                field.as_str().into(),
                if view.mapped { seen(&view.directory).into() } else { Cell::new("not mapped", Ink::Dim) },
                seen(&view.pbx).into(),
                view.agreed_in_words(),
            ]);
        }
        table
    }

    fn journal_table(&self, page: &Page) -> Table {
        let mut table = Table::new(["When", "Run", "Step", "What", "Because", "Result"])
            .keep(["When", "Run", "Step", "Result"]);
        for step in &self.journal {
            table.row([
                page.look.time(step.at_ms).into(),
                step.run.to_string().into(),
                step.step.to_string().into(),
                step.what_cell(),
                step.cause_cell(),
                step.state_cell(),
            ]);
        }
        table
    }
}

/// How the two sides of a field stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The directory has no place for it.
    NotMapped,
    /// Nothing was agreed yet.
    NotYet,
    /// A human left it so although the two differ.
    Held,
    /// A side moved away from what was agreed.
    Moved,
    /// Both rest although they differ.
    Differs,
    Agreed,
}

impl FieldView {
    pub fn standing(&self) -> Standing {
        if !self.mapped {
            return Standing::NotMapped;
        }
        let Some(agreed) = &self.agreed else { return Standing::NotYet };
        let moved =
            |seen: &Option<Seen>, then: &Option<String>| seen.as_ref().is_some_and(|now| now.value != *then);
        match () {
            () if agreed.held => Standing::Held,
            () if moved(&self.directory, &agreed.directory) || moved(&self.pbx, &agreed.pbx) => {
                Standing::Moved
            }
            () if agreed.differs => Standing::Differs,
            () => Standing::Agreed,
        }
    }

    fn agreed_in_words(&self) -> Cell {
        let sides = || {
            let side = |side: fn(&Agreed) -> &Option<String>| {
                self.agreed
                    .as_ref()
                    .and_then(|agreed| side(agreed).clone())
                    .unwrap_or_else(|| NONE.to_owned())
            };
            format!("{} / {}", side(|agreed| &agreed.directory), side(|agreed| &agreed.pbx))
        };
        match self.standing() {
            Standing::NotMapped => Cell::new(NONE, Ink::Dim),
            Standing::NotYet => Cell::new("not yet", Ink::Dim),
            Standing::Held => Cell::new("left as it is", Ink::Warn),
            Standing::Moved => Cell::new(format!("was {}", sides()), Ink::Warn),
            Standing::Differs => Cell::new("rests although it differs", Ink::Warn),
            Standing::Agreed => Cell::new("yes", Ink::Good),
        }
    }
}
