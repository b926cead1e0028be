//! Where the kinds of servers differ: ids, marks, account state, the filter
//! for people, and how a write is protected against lost updates.

use crate::dn;
use crate::entry::{Entry, file_time_ms};
use crate::filter::{self, FilterError};
use crate::map::AttributeMap;
use crate::settings::{Kind, Settings, SignIn};
use ldap3_proto::proto::LdapFilter;
use reconcile::{Account, Mark, PersonId};
use uuid::Uuid;

/// `accountExpires` says *never* with 0 or with the largest number.
const NEVER: i64 = i64::MAX;
const ACCOUNT_DISABLED: i64 = 2;
/// The lock time that stands for a lock by an administrator.
const LOCKED_FOR_GOOD: &str = "000001010000Z";

/// How an attribute that looks empty is protected while we fill it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyGuard {
    /// A critical assertion that it is still empty.
    Assertion,
    /// A plain add, the post-read control, and taking ours back if another
    /// value stands beside it.
    PostRead,
    /// A plain add: attributes are single-valued, a filled one answers 20.
    /// Where they are not, the value is looked at afterwards.
    Add,
}

/// How an entry is found again by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `<GUID=…>` is a DN on Active Directory.
    Guid,
    /// By a filter on this attribute.
    Filter(String),
    /// A binary attribute no filter of ours can hold: by DN, then by looking
    /// at everybody.
    Scan(String),
}

impl Kind {
    pub(crate) fn empty_guard(self) -> EmptyGuard {
        match self {
            Kind::OpenLdap => EmptyGuard::Assertion,
            Kind::Ds389 | Kind::FreeIpa => EmptyGuard::PostRead,
            Kind::ActiveDirectory => EmptyGuard::Add,
        }
    }

    /// What the server's own entry gives away; 389 DS stands for FreeIPA too.
    pub(crate) fn of_root(root: &Entry) -> Option<Kind> {
        let vendor = root.text("vendorName").unwrap_or_default();
        if !root.values("forestFunctionality").is_empty() || vendor.contains("Samba") {
            Some(Kind::ActiveDirectory)
        } else if vendor.contains("389 Project") {
            Some(Kind::Ds389)
        } else if root.text("structuralObjectClass") == Some("OpenLDAProotDSE") {
            Some(Kind::OpenLdap)
        } else {
            None
        }
    }

    fn id_attribute(self) -> &'static str {
        match self {
            Kind::ActiveDirectory => "objectGUID",
            Kind::OpenLdap => "entryUUID",
            Kind::Ds389 => "nsUniqueId",
            Kind::FreeIpa => "ipaUniqueID",
        }
    }

    fn mark_attribute(self) -> &'static str {
        match self {
            Kind::ActiveDirectory => "uSNChanged",
            Kind::OpenLdap => "entryCSN",
            Kind::Ds389 | Kind::FreeIpa => "entryusn",
        }
    }

    fn modified_attribute(self) -> &'static str {
        match self {
            Kind::ActiveDirectory => "whenChanged",
            _ => "modifyTimestamp",
        }
    }

    fn state_attributes(self) -> &'static [&'static str] {
        match self {
            Kind::ActiveDirectory => &["userAccountControl", "accountExpires", "lockoutTime"],
            Kind::OpenLdap => &["pwdAccountLockedTime"],
            Kind::Ds389 => &["nsAccountLock"],
            Kind::FreeIpa => &["nsAccountLock", "krbPrincipalExpiration"],
        }
    }

    fn people(self) -> &'static str {
        match self {
            // Computers have another category; the built-in accounts are critical.
            Kind::ActiveDirectory => {
                "(&(objectCategory=person)(objectClass=user)(!(isCriticalSystemObject=TRUE)))"
            }
            Kind::OpenLdap | Kind::Ds389 => "(|(objectClass=inetOrgPerson)(objectClass=person))",
            Kind::FreeIpa => "(&(objectClass=person)(objectClass=posixAccount))",
        }
    }
}

/// What marks of this session are prefixed with, so that marks of different
/// servers are never taken for each other: the invocation id on AD, the
/// address on 389 DS. slapd's are the same on all servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkSpace(pub Option<String>);

impl MarkSpace {
    pub fn mark(&self, number: &str) -> Option<Mark> {
        let prefix = self.0.as_ref()?;
        Some(Mark(format!("{prefix}:{number}").into()))
    }
}

impl Settings {
    pub fn id_attribute(&self) -> &str {
        self.id_attribute.as_deref().unwrap_or(self.kind.id_attribute())
    }

    /// Whether the server gives every entry an id, so that a missing one only
    /// means that we may not read it.
    pub(crate) fn ids_are_the_servers(&self) -> bool {
        self.id_attribute().eq_ignore_ascii_case(self.kind.id_attribute())
    }

    pub(crate) fn address(&self) -> Address {
        let attribute = self.id_attribute();
        match (self.kind, attribute) {
            (Kind::ActiveDirectory, guid) if guid.eq_ignore_ascii_case("objectGUID") => Address::Guid,
            (_, binary) if is_binary(binary) => Address::Scan(binary.to_owned()),
            (_, text) => Address::Filter(text.to_owned()),
        }
    }

