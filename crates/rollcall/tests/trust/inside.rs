//! A company in the process of the test: a store in memory that several
//! processes share, both sides without sockets, and a time that stands still
//! until the test moves it.

use directory::{Dial, Kind, Stream};
use effects::{BoxFuture, Clock, SeededRandom};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use pbx::{Exchange, ExchangeError, Request, Response, SignIn, Trust};
use rollcall::app::{App, Net};
use rollcall::cli::args::{SecurityArg, ServerOptions};
use rollcall::cli::server::{self, Draft};
use rollcall::cycle::{self, Expect, Report, Silent};
use sandbox::directory::{Options, Personality};
use sandbox::pbx::Client;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{ConflictsOf, DirectoryId, MemoryStore, RunRow, Trigger};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

pub const SERVER: &str = "hq";
const NOW_MS: i64 = 1_800_000_000_000;
const PASSWORD: &str = "secret";

/// What happens before a request to the PBX is answered.
type Then = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

pub struct Company {
    pub directory: sandbox::directory::Directory,
    pub pbx: sandbox::pbx::Pbx,
    pub clock: Arc<StillClock>,
    pub app: App,
    pub id: DirectoryId,
    people: Mutex<Vec<Uuid>>,
    net: Arc<Inside>,
}

impl Company {
    /// Nobody works there yet. Both sides are known to Rollcall.
    pub async fn found(personality: Personality) -> Self {
        let clock = Arc::new(StillClock::default());
        let random = Arc::new(SeededRandom::new(7));
        let options = Options::new(personality, PASSWORD.to_owned().into(), clock.clone(), random.clone());
        let directory = sandbox::directory::Directory::new(options).expect("a directory");
        let options = sandbox::pbx::Options {
            clock: clock.clone(),
            random: random.clone(),
            ..sandbox::pbx::Options::default()
        };
        let pbx = sandbox::pbx::Pbx::new(options);
        let net = Arc::new(Inside {
            directory: directory.clone(),
            pbx: pbx.clone(),
            interrupt: Arc::default(),
            answers: Arc::default(),
        });
        let store = Arc::new(MemoryStore::new(&*random));
        let app = App {
            store,
            clock: clock.clone(),
            random,
            net: net.clone(),
            notify: Arc::new(rollcall::notify::Noted::default()),
        };
        let settings = pbx::Settings {
            url: "http://127.0.0.1".into(),
            sign_in: SignIn::Local,
            trust: Trust::SystemRoots,
        };
        rollcall::cli::pbx::store(&app, &settings, None).await.expect("it is stored");
        let mut draft = Draft::new(match personality {
            Personality::OpenLdap => Kind::OpenLdap,
            Personality::ActiveDirectory => Kind::ActiveDirectory,
        });
        draft.take(&options_of(&directory)).expect("they are right");
        let row = server::store(&app, SERVER, draft, Some(&PASSWORD.to_owned().into())).await;
        let id = row.expect("it is stored").id;
        Company { directory, pbx, clock, app, id, people: Mutex::default(), net }
    }

    /// A company of so many people, in step.
    pub async fn of(personality: Personality, people: usize) -> Self {
        let company = Company::found(personality).await;
        for at in 0..people {
            company.hire(at);
        }
        let report = company.sync().await;
        assert_eq!(report.counts.created as usize, people, "{report:#?}");
        company
    }

    pub fn hire(&self, at: usize) -> Uuid {
        let mail = format!("p{at}@example.test");
        let id = self.directory.hire(self.directory.base(), &format!("p{at}"), &name(at), &[("mail", &mail)]);
        let id = id.expect("nobody is called so yet");
        self.people.lock().expect("no test panics here").push(id);
        id
    }

    pub fn person(&self, at: usize) -> Uuid {
        self.people.lock().expect("no test panics here")[at]
    }

    pub fn fire(&self, at: usize) {
        self.directory.delete(self.person(at)).expect("they were there");
    }

    pub fn rename_mail(&self, at: usize, mail: &str) {
        self.directory.set(self.person(at), "mail", &[mail]).expect("they are there");
    }

