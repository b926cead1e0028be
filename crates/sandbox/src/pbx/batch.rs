//! `employees:batchCreate`: up to twenty records with cleaning rules of its
//! own, each over the template of a new employee.
//!
//! It stores what single writes would shorten or refuse.

use super::avatars::DEFAULT_URL;
use super::envelope::{Data, Reply};
use super::fields::{BAD_MOBILE, Draft};
use super::request::{Call, Params, integer, scalar};
use super::{Desk, record, save, text};
use serde_json::{Value, json};

const PROCESSOR: &str = "Employees\\BatchCreateAction::main";
const RECORDS_MAX: usize = 20;
const ERRORS_SHOWN: usize = 5;

#[derive(Default)]
struct Tally {
    results: Vec<Value>,
    validated: usize,
    created: usize,
    failed: usize,
    errors: Vec<String>,
}

pub(super) fn batch_create(desk: &mut Desk<'_>, call: &Call) -> Reply {
    let refuse = |text: String| Reply::text("batchCreate", PROCESSOR, text);
    let Some(records) = call.params.get("employees").and_then(Value::as_array).filter(|all| !all.is_empty())
    else {
        return refuse("Employee array is required".to_owned());
    };
    let mode = match call.text("mode") {
        mode if mode.is_empty() => "create".to_owned(),
        mode => mode,
    };
    if !matches!(mode.as_str(), "create" | "validate") {
        return refuse("Invalid mode. Allowed values: validate or create".to_owned());
    }
    if records.len() > RECORDS_MAX {
        let given = records.len();
        return refuse(format!("Batch size exceeds maximum of {RECORDS_MAX} records. Provided: {given}"));
    }
    let skip_errors = matches!(call.text("skip_errors").as_str(), "1" | "true");
    let mut tally = Tally::default();
    for (index, given) in records.iter().enumerate() {
        let done = tally.add(desk, index, given, mode == "create");
        if !done && !skip_errors {
            break;
        }
    }
    tally.reply(&mode, records.len())
}

impl Tally {
    fn add(&mut self, desk: &mut Desk<'_>, index: usize, given: &Value, create: bool) -> bool {
        let (mut draft, errors) = prepare(desk, given);
        let errors = match errors {
            Some(error) => Some(json!([error])),
            None => draft.check_business(desk.state, None).err().map(|refusal| refusal.error),
        };
        if let Some(errors) = errors {
            self.fail(index, "validation_failed", errors, format!("Record {index}: validation error"));
            return false;
        }
        self.validated += 1;
        if !create {
            self.push(index, "validated", shown(&draft), json!([]));
            return true;
        }
        match save::store(desk, None, draft) {
            Ok(id) => {
                self.created += 1;
                self.push(index, "created", record::detail(desk, id).unwrap_or_default(), json!([]));
                true
            }
            Err(error) => {
                let entry = json!({
                    "field": "number", "message": error, "type": "InvalidValue", "code": 0, "metaData": [],
                });
                self.fail(index, "create_failed", json!([entry]), format!("Record {index}: creation error"));
                false
            }
        }
    }

    fn push(&mut self, index: usize, status: &str, data: Value, errors: Value) {
        self.results.push(json!({ "index": index, "status": status, "data": data, "errors": errors }));
    }

    fn fail(&mut self, index: usize, status: &str, errors: Value, summary: String) {
        self.failed += 1;
        self.errors.push(summary);
        self.push(index, status, json!([]), errors);
    }

    /// A partial success is a success.
    fn reply(self, mode: &str, total: usize) -> Reply {
        let result = if mode == "create" { self.created > 0 } else { self.failed == 0 };
        let mut messages = serde_json::Map::new();
        if self.created > 0 {
            messages.insert(
                "info".to_owned(),
                json!([format!("Successfully created {} employees", self.created)]),
            );
        }
        if self.failed > 0 {
            messages
                .insert("warning".to_owned(), json!([format!("Failed to process {} records", self.failed)]));
            let shown: Vec<&String> = self.errors.iter().take(ERRORS_SHOWN).collect();
            messages.insert("error".to_owned(), json!(shown));
        }
        let data = json!({
            "mode": mode,
            "results": self.results,
            "stats": {
                "total": total, "validated": self.validated, "created": self.created, "failed": self.failed,
                "errors": self.errors,
            },
        });
        let messages = if messages.is_empty() { json!([]) } else { Value::Object(messages) };
        let status = if result { 200 } else { 422 };
        Reply { status, messages, data: Data::Json(data), ..Reply::ok("batchCreate", PROCESSOR, Value::Null) }
    }
}