    pub(crate) fn id_of(&self, entry: &Entry) -> Option<PersonId> {
        let attribute = self.id_attribute();
        let [value] = entry.values(attribute) else { return None };
        if is_binary(attribute) {
            let bytes: [u8; 16] = value.as_slice().try_into().ok()?;
            return Some(PersonId::new(Uuid::from_bytes_le(bytes).to_string()));
        }
        let text = std::str::from_utf8(value).ok()?.trim();
        let text = if self.ids_are_the_servers() { text.to_lowercase() } else { text.to_owned() };
        (!text.is_empty()).then(|| PersonId::new(text))
    }

    /// Who is in scope: the kind's people but not ourselves, narrowed by the
    /// administrator's groups and filter. Where we are known by DN, see [`Settings::own_dn`].
    pub(crate) fn people_filter(&self) -> Result<LdapFilter, FilterError> {
        self.filter_with(self.group_filter())
    }

    /// The same, whatever groups they are members of.
    pub(crate) fn filter_without_groups(&self) -> Result<LdapFilter, FilterError> {
        self.filter_with(None)
    }

    fn filter_with(&self, groups: Option<LdapFilter>) -> Result<LdapFilter, FilterError> {
        let mut all = vec![filter::parse(self.kind.people())?];
        all.extend(self.not_ourselves());
        all.extend(groups);
        let narrower = self.filter.as_deref().map(filter::parse).transpose()?;
        Ok(filter::all(LdapFilter::And(all), narrower))
    }

    /// What keeps the account we sign in with out of the people on Active
    /// Directory, where it is a user like all others.
    fn not_ourselves(&self) -> Vec<LdapFilter> {
        let SignIn::Simple { dn: name } = &self.sign_in else { return Vec::new() };
        let name = name.trim();
        let not = |attribute, value| LdapFilter::Not(Box::new(filter::equal(attribute, value)));
        if self.kind != Kind::ActiveDirectory {
            Vec::new()
        } else if dn::parse(name).is_ok() {
            vec![not("distinguishedName", name)]
        } else if let Some((_, user)) = name.split_once('\\') {
            vec![not("sAMAccountName", user)]
        } else if let Some((user, _)) = name.rsplit_once('@') {
            vec![not("userPrincipalName", name), not("sAMAccountName", user)]
        } else {
            Vec::new()
        }
    }

    /// The DN we sign in with, parsed. Its entry is nobody in scope, and only
    /// Active Directory can be asked to leave it out.
    pub(crate) fn own_dn(&self) -> Option<Vec<String>> {
        match &self.sign_in {
            SignIn::Simple { dn } if self.kind != Kind::ActiveDirectory => dn::parse(dn).ok(),
            _ => None,
        }
    }

    /// Attributes a person is read from beside the mapped ones.
    pub(crate) fn own_attributes(&self) -> Vec<String> {
        let kind = self.kind;
        let mut names = vec![self.id_attribute(), kind.mark_attribute(), kind.modified_attribute()];
        names.extend(kind.state_attributes());
        names.into_iter().map(str::to_owned).collect()
    }

    pub(crate) fn mark_of(&self, entry: &Entry, space: &MarkSpace) -> Option<Mark> {
        let text = entry.text(self.kind.mark_attribute())?;
        match self.kind {
            Kind::OpenLdap => Some(Mark(text.into())),
            Kind::ActiveDirectory => space.mark(text),
            // 389 was once seen to give two changes of one entry the same number.
            Kind::Ds389 | Kind::FreeIpa => {
                let modified = entry.text(self.kind.modified_attribute()).unwrap_or_default();
                space.mark(&format!("{text}@{modified}"))
            }
        }
    }

    pub(crate) fn modified_ms(&self, entry: &Entry) -> Option<i64> {
        entry.time_ms(self.kind.modified_attribute())
    }
}

/// The account's state, and when it will expire if it has not yet.
/// `now_ms` is by the directory's clock.
pub(crate) fn account(kind: Kind, map: &AttributeMap, entry: &Entry, now_ms: i64) -> (Account, Option<i64>) {
    let expiry = expiry_ms(kind, entry);
    let (disabled, lock) = match kind {
        Kind::ActiveDirectory => {
            let disabled =
                entry.number("userAccountControl").is_some_and(|bits| bits & ACCOUNT_DISABLED != 0);
            let locked_out = entry.number("lockoutTime").is_some_and(|time| time != 0);
            (disabled, locked_out.then_some(Account::LockedOut))
        }
        Kind::OpenLdap => {
            let lock = entry.text("pwdAccountLockedTime");
            let for_good = lock.is_some_and(|time| time.trim() == LOCKED_FOR_GOOD);
            (false, lock.map(|_| if for_good { Account::Locked } else { Account::LockedOut }))
        }
        Kind::Ds389 | Kind::FreeIpa => (entry.flag("nsAccountLock"), None),
    };
    let account = match lock {
        _ if disabled || says_disabled(map, entry) => Account::Disabled,
        _ if expiry.is_some_and(|expiry| expiry <= now_ms) => Account::Expired,
        Some(lock) => lock,
        None => Account::Enabled,
    };
    (account, expiry.filter(|expiry| *expiry > now_ms))
}

