//! Whatever a directory may send, up to a person and beyond: looking somebody
//! up, their photo, when an attribute changed, a write.
//!
//! If the first line names a kind of directory, the other lines are what it
//! holds: `attribute: value` in an entry that begins with `dn: …`, a search
//! reference `ref: …`, a result `result: 4 words`, and `page: cookie` where a
//! page ends. An entry with an empty DN is the server's own. Anything else is
//! sent as it is: first instead of all answers, then instead of all behind the
//! sign-in.

use bytes::{Buf, BytesMut};
use directory::{
    AttributeMap, Content, Dial, Directory, Kind, Known, Security, Settings, SignIn, Stream, Target, Trust,
    Write,
};
use effects::{BoxFuture, ManualClock};
use ldap3_proto::LdapCodec;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindResponse, LdapExtendedResponse, LdapMsg, LdapOp, LdapPartialAttribute, LdapResult,
    LdapResultCode, LdapSearchRequest, LdapSearchResultEntry, LdapSearchResultReference, LdapSearchScope,
};
use reconcile::canonical::Fingerprinter;
use reconcile::{Field, FieldMap, Person, PersonId, Reading, Unusable, Value};
use std::io;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::codec::{Decoder, Encoder};

const BASE: &str = "dc=example,dc=test";
const NOW_MS: i64 = 1_800_000_000_000;
const NOBODY: &str = "00000000-0000-0000-0000-000000000001";
const SERVER_FIELDS: [(&str, &str); 6] = [
    ("supportedControl", "1.2.840.113556.1.4.319"),
    ("supportedControl", "1.2.840.113556.1.4.1339"),
    ("namingContexts", BASE),
    ("schemaNamingContext", "cn=schema"),
    ("dsServiceName", "cn=settings"),
    ("currentTime", "20270115080000.0Z"),
];

pub fn target(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime without I/O asks the system for nothing");
    let line_end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let kind = std::str::from_utf8(&data[..line_end]).ok().and_then(|line| Kind::from_str(line).ok());
    match kind {
        Some(kind) => runtime.block_on(talk(kind, Arc::new(Told::read(&data[line_end + 1..])))),
        None => {
            for from in [Verbatim::FromTheStart, Verbatim::BehindTheSignIn] {
                let told = Told { verbatim: Some((from, data.to_vec())), ..Told::default() };
                runtime.block_on(talk(Kind::OpenLdap, Arc::new(told)));
            }
        }
    }
}

/// Everything a client does, with a server that knows what it was told.
async fn talk(kind: Kind, told: Arc<Told>) {
    let dial = Arc::new(Pipe(told));
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let key = Fingerprinter::new([1; 32]);
    let made = Directory::new(settings(kind), Some("secret".to_owned().into()), key, dial, clock);
    let mut directory = made.expect("the settings are right");

    assert!(!directory.test().await.is_empty(), "something was tried");
    let mut first = Target { id: PersonId::new(NOBODY), dn: format!("cn=x,{BASE}") };
    if let Ok(read) = directory.read_people(&Known::default(), &mut |_| {}).await {
        let people = &read.snapshot.rows;
        assert!(people.is_sorted_by(|a, b| a.id < b.id), "in order, nobody twice");
        people.iter().for_each(sound);
        if let Some(person) = people.first() {
            first = Target::from(person);
        }
    }
    if let Ok(Some(person)) = directory.person(&first).await {
        sound(&person);
    }
    let mut photo = None;
    let _ = directory
        .photos(std::slice::from_ref(&first), &mut |_, reading| {
            sound_reading(Field::Photo, &reading);
            photo = reading.values().first().cloned();
        })
        .await;
    if let Some(photo) = photo {
        let bytes = directory.photo_bytes(&first, &photo).await.ok().flatten();
        assert!(bytes.is_none_or(|bytes| reconcile::canonical::photo(&bytes).is_ok()));
    }
    let _ = directory.whereabouts(&first).await;
    let _ = directory.attribute_changes(&first).await;
    let report = directory.write(&first, &changes()).await;
    assert_eq!(report.outcomes.len(), changes().len(), "an outcome for every change");
    report.person.iter().for_each(sound);
}

fn settings(kind: Kind) -> Settings {
    let sources = [
        (Field::Name, "{givenName} {sn}"),
        (Field::Extension, "telephoneNumber:inner"),
        (Field::Mobile, "mobile"),
        (Field::Email, "mail"),
        (Field::Photo, "jpegPhoto"),
        (Field::SipPassword, "sipPassword"),
    ];
    let mut map =
        AttributeMap { fields: FieldMap::default(), account_state: Some("employeeType".to_owned()) };
    for (field, source) in sources {
        map.fields[field] = source.parse().ok();
    }
    if kind == Kind::FreeIpa {
        map = AttributeMap::default_of(kind);
    }
    Settings {
        kind,
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
        id_attribute: (kind == Kind::Ds389).then(|| "mS-DS-ConsistencyGuid".to_owned()),
        map,
        allow_plain: true,
        region: Some("RU".to_owned()),
        page_size: 2,
    }
}