/// The template with the given keys over it, cleaned the batch way; and what
/// is wrong with the record before the common checks.
fn prepare(desk: &Desk<'_>, given: &Value) -> (Draft, Option<String>) {
    let mut fields: Params = match record::template(desk) {
        Value::Object(template) => template,
        _ => Params::new(),
    };
    for (name, value) in given.as_object().into_iter().flatten() {
        let keeps_the_template = value.is_null() || (name == "sip_secret" && *value == json!(""));
        if !keeps_the_template {
            fields.insert(name.clone(), value.clone());
        }
    }
    let plain = |name: &str| fields.get(name).and_then(scalar).unwrap_or_default();
    let cleaned = |name: &str, max: usize| text::cut(&text::strip_markup(&plain(name)), max);
    let filter = plain("sip_networkfilterid");
    let draft = Draft {
        username: Some(cleaned("user_username", 32)),
        email: Some(cleaned("user_email", 32)),
        avatar: Some(text::strip_markup(&plain("user_avatar"))),
        number: Some(text::cut(text::trim(&plain("number")), 64)),
        secret: Some(text::cut(&plain("sip_secret"), 64)),
        dtmfmode: Some(plain("sip_dtmfmode")),
        transport: Some(plain("sip_transport")),
        manualattributes: Some(plain("sip_manualattributes")),
        enable_recording: Some(matches!(plain("sip_enableRecording").as_str(), "1" | "true" | "on" | "yes")),
        networkfilterid: Some(if text::is_digits(&filter) { filter } else { String::new() }),
        ringlength: Some(integer(&plain("fwd_ringlength"))),
        always: Some(plain("fwd_forwarding")),
        on_busy: Some(plain("fwd_forwardingonbusy")),
        on_unavailable: Some(plain("fwd_forwardingonunavailable")),
        mobile: Some(text::cut(text::trim(&plain("mobile_number")), 64)),
        dialstring: Some(plain("mobile_dialstring")),
    };
    let (number, mobile) = (plain("number"), plain("mobile_number"));
    let error = if draft.username.as_deref().is_none_or(str::is_empty) {
        Some("Employee name is not filled in")
    } else if number.is_empty() {
        Some("Employee internal number is not filled in")
    } else if !text::is_digits(&number) {
        Some("Extension number must only consist of numbers")
    } else if !mobile.is_empty() && !text::is_mobile(&mobile) {
        Some(BAD_MOBILE)
    } else {
        None
    };
    (draft, error.map(str::to_owned))
}

/// A validated record as it is shown, without the read-only fields.
fn shown(draft: &Draft) -> Value {
    let filter = draft.networkfilterid.as_deref().filter(|id| !id.is_empty()).unwrap_or("none");
    let attributes = draft.manualattributes.as_deref().filter(|text| !text.is_empty());
    json!({
        "id": 0,
        "user_username": draft.username,
        "user_email": draft.email,
        "user_avatar": DEFAULT_URL,
        "number": draft.number,
        "sip_secret": draft.secret,
        "sip_networkfilterid": filter,
        "sip_enableRecording": draft.enable_recording,
        "sip_dtmfmode": draft.dtmfmode,
        "sip_transport": draft.transport,
        "sip_manualattributes": attributes,
        "mobile_number": draft.mobile,
        "mobile_dialstring": draft.dialstring,
        "fwd_ringlength": draft.ringlength,
        "fwd_forwarding": draft.always,
        "fwd_forwardingonbusy": draft.on_busy,
        "fwd_forwardingonunavailable": draft.on_unavailable,
    })
}
