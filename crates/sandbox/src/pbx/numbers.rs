//! What may be asked about numbers: the list of all, whether one is free, who
//! has it; and the small read-only resources beside the employees.

use super::Desk;
use super::envelope::Reply;
use super::request::Call;
use super::secrets;
use super::state::{Holder, State};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

struct Extension<'a> {
    number: &'a str,
    kind: &'static str,
    callerid: &'a str,
}

/// `GET extensions`. Here the documented order parameters do work.
pub(super) fn list(desk: &Desk<'_>, call: &Call) -> Reply {
    let (search, kind) = (call.text("search").to_lowercase(), call.text("type"));
    let wanted = |extension: &Extension<'_>| {
        (kind.is_empty() || extension.kind == kind)
            && (extension.number.contains(&search) || extension.callerid.to_lowercase().contains(&search))
    };
    let mut found: Vec<Extension<'_>> = extensions(desk.state).into_iter().filter(wanted).collect();
    match call.text("order").as_str() {
        "callerid" => found.sort_by(|a, b| a.callerid.cmp(b.callerid)),
        "type" => found.sort_by(|a, b| a.kind.cmp(b.kind)),
        _ => found.sort_by(|a, b| a.number.cmp(b.number)),
    }
    if call.text("orderWay") == "DESC" {
        found.reverse();
    }
    let count = |name: &str| call.integer(name).and_then(|n| usize::try_from(n).ok());
    let limit = count("limit").filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let rows = found.into_iter().skip(count("offset").unwrap_or(0)).take(limit).map(|extension| {
        let Extension { number, kind, callerid } = extension;
        json!({ "id": number, "number": number, "type": kind, "callerid": callerid })
    });
    Reply::ok("getList", "Extensions\\GetListAction::main", rows.collect())
}

/// An exact look-up, whose answer is a success either way.
pub(super) fn available(desk: &Desk<'_>, call: &Call) -> Reply {
    let number = call.text("number");
    if number.is_empty() {
        let processor = "ExtensionsManagementProcessor::callBack";
        return Reply::text("available", processor, "Empty number value in POST/GET data");
    }
    let data = match desk.state.holder(&number) {
        None => json!({ "available": true }),
        Some(Holder::Employee(id)) => {
            let represent = desk.state.represent(&number);
            json!({ "available": false, "userId": id, "represent": represent })
        }
        Some(Holder::Foreign) => {
            let parking = desk.state.foreign().get(&number).is_some_and(|foreign| foreign.kind == "PARKING");
            let key = if parking { "ex_ThisNumberOverlapWithParkingSlots" } else { "ex_ThisNumberIsNotFree" };
            json!({ "available": false, "represent": key })
        }
    };
    Reply::ok("available", "Extensions\\Utils::ifNumberAvailable", data)
}

pub(super) fn phones_represent(desk: &Desk<'_>, call: &Call) -> Reply {
    let numbers = call.params.get("numbers").and_then(Value::as_array).into_iter().flatten();
    let shown: Map<String, Value> = numbers
        .filter_map(super::request::scalar)
        .map(|number| {
            let represent = desk.state.represent(&number).unwrap_or_else(|| number.clone());
            (number.clone(), json!({ "number": number, "represent": represent }))
        })
        .collect();
    Reply::ok("getPhonesRepresent", "Extensions\\Utils::getPhonesRepresent", Value::Object(shown))
}

/// `GET users:available`: exact, case-sensitive, the first match only.
pub(super) fn email_available(desk: &Desk<'_>, call: &Call) -> Reply {
    const PROCESSOR: &str = "Users\\AvailableAction::main";
    let email = call.text("email");
    if email.is_empty() {
        return Reply::text("available", PROCESSOR, "Empty email value in POST/GET data");
    }
    let Some(owner) = desk.state.employees().find(|employee| employee.email == email) else {
        return Reply::ok("available", PROCESSOR, json!({ "available": true }));
    };
    let mut represent = format!("<i class=\"user outline icon\"></i> {}", owner.username);
    let sip = owner.sip.as_ref().map(|sip| &sip.number);
    let mobile = owner.mobile.as_ref().map(|mobile| &mobile.number);
    for number in sip.into_iter().chain(mobile) {
        represent = format!("{represent} <{number}>");
    }
    Reply::ok(
        "available",
        PROCESSOR,
        json!({ "userId": owner.id, "represent": represent, "available": false }),
    )
}

/// `GET sip/{number}:getSecret`. An unknown number has an empty secret.
pub(super) fn secret(desk: &Desk<'_>, number: &str) -> Reply {
    let sip = desk.state.by_internal_number(number).and_then(|employee| employee.sip.as_ref());
    let secret = sip.map_or("", |sip| sip.secret.expose_secret());
    Reply::ok("getSecret", "Sip\\GetSecretAction::main", json!({ "number": number, "secret": secret }))
}

pub(super) fn generate_password(desk: &Desk<'_>, call: &Call) -> Reply {
    const SPECIALS: &[u8] = b"!@#$%^*_-+";
    let length = call.integer("length").unwrap_or(16).clamp(8, 64) as usize;
    let special = matches!(call.text("includeSpecial").as_str(), "1" | "true");
    let mut password = secrets::random_text(desk.random, length);
    if special {
        let which = super::faults::below(desk.random, SPECIALS.len() as u64) as usize;
        password.replace_range(..1, &char::from(SPECIALS[which]).to_string());
    }
    let score = secrets::score(&password);
    let strength = match score {
        80.. => "strong",
        60.. => "good",
        40.. => "fair",
        _ => "weak",
    };
    let data = json!({
        "password": password, "length": length, "score": score, "strength": strength, "hasSpecialChars": special,
    });
    Reply::ok("generate", "Passwords\\GenerateAction::main", data)
}

/// The one general setting that a synchroniser asks for.
pub(super) fn setting(desk: &Desk<'_>, name: &str) -> Reply {
    const PROCESSOR: &str = "GeneralSettings\\GetSettingsAction::getSingleSetting";
    match name {
        "PBXInternalExtensionLength" => {
            Reply::ok("getRecord", PROCESSOR, json!({ name: desk.state.extensions_length }))
        }
        _ => Reply::text("getRecord", PROCESSOR, format!("Unknown setting: {name}")),
    }
}

fn extensions(state: &State) -> Vec<Extension<'_>> {
    let mut all: Vec<Extension<'_>> = Vec::with_capacity(state.employees().len() * 2 + state.foreign().len());
    for employee in state.employees() {
        let sip = employee.sip.as_ref();
        all.extend(sip.map(|sip| Extension { number: &sip.number, kind: "SIP", callerid: &sip.callerid }));
        let mobile = employee.mobile.as_ref();
        all.extend(mobile.map(|mobile| Extension {
            number: &mobile.number,
            kind: "EXTERNAL",
            callerid: &mobile.callerid,
        }));
    }
    let foreign = state.foreign().iter();
    all.extend(foreign.map(|(number, row)| Extension { number, kind: row.kind, callerid: &row.callerid }));
    all
}
