//! What the tests of pages start from: the router, without a server or a
//! browser, and somebody who is signed in.

mod browser;

pub use browser::{Answer, Browser};

use super::auth::{SESSION_COOKIE, Sessions};
use super::serve::router;
use super::{Web, set_account};
use crate::app::App;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use std::fmt;
use tower::ServiceExt;

const ANSWER_BYTES_MAX: usize = 16 << 20;

pub struct Site {
    pub web: Web,
    router: Router,
    session: String,
}

/// What a browser would get.
pub struct Shown {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Site {
    pub async fn of(app: App) -> Self {
        set_account(&app, "admin", &"correct-horse-battery".into()).await.unwrap();
        let session = Sessions::new(app.clone()).begin("admin", false, "").await.unwrap();
        let web = Web::new(app, false);
        Site { router: router(web.clone(), false), web, session }
    }

    pub async fn get(&self, path: &str) -> Shown {
        self.ask(Method::GET, path, &[(header::COOKIE.as_str(), &self.cookie())], "").await
    }

    /// In another language.
    pub async fn get_in(&self, language: &str, path: &str) -> Shown {
        let headers = [(header::COOKIE.as_str(), &*self.cookie()), ("accept-language", language)];
        self.ask(Method::GET, path, &headers, "").await
    }

    /// A part of a page, as its script asks for it.
    pub async fn get_part(&self, path: &str) -> Shown {
        let headers = [(header::COOKIE.as_str(), &*self.cookie()), ("x-part", "1")];
        self.ask(Method::GET, path, &headers, "").await
    }

    pub async fn post(&self, path: &str, form: &str) -> Shown {
        let kind = (header::CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded");
        let headers = [(header::COOKIE.as_str(), &*self.cookie()), kind, ("sec-fetch-site", "same-origin")];
        self.ask(Method::POST, path, &headers, form).await
    }

    /// As somebody who is not signed in.
    pub async fn get_as_stranger(&self, path: &str) -> Shown {
        self.ask(Method::GET, path, &[], "").await
    }

    fn cookie(&self) -> String {
        format!("{SESSION_COOKIE}={}", self.session)
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Shown {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "rollcall.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.unwrap().to_vec();
        Shown { status, headers, bytes }
    }
}

impl Shown {
    /// The text of a page that is there.
    pub fn text(&self) -> String {
        let text = String::from_utf8(self.bytes.clone()).unwrap();
        assert_eq!(self.status, StatusCode::OK, "{text}");
        text
    }

    /// What is in the frame, with every date of one zone only: for a snapshot.
    pub fn content(&self) -> String {
        let text = self.text();
        let (_, rest) = text.split_once("<main").expect("a page has a content");
        let (content, _) = rest.split_once("</main>").expect("a content ends");
        let (_, content) = content.split_once('>').expect("a tag ends");
        undated(content.trim())
    }

    /// Where it leads.
    pub fn leads_to(&self) -> &str {
        assert!(self.status.is_redirection(), "{}", self.status);
        self.headers[header::LOCATION].to_str().unwrap()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.bytes))
    }
}

/// Moments are shown in the zone of the machine.
fn undated(text: &str) -> String {
    const SHAPE: &str = "0000-00-00 00:00";
    let is_shape = |text: &[u8]| {
        text.len() >= SHAPE.len()
            && text.iter().zip(SHAPE.bytes()).all(|(c, shape)| match shape {
                b'0' => c.is_ascii_digit(),
                _ => *c == shape,
            })
    };
    let (mut left, mut undated) = (text, String::new());
    while let Some(c) = left.chars().next() {
        match is_shape(left.as_bytes()) {
            true => {
                undated.push_str("DAY TIME");
                left = &left[SHAPE.len()..];
            }
            false => {
                undated.push(c);
                left = &left[c.len_utf8()..];
            }
        }
    }
    undated
}
