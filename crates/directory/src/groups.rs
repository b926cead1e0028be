//! Members of groups. People are searched by what their entries say
//! (`memberOf`); that an entry does not say it proves nothing by itself, for
//! the server may keep no `memberOf`, or hide it. The group is asked then.

use crate::advice::{Doing, Refusal};
use crate::directory::Directory;
use crate::error::Error;
use crate::filter;
use crate::session::Query;
use crate::settings::{Kind, Settings};
use ldap3_proto::proto::{LdapFilter, LdapMatchingRuleAssertion, LdapResultCode, LdapSearchScope};

/// Active Directory follows a name through groups in groups.
const CHAIN: &str = "1.2.840.113556.1.4.1941";
/// Members of a group whose entries are looked at.
const MEMBERS_TRIED: usize = 10;

impl Settings {
    /// The members of any of the groups; none where groups do not matter.
    pub(crate) fn group_filter(&self) -> Option<LdapFilter> {
        let any: Vec<LdapFilter> = self.groups.iter().map(|group| self.named_in("memberOf", group)).collect();
        (!any.is_empty()).then_some(LdapFilter::Or(any))
    }

    /// Whether this name stands in the attribute, on Active Directory also by
    /// way of other groups.
    fn named_in(&self, attribute: &str, name: &str) -> LdapFilter {
        match self.kind {
            Kind::ActiveDirectory => LdapFilter::Extensible(LdapMatchingRuleAssertion {
                matching_rule: Some(CHAIN.to_owned()),
                type_: Some(attribute.to_owned()),
                match_value: name.to_owned(),
                dn_attributes: false,
            }),
            _ => filter::equal(attribute, name),
        }
    }
}

impl Directory {
    /// Why it is not proved that somebody is no member of any group, if so.
    pub(crate) async fn may_be_member(&mut self, person_dn: &str) -> Result<Option<String>, Error> {
        for group in self.settings.groups.clone() {
            let why = match self.contradiction(&group).await? {
                Ok(None) => self.named_by(&group, person_dn).await?,
                Ok(contradiction) => contradiction,
                Err(refusal) => {
                    Some(format!("nobody can tell whether `{person_dn}` left the group `{group}`: {refusal}"))
                }
            };
            if why.is_some() {
                return Ok(why);
            }
        }
        Ok(None)
    }

    /// Where a group names members whose entries do not say so: then nobody's
    /// entry can be trusted. On Active Directory the server works both out of
    /// one thing.
    pub(crate) async fn contradiction(
        &mut self,
        group: &str,
    ) -> Result<Result<Option<String>, Refusal>, Error> {
        let attribute = match self.member_attribute(group).await? {
            Ok(attribute) => attribute,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if self.settings.kind == Kind::ActiveDirectory {
            return Ok(Ok(None));
        }
        let query = Query::entry(group, vec![attribute.to_owned()]);
        let Some(entry) = self.entry("looking at a group", query).await? else { return Ok(Ok(None)) };
        for member in entry.texts(attribute).take(MEMBERS_TRIED) {
            // Members may be on another server, or gone.
            let there = match self.answers(member, filter::any_entry()).await {
                Err(Error::Refused { .. }) => false,
                answer => answer?,
            };
            if there && !self.answers(member, self.settings.named_in("memberOf", group)).await? {
                return Ok(Ok(Some(unsaid(group, member))));
            }
        }
        Ok(Ok(None))
    }

    /// Whether the group has a member that the account may see.
    pub(crate) async fn has_members(&mut self, group: &str) -> Result<bool, Error> {
        match self.member_attribute(group).await? {
            Ok(attribute) => self.answers(group, LdapFilter::Present(attribute.to_owned())).await,
            Err(_) => Ok(false),
        }
    }

    /// Whether the entry passes the filter.
    pub(crate) async fn answers(&mut self, dn: &str, filter: LdapFilter) -> Result<bool, Error> {
        let query = Query {
            base: dn.to_owned(),
            scope: LdapSearchScope::Base,
            filter,
            attributes: vec!["1.1".to_owned()],
        };
        Ok(self.entry(&format!("looking at `{dn}`"), query).await?.is_some())
    }

    /// Why it is not proved that this group does not name somebody, if so.
    async fn named_by(&mut self, group: &str, person_dn: &str) -> Result<Option<String>, Error> {
        let attribute = match self.member_attribute(group).await? {
            Ok(attribute) => attribute,
            Err(refusal) => return Ok(Some(refusal.to_string())),
        };
        let named = self.settings.named_in(attribute, person_dn);
        // Of an attribute we may not read neither is true.
        if self.answers(group, LdapFilter::Not(Box::new(named.clone()))).await? {
            return Ok(None);
        }
        Ok(Some(match self.answers(group, named).await? {
            true => unsaid(group, person_dn),
            false => format!("the account may not see who is a member of `{group}`"),
        }))
    }

    /// Where a group keeps its members.
    async fn member_attribute(&mut self, group: &str) -> Result<Result<&'static str, Refusal>, Error> {
        let query = Query::entry(group, vec!["objectClass".to_owned()]);
        let (entries, end) = self.find(query).await?;
        if end.result.code != LdapResultCode::Success {
            return Ok(Err(Refusal::new(&end.result, Doing::Read)));
        }
        let Some(entry) = entries.first() else {
            return Ok(Err(Refusal::ours("the account is not allowed to see the group")));
        };
        let unique = entry.texts("objectClass").any(|class| class.eq_ignore_ascii_case("groupOfUniqueNames"));
        Ok(Ok(if unique { "uniqueMember" } else { "member" }))
    }
}

fn unsaid(group: &str, person_dn: &str) -> String {
    format!(
        "`{person_dn}` is a member of `{group}`, but their entry does not say so: let the server keep `memberOf` \
         (OpenLDAP: the overlay memberof, and the groups filled again after it was switched on), and let the account \
         read it"
    )
}
