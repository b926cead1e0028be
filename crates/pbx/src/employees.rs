//! The list of all employees, and whether it was whole.

use crate::client::Pbx;
use crate::error::Error;
use crate::record::{picture, reading};
use crate::wire::Call;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reconcile::canonical;
use reconcile::{Employee, EmployeeId, Field, FieldMap, Reading, Snapshot, TakenNumber, Verdict};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;

/// Where pictures of one's own live.
pub(crate) const PICTURES: &str = "/avatars/";
/// The most that the PBX gives at once.
const PAGE_ROWS: usize = 1000;
const PAGES_MAX: usize = 200;
/// What a new PBX is set to; stands in where its setting cannot be read.
const EXTENSIONS_LENGTH: u32 = 3;

/// Everything the PBX says in one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub employees: Snapshot<Employee>,
    /// Every number that is in use, of any type, in order.
    pub numbers: Vec<TakenNumber>,
    /// The PBX's setting for the length of internal numbers.
    pub extensions_length: u32,
    /// Users of the PBX that are not employees.
    pub users_without_number: usize,
}

/// How far a read has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub read: usize,
    pub total: usize,
}

#[derive(Deserialize)]
pub(crate) struct Rows {
    pub data: Vec<Row>,
    #[serde(rename = "recordsTotal")]
    pub total: usize,
}

#[derive(Deserialize)]
pub(crate) struct Row {
    #[serde(deserialize_with = "id")]
    pub id: u64,
    number: Option<String>,
    user_username: Option<String>,
    user_email: Option<String>,
    mobile: Option<String>,
    avatar: Option<String>,
    #[serde(default)]
    disabled: bool,
}

/// The parts of a read that may be missing, in words.
#[derive(Default)]
struct Gaps(Vec<String>);

impl Gaps {
    fn verdict(self) -> Verdict {
        if self.0.is_empty() { Verdict::Complete } else { Verdict::Partial(self.0.join("; ")) }
    }
}

