use super::*;
use crate::cli::testing::{NOW_MS, ambiguous, app, both_changed, link, server, start};
use crate::web::testing::{Answer, Browser};
use axum::body::Body;
use axum::http::Method;
use reconcile::{Answer as Decided, LeftReason, LinkState};
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use store::{
    By, DirectoryId, JournalRow, PersonStatus, PlanPerson, RunId, RunPerson, Side, State, Updated, What,
};

struct Caller {
    browser: Browser,
    key: String,
    server: DirectoryId,
}

/// A server `hq` with two conflicts, two people, a run and a plan.
async fn caller() -> Caller {
    let app = app();
    let server = server(&app).await;
    app.store
        .sync_conflicts(By::Hand(server), NOW_MS, &[both_changed(), ambiguous()], &BTreeSet::new())
        .await
        .unwrap();
    let mut left = link("p3", "Müller, Jörg", 15, "215");
    left.state = LinkState::Left { reason: LeftReason::Disabled, since_ms: NOW_MS };
    app.store.agree(By::Hand(server), &[], &[link("p1", "Иванов Пётр", 12, "212"), left]).await.unwrap();
    let run = start(&app, server).await;
    let person = RunPerson {
        person: reconcile::PersonId::new("p1"),
        employee: None,
        name: "Иванов Пётр".to_owned(),
        extension: "212".to_owned(),
        status: PersonStatus::Processed,
        updated: Updated::Pbx,
        changes: json!({ "name": "Иванов Пётр" }),
        reason: String::new(),
    };
    app.store.add_run_people(run, &[person]).await.unwrap();
    app.store.release_lease(server, "test").await.unwrap();
    let plan = json!({
        "actions": [], "lines": [], "halt": null, "stopped": [], "lost": [], "settings": "", "undo": null,
    });
    app.store.put_plan(server, "abc", NOW_MS, &plan.to_string()).await.unwrap();
    let planned = PlanPerson {
        person: reconcile::PersonId::new("p1"),
        employee: None,
        name: "Иванов Пётр".to_owned(),
        extension: "212".to_owned(),
        kind: "update".to_owned(),
        changes: json!({ "name": "Иванов Пётр" }),
        reason: String::new(),
    };
    app.store.put_plan_people(server, "abc", &[planned]).await.unwrap();
    let key = Token::make(&app, "test").await.unwrap().expose_secret().to_owned();
    Caller { browser: Browser::new(app).await, key, server }
}

impl Caller {
    async fn send(&self, method: Method, path: &str, authorization: Option<&str>, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(text) = authorization {
            request = request.header(header::AUTHORIZATION, text);
        }
        self.browser.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let bearer = format!("Bearer {}", self.key);
        let answer = self.send(method, &format!("{PATH}{path}"), Some(&bearer), body).await;
        (answer.status.as_u16(), serde_json::from_str(&answer.text).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, &body.to_string()).await
    }
}

/// Every method and path of the description.
fn operations() -> BTreeSet<(String, String)> {
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &Value)| {
        let path = path.clone();
        let methods: Vec<String> = item.as_object().unwrap().keys().cloned().collect();
        methods.into_iter().map(move |method| (method, path.clone()))
    };
    paths.iter().flat_map(methods).collect()
}

#[tokio::test]
async fn the_description_lists_every_route_and_every_listed_route_is_there() {
    let listed: Vec<String> = operations().iter().map(|(method, path)| format!("{method} {path}")).collect();
    insta::assert_snapshot!("routes", listed.join("\n"));
    for (method, path) in operations() {
        let caller = caller().await;
        let path = path.replace("{id}", "1").replace("{run}", "1").replace("{plan}", "abc");
        if path.contains("/job") {
            caller.post("/servers/1/preview", json!({})).await;
        }
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let (status, body) = caller.call(method.clone(), &path, "").await;
        assert!(![401, 404, 405, 500].contains(&status), "{method} {path}: {status} {body}");
    }
}

