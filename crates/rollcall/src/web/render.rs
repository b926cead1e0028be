//! The frame around every page, and what templates say and show.

use super::Web;
use super::auth::Flash;
use super::lang::{Arg, Lang};
use super::problem::Problem;
use super::visit::{Theme, Visit};
use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use reconcile::guard::Tripped;
use serde::Serialize;
use store::Outcome;

/// The places of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nav {
    FirstSteps,
    Servers,
    Employees,
    Disabled,
    Conflicts,
    History,
    Settings,
}

impl Nav {
    const ALL: [(Nav, &'static str, &'static str); 7] = [
        (Nav::FirstSteps, "/first-steps", "nav-first-steps"),
        (Nav::Servers, "/servers", "nav-servers"),
        (Nav::Employees, "/employees", "nav-employees"),
        (Nav::Disabled, "/disabled", "nav-disabled"),
        (Nav::Conflicts, "/conflicts", "nav-conflicts"),
        (Nav::History, "/history", "nav-history"),
        (Nav::Settings, "/settings", "nav-settings"),
    ];
}

/// One line of the navigation.
#[derive(Debug)]
pub struct Link {
    pub href: &'static str,
    pub text: String,
    pub is_here: bool,
    /// How many there are to look at; 0 shows nothing.
    pub waiting: u64,
}

/// What the frame of a page shows, and the language of everything in it.
#[derive(Debug)]
pub struct Page {
    pub lang: Lang,
    pub theme: Theme,
    pub title: String,
    pub links: Vec<Link>,
    pub who: Option<String>,
    pub flash: Option<Flash>,
    pub here: String,
    /// Seconds after which a page that shows something live asks again, where
    /// there is no script.
    pub refresh: Option<u32>,
    now_ms: i64,
}

impl Page {
    /// The frame of a page for somebody who is signed in.
    pub async fn of(web: &Web, visit: &Visit, nav: Nav, title: impl Into<String>) -> Result<Self, Problem> {
        let counts = web.app.store.directory_counts().await?;
        let waiting = |nav| match nav {
            Nav::Conflicts => counts.values().map(|counts| counts.conflicts_open).sum(),
            Nav::Disabled => counts.values().map(|counts| counts.left).sum(),
            _ => 0,
        };
        let link = |(place, href, key): (Nav, &'static str, &'static str)| Link {
            href,
            text: visit.lang.say(key, &[]),
            is_here: place == nav,
            waiting: waiting(place),
        };
        Ok(Page {
            links: Nav::ALL.into_iter().map(link).collect(),
            who: visit.session.as_ref().map(|session| session.row.who.clone()),
            flash: web.sessions.told(visit.session.as_ref()),
            ..Page::outside(web, visit, title)
        })
    }

    /// The frame of a page for anybody.
    pub fn outside(web: &Web, visit: &Visit, title: impl Into<String>) -> Self {
        Page {
            lang: visit.lang,
            theme: visit.theme,
            title: title.into(),
            links: Vec::new(),
            who: None,
            flash: None,
            here: visit.here.clone(),
            refresh: None,
            now_ms: web.app.clock.now_ms(),
        }
    }

    pub fn t(&self, key: &str) -> String {
        self.lang.say(key, &[])
    }

    /// What an inner crate said, in the language of the page.
    pub fn told(&self, said: impl AsRef<str>) -> String {
        self.lang.told(said.as_ref())
    }

