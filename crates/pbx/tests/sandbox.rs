//! The client against a MikoPBX in process, with its habits and its faults.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use effects::{BoxFuture, Clock, ManualClock, SeededRandom};
use pbx::{Change, Error, Exchange, ExchangeError, FieldWrite, HttpExchange, NewEmployee, Pbx, PhotoAnswer};
use pbx::{Request, Response, Settings, SignIn, Trust};
use reconcile::canonical::{self, Fingerprinter};
use reconcile::{EmployeeId, Field, Reading, Verdict};
use sandbox::faults::Faults;
use sandbox::pbx::{Client, Options};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
struct InProcess {
    pbx: sandbox::pbx::Pbx,
    client: Client,
}

impl Exchange for InProcess {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, ExchangeError>> {
        Box::pin(async move {
            let Request { method, path_and_query, headers, body } = request;
            match self.pbx.handle(&method, &path_and_query, &headers, &body, self.client).await {
                Ok(answer) => {
                    let (parts, body) = answer.into_parts();
                    Ok(Response { status: parts.status, headers: parts.headers, body })
                }
                Err(dropped) => Err(ExchangeError::OutcomeUnknown(dropped.to_string())),
            }
        })
    }
}

struct Lab {
    server: sandbox::pbx::Pbx,
    clock: Arc<ManualClock>,
    client: Pbx,
}

const REMOTE: Client = Client::Remote(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 10)));

fn lab(client: Client, url: &str, sign_in: SignIn, secret: Option<&str>) -> Lab {
    let clock = Arc::new(ManualClock::at(1_700_000_000_000));
    let options =
        Options { clock: clock.clone(), random: Arc::new(SeededRandom::new(1)), ..Options::default() };
    let server = sandbox::pbx::Pbx::factory(options);
    let settings = Settings { url: url.into(), sign_in, trust: Trust::SystemRoots };
    let exchange = Arc::new(InProcess { pbx: server.clone(), client });
    let secret = secret.map(|secret| secret.to_owned().into());
    let key = Fingerprinter::new([7; 32]);
    let client = Pbx::new(&settings, secret, exchange, clock.clone(), key, Duration::ZERO).unwrap();
    Lab { server, clock, client }
}

fn here() -> Lab {
    lab(Client::Local, "http://127.0.0.1", SignIn::Local, None)
}

fn by_login() -> Lab {
    lab(REMOTE, "https://pbx.example.org", SignIn::Login { login: "admin".into() }, Some("admin"))
}

fn faults(lab: &Lab, spec: &str) {
    lab.server.set_faults(Faults::parse(spec).unwrap().pbx);
}

fn anyway(change: Change) -> FieldWrite {
    FieldWrite { change, expected: Reading::NotLooked }
}

fn new(number: &str) -> NewEmployee {
    NewEmployee {
        name: "Фёдор Ёлкин".into(),
        number: number.into(),
        secret: pbx::checks::generate_secret(&SeededRandom::new(9)),
        email: Some("fedor@example.org".into()),
        mobile: Some("79990001122".into()),
    }
}

