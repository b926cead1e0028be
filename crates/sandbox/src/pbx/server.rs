//! From a request to its answer, in the order of the real server: filter and
//! rate limit, files, route, sign-in, method map, action. The faults stand
//! where their causes would.

use super::auth::{Auth, NOT_AUTHENTICATED};
use super::envelope::{self, HTML, Reply, Response, TEXT};
use super::events::{Bus, Event, Model, Subscription};
use super::front::{self, RateLimit};
use super::request::{self, API, Call};
use super::state::State;
use super::{
    Client, Desk, Dropped, Faults, Logged, batch, csv, delete, events, faults, lists, numbers, record, save,
};
use bytes::Bytes;
use effects::Random;
use http::{HeaderMap, Method};
use secrecy::SecretString;
use std::collections::VecDeque;

const LOG_MAX: usize = 10_000;
const OFFENCE: &str = "Security violation detected\n";
const LOCKED: &str = "SQLSTATE[HY000]: General error: 5 database is locked";
const LIMITED: &str = "Too many requests\n";

#[derive(Debug)]
pub(super) struct Server {
    pub state: State,
    pub bus: Bus,
    pub faults: Faults,
    pub log: VecDeque<Logged>,
    pub writes: u64,
    pub attempts: u64,
    auth: Auth,
    limit: RateLimit,
    files: VecDeque<(String, Bytes)>,
    answered: u32,
    /// A create whose worker is late.
    late: Option<Call>,
}

#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    pub client: Client,
}

impl Server {
    pub(super) fn new(
        state: State,
        web_login: String,
        web_password: SecretString,
        faults: Faults,
        random: &dyn Random,
    ) -> Self {
        Server {
            state,
            bus: Bus::new(),
            faults,
            log: VecDeque::new(),
            writes: 0,
            attempts: 0,
            auth: Auth::new(web_login, web_password, random),
            limit: RateLimit::default(),
            files: VecDeque::new(),
            answered: 0,
            late: None,
        }
    }

    pub(super) fn answer(
        &mut self,
        request: &Request<'_>,
        random: &dyn Random,
        now_ms: i64,
    ) -> Result<Response, Dropped> {
        let revision = self.state.revision;
        let outcome = match self.refused_in_front(request, random, now_ms) {
            Some(response) => Ok(response),
            None => self.serve(request, random, now_ms),
        };
        self.publish(random, now_ms);
        self.writes += u64::from(self.state.revision != revision);
        self.remember(request, outcome.as_ref().ok().map(|response| response.status().as_u16()));
        outcome
    }

    pub(super) fn subscribe(
        &mut self,
        request: &Request<'_>,
        now_ms: i64,
    ) -> Result<Subscription, Box<Response>> {
        if let Some(refused) = self.filtered(request, now_ms) {
            return Err(Box::new(refused));
        }
        // The header is not looked at, and API keys are not known here.
        let token =
            request::form(request.query).get("token").and_then(|token| token.as_str().map(str::to_owned));
        let admitted = token.is_some_and(|token| self.auth.knows_token(&token, now_ms));
        self.remember(request, Some(if admitted { 200 } else { 403 }));
        if !admitted {
            return Err(Box::new(envelope::plain(403, TEXT, format!("{NOT_AUTHENTICATED}\n"))));
        }
        Ok(self.bus.subscribe(events::last_seen(request.headers), now_ms))
    }

