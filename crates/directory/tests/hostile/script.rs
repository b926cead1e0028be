//! A directory server that follows a script, at the other end of a pipe.

use bytes::BytesMut;
use directory::{AttributeMap, Dial, Directory, Kind, Security, Settings, SignIn, Stream, Trust};
use effects::{BoxFuture, ManualClock};
use ldap3_proto::LdapCodec;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindResponse, LdapMsg, LdapOp, LdapPartialAttribute, LdapResult, LdapResultCode, LdapSearchRequest,
    LdapSearchResultEntry, LdapSearchScope,
};
use reconcile::canonical::Fingerprinter;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::codec::{Decoder, Encoder};

pub const BASE: &str = "dc=example,dc=test";
pub const PAGED: &str = "1.2.840.113556.1.4.319";

/// What the script does with a request.
pub enum Reply {
    Messages(Vec<LdapMsg>),
    Bytes(Vec<u8>),
    /// These bytes, and the end.
    Last(Vec<u8>),
    /// Never answers.
    Silence,
}

/// What happens at one point of a script.
pub type Turn = fn(&LdapMsg) -> Reply;
pub type Script = dyn Fn(&LdapMsg) -> Reply + Send + Sync;

/// Dials pipes; hosts named `down` refuse.
pub struct Scripted {
    script: Arc<Script>,
    pub dialled: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl Dial for Scripted {
    fn dial<'a>(&'a self, host: &'a str, _: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        self.dialled.lock().unwrap().push(host.to_owned());
        if host == "down" {
            return Box::pin(async { Err(io::Error::from(ErrorKind::ConnectionRefused)) });
        }
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(serve(theirs, self.script.clone()));
        Box::pin(async { Ok(Box::new(ours) as Box<dyn Stream>) })
    }
}

pub async fn serve(mut pipe: tokio::io::DuplexStream, script: Arc<Script>) {
    let mut codec = LdapCodec::default();
    let mut received = BytesMut::new();
    loop {
        while let Ok(Some(request)) = codec.decode(&mut received) {
            let (bytes, last) = match script(&request) {
                Reply::Messages(messages) => {
                    let mut bytes = BytesMut::new();
                    for message in messages {
                        codec.encode(message, &mut bytes).unwrap();
                    }
                    (bytes.to_vec(), false)
                }
                Reply::Bytes(bytes) => (bytes, false),
                Reply::Last(bytes) => (bytes, true),
                Reply::Silence => (Vec::new(), false),
            };
            if pipe.write_all(&bytes).await.is_err() || last {
                return;
            }
        }
        if !matches!(pipe.read_buf(&mut received).await, Ok(1..)) {
            return;
        }
    }
}

pub fn settings() -> Settings {
    Settings {
        kind: Kind::OpenLdap,
        hosts: vec!["localhost".to_owned()],
        domain: None,
        port: 389,
        security: Security::None,
        trust: Trust::System,
        sign_in: SignIn::Simple { dn: format!("cn=sync,{BASE}") },
        client_certificate: None,
        base_dn: BASE.to_owned(),
        ous: Vec::new(),
        exclude: Vec::new(),
        groups: Vec::new(),
        filter: None,
        id_attribute: None,
        map: AttributeMap::default_of(Kind::OpenLdap),
        allow_plain: true,
        region: None,
        page_size: 2,
    }
}

pub fn directory(
    settings: Settings,
    script: impl Fn(&LdapMsg) -> Reply + Send + Sync + 'static,
) -> (Directory, Arc<Scripted>) {
    let dial = Arc::new(Scripted { script: Arc::new(script), dialled: Mutex::default() });
    let directory = Directory::new(
        settings,
        Some("secret".to_owned().into()),
        Fingerprinter::new([1; 32]),
        dial.clone(),
        Arc::new(ManualClock::at(1_800_000_000_000)),
    );
    (directory.unwrap(), dial)
}

pub fn result(code: LdapResultCode) -> LdapResult {
    LdapResult { code, matcheddn: String::new(), message: String::new(), referral: Vec::new() }
}

pub fn person(number: usize) -> LdapOp {
    let attribute = |name: &str, value: String| LdapPartialAttribute {
        atype: name.to_owned(),
        vals: vec![value.into_bytes()],
    };
    LdapOp::SearchResultEntry(LdapSearchResultEntry {
        dn: format!("uid={number},{BASE}"),
        attributes: vec![
            attribute("entryUUID", format!("00000000-0000-0000-0000-{number:012}")),
            attribute("cn", format!("Person {number}")),
        ],
    })
}

pub fn done(message: &LdapMsg, mut ops: Vec<LdapOp>, code: LdapResultCode, cookie: Option<&[u8]>) -> Reply {
    ops.push(LdapOp::SearchResultDone(result(code)));
    let mut messages: Vec<LdapMsg> = ops.into_iter().map(|op| LdapMsg::new(message.msgid, op)).collect();
    if let (Some(cookie), Some(last)) = (cookie, messages.last_mut()) {
        last.ctrl.push(LdapControl::SimplePagedResults { size: 0, cookie: cookie.to_vec() });
    }
    Reply::Messages(messages)
}

/// Everything an ordinary server does before it is asked for people.
pub fn ordinary(message: &LdapMsg, people: impl Fn(&LdapMsg, &LdapSearchRequest) -> Reply) -> Reply {
    match &message.op {
        LdapOp::BindRequest(_) => {
            let welcome = LdapBindResponse { res: result(LdapResultCode::Success), saslcreds: None };
            Reply::Messages(vec![LdapMsg::new(message.msgid, LdapOp::BindResponse(welcome))])
        }
        LdapOp::SearchRequest(search) if search.base.is_empty() => {
            let values = |name: &str, value: &str| LdapPartialAttribute {
                atype: name.to_owned(),
                vals: vec![value.as_bytes().to_vec()],
            };
            let root = LdapSearchResultEntry {
                dn: String::new(),
                attributes: vec![values("supportedControl", PAGED), values("namingContexts", BASE)],
            };
            done(message, vec![LdapOp::SearchResultEntry(root)], LdapResultCode::Success, None)
        }
        LdapOp::SearchRequest(search) if search.scope == LdapSearchScope::Base => {
            let entry = LdapSearchResultEntry { dn: search.base.clone(), attributes: Vec::new() };
            done(message, vec![LdapOp::SearchResultEntry(entry)], LdapResultCode::Success, None)
        }
        LdapOp::SearchRequest(search) => people(message, search),
        LdapOp::AbandonRequest(_) | LdapOp::UnbindRequest => Reply::Silence,
        other => panic!("unexpected {other:?}"),
    }
}

pub fn cookie(message: &LdapMsg) -> Option<Vec<u8>> {
    message.ctrl.iter().find_map(|control| match control {
        LdapControl::SimplePagedResults { cookie, .. } => Some(cookie.clone()),
        _ => None,
    })
}
