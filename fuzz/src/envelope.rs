//! Whatever a PBX may answer, up to employees, numbers, records and pictures.
//!
//! The input is a row of answers with a line `---` between them: a line with
//! the status and the content type, then the body. Every request gets the next
//! one, and the last one stays.

use bytes::Bytes;
use effects::{BoxFuture, ManualClock};
use http::header::{CONTENT_TYPE, ETAG, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use pbx::{
    Change, Error, Exchange, ExchangeError, FieldWrite, Listing, NewEmployee, Pbx, PhotoAnswer, Request,
    Response, Saved, Settings, SignIn, Trust,
};
use reconcile::canonical::Fingerprinter;
use reconcile::{EmployeeId, Field, FieldMap, Reading, Unusable, Value, Verdict};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const ID: EmployeeId = EmployeeId(120);
const REGION: Option<&str> = Some("RU");
const SENT: &str = "Nb8#kkQ2zzPp";
const END: &[u8] = b"\n---\n";
/// Everything in an error text that comes from the PBX is cut far below this.
const ERROR_CHARS_MAX: usize = 1_500;

pub fn target(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime without I/O asks the system for nothing");
    let answers = Arc::new(answers(data));
    runtime.block_on(async {
        let login = SignIn::Login { login: "admin".to_owned() };
        read(&pbx(&answers, "http://127.0.0.1", SignIn::Local)).await;
        read(&pbx(&answers, "https://pbx.example.org", login)).await;
        // Writes and diagnosis begin with the first answer, each for itself.
        let local = || pbx(&answers, "http://127.0.0.1", SignIn::Local);
        saved(local().save(ID, &writes(), REGION).await);
        saved(local().create(&new_employee(), REGION).await);
        for step in local().test().await {
            assert!(!step.detail.contains(char::is_control), "{step:?}");
        }
    });
}

async fn read(pbx: &Pbx) {
    if let Some(listing) = told(pbx.snapshot(&|_| {}).await) {
        whole(&listing);
    }
    if let Some(numbers) = told(pbx.numbers().await) {
        assert!(numbers.is_sorted_by(|a, b| a.number <= b.number));
    }
    told(pbx.find("201").await);
    if let Some(Some(record)) = told(pbx.record(ID, REGION).await) {
        sound(&record.fields);
    }
    told(pbx.secret(ID).await);
    if let Some(PhotoAnswer::Picture { reading, .. }) = told(pbx.photo(ID, Some("\"1-2\"")).await) {
        sound_reading(Field::Photo, &reading);
    }
}

fn pbx(answers: &Arc<Vec<Answer>>, url: &str, sign_in: SignIn) -> Pbx {
    let settings = Settings { url: url.to_owned(), sign_in, trust: Trust::SystemRoots };
    let script = Arc::new(Script { answers: Arc::clone(answers), asked: AtomicUsize::new(0) });
    let clock = Arc::new(ManualClock::at(1_800_000_000_000));
    let secret = Some("secret".to_owned().into());
    let key = Fingerprinter::new([7; 32]);
    Pbx::new(&settings, secret, script, clock, key, Duration::ZERO).expect("the settings are right")
}

fn writes() -> Vec<FieldWrite> {
    let name = Value::new("Anna Smirnova", "Anna Smirnova");
    vec![
        FieldWrite { change: Change::Name("Anna Ivanova".to_owned()), expected: Reading::one(name) },
        FieldWrite { change: Change::Mobile(None), expected: Reading::NotLooked },
        FieldWrite { change: Change::SipPassword(SENT.to_owned().into()), expected: Reading::NotLooked },
    ]
}

fn new_employee() -> NewEmployee {
    NewEmployee {
        name: "Anna Smirnova".to_owned(),
        number: "201".to_owned(),
        secret: SENT.to_owned().into(),
        email: Some("anna@example.org".to_owned()),
        mobile: Some("79991234567".to_owned()),
    }
}

fn told<T>(result: Result<T, Error>) -> Option<T> {
    result.inspect_err(|error| drop(words(error))).ok()
}

/// What an error says is short, is fit for a terminal and quotes no JSON, which
/// is what secrets come in.
fn words(error: &Error) -> String {
    let text = error.to_string();
    assert!(text.chars().count() <= ERROR_CHARS_MAX && !text.contains(char::is_control), "{text:?}");
    if let Error::BadAnswer { start, .. } = error {
        let quoted = start.rsplit_once("\" (").map_or(start.as_str(), |(quoted, _)| quoted);
        assert!(!quoted.contains(['{', '[']), "{start}");
    }
    text
}

/// A PBX that repeats what was sent to it has its words taken out.
fn saved(result: Result<Saved, Error>) {
    let errors = match result {
        Ok(saved) => {
            sound(&saved.record.fields);
            saved.outcomes.into_iter().filter_map(|(_, outcome)| outcome.err()).collect()
        }
        Err(error) => vec![error],
    };
    assert!(!errors.iter().any(|error| words(error).contains(SENT)), "{errors:?}");
}

/// A listing that counts as complete has everybody once.
fn whole(listing: &Listing) {
    let employees = &listing.employees.rows;
    assert!(employees.is_sorted_by(|a, b| a.id < b.id), "in order, nobody twice");
    assert!(listing.numbers.is_sorted_by(|a, b| a.number <= b.number));
    for employee in employees {
        sound(&employee.fields);
    }
    if listing.employees.verdict == Verdict::Complete {
        let taken: BTreeSet<&str> = listing.numbers.iter().map(|taken| &*taken.number).collect();
        let theirs = employees.iter().flat_map(|employee| employee.fields[Field::Extension].values());
        assert!(theirs.map(Value::raw).all(|number| taken.contains(number)));
    }
}

fn sound(fields: &FieldMap<Reading>) {
    for (field, reading) in fields.iter() {
        sound_reading(field, reading);
    }
}

fn sound_reading(field: Field, reading: &Reading) {
    let values = reading.values();
    assert!(*reading != Reading::Values(Vec::new()) && *reading != Reading::Absent, "a record is whole");
    assert!(values.len() <= 1 && values.iter().all(|value| value.equivalent(value)));
    if field == Field::SipPassword {
        assert!(values.iter().all(|value| value.raw() == "set" && value.canonical().starts_with("fp:")));
    }
    if let Reading::Unusable(Unusable { raw, why }) = reading {
        assert!(field != Field::SipPassword);
        assert!(!raw.contains(char::is_control) && !why.contains(char::is_control), "{raw:?} {why:?}");
    }
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    kind: HeaderValue,
    body: Bytes,
}

fn answers(data: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut rest = data;
    loop {
        let end = rest.windows(END.len()).position(|window| window == END);
        answers.push(answer(&rest[..end.unwrap_or(rest.len())]));
        match end {
            Some(end) => rest = &rest[end + END.len()..],
            None => return answers,
        }
    }
}

fn answer(text: &[u8]) -> Answer {
    let line_end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (status, kind) = text[..line_end].split_at(line_end.min(3));
    Answer {
        status: StatusCode::from_bytes(status).unwrap_or(StatusCode::OK),
        kind: HeaderValue::from_bytes(kind.trim_ascii()).unwrap_or(HeaderValue::from_static("")),
        body: Bytes::copy_from_slice(text.get(line_end + 1..).unwrap_or_default()),
    }
}

/// A PBX that answers by heart.
#[derive(Debug)]
struct Script {
    answers: Arc<Vec<Answer>>,
    asked: AtomicUsize,
}

impl Exchange for Script {
    fn exchange(&self, _: Request) -> BoxFuture<'_, Result<Response, ExchangeError>> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed).min(self.answers.len() - 1);
        let Answer { status, kind, body } = &self.answers[turn];
        let mut headers = HeaderMap::new();
        // One text has to do for all headers that are looked at.
        for name in [CONTENT_TYPE, ETAG, LOCATION, SET_COOKIE] {
            headers.insert(name, kind.clone());
        }
        let response = Response { status: *status, headers, body: body.clone() };
        Box::pin(async { Ok(response) })
    }
}
