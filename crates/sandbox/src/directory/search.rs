//! Searches on a connection: what is allowed, in which pieces it goes out, and
//! where a paged one goes on.

use super::account::Rights;
use super::faults::Faults;
use super::filter::Filter;
use super::schema::Personality;
use super::session::{Next, Session, check_critical, strike, success};
use super::view::{self, Piece, Query, Selection};
use super::write::{Refusal, find};
use futures_util::SinkExt;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::{LdapFilter, LdapOp, LdapResult, LdapSearchRequest};
use ldap3_proto::{LdapMsg, LdapResultCode as Code, LdapSearchResultReference, LdapSearchScope};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// How many entries are made ready, or held by one page of AD, at a time.
const PIECE_ENTRIES_MAX: usize = 500;
const AD_PAGE_MAX: usize = 1000;

/// The one paged search of a connection.
pub(super) struct Paging {
    cookie: Vec<u8>,
    /// What was searched: a cookie goes on with the same search only.
    of: String,
    after: String,
    sent: usize,
    pages: u32,
}

/// A search that was allowed.
struct Plan {
    query: Query,
    rights: Rights,
    limits: Limits,
    of: String,
    /// Whether it ends with a reference to the configuration.
    refer: bool,
    after: Option<String>,
    sent: usize,
    pages: u32,
}

