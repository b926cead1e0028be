//! An LDAP directory in process, with the habits of OpenLDAP or of Active
//! Directory as they were seen on real servers. Connections come over TCP
//! ([`serve`]) or any other stream ([`Directory::attach`]). Deliberately
//! absent: TLS, change feeds (syncrepl, DirSync), tombstones, referential
//! integrity of groups.

mod account;
mod dn;
mod edit;
mod faults;
mod fill;
mod filter;
mod schema;
mod search;
mod serve;
mod session;
mod tree;
mod view;
mod wire;
mod write;

pub use account::{Account, Rights, Standing, Writes};
pub use edit::EntryView;
pub use faults::{Failure, Faults};
pub use schema::Personality;
pub use serve::{Running, serve};

use dn::Dn;
use effects::{Clock, Random};
use secrecy::SecretString;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tree::{Tick, Tree};
use uuid::Uuid;
use view::Site;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not the name of a directory's root: write it like `dc=example,dc=test`")]
    Base(String),
    #[error("the directory has no entry `{0}`")]
    NoEntry(String),
    #[error("the directory has no attribute `{0}`")]
    NoAttribute(String),
    #[error("no entry can be at `{dn}`: {why}")]
    Place { dn: String, why: String },
    #[error("the directory has no account `{0}`")]
    NoAccount(String),
    #[error("cannot listen on {addr}: {source}")]
    Listen { addr: SocketAddr, source: std::io::Error },
}

#[derive(Debug)]
pub struct Options {
    pub personality: Personality,
    /// The suffix, such as `dc=example,dc=test`.
    pub base: String,
    pub accounts: Vec<Account>,
    pub faults: Faults,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl Options {
    /// Three accounts with one password: `admin` may do everything, `pbx-sync`
    /// what a synchronisation does, `pbx-reader` read all but SIP passwords.
    pub fn new(
        personality: Personality,
        password: SecretString,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let base = match personality {
            Personality::OpenLdap => "dc=example,dc=test",
            Personality::ActiveDirectory => "DC=ad,DC=example,DC=test",
        };
        Options {
            personality,
            base: base.to_owned(),
            accounts: vec![
                Account::administrator("admin", password.clone()),
                Account::synchroniser("pbx-sync", password.clone()),
                Account::reader("pbx-reader", password),
            ],
            faults: Faults::default(),
            clock,
            random,
        }
    }
}

/// A handle to one directory; clones share it.
#[derive(Clone)]
pub struct Directory(Arc<Inner>);

struct Inner {
    site: Site,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    state: Mutex<State>,
}

struct State {
    tree: Tree,
    accounts: Vec<Account>,
    faults: Faults,
    counts: Counts,
    last: Tick,
}

/// What clients asked for since the directory was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub binds: u64,
    pub searches: u64,
    /// Those of them that named an entry by its id.
    pub lookups: u64,
    /// Modifies, adds, renames and deletes, refused ones included.
    pub write_requests: u64,
    /// Those of them that changed a value, a name or the set of entries.
    pub writes: u64,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("site", &self.0.site).finish_non_exhaustive()
    }
}

impl Directory {
    /// A directory with its root and nothing below it that a person would look for.
    pub fn new(options: Options) -> Result<Self, Error> {
        let Options { personality, base, accounts, faults, clock, random } = options;
        let root = Dn::parse(&base).filter(|dn| dn.first().is_some());
        let Some(root) = root else { return Err(Error::Base(base)) };
        let site = Site::new(personality, root.text(personality.spelling()), uuid(&*random));
        let state = State {
            tree: Tree::new(personality),
            accounts,
            faults,
            counts: Counts::default(),
            last: Tick { us: 0, usn: 12_000 },
        };
        let directory = Directory(Arc::new(Inner { site, clock, random, state: Mutex::new(state) }));
        directory.lay_out(&root);
        Ok(directory)
    }

    pub fn personality(&self) -> Personality {
        self.0.site.personality
    }

    pub fn base(&self) -> &str {
        &self.0.site.base
    }

    /// The name an account signs in with.
    pub fn account_dn(&self, name: &str) -> Result<String, Error> {
        let state = self.state();
        let account = state.accounts.iter().find(|account| account.name == name);
        let account = account.ok_or_else(|| Error::NoAccount(name.to_owned()))?;
        Ok(account.dn(self.personality(), self.base()))
    }

    /// Changes what an account may see and do, from its next request on.
    pub fn with_account(&self, name: &str, change: impl FnOnce(&mut Account)) -> Result<(), Error> {
        let mut state = self.state();
        let account = state.accounts.iter_mut().find(|account| account.name == name);
        account.map(change).ok_or_else(|| Error::NoAccount(name.to_owned()))
    }

    /// Changes the faults, from the next request on.
    pub fn with_faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.state().faults);
    }

    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// How many requests of clients changed something.
    pub fn writes(&self) -> u64 {
        self.counts().writes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_id(&self) -> Uuid {
        uuid(&*self.0.random)
    }

    /// The moment of a change that is about to be made, later than the last one.
    fn next_tick(&self, last: Tick) -> Tick {
        Tick { us: (self.0.clock.now_ms() * 1000).max(last.us + 1), usn: last.usn + 1 }
    }
}

fn uuid(random: &dyn Random) -> Uuid {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
