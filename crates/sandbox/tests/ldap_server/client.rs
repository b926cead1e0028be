//! A client of a few lines, over an in-memory stream.

use bytes::BytesMut;
use effects::{ManualClock, SeededRandom};
use futures_util::{SinkExt, StreamExt};
use ldap3_lber::structures::{ASNTag, Tag};
use ldap3_lber::write::encode_into;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapDerefAliases, LdapModify, LdapModifyRequest, LdapModifyType, LdapOp,
    LdapResult, LdapSearchRequest,
};
use ldap3_proto::{
    LdapCodec, LdapFilter, LdapMsg, LdapPartialAttribute, LdapSearchResultEntry, LdapSearchScope,
};
use sandbox::directory::{Directory, Options, Personality};
use std::sync::Arc;
use tokio::io::DuplexStream;
use tokio_util::codec::Framed;

pub const OPEN_BASE: &str = "dc=example,dc=test";
pub const AD_BASE: &str = "DC=ad,DC=example,DC=test";
pub const PASSWORD: &str = "Secret-123";

/// An empty directory, repeatable down to its ids.
pub fn directory(personality: Personality) -> Directory {
    let (clock, random) = (Arc::new(ManualClock::at(1_800_000_000_000)), Arc::new(SeededRandom::new(1)));
    Directory::new(Options::new(personality, PASSWORD.to_owned().into(), clock, random)).unwrap()
}

pub struct Client {
    wire: Framed<DuplexStream, LdapCodec>,
    msgid: i32,
}

/// What came back for a search before the connection ended, if it did.
#[derive(Debug, Default)]
pub struct Found {
    pub entries: Vec<LdapSearchResultEntry>,
    pub references: usize,
    /// Nothing if the connection was dropped first.
    pub done: Option<LdapResult>,
    /// What a paged answer ended with.
    pub cookie: Option<Vec<u8>>,
}

impl Found {
    pub fn code(&self) -> i64 {
        self.done.as_ref().map_or(-1, |done| done.code.clone() as i64)
    }

    pub fn values(&self, attribute: &str) -> Vec<String> {
        let all = self.entries.iter().flat_map(|entry| &entry.attributes);
        let values = all.filter(|known| known.atype == attribute).flat_map(|known| &known.vals);
        values.map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }
}

impl Client {
    pub fn connect(directory: &Directory) -> Self {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let directory = directory.clone();
        tokio::spawn(async move { directory.attach(far).await });
        Client { wire: Framed::new(near, LdapCodec::new(Some(16 << 20), None)), msgid: 0 }
    }

    /// Connected, and signed in as one of the accounts.
    pub async fn signed_in(directory: &Directory, account: &str) -> Self {
        let mut client = Client::connect(directory);
        let dn = directory.account_dn(account).unwrap();
        assert_eq!(client.bind(&dn, PASSWORD).await, 0);
        client
    }

    pub async fn send(&mut self, op: LdapOp, ctrl: Vec<LdapControl>) {
        self.msgid += 1;
        self.wire.send(LdapMsg { msgid: self.msgid, op, ctrl }).await.unwrap();
    }

    /// The next message, or nothing when the connection has ended.
    pub async fn receive(&mut self) -> Option<LdapMsg> {
        self.wire.next().await.and_then(Result::ok)
    }

    /// The code of an answer that is a result; -1 for a connection that ended.
    pub async fn ask(&mut self, op: LdapOp, ctrl: Vec<LdapControl>) -> (i64, Vec<LdapControl>) {
        self.send(op, ctrl).await;
        let Some(message) = self.receive().await else { return (-1, Vec::new()) };
        let result = match message.op {
            LdapOp::BindResponse(response) => response.res,
            LdapOp::ExtendedResponse(response) => response.res,
            LdapOp::ModifyResponse(result)
            | LdapOp::AddResponse(result)
            | LdapOp::DelResponse(result)
            | LdapOp::ModifyDNResponse(result)
            | LdapOp::SearchResultDone(result)
            | LdapOp::CompareResult(result) => result,
            other => panic!("unexpected {other:?}"),
        };
        (result.code as i64, message.ctrl)
    }