    pub(super) fn by_hand<T>(
        &mut self,
        random: &dyn Random,
        now_ms: i64,
        edit: impl FnOnce(&mut Desk<'_>) -> T,
    ) -> T {
        let result = edit(&mut self.desk(&Faults::default(), random, now_ms));
        self.publish(random, now_ms);
        result
    }

    fn desk<'a>(&'a mut self, faults: &'a Faults, random: &'a dyn Random, now_ms: i64) -> Desk<'a> {
        Desk { state: &mut self.state, files: &mut self.files, faults, random, now_ms }
    }

    /// What never reaches PHP.
    fn refused_in_front(
        &mut self,
        request: &Request<'_>,
        random: &dyn Random,
        now_ms: i64,
    ) -> Option<Response> {
        if let Some(response) = self.filtered(request, now_ms) {
            return Some(response);
        }
        if !request.path.starts_with(API) {
            return None;
        }
        let ip = request.client.ip();
        if self.faults.limit.strikes(random) {
            self.limit.block(ip, now_ms);
        }
        if self.limit.is_blocked(ip, now_ms) {
            return Some(envelope::plain(429, TEXT, LIMITED));
        }
        if self.faults.forbidden.strikes(random) {
            return Some(envelope::plain(403, TEXT, OFFENCE));
        }
        let gateway = self.faults.gateway.strikes(random);
        gateway.then(|| envelope::plain(502, HTML, "<html><h1>502 Bad Gateway</h1></html>\n"))
    }

    fn filtered(&mut self, request: &Request<'_>, now_ms: i64) -> Option<Response> {
        let Client::Remote(ip) = request.client else { return None };
        let Request { method, path, query, headers, body, .. } = *request;
        if front::is_suspicious(method, path, query, headers, body) {
            return Some(envelope::plain(403, TEXT, OFFENCE));
        }
        let counts = path.starts_with("/pbxcore/");
        (counts && !self.limit.admits(ip, now_ms)).then(|| envelope::plain(429, TEXT, LIMITED))
    }

    fn serve(
        &mut self,
        request: &Request<'_>,
        random: &dyn Random,
        now_ms: i64,
    ) -> Result<Response, Dropped> {
        let Request { method, path, query, headers, body, client } = *request;
        if let Some(response) = self.file(request) {
            return Ok(response);
        }
        let Some(mut call) = request::route(method, path) else {
            let uri = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
            let response = envelope::not_found(&uri, now_ms);
            return Ok(if *method == Method::HEAD { response.map(|_| Bytes::new()) } else { response });
        };
        if !self.auth.admits(path, method, headers, client, now_ms, self.faults.key_cache) {
            return Ok(self.render(Reply::front(401, NOT_AUTHENTICATED), now_ms));
        }
        call.params = request::params(query, headers, body, call.id.as_deref());
        match self.work(&call, request, random, now_ms)? {
            Some(reply) => Ok(self.render(reply, now_ms)),
            None => Ok(not_allowed(&call, now_ms)),
        }
    }

    /// What nginx serves from the disk, or refuses by itself.
    fn file(&self, request: &Request<'_>) -> Option<Response> {
        let Request { method, path, headers, .. } = *request;
        if path == events::PUBLISH_PATH {
            return Some(envelope::plain(403, HTML, "<html><h1>403 Forbidden</h1></html>\n"));
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        if let Some(name) = path.strip_prefix("/avatars/") {
            return Some(self.state.pictures.serve(name, *method == Method::HEAD, headers));
        }
        let (_, file) = self.files.iter().find(|(name, _)| name == path)?;
        Some(envelope::plain(200, "text/csv; charset=utf-8", file.clone()))
    }

    /// The action, among what can happen to the workers.
    fn work(
        &mut self,
        call: &Call,
        request: &Request<'_>,
        random: &dyn Random,
        now_ms: i64,
    ) -> Result<Option<Reply>, Dropped> {
        let timed_out = || Ok(Some(Reply::front(400, "Request timeout or worker not responding")));
        if self.faults.busy.strikes(random) {
            return Ok(Some(Reply::front(503, "Service temporarily unavailable, please retry later")));
        }
        if self.faults.phantom_event.strikes(random) {
            self.add_phantom(random);
        }
        if !save::is_write(call) {
            return Ok(self.act(call, request, random, now_ms));
        }
        if self.faults.drop_before.strikes(random) {
            return Err(Dropped);
        }
        if self.faults.timeout.strikes(random) {
            return timed_out();
        }
        if is_create(call) && self.faults.late.strikes(random) {
            self.late = Some(call.clone());
            return timed_out();
        }
        if self.faults.locked.strikes(random) {
            return Ok(Some(Reply::text(save::function(call), save::SAVE, LOCKED)));
        }
        let reply = self.act(call, request, random, now_ms);
        if self.faults.drop.strikes(random) {
            return Err(Dropped);
        }
        if self.faults.timeout_done.strikes(random) {
            return timed_out();
        }
        Ok(reply)
    }

    fn render(&mut self, reply: Reply, now_ms: i64) -> Response {
        // One of three workers.
        self.answered = (self.answered + 1) % 3;
        reply.render(4711 + self.answered, now_ms, self.faults.russian)
    }

    /// The action, or `None` where the method map has no such method.
    fn act(&mut self, call: &Call, request: &Request<'_>, random: &dyn Random, now_ms: i64) -> Option<Reply> {
        let headers = request.headers;
        match (call.resource, call.method.as_deref()) {
            ("auth", Some("login")) => return Some(self.auth.login(call, request.client, random, now_ms)),
            ("auth", Some("refresh")) => {
                return Some(self.auth.refresh(headers, request.client, random, now_ms));
            }
            ("auth", Some("logout")) => return Some(self.auth.logout(headers)),
            ("api-keys", _) => return self.auth.keys.serve(call, &self.state, random, now_ms),
            _ => {}
        }
        if is_create(call) {
            self.race_for_number(call, random, now_ms);
            if let Some(late) = self.late.take() {
                perform(&mut self.desk(&Faults::default(), random, now_ms), &late);
            }
        }
        let faults = self.faults.clone();
        let mut desk = self.desk(&faults, random, now_ms);
        perform(&mut desk, call)
    }

    /// Somebody else takes the number that this create is about to take.
    fn race_for_number(&mut self, call: &Call, random: &dyn Random, now_ms: i64) {
        let number = call.text("number");
        if number.is_empty() || !self.faults.race.strikes(random) {
            return;
        }
        let secret = super::secrets::generate(random);
        let rival =
            serde_json::json!({ "user_username": "Quick Rival", "number": number, "sip_secret": secret });
        // A number that is taken already needs no rival.
        let _ = self.by_hand(random, now_ms, |desk| save::by_hand(desk, None, rival));
    }

    fn add_phantom(&mut self, random: &dyn Random) {
        let count = self.state.employees().len();
        let Ok(which) = usize::try_from(faults::below(random, count.max(1) as u64)) else { return };
        let id = self.state.employees().nth(which).map(|employee| employee.id);
        self.state.outbox.extend(id.and_then(|id| Event::changed(Model::Users, id, vec!["email"])));
    }

    fn publish(&mut self, random: &dyn Random, now_ms: i64) {
        for event in self.state.outbox.drain(..) {
            if !self.faults.lose_event.strikes(random) {
                self.bus.publish(&event, now_ms);
            }
        }
    }

    fn remember(&mut self, request: &Request<'_>, status: Option<u16>) {
        let reads = *request.method == Method::GET || request.path.contains("/auth:");
        self.attempts += u64::from(!reads);
        let query =
            request.query.split('&').map(|pair| if pair.starts_with("token=") { "token=…" } else { pair });
        let query: Vec<&str> = query.filter(|pair| !pair.is_empty()).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        self.log.push_back(Logged {
            method: request.method.clone(),
            path: format!("{}{mark}{}", request.path, query.join("&")),
            status,
        });
        if self.log.len() > LOG_MAX {
            self.log.pop_front();
        }
    }
}

