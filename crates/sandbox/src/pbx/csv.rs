//! `employees:export` and `:exportTemplate`: a file behind a link that nobody
//! has to sign in for. The import is absent.

use super::Desk;
use super::envelope::{Refusal, Reply, local_time};
use super::request::Call;
use super::secrets::random_text;
use super::state::{Employee, Mobile, Sip};
use secrecy::ExposeSecret;
use serde_json::json;

const MINIMAL: [&str; 7] = [
    "number",
    "user_username",
    "user_email",
    "mobile_number",
    "sip_secret",
    "fwd_ringlength",
    "fwd_forwarding",
];
const STANDARD: [&str; 6] = [
    "mobile_dialstring",
    "sip_dtmfmode",
    "sip_transport",
    "sip_enableRecording",
    "fwd_forwardingonbusy",
    "fwd_forwardingonunavailable",
];
const FULL: [&str; 2] = ["user_avatar", "sip_manualattributes"];
const BOM: &str = "\u{feff}";
const FILES_MAX: usize = 16;

pub(super) fn export(desk: &mut Desk<'_>, call: &Call) -> Reply {
    const PROCESSOR: &str = "Employees\\ExportCSVAction::main";
    let format = format_of(call);
    let Some(columns) = columns(&format) else {
        return Reply::text("export", PROCESSOR, "Invalid format. Allowed values: minimal, standard, full");
    };
    let bound = |name: &str| {
        call.params.get("filter")?.get(name).and_then(super::request::scalar)?.parse::<u64>().ok()
    };
    let range = bound("number_from").zip(bound("number_to"));
    let inside = |sip: &Sip| match range {
        Some((from, to)) => sip.number.parse().is_ok_and(|number| (from..=to).contains(&number)),
        // It works with both bounds only.
        None => true,
    };
    let employees = desk.state.employees();
    let rows: Vec<(&Employee, &Sip)> = employees
        .filter_map(|employee| Some((employee, employee.sip.as_ref()?)))
        .filter(|(_, sip)| inside(sip))
        .collect();
    if rows.is_empty() {
        let nobody = Refusal::text("");
        let reply = Reply::refused("export", PROCESSOR, nobody);
        return Reply { messages: json!({ "warning": ["No employees found for export"] }), ..reply };
    }
    let count = rows.len();
    let mut file = format!("{BOM}{}\n", columns.join(","));
    for (employee, sip) in rows {
        let values: Vec<String> =
            columns.iter().map(|column| quoted(&value(desk, employee, sip, column))).collect();
        file += &values.join(",");
        file.push('\n');
    }
    let stamp = local_time(desk.now_ms).replace(' ', "_").replace(':', "-");
    let filename = publish(desk, &format!("employees_{stamp}.csv"), file);
    Reply::ok("export", PROCESSOR, json!({ "filename": filename, "count": count, "format": format }))
}

pub(super) fn template(desk: &mut Desk<'_>, call: &Call) -> Reply {
    let asked = format_of(call);
    let (format, columns) = match columns(&asked) {
        Some(columns) => (asked, columns),
        None => ("standard".to_owned(), [&MINIMAL[..], &STANDARD].concat()),
    };
    let filename = publish(desk, "employee_import_template.csv", format!("{BOM}{}\n", columns.join(",")));
    let data = json!({ "filename": filename, "format": format });
    Reply::ok("exportTemplate", "Employees\\ExportCSVAction::template", data)
}

/// Nothing was ever uploaded here.
pub(super) fn import(function: &str, call: &Call) -> Reply {
    const PROCESSOR: &str = "Employees\\ImportCSVAction::main";
    let missing = call.text("upload_id").is_empty();
    Reply::text(function, PROCESSOR, if missing { "Upload ID is required" } else { "Import file not found" })
}

fn format_of(call: &Call) -> String {
    match call.text("format") {
        format if format.is_empty() => "standard".to_owned(),
        format => format,
    }
}

fn columns(format: &str) -> Option<Vec<&'static str>> {
    match format {
        "minimal" => Some(MINIMAL.to_vec()),
        "standard" => Some([&MINIMAL[..], &STANDARD].concat()),
        "full" => Some([&MINIMAL[..], &STANDARD, &FULL].concat()),
        _ => None,
    }
}

/// Values are raw: an empty transport stays empty.
fn value(desk: &Desk<'_>, employee: &Employee, sip: &Sip, column: &str) -> String {
    let mobile =
        |value: fn(&Mobile) -> &String| employee.mobile.as_ref().map(value).cloned().unwrap_or_default();
    match column {
        "number" => sip.number.clone(),
        "user_username" => employee.username.clone(),
        "user_email" => employee.email.clone(),
        "mobile_number" => mobile(|mobile| &mobile.number),
        "mobile_dialstring" => mobile(|mobile| &mobile.dialstring),
        "sip_secret" => sip.secret.expose_secret().to_owned(),
        "sip_dtmfmode" => sip.dtmfmode.clone(),
        "sip_transport" => sip.transport.clone(),
        "sip_enableRecording" => u8::from(sip.enable_recording).to_string(),
        "sip_manualattributes" => sip.manualattributes.clone(),
        "fwd_ringlength" => sip.forwarding.ringlength.to_string(),
        "fwd_forwarding" => sip.forwarding.always.clone(),
        "fwd_forwardingonbusy" => sip.forwarding.on_busy.clone(),
        "fwd_forwardingonunavailable" => sip.forwarding.on_unavailable.clone(),
        _ => desk.state.pictures.url(employee.id, &employee.avatar),
    }
}

fn quoted(value: &str) -> String {
    if value.contains([',', '"', ' ', '\t', '\n', '\r', '\\']) {
        return format!("\"{}\"", value.replace('"', "\"\""));
    }
    value.to_owned()
}

fn publish(desk: &mut Desk<'_>, name: &str, file: String) -> String {
    let path = format!("/pbxcore/files/cache/{}/{name}", random_text(desk.random, 24));
    desk.files.push_back((path.clone(), file.into()));
    if desk.files.len() > FILES_MAX {
        desk.files.pop_front();
    }
    path
}
