//! What is told about servers. Never a secret: only whether one is stored.

use super::options::Draft;
use super::pairs::Dropped;
use crate::cli::output::{Cell, Ink, NONE, Page, Table, View, count, quoted};
use crate::cli::words::{outcome, word};
use crate::cycle::stops::Stops;
use crate::limits;
use directory::{Kind, Security, Settings, SignIn, Trust};
use reconcile::guard::{GuardKind, LookFirst};
use reconcile::{BothChanged, Direction, Field, FirstMeeting, Thresholds};
use serde::Serialize;
use std::collections::BTreeMap;
use store::{DirectoryRow, Outcome, RunRow};

#[derive(Debug, Serialize)]
pub struct ServerView {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
    hosts: Vec<String>,
    /// Names the servers, in the place of `hosts`.
    domain: Option<String>,
    port: u16,
    security: Security,
    trust: String,
    sign_in: String,
    /// `set` or `none`.
    password: &'static str,
    base_dn: String,
    ous: Vec<String>,
    exclude_ous: Vec<String>,
    groups: Vec<String>,
    filter: Option<String>,
    id_attribute: Option<String>,
    allow_plain: bool,
    region: Option<String>,
    write_back: bool,
    numbers: Vec<String>,
    guard: Thresholds,
    /// What the guard stopped and holds back.
    stopped: Vec<StopView>,
    /// Why an automatic run waits for a human, where it does.
    look_first: Option<LookFirst>,
    fields: BTreeMap<Field, FieldView>,
    account_state: Option<String>,
    links: usize,
}

#[derive(Debug, Serialize)]
struct FieldView {
    attribute: Option<String>,
    /// What was chosen, and what the write switch and the attribute leave of it.
    direction: Direction,
    in_force: Direction,
    both_changed: BothChanged,
    first_meeting: FirstMeeting,
    clear: bool,
}

/// A kind of change that waits, since which run and for which plan.
#[derive(Debug, Serialize)]
pub struct StopView {
    kind: GuardKind,
    since_ms: i64,
    run: i64,
    plan: String,
}

impl StopView {
    fn all(stops: &Stops) -> Vec<Self> {
        let view = |(kind, stop): (GuardKind, &crate::cycle::stops::Stop)| StopView {
            kind,
            since_ms: stop.since_ms,
            run: stop.run.0,
            plan: stop.plan.clone(),
        };
        stops.iter().map(view).collect()
    }
}

/// What the store knows about a server beside its settings.
#[derive(Debug)]
pub struct Known {
    pub secret: bool,
    pub links: usize,
    pub stops: Stops,
    pub look_first: Option<LookFirst>,
}

impl ServerView {
    pub fn new(row: &DirectoryRow, draft: &Draft, known: Known) -> Self {
        let Draft { settings, policy } = draft.clone();
        let field = |field: Field| {
            let chosen = policy.fields[field];
            let view = FieldView {
                attribute: settings.map.fields[field].as_ref().map(ToString::to_string),
                direction: chosen.direction,
                in_force: policy.direction(field),
                both_changed: chosen.both_changed,
                first_meeting: chosen.first_meeting,
                clear: chosen.clear && field.clearable(),
            };
            (field, view)
        };
        ServerView {
            name: row.name.clone(),
            fields: Field::ALL.into_iter().map(field).collect(),
            kind: settings.kind,
            port: settings.port,
            security: settings.security,
            trust: match settings.trust {
                Trust::System => "system".to_owned(),
                Trust::CaPem(_) => "ca-file".to_owned(),
                Trust::Fingerprint(fingerprint) => fingerprint.to_string(),
            },
            sign_in: match settings.sign_in {
                SignIn::Simple { dn } => dn,
                SignIn::External => "external".to_owned(),
            },
            password: if known.secret { "set" } else { "none" },
            hosts: settings.hosts,
            domain: settings.domain,
            base_dn: settings.base_dn,
            ous: settings.ous,
            exclude_ous: settings.exclude,
            groups: settings.groups,
            filter: settings.filter,
            id_attribute: settings.id_attribute,
            allow_plain: settings.allow_plain,
            region: settings.region,
            write_back: policy.write_back,
            numbers: policy.numbers.iter().map(|range| format!("{}-{}", range.from, range.to)).collect(),
            guard: policy.thresholds,
            stopped: StopView::all(&known.stops),
            look_first: known.look_first,
            account_state: settings.map.account_state,
            links: known.links,
        }
    }

