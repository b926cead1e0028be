//! A MikoPBX in process: the REST API v3 as far as employees go, with the
//! habits, traps and refusals of the real server.
//!
//! A request passes `front` (filter and rate limit), `request` (route and
//! parameters), `auth` and `keys`, and ends in an action: `record`, `lists`,
//! `save` over `fields` and `rows`, `delete`, `batch`, `csv`, `numbers`. The
//! tables are in `state`. Nothing here waits but [`Pbx::handle`].
//!
//! Deliberately absent: TLS and the redirect to it, CSV import, passkeys, roles
//! other than administrators, the WebSocket form of the event bus, the
//! telephony itself.

mod auth;
mod avatars;
mod batch;
mod csv;
mod delete;
mod envelope;
mod events;
mod factory;
mod faults;
mod fields;
mod front;
mod keys;
mod lists;
mod numbers;
mod record;
mod request;
mod rows;
mod save;
mod secrets;
mod serve;
mod server;
mod state;
mod text;

pub use envelope::Response;
pub use events::{Message, MessageId, Subscription};
pub use faults::{Faults, Latency, Rate};
pub use serve::{Running, router, serve};
pub use state::{Employee, Forwarding, Mobile, Sip};

use crate::company;
use bytes::Bytes;
use effects::{Clock, Random, SystemClock, SystemRandom};
use http::{HeaderMap, Method};
use secrecy::SecretString;
use serde_json::Value;
use server::Server;
use state::State;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// The workers that answer API requests.
const WORKERS: usize = 3;

#[derive(Debug)]
pub struct Options {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub extensions_length: u32,
    pub web_login: String,
    pub web_password: SecretString,
    /// Whether connections from loopback count as remote ones.
    pub treat_as_remote: bool,
    pub faults: Faults,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            extensions_length: 3,
            web_login: "admin".to_owned(),
            web_password: SecretString::from("admin"),
            treat_as_remote: false,
            faults: Faults::default(),
        }
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Needs no token, and passes no filter.
    Local,
    Remote(IpAddr),
}

/// The connection died before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection was dropped")]
pub struct Dropped;

/// One request that was answered, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    pub method: Method,
    /// With the query, but for a token in it.
    pub path: String,
    /// `None` where the connection was dropped.
    pub status: Option<u16>,
}

/// A running PBX. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Pbx(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    treat_as_remote: bool,
    workers: Semaphore,
    server: Mutex<Server>,
}

/// What an action works with.
struct Desk<'a> {
    state: &'a mut State,
    /// Exported files by their paths.
    files: &'a mut VecDeque<(String, Bytes)>,
    faults: &'a Faults,
    random: &'a dyn Random,
    now_ms: i64,
}

impl Pbx {
    /// A PBX where nobody works yet.
    pub fn new(options: Options) -> Self {
        let state = factory::stock(options.extensions_length);
        Pbx::start(options, state)
    }

    /// The factory data set: employees 201 to 203 with the ids 110 to 112, and
    /// what refers to them.
    pub fn factory(options: Options) -> Self {
        let state = factory::factory(options.extensions_length, &*options.random, options.clock.now_ms());
        Pbx::start(options, state)
    }

    /// A company's employees, with ids from 1.
    pub fn with_employees(options: Options, employees: &[company::Employee]) -> Self {
        let state = factory::company(options.extensions_length, employees);
        Pbx::start(options, state)
    }

    fn start(options: Options, state: State) -> Self {
        let Options { clock, random, web_login, web_password, treat_as_remote, faults, .. } = options;
        let server = Mutex::new(Server::new(state, web_login, web_password, faults, &*random));
        Pbx(Arc::new(Shared { clock, random, treat_as_remote, workers: Semaphore::new(WORKERS), server }))
    }

