//! The list of employees: filter, order, page.

use super::Desk;
use super::envelope::{Data, Reply};
use super::request::Call;
use super::state::{Employee, Sip};
use super::text::{digits, like, trim};
use serde::Serialize;
use serde_json::Value;
use std::cmp::Ordering;

const PROCESSOR: &str = "Employees\\GetListAction::main";
const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 1000;

#[derive(Debug, Serialize)]
pub(super) struct List {
    data: Vec<Row>,
    #[serde(rename = "recordsTotal")]
    total: i64,
    #[serde(rename = "recordsFiltered")]
    filtered: i64,
}

#[derive(Debug, Serialize)]
struct Row {
    id: u64,
    number: String,
    user_username: String,
    user_email: String,
    mobile: String,
    avatar: String,
    disabled: bool,
}

pub(super) fn list(desk: &Desk<'_>, call: &Call) -> Reply {
    let filter = Filter::new(&call.text("search"));
    let mut found: Vec<&Employee> =
        desk.state.employees().filter(|employee| filter.matches(employee)).collect();
    sort(&mut found, &call.text("order_by"), call.text("order_direction") == "DESC");
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX).saturating_add(desk.faults.total);
    let (skip, take) = page(call);
    let rows = found.into_iter().skip(skip).take(take).map(|employee| row(desk, employee));
    let list = List { data: rows.collect(), total, filtered: total };
    Reply { data: Data::List(list), ..Reply::ok("getList", PROCESSOR, Value::Null) }
}

enum Filter {
    All,
    Id(Option<u64>),
    Number(String),
    /// As patterns of `LIKE`.
    Email(String),
    Mobile(String),
    Anything(String),
}

impl Filter {
    fn new(search: &str) -> Self {
        let search = trim(search).to_lowercase();
        let value = |prefix: &str| search.strip_prefix(prefix).map(|value| trim(value).to_owned());
        if let Some(id) = value("id:") {
            return Filter::Id(id.parse().ok());
        }
        if let Some(email) = value("email:") {
            return Filter::Email(format!("%{email}%"));
        }
        if let Some(number) = value("number:") {
            return Filter::Number(number);
        }
        if let Some(mobile) = value("mobile:") {
            return Filter::Mobile(format!("%{}%", digits(&mobile)));
        }
        if search.is_empty() { Filter::All } else { Filter::Anything(format!("%{search}%")) }
    }

    fn matches(&self, employee: &Employee) -> bool {
        let sip = employee.sip.as_ref();
        match self {
            Filter::All => true,
            Filter::Id(id) => *id == Some(employee.id),
            Filter::Number(number) => sip.is_some_and(|sip| sip.number == *number),
            Filter::Email(pattern) => sip.is_some() && like(pattern, &employee.email),
            // Matched against the dialstring as it is stored.
            Filter::Mobile(pattern) => {
                let dialstring = employee.mobile.as_ref().map_or("", |mobile| &mobile.dialstring);
                !dialstring.is_empty() && like(pattern, dialstring)
            }
            Filter::Anything(pattern) => {
                like(pattern, &employee.username) || sip.is_some_and(|sip| like(pattern, &sip.search_index))
            }
        }
    }
}

/// By one column, without a tie-breaker but the order of the rows.
fn sort(employees: &mut [&Employee], column: &str, descending: bool) {
    let compare: fn(&Employee, &Employee) -> Ordering = match column {
        "number" => |a, b| cast(internal(a)).cmp(&cast(internal(b))),
        "mobile" => |a, b| cast(mobile(a)).cmp(&cast(mobile(b))),
        "email" => |a, b| a.email.cmp(&b.email),
        _ => |a, b| a.username.cmp(&b.username),
    };
    // An unknown column falls back to the name, and then upwards.
    let descending = descending && matches!(column, "number" | "mobile" | "email" | "username" | "");
    employees.sort_by(|a, b| if descending { compare(b, a) } else { compare(a, b) });
}

/// How many rows to skip and to show. Without limit and offset it is all.
fn page(call: &Call) -> (usize, usize) {
    let (limit, offset) = (call.integer("limit"), call.integer("offset"));
    if limit.is_none() && offset.is_none() {
        return (0, usize::MAX);
    }
    let limit = limit.filter(|limit| *limit > 0).unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let as_count = |n: i64| usize::try_from(n).unwrap_or(0);
    (as_count(offset.unwrap_or(0)), as_count(limit))
}

fn row(desk: &Desk<'_>, employee: &Employee) -> Row {
    Row {
        id: employee.id,
        number: internal(employee).to_owned(),
        user_username: employee.username.clone(),
        user_email: employee.email.clone(),
        mobile: mobile(employee).to_owned(),
        avatar: desk.state.pictures.url(employee.id, &employee.avatar),
        disabled: employee.sip.as_ref().is_some_and(|sip: &Sip| sip.disabled),
    }
}

fn internal(employee: &Employee) -> &str {
    employee.sip.as_ref().map_or("", |sip| &sip.number)
}

fn mobile(employee: &Employee) -> &str {
    match &employee.mobile {
        Some(mobile) if mobile.dialstring.is_empty() => &mobile.number,
        Some(mobile) => &mobile.dialstring,
        None => "",
    }
}

/// SQLite's cast of a text to an integer.
fn cast(text: &str) -> u64 {
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().unwrap_or(0)
}
