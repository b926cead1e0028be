//! The detail of an employee, and the template of a new one.

use super::Desk;
use super::avatars::DEFAULT_URL;
use super::envelope::{Data, Reply};
use super::request::Call;
use super::secrets;
use super::state::{Employee, Forwarding, State};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const GET: &str = "Employees\\GetRecordAction::main";
const DEFAULT: &str = "Employees\\GetDefaultAction::main";
const ANYBODY: &str = "<i class=\"globe icon\"></i> Connections from any addresses are allowed";

pub(super) fn get(desk: &mut Desk<'_>, call: &Call) -> Reply {
    // The id of the path counts here, even 0.
    let Some(id) = call.record_id() else { return Reply::text("getRecord", GET, "User ID is required") };
    match detail(desk, id) {
        Some(data) => Reply::ok("getRecord", GET, data),
        None => Reply::text("getRecord", GET, format!("Employee with user_id {id} not found")),
    }
}

pub(super) fn get_default(desk: &mut Desk<'_>) -> Reply {
    Reply::ok("getDefault", DEFAULT, template(desk))
}

/// Everything about an employee. For a user without a phone, the template
/// shines through with a number and a secret that exist nowhere.
pub(super) fn detail(desk: &Desk<'_>, id: u64) -> Option<Value> {
    let employee = desk.state.employee(id)?;
    let mut data = match employee.sip {
        None => template(desk),
        Some(_) => json!({ "extensions_length": desk.state.extensions_length }),
    };
    data["id"] = json!(id.to_string());
    data["user_username"] = json!(employee.username);
    data["user_email"] = json!(employee.email);
    data["user_avatar"] = json!(desk.state.pictures.url(id, &employee.avatar));
    let mobile = employee.mobile.as_ref().map(|mobile| (&*mobile.number, &*mobile.dialstring));
    let (number, dialstring) = mobile.unwrap_or_default();
    data["mobile_number"] = json!(number);
    data["mobile_dialstring"] = json!(dialstring);
    show_sip(desk.state, employee, &mut data);
    Some(data)
}

pub(super) fn template(desk: &Desk<'_>) -> Value {
    let mut data = json!({
        "id": "",
        "user_username": "",
        "user_email": "",
        "user_avatar": DEFAULT_URL,
        "number": desk.state.next_number(),
        "extensions_length": desk.state.extensions_length,
        "sip_secret": secrets::generate(desk.random),
        "sip_enableRecording": true,
        "sip_dtmfmode": "auto",
        "sip_transport": "udp,tcp",
        "sip_manualattributes": "",
        "mobile_number": "",
        "mobile_dialstring": "",
        "sip_networkfilterid": "none",
        "sip_networkfilterid_represent": ANYBODY,
    });
    show_forwarding(desk.state, &Forwarding { ringlength: 45, ..Forwarding::default() }, &mut data);
    data
}

/// How a network filter is shown: its id, and its fragment of HTML.
pub(super) fn filter<'a>(state: &'a State, id: &'a str) -> (&'a str, &'a str) {
    match id {
        "" => ("none", ANYBODY),
        id => (id, state.filters.get(id).map_or("", String::as_str)),
    }
}

/// The reply of a save: the record as it is read again.
pub(super) fn saved(desk: &Desk<'_>, id: u64, reply: Reply) -> Reply {
    Reply { data: Data::Json(detail(desk, id).unwrap_or_default()), ..reply }
}

fn show_sip(state: &State, employee: &Employee, data: &mut Value) {
    let Some(sip) = &employee.sip else { return };
    let transport = if sip.transport.is_empty() { "udp,tcp" } else { &sip.transport };
    let (filter_id, filter_represent) = filter(state, &sip.networkfilterid);
    data["number"] = json!(sip.number);
    data["sip_secret"] = json!(sip.secret.expose_secret());
    data["sip_enableRecording"] = json!(sip.enable_recording);
    data["sip_dtmfmode"] = json!(sip.dtmfmode);
    data["sip_transport"] = json!(transport);
    data["sip_manualattributes"] = json!(sip.manualattributes);
    data["sip_networkfilterid"] = json!(filter_id);
    data["sip_networkfilterid_represent"] = json!(filter_represent);
    show_forwarding(state, &sip.forwarding, data);
}

fn show_forwarding(state: &State, forwarding: &Forwarding, data: &mut Value) {
    data["fwd_ringlength"] = json!(forwarding.ringlength);
    let names = ["fwd_forwarding", "fwd_forwardingonbusy", "fwd_forwardingonunavailable"];
    for (name, target) in names.into_iter().zip(forwarding.targets()) {
        data[name] = json!(target);
        data[format!("{name}_represent")] = json!(state.represent(target).unwrap_or_default());
    }
}
