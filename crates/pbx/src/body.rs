//! What goes into a write: never a null, never more than what changes, and
//! with every companion that the PBX forgets by itself.
//!
//! - The generated dial plan dials `mobile_dialstring`, and a change of the
//!   number does not touch it: both are sent.
//! - A mobile cannot go while a forwarding points at it: that goes along.
//! - PUT deletes a mobile that is left out and zeroes a ring time that is left
//!   out, and then blocks the record: both are carried.

use crate::change::{Change, NewEmployee};
use crate::checks::picture_type;
use crate::record::Record;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// What the PBX accepts as ring time where a forwarding is set.
const RING_S: RangeInclusive<u32> = 3..=180;
const TARGET_DIGITS_MAX: usize = 20;

pub(crate) type Body = Map<String, Value>;

/// The fields of a PATCH that makes these changes to this record.
pub(crate) fn patch(record: &Record, changes: &[&Change]) -> Body {
    let mut body = Body::new();
    for change in changes {
        match change {
            Change::Name(name) => put_text(&mut body, "user_username", name.trim()),
            Change::Extension(number) => put_text(&mut body, "number", number),
            Change::Email(email) => {
                put_text(&mut body, "user_email", email.as_deref().unwrap_or_default().trim())
            }
            Change::SipPassword(secret) => put_text(&mut body, "sip_secret", secret.expose_secret()),
            Change::Photo(photo) => put_text(&mut body, "user_avatar", &data_uri(photo.as_deref())),
            Change::Mobile(Some(mobile)) => {
                put_text(&mut body, "mobile_number", mobile);
                if let Some(dialstring) = dialstring(record, mobile) {
                    put_text(&mut body, "mobile_dialstring", &dialstring);
                }
            }
            Change::Mobile(None) => {
                // An empty number empties the dial string as well.
                put_text(&mut body, "mobile_number", "");
                clear_forwarding(record, &mut body);
            }
        }
    }
    body
}

/// A PUT that makes these changes and keeps everything else. The secret and
/// an unchanged e-mail are left out: PUT keeps them then, without judging them.
pub(crate) fn put(record: &Record, changes: &[&Change]) -> Body {
    let mut body = Body::new();
    put_text(&mut body, "user_username", &record.name);
    put_text(&mut body, "number", &record.number);
    if !record.mobile_number.is_empty() {
        put_text(&mut body, "mobile_number", &record.mobile_number);
        put_text(&mut body, "mobile_dialstring", &record.dialstring);
    }
    carry_forwarding(record, &mut body);
    body.append(&mut patch(record, changes));
    body
}

pub(crate) fn post(new: &NewEmployee, email: Option<&str>, mobile: Option<&str>) -> Body {
    let mut body = Body::new();
    put_text(&mut body, "user_username", new.name.trim());
    put_text(&mut body, "number", &new.number);
    put_text(&mut body, "sip_secret", new.secret.expose_secret());
    // What the PBX's own page sends; its API would make it udp only.
    put_text(&mut body, "sip_transport", "udp,tcp");
    if let Some(email) = email {
        put_text(&mut body, "user_email", email.trim());
    }
    if let Some(mobile) = mobile {
        put_text(&mut body, "mobile_number", mobile);
        put_text(&mut body, "mobile_dialstring", mobile.trim_start_matches('+'));
    }
    body
}

/// The dial string that belongs to a new mobile, or `None` where the stored
/// one is not ours: then it stays, and the caller shows it.
fn dialstring(record: &Record, mobile: &str) -> Option<String> {
    let (old, stored) = (&record.mobile_number, &record.dialstring);
    let digits = mobile.trim_start_matches('+');
    if stored.is_empty() || stored == old {
        return Some(digits.to_owned());
    }
    // An outside line's prefix stays in front.
    let old_digits = old.trim_start_matches('+');
    let prefix = stored.strip_suffix(old_digits).filter(|_| !old_digits.is_empty())?;
    Some(format!("{}{digits}", prefix.trim_end_matches('+')))
}

fn clear_forwarding(record: &Record, body: &mut Body) {
    let mobile = &record.mobile_number;
    if mobile.is_empty() {
        return;
    }
    if record.forwarding.unanswered == *mobile {
        put_text(body, "fwd_forwarding", "");
        body.insert("fwd_ringlength".to_owned(), Value::from(0));
    }
    if record.forwarding.busy == *mobile {
        put_text(body, "fwd_forwardingonbusy", "");
    }
    if record.forwarding.unavailable == *mobile {
        put_text(body, "fwd_forwardingonunavailable", "");
    }
}

/// The whole forwarding group, but for what a PUT would refuse or rewrite.
/// A target that is left out is kept; a ring time that is left out becomes 0,
/// which is what an unsound one amounts to.
fn carry_forwarding(record: &Record, body: &mut Body) {
    let forwarding = &record.forwarding;
    let is_sound = if forwarding.unanswered.is_empty() {
        forwarding.ring_s <= *RING_S.end()
    } else {
        RING_S.contains(&forwarding.ring_s)
    };
    if !is_sound {
        return;
    }
    body.insert("fwd_ringlength".to_owned(), Value::from(forwarding.ring_s));
    for (key, target) in [
        ("fwd_forwarding", &forwarding.unanswered),
        ("fwd_forwardingonbusy", &forwarding.busy),
        ("fwd_forwardingonunavailable", &forwarding.unavailable),
    ] {
        if survives(target) {
            put_text(body, key, target);
        }
    }
}