#[tokio::test]
async fn a_stranger_is_told_nothing_not_even_what_there_is() {
    let caller = caller().await;
    let cookie = caller.browser.cookie.clone();
    let listed = operations().into_iter().map(|(_, path)| format!("{PATH}{path}"));
    let unknown =
        ["", "/", "//", "/nothing", "/servers/", "/servers/99/nothing", "/%2e%2e/", "/openapi.json/x"];
    let paths: Vec<String> = listed.chain(unknown.iter().map(|path| format!("{PATH}{path}"))).collect();
    let key = caller.key.clone();
    let wrong = [
        None,
        Some(String::new()),
        Some(key.clone()),
        Some(format!("Basic {key}")),
        Some(format!("Bearer {}", &key[1..])),
        Some(format!("Bearer {key} {key}")),
    ];
    for path in &paths {
        let path = path.replace("{id}", "1").replace("{run}", "1").replace("{plan}", "abc");
        for method in [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
            Method::PATCH,
        ] {
            for given in &wrong {
                let mut request =
                    Request::builder().method(&method).uri(&path).header(header::COOKIE, &cookie);
                if let Some(text) = given {
                    request = request.header(header::AUTHORIZATION, text);
                }
                let answer = caller.browser.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} {given:?}");
                assert_eq!(answer.challenge.as_deref(), Some("Bearer"), "{method} {path}");
                assert!(
                    method == Method::HEAD || answer.text.starts_with("{\"error\":"),
                    "{path}: {}",
                    answer.text
                );
            }
        }
    }
    assert_eq!(caller.call(Method::GET, "/version", "").await.0, 200);
    let token = crate::web::auth::tokens::all(&caller.browser.web.app).await.unwrap().remove(0);
    crate::web::auth::tokens::revoke(&caller.browser.web.app, &token.id).await.unwrap();
    assert_eq!(caller.call(Method::GET, "/version", "").await.0, 401, "a revoked token");
}

