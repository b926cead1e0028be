//! What stands before the pages, as a browser, a stranger and a proxy meet it:
//! the real binary, over real sockets.

mod support;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response};
use std::fs;
use support::{Rollcall, Serving};
use tokio::runtime::Runtime;

const LOGIN: &str = "login=admin&password=correct-horse-battery";

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("a client")
}

fn told(story: impl AsyncFnOnce()) {
    Runtime::new().expect("a runtime").block_on(story());
}

fn form(request: RequestBuilder, body: &str) -> RequestBuilder {
    request.header("content-type", "application/x-www-form-urlencoded").body(body.to_owned())
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().expect("text")).unwrap_or_default()
}

/// Becomes the administrator; the session's cookie.
async fn first_visit(client: &Client, serving: &Serving) -> String {
    let setup = serving.setup.as_deref().expect("nobody was there before");
    let (url, key) = setup.split_once("?key=").expect("a key");
    let body = format!("key={key}&{LOGIN}&again=correct-horse-battery");
    let response = sent(form(client.post(url), &body)).await;
    assert_eq!((response.status().as_u16(), header(&response, "location")), (303, "/first-steps"));
    header(&response, "set-cookie").split(';').next().expect("a cookie").to_owned()
}

const PAGES: [&str; 29] = [
    "/employees",
    "/employees/1/somebody",
    "/employees/1/somebody/photo",
    "/disabled",
    "/disabled/disabled.csv",
    "/history",
    "/history/1",
    "/history/1/steps",
    "/conflicts",
    "/settings",
    "/settings/sessions",
    "/settings/tokens",
    "/settings/notifications",
    "/settings/about",
    "/settings/support.json",
    "/first-steps",
    "/pbx",
    "/servers",
    "/servers/new",
    "/servers/1",
    "/servers/1/tree",
    "/servers/1/attributes",
    "/servers/1/limits",
    "/servers/1/request",
    "/servers/1/synchronize",
    "/servers/1/job",
    "/servers/1/job/events",
    "/servers/1/plans/abc",
    "/servers/1/plans/abc/plan.csv",
];
const ACTIONS: [&str; 23] = [
    "/history/1/undo",
    "/conflicts/answer",
    "/conflicts/clear",
    "/settings",
    "/settings/by-pbx",
    "/settings/sessions/end",
    "/settings/sessions/end-others",
    "/settings/tokens",
    "/settings/tokens/revoke",
    "/settings/notifications/off",
    "/settings/notifications/test",
    "/pbx",
    "/pbx/test",
    "/servers/1",
    "/servers/1/automatic",
    "/servers/1/pause",
    "/servers/1/duplicate",
    "/servers/1/remove",
    "/servers/1/request",
    "/servers/1/synchronize",
    "/servers/1/job/cancel",
    "/servers/1/plans/abc/apply",
    "/sign-out",
];

#[test]
fn a_stranger_sees_nothing_and_changes_nothing() {
    let rollcall = Rollcall::new();
    let serving = rollcall.serve();
    told(async || {
        let client = client();
        let url = |path: &str| format!("{}{path}", serving.url);
        first_visit(&client, &serving).await;
        for page in PAGES {
            let response = sent(client.get(url(page))).await;
            let to = header(&response, "location").to_owned();
            assert!(response.status() == 303 && to.starts_with("/sign-in?then=%2F"), "{page}: {to}");
            assert_eq!(response.text().await.expect("text"), "", "{page}");
        }
        for action in ACTIONS {
            let response = sent(form(client.post(url(action)), "url=http://127.0.0.1")).await;
            assert_eq!(
                (response.status().as_u16(), header(&response, "location")),
                (303, "/sign-in"),
                "{action}"
            );
        }
        // A made-up or a foreign session is none.
        let cookie = format!("rollcall_session={}", "0".repeat(64));
        let response = sent(client.get(url("/servers")).header("cookie", cookie)).await;
        assert_eq!(response.status(), 303);
        // What must be open is.
        assert_eq!(sent(client.get(url("/healthz"))).await.text().await.expect("text"), "ok\n");
        assert_eq!(sent(client.get(url("/readyz"))).await.text().await.expect("text"), "ready\n");
    });
    assert!(!rollcall.run(["pbx", "show"]).stdout.contains("http"), "a stranger set the PBX");
}

#[test]
fn another_site_cannot_click_for_who_is_signed_in() {
    let rollcall = Rollcall::new();
    let serving = rollcall.serve();
    told(async || {
        let client = client();
        let cookie = first_visit(&client, &serving).await;
        let post = |path: &str| {
            let request = client.post(format!("{}{path}", serving.url)).header("cookie", &cookie);
            form(request, "url=http%3A%2F%2F127.0.0.1%3A1&sign_in=local&trust=system")
        };
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let response = sent(post("/pbx").header(name, value)).await;
            assert_eq!(response.status(), 403, "{name}: {value}");
            assert!(response.text().await.expect("text").contains("came from another site"));
        }
        assert_ne!(rollcall.run(["pbx", "show"]).code, Some(0), "another site set the PBX");
        let response = sent(post("/pbx").header("sec-fetch-site", "same-origin")).await;
        assert_eq!(response.status(), 200);
        assert_eq!(rollcall.run(["pbx", "show"]).code, Some(0));
    });
}