/// Whether the PBX stores this forwarding target as it is.
fn survives(target: &str) -> bool {
    matches!(target, "hangup" | "busy" | "did2user" | "voicemail")
        || target.len() <= TARGET_DIGITS_MAX && target.bytes().all(|byte| byte.is_ascii_digit())
}

fn data_uri(photo: Option<&[u8]>) -> String {
    match photo {
        Some(bytes) => {
            let kind = picture_type(bytes).unwrap_or("image/jpeg");
            format!("data:{kind};base64,{}", STANDARD.encode(bytes))
        }
        None => String::new(),
    }
}

/// Numbers travel as text too: the PBX drops everything but digits and signs
/// from JSON numbers.
fn put_text(body: &mut Body, key: &str, text: &str) {
    body.insert(key.to_owned(), Value::from(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Forwarding;
    use reconcile::{EmployeeId, FieldMap};
    use serde_json::json;

    fn record(mobile: &str, dialstring: &str, forwarding: Forwarding) -> Record {
        Record {
            id: EmployeeId(1),
            fields: FieldMap::default(),
            has_photo: false,
            mobile_number: mobile.into(),
            dialstring: dialstring.into(),
            forwarding,
            extensions_length: 3,
            name: "Anna".into(),
            number: "201".into(),
        }
    }

    fn to(unanswered: &str, busy: &str, unavailable: &str, ring_s: u32) -> Forwarding {
        Forwarding {
            unanswered: unanswered.into(),
            busy: busy.into(),
            unavailable: unavailable.into(),
            ring_s,
        }
    }

    #[test]
    fn a_dial_string_follows_only_where_it_is_ours() {
        for (old, stored, expected) in [
            ("", "", Some("79990000002")),
            ("79990000001", "", Some("79990000002")),
            ("79990000001", "79990000001", Some("79990000002")),
            ("79990000001", "9879990000001", Some("9879990000002")),
            ("+79990000001", "+79990000001", Some("79990000002")),
            ("+79990000001", "79990000001", Some("79990000002")),
            ("+79990000001", "9879990000001", Some("9879990000002")),
            ("79990000001", "89990000001", None),
            ("79990000001", "8(999)000-00-01", None),
            ("", "98", None),
        ] {
            let record = record(old, stored, Forwarding::default());
            assert_eq!(dialstring(&record, "79990000002").as_deref(), expected, "{old} {stored}");
        }
    }

    #[test]
    fn removing_a_mobile_takes_the_forwarding_to_it_along() {
        let gone = Change::Mobile(None);
        let mobile = "79990000001";
        let all = patch(&record(mobile, mobile, to(mobile, mobile, mobile, 20)), &[&gone]);
        let expected = json!({"mobile_number": "", "fwd_forwarding": "", "fwd_forwardingonbusy": "",
            "fwd_forwardingonunavailable": "", "fwd_ringlength": 0});
        assert_eq!(Value::from(all), expected);
        let none = patch(&record(mobile, mobile, to("202", "", "hangup", 20)), &[&gone]);
        assert_eq!(Value::from(none), json!({"mobile_number": ""}));
        let empty = patch(&record("", "", to("", "", "", 45)), &[&gone]);
        assert_eq!(Value::from(empty), json!({"mobile_number": ""}));
    }

    #[test]
    fn put_carries_what_it_would_lose() {
        let name = Change::Name(" Anna B ".into());
        let stored = record("79990000001", "9879990000001", to("202", "hangup", "", 20));
        let expected = json!({"user_username": "Anna B", "number": "201", "mobile_number": "79990000001",
            "mobile_dialstring": "9879990000001", "fwd_forwarding": "202", "fwd_forwardingonbusy": "hangup",
            "fwd_forwardingonunavailable": "", "fwd_ringlength": 20});
        assert_eq!(Value::from(put(&stored, &[&name])), expected);
    }

    #[test]
    fn put_leaves_out_what_would_be_refused_or_rewritten() {
        let blocked = put(&record("", "", to("202", "", "", 0)), &[]);
        assert_eq!(Value::from(blocked), json!({"user_username": "Anna", "number": "201"}));
        let plus = put(&record("", "", to("+79990000001", "", "", 30)), &[]);
        assert!(!plus.contains_key("fwd_forwarding") && plus["fwd_ringlength"] == 30);
    }

    #[test]
    fn put_that_removes_the_mobile() {
        let stored = record("79990000001", "79990000001", to("79990000001", "", "", 30));
        let body = put(&stored, &[&Change::Mobile(None)]);
        assert_eq!((&body["mobile_number"], &body["fwd_forwarding"]), (&json!(""), &json!("")));
        assert_eq!(body["fwd_ringlength"], 0);
    }
}
