//! Both sides, the memory that outlives a process, the clock, chance, and the
//! witness who sees every change: what all processes of one life share.

use crate::clock::SimClock;
use crate::forced::Forced;
use crate::humans;
use crate::lot::Lot;
use crate::witness::{Actor, Witness};
use directory::{AttributeMap, Kind, Security, Settings, SignIn, Trust};
use effects::{Clock, SeededRandom};
use http::Method;
use reconcile::{Field, FieldMap, NumberRange, Policy};
use sandbox::directory::Personality;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{DirectoryId, DirectoryRow, MemoryStore, PbxId, PbxRow, Settings as _};

pub const SERVER: &str = "hq";
pub const PASSWORD: &str = "bind-Password-1";
pub const STAFF: &str = "Staff";
pub const FORMER: &str = "Former";
pub const REGION: &str = "RU";
/// Longest wait in the middle of a step, and longest jump of the clock, ms.
/// Both are longer than a lease and than a connection may stay silent.
const DELAY_MS_MAX: i64 = 150_000;
const JUMP_MS_MAX: i64 = 600_000;
/// How often other tasks get their turn until everything on its way arrived.
const TURNS_TO_SETTLE: usize = 24;

/// How often what happens, in thousandths of the occasions. All zero: nothing
/// goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chances {
    pub meddle: u16,
    /// Of the writes to the PBX: somebody edits the same employee between our
    /// last look at the record and the write.
    pub window: u16,
    pub delay: u16,
    pub jump: u16,
    pub dial_refused: u16,
    pub cut: u16,
    pub lost: u16,
    pub doubled: u16,
    pub pbx_refused: u16,
    pub request_lost: u16,
    pub answer_lost: u16,
}

pub struct Stage {
    pub clock: Arc<SimClock>,
    pub directory: sandbox::directory::Directory,
    pub pbx: sandbox::pbx::Pbx,
    store: Mutex<MemoryStore>,
    /// What the product draws its secrets and salts from.
    pub secrets: Arc<SeededRandom>,
    pub lot: Lot,
    /// Whether the PBX takes us for another machine.
    pub remote: bool,
    pub kind: Kind,
    /// Whether policies and limits are drawn by lot.
    drawn: bool,
    forced: Mutex<Option<Forced>>,
    chances: Mutex<Chances>,
    witness: Mutex<Witness>,
    processes: AtomicU64,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    trace: Mutex<Trace>,
}

/// What happened, as a digest and, where somebody wants to read it, as text.
struct Trace {
    digest: DefaultHasher,
    lines: Option<Vec<String>>,
}

impl Stage {
    /// An empty company. Both sides have clocks of their own.
    pub fn new(seed: u64, told: bool) -> Arc<Self> {
        let lot = Lot::new(seed);
        let kind = *lot.pick(&[Kind::OpenLdap, Kind::ActiveDirectory]).unwrap_or(&Kind::OpenLdap);
        let remote = lot.strikes(150);
        Stage::build(seed, lot, kind, remote, Some(told))
    }

    /// One in which nothing is drawn by lot but what must be.
    pub fn plain(kind: Kind) -> Arc<Self> {
        Stage::build(1, Lot::new(1), kind, false, None)
    }

    /// Without `told` the policy is the ordinary one.
    fn build(seed: u64, lot: Lot, kind: Kind, remote: bool, told: Option<bool>) -> Arc<Self> {
        let personality = match kind {
            Kind::ActiveDirectory => Personality::ActiveDirectory,
            Kind::OpenLdap | Kind::Ds389 | Kind::FreeIpa => Personality::OpenLdap,
        };
        let clock = Arc::new(SimClock::new(0));
        let random = |salt: u64| Arc::new(SeededRandom::new(seed ^ salt));
        let their_clock = Arc::new(SimClock::new(lot.within(-120_000, 120_000)));
        let options = sandbox::directory::Options::new(
            personality,
            PASSWORD.to_owned().into(),
            their_clock,
            random(0xd1),
        );
        let directory = sandbox::directory::Directory::new(options).expect("the suffix is a good one");
        for unit in [STAFF, FORMER] {
            directory.found_unit(directory.base(), unit).expect("the unit is new");
        }
        let options = sandbox::pbx::Options {
            clock: clock.clone(),
            random: random(0xb2),
            ..sandbox::pbx::Options::default()
        };
        let secrets = random(0x5e);
        let store = MemoryStore::new(&*secrets);
        let witness = Witness::new(directory.clone(), sandbox::pbx::Pbx::new(options), store.clone(), kind);
        Arc::new(Stage {
            clock,
            directory,
            pbx: witness.pbx(),
            store: Mutex::new(store),
            secrets,
            lot,
            remote,
            kind,
            drawn: told.is_some(),
            forced: Mutex::default(),
            chances: Mutex::default(),
            witness: Mutex::new(witness),
            processes: AtomicU64::new(0),
            counts: Mutex::default(),
            trace: Mutex::new(Trace {
                digest: DefaultHasher::new(),
                lines: told.filter(|told| *told).map(|_| Vec::new()),
            }),
        })
    }