#[test]
fn every_answer_is_protected() {
    let rollcall = Rollcall::new();
    let serving = rollcall.serve();
    told(async || {
        let client = client();
        let cookie = first_visit(&client, &serving).await;
        for path in [
            "/",
            "/servers",
            "/sign-in",
            "/nowhere",
            "/assets/x/rollcall.css",
            "/assets/x/../../Cargo.toml",
            "/healthz",
            "/servers/nonsense",
            "/servers/9999",
            "/first-steps",
        ] {
            let request = client.get(format!("{}{path}", serving.url)).header("cookie", &cookie);
            let response = sent(request).await;
            let policy = header(&response, "content-security-policy").to_owned();
            assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header(&response, "x-frame-options"), "DENY", "{path}");
            if !path.starts_with("/assets") {
                assert_eq!(header(&response, "cache-control"), "no-store", "{path}");
            }
            let page = response.text().await.expect("text");
            assert!(
                !page.contains("<style") && !page.contains(" style=") && !page.contains("<script>"),
                "{path}"
            );
            assert!(!page.contains(" onclick=") && !page.contains("javascript:"), "{path}");
        }
        let big = "x".repeat(2 * rollcall::limits::BODY_BYTES_MAX);
        let request = client.post(format!("{}/pbx", serving.url)).header("cookie", &cookie);
        assert_eq!(sent(form(request, &big)).await.status(), 413);
        // What is typed into an address comes back as text.
        let request =
            client.get(format!("{}/sign-in?then=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E", serving.url));
        assert!(!sent(request).await.text().await.expect("text").contains("<script>alert"));
    });
}

#[test]
fn beyond_this_machine_only_over_tls() {
    let rollcall = Rollcall::new();
    let output = rollcall.run(["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains("--tls-certificate"), "{output:?}");

    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let made = made.expect("a certificate");
    let certificate = rollcall.file("cert.pem", &made.cert.pem());
    let key = rollcall.file("key.pem", &made.signing_key.serialize_pem());
    let swapped =
        rollcall.run(["serve", "--tls-certificate", &key.display().to_string(), "--tls-key", "/nowhere"]);
    assert_eq!(swapped.code, Some(2), "{swapped:?}");

    let options = ["--tls-certificate".into(), certificate.clone(), "--tls-key".into(), key];
    let serving = rollcall.serve_with(&options);
    assert!(serving.url.starts_with("https://"), "{}", serving.url);
    told(async || {
        let root = Certificate::from_pem(&fs::read(&certificate).expect("a file")).expect("PEM");
        let client =
            Client::builder().redirect(Policy::none()).tls_certs_only([root]).build().expect("a client");
        let setup = serving.setup.as_deref().expect("a way in");
        let (url, key) = setup.split_once("?key=").expect("a key");
        // A stranger who begins a handshake and stays silent holds nobody up.
        let _silent = tokio::net::TcpStream::connect(serving.url.trim_start_matches("https://")).await;
        let body = format!("key={key}&{LOGIN}&again=correct-horse-battery");
        let response = sent(form(client.post(url), &body)).await;
        let cookie = header(&response, "set-cookie");
        assert!(
            cookie.contains("; Secure") && cookie.contains("; HttpOnly") && cookie.contains("SameSite=Lax")
        );
        assert!(header(&response, "strict-transport-security").contains("max-age"));
    });
}

#[test]
fn a_proxy_says_who_guesses() {
    let rollcall = Rollcall::new();
    let serving = rollcall.serve_with(&["--behind-proxy"]);
    told(async || {
        let client = client();
        first_visit(&client, &serving).await;
        let guess = async |from: &str, body: &str| {
            let request = client.post(format!("{}/sign-in", serving.url)).header("x-forwarded-for", from);
            let response = sent(form(request, body)).await;
            (response.status().as_u16(), response.text().await.expect("text"))
        };
        for _ in 0..rollcall::limits::SIGN_IN_TRIES {
            assert!(guess("10.0.0.1", "login=admin&password=guess").await.1.contains("wrong"));
        }
        assert!(guess("10.0.0.1", LOGIN).await.1.contains("Too many tries"));
        // Whatever a browser writes itself stands before what the proxy adds.
        assert!(guess("10.0.0.9, 10.0.0.1", LOGIN).await.1.contains("Too many tries"));
        assert_eq!(guess("10.0.0.2", LOGIN).await.0, 303, "others are not touched");
    });
}
