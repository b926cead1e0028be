//! The sandbox on a socket: a PBX, a directory or both, with a company in
//! them, until somebody presses Ctrl-C.

use super::args::SandboxArgs;
use super::errors::usage;
use super::output::{Cell, Ink, Out, Page, View};
use ::directory::Kind;
use anyhow::{Context, Result};
use effects::{Clock, Random, SeededRandom, SystemClock};
use sandbox::company::Company;
use sandbox::directory::{self, Directory, Personality};
use sandbox::faults::Faults;
use sandbox::pbx::{self, Pbx};
use secrecy::SecretString;
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Invented people need no secret.
pub const PASSWORD: &str = "sandbox-password";
const WEB_LOGIN: &str = "admin";
const PEOPLE_MAX: usize = 100_000;

pub async fn run(args: &SandboxArgs, out: &Out) -> Result<u8> {
    let running = start(args, Personality::OpenLdap).await?;
    out.show(&running.view())?;
    if !out.json {
        out.page(|page| page.say("Ctrl-C ends it; nothing is kept.", Ink::Dim))?;
    }
    interrupted().await?;
    Ok(0)
}

/// Waits for Ctrl-C, or for whoever asks the process to end.
pub async fn interrupted() -> Result<()> {
    let mut ended = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("cannot wait for Ctrl-C"),
        _ = ended.recv() => Ok(()),
    }
}

/// Both halves, as far as they were asked for.
#[derive(Debug)]
pub struct Sandbox {
    pbx: Option<(Pbx, pbx::Running)>,
    directory: Option<(Directory, directory::Running)>,
}

/// Starts what is asked for; both on free ports where nothing is said.
pub async fn start(args: &SandboxArgs, personality: Personality) -> Result<Sandbox> {
    let faults = Faults::parse(args.faults.as_deref().unwrap_or_default())
        .map_err(|error| usage(format!("--faults: {error}")))?;
    if args.people > PEOPLE_MAX {
        return Err(usage(format!("--people: the sandbox holds at most {PEOPLE_MAX}")));
    }
    let both = args.pbx.is_none() && args.ldap.is_none();
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let company = Company::new(args.people, args.seed);
    let random: Arc<dyn Random> = Arc::new(SeededRandom::new(args.seed));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let pbx = match args.pbx.or(both.then_some(free)) {
        Some(addr) => {
            let options = pbx::Options {
                clock: clock.clone(),
                random: random.clone(),
                web_login: WEB_LOGIN.to_owned(),
                web_password: SecretString::from(PASSWORD),
                faults: faults.pbx,
                ..pbx::Options::default()
            };
            let pbx = Pbx::with_employees(options, &company.employees);
            let served = pbx::serve(pbx.clone(), addr).await;
            Some((pbx, served.with_context(|| format!("the sandbox PBX cannot listen on {addr}"))?))
        }
        None => None,
    };
    let directory = match args.ldap.or(both.then_some(free)) {
        Some(addr) => {
            let mut options =
                directory::Options::new(personality, SecretString::from(PASSWORD), clock, random);
            options.faults = faults.ldap;
            let directory = Directory::new(options)?;
            directory.populate(&company)?;
            let served = directory::serve(directory.clone(), addr).await?;
            Some((directory, served))
        }
        None => None,
    };
    Ok(Sandbox { pbx, directory })
}

impl Sandbox {
    pub fn pbx(&self) -> Result<&Pbx> {
        self.pbx.as_ref().map(|(pbx, _)| pbx).context("the sandbox runs no PBX")
    }

    pub fn pbx_url(&self) -> Result<String> {
        let (_, running) = self.pbx.as_ref().context("the sandbox runs no PBX")?;
        Ok(format!("http://{}", running.addr))
    }

    pub fn directory(&self) -> Result<(&Directory, SocketAddr)> {
        let (directory, running) = self.directory.as_ref().context("the sandbox runs no directory")?;
        Ok((directory, running.addr))
    }

    pub fn view(&self) -> SandboxView {
        let pbx = self.pbx.as_ref().map(|(pbx, running)| PbxView {
            url: format!("http://{}", running.addr),
            login: WEB_LOGIN,
            password: PASSWORD,
            employees: pbx.employees().len(),
        });
        let ldap = self.directory.as_ref().map(|(directory, running)| LdapView {
            url: format!("ldap://{}", running.addr),
            host: running.addr.ip().to_string(),
            port: running.addr.port(),
            kind: match directory.personality() {
                Personality::OpenLdap => Kind::OpenLdap,
                Personality::ActiveDirectory => Kind::ActiveDirectory,
            },
            base_dn: directory.base().to_owned(),
            bind_dn: directory.account_dn("pbx-sync").unwrap_or_default(),
            admin_dn: directory.account_dn("admin").unwrap_or_default(),
            password: PASSWORD,
            people: directory.people().len(),
        });
        SandboxView { pbx, ldap }
    }
}

/// How to reach the sandbox.
#[derive(Debug, Serialize)]
pub struct SandboxView {
    pbx: Option<PbxView>,
    ldap: Option<LdapView>,
}

#[derive(Debug, Serialize)]
struct PbxView {
    url: String,
    login: &'static str,
    password: &'static str,
    employees: usize,
}

#[derive(Debug, Serialize)]
struct LdapView {
    url: String,
    host: String,
    port: u16,
    #[serde(rename = "type")]
    kind: Kind,
    base_dn: String,
    /// May read everything and write what a synchronisation writes.
    bind_dn: String,
    admin_dn: String,
    password: &'static str,
    people: usize,
}

impl View for SandboxView {
    fn write(&self, page: &mut Page) {
        if let Some(pbx) = &self.pbx {
            page.title(format!("Sandbox PBX, {} employees", pbx.employees));
            page.facts([
                ("address", Cell::new(&pbx.url, Ink::Strong)),
                (
                    "sign-in",
                    format!("none from this machine; {} / {} from elsewhere", pbx.login, pbx.password).into(),
                ),
            ]);
            page.gap();
            page.command(2, &format!("curl -s {}/pbxcore/api/v3/employees?limit=3", pbx.url));
            page.command(2, &format!("rollcall pbx set --url {}", pbx.url));
        }
        if let Some(ldap) = &self.ldap {
            page.title(format!("Sandbox directory, {} people", ldap.people));
            page.facts([
                ("address", Cell::new(&ldap.url, Ink::Strong)),
                ("domain root", ldap.base_dn.clone().into()),
                ("sign-in", ldap.bind_dn.clone().into()),
                ("as administrator", ldap.admin_dn.clone().into()),
                ("password", ldap.password.into()),
            ]);
            page.gap();
            page.command(
                2,
                &format!(
                    "ldapsearch -x -H {} -D '{}' -w {} -b '{}' '(ipPhone=*)' displayName ipPhone mail",
                    ldap.url, ldap.admin_dn, ldap.password, ldap.base_dn
                ),
            );
            for line in ldap.server_add() {
                page.command(2, &line);
            }
        }
    }
}

impl LdapView {
    /// What to type to add it as a server.
    fn server_add(&self) -> [String; 3] {
        // Active Directory has these attributes where the defaults look.
        let maps = match self.kind {
            Kind::ActiveDirectory => "",
            _ => "--map name=displayName --map extension=ipPhone ",
        };
        [
            format!(
                "echo {} | rollcall server add sandbox --type {} --host {} --port {} --security none \\",
                self.password, self.kind, self.host, self.port
            ),
            format!("  --bind-dn '{}' --password-file - --base-dn '{}' \\", self.bind_dn, self.base_dn),
            format!("  {maps}--region RU --write-back"),
        ]
    }
}