    /// Answers one request. Only the long-poll of the event bus waits for
    /// something to happen.
    pub async fn handle(
        &self,
        method: &Method,
        path_and_query: &str,
        headers: &HeaderMap,
        body: &[u8],
        client: Client,
    ) -> Result<Response, Dropped> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        if *method == Method::GET && path == events::PATH {
            return match self.subscribe_as(path, query, headers, client) {
                Ok(subscription) => Ok(serve::long_poll(subscription).await),
                Err(refused) => Ok(*refused),
            };
        }
        let pause = self.server().faults.latency.map(|latency| latency.draw(&*self.0.random));
        if let Some(pause) = pause.filter(|_| path.starts_with(request::API)) {
            let worker = self.0.workers.acquire().await;
            self.0.clock.sleep(pause).await;
            drop(worker);
        }
        let now_ms = self.0.clock.now_ms();
        let request = server::Request { method, path, query, headers, body, client };
        self.server().answer(&request, &*self.0.random, now_ms)
    }

    /// How many requests have changed an employee or a picture.
    pub fn writes(&self) -> u64 {
        self.server().writes
    }

    /// How many requests meant to change something, equal values and refused
    /// ones among them: all but reading and signing in.
    pub fn attempts(&self) -> u64 {
        self.server().attempts
    }

    /// The requests so far, the oldest first; at most the last ten thousand.
    pub fn requests(&self) -> Vec<Logged> {
        self.server().log.iter().cloned().collect()
    }

    /// Everybody, by id.
    pub fn employees(&self) -> Vec<Employee> {
        self.server().state.employees().cloned().collect()
    }

    /// The picture of an employee. A file that a failed creation left behind
    /// is nobody's: the next employee of that id does not name it.
    pub fn picture(&self, id: u64) -> Option<Bytes> {
        let state = &self.server().state;
        let is_named = state.employees().any(|employee| employee.id == id && !employee.avatar.is_empty());
        state.pictures.bytes(id).filter(|_| is_named).cloned()
    }

    /// The messages of the event bus from now on.
    pub fn subscribe(&self) -> Subscription {
        self.server().bus.subscribe(None, self.0.clock.now_ms())
    }

    pub fn set_faults(&self, faults: Faults) {
        self.server().faults = faults;
    }

    /// A new employee, made by somebody in the web page. Fields are those of
    /// the API; a refusal comes as the JSON of its error.
    pub fn add(&self, fields: Value) -> Result<u64, String> {
        self.by_hand(|desk| save::by_hand(desk, None, fields))
    }

    /// A change by somebody in the web page.
    pub fn edit(&self, id: u64, fields: Value) -> Result<(), String> {
        self.by_hand(|desk| save::by_hand(desk, Some(id), fields).map(|_| ()))
    }

    pub fn delete(&self, id: u64) -> Result<(), String> {
        self.by_hand(|desk| delete::remove(desk, id).map_err(|texts| texts.join("; ")))
    }

    /// Switches the account off or on, which the API cannot.
    pub fn set_disabled(&self, id: u64, disabled: bool) -> bool {
        let change = |employee: &mut Employee| {
            if let Some(sip) = &mut employee.sip {
                sip.disabled = disabled;
            }
        };
        self.server().state.touch(id, change)
    }

    /// A user without a phone, as modules of the PBX make them.
    pub fn add_user(&self, name: &str) -> u64 {
        let mut server = self.server();
        let id = server.state.next.user;
        server.state.put(Employee {
            id,
            username: name.to_owned(),
            email: format!("user{id}@example.com"),
            language: "en".to_owned(),
            avatar: String::new(),
            sip: None,
            mobile: None,
        });
        id
    }

    /// A queue that takes a number. `false` if the number is taken.
    pub fn add_queue(&self, number: &str) -> bool {
        let state = &mut self.server().state;
        let free = state.holder(number).is_none();
        if free {
            factory::add_queue(state, number, "Overflow");
        }
        free
    }

    /// Lets the next employee get this id, which must be larger than all before.
    pub fn skip_ids_to(&self, id: u64) {
        let next = &mut self.server().state.next;
        next.user = next.user.max(id);
    }

    fn by_hand<T>(&self, edit: impl FnOnce(&mut Desk<'_>) -> T) -> T {
        let now_ms = self.0.clock.now_ms();
        self.server().by_hand(&*self.0.random, now_ms, edit)
    }

    /// A subscription over HTTP, or why not.
    fn subscribe_as(
        &self,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        client: Client,
    ) -> Result<Subscription, Box<Response>> {
        let now_ms = self.0.clock.now_ms();
        let request = server::Request { method: &Method::GET, path, query, headers, body: &[], client };
        self.server().subscribe(&request, now_ms)
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.0.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    fn ip(self) -> IpAddr {
        match self {
            Client::Local => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Client::Remote(ip) => ip,
        }
    }
}
