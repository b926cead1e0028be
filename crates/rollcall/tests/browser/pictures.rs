//! The pictures of the documentation: every page of a synchronised company, in
//! both languages and themes, on a phone, a tablet and a desk. Made by
//! scripts/screenshots, not by the tests.

use super::support::Demo;
use super::window::{Driver, Window};
use std::path::PathBuf;
use std::{env, fs};
use tokio::runtime::Runtime;

/// Language, theme, widths. English comes last: what is read on the way is
/// English.
type Look = (&'static str, &'static str, &'static [u32]);
const FEW: [Look; 2] = [("ru", "dark", &[390]), ("en", "light", &[1024])];
const ALL: [Look; 4] = [
    ("ru", "light", &[390, 1024, 1600]),
    ("ru", "dark", &[390, 1024, 1600]),
    ("en", "dark", &[390, 1024, 1600]),
    ("en", "light", &[390, 1024, 1600]),
];

/// Every page of the company of the demonstration, after its week.
const PAGES: [(&str, &str); 18] = [
    ("first-steps", "/first-steps"),
    ("pbx", "/pbx"),
    ("servers", "/servers"),
    ("server-new", "/servers/new"),
    ("server-connection", "/servers/1"),
    ("server-attributes", "/servers/1/attributes"),
    ("server-limits", "/servers/1/limits"),
    ("request", "/servers/1/request"),
    ("synchronize", "/servers/1/synchronize"),
    ("employees", "/employees"),
    ("disabled", "/disabled"),
    ("conflicts", "/conflicts"),
    ("history", "/history"),
    ("run", "/history/3"),
    ("steps", "/history/3/steps"),
    ("settings", "/settings"),
    ("settings-tokens", "/settings/tokens"),
    ("server-remove", "/servers/1/remove"),
];

#[test]
#[ignore = "makes files; scripts/screenshots runs it"]
fn pictures() {
    let (demo, driver) = (Demo::start(), Driver::start());
    Runtime::new().expect("a runtime").block_on(async {
        let album = Album::new();
        let window = driver.window(&demo.url).await;
        album.take(&window, "sign-in", "/sign-in").await;
        window.open("/sign-in").await;
        window.fill("login", "admin").await;
        window.fill("password", "sandbox-password").await;
        window.press("Sign in").await;
        window.sees("Sign out").await;
        for (name, path) in PAGES {
            album.take(&window, name, path).await;
        }
        window.open("/servers/1/request").await;
        window.press_in("Far fewer people", "Run request").await;
        window.arrives("/servers/1/plans/").await;
        let plan = window.here().await;
        album.take(&window, "plan", &plan).await;
        window.open("/employees").await;
        window.press_css("tbody a").await;
        window.arrives("/employees/1/").await;
        let person = window.here().await;
        album.take(&window, "person", &person).await;
        window.close().await;
    });
}

struct Album {
    dir: PathBuf,
    /// Of what is taken: all, or what is named.
    only: Option<String>,
    looks: &'static [Look],
}

impl Album {
    fn new() -> Self {
        let dir = PathBuf::from(env::var("ROLLCALL_PICTURES").expect("where the pictures go"));
        fs::create_dir_all(&dir).expect("a directory for the pictures");
        let looks = if env::var_os("ROLLCALL_PICTURES_ALL").is_some() { &ALL[..] } else { &FEW };
        Album { dir, only: env::var("ROLLCALL_PICTURES_ONLY").ok(), looks }
    }

    async fn take(&self, window: &Window, name: &str, path: &str) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only)) {
            return;
        }
        // Cookies belong to the page that is open.
        window.open(path).await;
        for (language, theme, widths) in self.looks {
            for (cookie, value) in [("rollcall_language", language), ("rollcall_theme", theme)] {
                window.script(&format!("document.cookie = '{cookie}={value}; path=/'")).await;
            }
            for width in *widths {
                window.resize(*width, 900).await;
                window.open(path).await;
                let height = window.script("return document.documentElement.scrollHeight").await;
                let height = u32::try_from(height.as_u64().unwrap_or(900)).unwrap_or(900);
                window.resize(*width, height.clamp(600, 3_000)).await;
                let picture = window.picture().await;
                let file = self.dir.join(format!("{name}-{language}-{theme}-{width}.png"));
                fs::write(file, picture).expect("room for a picture");
            }
        }
    }
}