fn is_create(call: &Call) -> bool {
    call.resource == "employees" && call.verb == Method::POST && call.method.is_none()
}

/// The actions over the tables.
fn perform(desk: &mut Desk<'_>, call: &Call) -> Option<Reply> {
    let has_id = call.id.is_some();
    let reply = match (call.resource, call.verb.as_str(), call.method.as_deref()) {
        ("employees", "GET", None) if has_id => record::get(desk, call),
        ("employees", "GET", None) => lists::list(desk, call),
        ("employees", "GET", Some("getDefault")) => record::get_default(desk),
        ("employees", "POST", None) => save::create(desk, call),
        ("employees", "PUT", None) => save::update(desk, call),
        ("employees", "PATCH", None) => save::patch(desk, call),
        ("employees", "DELETE", None) => delete::delete(desk, call),
        ("employees", "POST", Some("batchCreate")) => batch::batch_create(desk, call),
        ("employees", "POST", Some("batchDelete")) => {
            Reply::text("batchDelete", "", "Action 'batchDelete' is not implemented yet")
        }
        ("employees", "POST", Some("export")) => csv::export(desk, call),
        ("employees", "POST", Some("exportTemplate")) => csv::template(desk, call),
        ("employees", "POST", Some(method @ ("import" | "confirmImport"))) => csv::import(method, call),
        ("extensions", "GET", None) if !has_id => numbers::list(desk, call),
        ("extensions", "POST", Some("available")) => numbers::available(desk, call),
        ("extensions", "POST", Some("getPhonesRepresent")) => numbers::phones_represent(desk, call),
        ("users", "GET", Some("available")) => numbers::email_available(desk, call),
        ("sip", "GET", Some("getSecret")) => numbers::secret(desk, call.id.as_deref()?),
        ("passwords", "GET", Some("generate")) => numbers::generate_password(desk, call),
        ("general-settings", "GET", None) if has_id => {
            numbers::setting(desk, call.id.as_deref().unwrap_or_default())
        }
        ("system", "GET", Some("ping")) => {
            Reply::ok("ping", "System\\PingAction::main", serde_json::json!("pong"))
        }
        (resource, "GET", None) => {
            let action = if has_id { "getRecord" } else { "getList" };
            Reply::text(action, "", format!("Unknown action - {action} in {resource}"))
        }
        _ => return None,
    };
    Some(reply)
}

/// A secret without a number to look up misses its id; the rest is not mapped.
fn not_allowed(call: &Call, now_ms: i64) -> Response {
    let method = call.method.as_deref().unwrap_or_default();
    if call.resource == "sip" && method == "getSecret" {
        return envelope::short(400, "Resource ID is required for method 'getSecret'", now_ms);
    }
    envelope::short(405, &format!("Method '{method}' is not allowed with HTTP {}", call.verb), now_ms)
}
