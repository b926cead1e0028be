//! The command line: what scripts may rely on. Parsing only.

use crate::web::LISTEN_DEFAULT;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

const EVERYWHERE: &str = "Everywhere";
const CONNECTION: &str = "Connection";
const SIGN_IN: &str = "Sign-in";
const SCOPE: &str = "Who";
const FIELDS: &str = "Fields";
const POLICY: &str = "Policy";

/// Keeps the employees of a MikoPBX and the people of a directory in step, both ways.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done · 1 failed · 2 usage · 3 halted by the guard, or held back by an \
incomplete read · 4 done with conflicts or failures.\nFirst time here? `rollcall demo` needs nothing installed."
)]
pub struct Cli {
    /// Where everything is remembered [default: the XDG state directory].
    #[arg(long, global = true, env = "ROLLCALL_STATE", hide_env_values = true, value_name = "DIR")]
    #[arg(help_heading = EVERYWHERE)]
    pub state: Option<PathBuf>,

    /// Print one JSON object instead of tables.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,

    /// Log what happens to standard error (repeat for more).
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = EVERYWHERE)]
    pub verbose: u8,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the product working on an embedded company; touches nothing of yours.
    Demo(DemoArgs),
    /// Run the sandbox PBX, the sandbox directory or both, for experiments.
    Sandbox(SandboxArgs),
    /// Serve the web pages, and synchronise automatically whatever is switched on.
    Serve(ServeArgs),
    /// Add, change, list and test directory servers.
    #[command(subcommand)]
    Server(ServerCommand),
    /// Say which PBX it is about, and test the connection.
    #[command(subcommand)]
    Pbx(PbxCommand),
    /// Show what a synchronisation would do; writes to neither side.
    Preview {
        /// The server's name.
        server: String,
        /// Believe the read although far fewer people or employees are there than the last time.
        #[arg(long)]
        expect_fewer: bool,
    },
    /// Synchronise now.
    Sync(SyncArgs),
    /// Carry out exactly the plan that a preview or a halted run showed.
    Apply {
        /// The plan's hash, or the beginning of it.
        plan: String,
        /// Carry it out although the guard stopped it.
        #[arg(long)]
        release: bool,
    },
    /// Put back what a run wrote, wherever it still stands.
    Undo(UndoArgs),
    /// Kept plans: of previews, and of runs that the guard stopped.
    Plans(PlansArgs),
    /// Who is told when an automatic run is halted or fails.
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// Everyone of a server, with status and what was updated last.
    People {
        /// The server's name.
        server: String,
    },
    /// People disabled in or gone from the directory whose employees keep working.
    Disabled {
        /// Only this server's.
        server: Option<String>,
    },
    /// What a human has to look at.
    #[command(subcommand)]
    Conflicts(ConflictsCommand),
    /// Copy everything that is remembered into one file, as secret as the state directory.
    Backup(BackupArgs),
    /// Put a backup in the place of what is remembered.
    Restore(RestoreArgs),
    /// Past runs, or one run in detail.
    History {
        /// The run's number.
        run: Option<i64>,
        /// How many runs to list.
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
    },
    /// Everything known about one person, and why it is as it is.
    Explain {
        /// A name, an internal number, an e-mail address or the directory's id.
        person: String,
        /// Only look at this server.
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen; beyond this machine only over TLS.
    #[arg(long, value_name = "ADDR:PORT", default_value = LISTEN_DEFAULT)]
    pub listen: SocketAddr,
    /// Our own certificate, PEM, with the chain behind it.
    #[arg(long, value_name = "F", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, value_name = "F", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
    /// A reverse proxy in front speaks TLS and sets X-Forwarded-For.
    #[arg(long, conflicts_with = "tls_certificate")]
    pub behind_proxy: bool,
}

#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file; an older backup there is replaced once the new one is whole.
    pub file: PathBuf,
    /// Leave out the key that passwords are sealed with: they have to be entered again after a
    /// restore without it.
    #[arg(long)]
    pub without_key: bool,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup.
    pub file: PathBuf,
    /// Move what is remembered now aside, into a directory inside the state directory.
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Leave the sandbox running, for experiments with ldapsearch and curl.
    #[arg(long)]
    pub keep: bool,
}