    pub async fn sync(&self) -> Report {
        self.clock.advance(Duration::from_secs(60));
        self.sync_as(&self.app, Expect::AsBefore).await.expect("it runs")
    }

    /// A run during which time passes: a PBX that is busy makes it wait.
    pub async fn sync_patiently(&self) -> Report {
        let mut run = pin!(self.sync_as(&self.app, Expect::AsBefore));
        loop {
            tokio::select! {
                biased;
                report = &mut run => return report.expect("it runs"),
                () = tokio::task::yield_now() => self.clock.advance(Duration::from_millis(100)),
            }
        }
    }

    pub async fn sync_as(&self, app: &App, expect: Expect) -> anyhow::Result<Report> {
        cycle::sync(app, SERVER, Trigger::Manual, expect, &Silent).await
    }

    pub async fn preview(&self, expect: Expect) -> Report {
        cycle::preview(&self.app, SERVER, expect, &Silent).await.expect("it reads")
    }

    /// Writes that reached either side.
    pub fn writes(&self) -> (u64, u64) {
        (self.pbx.attempts(), self.directory.counts().write_requests)
    }

    /// Before a request of this kind, after so many others of it, something
    /// else happens: the process that asked is held up meanwhile.
    pub fn before(
        &self,
        method: Method,
        part: &'static str,
        others: usize,
        then: impl FnOnce() -> BoxFuture<'static, ()> + Send + 'static,
    ) {
        let interrupt = Interrupt { method, part, others, then: Box::new(then) };
        *self.net.interrupt.lock().expect("no test panics here") = Some(interrupt);
    }

    /// From now on the record of an employee is answered so, whatever it is.
    pub fn answer_record(&self, employee: u64, answer: Option<Answer>) {
        let mut answers = self.net.answers.lock().expect("no test panics here");
        let path = format!("/pbxcore/api/v3/employees/{employee}");
        match answer {
            Some(answer) => answers.insert(path, answer),
            None => answers.remove(&path),
        };
    }

    /// Holds a process up at such a request until it is told to go on.
    pub fn hold_up(&self, method: Method, part: &'static str, others: usize) -> HeldUp {
        let (reach, reached) = oneshot::channel();
        let (go_on, wait) = oneshot::channel();
        self.before(method, part, others, move || {
            Box::pin(async move {
                reach.send(()).expect("the test waits for this");
                wait.await.expect("the test says so");
            })
        });
        HeldUp { reached, go_on }
    }

    pub async fn last_run(&self) -> RunRow {
        let mut runs = self.app.store.runs(Some(self.id), 1, 0).await.expect("the store answers");
        runs.pop().expect("there was a run")
    }

    pub async fn conflicts(&self) -> Vec<store::ConflictRow> {
        self.app.store.conflicts(ConflictsOf::Directory(self.id)).await.expect("the store answers")
    }
}

/// What a PBX may answer instead of a record.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    Gibberish,
    NoSuchEmployee,
    TooLarge,
}

/// A process that is held up.
pub struct HeldUp {
    reached: oneshot::Receiver<()>,
    go_on: oneshot::Sender<()>,
}

impl HeldUp {
    /// Whether it came so far.
    pub fn is_there(&mut self) -> bool {
        self.reached.try_recv().is_ok()
    }

    pub fn go_on(self) {
        self.go_on.send(()).expect("it is held up");
    }

    /// Suspends a process, all of it, where it is held up, while something
    /// else happens.
    pub async fn suspend<T>(
        self,
        process: impl Future<Output = T>,
        meanwhile: impl Future<Output = ()>,
    ) -> T {
        let mut process = pin!(process);
        tokio::select! {
            biased;
            reached = self.reached => reached.expect("it is held up there"),
            _ = &mut process => panic!("it was not held up"),
        }
        meanwhile.await;
        self.go_on.send(()).expect("it is held up");
        process.await
    }
}

pub fn name(at: usize) -> String {
    format!("Person-{at} Of-This-Company")
}