    fn facts(&self) -> Vec<(&'static str, Cell)> {
        let or = |text: &Option<String>, otherwise: &str| {
            Cell::from(text.clone().unwrap_or_else(|| otherwise.to_owned()))
        };
        let list = |texts: &[String], otherwise: &str| match texts.is_empty() {
            true => Cell::from(otherwise),
            false => Cell::from(texts.join("\n")),
        };
        let security = match (self.security, self.allow_plain) {
            (Security::None, true) => Cell::new("none: passwords cross the network in the clear", Ink::Warn),
            (Security::None, false) => Cell::from("none"),
            (security, _) => Cell::from(format!("{security}, trusting {}", self.trust)),
        };
        vec![
            ("type", self.kind.as_str().into()),
            match &self.domain {
                Some(domain) => ("domain", format!("{domain}, which names its servers").into()),
                None => ("address", format!("{} port {}", self.hosts.join(", "), self.port).into()),
            },
            ("security", security),
            ("sign-in", format!("{} (password: {})", self.sign_in, self.password).into()),
            ("domain root", self.base_dn.clone().into()),
            ("subdivisions", list(&self.ous, "the whole domain root")),
            ("left out", list(&self.exclude_ous, NONE)),
            ("groups", list(&self.groups, "do not matter")),
            ("filter", or(&self.filter, NONE)),
            ("id attribute", or(&self.id_attribute, "the server's own")),
            ("account state", or(&self.account_state, "the server's own flags")),
            ("region", or(&self.region, NONE)),
            ("free numbers", list(&self.numbers, "the numbers in use tell")),
            ("update the domain", if self.write_back { "yes" } else { "no" }.into()),
            ("linked people", self.links.to_string().into()),
            ("guard", self.guard_in_words().into()),
            (
                "automatic runs",
                match self.look_first {
                    Some(why) => Cell::new(format!("wait: {why}"), Ink::Warn),
                    None => "ready".into(),
                },
            ),
        ]
    }

    fn guard_in_words(&self) -> String {
        let Thresholds { floor, percent, ceiling } = self.guard;
        format!("stops more than {floor} people and {percent} % of the linked, or more than {ceiling}")
    }

    fn write_stopped(&self, page: &mut Page) {
        for stop in &self.stopped {
            let plan: String = stop.plan.chars().take(limits::HASH_SHOWN).collect();
            page.gap();
            let since = page.look.time(stop.since_ms);
            let text = format!("Stopped by the guard since {since} (run {}): {}", stop.run, stop.kind);
            page.say(text, Ink::Warn);
            page.command(2, &format!("rollcall plans show {plan}"));
        }
    }

    fn fields(&self) -> Table {
        let mut table =
            Table::new(["Field", "Attribute", "Direction", "Both changed", "First meeting", "Clear"]).keep([
                "Field",
                "Attribute",
                "Clear",
            ]);
        for (field, view) in &self.fields {
            let Some(attribute) = &view.attribute else {
                table.row([
                    field.as_str().into(),
                    Cell::new("not mapped", Ink::Dim),
                    NONE.into(),
                    NONE.into(),
                    NONE.into(),
                    NONE.into(),
                ]);
                continue;
            };
            let direction = match view.direction == view.in_force {
                true => word(view.in_force),
                false => format!("{} ({} chosen)", word(view.in_force), word(view.direction)),
            };
            let clear = match (field.clearable(), view.clear) {
                (false, _) => NONE,
                (true, true) => "yes",
                (true, false) => "no",
            };
            table.row([
                field.as_str().into(),
                attribute.clone().into(),
                direction.into(),
                word(view.both_changed).into(),
                word(view.first_meeting).into(),
                clear.into(),
            ]);
        }
        table
    }
}

impl View for ServerView {
    fn write(&self, page: &mut Page) {
        page.title(format!("Server {}", self.name));
        page.facts(self.facts());
        page.gap();
        page.table(&self.fields());
        self.write_stopped(page);
        let password = self.fields.get(&Field::SipPassword).and_then(|view| view.attribute.as_deref());
        if let Some(attribute) = password {
            page.gap();
            let note = format!(
                "SIP passwords stand in plain text in the PBX and in `{attribute}`: whoever may read that attribute \
                 can make calls."
            );
            page.say(note, Ink::Warn);
        }
    }
}

