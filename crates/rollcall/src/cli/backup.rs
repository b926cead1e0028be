//! A copy of everything that is remembered, and the way back.

use super::args::{BackupArgs, RestoreArgs};
use super::errors::usage;
use super::output::{Cell, Ink, Out, Page, View, quoted};
use crate::app::credentials;
use anyhow::{Context, Result};
use effects::{Clock, SystemClock, SystemRandom};
use jiff::Timestamp;
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use store::{BackupKey, Error, OldStore, Settings, SqlStore};

pub async fn backup(state: &Path, args: &BackupArgs, out: &Out) -> Result<u8> {
    if !state.join("rollcall.db").exists() {
        return Err(usage(format!("nothing is remembered in {}; give --state DIR", state.display())));
    }
    let store = SqlStore::open(state, credentials().as_deref(), Arc::new(SystemRandom)).await?;
    let made_ms = SystemClock.now_ms();
    let head = store.backup(&args.file, !args.without_key, made_ms, env!("CARGO_PKG_VERSION")).await;
    let head = head.map_err(told)?;
    store.close().await;
    let bytes = fs::metadata(&args.file).context("the backup cannot be found again")?.len();
    out.show(&BackupView {
        file: args.file.display().to_string(),
        bytes,
        made_ms,
        version: head.version,
        schema: head.schema,
        key: head.key,
    })
}

pub async fn restore(state: &Path, args: &RestoreArgs, out: &Out) -> Result<u8> {
    let now = Timestamp::from_millisecond(SystemClock.now_ms())?;
    let aside = format!("replaced-{}", now.strftime("%Y-%m-%dT%H-%M-%SZ"));
    let old = if args.force { OldStore::MoveAside(&aside) } else { OldStore::Refuse };
    let random = Arc::new(SystemRandom);
    let restored = SqlStore::restore(&args.file, state, credentials().as_deref(), old, random.clone()).await;
    let restored = restored.map_err(told)?;
    let store = SqlStore::open(state, credentials().as_deref(), random).await?;
    let view = RestoreView {
        file: args.file.display().to_string(),
        made_ms: restored.head.made_ms,
        version: restored.head.version,
        schema: restored.head.schema,
        passwords: if restored.unsealed { "restored" } else { "missing" },
        moved_to: restored.moved_to.map(|path| path.display().to_string()),
        servers: store.directories().await?.into_iter().map(|row| row.name).collect(),
    };
    store.close().await;
    out.show(&view)
}

/// What is mended by calling it otherwise was called wrongly.
fn told(error: Error) -> anyhow::Error {
    match error {
        Error::NoBackup(_) | Error::NotEmpty(_) => usage(error.to_string()),
        other => other.into(),
    }
}

#[derive(Debug, Serialize)]
struct BackupView {
    file: String,
    bytes: u64,
    made_ms: i64,
    version: String,
    schema: i64,
    key: BackupKey,
}

impl View for BackupView {
    fn write(&self, page: &mut Page) {
        page.title("Backup");
        let key = match self.key {
            BackupKey::Included => "in the backup",
            BackupKey::LeftOut => "left out, as you asked",
            BackupKey::Credential => "left out: the service manager keeps it",
        };
        page.facts([
            ("file", Cell::new(&self.file, Ink::Strong)),
            ("size", format!("{} KiB", self.bytes.div_ceil(1_024)).into()),
            ("vault key", key.into()),
        ]);
        page.gap();
        match self.key {
            BackupKey::Included => {
                page.say("Keep it as secret as the state directory: it opens every password.", Ink::Warn)
            }
            _ => page.say(
                "Restored where that key is not, it asks for every password again. Keep the key elsewhere.",
                Ink::Warn,
            ),
        }
    }
}

#[derive(Debug, Serialize)]
struct RestoreView {
    file: String,
    made_ms: i64,
    version: String,
    schema: i64,
    /// `restored` or `missing`.
    passwords: &'static str,
    moved_to: Option<String>,
    servers: Vec<String>,
}

impl View for RestoreView {
    fn write(&self, page: &mut Page) {
        page.title("Restored");
        page.facts([
            ("backup", Cell::new(&self.file, Ink::Strong)),
            ("made", page.look.time(self.made_ms).into()),
            ("servers", self.servers.join(", ").into()),
        ]);
        page.gap();
        if let Some(moved_to) = &self.moved_to {
            page.say(format!("What was remembered before is in {moved_to}."), Ink::Plain);
        }
        if self.passwords == "missing" {
            page.say(
                "The key of the passwords was not in the backup, nor here. Enter them again with `rollcall pbx set` and \
                 `rollcall server edit NAME --password-file F`. SIP passwords that differ are asked about; \
                 `rollcall server edit NAME --first-meeting sip-password=pbx` answers for all of them.",
                Ink::Warn,
            );
        }
        page.say(
            "What both sides agreed on since the backup is not known: changes of one side look newer than they are. \
             Look at a preview first:",
            Ink::Plain,
        );
        for server in &self.servers {
            page.command(2, &format!("rollcall preview {}", quoted(server)));
        }
    }
}
