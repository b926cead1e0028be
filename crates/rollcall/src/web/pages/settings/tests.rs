use crate::cli::testing::{app, both_changed, link, server};
use crate::web::auth::{Account, tokens};
use crate::web::testing::{Answer, Browser};
use axum::http::StatusCode;
use secrecy::SecretString;
use std::path::Path;
use store::{By, RunNote, SecretOf};

const PASSWORD: &str = "correct horse battery";

async fn browser() -> Browser {
    let app = app();
    Account::set(&app, "admin", &SecretString::from(PASSWORD)).await.unwrap();
    Browser::new(app).await
}

/// Sends a form, and looks at the page it leads to.
async fn told(browser: &Browser, path: &str, form: &[(&str, &str)]) -> Answer {
    let answer = browser.post(path, form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.text);
    browser.get(&answer.to.unwrap()).await
}

async fn signs_in(browser: &Browser, login: &str, password: &str) -> bool {
    let form = [("login", login), ("password", password)];
    browser.post("/sign-in", &form).await.status == StatusCode::SEE_OTHER
}

#[tokio::test]
async fn login_and_password_change_only_with_the_old_one_and_others_are_signed_out() {
    let browser = browser().await;
    browser.web.sessions.begin("admin", false, "another").await.unwrap();
    let new = "another fine password";
    for form in [
        [("login", "root"), ("old", "wrong"), ("password", new), ("again", new)],
        [("login", "root"), ("old", PASSWORD), ("password", new), ("again", "something else")],
        [("login", "root"), ("old", PASSWORD), ("password", "short"), ("again", "short")],
    ] {
        let page = told(&browser, "/settings", &form).await;
        assert!(page.content().contains("class=\"note bad\""), "{form:?}");
    }
    assert!(signs_in(&browser, "admin", PASSWORD).await);
    let form = [("login", "root"), ("old", PASSWORD), ("password", new), ("again", new)];
    let page = told(&browser, "/settings", &form).await;
    assert!(page.content().contains("class=\"note good\""), "{}", page.content());
    assert_eq!(browser.web.sessions.all().await.unwrap().len(), 1, "only this one");
    let account = Account::of(&browser.web.app).await.unwrap().unwrap();
    assert!(account.is("root", &SecretString::from(new)).await.unwrap());
    assert!(!account.is("root", &SecretString::from(PASSWORD)).await.unwrap());
}

#[tokio::test]
async fn the_old_password_cannot_be_guessed_at_leisure() {
    let browser = browser().await;
    let wrong = [("login", "admin"), ("old", "wrong")];
    for _ in 0..crate::limits::SIGN_IN_TRIES {
        assert!(told(&browser, "/settings", &wrong).await.content().contains("is wrong"));
    }
    assert!(told(&browser, "/settings", &wrong).await.content().contains("Too many tries"));
}

#[tokio::test]
async fn the_pbx_lets_in_only_while_it_is_switched_on() {
    let browser = browser().await;
    let refused = told(&browser, "/settings/by-pbx", &[("on", "true")]).await;
    assert!(refused.content().contains("no PBX is set"), "{}", refused.content());
    let settings = pbx::Settings {
        url: "http://127.0.0.1".to_owned(),
        sign_in: pbx::SignIn::Local,
        trust: pbx::Trust::SystemRoots,
    };
    crate::cli::pbx::store(&browser.web.app, &settings, None).await.unwrap();
    told(&browser, "/settings/by-pbx", &[("on", "true")]).await;
    let by_pbx = async || Account::of(&browser.web.app).await.unwrap().unwrap().by_pbx;
    assert!(by_pbx().await);
    browser.web.sessions.begin("operator", true, "another").await.unwrap();
    told(&browser, "/settings/by-pbx", &[]).await;
    assert!(!by_pbx().await);
    let who: Vec<String> = browser.web.sessions.all().await.unwrap().into_iter().map(|s| s.row.who).collect();
    assert_eq!(who, ["admin"]);
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let browser = browser().await;
    for agent in ["one", "two", "<script>alert(1)</script>"] {
        browser.web.sessions.begin("admin", false, agent).await.unwrap();
    }
    let page = browser.get("/settings/sessions").await;
    assert_eq!(page.text.matches("this one").count(), 1);
    assert!(!page.text.contains("<script>alert") && page.text.contains("&#60;script&#62;"));
    let all = browser.web.sessions.all().await.unwrap();
    let other = all.iter().find(|session| session.row.agent == "one").unwrap();
    let after = told(&browser, "/settings/sessions/end", &[("id", &other.id)]).await;
    assert!(!after.content().contains(&other.id));
    told(&browser, "/settings/sessions/end-others", &[]).await;
    let left = browser.web.sessions.all().await.unwrap();
    assert_eq!((left.len(), &*left[0].row.agent), (1, "a browser"));
    told(&browser, "/settings/sessions/end", &[("id", &left[0].id)]).await;
    assert_eq!(browser.get("/settings").await.status, StatusCode::SEE_OTHER, "signed out");
}

