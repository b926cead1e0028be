//! One connection to one server, one operation at a time.
//!
//! Back-pressure is the socket's: nothing is read ahead of what the caller
//! takes. Cancellation is dropping the future; what the server still sends
//! for the dropped operation is recognised by its id and skipped.

use crate::advice::{Doing, Refusal};
use crate::dial::Stream;
use crate::error::Error;
use crate::frame;
use bytes::BytesMut;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapExtendedRequest, LdapModify, LdapModifyRequest, LdapMsg, LdapOp,
    LdapResult, LdapResultCode, LdapSearchRequest, LdapSearchResultEntry, SaslCredentials,
};
use std::fmt;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// How long the server may stay silent within one operation.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Answers that are skipped, those of a dropped search among them, before we
/// hang up.
const SKIPPED_MAX: usize = 100_000;
/// Search references that are remembered; they are never followed.
pub(crate) const REFERENCES_MAX: usize = 1000;
const READ_BYTES: usize = 64 * 1024;
const STARTTLS: &str = "1.3.6.1.4.1.1466.20037";
const NOTICE_OF_DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";

pub struct Connection {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    address: String,
    last_id: i32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// A request is out; its answers may still come.
    Waiting,
    /// Half a request may be out, or the peer said nonsense: hang up.
    Broken,
}

/// How a search ended.
#[derive(Debug)]
pub struct SearchEnd {
    pub result: LdapResult,
    pub controls: Vec<LdapControl>,
    pub references: Vec<String>,
}

/// What became of a modify request.
#[derive(Debug)]
pub struct Modified {
    pub result: LdapResult,
    pub controls: Vec<LdapControl>,
}

impl Connection {
    pub fn new(stream: Box<dyn Stream>, address: String) -> Self {
        Connection { stream, buffer: BytesMut::new(), address, last_id: 0, state: State::Idle }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// Asks for TLS and hands the bare stream back for the handshake.
    pub async fn start_tls(mut self) -> Result<Box<dyn Stream>, Error> {
        let request = LdapExtendedRequest { name: STARTTLS.to_owned(), value: None };
        self.send(LdapOp::ExtendedRequest(request), Vec::new()).await?;
        let LdapOp::ExtendedResponse(answer) = self.receive().await?.op else {
            return Err(self.lost("it did not answer the request for TLS"));
        };
        if answer.res.code != LdapResultCode::Success {
            let refusal = Refusal::new(&answer.res, Doing::StartTls);
            return Err(Error::Tls { address: self.address, why: refusal.to_string(), seen: None });
        }
        // Bytes sent in the clear must never be taken for the protected answer.
        if !self.buffer.is_empty() {
            return Err(self.lost("it sent data before TLS was in place: somebody may be tampering"));
        }
        Ok(self.stream)
    }

    pub async fn bind(&mut self, credentials: LdapBindCred, dn: &str) -> Result<(), Error> {
        let request = LdapBindRequest { version: 3, dn: dn.to_owned(), cred: credentials };
        self.send(LdapOp::BindRequest(request), Vec::new()).await?;
        let LdapOp::BindResponse(answer) = self.receive().await?.op else {
            return Err(self.lost("it did not answer the sign-in"));
        };
        self.state = State::Idle;
        if answer.res.code == LdapResultCode::Success {
            return Ok(());
        }
        let refusal = Refusal::new(&answer.res, Doing::SignIn);
        Err(Error::SignIn { address: self.address.clone(), refusal })
    }

    pub async fn bind_external(&mut self) -> Result<(), Error> {
        let external = SaslCredentials { mechanism: "EXTERNAL".to_owned(), credentials: Vec::new() };
        self.bind(LdapBindCred::SASL(external), "").await
    }

    /// Runs a search, handing over every entry as it arrives. The result code
    /// is the caller's to judge.
    pub async fn search(
        &mut self,
        request: LdapSearchRequest,
        controls: Vec<LdapControl>,
        each: &mut (dyn FnMut(LdapSearchResultEntry) + Send),
    ) -> Result<SearchEnd, Error> {
        self.send(LdapOp::SearchRequest(request), controls).await?;
        let mut references = Vec::new();
        let mut idle = 0;
        loop {
            let message = self.receive().await?;
            match message.op {
                LdapOp::SearchResultEntry(entry) => each(entry),
                LdapOp::SearchResultReference(more) if references.len() < REFERENCES_MAX => {
                    references.extend(more.uris);
                }
                LdapOp::SearchResultReference(_) | LdapOp::IntermediateResponse(_) if idle < SKIPPED_MAX => {
                    idle += 1;
                }
                LdapOp::SearchResultDone(result) => {
                    self.state = State::Idle;
                    return Ok(SearchEnd { result, controls: message.ctrl, references });
                }
                LdapOp::SearchResultReference(_) | LdapOp::IntermediateResponse(_) => {
                    return Err(self.lost("it talks of everything but what the search asked for"));
                }
                _ => return Err(self.lost("it answered a search with something else")),
            }
        }
    }

    /// Sends one modify. An error means that nobody knows whether it was
    /// carried out.
    pub async fn modify(
        &mut self,
        dn: &str,
        changes: Vec<LdapModify>,
        controls: Vec<LdapControl>,
    ) -> Result<Modified, Error> {
        let request = LdapModifyRequest { dn: dn.to_owned(), changes };
        self.send(LdapOp::ModifyRequest(request), controls).await?;
        let message = self.receive().await?;
        let LdapOp::ModifyResponse(result) = message.op else {
            return Err(self.lost("it answered a change with something else"));
        };
        self.state = State::Idle;
        Ok(Modified { result, controls: message.ctrl })
    }

    /// Says goodbye, if the connection still can.
    pub async fn close(mut self) {
        if self.send(LdapOp::UnbindRequest, Vec::new()).await.is_ok() {
            let _ = self.stream.shutdown().await;
        }
    }

    async fn send(&mut self, op: LdapOp, controls: Vec<LdapControl>) -> Result<(), Error> {
        let mut bytes = BytesMut::new();
        match self.state {
            State::Broken => return Err(self.lost("it was given up before")),
            State::Idle => {}
            State::Waiting => {
                bytes = frame::encode(LdapMsg::new(self.next_id(), LdapOp::AbandonRequest(self.last_id - 1)))
            }
        }
        let id = self.next_id();
        bytes.extend_from_slice(&frame::encode(LdapMsg::new_with_ctrls(id, op, controls)));
        // Dropped from here on, half a request may be out.
        self.state = State::Broken;
        let sent = timeout(ANSWER_TIMEOUT, async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        });
        match sent.await {
            Ok(Ok(())) => self.state = State::Waiting,
            Ok(Err(error)) => return Err(self.lost(&error.to_string())),
            Err(_) => return Err(self.lost("it took no data for 60 seconds")),
        }
        Ok(())
    }

