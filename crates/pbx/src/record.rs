//! One employee's record as the PBX stores it, with every field looked at.
//!
//! The secret is turned into its fingerprint here and goes no further, except
//! through [`Pbx::secret`].

use crate::client::Pbx;
use crate::employees::{PICTURES, Row, Rows};
use crate::error::Error;
use crate::wire::Call;
use reconcile::canonical::{self, Fingerprinter};
use reconcile::{EmployeeId, Field, FieldMap, Reading, Unusable, Value};
use secrecy::SecretString;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: EmployeeId,
    /// All looked at; a picture of one's own is `NotLooked`, because a record
    /// names it without showing it.
    pub fields: FieldMap<Reading>,
    pub has_photo: bool,
    pub mobile_number: String,
    pub dialstring: String,
    pub forwarding: Forwarding,
    /// The PBX's setting for the length of internal numbers.
    pub extensions_length: u32,
    pub(crate) name: String,
    pub(crate) number: String,
}

/// Where calls go when this phone does not take them. Empty: nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    pub unanswered: String,
    pub busy: String,
    pub unavailable: String,
    /// How long it rings before an unanswered call is forwarded.
    pub ring_s: u32,
}

impl Record {
    /// What the employee list would show as mobile.
    pub fn dial(&self) -> &str {
        if self.dialstring.is_empty() { &self.mobile_number } else { &self.dialstring }
    }
}

/// The record on the wire.
#[derive(Deserialize)]
pub(crate) struct Wired {
    #[serde(deserialize_with = "crate::employees::id")]
    id: u64,
    user_username: String,
    #[serde(default)]
    user_email: Option<String>,
    #[serde(default)]
    user_avatar: Option<String>,
    number: String,
    #[serde(default)]
    extensions_length: u32,
    #[serde(default, deserialize_with = "secret")]
    sip_secret: SecretString,
    #[serde(default)]
    fwd_ringlength: u32,
    #[serde(default)]
    fwd_forwarding: Option<String>,
    #[serde(default)]
    fwd_forwardingonbusy: Option<String>,
    #[serde(default)]
    fwd_forwardingonunavailable: Option<String>,
    #[serde(default)]
    mobile_number: Option<String>,
    #[serde(default)]
    mobile_dialstring: Option<String>,
}

impl Wired {
    pub(crate) fn into_record(self, fingerprinter: &Fingerprinter, region: Option<&str>) -> Record {
        use secrecy::ExposeSecret;
        let email = self.user_email.unwrap_or_default();
        let mobile_number = self.mobile_number.unwrap_or_default();
        let avatar = self.user_avatar.unwrap_or_default();
        let fields = FieldMap::from_fn(|field| match field {
            Field::Name => reading(&self.user_username, canonical::name),
            Field::Extension => reading(&self.number, canonical::extension),
            Field::Mobile => reading(&mobile_number, |raw| canonical::mobile_in_pbx(raw, region)),
            Field::Email => reading(&email, canonical::email),
            Field::Photo => picture(&avatar),
            Field::SipPassword => {
                reading(self.sip_secret.expose_secret(), |secret| fingerprinter.secret(secret.as_bytes()))
            }
        });
        Record {
            id: EmployeeId(self.id),
            has_photo: avatar.starts_with(PICTURES),
            fields,
            mobile_number,
            dialstring: self.mobile_dialstring.unwrap_or_default(),
            forwarding: Forwarding {
                unanswered: self.fwd_forwarding.unwrap_or_default(),
                busy: self.fwd_forwardingonbusy.unwrap_or_default(),
                unavailable: self.fwd_forwardingonunavailable.unwrap_or_default(),
                ring_s: self.fwd_ringlength,
            },
            extensions_length: self.extensions_length,
            name: self.user_username,
            number: self.number,
        }
    }
}

impl Pbx {
    /// Reads one record, or `None` if the PBX has no such employee.
    ///
    /// Only for employees that the list shows with a number: for a user
    /// without one the PBX answers with an invented number and secret.
    pub async fn record(&self, id: EmployeeId, region: Option<&str>) -> Result<Option<Record>, Error> {
        let wired = self.wired(id).await?;
        Ok(wired.map(|wired| wired.into_record(&self.fingerprinter, region)))
    }

    /// The SIP password itself, for the moment in which it is carried over.
    pub async fn secret(&self, id: EmployeeId) -> Result<SecretString, Error> {
        self.wired(id).await?.map(|wired| wired.sip_secret).ok_or(Error::Gone { id })
    }

    async fn wired(&self, id: EmployeeId) -> Result<Option<Wired>, Error> {
        let call = Call::get(format!("employees/{id}"), "read an employee").about(id);
        match self.call(&call).await {
            // 422 is "no such employee" and everything else, told apart by
            // translated text only. The list knows.
            Err(Error::Refused { .. } | Error::Gone { .. }) if self.row(id).await?.is_none() => Ok(None),
            other => other.map(Some),
        }
    }

    async fn row(&self, id: EmployeeId) -> Result<Option<Row>, Error> {
        let rows: Rows =
            self.call(&Call::get(format!("employees?search=id%3A{id}"), "read an employee")).await?;
        Ok(rows.data.into_iter().find(|row| row.id == id.0))
    }
}

/// An empty string in a whole record is a proved emptiness.
pub(crate) fn reading(raw: &str, canonical: impl FnOnce(&str) -> Result<Value, Unusable>) -> Reading {
    match raw {
        "" => Reading::Empty,
        raw => canonical(raw).map_or_else(Reading::Unusable, Reading::one),
    }
}

/// What the picture's address tells: nobody's, one's own, or one in the form
/// of old versions, which only a human can bring up to date.
pub(crate) fn picture(url: &str) -> Reading {
    if url.is_empty() || url.ends_with("/unknownPerson.jpg") {
        return Reading::Empty;
    }
    if url.starts_with(PICTURES) {
        return Reading::NotLooked;
    }
    Reading::Unusable(Unusable {
        raw: "a picture of an old PBX version".to_owned(),
        why: "save the employee in the PBX once to bring the picture up to date".to_owned(),
    })
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default().into())
}