#[tokio::test]
async fn an_employee_from_beginning_to_end() {
    for lab in [here(), by_login()] {
        let pbx = &lab.client;
        let listing = pbx.snapshot(&|_| {}).await.unwrap();
        assert_eq!(listing.employees.verdict, Verdict::Complete);
        assert_eq!(listing.employees.rows.len(), 3);
        assert!(listing.numbers.iter().any(|taken| &*taken.number == "2001"));

        let made = pbx.create(&new("204"), Some("RU")).await.unwrap();
        let id = made.record.id;
        assert!(made.outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
        assert_eq!(made.record.fields[Field::Name].values()[0].raw(), "Фёдор Ёлкин");
        assert_eq!(made.record.dialstring, "79990001122");
        assert_eq!(pbx.find("204").await.unwrap().unwrap().id, id);

        let writes = [
            anyway(Change::Name("Фёдор Ёлкин-Палкин".into())),
            anyway(Change::Extension("214".into())),
            anyway(Change::Mobile(None)),
            anyway(Change::Email(Some("f@example.org".into()))),
            anyway(Change::Photo(Some(common::jpeg(3).into()))),
            anyway(Change::SipPassword("Nb8kkQ2zzPp77x".to_owned().into())),
        ];
        let saved = pbx.save(id, &writes, Some("RU")).await.unwrap();
        assert!(saved.outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{:?}", saved.outcomes);
        assert_eq!(saved.record.fields[Field::Mobile], Reading::Empty);
        assert_eq!(
            saved.record.fields[Field::Photo],
            Reading::one(canonical::photo(&common::jpeg(3)).unwrap())
        );

        let before = lab.server.writes();
        let again = pbx.save(id, &writes, Some("RU")).await.unwrap();
        assert!(again.outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
        assert_eq!(lab.server.writes(), before, "equal values are not written");

        let etag = saved.photo_etag.as_deref();
        assert_eq!(pbx.photo(id, etag).await.unwrap(), PhotoAnswer::NotModified);
        let cleared = pbx.save(id, &[anyway(Change::Photo(None))], None).await.unwrap();
        assert_eq!(cleared.record.fields[Field::Photo], Reading::Empty);
        assert_eq!(pbx.photo(id, etag).await.unwrap(), PhotoAnswer::Missing);

        lab.server.delete(id.0).unwrap();
        assert_eq!(pbx.record(id, None).await.unwrap(), None);
        assert_eq!(pbx.save(id, &writes, None).await, Err(Error::Gone { id }));
    }
}

#[tokio::test]
async fn taken_numbers_of_both_kinds_in_any_language() {
    let lab = here();
    faults(&lab, "pbx.language=ru");
    for number in ["201", "2001", "801"] {
        let error = lab.client.create(&new(number), None).await.unwrap_err();
        assert!(matches!(error, Error::Occupied { .. }), "{number}: {error}");
        let saved = lab.client.save(EmployeeId(111), &[anyway(Change::Extension(number.into()))], None).await;
        assert!(matches!(saved.unwrap().outcomes[0].1, Err(Error::Occupied { .. })), "{number}");
    }
}

#[tokio::test]
async fn a_forwarding_to_the_own_mobile_goes_with_it() {
    let lab = here();
    let made = lab.client.create(&new("204"), None).await.unwrap();
    let id = made.record.id;
    let to_mobile =
        json!({"fwd_forwarding": "79990001122", "fwd_forwardingonbusy": "202", "fwd_ringlength": 20});
    lab.server.edit(id.0, to_mobile).unwrap();
    let saved = lab.client.save(id, &[anyway(Change::Mobile(None))], None).await.unwrap();
    assert_eq!(saved.outcomes, [(Field::Mobile, Ok(()))]);
    assert_eq!((&*saved.record.forwarding.unanswered, &*saved.record.forwarding.busy), ("", "202"));
}

#[tokio::test]
async fn somebody_elses_forwarding_keeps_a_mobile() {
    let lab = here();
    let id = lab.client.create(&new("204"), None).await.unwrap().record.id;
    lab.server.edit(112, json!({"fwd_forwarding": "79990001122", "fwd_ringlength": 20})).unwrap();
    let saved = lab.client.save(id, &[anyway(Change::Mobile(None))], None).await.unwrap();
    assert!(
        matches!(&saved.outcomes[0].1, Err(Error::Refused { advice, .. }) if advice.contains("forwarding"))
    );
}

#[tokio::test]
async fn a_record_that_refuses_every_patch_is_saved_all_the_same() {
    let lab = here();
    let id = lab.client.create(&new("204"), None).await.unwrap().record.id;
    // A forwarding whose ring time was zeroed by a PUT of somebody else.
    lab.server.edit(id.0, json!({"fwd_forwarding": "202", "fwd_ringlength": 20})).unwrap();
    let put = json!({"user_username": "Фёдор Ёлкин", "number": "204", "mobile_number": "79990001122"});
    let answer = lab
        .server
        .handle(
            &http::Method::PUT,
            &format!("/pbxcore/api/v3/employees/{id}"),
            &[("content-type".parse().unwrap(), "application/json".parse().unwrap())].into_iter().collect(),
            put.to_string().as_bytes(),
            Client::Local,
        )
        .await
        .unwrap();
    assert!(answer.status().is_success());

    let write = anyway(Change::Name("Фёдор Новый".into()));
    let saved = lab
        .client
        .save(id, &[write, anyway(Change::Photo(Some(common::jpeg(4).into())))], None)
        .await
        .unwrap();
    assert!(saved.outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{:?}", saved.outcomes);
    assert_eq!(saved.record.fields[Field::Name].values()[0].raw(), "Фёдор Новый");
    assert_eq!(saved.record.mobile_number, "79990001122", "a PUT that kept the mobile");
    assert_eq!(&*saved.record.forwarding.unanswered, "202");
    let puts = lab.server.requests().iter().filter(|request| request.method == http::Method::PUT).count();
    assert_eq!(puts, 3, "one by hand, one for the name, one for the photo");
}

#[tokio::test]
async fn an_edit_in_the_web_page_is_not_overwritten() {
    let lab = here();
    let before = lab.client.record(EmployeeId(111), None).await.unwrap().unwrap();
    lab.server.edit(111, json!({"user_username": "Renamed Meanwhile"})).unwrap();
    let write = FieldWrite {
        change: Change::Name("From Directory".into()),
        expected: before.fields[Field::Name].clone(),
    };
    let saved = lab.client.save(EmployeeId(111), &[write], None).await.unwrap();
    assert_eq!(saved.outcomes, [(Field::Name, Err(Error::Moved { field: Field::Name }))]);
    assert_eq!(saved.record.fields[Field::Name].values()[0].raw(), "Renamed Meanwhile");
}

#[tokio::test]
async fn faults_that_pass() {
    for spec in ["pbx.locked=x3", "pbx.busy=x2", "pbx.locked=30%"] {
        let lab = here();
        faults(&lab, spec);
        for n in 0..10 {
            let write = anyway(Change::Name(format!("Name {n}")));
            let saved = lab.client.save(EmployeeId(111), &[write], None).await.unwrap();
            assert_eq!(saved.outcomes, [(Field::Name, Ok(()))], "{spec}");
        }
    }
}

#[tokio::test]
async fn faults_after_which_nobody_knows() {
    for (spec, stored) in [("timeout", false), ("timeout-done", true), ("drop", true), ("drop-before", false)]
    {
        let lab = here();
        faults(&lab, &format!("pbx.{spec}=x1"));
        let error = lab.client.create(&new("204"), None).await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{spec}: {error}");
        assert_eq!(lab.client.find("204").await.unwrap().is_some(), stored, "{spec}");
    }
}

#[tokio::test]
async fn a_number_lost_in_a_race() {
    let lab = here();
    faults(&lab, "pbx.race=x1");
    let error = lab.client.create(&new("204"), None).await.unwrap_err();
    assert!(matches!(error, Error::Occupied { .. }), "{error}");
}

#[tokio::test]
async fn a_listing_that_miscounts_is_partial() {
    for total in [-1, 1] {
        let lab = here();
        faults(&lab, &format!("pbx.total={total}"));
        assert!(!lab.client.snapshot(&|_| {}).await.unwrap().employees.verdict.is_complete());
    }
}

#[tokio::test]
async fn a_user_without_a_phone_is_not_an_employee() {
    let lab = here();
    lab.server.add_user("No Phone");
    let listing = lab.client.snapshot(&|_| {}).await.unwrap();
    assert_eq!((listing.employees.rows.len(), listing.users_without_number), (3, 1));
}

#[tokio::test]
async fn a_silently_cut_name_shows_in_the_record() {
    let lab = here();
    faults(&lab, "pbx.cut=5");
    let saved =
        lab.client.save(EmployeeId(111), &[anyway(Change::Name("Longer Name".into()))], None).await.unwrap();
    assert_eq!(saved.record.fields[Field::Name].values()[0].raw(), "Longe");
}

#[tokio::test]
async fn a_remote_client_never_meets_the_rate_limit() {
    let lab = by_login();
    let began_ms = lab.clock.now_ms();
    for _ in 0..1000 {
        lab.client.record(EmployeeId(111), None).await.unwrap();
    }
    assert!(lab.server.requests().iter().all(|request| request.status == Some(200)));
    assert!(lab.clock.now_ms() - began_ms < 8 * 60_000, "nor is it much slower than that");
}

#[tokio::test]
async fn a_login_lives_longer_than_its_token() {
    let lab = by_login();
    for _ in 0..5 {
        lab.client.numbers().await.unwrap();
        lab.clock.advance(Duration::from_secs(3000));
    }
    let logins = lab.server.requests().iter().filter(|request| request.path.contains("auth:login")).count();
    assert_eq!(logins, 1);
}

#[tokio::test]
async fn a_wrong_password_costs_one_failure() {
    let lab = lab(REMOTE, "https://pbx.example.org", SignIn::Login { login: "admin".into() }, Some("wrong"));
    for _ in 0..20 {
        assert!(matches!(lab.client.numbers().await, Err(Error::NotSignedIn { .. })));
    }
    assert_eq!(lab.server.requests().len(), 1);
}

#[tokio::test]
async fn the_diagnosis_writes_nothing() {
    for lab in [here(), by_login()] {
        let steps = lab.client.test().await;
        assert!(steps.iter().all(|step| step.ok), "{steps:?}");
        assert_eq!(lab.server.writes(), 0);
    }
}

#[tokio::test]
async fn a_key_with_few_permissions() {
    let lab = lab(REMOTE, "https://pbx.example.org", SignIn::ApiKey, Some(&"0123456789abcdef".repeat(4)));
    let key = json!({"key": "0123456789abcdef".repeat(4), "description": "read", "full_permissions": false,
        "allowed_paths": {"/api/v3/employees": "read"}});
    let headers =
        [("content-type".parse().unwrap(), "application/json".parse().unwrap())].into_iter().collect();
    let path = "/pbxcore/api/v3/api-keys";
    let body = key.to_string();
    let made =
        lab.server.handle(&http::Method::POST, path, &headers, body.as_bytes(), Client::Local).await.unwrap();
    assert_eq!(made.status(), 201);
    let listing = lab.client.snapshot(&|_| {}).await.unwrap();
    let verdict = listing.employees.verdict;
    assert!(verdict.reason().unwrap().contains(r#""/api/v3/extensions": "read""#), "{verdict:?}");
    let error =
        lab.client.save(EmployeeId(111), &[anyway(Change::Name("B C".into()))], None).await.unwrap_err();
    assert!(
        matches!(&error, Error::NotPermitted { grant, .. } if grant == r#""/api/v3/employees": "write""#)
    );
    let failed: Vec<_> =
        lab.client.test().await.into_iter().filter(|step| !step.ok).map(|step| step.name).collect();
    assert_eq!(failed, ["read taken numbers", "change employees"]);
}

#[tokio::test]
async fn over_a_socket() {
    let server = sandbox::pbx::Pbx::factory(Options::default());
    let running = sandbox::pbx::serve(server, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let settings = Settings {
        url: format!("http://{}", running.addr),
        sign_in: SignIn::Local,
        trust: Trust::SystemRoots,
    };
    let exchange = Arc::new(HttpExchange::new(&settings).unwrap());
    let key = Fingerprinter::new([7; 32]);
    let clock = Arc::new(effects::SystemClock);
    let pbx = Pbx::new(&settings, None, exchange, clock, key, Duration::ZERO).unwrap();
    assert_eq!(pbx.snapshot(&|_| {}).await.unwrap().employees.rows.len(), 3);
    let id = pbx.create(&new("204"), None).await.unwrap().record.id;
    let photo = [anyway(Change::Photo(Some(common::jpeg(5).into())))];
    assert!(pbx.save(id, &photo, None).await.unwrap().photo_etag.is_some());
}
