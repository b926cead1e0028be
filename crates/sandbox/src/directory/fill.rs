//! What a directory holds when it starts, and how the people of a company
//! get into it.

use super::dn::{Dn, Rdn};
use super::schema::{Personality, Shape};
use super::{Directory, Error};
use crate::company::{Account, CITIES, COMPANY_NAME, Company, DEPARTMENTS, Person};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use uuid::Uuid;

pub const PEOPLE_UNIT: &str = "Сотрудники";
pub const GROUPS_UNIT: &str = "Группы";
/// AD's way to say that an account never expires.
const NEVER: &str = "9223372036854775807";
/// The first of January 2020 and 2025, as AD counts: in 100 ns since 1601.
const EXPIRED: &str = "132223104000000000";
const LOCKED_AT: &str = "133801632000000000";

impl Directory {
    /// The unit that holds the people of a company.
    pub fn people_unit(&self) -> String {
        self.text(&self.unit(PEOPLE_UNIT))
    }

    /// Takes a company in: units by city and department, people, and one group
    /// for each department of each city.
    pub fn populate(&self, company: &Company) -> Result<(), Error> {
        let (people, groups) = (self.unit(PEOPLE_UNIT), self.unit(GROUPS_UNIT));
        self.found_unit(self.base(), PEOPLE_UNIT)?;
        self.found_unit(self.base(), GROUPS_UNIT)?;
        for (city, _) in CITIES {
            let city_unit = people.child(rdn("ou", city));
            self.found_unit(&self.text(&people), city)?;
            for (department, _) in DEPARTMENTS {
                self.found_unit(&self.text(&city_unit), department)?;
            }
        }
        let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for person in &company.people {
            let unit = people.child(rdn("ou", CITIES[person.city].0));
            let unit = unit.child(rdn("ou", DEPARTMENTS[person.department].0));
            let group = format!("{}-{}", CITIES[person.city].1, DEPARTMENTS[person.department].1);
            let group_dn = self.text(&groups.child(rdn("cn", &group)));
            let dn = self.take_in(&unit, group_dn, person)?;
            members.entry(group).or_default().push(dn);
        }
        for (name, members) in members {
            let class = match self.personality() {
                Personality::OpenLdap => "groupOfNames",
                Personality::ActiveDirectory => "group",
            };
            let mut attributes = vec![("objectClass", class)];
            attributes.extend(members.iter().map(|member| ("member", member.as_str())));
            self.plant(&groups, ("cn".to_owned(), name), &attributes, self.new_id())?;
        }
        Ok(())
    }

    /// Adds one person of a company; says under what name.
    fn take_in(&self, unit: &Dn, group: String, person: &Person) -> Result<String, Error> {
        let ad = self.personality() == Personality::ActiveDirectory;
        // AD wants a name that nobody else in the unit has.
        let cn = match person.display.chars().count() {
            _ if !ad => person.display.clone(),
            0..40 => format!("{} ({})", person.display, person.login),
            _ => person.login.clone(),
        };
        let own = if ad { rdn("cn", &cn) } else { rdn("uid", &person.login) };
        let mut all = vec![
            ("sn", person.family.as_str()),
            ("givenName", &person.given),
            ("displayName", &person.display),
            ("title", person.title),
            ("l", CITIES[person.city].0),
        ];
        let optional = [
            ("mail", &person.mail),
            ("mobile", &person.mobile),
            (if ad { "otherMobile" } else { "mobile" }, &person.second_mobile),
            ("ipPhone", &person.extension),
        ];
        all.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
        if let Some(secret) = &person.sip_password {
            all.push(("sipPassword", secret.expose_secret()));
        }
        let principal = format!("{}@{}", person.login, crate::company::MAIL_DOMAIN);
        if ad {
            all.extend([
                ("objectClass", "user"),
                ("sAMAccountName", &person.login),
                ("userPrincipalName", &principal),
            ]);
            all.extend([("department", DEPARTMENTS[person.department].0), ("company", COMPANY_NAME)]);
        } else {
            all.extend([("objectClass", "inetOrgPerson"), ("objectClass", "pbxPerson"), ("cn", &cn)]);
            all.extend([("ou", DEPARTMENTS[person.department].0), ("o", COMPANY_NAME)]);
        }
        all.extend(state_of(person.account, ad));
        self.plant(unit, own[0].clone(), &all, person.id)?;
        self.plant_rest(person, ad, group)?;
        Ok(self.text(&unit.child(own)))
    }

    /// What no request may carry: the picture is no text, and `memberOf` is
    /// kept by the server.
    fn plant_rest(&self, person: &Person, ad: bool, group: String) -> Result<(), Error> {
        let mut state = self.state();
        let key = state.tree.key_of(person.id).map(str::to_owned).unwrap_or_default();
        let mut attributes = state.tree.get(&key).map(|entry| entry.attributes.clone()).unwrap_or_default();
        let picture = if ad { "thumbnailPhoto" } else { "jpegPhoto" };
        let mut put = |name: &str, values: Vec<Vec<u8>>| {
            let attribute = self.personality().attribute(name);
            let attribute = attribute.ok_or_else(|| Error::NoAttribute(name.to_owned()))?;
            super::tree::put(&mut attributes, attribute, values);
            Ok(())
        };
        put(picture, person.photo.iter().map(|photo| photo.jpeg()).collect())?;
        put("memberOf", vec![group.into_bytes()])?;
        let at = state.last;
        state.tree.update(&key, attributes, at, false);
        Ok(())
    }