    /// Introduces both sides to Rollcall. The policy is drawn by lot.
    pub async fn set_up(&self) -> DirectoryId {
        let (url, sign_in) = match self.remote {
            true => ("http://10.0.0.2".to_owned(), pbx::SignIn::Login { login: "admin".to_owned() }),
            false => ("http://127.0.0.1".to_owned(), pbx::SignIn::Local),
        };
        let settings = pbx::Settings { url, sign_in, trust: pbx::Trust::SystemRoots };
        let settings = serde_json::to_value(&settings).expect("settings are plain data");
        let pbx = PbxRow { id: PbxId::DEFAULT, name: "pbx".to_owned(), settings };
        let admin = SecretString::from("admin");
        self.store().put_pbx(&pbx, Some(&admin)).await.expect("the memory takes it");
        let settings = serde_json::to_value(self.settings()).expect("settings are plain data");
        let row = DirectoryRow {
            id: DirectoryId::NEW,
            name: SERVER.to_owned(),
            pbx: PbxId::DEFAULT,
            settings,
            policy: self.policy(),
            created_ms: self.clock.now_ms(),
            last_complete_ms: 0,
            pbx_complete_ms: 0,
            references: Vec::new(),
            ran_before: false,
        };
        let password = SecretString::from(PASSWORD);
        self.store().put_directory(&row, Some(&password)).await.expect("the memory takes it")
    }

    /// What is remembered, with nobody at the gate.
    pub fn store(&self) -> MemoryStore {
        lock(&self.store).clone()
    }

    pub fn set_store(&self, store: MemoryStore) {
        self.witness().watch(store.clone());
        *lock(&self.store) = store;
    }

    /// Every SIP password there is right now, and those we sign in with.
    pub fn known_secrets(&self) -> Vec<String> {
        let sip = self.pbx.employees().into_iter().filter_map(|employee| employee.sip);
        let sip = sip.map(|sip| sip.secret.expose_secret().to_owned());
        let written = self
            .directory
            .people()
            .into_iter()
            .filter_map(|id| self.directory.entry(id)?.text("sipPassword"));
        sip.chain(written).chain([PASSWORD.to_owned()]).collect()
    }

    pub fn staff(&self) -> String {
        format!("ou={STAFF},{}", self.directory.base())
    }

    pub fn former(&self) -> String {
        format!("ou={FORMER},{}", self.directory.base())
    }

    fn settings(&self) -> Settings {
        let fields = FieldMap::from_fn(|field| {
            Some(attribute(self.kind, field).parse().expect("these are attribute names"))
        });
        Settings {
            kind: self.kind,
            hosts: vec!["directory".to_owned()],
            domain: None,
            port: 389,
            security: Security::None,
            trust: Trust::System,
            sign_in: SignIn::Simple { dn: self.directory.account_dn("pbx-sync").expect("it exists") },
            client_certificate: None,
            base_dn: self.directory.base().to_owned(),
            ous: vec![self.staff()],
            exclude: Vec::new(),
            groups: Vec::new(),
            filter: None,
            id_attribute: None,
            map: AttributeMap { fields, account_state: None },
            allow_plain: true,
            region: Some(REGION.to_owned()),
            // Small, so that there are later pages.
            page_size: if self.drawn { u16::try_from(self.lot.within(2, 9)).unwrap_or(5) } else { 2 },
        }
    }

    fn policy(&self) -> Policy {
        if !self.drawn {
            let numbers = vec![NumberRange { from: 210, to: 260 }];
            return Policy { write_back: true, numbers, ..Policy::default() };
        }
        use reconcile::{BothChanged, Direction, FirstMeeting};
        let mut policy = Policy { write_back: !self.lot.strikes(100), ..Policy::default() };
        policy.numbers = vec![NumberRange { from: 210, to: if self.lot.strikes(200) { 213 } else { 260 } }];
        for field in Field::ALL {
            let own = &mut policy.fields[field];
            if self.lot.strikes(150) {
                let ways = [Direction::ToPbx, Direction::ToDirectory, Direction::Off];
                own.direction = *self.lot.pick(&ways).unwrap_or(&own.direction);
            }
            if self.lot.strikes(400) {
                let ways = [BothChanged::Newest, BothChanged::Directory, BothChanged::Pbx, BothChanged::Ask];
                own.both_changed = *self.lot.pick(&ways).unwrap_or(&own.both_changed);
            }
            if self.lot.strikes(300) {
                let ways = [FirstMeeting::Directory, FirstMeeting::Pbx, FirstMeeting::Ask];
                own.first_meeting = *self.lot.pick(&ways).unwrap_or(&own.first_meeting);
            }
            if self.lot.strikes(200) {
                own.clear = false;
            }
        }
        policy
    }

