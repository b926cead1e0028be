//! The fields of a save: how they are cleaned, and what is checked before the
//! store is touched. The order of the checks is that of the PBX.

use super::envelope::Refusal;
use super::request::{Params, integer};
use super::state::{Holder, State};
use super::{secrets, text};
use serde_json::{Map, Value, json};

pub(super) const OCCUPIED: &str = "Extension already occupied";
pub(super) const BAD_MOBILE: &str = "Check the correctness of entering the mobile number";
const TRANSPORTS: [&str; 4] = ["udp", "tcp", "tls", "udp,tcp"];
const DTMF_MODES: [&str; 5] = ["auto", "auto_info", "inband", "rfc4733", "info"];
const SYSTEM_TARGETS: [&str; 4] = ["hangup", "busy", "did2user", "voicemail"];
const RINGLENGTH_MAX: i64 = 180;

/// The writable fields that a request carries, after the clean-up.
#[derive(Clone, Default)]
pub(super) struct Draft {
    pub username: Option<String>,
    pub email: Option<String>,
    pub avatar: Option<String>,
    pub number: Option<String>,
    pub secret: Option<String>,
    pub dtmfmode: Option<String>,
    pub transport: Option<String>,
    pub manualattributes: Option<String>,
    pub enable_recording: Option<bool>,
    /// Empty for none.
    pub networkfilterid: Option<String>,
    pub ringlength: Option<i64>,
    pub always: Option<String>,
    pub on_busy: Option<String>,
    pub on_unavailable: Option<String>,
    pub mobile: Option<String>,
    pub dialstring: Option<String>,
}

impl Draft {
    /// Cleans the fields of a request: unfit characters vanish and long texts
    /// are cut, without a word. `name_max` is the length of a name.
    pub(super) fn clean(params: &Params, name_max: usize) -> Result<Self, Refusal> {
        let text = |name: &str, max: usize| -> Result<Option<String>, Refusal> {
            Ok(string(params, name)?.map(|text| text::cut(&text, max)))
        };
        let number = |name: &str, fits: fn(&str) -> bool, max: usize| -> Result<Option<String>, Refusal> {
            let cleaned = |text: String| if fits(&text) { text } else { text::digits(&text) };
            Ok(string(params, name)?.map(|text| text::cut(&cleaned(text), max)))
        };
        Ok(Draft {
            username: text("user_username", name_max)?,
            email: text("user_email", 255)?,
            avatar: string(params, "user_avatar")?,
            number: number("number", text::is_digits, 8)?,
            secret: string(params, "sip_secret")?,
            dtmfmode: string(params, "sip_dtmfmode")?,
            transport: string(params, "sip_transport")?,
            manualattributes: text("sip_manualattributes", 1024)?,
            enable_recording: truth(params, "sip_enableRecording")?,
            networkfilterid: number("sip_networkfilterid", text::is_digits, usize::MAX)?,
            ringlength: string(params, "fwd_ringlength")?.map(|text| integer(&text)),
            always: number("fwd_forwarding", is_target, 20)?,
            on_busy: number("fwd_forwardingonbusy", is_target, 20)?,
            on_unavailable: number("fwd_forwardingonunavailable", is_target, 20)?,
            mobile: number("mobile_number", text::is_mobile, usize::MAX)?,
            dialstring: text("mobile_dialstring", 255)?,
        })
    }

    /// Cleans the name for storage, or refuses it.
    pub(super) fn make_name_safe(&mut self) -> Result<(), Refusal> {
        let Some(name) = &mut self.username else { return Ok(()) };
        *name = text::strip_markup(name);
        if text::is_dangerous(name) {
            return Err(Refusal::text("Dangerous content detected in fields: user_username"));
        }
        Ok(())
    }

    /// All missing fields at once, as an object of raw keys.
    pub(super) fn require(&self, create: bool) -> Result<(), Refusal> {
        let mut missing = Map::new();
        let mut need = |name: &str, value: &Option<String>, key: &str| {
            // PHP's idea of empty.
            if matches!(value.as_deref(), None | Some("" | "0")) {
                missing.insert(name.to_owned(), json!(key));
            }
        };
        need("user_username", &self.username, "ex_ValidateUsernameEmpty");
        need("number", &self.number, "ex_ValidateNumberIsEmpty");
        if create {
            need("sip_secret", &self.secret, "ex_ValidateSecretEmpty");
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refusal { status: 422, coded: false, error: Value::Object(missing) })
    }

