//! The real binary serving its pages, with a company to synchronise.

use super::support::office::Office;
use super::support::pbx::Pbx;
use super::support::{Rollcall, Serving};
use super::window::{Driver, Window};
use tokio::runtime::Runtime;

pub const LOGIN: &str = "admin";
pub const PASSWORD: &str = "correct-horse-battery";

/// Tells a story in a browser, at an installation where nothing is set up yet.
pub fn at_a_new_site(story: impl AsyncFnOnce(&Site, &Driver)) {
    tell(&Site::new(), story);
}

/// The same where both sides are known already, and never synchronised.
pub fn at_an_office(people: usize, story: impl AsyncFnOnce(&Site, &Driver)) {
    tell(&Site::at(Office::new(people)), story);
}

/// The same where Rollcall knows neither side yet.
pub fn at_an_unknown_office(people: usize, story: impl AsyncFnOnce(&Site, &Driver)) {
    tell(&Site::at(Office::unknown(people)), story);
}

/// The sandbox has a runtime of its own: it begins and ends outside of this one.
fn tell(site: &Site, story: impl AsyncFnOnce(&Site, &Driver)) {
    let driver = Driver::start();
    Runtime::new().expect("a runtime").block_on(story(site, &driver));
}

/// An installation that serves; it ends with this.
pub struct Site {
    pub serving: Serving,
    company: Company,
}

/// Whom it serves.
enum Company {
    /// Nothing is set up, but there is a PBX.
    None {
        pbx: Box<Pbx>,
        _rollcall: Rollcall,
    },
    Office(Box<Office>),
}

impl Site {
    fn new() -> Self {
        let (rollcall, pbx) = (Rollcall::new(), Box::new(Pbx::start()));
        Site { serving: rollcall.serve(), company: Company::None { pbx, _rollcall: rollcall } }
    }

    fn at(office: Office) -> Self {
        Site { serving: office.rollcall.serve(), company: Company::Office(Box::new(office)) }
    }

    pub fn office(&self) -> &Office {
        match &self.company {
            Company::Office(office) => office,
            Company::None { .. } => panic!("nothing is set up here"),
        }
    }

    pub fn pbx(&self) -> &Pbx {
        match &self.company {
            Company::Office(office) => &office.pbx,
            Company::None { pbx, .. } => pbx,
        }
    }

    /// Makes the administrator, as the first visit does.
    pub async fn first_visit(&self, window: &Window) {
        window.open(self.serving.setup.as_deref().expect("nobody was there before")).await;
        window.fill("login", LOGIN).await;
        window.fill("password", PASSWORD).await;
        window.fill("again", PASSWORD).await;
        window.press("Begin").await;
        window.arrives("/first-steps").await;
    }

    pub async fn sign_in(&self, window: &Window) {
        window.open("/sign-in").await;
        window.fill("login", LOGIN).await;
        window.fill("password", PASSWORD).await;
        window.press("Sign in").await;
        window.sees("Sign out").await;
    }
}