fn options_of(directory: &sandbox::directory::Directory) -> ServerOptions {
    ServerOptions {
        hosts: vec!["127.0.0.1".to_owned()],
        domain: None,
        security: Some(SecurityArg::None),
        bind_dn: Some(directory.account_dn("pbx-sync").expect("there is such an account")),
        base_dn: Some(directory.base().to_owned()),
        maps: ["name=displayName", "extension=ipPhone", "photo="].map(str::to_owned).to_vec(),
        write_back: true,
        ..ServerOptions::default()
    }
}

/// Both sides, in this process.
#[derive(Debug)]
struct Inside {
    directory: sandbox::directory::Directory,
    pbx: sandbox::pbx::Pbx,
    interrupt: Arc<Mutex<Option<Interrupt>>>,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
}

struct Interrupt {
    method: Method,
    part: &'static str,
    others: usize,
    then: Then,
}

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "before {} …{}…", self.method, self.part)
    }
}

impl Net for Inside {
    fn dial(&self) -> Arc<dyn Dial> {
        Arc::new(Pipe(self.directory.clone()))
    }

    fn exchange(&self, _: &pbx::Settings) -> Result<Arc<dyn Exchange>, pbx::Error> {
        let (interrupt, answers) = (self.interrupt.clone(), self.answers.clone());
        Ok(Arc::new(Direct { pbx: self.pbx.clone(), interrupt, answers }))
    }
}

#[derive(Debug)]
struct Pipe(sandbox::directory::Directory);

impl Dial for Pipe {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let server = self.0.clone();
        tokio::spawn(async move { server.attach(theirs).await });
        Box::pin(async { Ok(Box::new(ours) as Box<dyn Stream>) })
    }
}

#[derive(Debug)]
struct Direct {
    pbx: sandbox::pbx::Pbx,
    interrupt: Arc<Mutex<Option<Interrupt>>>,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
}

impl Exchange for Direct {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, ExchangeError>> {
        Box::pin(async move {
            let Request { method, path_and_query, headers, body } = request;
            let meant = |it: &mut Interrupt| {
                let meant = it.method == method && path_and_query.contains(it.part);
                let waits = meant && it.others > 0;
                it.others -= usize::from(waits);
                meant && !waits
            };
            let interrupt = self.interrupt.lock().expect("no test panics here").take_if(meant);
            if let Some(interrupt) = interrupt {
                (interrupt.then)().await;
            }
            let answer = self.answers.lock().expect("no test panics here").get(&path_and_query).copied();
            if let Some(answer) = answer.filter(|_| method == Method::GET) {
                return match answer {
                    Answer::TooLarge => Err(ExchangeError::TooLarge),
                    Answer::Gibberish => Ok(json(200, "{\"result\": true, \"data\": 7}")),
                    Answer::NoSuchEmployee => {
                        Ok(json(404, "{\"result\": false, \"data\": [], \"messages\": {\"error\": [\"?\"]}}"))
                    }
                };
            }
            match self.pbx.handle(&method, &path_and_query, &headers, &body, Client::Local).await {
                Ok(answer) => {
                    let (parts, body) = answer.into_parts();
                    Ok(Response { status: parts.status, headers: parts.headers, body })
                }
                Err(dropped) => Err(ExchangeError::OutcomeUnknown(dropped.to_string())),
            }
        })
    }
}

fn json(status: u16, body: &'static str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let status = StatusCode::from_u16(status).expect("a status");
    Response { status, headers, body: body.into() }
}

/// Time that passes only when the test says so.
#[derive(Debug)]
pub struct StillClock(watch::Sender<i64>);

impl Default for StillClock {
    fn default() -> Self {
        StillClock(watch::Sender::new(NOW_MS))
    }
}

impl StillClock {
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now += by.as_millis() as i64);
    }
}

impl Clock for StillClock {
    fn now_ms(&self) -> i64 {
        *self.0.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let until_ms = self.now_ms() + duration.as_millis() as i64;
        let mut now = self.0.subscribe();
        Box::pin(async move {
            now.wait_for(|now| *now >= until_ms).await.expect("the clock outlives whoever sleeps");
        })
    }
}