fn expiry_ms(kind: Kind, entry: &Entry) -> Option<i64> {
    match kind {
        Kind::ActiveDirectory => {
            entry.number("accountExpires").filter(|ticks| !matches!(*ticks, 0 | NEVER)).map(file_time_ms)
        }
        Kind::FreeIpa => entry.time_ms("krbPrincipalExpiration"),
        Kind::OpenLdap | Kind::Ds389 => None,
    }
}

fn says_disabled(map: &AttributeMap, entry: &Entry) -> bool {
    let Some(attribute) = &map.account_state else { return false };
    let words = ["true", "1", "yes", "disabled"];
    entry.texts(attribute).any(|text| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word)))
}

fn is_binary(attribute: &str) -> bool {
    ["objectGUID", "mS-DS-ConsistencyGuid"].iter().any(|known| known.eq_ignore_ascii_case(attribute))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3_proto::proto::{LdapPartialAttribute, LdapSearchResultEntry};

    const NOW: i64 = 1_800_000_000_000;

    fn entry(attributes: &[(&str, &str)]) -> Entry {
        let attribute = |(name, value): &(&str, &str)| LdapPartialAttribute {
            atype: (*name).to_owned(),
            vals: vec![value.as_bytes().to_vec()],
        };
        LdapSearchResultEntry {
            dn: "cn=x".to_owned(),
            attributes: attributes.iter().map(attribute).collect(),
        }
        .into()
    }

    fn state(kind: Kind, attributes: &[(&str, &str)]) -> Account {
        account(kind, &AttributeMap::default_of(kind), &entry(attributes), NOW).0
    }

    fn ticks(ms: i64) -> String {
        ((ms + 11_644_473_600_000) * 10_000).to_string()
    }

    #[test]
    fn active_directory_account_states() {
        let state = |attributes: &[(&str, &str)]| state(Kind::ActiveDirectory, attributes);
        assert_eq!(state(&[("userAccountControl", "512")]), Account::Enabled);
        assert_eq!(state(&[("userAccountControl", "514"), ("lockoutTime", "1")]), Account::Disabled);
        assert_eq!(state(&[("lockoutTime", "0")]), Account::Enabled);
        assert_eq!(state(&[("lockoutTime", "133800000000000000")]), Account::LockedOut);
        assert_eq!(state(&[("accountExpires", "0")]), Account::Enabled);
        assert_eq!(state(&[("accountExpires", "9223372036854775807")]), Account::Enabled);
        assert_eq!(state(&[("accountExpires", &ticks(NOW))]), Account::Expired);
        let map = AttributeMap::default_of(Kind::ActiveDirectory);
        let later = entry(&[("accountExpires", &ticks(NOW + 1))]);
        assert_eq!(account(Kind::ActiveDirectory, &map, &later, NOW), (Account::Enabled, Some(NOW + 1)));
    }

    #[test]
    fn other_servers_account_states() {
        let slapd = |time| state(Kind::OpenLdap, &[("pwdAccountLockedTime", time)]);
        assert_eq!(slapd("000001010000Z"), Account::Locked);
        assert_eq!(slapd("20261123075914Z"), Account::LockedOut);
        assert_eq!(state(Kind::Ds389, &[("nsAccountLock", "TRUE")]), Account::Disabled);
        assert_eq!(state(Kind::Ds389, &[("nsaccountlock", "false")]), Account::Enabled);
        assert_eq!(state(Kind::FreeIpa, &[("krbPrincipalExpiration", "20200101000000Z")]), Account::Expired);
    }

    #[test]
    fn a_configured_attribute_disables_too() {
        let mut map = AttributeMap::default_of(Kind::OpenLdap);
        map.account_state = Some("employeeType".to_owned());
        for (value, expected) in [
            ("Disabled", Account::Disabled),
            ("1", Account::Disabled),
            ("0", Account::Enabled),
            ("no", Account::Enabled),
        ] {
            let entry = entry(&[("employeeType", value)]);
            assert_eq!(account(Kind::OpenLdap, &map, &entry, NOW).0, expected, "{value}");
        }
    }

    #[test]
    fn a_server_is_known_by_its_own_entry() {
        for (attribute, value, kind) in [
            ("forestFunctionality", "7", Some(Kind::ActiveDirectory)),
            ("vendorName", "Samba Team (https://www.samba.org)", Some(Kind::ActiveDirectory)),
            ("vendorName", "389 Project", Some(Kind::Ds389)),
            ("structuralObjectClass", "OpenLDAProotDSE", Some(Kind::OpenLdap)),
            ("vendorName", "Somebody", None),
        ] {
            assert_eq!(Kind::of_root(&entry(&[(attribute, value)])), kind, "{value}");
        }
    }

    #[test]
    fn the_people_filters_are_filters() {
        for kind in Kind::ALL {
            assert!(filter::parse(kind.people()).is_ok(), "{kind}");
        }
    }
}
