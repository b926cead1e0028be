//! What our account may write, as far as the server tells. Nothing is written
//! to find out.

use crate::advice::{Doing, Refusal};
use crate::controls;
use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::Error;
use crate::session::Query;
use crate::settings::{Kind, SignIn};
use ldap3_proto::proto::LdapResultCode;
use reconcile::Field;
use serde::Serialize;

/// Whether our account may write one attribute of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MayWrite {
    Yes,
    No,
    /// The server does not tell; why, in words.
    Unknown(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttributeRight {
    pub field: Field,
    pub attribute: String,
    pub may_write: MayWrite,
}

const ASKING: &str = "asking for rights";

impl Directory {
    /// What our account may write of the person with this DN, for every field
    /// whose attribute is ever written: templates, inner numbers and the
    /// entry's name are not in the answer.
    pub async fn rights(&mut self, person_dn: &str) -> Result<Vec<AttributeRight>, Error> {
        let mapped: Vec<(Field, String)> = self
            .settings
            .map
            .fields
            .iter()
            .filter_map(|(field, source)| Some((field, source.as_ref()?.writable()?.to_owned())))
            .collect();
        let told = match self.settings.kind {
            _ if mapped.is_empty() => return Ok(Vec::new()),
            Kind::ActiveDirectory => self.allowed(person_dn).await?,
            Kind::Ds389 | Kind::FreeIpa => self.effective(person_dn, &mapped).await?,
            Kind::OpenLdap => Told::Nothing(
                "this kind of server does not tell what may be written: the first write will".to_owned(),
            ),
        };
        let right = |(field, attribute): (Field, String)| {
            let may_write = told.may_write(&attribute);
            AttributeRight { field, attribute, may_write }
        };
        Ok(mapped.into_iter().map(right).collect())
    }

    /// Active Directory works out what the asker may write.
    async fn allowed(&mut self, person_dn: &str) -> Result<Told, Error> {
        const EFFECTIVE: &str = "allowedAttributesEffective";
        let query = Query::entry(person_dn, vec![EFFECTIVE.to_owned()]);
        let entry = self.entry(ASKING, query).await?.ok_or_else(|| no_entry(person_dn))?;
        // Nobody who may write nothing has the attribute at all.
        Ok(Told::Writable(entry.texts(EFFECTIVE).map(str::to_lowercase).collect()))
    }

    /// 389 DS answers a control that asks for the rights of a subject.
    async fn effective(&mut self, person_dn: &str, mapped: &[(Field, String)]) -> Result<Told, Error> {
        let SignIn::Simple { dn: own } = &self.settings.sign_in else {
            return Ok(Told::Nothing(
                "the server tells what a name may write, and signing in by certificate gives none".to_owned(),
            ));
        };
        let asking = controls::effective_rights(own);
        let query = Query::entry(person_dn, mapped.iter().map(|(_, name)| name.clone()).collect());
        let (entries, end) = self.find_with(query, vec![asking]).await?;
        match end.result.code {
            LdapResultCode::Success => entries.first().map(effective_of).ok_or_else(|| no_entry(person_dn)),
            LdapResultCode::NoSuchObject => Err(no_entry(person_dn)),
            _ => {
                let refusal = Refusal::new(&end.result, Doing::Read);
                Ok(Told::Nothing(format!("the server does not tell what may be written: {refusal}")))
            }
        }
    }
}

/// What the server said.
enum Told {
    Nothing(String),
    /// Names in lower case.
    Writable(Vec<String>),
}

impl Told {
    fn may_write(&self, attribute: &str) -> MayWrite {
        match self {
            Told::Nothing(why) => MayWrite::Unknown(why.clone()),
            Told::Writable(names) if names.contains(&attribute.to_lowercase()) => MayWrite::Yes,
            Told::Writable(_) => MayWrite::No,
        }
    }
}

/// `attributeLevelRights: mail:rscwo, cn:rsc, sipPassword:none`. Exchanging a
/// value takes both `w`, to add one, and `o`, to remove one.
fn effective_of(entry: &Entry) -> Told {
    const RIGHTS: &str = "attributeLevelRights";
    if entry.values(RIGHTS).is_empty() {
        return Told::Nothing("the server's answer does not say what may be written".to_owned());
    }
    let each =
        entry.texts(RIGHTS).flat_map(|text| text.split(',')).filter_map(|one| one.trim().split_once(':'));
    let writable =
        each.filter(|(_, rights)| *rights != "none" && rights.contains('w') && rights.contains('o'));
    Told::Writable(writable.map(|(name, _)| name.to_lowercase()).collect())
}

/// The attributes about which the server said this.
pub(crate) fn names(rights: &[AttributeRight], wanted: impl Fn(&MayWrite) -> bool) -> String {
    let names = rights.iter().filter(|right| wanted(&right.may_write)).map(|right| right.attribute.as_str());
    names.collect::<Vec<_>>().join(", ")
}

fn no_entry(dn: &str) -> Error {
    let refusal = Refusal::ours(format!("`{dn}` cannot be read any more"));
    Error::Refused { what: ASKING.to_owned(), refusal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3_proto::proto::{LdapPartialAttribute, LdapSearchResultEntry};

    #[test]
    fn both_ways_of_writing_are_needed() {
        let rights = LdapPartialAttribute {
            atype: "attributeLevelRights".to_owned(),
            vals: vec![b"mail:rscwo, cn:rsc, mobile:rscw, ipPhone:rsco, sipPassword:none".to_vec()],
        };
        let entry = LdapSearchResultEntry { dn: "cn=x".to_owned(), attributes: vec![rights] };
        let told = effective_of(&entry.into());
        for (name, expected) in [
            ("Mail", MayWrite::Yes),
            ("cn", MayWrite::No),
            ("mobile", MayWrite::No),
            ("ipPhone", MayWrite::No),
            // `none` has an o in it.
            ("sipPassword", MayWrite::No),
            ("title", MayWrite::No),
        ] {
            assert_eq!(told.may_write(name), expected, "{name}");
        }
        let silent = LdapSearchResultEntry { dn: "cn=x".to_owned(), attributes: Vec::new() };
        assert!(matches!(effective_of(&silent.into()).may_write("mail"), MayWrite::Unknown(_)));
    }
}
