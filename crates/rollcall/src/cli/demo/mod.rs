//! The product at work on an invented company. Everything runs in this
//! process and on loopback, with a state directory of its own: nothing of the
//! user's is touched. What it calls is what the commands call.

mod changes;

use super::args::{DemoArgs, SandboxArgs, SecurityArg, ServerOptions};
use super::output::{Cell, Ink, Out, Page, View};
use super::report::{Extent, Kind, Known, ReportView};
use super::sandbox::{self, PASSWORD, Sandbox};
use super::server::{self, Draft};
use super::{pbx, progress};
use crate::app::App;
use crate::cycle::{self, Expect, Report};
use crate::web::{self, ServeOptions, Serving};
use ::pbx::{Settings, SignIn, Trust};
use ::sandbox::directory::Personality;
use anyhow::{Context, Result, anyhow};
use effects::{Random, SystemRandom};
use secrecy::SecretString;
use serde::Serialize;
use std::io::{self, IsTerminal};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::{env, fs};
use store::Trigger;

const SERVER: &str = "demo";
const SEED: u64 = 1;
/// Who may sign in to the pages of an invented company.
const LOGIN: &str = "admin";

pub async fn run(args: &DemoArgs, out: &Out) -> Result<u8> {
    let home = Home::new()?;
    let company = SandboxArgs {
        pbx: None,
        ldap: None,
        people: ::sandbox::company::PEOPLE_DEFAULT,
        seed: SEED,
        faults: None,
    };
    let sandbox = sandbox::start(&company, Personality::ActiveDirectory).await?;
    let app = App::open(&home.0).await?;
    let story = Story { app: &app, sandbox: &sandbox, out };
    tokio::select! {
        told = story.tell() => told?,
        _ = sandbox::interrupted() => return Err(anyhow!("the demonstration was interrupted")),
    }
    let watched = io::stdin().is_terminal() && io::stdout().is_terminal() && !out.json;
    if args.keep || watched {
        let serving = story.serve().await?;
        story.invite(&home, &serving)?;
        sandbox::interrupted().await?;
        serving.stop().await?;
    }
    Ok(0)
}

/// A state directory that goes when the demonstration is over.
struct Home(PathBuf);

impl Home {
    fn new() -> Result<Self> {
        let mut salt = [0; 8];
        SystemRandom.fill(&mut salt);
        let dir = env::temp_dir().join(format!("rollcall-demo-{:016x}", u64::from_le_bytes(salt)));
        fs::create_dir(&dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
        Ok(Home(dir.join("state")))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let dir = self.0.parent().unwrap_or(&self.0);
        if let Err(error) = fs::remove_dir_all(dir) {
            tracing::warn!(%error, "cannot remove {}", dir.display());
        }
    }
}

struct Story<'a> {
    app: &'a App,
    sandbox: &'a Sandbox,
    out: &'a Out,
}

/// The demonstration as scripts read it.
#[derive(Debug, Serialize)]
struct Told {
    preview: Report,
    runs: Vec<Report>,
    sandbox: sandbox::SandboxView,
}

impl View for Told {
    /// The text was told on the way.
    fn write(&self, _: &mut Page) {}
}