fn changes() -> Vec<Write> {
    let text = |text: &str| Some(Content::Text(text.to_owned()));
    let was = |text: &str| Some(Value::new(text, text));
    vec![
        Write { field: Field::Email, before: was("anna@example.test"), after: text("new@example.test") },
        Write { field: Field::Mobile, before: None, after: text("+79261234567") },
        Write {
            field: Field::Photo,
            before: None,
            after: Some(Content::Photo(b"\xff\xd8\xff\xe0".to_vec())),
        },
    ]
}

fn sound(person: &Person) {
    assert!(!person.id.as_str().is_empty());
    for (field, reading) in person.fields.iter() {
        sound_reading(field, reading);
    }
}

fn sound_reading(field: Field, reading: &Reading) {
    let values = reading.values();
    assert!(values.is_sorted_by_key(Value::canonical));
    assert!(
        *reading != Reading::Values(Vec::new()) && *reading != Reading::Empty,
        "absence is not proved here"
    );
    assert!(values.iter().all(|value| value.equivalent(value)));
    if field == Field::SipPassword {
        assert!(values.iter().all(|value| value.raw() == "set" && value.canonical().starts_with("fp:")));
    }
    if let Reading::Unusable(Unusable { raw, why }) = reading {
        assert!(!raw.contains(char::is_control) && !why.contains(char::is_control), "{raw:?} {why:?}");
        assert!(field != Field::SipPassword || raw == "set");
    }
}

/// What the server was told to say.
#[derive(Debug, Default)]
struct Told {
    verbatim: Option<(Verbatim, Vec<u8>)>,
    own: Vec<LdapPartialAttribute>,
    pages: Vec<Page>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verbatim {
    FromTheStart,
    BehindTheSignIn,
}

#[derive(Clone, Debug)]
struct Page {
    ops: Vec<LdapOp>,
    result: LdapResult,
    cookie: Vec<u8>,
}

impl Default for Page {
    fn default() -> Self {
        Page { ops: Vec::new(), result: result(LdapResultCode::Success, b""), cookie: Vec::new() }
    }
}

impl Told {
    fn read(text: &[u8]) -> Self {
        let mut told = Told::default();
        let mut page = Page::default();
        for line in text.split(|byte| *byte == b'\n') {
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
            let name = String::from_utf8_lossy(&line[..colon]).into_owned();
            let value = line.get(colon + 1..).unwrap_or_default();
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match name.as_str() {
                "dn" => page.ops.push(entry(&String::from_utf8_lossy(value), &[])),
                "ref" => {
                    let uris = vec![String::from_utf8_lossy(value).into_owned()];
                    page.ops.push(LdapOp::SearchResultReference(LdapSearchResultReference { uris }));
                }
                "page" => {
                    page.cookie = value.to_vec();
                    told.pages.push(std::mem::take(&mut page));
                }
                "result" => {
                    let (code, words) =
                        value.split_at(value.iter().take_while(|b| b.is_ascii_digit()).count());
                    let code = std::str::from_utf8(code).ok().and_then(|code| code.parse::<i64>().ok());
                    if let Some(Ok(code)) = code.map(LdapResultCode::try_from) {
                        page.result = result(code, words);
                    }
                }
                _ => {
                    if let Some(LdapOp::SearchResultEntry(entry)) = page.ops.last_mut() {
                        add(&mut entry.attributes, &name, value);
                    }
                }
            }
        }
        told.pages.push(page);
        told.own = told.pages.iter().flat_map(|page| &page.ops).find_map(own_attributes).unwrap_or_default();
        told
    }
}

fn own_attributes(op: &LdapOp) -> Option<Vec<LdapPartialAttribute>> {
    match op {
        LdapOp::SearchResultEntry(entry) if entry.dn.is_empty() => Some(entry.attributes.clone()),
        _ => None,
    }
}

fn entry(dn: &str, attributes: &[(&str, &str)]) -> LdapOp {
    let mut entry = LdapSearchResultEntry { dn: dn.to_owned(), attributes: Vec::new() };
    attributes.iter().for_each(|(name, value)| add(&mut entry.attributes, name, value.as_bytes()));
    LdapOp::SearchResultEntry(entry)
}

fn add(attributes: &mut Vec<LdapPartialAttribute>, name: &str, value: &[u8]) {
    match attributes.iter_mut().find(|attribute| attribute.atype == name) {
        Some(attribute) => attribute.vals.push(value.to_vec()),
        None => attributes.push(LdapPartialAttribute { atype: name.to_owned(), vals: vec![value.to_vec()] }),
    }
}

fn result(code: LdapResultCode, words: &[u8]) -> LdapResult {
    let message = String::from_utf8_lossy(words).into_owned();
    LdapResult { code, matcheddn: String::new(), message, referral: Vec::new() }
}

/// Dials the server.
#[derive(Debug)]
struct Pipe(Arc<Told>);

impl Dial for Pipe {
    fn dial<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        let server = Server {
            told: Arc::clone(&self.0),
            requests: BytesMut::new(),
            answers: BytesMut::new(),
            page: 0,
        };
        Box::pin(async { Ok(Box::new(server) as Box<dyn Stream>) })
    }
}