#[tokio::test]
async fn mistakes_are_told_as_objects() {
    let caller = caller().await;
    for (method, path, body, status) in [
        (Method::GET, "/nothing", "", 404),
        (Method::GET, "/", "", 404),
        (Method::GET, "", "", 404),
        (Method::GET, "/servers/99", "", 404),
        (Method::GET, "/servers/hq", "", 404),
        (Method::GET, "/servers/1/job", "", 404),
        (Method::POST, "/servers/1/job/cancel", "", 404),
        (Method::GET, "/runs/77", "", 404),
        (Method::POST, "/runs/77/undo", "", 404),
        (Method::POST, "/runs/1/undo", "", 422),
        (Method::POST, "/runs/1/undo", "{\"step\":[1]}", 400),
        (Method::GET, "/plans/ab", "", 404),
        (Method::GET, "/conflicts/77", "", 404),
        (Method::DELETE, "/servers/1", "", 405),
        (Method::GET, "/people?limit=many", "", 400),
        (Method::GET, "/people?state=nowhere", "", 400),
        (Method::GET, "/conflicts?kind=nonsense", "", 400),
        (Method::POST, "/servers/1/sync", "{\"expect_fewr\":true}", 400),
        (Method::POST, "/servers/1/sync", "{", 400),
        (Method::PUT, "/servers/1/schedule", "{}", 400),
        (Method::POST, "/conflicts/resolve", "{\"ids\":[1]}", 400),
        (Method::POST, "/conflicts/resolve", "{\"ids\":[77],\"answer\":\"use-pbx\"}", 404),
        (Method::POST, "/conflicts/resolve", "{\"ids\":[1],\"answer\":\"relink\"}", 422),
        (Method::POST, "/conflicts/resolve", "{\"ids\":[1,2],\"answer\":\"leave-out\"}", 422),
        (Method::POST, "/conflicts/clear", "{\"id\":1,\"server\":1}", 422),
    ] {
        let (got, answer) = caller.call(method.clone(), path, body).await;
        assert_eq!(got, status, "{method} {path} {body}: {answer}");
        assert!(answer["error"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn lists_have_parts_and_totals() {
    let caller = caller().await;
    for (path, name, total) in [
        ("/servers", "servers", 1),
        ("/people", "people", 2),
        ("/people?search=%D0%B8%D0%B2%D0%B0%D0%BD%D0%BE%D0%B2", "people", 1),
        ("/people?state=active", "people", 1),
        ("/disabled", "disabled", 1),
        ("/runs", "runs", 1),
        ("/runs/1/people", "people", 1),
        ("/runs/1/people?updated=directory", "people", 0),
        ("/plans?server=1", "plans", 1),
        ("/plans/abc/people?kind=update", "people", 1),
        ("/conflicts", "conflicts", 2),
        ("/conflicts?kind=both-changed&state=open", "conflicts", 1),
    ] {
        let body = caller.get(path).await;
        let rows = body[name].as_array().unwrap_or_else(|| panic!("{path}: {body}"));
        assert_eq!((rows.len(), body["total"].as_u64()), (total, Some(total as u64)), "{path}: {body}");
        assert_eq!((body["limit"].as_u64(), body["offset"].as_u64()), (Some(100), Some(0)), "{path}");
        let join = if path.contains('?') { '&' } else { '?' };
        let rest = caller.get(&format!("{path}{join}limit=1&offset=1")).await;
        assert_eq!(rest[name].as_array().unwrap().len(), total.saturating_sub(1), "{path}");
        assert_eq!(rest["total"].as_u64(), Some(total as u64), "{path}");
    }
}

#[tokio::test]
async fn conflicts_are_answered_retried_and_cleared() {
    let caller = caller().await;
    let shown = caller.get("/conflicts/1").await;
    assert_eq!((&shown["kind"], &shown["answer"]), (&json!("both-changed"), &Value::Null));
    let (status, told) = caller.post("/conflicts/resolve", json!({ "ids": [1], "answer": "use-pbx" })).await;
    assert_eq!((status, told), (200, json!({ "resolved": [{ "conflict": 1, "answer": "use-pbx" }] })));
    let pick = json!({ "ids": [2], "answer": "employee", "id": 14 });
    assert_eq!(caller.post("/conflicts/resolve", pick).await.0, 200);
    let decisions = caller.browser.web.app.store.decisions(caller.server).await.unwrap();
    let answers: Vec<Decided> = decisions.into_iter().map(|decision| decision.answer).collect();
    assert_eq!(answers, [Decided::UsePbx, Decided::Employee { id: reconcile::EmployeeId(14) }]);
    assert_eq!(caller.post("/conflicts/resolve", json!({ "ids": [1], "answer": "ask-again" })).await.0, 200);
    let (_, retried) = caller.post("/conflicts/1/retry", json!({})).await;
    assert_eq!(retried, json!({ "retried": 1, "waiting": false }));
    assert_eq!(caller.post("/conflicts/clear", json!({ "id": 1 })).await.1, json!({ "cleared": 1 }));
    assert_eq!(caller.post("/conflicts/clear", json!({ "server": 1 })).await.1, json!({ "cleared": 1 }));
}

#[tokio::test]
async fn long_work_is_a_job_to_ask_after() {
    let caller = caller().await;
    let bearer = format!("bearer {}", caller.key);
    let path = format!("{PATH}/servers/1/sync");
    let answer = caller.send(Method::POST, &path, Some(&bearer), "").await;
    assert_eq!((answer.status, answer.to.as_deref()), (StatusCode::ACCEPTED, Some("/api/v1/servers/1/job")));
    let told: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!((&told["task"], &told["started"]), (&json!("sync"), &json!(true)));
    let job = caller.browser.web.jobs.of(caller.server).unwrap();
    crate::web::live::finished(&job).await.unwrap();
    let ended = caller.get("/servers/1/job").await;
    assert_eq!(ended["state"], "failed", "there is no PBX: {ended}");
    assert!(ended["error"].as_str().unwrap().contains("PBX"), "{ended}");
}

#[tokio::test]
async fn a_run_is_undone_and_a_job_is_cancelled() {
    let caller = caller().await;
    let app = &caller.browser.web.app;
    let step = JournalRow {
        run: RunId(1),
        seq: 1,
        directory: caller.server,
        at_ms: NOW_MS,
        person: reconcile::PersonId::new("p1"),
        employee: Some(reconcile::EmployeeId(12)),
        side: Side::Pbx,
        what: What::Field(reconcile::Field::Mobile),
        cause: "directory-changed".to_owned(),
        before: json!(null),
        after: json!({ "raw": "79261234567" }),
        state: State::Intended,
        reserved_number: None,
        fingerprint: None,
        picture: None,
    };
    let holder = "test".to_owned();
    app.store.take_lease(caller.server, &holder, NOW_MS + 60_000, NOW_MS).await.unwrap();
    app.store.journal(&[step]).await.unwrap();
    let (status, told) = caller.post("/runs/1/undo", json!({ "steps": [99] })).await;
    assert_eq!(status, 422, "{told}");
    let (status, told) = caller.post("/runs/1/undo", json!({ "preview": true, "person": "p1" })).await;
    assert_eq!((status, &told["task"], &told["started"]), (202, &json!("preview"), &json!(true)), "{told}");
    let job = caller.browser.web.jobs.of(caller.server).unwrap();
    crate::web::live::finished(&job).await.unwrap();
    // It waits for whoever holds the lease.
    let (status, told) = caller.post("/runs/1/undo", json!({})).await;
    assert_eq!((status, &told["task"], &told["started"]), (202, &json!("undo"), &json!(true)), "{told}");
    assert_eq!(caller.post("/servers/1/job/cancel", json!({})).await.0, 200);
    let job = caller.browser.web.jobs.of(caller.server).unwrap();
    crate::web::live::finished(&job).await.unwrap();
    assert_eq!(caller.get("/servers/1/job").await["state"], "cancelled");
}

#[tokio::test]
async fn the_schedule_is_switched() {
    let caller = caller().await;
    let (_, on) = caller.call(Method::PUT, "/servers/1/schedule", "{\"automatic\":true}").await;
    assert!(on["automatic"] == true && on["next_ms"].is_i64(), "{on}");
    let (_, off) = caller.call(Method::PUT, "/servers/1/schedule", "{\"automatic\":false}").await;
    assert_eq!(off, caller.get("/servers/1/schedule").await);
    assert!(off["automatic"] == false && off["next_ms"].is_null(), "{off}");
}