    /// Somewhere in the middle of something else.
    pub async fn meanwhile(&self) {
        let chances = self.chances();
        if self.strikes("edit in the middle of a step", chances.meddle) {
            humans::edit(self);
        }
        if self.strikes("jump of the clock", chances.jump) {
            self.clock.jump(self.lot.within(-JUMP_MS_MAX, JUMP_MS_MAX));
        }
        if self.strikes("delay", chances.delay) {
            let ms = u64::try_from(self.lot.within(1, DELAY_MS_MAX)).unwrap_or(1);
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }

    /// Lets everything that is on its way arrive.
    pub async fn settle(&self) {
        for _ in 0..TURNS_TO_SETTLE {
            tokio::task::yield_now().await;
        }
        self.see_directory();
        self.see_pbx(None);
    }

    pub async fn see_directory_soon(&self) {
        self.settle().await;
    }

    /// Looks at the directory: whatever is new there is Rollcall's doing, for
    /// people are looked at when they act.
    pub fn see_directory(&self) {
        self.see(|witness| witness.see_directory(Actor::Rollcall));
    }

    pub fn see_pbx(&self, body: Option<&[u8]>) {
        self.see(|witness| witness.see_pbx(Actor::Rollcall, body));
    }

    fn see(&self, look: impl FnOnce(&mut Witness)) {
        let mut witness = self.witness();
        let before = witness.violations.len();
        look(&mut witness);
        for violation in &witness.violations[before..] {
            self.note(format_args!("VIOLATION: {violation}"));
        }
    }

    /// Reading a record is what the next write to it stands on.
    pub fn asks(&self, method: &Method, path: &str) {
        const RECORDS: &str = "/employees/";
        self.see_pbx(None);
        if *method == Method::DELETE {
            self.violated(format!("{method} {path} was sent"));
        }
        let id = path.split_once(RECORDS).and_then(|(_, rest)| rest.parse().ok());
        if let Some(id) = id.filter(|_| *method == Method::GET) {
            self.witness().looked(id);
        }
    }

    pub fn witness(&self) -> MutexGuard<'_, Witness> {
        lock(&self.witness)
    }

    pub fn violated(&self, what: String) {
        self.note(format_args!("VIOLATION: {what}"));
        self.witness().violations.push(what);
    }

    /// From now on this comes back, every time.
    pub fn force(&self, forced: Option<Forced>) {
        *lock(&self.forced) = forced;
    }

    pub fn forced(&self) -> Option<Forced> {
        *lock(&self.forced)
    }

    pub fn chances(&self) -> Chances {
        *lock(&self.chances)
    }

    pub fn set_chances(&self, chances: Chances) {
        *lock(&self.chances) = chances;
    }

    /// Whether it happens this time; counted if so.
    pub fn strikes(&self, what: &'static str, permille: u16) -> bool {
        let strikes = self.lot.strikes(permille);
        if strikes {
            self.count(what);
        }
        strikes
    }

    pub fn count(&self, what: &'static str) {
        *lock(&self.counts).entry(what).or_default() += 1;
        self.note(format_args!("  {what}"));
    }

    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.counts).clone()
    }

    pub fn note(&self, what: fmt::Arguments<'_>) {
        let mut trace = lock(&self.trace);
        let line = what.to_string();
        line.hash(&mut trace.digest);
        if let Some(lines) = &mut trace.lines {
            lines.push(line);
        }
    }

    /// The same for the same seed, on every machine.
    pub fn digest(&self) -> u64 {
        lock(&self.trace).digest.finish()
    }

    pub fn lines(&self) -> Vec<String> {
        lock(&self.trace).lines.clone().unwrap_or_default()
    }

    pub fn next_process(&self) -> u64 {
        self.processes.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}

/// Where a field is kept in this kind of directory.
pub fn attribute(kind: Kind, field: Field) -> &'static str {
    match (kind, field) {
        (_, Field::Name) => "displayName",
        (_, Field::Extension) => "ipPhone",
        (_, Field::Mobile) => "mobile",
        (_, Field::Email) => "mail",
        (Kind::ActiveDirectory, Field::Photo) => "thumbnailPhoto",
        (_, Field::Photo) => "jpegPhoto",
        (_, Field::SipPassword) => "sipPassword",
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