    /// A text with a number in it, which also chooses the plural form.
    pub fn n<'a>(&self, key: &str, n: impl Into<Arg<'a>>) -> String {
        self.lang.say(key, &[("n", n.into())])
    }

    pub fn with<'a>(&self, key: &str, name: &str, arg: impl Into<Arg<'a>>) -> String {
        self.lang.say(key, &[(name, arg.into())])
    }

    /// A word of a closed set, as `status-processed` says `processed`.
    pub fn word(&self, set: &str, word: impl std::fmt::Display) -> String {
        self.lang.say(&format!("{set}-{word}"), &[])
    }

    /// The same for what is known by the name it is stored under.
    pub fn named(&self, set: &str, value: &impl Serialize) -> String {
        let name = serde_json::to_value(value).ok();
        self.word(set, name.as_ref().and_then(|name| name.as_str()).unwrap_or_default())
    }

    /// `read employees` as a part of a key.
    pub fn slug(&self, text: &str) -> String {
        text.to_lowercase().replace(' ', "-")
    }

    /// Why the guard stopped a run.
    pub fn trip(&self, trip: &Tripped) -> String {
        let kind = self.named("guard", &trip.kind);
        let args = [
            ("kind", Arg::from(&kind)),
            ("people", trip.people.into()),
            ("recent", trip.recent.into()),
            ("limit", trip.limit.into()),
            ("linked", trip.linked.into()),
        ];
        self.lang.say("guard-trip", &args)
    }

    /// How many people a run may touch, as things are.
    pub fn limit_now(&self, linked: &u64, limit: &u64) -> String {
        self.lang.say("guard-now", &[("linked", linked.into()), ("limit", limit.into())])
    }

    /// A moment, to the minute, in this machine's time zone.
    pub fn when(&self, ms: &i64) -> String {
        when(*ms)
    }

    /// How long ago, in one unit; or how long until.
    pub fn ago(&self, ms: &i64) -> String {
        let (key, seconds) = match self.now_ms - ms {
            past if past >= 0 => ("ago", past / 1000),
            future => ("until", -future / 1000),
        };
        let (unit, n) = match seconds {
            0..60 => return self.t(if key == "ago" { "ago-now" } else { "until-now" }),
            60..3_600 => ("minutes", seconds / 60),
            3_600..86_400 => ("hours", seconds / 3_600),
            _ => ("days", seconds / 86_400),
        };
        self.n(&format!("{key}-{unit}"), n)
    }

    /// How long something took, in one or two units.
    pub fn took(&self, ms: i64) -> String {
        let seconds = ms / 1000;
        match seconds {
            0..60 => self.lang.say("took-seconds", &[("n", seconds.max(1).into())]),
            _ => {
                let args = [("m", (seconds / 60).into()), ("s", (seconds % 60).into())];
                self.lang.say("took-minutes", &args)
            }
        }
    }

    /// The colour of how a run ended.
    pub const fn tone(&self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Done => "good",
            Outcome::Partial | Outcome::Halted | Outcome::Cancelled | Outcome::Interrupted => "warn",
            Outcome::Failed => "bad",
            Outcome::Running => "accent",
        }
    }

    /// The colour of what became of a person.
    pub fn status_tone(&self, status: &str) -> &'static str {
        match status {
            "processed" => "good",
            "conflict" => "warn",
            "failed" => "bad",
            _ => "",
        }
    }

    /// The colour of what a plan does.
    pub fn kind_tone(&self, kind: &str) -> &'static str {
        match kind {
            "create" | "join" | "return" => "good",
            "update" | "write-back" => "accent",
            "conflict" | "disabled" | "unlink" => "warn",
            _ => "",
        }
    }

    /// A text as a value in an address.
    pub fn encoded(&self, text: &str) -> String {
        super::visit::encoded(text)
    }

    pub fn sum(&self, counts: &[(&'static str, u64)]) -> u64 {
        counts.iter().map(|(_, n)| n).sum()
    }

    /// Which rows of how many.
    pub fn shown_of(&self, pager: &Pager) -> String {
        let number = |n: u64| Arg::Number(i64::try_from(n).unwrap_or(i64::MAX));
        let args = [
            ("first", number(pager.first())),
            ("last", number(pager.last())),
            ("total", number(pager.total)),
        ];
        self.lang.say("pager", &args)
    }

    pub fn page_of(&self, pager: &Pager) -> String {
        let pages = i64::try_from(pager.pages()).unwrap_or(i64::MAX);
        self.lang.say("page-of", &[("page", pager.page.into()), ("pages", pages.into())])
    }

    pub fn assets(&self) -> &'static str {
        &super::assets::VERSION
    }

    pub fn languages(&self) -> Vec<Lang> {
        Lang::all().collect()
    }

    pub fn themes(&self) -> [Theme; 3] {
        Theme::ALL
    }
}

pub fn when(ms: i64) -> String {
    let zone = TimeZone::system();
    let moment = Timestamp::from_millisecond(ms).map(|time| zone.to_datetime(time));
    moment.map(|time| time.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// A template as an answer.
pub fn html(template: &impl Template) -> Result<Response, Problem> {
    Ok(Html(template.render()?).into_response())
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    p: Page,
    status: u16,
    text: &'a str,
}

/// A problem in the frame of a page.
pub fn problem(web: &Web, visit: &Visit, problem: &Problem) -> Response {
    let key = match problem.status.as_u16() {
        404 => "problem-not-found",
        422 => "problem-refused",
        403 => "problem-forbidden",
        _ => "problem-failed",
    };
    let mut p = Page::outside(web, visit, visit.lang.say(key, &[]));
    p.who = visit.session.as_ref().map(|session| session.row.who.clone());
    let page = ProblemPage { p, status: problem.status.as_u16(), text: &problem.text };
    match page.render() {
        Ok(text) => (problem.status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be shown");
            problem.status.into_response()
        }
    }
}

/// Which part of a list is shown.
#[derive(Clone, Copy, Debug)]
pub struct Pager {
    pub page: u32,
    pub rows: u32,
    pub total: u64,
}

impl Pager {
    pub const fn offset(page: u32, rows: u32) -> u32 {
        page.saturating_sub(1).saturating_mul(rows)
    }

    pub fn first(&self) -> u64 {
        if self.total == 0 { 0 } else { u64::from(Pager::offset(self.page, self.rows)) + 1 }
    }

    pub fn last(&self) -> u64 {
        (u64::from(Pager::offset(self.page, self.rows)) + u64::from(self.rows)).min(self.total)
    }

    pub fn pages(&self) -> u64 {
        self.total.div_ceil(u64::from(self.rows.max(1))).max(1)
    }

    pub const fn previous(&self) -> Option<u32> {
        if self.page > 1 { Some(self.page - 1) } else { None }
    }

    pub fn next(&self) -> Option<u32> {
        (u64::from(self.page) < self.pages()).then(|| self.page.saturating_add(1))
    }
}
