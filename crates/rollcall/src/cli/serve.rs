//! The web pages and the schedule, until somebody presses Ctrl-C.

use super::args::ServeArgs;
use super::output::{Cell, Ink, Out, Page, View};
use super::sandbox::interrupted;
use crate::app::App;
use crate::web::{ServeOptions, Serving, Tls, start};
use anyhow::Result;
use serde::Serialize;

pub async fn run(app: App, args: &ServeArgs, out: &Out) -> Result<u8> {
    let tls = args.tls_certificate.clone().zip(args.tls_key.clone());
    let options = ServeOptions {
        listen: args.listen,
        tls: tls.map(|(certificate, key)| Tls { certificate, key }),
        behind_proxy: args.behind_proxy,
    };
    let serving = start(app, &options).await?;
    out.show(&Served::of(&serving).await?)?;
    interrupted().await?;
    serving.stop().await?;
    Ok(0)
}

/// Where the pages are.
#[derive(Debug, Serialize)]
pub struct Served {
    pub url: String,
    /// Where the administrator is made, until there is one. Holds a key: only
    /// for whoever started this process.
    pub setup: Option<String>,
}

impl Served {
    pub async fn of(serving: &Serving) -> Result<Self> {
        let setup = match serving.web.needs_setup().await? {
            true => Some(format!("{}{}", serving.url, serving.web.setup_path())),
            false => None,
        };
        Ok(Served { url: serving.url.clone(), setup })
    }
}

impl View for Served {
    fn write(&self, page: &mut Page) {
        page.title("Rollcall is serving");
        page.facts([("pages", Cell::new(&self.url, Ink::Strong))]);
        page.gap();
        match &self.setup {
            Some(setup) => {
                page.say("The first time, open this address and choose login and password:", Ink::Plain);
                page.command(2, setup);
            }
            None => page.say("Ctrl-C ends it; what is on its way is brought to an end.", Ink::Dim),
        }
    }
}