    /// The next answer to the request that is out.
    async fn receive(&mut self) -> Result<LdapMsg, Error> {
        for _ in 0..SKIPPED_MAX {
            let message = self.message().await?;
            match message.msgid {
                id if id == self.last_id => return Ok(message),
                0 => return Err(self.notice(message)),
                id if id > self.last_id || id < 0 => return Err(self.lost("it answered what nobody asked")),
                _ => {}
            }
        }
        Err(self.lost("it does not stop answering a search that was given up"))
    }

    async fn message(&mut self) -> Result<LdapMsg, Error> {
        loop {
            match frame::decode(&mut self.buffer) {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {}
                Err(why) => return Err(self.lost(why)),
            }
            self.buffer.reserve(READ_BYTES);
            match timeout(ANSWER_TIMEOUT, self.stream.read_buf(&mut self.buffer)).await {
                Ok(Ok(0)) => return Err(self.lost("the server closed it")),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(self.lost(&error.to_string())),
                Err(_) => return Err(self.lost("the server did not answer for 60 seconds")),
            }
        }
    }

    /// An unsolicited message: the server hangs up and says why.
    fn notice(&mut self, message: LdapMsg) -> Error {
        match message.op {
            LdapOp::ExtendedResponse(notice) if notice.name.as_deref() == Some(NOTICE_OF_DISCONNECTION) => {
                let refusal = Refusal::new(&notice.res, Doing::Read);
                self.lost(&format!("the server ended it: {refusal}"))
            }
            _ => self.lost("it sent an unasked message nobody knows"),
        }
    }

    fn lost(&mut self, why: &str) -> Error {
        self.state = State::Broken;
        Error::Lost { address: self.address.clone(), why: why.to_owned() }
    }

    fn next_id(&mut self) -> i32 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.address)
    }
}
