//! What both sides hold right now, read behind their backs, as values that can
//! be compared.

use crate::stage::{REGION, STAFF, attribute};
use directory::Kind;
use reconcile::canonical::{self, Fingerprinter};
use reconcile::{Field, FieldMap, Unusable, Value};
use sandbox::directory::Directory;
use sandbox::pbx::Pbx;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonTruth {
    pub dn: String,
    pub values: FieldMap<Vec<Value>>,
    /// Whether the account may be used.
    pub enabled: bool,
    pub in_scope: bool,
}

impl PersonTruth {
    pub fn is_active(&self) -> bool {
        self.enabled && self.in_scope
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmployeeTruth {
    pub values: FieldMap<Option<Value>>,
}

pub fn people(directory: &Directory, kind: Kind, prints: &Fingerprinter) -> BTreeMap<Uuid, PersonTruth> {
    let person = |id: Uuid| {
        let entry = directory.entry(id)?;
        let values = FieldMap::from_fn(|field| {
            let stored = entry.attributes.get(attribute(kind, field));
            let mut values: Vec<Value> =
                stored.into_iter().flatten().map(|bytes| in_directory(field, bytes, prints)).collect();
            values.sort();
            values
        });
        let enabled = match kind {
            Kind::ActiveDirectory => {
                let flags = entry.text("userAccountControl").and_then(|flags| flags.parse::<i64>().ok());
                flags.is_none_or(|flags| flags & 2 == 0)
            }
            Kind::OpenLdap | Kind::Ds389 | Kind::FreeIpa => entry.text("pwdAccountLockedTime").is_none(),
        };
        let in_scope = entry.dn.to_lowercase().contains(&format!("ou={},", STAFF.to_lowercase()));
        Some((id, PersonTruth { dn: entry.dn, values, enabled, in_scope }))
    };
    directory.people().into_iter().filter_map(person).collect()
}

pub fn employees(pbx: &Pbx, prints: &Fingerprinter) -> BTreeMap<u64, EmployeeTruth> {
    let employees = pbx.employees().into_iter().filter_map(|employee| {
        let sip = employee.sip?;
        let text = |text: &str, read: &dyn Fn(&str) -> Result<Value, Unusable>| {
            (!text.is_empty()).then(|| read(text).unwrap_or_else(unusable))
        };
        let mut values = FieldMap::default();
        values[Field::Name] = text(&employee.username, &canonical::name);
        values[Field::Extension] = text(&sip.number, &canonical::extension);
        values[Field::Email] = text(&employee.email, &canonical::email);
        values[Field::Mobile] = employee
            .mobile
            .and_then(|mobile| text(&mobile.number, &|raw| canonical::mobile_in_pbx(raw, Some(REGION))));
        values[Field::SipPassword] = prints.secret(sip.secret.expose_secret().as_bytes()).ok();
        values[Field::Photo] =
            pbx.picture(employee.id).map(|bytes| canonical::photo(&bytes).unwrap_or_else(unusable));
        Some((employee.id, EmployeeTruth { values }))
    });
    employees.collect()
}

fn in_directory(field: Field, bytes: &[u8], prints: &Fingerprinter) -> Value {
    let text = String::from_utf8_lossy(bytes);
    let value = match field {
        Field::Name => canonical::name(&text),
        Field::Extension => canonical::extension(&text),
        Field::Mobile => canonical::mobile(&text, Some(REGION)),
        Field::Email => canonical::email(&text),
        Field::Photo => canonical::photo(bytes),
        Field::SipPassword => prints.secret(bytes),
    };
    value.unwrap_or_else(unusable)
}

/// Something nothing can be done with is still something.
fn unusable(bad: Unusable) -> Value {
    let canonical = format!("unusable {}", bad.raw);
    Value::new(bad.raw, canonical)
}

pub fn is_unusable(value: &Value) -> bool {
    value.canonical().starts_with("unusable ")
}
