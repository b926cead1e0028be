//! One connection: who is signed in, where its paged search stands, and the
//! answers in the order of the requests. There is never more than one request
//! in work, so there is nothing an Abandon could stop.

use super::account::{Account, Rights, Standing};
use super::faults::{Failure, Faults};
use super::filter::Filter;
use super::schema::Personality;
use super::search::Paging;
use super::view::{self, PAGED_RESULTS, Selection, View};
use super::wire::{self, Wire};
use super::write::{Refusal, Writer, find, parse};
use super::{Counts, Directory, State};
use futures_util::{SinkExt, StreamExt};
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{
    LdapBindCred, LdapBindRequest, LdapBindResponse, LdapCompareRequest, LdapExtendedRequest,
    LdapExtendedResponse, LdapModifyRequest, LdapOp, LdapResult, OID_WHOAMI,
};
use ldap3_proto::{DisconnectionNotice, LdapMsg, LdapResultCode as Code};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::Framed;

pub struct Session<S> {
    pub(super) directory: Directory,
    pub(super) wire: Framed<S, Wire>,
    /// The name of the account that signed in.
    who: Option<String>,
    pub(super) paging: Option<Paging>,
    pub(super) cookies: u64,
    requests: u64,
    pub(super) entries_sent: u64,
}

/// Whether the connection lives on.
#[derive(PartialEq)]
pub(super) enum Next {
    Go,
    Stop,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Session<S> {
    pub fn new(directory: Directory, stream: S) -> Self {
        let wire = Framed::new(stream, Wire);
        Session { directory, wire, who: None, paging: None, cookies: 0, requests: 0, entries_sent: 0 }
    }

    pub async fn run(mut self) -> io::Result<()> {
        while let Some(message) = self.wire.next().await {
            let Ok(message) = message else {
                let notice =
                    DisconnectionNotice::gen_response(Code::ProtocolError, "the message makes no sense");
                return self.wire.send(notice).await;
            };
            self.requests += 1;
            let faults = self.directory.state().faults.clone();
            if !faults.latency.is_zero() {
                self.directory.0.clock.sleep(faults.latency).await;
            }
            if faults.disconnect_at == Some(self.requests) {
                let notice = DisconnectionNotice::gen_response(Code::Unavailable, "the server is going down");
                return self.wire.send(notice).await;
            }
            if self.answer(message, &faults).await? == Next::Stop {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn answer(&mut self, message: LdapMsg, faults: &Faults) -> io::Result<Next> {
        let LdapMsg { msgid, op, ctrl } = message;
        let reply = |op| LdapMsg { msgid, op, ctrl: Vec::new() };
        let answer = match op {
            LdapOp::UnbindRequest => return Ok(Next::Stop),
            LdapOp::AbandonRequest(_) => return Ok(Next::Go),
            LdapOp::BindRequest(request) => reply(LdapOp::BindResponse(LdapBindResponse {
                res: result(self.bind(&request, faults)),
                saslcreds: None,
            })),
            LdapOp::SearchRequest(request) => return self.search(msgid, request, &ctrl, faults).await,
            LdapOp::CompareRequest(request) => reply(LdapOp::CompareResult(match self.compare(&request) {
                Ok(true) => success(Code::CompareTrue),
                Ok(false) => success(Code::CompareFalse),
                Err(refusal) => refusal.into_result(),
            })),
            LdapOp::ExtendedRequest(request) => reply(LdapOp::ExtendedResponse(self.extended(&request))),
            op => return self.write(msgid, op, &ctrl, faults).await,
        };
        self.wire.send(answer).await?;
        Ok(Next::Go)
    }

    fn bind(&mut self, request: &LdapBindRequest, faults: &Faults) -> Result<(), Refusal> {
        (self.who, self.paging) = (None, None);
        let count = self.count(|counts| &mut counts.binds);
        strike(&faults.bind, count)?;
        let LdapBindCred::Simple(password) = &request.cred else {
            return Err(Refusal::new(Code::AuthMethodNotSupported, "only simple binds"));
        };
        if request.version != 3 {
            return Err(Refusal::new(Code::ProtocolError, "only LDAP version 3"));
        }
        if request.dn.is_empty() && password.is_empty() {
            return Ok(());
        }
        let ad = self.directory.personality() == Personality::ActiveDirectory;
        if password.is_empty() && !ad {
            return Err(Refusal::new(
                Code::UnwillingToPerform,
                "unauthenticated bind (DN with no password) disallowed",
            ));
        }
        if !ad && super::Dn::parse(&request.dn).is_none() {
            return Err(Refusal::new(Code::InvalidDNSyntax, "invalid DN"));
        }
        let state = self.directory.state();
        let account = state.accounts.iter().find(|account| self.is_name_of(account, &request.dn));
        let account =
            account.filter(|account| account.has_password(password)).ok_or_else(|| invalid(ad, "52e"))?;
        match account.standing {
            Standing::Good => {}
            Standing::Disabled => return Err(invalid(ad, "533")),
            Standing::PasswordExpired => return Err(invalid(ad, "532")),
            Standing::MustChangePassword => return Err(invalid(ad, "773")),
            Standing::LockedOut => return Err(invalid(ad, "775")),
        }
        let name = account.name.clone();
        drop(state);
        self.who = Some(name);
        Ok(())
    }

    /// AD takes a DN, `name@domain` and `DOMAIN\name`; OpenLDAP a DN.
    fn is_name_of(&self, account: &Account, given: &str) -> bool {
        let (personality, base) = (self.directory.personality(), self.directory.base());
        let key = |text: &str| super::Dn::parse(text).map(|dn| dn.key());
        let by_dn = key(given).is_some_and(|given| Some(given) == key(&account.dn(personality, base)));
        let domain: Vec<&str> =
            base.split(',').filter_map(|rdn| rdn.split_once('=')).map(|(_, dc)| dc).collect();
        let netbios = domain.first().copied().unwrap_or_default();
        let names =
            [format!("{}@{}", account.name, domain.join(".")), format!("{netbios}\\{}", account.name)];
        by_dn
            || (personality == Personality::ActiveDirectory
                && names.iter().any(|name| name.to_lowercase() == given.to_lowercase()))
    }

    fn compare(&self, request: &LdapCompareRequest) -> Result<bool, Refusal> {
        let rights = self.rights()?;
        let state = self.directory.state();
        let site = &self.directory.0.site;
        let key = find(site, &state.tree, &request.dn)?;
        let undefined = || Refusal::new(Code::UndefinedAttributeType, "attribute type undefined");
        let attribute = site.personality.attribute(&request.atype).ok_or_else(undefined)?;
        if !rights.sees(attribute.name) {
            return Err(Refusal::new(Code::InsufficentAccessRights, ""));
        }
        let Some(entry) = state.tree.get(&key) else { return Err(Refusal::new(Code::NoSuchObject, "")) };
        let view = View { site, tree: &state.tree, rights: &rights, key: &key, entry };
        let values = view.read(attribute);
        match values.is_empty() {
            true => Err(Refusal::new(Code::NoSuchAttribute, "")),
            false => Ok(super::tree::position(attribute, &values, &request.val).is_some()),
        }
    }

    fn extended(&self, request: &LdapExtendedRequest) -> LdapExtendedResponse {
        let open = self.directory.personality() == Personality::OpenLdap;
        if request.name != OID_WHOAMI || !open {
            let res = Refusal::new(Code::ProtocolError, "unsupported extended operation").into_result();
            return LdapExtendedResponse { res, name: None, value: None };
        }
        let dn = self.who.as_deref().and_then(|name| self.directory.account_dn(name).ok());
        let value = dn.map(|dn| format!("dn:{dn}")).unwrap_or_default();
        LdapExtendedResponse { res: success(Code::Success), name: None, value: Some(value.into_bytes()) }
    }

    async fn write(
        &mut self,
        msgid: i32,
        op: LdapOp,
        controls: &[LdapControl],
        faults: &Faults,
    ) -> io::Result<Next> {
        let count = self.count(|counts| &mut counts.write_requests);
        let struck = strike(&faults.write, count);
        let mut ctrl = Vec::new();
        let mut done =
            |done: Result<Vec<LdapControl>, Refusal>| result(done.map(|controls| ctrl.extend(controls)));
        let op = match op {
            LdapOp::ModifyRequest(request) => {
                LdapOp::ModifyResponse(done(struck.and_then(|()| self.modify(&request, controls))))
            }
            LdapOp::AddRequest(request) => LdapOp::AddResponse(done(struck.and_then(|()| {
                let id = self.directory.new_id();
                self.change(controls, |writer| {
                    writer.add(&parse(&request.dn)?, &request.attributes, id).map(|()| true)
                })
            }))),
            LdapOp::DelRequest(dn) => LdapOp::DelResponse(done(
                struck.and_then(|()| self.change(controls, |writer| writer.delete(&dn).map(|()| true))),
            )),
            LdapOp::ModifyDNRequest(request) => LdapOp::ModifyDNResponse(done(
                struck.and_then(|()| self.change(controls, |writer| writer.rename(&request).map(|()| true))),
            )),
            // An answer, from a client: nobody can know what it means.
            _ => {
                let notice = DisconnectionNotice::gen_response(Code::ProtocolError, "not a request");
                self.wire.send(notice).await?;
                return Ok(Next::Stop);
            }
        };
        if faults.lose_answer.is_some_and(|every| count.is_multiple_of(every)) {
            return Ok(Next::Stop);
        }
        self.wire.send(LdapMsg { msgid, op, ctrl }).await?;
        Ok(Next::Go)
    }

    fn modify(
        &self,
        request: &LdapModifyRequest,
        controls: &[LdapControl],
    ) -> Result<Vec<LdapControl>, Refusal> {
        let personality = self.directory.personality();
        let rights = self.write_rights()?;
        check_critical(personality, controls)?;
        let bad = |what: &str| Refusal::new(Code::ProtocolError, format!("malformed {what} control"));
        let value =
            |oid| (personality == Personality::OpenLdap).then(|| control_value(controls, oid)).flatten();
        let assertion = match value(view::ASSERTION) {
            Some(value) => {
                let filter = wire::assertion(value).ok_or_else(|| bad("assertion"))?;
                Some(Filter::new(&filter, personality, &|name| !rights.sees(name)))
            }
            None => None,
        };
        let post_read = match value(view::POST_READ) {
            Some(value) => Some(wire::selection(value).ok_or_else(|| bad("post-read"))?),
            None => None,
        };
        let mut answer = Vec::new();
        self.change(controls, |writer| {
            let key = find(writer.site, writer.tree, &request.dn);
            let changed = writer.modify(&request.dn, &request.changes, assertion.as_ref())?;
            if let (Some(names), Ok(key)) = (&post_read, &key)
                && let Some(entry) = writer.tree.get(key)
            {
                let view = View { site: writer.site, tree: writer.tree, rights: &rights, key, entry };
                let entry = view.select(&Selection::new(names, personality), false);
                answer.push(LdapControl::Unknown {
                    oid: view::POST_READ.to_owned(),
                    criticality: false,
                    value: Some(wire::entry_value(entry)),
                });
            }
            Ok(changed)
        })?;
        Ok(answer)
    }

    /// Lets the account change the tree; what was asked is refused or done as a whole.
    fn change(
        &self,
        controls: &[LdapControl],
        change: impl FnOnce(&mut Writer<'_>) -> Result<bool, Refusal>,
    ) -> Result<Vec<LdapControl>, Refusal> {
        let rights = self.write_rights()?;
        check_critical(self.directory.personality(), controls)?;
        let mut state = self.directory.state();
        let at = self.directory.next_tick(state.last);
        let mut writer = Writer { site: &self.directory.0.site, tree: &mut state.tree, rights: &rights, at };
        let changed = change(&mut writer)?;
        // AD does not count a write that changed nothing.
        if changed || self.directory.personality() == Personality::OpenLdap {
            state.last = at;
        }
        state.counts.writes += u64::from(changed);
        Ok(Vec::new())
    }

    /// What the account may see. Nobody is somebody only after signing in.
    pub(super) fn rights(&self) -> Result<Rights, Refusal> {
        self.account_rights().ok_or_else(|| match self.directory.personality() {
            Personality::OpenLdap => Refusal::new(Code::NoSuchObject, ""),
            Personality::ActiveDirectory => Refusal::new(
                Code::OperationsError,
                "In order to perform this operation a successful bind must be completed on the connection.",
            ),
        })
    }

    fn write_rights(&self) -> Result<Rights, Refusal> {
        self.account_rights().ok_or_else(|| match self.directory.personality() {
            Personality::OpenLdap => {
                Refusal::new(Code::StrongerAuthRequired, "modifications require authentication")
            }
            Personality::ActiveDirectory => Refusal::new(Code::OperationsError, "bind first"),
        })
    }

    fn account_rights(&self) -> Option<Rights> {
        let who = self.who.as_deref()?;
        let state = self.directory.state();
        state.accounts.iter().find(|account| account.name == who).map(|account| account.rights.clone())
    }

    pub(super) fn count(&self, which: impl FnOnce(&mut Counts) -> &mut u64) -> u64 {
        let mut state = self.directory.state();
        let State { counts, .. } = &mut *state;
        let count = which(counts);
        *count += 1;
        *count
    }
}

pub(super) fn strike(failure: &Option<Failure>, count: u64) -> Result<(), Refusal> {
    match failure {
        Some(failure) if failure.strikes(count) => {
            Err(Refusal::new(failure.code.clone(), "a fault that was asked for"))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_critical(personality: Personality, controls: &[LdapControl]) -> Result<(), Refusal> {
    let known: &[&str] = match personality {
        Personality::OpenLdap => &view::OPEN_CONTROLS,
        Personality::ActiveDirectory => &view::AD_CONTROLS,
    };
    let unknown = controls.iter().find(|control| match control {
        LdapControl::Unknown { oid, criticality, .. } => *criticality && !known.contains(&oid.as_str()),
        LdapControl::SimplePagedResults { .. } => !known.contains(&PAGED_RESULTS),
        LdapControl::ManageDsaIT { criticality } => *criticality && !known.contains(&view::MANAGE_DSA_IT),
        LdapControl::SyncRequest { criticality, .. }
        | LdapControl::SearchOptions { criticality, .. }
        | LdapControl::ShowDeleted { criticality }
        | LdapControl::SdFlags { criticality, .. }
        | LdapControl::ExtendedDn { criticality, .. }
        | LdapControl::PasswordPolicyRequest { criticality } => *criticality,
        // The codec does not tell whether these were critical; they are worthless if ignored.
        LdapControl::AdDirsync { .. } | LdapControl::ServerSort { .. } => true,
        _ => false,
    });
    unknown.map_or(Ok(()), |_| {
        Err(Refusal::new(Code::UnavailableCriticalExtension, "critical extension is not recognized"))
    })
}

fn control_value<'a>(controls: &'a [LdapControl], wanted: &str) -> Option<&'a [u8]> {
    controls.iter().find_map(|control| match control {
        LdapControl::Unknown { oid, value, .. } if oid == wanted => value.as_deref(),
        _ => None,
    })
}

fn invalid(ad: bool, data: &str) -> Refusal {
    let text = if ad {
        format!("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {data}, v1db1")
    } else {
        String::new()
    };
    Refusal::new(Code::InvalidCredentials, text)
}

fn result(done: Result<(), Refusal>) -> LdapResult {
    done.map_or_else(Refusal::into_result, |()| success(Code::Success))
}

pub(super) fn success(code: Code) -> LdapResult {
    LdapResult { code, matcheddn: String::new(), message: String::new(), referral: Vec::new() }
}
