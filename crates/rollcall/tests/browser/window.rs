//! A window of a real browser: headless Chromium, driven as a human would, by
//! what is written on the page. Whatever is not there within a while, and any
//! error on the console, fails the test.

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a page may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long browsers may take to end.
const FAREWELL: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// chromedriver, and with it every window, ends when this is dropped.
#[derive(Debug)]
pub struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    pub fn start() -> Self {
        let process = Command::new("chromedriver")
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut process = process.expect("chromedriver is installed: scripts/test does it");
        let said = BufReader::new(process.stdout.take().expect("its output is piped"));
        let port = said.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        Driver { process, url: format!("http://127.0.0.1:{}", port.expect("chromedriver says its port")) }
    }

    /// A browser of its own, with nothing remembered.
    pub async fn window(&self, site: &str) -> Window {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--force-prefers-reduced-motion",
            "--lang=en",
            "--accept-lang=en",
            "--window-size=1024,900",
        ];
        let wanted = json!({
            "goog:chromeOptions": { "args": args },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let wanted = wanted.as_object().cloned().expect("an object");
        let mut builder = ClientBuilder::rustls().expect("the system has certificates");
        let client = builder.capabilities(wanted).connect(&self.url).await.expect("a browser");
        Window { client, driver: self.url.clone(), site: site.to_owned() }
    }
}

/// Killed outright it would leave its browsers behind.
impl Drop for Driver {
    fn drop(&mut self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        if let Ok(mut socket) = TcpStream::connect(&address) {
            let _ = write!(socket, "GET /shutdown HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            let begun = Instant::now();
            while begun.elapsed() < FAREWELL && matches!(self.process.try_wait(), Ok(None)) {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Clone, Debug)]
pub struct Window {
    pub client: Client,
    driver: String,
    site: String,
}

impl Window {
    pub async fn open(&self, path: &str) {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.site) };
        self.client.goto(&url).await.expect("an address");
    }

    /// Path and query of where the browser is.
    pub async fn here(&self) -> String {
        let url = self.client.current_url().await.expect("an address");
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", url.path())
    }

    /// Everything that is written on the page.
    pub async fn text(&self) -> String {
        self.part("body").await
    }

    /// What is written in the first part like this.
    pub async fn part(&self, css: &str) -> String {
        let mut last = String::new();
        self.until(&format!("a part {css}"), async || {
            last = self.client.find(Locator::Css(css)).await.ok()?.text().await.ok()?;
            Some(last.clone())
        })
        .await
    }

    /// Waits until this is written on the page.
    pub async fn sees(&self, text: &str) {
        self.until(&format!("the text `{text}`"), async || {
            self.client.find(Locator::Css("body")).await.ok()?.text().await.ok()?.contains(text).then_some(())
        })
        .await;
    }

    /// Waits until this is written in a part of the page.
    pub async fn sees_in(&self, css: &str, text: &str) {
        self.until(&format!("`{text}` in {css}"), async || {
            for element in self.client.find_all(Locator::Css(css)).await.ok()? {
                if element.text().await.is_ok_and(|said| said.contains(text)) {
                    return Some(());
                }
            }
            None
        })
        .await;
    }

    pub async fn sees_not(&self, text: &str) {
        let page = self.text().await;
        assert!(!page.contains(text), "`{text}` is written on {}:\n{page}", self.here().await);
    }

    /// Waits until the browser is there.
    pub async fn arrives(&self, path: &str) {
        self.until(&format!("the page {path}"), async || self.here().await.starts_with(path).then_some(()))
            .await;
    }

    /// Presses the first button or link that says this.
    pub async fn press(&self, name: &str) {
        let name = quoted(name);
        let says =
            format!("normalize-space(.)={name} or @aria-label={name} or normalize-space(@value)={name}");
        let path = format!("(//button[{says}] | //a[{says}] | //summary[{says}])");
        self.until(&format!("a button or link {name}"), async || {
            let found = self.client.find_all(Locator::XPath(&path)).await.ok()?;
            for element in found {
                if element.is_displayed().await.unwrap_or(false) && click(&element).await.is_ok() {
                    return Some(());
                }
            }
            None
        })
        .await;
    }

    /// Presses a button within the smallest part of the page that says something.
    pub async fn press_in(&self, part: &str, name: &str) {
        let (part, name) = (quoted(part), quoted(name));
        let says = format!("[self::button or self::a or self::summary][normalize-space(.)={name}]");
        self.until(&format!("{name} at {part}"), async || {
            for kind in ["tr", "li", "form", "article", "section"] {
                let path = format!("//{kind}[contains(., {part})]//*{says}");
                for element in self.client.find_all(Locator::XPath(&path)).await.ok()? {
                    if element.is_displayed().await.unwrap_or(false) && click(&element).await.is_ok() {
                        return Some(());
                    }
                }
            }
            None
        })
        .await;
    }

    /// Presses a button in the row of a list that is somebody's.
    pub async fn press_in_row(&self, person: &str, name: &str) {
        let (row, name) = (row_of(person), quoted(name));
        let path = format!("{row}//button[normalize-space(.)={name} or @aria-label={name}]");
        self.until(&format!("{name} in the row of {person}"), async || {
            let found = self.client.find(Locator::XPath(&path)).await.ok()?;
            click(&found).await.ok()
        })
        .await;
    }

    /// Fills in a field in the row of a list that is somebody's.
    pub async fn fill_in_row(&self, person: &str, name: &str, value: &str) {
        let path = format!("{}//input[@name='{name}']", row_of(person));
        self.until(&format!("{name} in the row of {person}"), async || {
            let field = self.client.find(Locator::XPath(&path)).await.ok()?;
            field.clear().await.ok()?;
            field.send_keys(value).await.ok()
        })
        .await;
    }

    pub async fn tick_in_row(&self, person: &str, name: &str) {
        let path = format!("{}//input[@name='{name}']", row_of(person));
        self.until(&format!("{name} in the row of {person}"), async || {
            let found = self.client.find(Locator::XPath(&path)).await.ok()?;
            click(&found).await.ok()
        })
        .await;
    }

    pub async fn press_css(&self, css: &str) {
        let element = self.element(css).await;
        click(&element).await.unwrap_or_else(|error| panic!("{css} cannot be pressed: {error}"));
    }

    /// Fills in a field by its name.
    pub async fn fill(&self, name: &str, value: &str) {
        let element = self.element(&format!("main [name='{name}']:not([type=hidden])")).await;
        element.clear().await.expect("a field");
        element.send_keys(value).await.expect("a field");
    }

    pub async fn choose(&self, name: &str, value: &str) {
        let element = self.element(&format!("select[name='{name}']")).await;
        element.select_by_value(value).await.unwrap_or_else(|error| panic!("{name}={value}: {error}"));
    }

    pub async fn tick(&self, css: &str) {
        let element = self.element(css).await;
        click(&element).await.expect("a box to tick");
    }

    pub async fn element(&self, css: &str) -> Element {
        self.until(&format!("an element {css}"), async || self.client.find(Locator::Css(css)).await.ok())
            .await
    }

    pub async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.map(|found| found.len()).unwrap_or(0)
    }