impl Pbx {
    /// Reads the employees, the taken numbers and the number length.
    pub async fn snapshot(&self, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Listing, Error> {
        let at_ms = self.wire.clock.now_ms();
        let mut gaps = Gaps::default();
        let rows = self.rows(&mut gaps, progress).await?;
        let users = rows.len();
        let employees: Vec<Employee> = rows.into_iter().filter_map(Row::into_employee).collect();
        let numbers = self.numbers_beside(&employees, &mut gaps).await?;
        let extensions_length = self.extensions_length(&mut gaps).await?;
        let users_without_number = users - employees.len();
        let employees = Snapshot { rows: employees, verdict: gaps.verdict(), at_ms };
        Ok(Listing { employees, numbers, extensions_length, users_without_number })
    }

    /// The employee that has this number, to find out what became of a
    /// creation whose answer was lost.
    pub async fn find(&self, number: &str) -> Result<Option<Employee>, Error> {
        let value = utf8_percent_encode(number, NON_ALPHANUMERIC);
        let rows: Rows =
            self.call(&Call::get(format!("employees?search=number%3A{value}"), "read the employees")).await?;
        let found = rows.data.into_iter().find(|row| row.number.as_deref() == Some(number));
        Ok(found.and_then(Row::into_employee))
    }

    /// All rows, each id once, in order of id.
    async fn rows(
        &self,
        gaps: &mut Gaps,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Vec<Row>, Error> {
        let whole = self.call::<Rows>(&Call::get("employees", "read the employees")).await;
        let mut rows = match whole {
            Err(Error::TooLarge { .. } | Error::NoAnswer { .. } | Error::Refused { .. }) => {
                self.pages(progress).await?
            }
            other => other?,
        };
        let (received, total) = (rows.data.len(), rows.total);
        rows.data.sort_by_key(|row| row.id);
        rows.data.dedup_by_key(|row| row.id);
        progress(Progress { read: rows.data.len(), total });
        if rows.data.len() != total || received != total {
            gaps.0.push(format!("the PBX counts {total} users but listed {}", rows.data.len()));
        }
        Ok(rows.data)
    }

    /// Page by page, for a PBX that cannot give everything at once. Sorted by
    /// number, because that alone is unique and so keeps its place.
    async fn pages(&self, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Rows, Error> {
        let mut all = Rows { data: Vec::new(), total: 0 };
        for page in 0..PAGES_MAX {
            let offset = page * PAGE_ROWS;
            let query =
                format!("employees?limit={PAGE_ROWS}&offset={offset}&order_by=number&order_direction=ASC");
            let rows: Rows = self.call(&Call::get(query, "read the employees")).await?;
            let is_last = rows.data.len() < PAGE_ROWS;
            all.total = rows.total;
            all.data.extend(rows.data);
            progress(Progress { read: all.data.len(), total: all.total });
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The taken numbers, with those of the employees in any case. A key that
    /// may not read them makes the read partial, not impossible.
    async fn numbers_beside(
        &self,
        employees: &[Employee],
        gaps: &mut Gaps,
    ) -> Result<Vec<TakenNumber>, Error> {
        let mut numbers = match self.numbers().await {
            Ok(numbers) => numbers,
            Err(error @ (Error::NotPermitted { .. } | Error::NoAnswer { .. } | Error::Refused { .. })) => {
                gaps.0.push(format!("the taken numbers are not known: {error}"));
                return Ok(employees.iter().filter_map(taken_by).collect());
            }
            Err(error) => return Err(error),
        };
        let known: BTreeSet<&str> = numbers.iter().map(|taken| &*taken.number).collect();
        let missing: Vec<TakenNumber> =
            employees.iter().filter_map(taken_by).filter(|taken| !known.contains(&*taken.number)).collect();
        if let Some(first) = missing.first() {
            gaps.0.push(format!(
                "{} numbers of employees, {} among them, are missing from the PBX's list of numbers",
                missing.len(),
                first.number
            ));
            numbers.extend(missing);
            numbers.sort_by(|a, b| a.number.cmp(&b.number));
        }
        Ok(numbers)
    }

    async fn extensions_length(&self, gaps: &mut Gaps) -> Result<u32, Error> {
        #[derive(Deserialize)]
        struct Template {
            extensions_length: u32,
        }
        let call = Call::get("employees:getDefault", "read the number length");
        match self.call::<Template>(&call).await {
            Ok(template) => Ok(template.extensions_length),
            Err(error @ (Error::NoAnswer { .. } | Error::Refused { .. })) => {
                gaps.0.push(format!("the length of internal numbers is not known: {error}"));
                Ok(EXTENSIONS_LENGTH)
            }
            Err(error) => Err(error),
        }
    }
}

impl Row {
    /// `None` for a user without a number, who is not an employee.
    fn into_employee(self) -> Option<Employee> {
        let number = self.number.filter(|number| !number.is_empty())?;
        let name = self.user_username.unwrap_or_default();
        let email = self.user_email.unwrap_or_default();
        let dial = self.mobile.unwrap_or_default();
        let avatar = self.avatar.unwrap_or_default();
        let fields = FieldMap::from_fn(|field| match field {
            Field::Name => reading(&name, canonical::name),
            Field::Extension => reading(&number, canonical::extension),
            Field::Email => reading(&email, canonical::email),
            // The list shows the dial string; the number is in the record.
            Field::Mobile if dial.is_empty() => Reading::Empty,
            Field::Photo => picture(&avatar),
            Field::Mobile | Field::SipPassword => Reading::NotLooked,
        });
        Some(Employee {
            id: EmployeeId(self.id),
            fields,
            dial: dial.into(),
            has_photo: avatar.starts_with(PICTURES),
            disabled: self.disabled,
        })
    }
}

fn taken_by(employee: &Employee) -> Option<TakenNumber> {
    let holder = |field| employee.fields[field].values().first().map(|value: &reconcile::Value| value.raw());
    Some(TakenNumber {
        number: holder(Field::Extension)?.into(),
        kind: "SIP".into(),
        holder: holder(Field::Name).unwrap_or_default().into(),
    })
}

/// An id is a number in lists and a string in records.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(id) => Ok(id),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}