    /// The root, and on AD what every domain has.
    pub(super) fn lay_out(&self, root: &Dn) {
        let ad = self.personality() == Personality::ActiveDirectory;
        let dc = root.first().and_then(|rdn| rdn.first()).map(|(_, value)| value.clone()).unwrap_or_default();
        self.put_entry(root, &[("objectClass", if ad { "domainDNS" } else { "domain" }), ("dc", &dc)]);
        if !ad {
            return;
        }
        let place = |text: &str| Dn::parse(&format!("{text},{}", self.base())).unwrap_or_default();
        let container = ("objectClass", "container");
        for name in [
            "CN=Users",
            "CN=Computers",
            "CN=Configuration",
            "CN=Schema,CN=Configuration",
            "CN=Servers,CN=Configuration",
            "CN=DC1,CN=Servers,CN=Configuration",
        ] {
            self.put_entry(&place(name), &[container]);
        }
        self.put_entry(
            &place("CN=NTDS Settings,CN=DC1,CN=Servers,CN=Configuration"),
            &[("objectClass", "nTDSDSA"), ("invocationId", "")],
        );
        for (name, class, flags, critical) in [
            ("CN=Administrator,CN=Users", "user", "512", true),
            ("CN=Guest,CN=Users", "user", "546", true),
            ("CN=PC-001,CN=Computers", "computer", "4096", false),
        ] {
            let login = name.split([',', '=']).nth(1).unwrap_or_default();
            let mut attributes =
                vec![("objectClass", class), ("sAMAccountName", login), ("userAccountControl", flags)];
            attributes.extend(critical.then_some(("isCriticalSystemObject", "TRUE")));
            self.put_entry(&place(name), &attributes);
        }
        for attribute in self.personality().attributes() {
            let single = self.personality().shape(attribute) == Shape::One;
            let number = attribute.int_id().map(|number| number.to_string());
            let mut attributes = vec![
                ("objectClass", "attributeSchema"),
                ("lDAPDisplayName", attribute.name),
                ("attributeID", attribute.oid()),
                ("isSingleValued", if single { "TRUE" } else { "FALSE" }),
            ];
            attributes.extend(number.as_deref().map(|number| ("msDS-IntId", number)));
            self.put_entry(&place(&format!("CN={},CN=Schema,CN=Configuration", attribute.name)), &attributes);
        }
    }

    /// Puts an entry in without any check, for what the server itself makes.
    fn put_entry(&self, dn: &Dn, attributes: &[(&str, &str)]) {
        let mut all = super::tree::Attributes::new();
        let naming = dn.first().into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in attributes.iter().copied().chain(naming) {
            let Some(attribute) = self.personality().attribute(name) else { continue };
            let values = match name {
                "invocationId" => vec![self.0.site.invocation.to_bytes_le().to_vec()],
                "objectClass" if self.personality() == Personality::ActiveDirectory => {
                    super::schema::lineage(value).into_iter().map(|class| class.as_bytes().to_vec()).collect()
                }
                _ => vec![value.as_bytes().to_vec()],
            };
            super::tree::put(&mut all, attribute, values);
        }
        let id: Uuid = self.new_id();
        let mut state = self.state();
        let at = self.next_tick(state.last);
        state.tree.insert(dn, id, all, at);
        state.last = at;
    }

    /// A unit right below the root.
    fn unit(&self, name: &str) -> Dn {
        Dn::parse(self.base()).unwrap_or_default().child(rdn("ou", name))
    }

    fn text(&self, dn: &Dn) -> String {
        dn.text(self.personality().spelling())
    }
}

fn rdn(name: &str, value: &str) -> Rdn {
    vec![(name.to_owned(), value.to_owned())]
}

/// How each server says what state an account is in. OpenLDAP knows no expiry.
fn state_of(account: Account, ad: bool) -> Vec<(&'static str, &'static str)> {
    let (control, expires) = ("userAccountControl", "accountExpires");
    match (account, ad) {
        (Account::Enabled, true) => vec![(control, "512"), (expires, NEVER)],
        (Account::Disabled, true) => vec![(control, "514"), (expires, NEVER)],
        (Account::Expired, true) => vec![(control, "512"), (expires, EXPIRED)],
        (Account::LockedOut, true) => vec![(control, "512"), (expires, NEVER), ("lockoutTime", LOCKED_AT)],
        (Account::Disabled, false) => vec![("pwdAccountLockedTime", "000001010000Z")],
        (Account::LockedOut, false) => vec![("pwdAccountLockedTime", "20250101000000Z")],
        (Account::Enabled | Account::Expired, false) => Vec::new(),
    }
}
