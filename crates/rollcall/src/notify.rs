//! Telling somebody who is not looking: a program of the administrator's gets
//! one JSON object on its standard input and does with it what it likes.
//!
//! Deliberately absent: a shell. The program is started as it was named.

use crate::limits;
use anyhow::{Context, Result, anyhow};
use effects::BoxFuture;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Starts programs, so that a simulation can do without.
pub trait Notify: Send + Sync + fmt::Debug {
    /// Hands the text to the program and waits until it has taken it.
    fn tell<'a>(&'a self, program: &'a Program, text: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// What to start, and with which arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    pub path: String,
    pub arguments: Vec<String>,
}

/// The real one.
#[derive(Clone, Debug)]
pub struct RunProgram {
    pub time_max: Duration,
}

impl Default for RunProgram {
    fn default() -> Self {
        RunProgram { time_max: limits::NOTIFY_TIME_MAX }
    }
}

impl Notify for RunProgram {
    fn tell<'a>(&'a self, program: &'a Program, text: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut child = start(program)?;
            let (status, said) = tokio::time::timeout(self.time_max, converse(&mut child, text))
                .await
                // Dropping the child kills it.
                .map_err(|_| anyhow!("{} took longer than {:?} and was ended", program.path, self.time_max))?
                .with_context(|| format!("{} could not be waited for", program.path))?;
            match status.success() {
                true => Ok(()),
                false => Err(anyhow!("{} failed ({status}){said}", program.path)),
            }
        })
    }
}

fn start(program: &Program) -> Result<Child> {
    Command::new(&program.path)
        .args(&program.arguments)
        // The key of the vault lies there; it is none of the program's business.
        .env_remove("CREDENTIALS_DIRECTORY")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} cannot be started", program.path))
}

/// How the program ended, and the beginning of what it complained of.
async fn converse(child: &mut Child, text: &str) -> std::io::Result<(ExitStatus, String)> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // Whoever does not want to know closes it early.
            let _ = stdin.write_all(text.as_bytes()).await;
            let _ = stdin.shutdown().await;
        }
    };
    let ((), said, status) = tokio::join!(write, complaint(stderr), child.wait());
    Ok((status?, said))
}

async fn complaint(stderr: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let mut said = Vec::new();
    let _ = (&mut stderr).take(limits::NOTIFY_OUTPUT_BYTES_MAX).read_to_end(&mut said).await;
    // A full pipe would stop the program: the rest is read and forgotten.
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    let said = String::from_utf8_lossy(&said);
    match said.trim() {
        "" => String::new(),
        said => format!(": {said}"),
    }
}

/// For tests and simulations: starts nothing and notes everything.
#[derive(Debug, Default)]
pub struct Noted(Mutex<Vec<(Program, String)>>);

impl Noted {
    pub fn all(&self) -> Vec<(Program, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Notify for Noted {
    fn tell<'a>(&'a self, program: &'a Program, text: &'a str) -> BoxFuture<'a, Result<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((program.clone(), text.to_owned()));
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell(script: &str, arguments: &[&str]) -> Program {
        let own = ["-c", script, "sh"].map(str::to_owned);
        let arguments = own.into_iter().chain(arguments.iter().map(|text| (*text).to_owned())).collect();
        Program { path: "/bin/sh".to_owned(), arguments }
    }

    async fn told(script: &str, text: &str) -> Result<()> {
        RunProgram { time_max: Duration::from_secs(2) }.tell(&shell(script, &[]), text).await
    }

    #[tokio::test]
    async fn the_program_gets_the_text_and_its_arguments_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("told");
        let odd = "$(id) `id` ; \"quoted\" *";
        let program = shell(r#"cat > "$1"; printf %s "$2" >> "$1""#, &[file.to_str().unwrap(), odd]);
        RunProgram::default().tell(&program, "{\"event\":\"test\"}\n").await.unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), format!("{{\"event\":\"test\"}}\n{odd}"));
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_with_the_programs_own_words() {
        let failed = told("echo no such list >&2; exit 3", "").await.unwrap_err().to_string();
        assert!(failed.contains("exit status: 3") && failed.ends_with(": no such list"), "{failed}");
        let missing = Program { path: "/nonexistent/program".to_owned(), arguments: Vec::new() };
        let missing = RunProgram::default().tell(&missing, "").await.unwrap_err().to_string();
        assert_eq!(missing, "/nonexistent/program cannot be started");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_ended() {
        let began = Instant::now();
        let error = told("exec sleep 60", "").await.unwrap_err().to_string();
        assert!(error.contains("took longer") && began.elapsed() < Duration::from_secs(20), "{error}");
    }

    #[tokio::test]
    async fn a_flood_of_words_is_cut_and_stops_nobody() {
        let flood = "head -c 1000000 /dev/zero | tr '\\0' x >&2; head -c 1000000 /dev/zero; exit 1";
        let failed = told(flood, "").await.unwrap_err().to_string();
        let max = usize::try_from(limits::NOTIFY_OUTPUT_BYTES_MAX).unwrap();
        assert!(failed.len() <= max + 100 && failed.ends_with(&"x".repeat(max)), "{}", failed.len());
    }

    #[tokio::test]
    async fn a_program_that_does_not_listen_is_no_failure() {
        told("exec true", &"x".repeat(1_000_000)).await.unwrap();
    }
}
