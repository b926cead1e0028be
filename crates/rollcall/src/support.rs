//! A file for whoever is asked for help: versions, settings, how the last runs
//! went. No secrets, and nobody's name, number or address.

use crate::app::{App, pbx_settings};
use crate::cli::server;
use crate::cycle::report::{Counts, SideRead, Writes};
use crate::limits;
use crate::schedule::Schedule;
use anyhow::Result;
use reconcile::guard::Halt;
use reconcile::{Field, Link, Sight};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{ConflictsOf, DirectoryRow, PbxRow, RunRow, SecretOf};

/// Shorter texts name nobody.
const NAME_CHARS_MIN: usize = 2;

pub async fn bundle(app: &App) -> Result<Value> {
    let mut servers = Vec::new();
    for row in app.store.directories().await? {
        servers.push(of_server(app, &row).await?);
    }
    let mut pbxes = Vec::new();
    for row in app.store.pbxes().await?.iter().filter(|row| !row.settings.is_null()) {
        pbxes.push(of_pbx(app, row).await?);
    }
    Ok(json!({
        "rollcall": env!("CARGO_PKG_VERSION"),
        "schema": store::known_schema(),
        "made_ms": app.clock.now_ms(),
        "system": { "os": std::env::consts::OS, "arch": std::env::consts::ARCH },
        "pbx": pbxes,
        "servers": servers,
    }))
}

async fn of_pbx(app: &App, row: &PbxRow) -> Result<Value> {
    let settings = pbx_settings(row)?;
    let sign_in = match settings.sign_in {
        pbx::SignIn::Local => "local",
        pbx::SignIn::ApiKey => "api-key",
        pbx::SignIn::Login { .. } => "login",
    };
    let trust = match settings.trust {
        pbx::Trust::SystemRoots => "system",
        pbx::Trust::Authority { .. } => "ca-file",
        pbx::Trust::Pinned { .. } => "pinned",
    };
    let has_secret = app.store.secret(SecretOf::Pbx(row.id)).await?.is_some();
    Ok(json!({ "url": settings.url, "sign_in": sign_in, "trust": trust, "secret": has_secret }))
}

async fn of_server(app: &App, row: &DirectoryRow) -> Result<Value> {
    let counts = app.store.directory_counts().await?.get(&row.id).copied().unwrap_or_default();
    let conflicts = app.store.conflict_counts(Some(row.id)).await?;
    let conflicts: BTreeMap<String, u64> =
        conflicts.into_iter().map(|((kind, state), n)| (format!("{} {state}", kind.as_str()), n)).collect();
    let runs = app.store.runs(Some(row.id), limits::SUPPORT_RUNS, 0).await?;
    let runs: Vec<Value> = runs.into_iter().map(of_run).collect();
    let mut told = json!({
        // With what the guard stopped.
        "settings": server::view(app, row).await?,
        "schedule": Schedule::of(app, row.id).await?,
        "last_complete_ms": row.last_complete_ms,
        "pbx_complete_ms": row.pbx_complete_ms,
        "ran_before": row.ran_before,
        "linked": counts.linked,
        "left": counts.left,
        "quarantined": counts.quarantined,
        "conflicts": conflicts,
        "runs": runs,
    });
    People::of(app, row).await?.leave_out_of(&mut told);
    Ok(told)
}

/// How a run went, without whom it was about.
fn of_run(run: RunRow) -> Value {
    /// As much of a kept report as is told here.
    #[derive(Default, Deserialize)]
    struct Brief {
        directory: Option<SideRead>,
        pbx: Option<SideRead>,
        counts: Option<Counts>,
        writes: Option<Writes>,
        halted: Option<Halt>,
        #[serde(default)]
        held_back: Vec<Value>,
        #[serde(default)]
        warnings: Vec<String>,
        error: Option<String>,
    }
    let brief: Brief = serde_json::from_value(run.report).unwrap_or_default();
    let side = |side: Option<SideRead>| {
        side.map(|side| json!({ "read": side.read, "partial": side.verdict.reason() }))
    };
    json!({
        "run": run.id,
        "trigger": run.trigger,
        "started_ms": run.started_ms,
        "ended_ms": run.ended_ms,
        "outcome": run.outcome,
        "progress": run.progress,
        "directory": side(brief.directory),
        "pbx": side(brief.pbx),
        "counts": brief.counts,
        "writes": brief.writes,
        "halted": brief.halted,
        "held_back": brief.held_back.len(),
        "warnings": brief.warnings,
        "error": brief.error,
    })
}

/// Whatever is known of the people of a server, to leave it out.
struct People(Vec<String>);

impl People {
    async fn of(app: &App, row: &DirectoryRow) -> Result<Self> {
        let mut told: Vec<String> = Vec::new();
        for link in app.store.links(row.id).await? {
            told.extend([link.name.to_string(), link.dn.to_string(), link.person.to_string()]);
            let shown = Field::ALL.into_iter().filter(|field| *field != Field::SipPassword);
            told.extend(shown.flat_map(|field| values(&link, field)));
        }
        for row in app.store.conflicts(ConflictsOf::Directory(row.id)).await? {
            let conflict = row.conflict;
            told.extend([conflict.name, conflict.person.to_string()]);
            told.extend(conflict.candidates.into_iter().map(|one| one.name));
            // Of a SIP password it is only told that it is set.
            if conflict.field != Some(Field::SipPassword) {
                told.extend([conflict.directory_value, conflict.pbx_value].into_iter().flatten());
            }
        }
        for (_, person) in app.store.latest_people(row.id).await? {
            told.extend([person.name, person.extension]);
        }
        told.retain(|text| text.chars().count() >= NAME_CHARS_MIN);
        // The longest first: a name that is part of another goes with it.
        told.sort_by(|a, b| (b.len(), a).cmp(&(a.len(), b)));
        told.dedup();
        Ok(People(told))
    }

    /// Of every text in there, except the ranges that numbers are given from.
    fn leave_out_of(mut self, told: &mut Value) {
        let mut all = String::new();
        each_text(told, &mut |text| {
            all.push_str(text);
            all.push('\n');
        });
        self.0.retain(|known| all.contains(known.as_str()));
        each_text(told, &mut |text| {
            for known in &self.0 {
                *text = without(text, known);
            }
        });
    }
}

fn each_text(value: &mut Value, look: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => look(text),
        Value::Array(rows) => rows.iter_mut().for_each(|row| each_text(row, look)),
        Value::Object(all) => {
            let others = all.iter_mut().filter(|(key, _)| *key != "numbers");
            others.for_each(|(_, value)| each_text(value, look));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn values(link: &Link, field: Field) -> impl Iterator<Item = String> {
    let raw = |sight: &Option<Sight>| Some(sight.as_ref()?.value.as_ref()?.raw().to_owned());
    [raw(&link.directory[field]), raw(&link.pbx[field])].into_iter().flatten()
}

/// A text without a word, wherever it stands for itself: a number is not taken
/// out of a longer one.
fn without(text: &str, known: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(known) {
        let (before, after) = (&rest[..at], &rest[at + known.len()..]);
        let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_part = joins(before.chars().next_back()) || joins(after.chars().next());
        left.push_str(before);
        left.push_str(if is_part { known } else { "[left out]" });
        rest = after;
    }
    left + rest
}
