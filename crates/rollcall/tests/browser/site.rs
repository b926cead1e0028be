//! The real binary serving its pages, with a company to synchronise.

use super::support::pbx::Pbx;
use super::support::{Rollcall, Serving};
use super::window::{Driver, Window};
use tokio::runtime::Runtime;

pub const LOGIN: &str = "admin";
pub const PASSWORD: &str = "correct-horse-battery";

/// Tells a story in a browser, at an installation where nothing is set up yet.
pub fn at_a_new_site(story: impl AsyncFnOnce(&Site, &Driver)) {
    // The sandbox has a runtime of its own: it begins and ends outside of this one.
    let (site, driver) = (Site::new(), Driver::start());
    Runtime::new().expect("a runtime").block_on(story(&site, &driver));
}

/// An installation that serves; it ends with this.
#[derive(Debug)]
pub struct Site {
    pub rollcall: Rollcall,
    pub pbx: Pbx,
    pub serving: Serving,
}

impl Site {
    /// Nothing is set up yet.
    pub fn new() -> Self {
        let (rollcall, pbx) = (Rollcall::new(), Pbx::start());
        let serving = rollcall.serve();
        Site { rollcall, pbx, serving }
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
