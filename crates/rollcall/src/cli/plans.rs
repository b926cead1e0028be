//! Kept plans: list, look at, discard.

use super::args::{PlansArgs, PlansCommand};
use super::output::{Cell, Ink, NONE, Out, Page, Table, View};
use super::report::{Extent, ways_on, write_people};
use super::words::word;
use crate::app::App;
use crate::cycle::plans::{self, Discarded, Kept, Shown};
use crate::cycle::report::PersonReport;
use crate::limits;
use anyhow::Result;
use serde::Serialize;
use std::collections::BTreeSet;
use store::PlanState;

pub async fn run(app: &App, args: PlansArgs, out: &Out) -> Result<u8> {
    match args.command {
        None => out.show(&Plans { plans: plans::list(app, args.server.as_deref()).await? }),
        Some(PlansCommand::Show { plan }) => out.show(&PlanView::from(plans::show(app, &plan).await?)),
        Some(PlansCommand::Discard { plan }) => out.show(&plans::discard(app, &plan).await?),
    }
}

#[derive(Debug, Serialize)]
struct Plans {
    plans: Vec<Kept>,
}

impl View for Plans {
    fn write(&self, page: &mut Page) {
        if self.plans.is_empty() {
            return page.say("No plan is kept; make one with `rollcall preview SERVER`.", Ink::Plain);
        }
        let mut table =
            Table::new(["Plan", "Server", "Made", "State", "Halted for"]).keep(["Plan", "Made", "State"]);
        for kept in &self.plans {
            table.row([
                Cell::new(kept.plan.chars().take(limits::HASH_SHOWN).collect::<String>(), Ink::Strong),
                kept.server.clone().into(),
                page.look.time(kept.made_ms).into(),
                state(kept.state),
                halted_for(kept),
            ]);
        }
        page.table(&table);
        page.gap();
        page.say("What one does to whom: rollcall plans show PLAN", Ink::Dim);
    }
}

fn state(state: PlanState) -> Cell {
    let ink = if state == PlanState::Pending { Ink::Plain } else { Ink::Dim };
    Cell::new(word(state), ink)
}

/// The kinds that tripped, in words.
fn halted_for(kept: &Kept) -> Cell {
    let Some(halt) = &kept.halted else { return NONE.into() };
    let look = halt.look_first.map(|_| "to be looked at first".to_owned());
    let kinds = halt.tripped.iter().map(|trip| trip.kind.to_string());
    Cell::new(look.into_iter().chain(kinds).collect::<Vec<_>>().join("\n"), Ink::Warn)
}

#[derive(Debug, Serialize)]
struct PlanView {
    #[serde(flatten)]
    kept: Kept,
    people: Vec<PersonReport>,
    #[serde(skip)]
    joined: BTreeSet<String>,
}

impl From<Shown> for PlanView {
    fn from(shown: Shown) -> Self {
        let Shown { kept, people, joined } = shown;
        PlanView { kept, people, joined }
    }
}

impl View for PlanView {
    fn write(&self, page: &mut Page) {
        let Kept { plan, server, made_ms, state: now, halted } = &self.kept;
        page.title(format!("Plan for {server}"));
        let made = page.look.time(*made_ms);
        page.facts([("plan", Cell::new(plan, Ink::Dim)), ("made", made.into()), ("state", state(*now))]);
        write_people(page, &self.people, Extent::Whole, |person| self.joined.contains(&person.id));
        page.gap();
        if self.people.is_empty() {
            page.say("It does nothing.", Ink::Plain);
        }
        let hash: String = plan.chars().take(limits::HASH_SHOWN).collect();
        match halted {
            _ if *now != PlanState::Pending => {}
            Some(halt) => {
                page.say(format!("Halted: {halt}."), Ink::Bad);
                ways_on(page, &hash, server, halt);
            }
            None => {
                page.say("Carry out exactly this plan:", Ink::Plain);
                page.command(2, &format!("rollcall apply {hash}"));
            }
        }
    }
}

impl View for Discarded {
    fn write(&self, page: &mut Page) {
        page.say(format!("Plan {} of {} is discarded.", self.discarded, self.server), Ink::Plain);
        for kind in &self.ended {
            let text = format!("{kind}: no longer stopped. The next run counts anew.");
            page.say(text, Ink::Plain);
        }
    }
}