    pub async fn bind(&mut self, dn: &str, password: &str) -> i64 {
        let cred = LdapBindCred::Simple(password.to_owned());
        self.ask(LdapOp::BindRequest(LdapBindRequest { version: 3, dn: dn.to_owned(), cred }), Vec::new())
            .await
            .0
    }

    pub async fn modify(&mut self, dn: &str, changes: &[(LdapModifyType, &str, &[&[u8]])]) -> i64 {
        self.modify_with(dn, changes, Vec::new()).await.0
    }

    pub async fn modify_with(
        &mut self,
        dn: &str,
        changes: &[(LdapModifyType, &str, &[&[u8]])],
        ctrl: Vec<LdapControl>,
    ) -> (i64, Vec<LdapControl>) {
        let changes = changes.iter().map(|(operation, name, values)| LdapModify {
            operation: operation.clone(),
            modification: LdapPartialAttribute {
                atype: (*name).to_owned(),
                vals: values.iter().map(|value| value.to_vec()).collect(),
            },
        });
        let request = LdapModifyRequest { dn: dn.to_owned(), changes: changes.collect() };
        self.ask(LdapOp::ModifyRequest(request), ctrl).await
    }

    /// All below `base` that matches, unpaged.
    pub async fn find(&mut self, base: &str, filter: LdapFilter, attributes: &[&str]) -> Found {
        self.search(search(base, LdapSearchScope::Subtree, filter, attributes), Vec::new()).await
    }

    /// One entry, by name.
    pub async fn read(&mut self, dn: &str, attributes: &[&str]) -> Found {
        self.search(search(dn, LdapSearchScope::Base, present("objectClass"), attributes), Vec::new()).await
    }

    pub async fn page(&mut self, base: &str, filter: LdapFilter, size: i64, cookie: Vec<u8>) -> Found {
        let request = search(base, LdapSearchScope::Subtree, filter, &["1.1"]);
        self.search(request, vec![LdapControl::SimplePagedResults { size, cookie }]).await
    }

    pub async fn search(&mut self, request: LdapSearchRequest, ctrl: Vec<LdapControl>) -> Found {
        self.send(LdapOp::SearchRequest(request), ctrl).await;
        let mut found = Found::default();
        while let Some(message) = self.receive().await {
            match message.op {
                LdapOp::SearchResultEntry(entry) => found.entries.push(entry),
                LdapOp::SearchResultReference(_) => found.references += 1,
                LdapOp::SearchResultDone(done) => {
                    found.done = Some(done);
                    found.cookie = message.ctrl.into_iter().find_map(|control| match control {
                        LdapControl::SimplePagedResults { cookie, .. } => Some(cookie),
                        _ => None,
                    });
                    break;
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        found
    }
}

pub fn search(
    base: &str,
    scope: LdapSearchScope,
    filter: LdapFilter,
    attributes: &[&str],
) -> LdapSearchRequest {
    LdapSearchRequest {
        base: base.to_owned(),
        scope,
        aliases: LdapDerefAliases::Never,
        sizelimit: 0,
        timelimit: 0,
        typesonly: false,
        filter,
        attrs: attributes.iter().map(|name| (*name).to_owned()).collect(),
    }
}

pub fn present(name: &str) -> LdapFilter {
    LdapFilter::Present(name.to_owned())
}

pub fn equal(name: &str, value: &str) -> LdapFilter {
    LdapFilter::Equality(name.to_owned(), value.to_owned())
}

pub fn assertion(filter: LdapFilter, criticality: bool) -> LdapControl {
    let mut value = BytesMut::new();
    encode_into(&mut value, Tag::from(filter).into_structure()).unwrap();
    LdapControl::Unknown { oid: "1.3.6.1.1.12".to_owned(), criticality, value: Some(value.to_vec()) }
}