impl Story<'_> {
    async fn tell(&self) -> Result<()> {
        self.set_up().await?;
        let preview = self.look_first().await?;
        let first = self.synchronise(&preview).await?;
        let second = self.again().await?;
        let third = self.a_week_later().await?;
        self.your_turn()?;
        if self.out.json {
            let runs = vec![first, second, third];
            self.out.show(&Told { preview, runs, sandbox: self.sandbox.view() })?;
        }
        Ok(())
    }

    /// Introduces the two sides to each other, as `pbx set` and `server add` do.
    async fn set_up(&self) -> Result<()> {
        let (directory, addr) = self.sandbox.directory()?;
        let (people, employees) = (directory.people().len(), self.sandbox.pbx()?.employees().len());
        self.say(|page| {
            page.title("Rollcall at work");
            page.say(
                format!(
                    "An invented company: {people} people in an LDAP directory, {employees} employees in a MikoPBX. \
                     Both live in this process; nothing of yours is touched."
                ),
                Ink::Plain,
            );
        })?;
        let settings =
            Settings { url: self.sandbox.pbx_url()?, sign_in: SignIn::Local, trust: Trust::SystemRoots };
        pbx::store(self.app, &settings, None).await?;
        let options = ServerOptions {
            hosts: vec![addr.ip().to_string()],
            domain: None,
            port: Some(addr.port()),
            security: Some(SecurityArg::None),
            bind_dn: Some(directory.account_dn("pbx-sync")?),
            base_dn: Some(directory.base().to_owned()),
            region: Some("RU".to_owned()),
            write_back: true,
            ..ServerOptions::default()
        };
        let mut draft = Draft::new(::directory::Kind::ActiveDirectory);
        draft.take(&options)?;
        server::store(self.app, SERVER, draft, Some(&SecretString::from(PASSWORD))).await?;
        Ok(())
    }

    async fn look_first(&self) -> Result<Report> {
        self.chapter(
            "1  Look first",
            "A preview reads both sides and writes to neither. Every line says who changes and how.",
        )?;
        let known = Known::before(self.app).await?;
        let report =
            cycle::preview(self.app, SERVER, Expect::AsBefore, &*progress::watched(self.out.json)).await?;
        self.report(&report, Kind::Preview, known).await?;
        Ok(report)
    }

    async fn synchronise(&self, preview: &Report) -> Result<Report> {
        self.chapter("2  Synchronise", "The plan looks right, so exactly this plan is carried out.")?;
        let report = cycle::apply(self.app, &preview.plan, false, &*progress::watched(self.out.json)).await?;
        self.counts(&report)?;
        self.say(|page| {
            page.say(
                "People were joined where number, e-mail, mobile and name say the same. Whoever was missing in the PBX \
                 has a number there now, and the directory knows it. What is not clear waits for a human:",
                Ink::Plain,
            );
            page.command(2, "rollcall conflicts list");
        })?;
        Ok(report)
    }

    async fn again(&self) -> Result<Report> {
        self.chapter("3  And again", "Nothing changed, so nothing may be written, on either side.")?;
        let report = self.sync().await?;
        self.counts(&report)?;
        Ok(report)
    }

    async fn a_week_later(&self) -> Result<Report> {
        self.chapter("4  A week later", "Meanwhile, in the company:")?;
        let changes = changes::happen(self.app, SERVER, self.sandbox).await?;
        self.say(|page| page.grid(changes.iter().map(|change| ["·".into(), change.clone().into()])))?;
        let known = Known::before(self.app).await?;
        let report = self.sync().await?;
        self.report(&report, Kind::Run, known).await?;
        self.say(|page| {
            page.say(
                "Each change went to the other side, and only there. The one who left keeps a working phone and is \
                 listed by `rollcall disabled`. The namesake shares a name and nothing else, and was mixed up with \
                 nobody.",
                Ink::Plain,
            );
        })?;
        Ok(report)
    }

    fn your_turn(&self) -> Result<()> {
        self.chapter("5  Your turn", "On the PBX, or on a machine that reaches it:")?;
        self.say(|page| {
            page.command(2, "rollcall pbx set --url https://pbx.example.org --api-key-file pbx.key");
            page.command(2, "rollcall pbx test");
            page.command(2, "rollcall server add office --type active-directory --host dc1.example.org \\");
            page.command(
                4,
                "--bind-dn sync@example.org --password-file password --base-dn DC=example,DC=org",
            );
            page.command(2, "rollcall server test office");
            page.command(2, "rollcall preview office");
            page.gap();
            page.say(
                "A preview writes nothing anywhere. Add --write-back when the directory may be updated too.",
                Ink::Plain,
            );
        })
    }

    /// The pages, at their usual address or, where that is taken, at another.
    async fn serve(&self) -> Result<Serving> {
        web::set_account(self.app, LOGIN, &SecretString::from(PASSWORD)).await?;
        let usual = web::LISTEN_DEFAULT.parse()?;
        let options = |listen| ServeOptions { listen, tls: None, behind_proxy: false };
        match web::start(self.app.clone(), &options(usual)).await {
            Ok(serving) => Ok(serving),
            Err(_) => web::start(self.app.clone(), &options((Ipv4Addr::LOCALHOST, 0).into())).await,
        }
    }

    /// How to go on with the company that keeps running.
    fn invite(&self, home: &Home, serving: &Serving) -> Result<()> {
        self.say(|page| {
            page.title("The same in a browser");
            page.facts([
                ("pages", Cell::new(&serving.url, Ink::Strong)),
                ("sign-in", format!("{LOGIN} / {PASSWORD}").into()),
            ]);
            self.sandbox.view().write(page);
            page.title("What the demonstration remembers");
            let state = home.0.display();
            for command in ["people demo", "conflicts list", "history", "sync demo"] {
                page.command(2, &format!("rollcall --state {state} {command}"));
            }
            page.gap();
            page.say("Ctrl-C ends it, and nothing is left behind.", Ink::Dim);
        })
    }

    async fn sync(&self) -> Result<Report> {
        cycle::sync(self.app, SERVER, Trigger::Demo, Expect::AsBefore, &*progress::watched(self.out.json))
            .await
    }

    async fn report(&self, report: &Report, kind: Kind, known: Known) -> Result<()> {
        let known = known.with_conflicts(self.app, SERVER).await?;
        let view = ReportView { report: report.clone(), kind, extent: Extent::Brief, known };
        self.say(|page| view.write(page))
    }

    fn counts(&self, report: &Report) -> Result<()> {
        let view = ReportView {
            report: report.clone(),
            kind: Kind::Run,
            extent: Extent::Brief,
            known: Known::default(),
        };
        self.say(|page| view.write_counts(page))
    }

    fn chapter(&self, title: &str, text: &str) -> Result<()> {
        self.say(|page| {
            page.title(title);
            page.say(text, Ink::Plain);
        })
    }

    /// Tells something, with an empty line before it.
    fn say(&self, write: impl FnOnce(&mut Page)) -> Result<()> {
        if self.out.json {
            return Ok(());
        }
        self.out.page(|page| {
            page.command(0, "");
            write(page);
        })
    }
}
