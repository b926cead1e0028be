//! The pictures of the documentation: every page of a synchronised company, in
//! both languages and themes, on a phone, a tablet and a desk. Made by
//! scripts/screenshots, not by the tests.

use super::site::at_a_new_site;
use super::window::Window;
use std::path::PathBuf;
use std::{env, fs};

const WIDTHS: [u32; 3] = [390, 1024, 1600];

#[test]
#[ignore = "makes files; scripts/screenshots runs it"]
fn pictures() {
    at_a_new_site(async |site, driver| {
        let window = driver.window(&site.serving.url).await;
        let album = Album::new();
        album.take(&window, "setup", site.serving.setup.as_deref().expect("a way in")).await;
        site.first_visit(&window).await;
        for (name, path) in [("first-steps", "/first-steps"), ("pbx", "/pbx")] {
            album.take(&window, name, path).await;
        }
        window.close().await;
    });
}

struct Album {
    dir: PathBuf,
    /// Of what is taken: all, or what is named.
    only: Option<String>,
}

impl Album {
    fn new() -> Self {
        let dir = PathBuf::from(env::var("ROLLCALL_PICTURES").expect("where the pictures go"));
        fs::create_dir_all(&dir).expect("a directory for the pictures");
        Album { dir, only: env::var("ROLLCALL_PICTURES_ONLY").ok() }
    }

    async fn take(&self, window: &Window, name: &str, path: &str) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only)) {
            return;
        }
        // Cookies belong to the page that is open.
        window.open(path).await;
        for (language, theme) in [("ru", "dark"), ("en", "light")] {
            for (cookie, value) in [("rollcall_language", language), ("rollcall_theme", theme)] {
                window.script(&format!("document.cookie = '{cookie}={value}; path=/'")).await;
            }
            for width in WIDTHS {
                window.resize(width, 900).await;
                window.open(path).await;
                let height = window.script("return document.documentElement.scrollHeight").await;
                let height = u32::try_from(height.as_u64().unwrap_or(900)).unwrap_or(900);
                window.resize(width, height.clamp(600, 3_000)).await;
                let picture = window.picture().await;
                let file = self.dir.join(format!("{name}-{language}-{theme}-{width}.png"));
                fs::write(file, picture).expect("room for a picture");
            }
        }
    }
}
