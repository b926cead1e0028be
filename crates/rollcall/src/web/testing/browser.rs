//! A browser that is signed in, for tests of what is answered and sent.

use crate::app::App;
use crate::web::Web;
use crate::web::auth::SESSION_COOKIE;
use crate::web::doors::Peer;
use crate::web::serve::router;
use crate::web::visit::{LANG_COOKIE, encoded};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use std::net::IpAddr;
use tower::ServiceExt;

pub struct Browser {
    pub web: Web,
    pub cookie: String,
    router: Router,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub to: Option<String>,
    pub challenge: Option<String>,
    pub text: String,
}

impl Browser {
    pub async fn new(app: App) -> Self {
        let web = Web::new(app, false);
        let key = web.sessions.begin("admin", false, "a browser").await.unwrap();
        let cookie = format!("{SESSION_COOKIE}={key}");
        Browser { router: router(web.clone(), false), cookie, web }
    }

    pub fn in_russian(mut self) -> Self {
        self.cookie.push_str(&format!("; {LANG_COOKIE}=ru"));
        self
    }

    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, &self.cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// What a form sends, and what the page it leads to says.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(pairs.join("&"))).unwrap()).await
    }

    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(Peer(IpAddr::from([127, 0, 0, 1]))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let said = |name| response.headers().get(name).map(|text| text.to_str().unwrap().to_owned());
        let (to, challenge) = (said(header::LOCATION), said(header::WWW_AUTHENTICATE));
        let body = axum::body::to_bytes(response.into_body(), 16 << 20).await.unwrap();
        Answer { status, to, challenge, text: String::from_utf8_lossy(&body).into_owned() }
    }
}

impl Answer {
    /// What the page says: from its heading on, without the frame.
    pub fn content(&self) -> &str {
        let from = self.text.find("<main").unwrap_or_default();
        let to = self.text.find("</main>").unwrap_or(self.text.len());
        &self.text[from..to]
    }

    /// The same without what the time zone of this machine says.
    pub fn snapshot(&self) -> String {
        let mut parts = self.content().split("<time title=\"");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + "<time title=\"…" + part.trim_start_matches(|c| c != '"'))
    }
}
