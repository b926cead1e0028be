//! The way to the directory: a pipe with somebody in the middle who knows where
//! an LDAP message ends, and cuts, loses, delays and doubles whole messages.

use crate::forced::{self, Forced};
use crate::process::Process;
use directory::{Dial, Stream};
use effects::BoxFuture;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::Mutex;

const PIPE_BYTES: usize = 64 * 1024;
/// The protocol operations that write, by their BER tags: modify, and the
/// others that Rollcall must never use.
const MODIFY: u8 = 0x66;
const SEARCH: u8 = 0x63;
const SEARCH_DONE: u8 = 0x65;
const FORBIDDEN: [(u8, &str); 3] = [(0x68, "add"), (0x4a, "delete"), (0x6c, "rename")];

#[derive(Debug)]
pub struct Line(pub Arc<Process>);

impl Dial for Line {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let process = &self.0;
            let stage = &process.stage;
            process.step("dial".to_owned()).await;
            if stage.strikes("directory refused the connection", stage.chances().dial_refused) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let (ours, near) = tokio::io::duplex(PIPE_BYTES);
            let (far, theirs) = tokio::io::duplex(PIPE_BYTES);
            let server = stage.directory.clone();
            tokio::spawn(async move { server.attach(theirs).await });
            let middle = Middle(process.clone());
            tokio::spawn(async move { middle.relay(near, far).await });
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }
}

struct Middle(Arc<Process>);

/// What becomes of one message.
enum Fate {
    Delivered,
    Doubled,
    /// Silence from here on: what follows does not arrive either.
    Lost,
    Cut,
}

impl Middle {
    async fn relay(self, near: DuplexStream, far: DuplexStream) {
        let (near_reads, near_writes) = tokio::io::split(near);
        let (far_reads, far_writes) = tokio::io::split(far);
        let near_writes = Mutex::new(near_writes);
        let both = async {
            // Whichever side ends first ends the connection.
            tokio::select! {
                biased;
                () = self.up(near_reads, far_writes, &near_writes) => {}
                () = self.down(far_reads, &near_writes) => {}
            }
        };
        self.0.until_death(both).await;
        self.0.stage.see_directory_soon().await;
    }

    /// Requests.
    async fn up(
        &self,
        mut from: ReadHalf<DuplexStream>,
        mut to: WriteHalf<DuplexStream>,
        back: &Mutex<WriteHalf<DuplexStream>>,
    ) {
        let stage = &self.0.stage;
        while let Some(message) = message(&mut from).await {
            let operation = operation(&message);
            self.0.step(format!("LDAP request {operation:#x}")).await;
            if let Some((_, what)) = FORBIDDEN.iter().find(|(tag, _)| *tag == operation) {
                stage.violated(format!("an LDAP {what} was sent"));
            }
            if operation == MODIFY {
                stage.see_directory();
            }
            if let Some(Forced::Directory { phase, code }) = stage.forced()
                && phase.takes(operation, &message)
            {
                let answering = match operation {
                    SEARCH => SEARCH_DONE,
                    other => other + 1,
                };
                let answer = forced::ldap_answer(&message, answering, code);
                if back.lock().await.write_all(&answer).await.is_err() {
                    return;
                }
                continue;
            }
            let chances = stage.chances();
            if stage.strikes("LDAP request cut off", chances.cut) {
                return;
            }
            if stage.strikes("LDAP request lost", chances.lost) {
                std::future::pending::<()>().await;
            }
            if to.write_all(&message).await.is_err() {
                return;
            }
            if stage.strikes("LDAP connection cut behind a request", chances.cut) {
                stage.settle().await;
                return;
            }
        }
    }

    /// Answers.
    async fn down(&self, mut from: ReadHalf<DuplexStream>, to: &Mutex<WriteHalf<DuplexStream>>) {
        let stage = &self.0.stage;
        while let Some(message) = message(&mut from).await {
            stage.see_directory();
            self.0.step(format!("LDAP answer {:#x}", operation(&message))).await;
            let sent = match self.fate() {
                Fate::Delivered => to.lock().await.write_all(&message).await,
                Fate::Doubled => to.lock().await.write_all(&[&message[..], &message].concat()).await,
                Fate::Lost => std::future::pending().await,
                Fate::Cut => return,
            };
            if sent.is_err() {
                return;
            }
        }
        stage.see_directory();
    }

    fn fate(&self) -> Fate {
        let stage = &self.0.stage;
        let chances = stage.chances();
        match () {
            () if stage.strikes("LDAP answer doubled", chances.doubled) => Fate::Doubled,
            () if stage.strikes("LDAP answer lost", chances.lost) => Fate::Lost,
            () if stage.strikes("LDAP answer cut off", chances.cut) => Fate::Cut,
            () => Fate::Delivered,
        }
    }
}

/// The next whole BER element; none at the end.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut message = vec![0; 2];
    from.read_exact(&mut message).await.ok()?;
    let mut length = usize::from(message[1]);
    if length >= 0x80 {
        let mut octets = vec![0; length & 0x7f];
        from.read_exact(&mut octets).await.ok()?;
        length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
        message.extend(octets);
    }
    let head = message.len();
    message.resize(head + length, 0);
    from.read_exact(&mut message[head..]).await.ok()?;
    Some(message)
}

/// The tag of the operation, behind the sequence's head and the message id.
fn operation(message: &[u8]) -> u8 {
    let head = if message[1] < 0x80 { 2 } else { 2 + usize::from(message[1] & 0x7f) };
    let id_length = message.get(head + 1).map_or(0, |length| usize::from(*length));
    message.get(head + 2 + id_length).copied().unwrap_or_default()
}