/// The other end of a connection. It answers while the request is written, so
/// nobody ever waits: what is not there when it is read does not come.
struct Server {
    told: Arc<Told>,
    requests: BytesMut,
    answers: BytesMut,
    page: usize,
}

impl Server {
    fn answer(&mut self, message: &LdapMsg) {
        let told = Arc::clone(&self.told);
        match (&told.verbatim, &message.op) {
            (_, LdapOp::AbandonRequest(_) | LdapOp::UnbindRequest) => {}
            (Some((Verbatim::FromTheStart, bytes)), _) => {
                // All of it at once, and nothing more.
                if message.msgid == 1 {
                    self.answers.extend_from_slice(bytes);
                }
            }
            (_, LdapOp::BindRequest(_)) => {
                let res = result(LdapResultCode::Success, b"");
                self.send(
                    message,
                    LdapOp::BindResponse(LdapBindResponse { res, saslcreds: None }),
                    Vec::new(),
                );
            }
            (_, LdapOp::SearchRequest(search)) if search.base.is_empty() => {
                let mut own = told.own.clone();
                if own.is_empty() {
                    SERVER_FIELDS.iter().for_each(|(name, value)| add(&mut own, name, value.as_bytes()));
                }
                let own = LdapSearchResultEntry { dn: String::new(), attributes: own };
                self.page(message, Page { ops: vec![LdapOp::SearchResultEntry(own)], ..Page::default() });
            }
            (_, LdapOp::SearchRequest(search)) if is_proof(search) => {
                self.page(message, Page { ops: vec![entry(&search.base, &[])], ..Page::default() });
            }
            (Some((Verbatim::BehindTheSignIn, bytes)), _) => self.answers.extend_from_slice(bytes),
            (None, LdapOp::SearchRequest(_)) => {
                self.page = if has_cookie(message) { self.page + 1 } else { 0 };
                self.page(message, told.pages.get(self.page).cloned().unwrap_or_default());
            }
            (None, LdapOp::ModifyRequest(_)) => self.modified(message, told.pages.first()),
            (None, _) => {
                let res = result(LdapResultCode::Unavailable, b"");
                let name = Some("1.3.6.1.4.1.1466.20036".to_owned());
                let notice = LdapOp::ExtendedResponse(LdapExtendedResponse { res, name, value: None });
                self.send(message, notice, Vec::new());
            }
        }
    }

    fn page(&mut self, message: &LdapMsg, page: Page) {
        for op in page.ops {
            self.send(message, op, Vec::new());
        }
        let cookie = LdapControl::SimplePagedResults { size: 0, cookie: page.cookie };
        self.send(message, LdapOp::SearchResultDone(page.result), vec![cookie]);
    }

    /// The answer to a change, with the first entry as it is after it.
    fn modified(&mut self, message: &LdapMsg, page: Option<&Page>) {
        let page = page.cloned().unwrap_or_default();
        let mut bytes = BytesMut::new();
        if let Some(op) = page.ops.into_iter().next() {
            encode(LdapMsg::new(1, op), &mut bytes);
        }
        // Behind the header of the message and its id.
        let value = bytes.iter().position(|byte| *byte == 0x64).map(|at| bytes[at..].to_vec());
        let oid = "1.3.6.1.1.13.2".to_owned();
        let control = LdapControl::Unknown { oid, criticality: false, value };
        self.send(message, LdapOp::ModifyResponse(page.result), vec![control]);
    }

    fn send(&mut self, request: &LdapMsg, op: LdapOp, controls: Vec<LdapControl>) {
        encode(LdapMsg::new_with_ctrls(request.msgid, op, controls), &mut self.answers);
    }
}

fn encode(message: LdapMsg, bytes: &mut BytesMut) {
    LdapCodec::default().encode(message, bytes).expect("encoding into memory cannot fail");
}

/// Whether it is only asked whether an entry is there.
fn is_proof(search: &LdapSearchRequest) -> bool {
    search.scope == LdapSearchScope::Base && search.attrs == ["1.1"]
}

fn has_cookie(message: &LdapMsg) -> bool {
    message.ctrl.iter().any(
        |control| matches!(control, LdapControl::SimplePagedResults { cookie, .. } if !cookie.is_empty()),
    )
}

impl AsyncRead for Server {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = into.remaining().min(self.answers.len());
        into.put_slice(&self.answers[..count]);
        self.answers.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Server {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.requests.extend_from_slice(bytes);
        loop {
            let request = LdapCodec::default().decode(&mut self.requests);
            match request.expect("the client sends what the codec understands") {
                Some(request) => self.answer(&request),
                None => return Poll::Ready(Ok(bytes.len())),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