#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Serve the PBX here; with neither address, both halves are on free ports.
    #[arg(long, value_name = "ADDR:PORT")]
    pub pbx: Option<SocketAddr>,
    /// Serve the directory here.
    #[arg(long, value_name = "ADDR:PORT")]
    pub ldap: Option<SocketAddr>,
    /// How many people the company has.
    #[arg(long, default_value_t = 60, value_name = "N")]
    pub people: usize,
    /// The same seed makes the same company.
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// Misbehave, for example `pbx.latency=30ms,ldap.cut-after=120`.
    #[arg(long, value_name = "SPEC")]
    pub faults: Option<String>,
}

#[derive(Debug, Args)]
pub struct SyncArgs {
    /// The server's name.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub server: Option<String>,
    /// Every server, one after the other.
    #[arg(long)]
    pub all: bool,
    /// Nobody is watching: for cron and timers. Only does what a human has looked at with these
    /// settings, and notifies when it is halted or fails.
    #[arg(long)]
    pub automatic: bool,
    /// Believe the read although far fewer people or employees are there than the last time.
    #[arg(long, conflicts_with = "all")]
    pub expect_fewer: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PlansArgs {
    /// Only this server's.
    pub server: Option<String>,
    #[command(subcommand)]
    pub command: Option<PlansCommand>,
}

#[derive(Debug, Subcommand)]
pub enum PlansCommand {
    /// What a plan does to whom.
    Show {
        /// The plan's hash, or the beginning of it.
        plan: String,
    },
    /// Drop a plan; what it stopped is counted anew by the next run.
    Discard {
        /// The plan's hash, or the beginning of it.
        plan: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// Say which program is started, or that none is.
    Set(NotifySetArgs),
    /// The program that is started.
    Show,
    /// Start the program with a notice that means nothing.
    Test,
}

#[derive(Debug, Args)]
pub struct NotifySetArgs {
    #[command(flatten)]
    pub receiver: ReceiverArgs,
    /// Arguments of the program. No place for secrets: they are shown.
    #[arg(value_name = "ARG", requires = "command", trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ReceiverArgs {
    /// Start this program, by its whole path and without a shell; it gets one JSON object on its
    /// standard input.
    #[arg(long, value_name = "PROGRAM")]
    pub command: Option<PathBuf>,
    /// Notify nobody.
    #[arg(long)]
    pub off: bool,
}

#[derive(Debug, Args)]
pub struct UndoArgs {
    /// The run's number, as `history` lists it.
    pub run: i64,
    /// Only what it did to this person: a whole name, or the directory's id.
    #[arg(long, value_name = "ID-OR-NAME")]
    pub person: Option<String>,
    /// Only this step, as `history RUN` lists them; repeat for several.
    #[arg(long = "step", value_name = "SEQ")]
    pub steps: Vec<i64>,
    /// Only show what would be put back; writes to neither side.
    #[arg(long)]
    pub preview: bool,
}

#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Add a server: it also needs --host, --base-dn and a way to sign in.
    Add(Box<ServerAddArgs>),
    /// Change a server; what is not named stays, an empty text takes a setting back.
    Edit(Box<ServerEditArgs>),
    /// All servers.
    List,
    /// One server's settings.
    Show {
        /// The server's name.
        name: String,
    },
    /// Diagnose the connection step by step.
    Test {
        /// The server's name.
        name: String,
    },
    /// Forget a server: links and conflicts go, both sides stay as they are.
    Remove {
        /// The server's name.
        name: String,
    },
}

#[derive(Debug, Args)]
pub struct ServerAddArgs {
    /// How you call it.
    pub name: String,
    /// What kind of directory it is.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub kind: KindArg,
    #[command(flatten)]
    pub options: ServerOptions,
}

#[derive(Debug, Args)]
pub struct ServerEditArgs {
    /// The server's name.
    pub name: String,
    /// What kind of directory it is, while nobody is linked.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub kind: Option<KindArg>,
    #[command(flatten)]
    pub options: ServerOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    ActiveDirectory,
    #[value(name = "openldap")]
    OpenLdap,
    #[value(name = "389ds")]
    Ds389,
    #[value(name = "freeipa")]
    FreeIpa,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SecurityArg {
    None,
    #[value(name = "starttls")]
    StartTls,
    Ldaps,
}

/// The settings of a server, the same for `add` and `edit`. An empty text takes
/// a setting back.
#[derive(Debug, Default, Args)]
pub struct ServerOptions {
    /// Host name, address or ldapi:// socket; repeat for several, the first that answers is kept.
    #[arg(long = "host", value_name = "H", help_heading = CONNECTION)]
    pub hosts: Vec<String>,
    /// The DNS domain that names its servers (SRV), instead of --host.
    #[arg(long, value_name = "D", conflicts_with_all = ["hosts", "port"], help_heading = CONNECTION)]
    pub domain: Option<String>,
    /// [default: 636 with ldaps, else 389].
    #[arg(long, value_name = "P", help_heading = CONNECTION)]
    pub port: Option<u16>,
    /// How the connection is protected [default: ldaps].
    #[arg(long, value_enum, help_heading = CONNECTION)]
    pub security: Option<SecurityArg>,
    /// Trust certificates of the authorities in this PEM file.
    #[arg(long, value_name = "F", conflicts_with = "fingerprint", help_heading = CONNECTION)]
    pub ca_file: Option<PathBuf>,
    /// Trust exactly the certificate with this SHA-256 fingerprint; empty: the system's authorities.
    #[arg(long, value_name = "SHA256", help_heading = CONNECTION)]
    pub fingerprint: Option<String>,
    /// Allow a password over an unencrypted connection beyond this machine.
    #[arg(long, help_heading = CONNECTION)]
    pub allow_plain: bool,
    /// Sign in as this DN; in Active Directory user@domain will do.
    #[arg(long, value_name = "DN", help_heading = SIGN_IN)]
    pub bind_dn: Option<String>,
    /// The password is the first line of this file; `-` reads standard input.
    #[arg(long, value_name = "F", help_heading = SIGN_IN)]
    pub password_file: Option<PathBuf>,
    /// Sign in by TLS client certificate or local socket (SASL EXTERNAL).
    #[arg(long, help_heading = SIGN_IN)]
    pub sasl_external: bool,
    /// The client certificate and its private key, in one PEM file.
    #[arg(long, value_name = "F", requires = "sasl_external", conflicts_with = "password_file")]
    #[arg(help_heading = SIGN_IN)]
    pub client_certificate: Option<PathBuf>,
    /// The domain root.
    #[arg(long, value_name = "DN", help_heading = SCOPE)]
    pub base_dn: Option<String>,
    /// Only people below this subdivision; repeat for several.
    #[arg(long = "ou", value_name = "DN", help_heading = SCOPE)]
    pub ous: Vec<String>,
    /// Leave out everybody below this subdivision; repeat for several.
    #[arg(long = "exclude-ou", value_name = "DN", help_heading = SCOPE)]
    pub exclude: Vec<String>,
    /// Only members of this group; repeat for several, of which one is enough.
    #[arg(long = "group", value_name = "DN", help_heading = SCOPE)]
    pub groups: Vec<String>,
    /// Additional user filter, RFC 4515.
    #[arg(long, value_name = "F", help_heading = SCOPE)]
    pub filter: Option<String>,
    /// The immutable attribute people are known by [default: the server's own].
    #[arg(long, value_name = "A", help_heading = SCOPE)]
    pub id_attribute: Option<String>,
    /// Which attribute holds a field (`extension=ipPhone`), a phone that an inner number is read
    /// out of (`extension=telephoneNumber:inner`), a template (`name={givenName} {sn}`), or nothing
    /// (`photo=`). Fields: name, extension, mobile, email, photo, sip-password; also account-state.
    #[arg(long = "map", value_name = "FIELD=ATTRIBUTE", help_heading = FIELDS)]
    pub maps: Vec<String>,
    /// both, to-pbx, to-directory or off.
    #[arg(long = "direction", value_name = "FIELD=DIRECTION", help_heading = FIELDS)]
    pub directions: Vec<String>,
    /// Who wins when both sides changed: newest, directory, pbx or ask.
    #[arg(long = "both-changed", value_name = "FIELD=POLICY", help_heading = FIELDS)]
    pub both_changed: Vec<String>,
    /// Who wins when both are set and never agreed: directory, pbx or ask.
    #[arg(long = "first-meeting", value_name = "FIELD=POLICY", help_heading = FIELDS)]
    pub first_meeting: Vec<String>,
    /// Whether a proved emptiness crosses: yes or no.
    #[arg(long = "clear", value_name = "FIELD=yes|no", help_heading = FIELDS)]
    pub clear: Vec<String>,
    /// Two-letter region that resolves national phone numbers.
    #[arg(long, value_name = "CC", help_heading = FIELDS)]
    pub region: Option<String>,
    /// Update data in the domain too.
    #[arg(long, overrides_with = "no_write_back", help_heading = POLICY)]
    pub write_back: bool,
    /// Never write to the domain [default].
    #[arg(long, overrides_with = "write_back", help_heading = POLICY)]
    pub no_write_back: bool,
    /// Free numbers come from this range; repeat for several.
    #[arg(long, value_name = "FROM-TO", help_heading = POLICY)]
    pub numbers: Vec<String>,
    /// The guard lets so many people pass whatever their share [default: 5].
    #[arg(long, value_name = "N", help_heading = POLICY)]
    pub guard_floor: Option<u32>,
    /// The guard stops a run that touches more than this share of the linked people [default: 10].
    #[arg(long, value_name = "PERCENT", help_heading = POLICY)]
    pub guard_percent: Option<u32>,
    /// The guard stops a run that touches more people than this, whatever their share [default: 500].
    #[arg(long, value_name = "N", help_heading = POLICY)]
    pub guard_ceiling: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub enum PbxCommand {
    /// Say which PBX it is and how to sign in.
    Set(PbxSetArgs),
    /// The settings in force.
    Show,
    /// Diagnose the connection step by step.
    Test,
}

#[derive(Debug, Args)]
pub struct PbxSetArgs {
    /// Its address, for example `https://pbx.example.org` or `http://127.0.0.1`.
    #[arg(long)]
    pub url: String,
    /// Sign in with the API key that is the first line of this file; with neither a key nor a
    /// login, as the PBX's own machine.
    #[arg(long, value_name = "F", conflicts_with_all = ["login", "password_file"])]
    pub api_key_file: Option<PathBuf>,
    /// Sign in with this web login.
    #[arg(long, value_name = "L", requires = "password_file")]
    pub login: Option<String>,
    /// The password is the first line of this file; `-` reads standard input.
    #[arg(long, value_name = "F", requires = "login")]
    pub password_file: Option<PathBuf>,
    /// Trust certificates of the authorities in this PEM file.
    #[arg(long, value_name = "F", conflicts_with = "fingerprint")]
    pub ca_file: Option<PathBuf>,
    /// Trust exactly the certificate with this SHA-256 fingerprint.
    #[arg(long, value_name = "SHA256")]
    pub fingerprint: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ConflictsCommand {
    /// What waits for a human.
    List {
        /// Only this server's.
        server: Option<String>,
    },
    /// One conflict in full, with its ways out.
    Show {
        /// The conflict's number.
        id: i64,
    },
    /// Say what to do; takes effect at the next synchronisation.
    Resolve(ResolveArgs),
    /// Try refused changes again at the next synchronisation: one, or all of a person.
    Retry(RetryArgs),
    /// Remove one conflict, or all: changes no data, and what still stands returns.
    Clear {
        /// The conflict; all of them when left out.
        id: Option<i64>,
        /// Only this server's.
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
    },
}

#[derive(Debug, Default, Args)]
pub struct RetryArgs {
    /// The conflict's number.
    #[arg(required_unless_present = "person", conflicts_with_all = ["person", "server"])]
    pub id: Option<i64>,
    /// All of this person, by name or id.
    #[arg(long, value_name = "ID|NAME", requires = "server")]
    pub person: Option<String>,
    /// The server they are of.
    #[arg(long, value_name = "NAME", requires = "person")]
    pub server: Option<String>,
}

#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// The conflict's number; repeat for several of one kind.
    #[arg(required = true)]
    pub ids: Vec<i64>,
    #[command(flatten)]
    pub answer: AnswerArgs,
    /// With --number: leave the directory's value alone.
    #[arg(long, requires = "number")]
    pub keep_in_pbx: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct AnswerArgs {
    /// Take one side's value: `directory` or `pbx`.
    #[arg(long = "use", value_enum, value_name = "SIDE")]
    pub take: Option<SideArg>,
    /// This employee is the person.
    #[arg(long, value_name = "ID")]
    pub employee: Option<u64>,
    /// Create a new employee.
    #[arg(long)]
    pub new: bool,
    /// It is the same employee after all.
    #[arg(long)]
    pub relink: bool,
    /// Give this internal number.
    #[arg(long, value_name = "N")]
    pub number: Option<String>,
    /// Leave this person out until taken back.
    #[arg(long)]
    pub leave_out: bool,
    /// Leave both sides as they are until one changes.
    #[arg(long)]
    pub leave_as_is: bool,
    /// Take back an earlier answer.
    #[arg(long)]
    pub ask_again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SideArg {
    Directory,
    Pbx,
}