#[tokio::test]
async fn a_token_is_shown_once_and_revoked() {
    let browser = browser().await;
    let page = told(&browser, "/settings/tokens", &[("name", "<b>monitoring")]).await;
    let key = page.text.split("<p class=\"mono\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(key.len(), 64);
    assert!(!page.text.contains("<b>monitoring"));
    let token = crate::web::auth::Token::find(&browser.web.app, &key).await.unwrap().unwrap();
    let again = browser.get("/settings/tokens").await;
    assert!(!again.text.contains(&key) && again.text.contains(&token.id), "shown once");
    let refused = told(&browser, "/settings/tokens", &[("name", " ")]).await;
    assert!(refused.content().contains("class=\"note bad\""));
    told(&browser, "/settings/tokens/revoke", &[("id", &token.id)]).await;
    assert_eq!(tokens::all(&browser.web.app).await.unwrap(), []);
}

#[tokio::test]
async fn the_program_is_tried_and_taken_back_but_never_chosen_here() {
    let browser = browser().await;
    let chosen = browser.post("/settings/notifications", &[("path", "/bin/sh")]).await;
    assert_eq!(chosen.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(crate::cycle::program(&browser.web.app).await.unwrap(), None);
    let nobody = told(&browser, "/settings/notifications/test", &[]).await;
    assert!(nobody.content().contains("class=\"note bad\""));

    let arguments = vec!["-c".to_owned(), "cat > /dev/null".to_owned()];
    let program = crate::cli::notify::named(Path::new("/bin/sh"), arguments).unwrap();
    crate::cycle::set_program(&browser.web.app, Some(&program)).await.unwrap();
    let tested = told(&browser, "/settings/notifications/test", &[]).await;
    assert!(tested.content().contains("/bin/sh has taken the notice"), "{}", tested.content());

    told(&browser, "/settings/notifications/off", &[]).await;
    assert_eq!(crate::cycle::program(&browser.web.app).await.unwrap(), None);
}

/// Whatever is secret, and whatever is somebody's.
#[tokio::test]
async fn a_support_bundle_names_nobody_and_holds_no_secret() {
    let browser = browser().await;
    let app = &browser.web.app;
    let id = server(app).await;
    let row = app.store.directories().await.unwrap().remove(0);
    app.store.put_directory(&row, Some(&SecretString::from("bind-secret"))).await.unwrap();
    let settings = pbx::Settings {
        url: "https://pbx.example.test".to_owned(),
        sign_in: pbx::SignIn::Login { login: "pbx-login".to_owned() },
        trust: pbx::Trust::SystemRoots,
    };
    crate::cli::pbx::store(app, &settings, Some(&SecretString::from("pbx-secret"))).await.unwrap();
    let token = crate::web::auth::Token::make(app, "token-name").await.unwrap();
    let people = [link("p-one", "Иванов Пётр", 12, "212"), link("p-two", "Müller, Jörg", 15, "0215")];
    app.store.agree(By::Hand(id), &[], &people).await.unwrap();
    app.store
        .sync_conflicts(By::Hand(id), 1, &[both_changed()], &std::collections::BTreeSet::new())
        .await
        .unwrap();
    let run = crate::cli::testing::start(app, id).await;
    let report = serde_json::json!({
        "directory": { "verdict": "partial", "reason": "Иванов Пётр (212, +7 926 123-45-67) was not found, 2120 were", "read": 3 },
        "error": "Müller, Jörg, uid=0215,ou=Склад,dc=example,dc=test: 79031112233 is refused",
    });
    let note = RunNote { outcome: store::Outcome::Failed, ended_ms: Some(2), plan_hash: None, report };
    app.store.note_run(run, &note).await.unwrap();

    let answer = browser.get("/settings/support.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    let text = &answer.text;
    let secrets = [
        "bind-secret",
        "pbx-secret",
        "pbx-login",
        PASSWORD,
        "argon2",
        secrecy::ExposeSecret::expose_secret(&token),
        "token-name",
        browser.cookie.split_once('=').unwrap().1,
    ];
    let people =
        ["Иванов", "Пётр", "Müller", "Jörg", "p-one", "212,", "0215", "uid=", "926 123", "79031112233"];
    for word in secrets.into_iter().chain(people) {
        assert!(!text.contains(word), "{word}: {text}");
    }
    // What helps is there.
    for word in [
        "\"rollcall\"",
        "\"schema\"",
        "both-changed open",
        "was not found, 2120 were",
        "is refused",
        "\"schedule\"",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(app.store.secret(SecretOf::Directory(id)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_pages_in_their_states() {
    let browser = browser().await;
    insta::assert_snapshot!("sign_in", browser.get("/settings").await.snapshot());
    insta::assert_snapshot!("notifications", browser.get("/settings/notifications").await.snapshot());
    insta::assert_snapshot!(
        "about",
        browser.get("/settings/about").await.snapshot().replace(env!("CARGO_PKG_VERSION"), "VERSION")
    );
    insta::assert_snapshot!("no_tokens", browser.get("/settings/tokens").await.snapshot());
    insta::assert_snapshot!("in_russian", browser.in_russian().get("/settings/sessions").await.snapshot());
}
