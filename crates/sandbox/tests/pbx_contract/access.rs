//! Sign-in, API keys, and the filter and limit before them.

use crate::{Bench, SECRET, error};
use http::Method;
use serde_json::{Value, json};

const NOT_AUTHENTICATED: &str = "The user isn't authenticated.";

async fn key(bench: &Bench, key: &str, more: Value) -> (u16, Value) {
    let mut body = json!({"key": key, "description": "test"});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    bench.post("api-keys", body).await
}

async fn sign_in(bench: &Bench) -> String {
    let (status, body) = bench.post("auth:login", json!({"login": "admin", "password": "admin"})).await;
    assert_eq!(status, 200);
    body["data"]["accessToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn localhost_needs_nothing_unless_it_sends_a_token() {
    let bench = Bench::new();
    assert_eq!(bench.get("employees").await.0, 200);
    assert_eq!(error(bench.remote().get("employees").await), (401, NOT_AUTHENTICATED.to_owned()));
    for (value, status) in [("Bearer bad", 401), ("Bearer", 200), ("Basic eDp5", 200), ("bearer bad", 200)] {
        assert_eq!(Bench::new().header("authorization", value).get("employees").await.0, status, "{value}");
    }
    assert_eq!(bench.remote().bearer("bad").get("system:ping").await.0, 200);
    assert_eq!(bench.remote().get("nosuch").await.0, 404);
    assert_eq!(bench.remote().get("auth:validateToken").await.0, 404);
}

#[tokio::test]
async fn a_token_outlives_what_it_says() {
    let bench = Bench::new();
    let token = sign_in(&bench.remote()).await;
    assert_eq!(token.split('.').count(), 3);
    bench.pass(1480);
    assert_eq!(bench.remote().bearer(&token).get("employees").await.0, 200);
    bench.pass(40);
    assert_eq!(bench.remote().bearer(&token).get("employees").await.0, 401);
    let forged = token.replace('.', "x.");
    assert_eq!(bench.remote().bearer(&forged).get("employees").await.0, 401);
}

#[tokio::test]
async fn a_refresh_token_stays_until_the_logout() {
    let bench = Bench::new();
    let login = json!({"login": "admin", "password": "admin"}).to_string();
    let answer = bench.raw(Method::POST, "/pbxcore/api/v3/auth:login", &login).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(cookie.len() > 100 && cookie.contains('%'), "{cookie}");
    let holder = bench.remote().header("cookie", &cookie);
    let mut token = String::new();
    for _ in 0..2 {
        let (status, body) = holder.post("auth:refresh", json!({})).await;
        assert_eq!(status, 200);
        body["data"]["accessToken"].as_str().unwrap().clone_into(&mut token);
    }
    assert_eq!(error(bench.remote().post("auth:refresh", json!({})).await).0, 401);
    assert_eq!(holder.post("auth:logout", json!({})).await.0, 401);
    let holder = holder.bearer(&token);
    assert_eq!(holder.post("auth:logout", json!({})).await.0, 200);
    assert_eq!(holder.post("auth:refresh", json!({})).await.0, 401);
    assert_eq!(holder.get("employees").await.0, 200);
}

#[tokio::test]
async fn ten_wrong_passwords_shut_the_right_one_out() {
    let bench = Bench::new();
    let remote = bench.remote();
    for _ in 0..10 {
        assert_eq!(remote.post("auth:login", json!({"login": "admin", "password": "x"})).await.0, 401);
    }
    let right = json!({"login": "admin", "password": "admin"});
    assert_eq!(remote.post("auth:login", right.clone()).await.0, 429);
    assert_eq!(bench.post("auth:login", right.clone()).await.0, 200);
    bench.pass(300);
    assert_eq!(remote.post("auth:login", right).await.0, 200);
}

#[tokio::test]
async fn keys_open_what_they_are_granted() {
    let bench = Bench::new();
    for (name, grants) in [
        ("read", json!({"allowed_paths": {"/api/v3/employees": "read"}})),
        ("write", json!({"allowed_paths": {"/api/v3/employees": "write", "/api/v3/extensions": "read"}})),
        ("full", json!({"full_permissions": true})),
        ("none", json!({})),
        ("list", json!({"allowed_paths": ["/api/v3/employees"]})),
        ("bound", json!({"full_permissions": true, "networkfilterid": "1"})),
        ("local", json!({"full_permissions": true, "networkfilterid": "localhost"})),
    ] {
        assert_eq!(key(&bench, name, grants).await.0, 201, "{name}");
    }
    let as_key = |name: &str| bench.remote().bearer(name);
    for (name, list, patch, available) in [
        ("read", 200, 401, 401),
        ("write", 200, 200, 401),
        ("full", 200, 200, 200),
        ("none", 401, 401, 401),
        ("list", 401, 401, 401),
        ("bound", 401, 401, 401),
        ("local", 200, 200, 200),
        ("unknown", 401, 401, 401),
    ] {
        let holder = as_key(name);
        assert_eq!(holder.get("employees/111").await.0, list, "{name}");
        assert_eq!(holder.patch(111, json!({})).await.0, patch, "{name}");
        assert_eq!(
            holder.post("extensions:available", json!({"number": "299"})).await.0,
            available,
            "{name}"
        );
    }
    let (_, body) = bench.get("api-keys").await;
    let row = body["data"].as_array().unwrap().iter().find(|row| row["id"] == "5").unwrap();
    assert_eq!(row["allowed_paths_count"], 0);
    let listed = json!({"description": "write", "allowed_paths": ["/api/v3/employees"]}).to_string();
    let (status, body) = bench.call(Method::PATCH, "api-keys/2", &listed).await;
    assert_eq!((status, &body["data"]["allowed_paths"]), (200, &json!([])));
    // A restricted key is restricted on localhost too.
    let local = Bench { headers: as_key("read").headers, ..bench.remote() };
    let local = Bench { client: sandbox::pbx::Client::Local, ..local };
    assert_eq!(local.patch(111, json!({})).await.0, 401);
    // A single setting cannot be granted.
    assert_eq!(as_key("full").get("general-settings/PBXInternalExtensionLength").await.0, 200);
    let grant = json!({"allowed_paths": {"/api/v3/general-settings": "read"}});
    assert_eq!(key(&bench, "setting", grant).await.0, 201);
    assert_eq!(as_key("setting").get("general-settings/PBXInternalExtensionLength").await.0, 401);
}

#[tokio::test]
async fn keys_are_checked_when_they_are_stored() {
    let bench = Bench::new();
    let (status, body) = bench.post("api-keys", json!({"full_permissions": true})).await;
    assert_eq!((status, &body["messages"]["error"]["description"]), (422, &json!("Description is required")));
    let (status, text) =
        error(key(&bench, "k", json!({"allowed_paths": {"/api/v3/employees": "admin"}})).await);
    assert_eq!((status, text.starts_with("Invalid permission at path")), (422, true));
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(bench.call(method, "api-keys/999999", r#"{"description":"x"}"#).await.0, 404);
    }
    assert_eq!(bench.get("api-keys/999999").await.0, 422);
    let (_, body) = bench.post("api-keys:generateKey", json!({})).await;
    assert_eq!(body["data"]["key"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn verdicts_over_keys_are_stale() {
    let bench = Bench::new();
    let late = bench.remote().bearer("late");
    assert_eq!(late.get("employees").await.0, 401);
    assert_eq!(key(&bench, "late", json!({"full_permissions": true})).await.0, 201);
    bench.pass(59);
    assert_eq!(late.get("employees").await.0, 401);
    bench.pass(1);
    assert_eq!(late.get("employees").await.0, 200);
    assert_eq!(bench.delete("api-keys/1").await.0, 200);
    bench.pass(299);
    assert_eq!(late.get("employees").await.0, 200);
    bench.pass(1);
    assert_eq!(late.get("employees").await.0, 401);
    bench.set("pbx.key-cache=0");
    key(&bench, "late", json!({"full_permissions": true})).await;
    bench.pass(60);
    assert_eq!(late.get("employees").await.0, 200);
    bench.delete("api-keys/2").await;
    bench.pass(300);
    assert_eq!(late.get("employees").await.0, 401);
}

#[tokio::test]
async fn a_remote_address_has_two_hundred_requests_a_minute() {
    let bench = Bench::new();
    let remote = bench.remote();
    for _ in 0..200 {
        assert_eq!(remote.get("system:ping").await.0, 200);
    }
    let limited = remote.raw(Method::GET, "/pbxcore/api/v3/system:ping", "").await;
    assert_eq!((limited.status().as_u16(), limited.body().as_ref()), (429, &b"Too many requests\n"[..]));
    assert_eq!(limited.headers().get("retry-after"), None);
    assert_eq!(remote.raw(Method::GET, "/avatars/user_110.jpg", "").await.status(), 200);
    bench.pass(299);
    assert_eq!(remote.get("system:ping").await.0, 429);
    bench.pass(1);
    assert_eq!(remote.get("system:ping").await.0, 200);
    assert_eq!(bench.get("employees").await.0, 200);
}

#[tokio::test]
async fn the_filter_spares_large_bodies_and_localhost() {
    let bench = Bench::new();
    let token = sign_in(&bench).await;
    let remote = bench.remote().bearer(&token);
    let body = json!({"number": "310", "user_username": "Select them from here", "sip_secret": SECRET});
    let answer = remote.raw(Method::POST, "/pbxcore/api/v3/employees", &body.to_string()).await;
    assert_eq!(
        (answer.status().as_u16(), answer.body().as_ref()),
        (403, &b"Security violation detected\n"[..])
    );
    let mut large = body.clone();
    large["padding"] = json!("x".repeat(65_536));
    assert_eq!(remote.post("employees", large).await.0, 201);
    assert_eq!(bench.patch(113, json!({"sip_secret": "a1=1bCdef!23x"})).await.0, 200);
}