    /// What a create gets where the request says nothing.
    pub(super) fn add_defaults(&mut self) {
        self.transport.get_or_insert_with(|| "udp".to_owned());
        self.dtmfmode.get_or_insert_with(|| "auto".to_owned());
        self.ringlength.get_or_insert(45);
    }

    pub(super) fn check_schema(&self) -> Result<(), Refusal> {
        let mut errors = Vec::new();
        let mut one_of = |name: &str, value: &Option<String>, known: &[&str]| {
            let value = value.as_deref().unwrap_or_default();
            if !value.is_empty() && !known.contains(&value) {
                errors.push(format!("Field '{name}' must be one of: {}", known.join(", ")));
            }
        };
        one_of("sip_transport", &self.transport, &TRANSPORTS);
        one_of("sip_dtmfmode", &self.dtmfmode, &DTMF_MODES);
        if let Some(ringlength) = self.ringlength.filter(|ringlength| *ringlength > RINGLENGTH_MAX) {
            errors
                .push(format!("Field 'fwd_ringlength' must be at most {RINGLENGTH_MAX} (got {ringlength})"));
        }
        refuse(errors)
    }

    /// The checks that look at the data. Placeholders of an e-mail become empty.
    pub(super) fn check_business(&mut self, state: &State, id: Option<u64>) -> Result<(), Refusal> {
        let mut errors = Vec::new();
        let number = self.number.as_deref().unwrap_or_default();
        if somebody_else(state, number, id) {
            errors.push(OCCUPIED.to_owned());
        }
        if let Some(secret) = self.secret.as_deref().filter(|secret| !secret.is_empty()) {
            errors.extend(secrets::problems(secret));
        }
        if matches!(self.email.as_deref(), Some("_@_._" | "@" | "_@_" | "___@___.___")) {
            self.email = Some(String::new());
        }
        if self.email.as_deref().is_some_and(|email| !email.is_empty() && !text::is_email(email)) {
            errors.push("Likely the email address is invalid".to_owned());
        }
        if let Some(mobile) = self.mobile.as_deref().filter(|mobile| !mobile.is_empty()) {
            if somebody_else(state, mobile, id) {
                errors.push("The mobile number is already used by another employee".to_owned());
            }
            if !text::is_mobile(mobile) {
                errors.push(BAD_MOBILE.to_owned());
            }
        }
        let forwards = self.always.as_deref().is_some_and(|target| !target.is_empty());
        if forwards && !(3..=RINGLENGTH_MAX).contains(&self.ringlength.unwrap_or(0)) {
            errors.push(
                "In the routing settings, the time before forwarding is specified incorrectly. \
                 Choose a value between 3-180."
                    .to_owned(),
            );
        }
        if [&self.always, &self.on_busy, &self.on_unavailable]
            .into_iter()
            .flatten()
            .any(|target| target == number)
        {
            errors.push("You cannot set up forwarding to your own number".to_owned());
        }
        refuse(errors)
    }
}

fn refuse(errors: Vec<String>) -> Result<(), Refusal> {
    if errors.is_empty() { Ok(()) } else { Err(Refusal::texts(errors).coded(422)) }
}

fn somebody_else(state: &State, number: &str, id: Option<u64>) -> bool {
    matches!(state.holder(number), Some(Holder::Employee(owner)) if Some(owner) != id)
}

fn is_target(text: &str) -> bool {
    SYSTEM_TARGETS.contains(&text) || (text.len() <= 20 && text::is_digits(text))
}

/// A trimmed text, or `None` for null and absence. An array or an object is a
/// mistake that PHP itself reports.
fn string(params: &Params, name: &str) -> Result<Option<String>, Refusal> {
    match params.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(_) | Value::Object(_)) => Err(Refusal::text(
            "TypeError: trim(): Argument #1 ($string) must be of type string, array given in \
             /usr/www/src/PBXCoreREST/Lib/Common/BaseActionHelper.php:160\nStack trace:\n#0 {main}",
        )),
        Some(value) => {
            let text = super::request::scalar(value).unwrap_or_default();
            Ok(Some(text::trim(&text).to_owned()))
        }
    }
}

fn truth(params: &Params, name: &str) -> Result<Option<bool>, Refusal> {
    let text = string(params, name)?;
    Ok(text.map(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "1" | "on" | "yes")))
}