    pub async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("a script")
    }

    /// Says yes to a question of the page.
    pub async fn confirm(&self) {
        self.until("a question", async || self.client.accept_alert().await.ok()).await;
    }

    pub async fn resize(&self, width: u32, height: u32) {
        self.client.set_window_size(width, height).await.expect("a window");
    }

    pub async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.expect("a picture")
    }

    /// Ends, and insists that nothing was on the console: no error of a script,
    /// no breach of the content policy.
    pub async fn close(self) {
        let said = self.console().await;
        assert!(said.is_empty(), "on the console: {said:#?}");
        self.client.close().await.expect("an end");
    }

    /// What was said on the console since it was asked last. An answer with a
    /// status of refusal is noted there as well, and is no error of the page.
    pub async fn console(&self) -> Vec<String> {
        let session = self.client.session_id().await.ok().flatten().expect("a session");
        let url = format!("{}/session/{session}/se/log", self.driver);
        let body = json!({ "type": "browser" }).to_string();
        let answer = reqwest::Client::new().post(url).body(body).send().await.expect("chromedriver answers");
        let answer: Value = answer.json().await.expect("JSON");
        let entries = answer["value"].as_array().cloned().unwrap_or_default();
        let told = entries.into_iter().filter(|entry| {
            let text = entry["message"].as_str().unwrap_or_default();
            !text.contains("the server responded with a status of")
        });
        told.map(|entry| entry.to_string()).collect()
    }

    async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if begun.elapsed() > PATIENCE {
                let page = match self.client.find(Locator::Css("body")).await {
                    Ok(body) => body.text().await.unwrap_or_default(),
                    Err(error) => error.to_string(),
                };
                panic!("{what} is not there, at {}:\n{page}", self.here().await);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

async fn click(element: &Element) -> Result<(), CmdError> {
    element.click().await
}

fn row_of(person: &str) -> String {
    format!("//tr[td/strong[normalize-space(.)={}]]", quoted(person))
}

/// A text in an XPath, whatever quotes are in it.
fn quoted(text: &str) -> String {
    match text.contains('\'') {
        true => format!("\"{text}\""),
        false => format!("'{text}'"),
    }
}
