//! POST, PUT and PATCH of an employee: clean, check, store, answer.

use super::avatars::{self, Wish};
use super::envelope::{Refusal, Reply};
use super::fields::Draft;
use super::request::{Call, Params};
use super::{Desk, record, rows};
use http::Method;
use serde_json::{Value, json};

pub(super) const SAVE: &str = "Employees\\SaveRecordAction::main";
const NAME_MAX: usize = 100;

/// A POST with an id is no create: it updates that record, or makes a new one
/// that lacks the defaults.
pub(super) fn create(desk: &mut Desk<'_>, call: &Call) -> Reply {
    let known = call.record_id();
    let target = match known {
        None => Target::Create,
        Some(id) if desk.state.employee(id).is_some() => Target::Update(id),
        Some(_) => Target::New,
    };
    match save(desk, target, &call.params) {
        Ok(id) if known.is_none() => {
            let reply = record::saved(desk, id, Reply::ok("create", SAVE, Value::Null)).coded(201);
            Reply { reload: Some(format!("extensions/modify/{id}")), ..reply }
        }
        Ok(id) => record::saved(desk, id, Reply::ok("create", SAVE, Value::Null)).coded(200),
        Err(refusal) => Reply::refused("create", SAVE, refusal),
    }
}

pub(super) fn update(desk: &mut Desk<'_>, call: &Call) -> Reply {
    let Some(id) = call.record_id() else {
        let reply =
            Reply::text("update", "Common\\AbstractUpdateAction::main", "Employee ID is required for update");
        return reply.coded(400);
    };
    finish(desk, "update", id, &call.params)
}

/// Reads the stored record, merges, and saves all of it.
pub(super) fn patch(desk: &mut Desk<'_>, call: &Call) -> Reply {
    let Some(id) = call.record_id() else {
        return Reply::text("patch", "", "Employee ID is required for patch operation");
    };
    let Some(stored) = record::detail(desk, id) else {
        return Reply::text("patch", "", format!("Employee not found for patch operation (ID: {id})"))
            .coded(404);
    };
    let merged = merge(stored, &call.params);
    finish(desk, "patch", id, &merged)
}

fn finish(desk: &mut Desk<'_>, function: &str, id: u64, params: &Params) -> Reply {
    match save(desk, Target::Update(id), params) {
        Ok(id) => record::saved(desk, id, Reply::ok(function, SAVE, Value::Null)).coded(200),
        Err(refusal) => Reply::refused(function, SAVE, refusal),
    }
}

enum Target {
    Create,
    Update(u64),
    New,
}

fn save(desk: &mut Desk<'_>, target: Target, params: &Params) -> Result<u64, Refusal> {
    let create = matches!(target, Target::Create);
    let mut draft = Draft::clean(params, desk.faults.cut.unwrap_or(NAME_MAX).min(NAME_MAX))?;
    draft.make_name_safe()?;
    draft.require(create)?;
    let id = match target {
        Target::Update(id) if desk.state.employee(id).is_none() => {
            return Err(Refusal::text("Employee not found").coded(404));
        }
        Target::Update(id) => Some(id),
        Target::Create | Target::New => None,
    };
    if create {
        draft.add_defaults();
    }
    draft.check_schema()?;
    draft.check_business(desk.state, id)?;
    store(desk, id, draft).map_err(Refusal::text)
}

/// Stores one record, as a create or an update. What it leaves behind when it
/// fails are the messages sent so far, and the picture.
pub(super) fn store(desk: &mut Desk<'_>, id: Option<u64>, draft: Draft) -> Result<u64, String> {
    let messages = desk.state.outbox.len();
    let mut save = rows::Save::begin(desk.state, id);
    save.user(&draft);
    match Wish::read(draft.avatar.as_deref()) {
        Wish::Keep => {}
        Wish::Clear => save.clear_picture(),
        Wish::Replace(bytes) => save.set_picture(bytes, desk.now_ms),
        Wish::Refuse => {
            // The old file is gone by the time the new one turns out bad.
            save.lose_picture();
            return Err(avatars::INVALID.to_owned());
        }
    }
    save.end_user();
    save.extension(&draft).map_err(|error| format!("Failed to save SIP extension: {error}"))?;
    save.sip(&draft);
    save.forwarding(&draft);
    save.mobile(&draft)?;
    let id = save.commit();
    if desk.state.outbox.len() > messages {
        desk.state.revision += 1;
    }
    Ok(id)
}

/// The stored record with the fields of the request over it. Nulls mean
/// "unchanged", but for the two fields whose handlers look at the key alone.
fn merge(stored: Value, patch: &Params) -> Params {
    let Value::Object(mut merged) = stored else { return Params::new() };
    merged.remove("id");
    let is_empty =
        |value: &Value| matches!(value, Value::Null) || *value == json!("") || *value == json!("0");
    for (name, value) in patch {
        match name.as_str() {
            "id" => {}
            "sip_secret" if is_empty(value) => {}
            "mobile_number" if is_empty(value) => {
                merged.insert("mobile_number".to_owned(), json!(""));
                merged.insert("mobile_dialstring".to_owned(), json!(""));
            }
            "fwd_forwarding" if value.is_null() => {
                merged.remove("fwd_forwarding");
            }
            _ if value.is_null() => {}
            _ => {
                merged.insert(name.clone(), value.clone());
            }
        }
    }
    let rings = patch.get("fwd_ringlength").is_some_and(|value| !value.is_null());
    if let Some(target) = patch.get("fwd_forwarding").filter(|_| !rings) {
        merged.insert("fwd_ringlength".to_owned(), json!(if is_empty(target) { 0 } else { 45 }));
    }
    merged
}

/// A save by somebody in the web page.
pub(super) fn by_hand(desk: &mut Desk<'_>, id: Option<u64>, fields: Value) -> Result<u64, String> {
    let params = match fields {
        Value::Object(fields) => fields,
        _ => Params::new(),
    };
    let saved = match id {
        None => save(desk, Target::Create, &params),
        Some(id) => match record::detail(desk, id) {
            Some(stored) => save(desk, Target::Update(id), &merge(stored, &params)),
            None => Err(Refusal::text(format!("there is no employee {id}"))),
        },
    };
    saved.map_err(|refusal| refusal.error.to_string())
}

pub(super) fn is_write(call: &Call) -> bool {
    call.resource == "employees"
        && call.verb != Method::GET
        && matches!(call.method.as_deref(), None | Some("batchCreate"))
}

/// The action that a write of an employee would be.
pub(super) fn function(call: &Call) -> &str {
    match (&call.method, &call.verb) {
        (Some(method), _) => method,
        (None, &Method::POST) => "create",
        (None, &Method::PUT) => "update",
        (None, &Method::PATCH) => "patch",
        (None, _) => "delete",
    }
}