struct Limits {
    /// Entries a page; nothing for a search that is not paged.
    page: Option<usize>,
    /// Entries in all.
    total: usize,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Session<S> {
    pub(super) async fn search(
        &mut self,
        msgid: i32,
        request: LdapSearchRequest,
        controls: &[LdapControl],
        faults: &Faults,
    ) -> io::Result<Next> {
        let reply = |op| LdapMsg { msgid, op, ctrl: Vec::new() };
        if request.base.is_empty() && request.scope == LdapSearchScope::Base {
            let now_ms = self.directory.0.clock.now_ms();
            let usn = self.directory.state().last.usn;
            let entry = view::root_dse(&self.directory.0.site, usn, now_ms, &request.attrs);
            self.wire.feed(reply(LdapOp::SearchResultEntry(entry))).await?;
            self.wire.send(reply(LdapOp::SearchResultDone(success(Code::Success)))).await?;
            return Ok(Next::Go);
        }
        if self.is_subschema(&request) {
            let entry = self.rights().map(|_| view::subschema(&self.directory.0.site, &request.attrs));
            let result = match entry {
                Ok(entry) => {
                    self.wire.feed(reply(LdapOp::SearchResultEntry(entry))).await?;
                    success(Code::Success)
                }
                Err(refusal) => refusal.into_result(),
            };
            self.wire.send(reply(LdapOp::SearchResultDone(result))).await?;
            return Ok(Next::Go);
        }
        let plan = match self.plan(&request, controls, faults) {
            Ok(plan) => plan,
            Err(refusal) => {
                self.wire.send(reply(LdapOp::SearchResultDone(refusal.into_result()))).await?;
                return Ok(Next::Go);
            }
        };
        let Some(done) = self.send_entries(msgid, plan, faults).await? else { return Ok(Next::Stop) };
        self.wire.send(LdapMsg { msgid, op: LdapOp::SearchResultDone(done.0), ctrl: done.1 }).await?;
        Ok(Next::Go)
    }

    /// Whether it is the schema that is asked for, which is no entry of the tree.
    fn is_subschema(&self, request: &LdapSearchRequest) -> bool {
        let key = |text: &str| super::Dn::parse(text).map(|dn| dn.key());
        request.scope == LdapSearchScope::Base
            && key(&request.base) == key(&self.directory.0.site.subschema())
    }

    fn plan(
        &mut self,
        request: &LdapSearchRequest,
        controls: &[LdapControl],
        faults: &Faults,
    ) -> Result<Plan, Refusal> {
        let count = self.count(|counts| &mut counts.searches);
        strike(&faults.search, count)?;
        let personality = self.directory.personality();
        let forgotten = names_by_id(request, personality) && {
            let count = self.count(|counts| &mut counts.lookups);
            faults.forget_ids.is_some_and(|from| count >= from)
        };
        if forgotten && personality == Personality::ActiveDirectory {
            return Err(Refusal::new(Code::NoSuchObject, "no such object"));
        }
        let rights = self.rights()?;
        let site = &self.directory.0.site;
        check_critical(personality, controls)?;
        let base = find(site, &self.directory.state().tree, &request.base)?;
        let of = format!("{base} {:?} {:?} {:?}", request.scope, request.filter, request.attrs);
        let page = controls.iter().find_map(|control| match control {
            LdapControl::SimplePagedResults { size, cookie } => {
                Some((usize::try_from(*size).unwrap_or(0), cookie))
            }
            _ => None,
        });
        let paging = match page {
            Some((0, _)) if personality == Personality::ActiveDirectory => {
                return Err(Refusal::new(Code::OperationsError, "page size 0"));
            }
            // A new paged search ends the one before it, and so does a wrong cookie.
            Some((_, cookie)) => match self.paging.take() {
                _ if cookie.is_empty() => None,
                Some(paging) if paging.cookie == *cookie && paging.of == of => Some(paging),
                _ => return Err(bad_cookie(personality)),
            },
            None => None,
        };
        let limits = Limits {
            page: page.map(|(size, _)| match personality {
                Personality::OpenLdap => size,
                Personality::ActiveDirectory => size.min(AD_PAGE_MAX),
            }),
            total: limits(personality, request, &rights, page.is_some(), faults),
        };
        let refer = personality == Personality::ActiveDirectory
            && request.scope == LdapSearchScope::Subtree
            && super::Dn::parse(&site.base).is_some_and(|dn| dn.key() == base)
            && !has_control(controls, view::DOMAIN_SCOPE);
        let query = Query {
            base,
            scope: request.scope.clone(),
            filter: match forgotten {
                true => Filter::new(&LdapFilter::Or(Vec::new()), personality, &|_| false),
                false => Filter::new(&request.filter, personality, &|name| !rights.sees(name)),
            },
            selection: Selection::new(&request.attrs, personality),
            types_only: request.typesonly,
        };
        let (sent, pages) = paging.as_ref().map_or((0, 0), |paging| (paging.sent, paging.pages));
        Ok(Plan { query, rights, limits, of, refer, sent, pages, after: paging.map(|paging| paging.after) })
    }

    /// Sends what a search finds, a piece at a time. `None` when the
    /// connection is to be dropped on the way.
    async fn send_entries(
        &mut self,
        msgid: i32,
        mut plan: Plan,
        faults: &Faults,
    ) -> io::Result<Option<(LdapResult, Vec<LdapControl>)>> {
        let page = plan.limits.page.map(|size| faults.page_short.map_or(size, |short| size.min(short)));
        let mut left = page.unwrap_or(usize::MAX);
        loop {
            let room = plan.limits.total.saturating_sub(plan.sent).min(left);
            let Piece { entries, after } = self.piece(&plan, room.min(PIECE_ENTRIES_MAX));
            left -= entries.len();
            plan.sent += entries.len();
            for entry in entries {
                self.wire
                    .feed(LdapMsg { msgid, op: LdapOp::SearchResultEntry(entry), ctrl: Vec::new() })
                    .await?;
                self.entries_sent += 1;
                if faults.cut_after.is_some_and(|cut| self.entries_sent >= cut) {
                    self.wire.flush().await?;
                    return Ok(None);
                }
            }
            plan.after = after;
            if plan.after.is_none() || left == 0 || plan.sent >= plan.limits.total {
                break;
            }
        }
        if plan.after.is_some() && plan.sent >= plan.limits.total {
            let refusal = Refusal::new(Code::SizeLimitExceeded, "");
            return Ok(Some((refusal.into_result(), Vec::new())));
        }
        if plan.refer && plan.after.is_none() {
            let site = &self.directory.0.site;
            let uris = vec![format!("ldap://sandbox.test/{}", site.configuration())];
            let reference = LdapOp::SearchResultReference(LdapSearchResultReference { uris });
            self.wire.feed(LdapMsg { msgid, op: reference, ctrl: Vec::new() }).await?;
        }
        let controls = plan.limits.page.map(|_| self.next_page(plan, faults));
        Ok(Some((success(Code::Success), controls.into_iter().collect())))
    }

    fn piece(&self, plan: &Plan, entries_max: usize) -> Piece {
        let state = self.directory.state();
        plan.query.piece(
            &self.directory.0.site,
            &state.tree,
            &plan.rights,
            plan.after.as_deref(),
            entries_max,
        )
    }

    /// Remembers where the next page starts, and gives the client its cookie.
    fn next_page(&mut self, plan: Plan, faults: &Faults) -> LdapControl {
        let pages = plan.pages + 1;
        let lost = faults.page_lost.is_some_and(|lost| pages >= lost);
        let Some(after) = plan.after.filter(|_| !lost) else { return cookie(Vec::new()) };
        self.cookies += 1;
        let bytes = self.cookies.to_be_bytes().to_vec();
        self.paging = Some(Paging { cookie: bytes.clone(), of: plan.of, after, sent: plan.sent, pages });
        cookie(bytes)
    }
}

/// Whether a search looks for one entry by its id.
fn names_by_id(request: &LdapSearchRequest, personality: Personality) -> bool {
    match personality {
        Personality::ActiveDirectory => request.base.starts_with("<GUID="),
        Personality::OpenLdap => {
            matches!(&request.filter, LdapFilter::Equality(name, _) if name.eq_ignore_ascii_case("entryUUID"))
        }
    }
}

fn has_control(controls: &[LdapControl], wanted: &str) -> bool {
    controls.iter().any(|control| matches!(control, LdapControl::Unknown { oid, .. } if oid == wanted))
}

fn bad_cookie(personality: Personality) -> Refusal {
    match personality {
        Personality::OpenLdap => Refusal::new(Code::ProtocolError, "paged results cookie is invalid or old"),
        Personality::ActiveDirectory => {
            Refusal::new(Code::UnwillingToPerform, "invalid paged results cookie")
        }
    }
}

fn cookie(cookie: Vec<u8>) -> LdapControl {
    LdapControl::SimplePagedResults { size: 0, cookie }
}

fn limits(
    personality: Personality,
    request: &LdapSearchRequest,
    rights: &Rights,
    paged: bool,
    faults: &Faults,
) -> usize {
    let asked = usize::try_from(request.sizelimit).ok().filter(|limit| *limit > 0);
    let unpaged = match personality {
        Personality::OpenLdap => rights.unpaged_max,
        Personality::ActiveDirectory => Some(AD_PAGE_MAX),
    };
    let all = [asked, rights.total_max, faults.size_limit, unpaged.filter(|_| !paged)];
    all.into_iter().flatten().min().unwrap_or(usize::MAX)
}