/// A server that was added or edited.
#[derive(Debug, Serialize)]
pub struct Changed {
    #[serde(flatten)]
    server: ServerView,
    /// Agreed pairs that no longer count, by field.
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped_pairs: Option<BTreeMap<Field, usize>>,
}

impl Changed {
    pub fn added(server: ServerView) -> Self {
        Changed { server, dropped_pairs: None }
    }

    pub fn edited(server: ServerView, dropped: &Dropped) -> Self {
        let pairs = dropped.pairs.iter().filter(|(_, count)| **count > 0);
        Changed { server, dropped_pairs: Some(pairs.map(|(field, count)| (field, *count)).collect()) }
    }
}

impl View for Changed {
    fn write(&self, page: &mut Page) {
        self.server.write(page);
        page.gap();
        for (field, people) in self.dropped_pairs.iter().flatten() {
            let people = count(*people, "person", "people");
            page.say(
                format!("{field}: {people} will meet anew: look at the preview before you synchronise."),
                Ink::Warn,
            );
        }
        let name = &self.server.name;
        page.say("Next:", Ink::Plain);
        page.command(2, &format!("rollcall server test {}", quoted(name)));
        page.command(2, &format!("rollcall preview {}", quoted(name)));
    }
}

#[derive(Debug, Serialize)]
pub struct Removed {
    pub removed: String,
    pub links: usize,
}

impl View for Removed {
    fn write(&self, page: &mut Page) {
        let links = count(self.links, "link", "links");
        page.say(
            format!("Server {} and {links} are forgotten. Both sides stay as they are.", self.removed),
            Ink::Plain,
        );
    }
}

#[derive(Debug, Serialize)]
pub struct Servers {
    pub servers: Vec<Listed>,
}

#[derive(Debug, Serialize)]
pub struct Listed {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
    hosts: Vec<String>,
    domain: Option<String>,
    base_dn: String,
    ous: Vec<String>,
    write_back: bool,
    links: usize,
    conflicts: usize,
    stopped: Vec<StopView>,
    last_run: Option<LastRun>,
}

#[derive(Debug, Serialize)]
struct LastRun {
    run: i64,
    outcome: Outcome,
    started_ms: i64,
}

impl Listed {
    pub fn new(
        name: String,
        settings: &Settings,
        write_back: bool,
        links: usize,
        conflicts: usize,
        stops: &Stops,
        last_run: Option<RunRow>,
    ) -> Self {
        let last_run =
            last_run.map(|run| LastRun { run: run.id.0, outcome: run.outcome, started_ms: run.started_ms });
        Listed {
            name,
            kind: settings.kind,
            hosts: settings.hosts.clone(),
            domain: settings.domain.clone(),
            base_dn: settings.base_dn.clone(),
            ous: settings.ous.clone(),
            write_back,
            links,
            conflicts,
            stopped: StopView::all(stops),
            last_run,
        }
    }
}

impl View for Servers {
    fn write(&self, page: &mut Page) {
        if self.servers.is_empty() {
            return page.say("There is no server yet; add one with `rollcall server add`.", Ink::Plain);
        }
        let mut table =
            Table::new(["Server", "Type", "Address", "Domain root", "Linked", "Conflicts", "Last run"])
                .keep(["Server", "Linked", "Conflicts"]);
        for server in &self.servers {
            let conflicts = match server.conflicts {
                0 => "0".into(),
                n => Cell::new(n.to_string(), Ink::Warn),
            };
            let last = match &server.last_run {
                Some(run) => format!("{} {}", page.look.time(run.started_ms), outcome(run.outcome)),
                None => "never".to_owned(),
            };
            let stopped = server.stopped.iter().map(|stop| format!("\nstopped: {}", stop.kind));
            let ink = if server.stopped.is_empty() { Ink::Plain } else { Ink::Warn };
            let last = Cell::new(last + &stopped.collect::<String>(), ink);
            let scope = if server.ous.is_empty() { server.base_dn.clone() } else { server.ous.join("\n") };
            table.row([
                Cell::new(&server.name, Ink::Strong),
                server.kind.as_str().into(),
                server.domain.clone().unwrap_or_else(|| server.hosts.join("\n")).into(),
                scope.into(),
                server.links.to_string().into(),
                conflicts,
                last,
            ]);
        }
        page.table(&table);
    }
}
