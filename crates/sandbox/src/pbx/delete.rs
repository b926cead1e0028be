//! DELETE of an employee: refused while anything points at a number of theirs.

use super::Desk;
use super::envelope::{Refusal, Reply};
use super::events::{Event, Model};
use super::request::Call;
use super::rows::blockers;
use serde_json::json;

const PROCESSOR: &str = "Employees\\DeleteRecordAction::main";

pub(super) fn delete(desk: &mut Desk<'_>, call: &Call) -> Reply {
    let Some(id) = call.record_id() else { return Reply::text("delete", PROCESSOR, "Invalid employee ID") };
    match remove(desk, id) {
        Ok(()) => Reply::ok("delete", PROCESSOR, json!({ "deleted_id": id.to_string() })),
        Err(texts) => Reply::refused("delete", PROCESSOR, Refusal::texts(texts)),
    }
}

/// The messages of the rows that went before a refusal are sent all the same.
pub(super) fn remove(desk: &mut Desk<'_>, id: u64) -> Result<(), Vec<String>> {
    let state = &mut *desk.state;
    let Some(employee) = state.employee(id).cloned() else {
        return Err(vec![format!("Employee not found (ID: {id})")]);
    };
    if let Some(sip) = &employee.sip {
        state.outbox.push(Event::deleted(Model::ExtensionForwardingRights, sip.forwarding.row));
        must_be_free(blockers(state, &sip.number, id, None))?;
        state.outbox.push(Event::deleted(Model::Sip, sip.sip_row));
        state.outbox.push(Event::deleted(Model::Extensions, sip.extension_row));
    }
    if let Some(mobile) = &employee.mobile {
        must_be_free(blockers(state, &mobile.number, id, None))?;
        state.outbox.push(Event::deleted(Model::ExternalPhones, mobile.phone_row));
        state.outbox.push(Event::deleted(Model::Extensions, mobile.extension_row));
    }
    state.outbox.push(Event::deleted(Model::Users, id));
    state.remove(id);
    state.pictures.remove(id);
    state.revision += 1;
    Ok(())
}

fn must_be_free(blockers: Vec<String>) -> Result<(), Vec<String>> {
    if blockers.is_empty() { Ok(()) } else { Err(blockers) }
}
