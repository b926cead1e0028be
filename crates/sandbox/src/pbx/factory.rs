//! The data sets a sandbox starts with: the factory's, and a company's.

use super::state::{Employee, Foreign, Forwarding, Mobile, NextRows, Reference, Sip, State};
use super::{secrets, text};
use crate::company::{self, Photo};
use effects::Random;
use secrecy::SecretString;

/// What every PBX has, before anybody works there.
pub(super) fn stock(extensions_length: u32) -> State {
    let mut state = State::new(extensions_length);
    state.add_foreign("800", foreign("PARKING", "Parking lot 800", ""));
    for slot in 801..=820 {
        state.add_foreign(&slot.to_string(), foreign("PARKING", &format!("Parking slot {slot}"), ""));
    }
    for (number, name) in
        [("000063", "Read back the number"), ("000064", "Milliwatt"), ("10003246", "Echo test")]
    {
        state.add_foreign(number, named("DIALPLAN APPLICATION", "php", name, number));
    }
    for name in ["hangup", "busy", "did2user", "voicemail"] {
        state.add_foreign(name, foreign("SYSTEM", name, "<i class=\"cogs icon\"></i> "));
    }
    let filter = "<i class=\"filter icon\"></i> Local networks".to_owned();
    state.filters.insert("1".to_owned(), filter);
    state
}

/// Three employees, two queues, a voice menu, a conference, and a route.
pub(super) fn factory(extensions_length: u32, random: &dyn Random, now_ms: i64) -> State {
    let mut state = stock(extensions_length);
    add_queue(&mut state, "2001", "Sales office");
    add_queue(&mut state, "2002", "Technical support");
    state.add_foreign("2003", named("IVR MENU", "sitemap", "IVR menu: Main voice menu", "2003"));
    state.add_foreign("1111", named("CONFERENCE", "phone volume", "Conference: Daily meeting", "1111"));
    state.next = NextRows { user: 110, extension: 144, sip: 74, forwarding: 24, phone: 18 };
    for (number, name, mobile) in [
        ("201", "Smith James", "89261111111"),
        ("202", "Brown Brandon", "89161111111"),
        ("203", "Collins Melanie", "89251111111"),
    ] {
        let secret = SecretString::from(secrets::generate(random));
        let mut employee = employee(&mut state.next, number, name, "", Some(mobile), secret);
        pristine(&mut employee, mobile);
        let picture = Photo::new(employee.id).jpeg();
        employee.avatar = state.pictures.store(employee.id, picture.into(), now_ms);
        state.put(employee);
    }
    // Rows of telephony lines and pages that the employees do not show.
    state.next = NextRows { user: 113, extension: 180, sip: 78, forwarding: 27, phone: 21 };
    let route = "<a href='/admin-cabinet/incoming-routes/modify/1'><i class=\"map signs icon\"></i> \
                 Default incoming processing rule</a>";
    let menu = "IVR menu - <a href='/admin-cabinet/ivr-menu/modify/IVR-B52CDA7E4704A19C196588ECF4D5E14C'>\
                <i class=\"sitemap icon\"></i> IVR menu: Main voice menu <2003></a>";
    let queue = "Call queue - <a href='/admin-cabinet/call-queues/modify/QUEUE-2001'>\
                 <i class=\"users icon\"></i> Queue: Sales office <2001></a>";
    for (target, represent) in [("201", route), ("201", menu), ("203", queue)] {
        state.references.push(Reference { target: target.to_owned(), represent: represent.to_owned() });
    }
    state
}

/// The employees of a company, with ids from 1. What stands in the way of a
/// number of theirs, such as a parking slot, was moved elsewhere; a mobile that
/// somebody has already is left out.
pub(super) fn company(extensions_length: u32, employees: &[company::Employee]) -> State {
    let mut state = stock(extensions_length);
    for one in employees {
        state.remove_foreign(&one.number);
        let email = one.email.as_deref().unwrap_or_default();
        let mobile = one.mobile.as_deref().filter(|mobile| state.holder(mobile).is_none());
        let employee =
            employee(&mut state.next, &one.number, &one.name, email, mobile, one.sip_password.clone());
        state.put(employee);
    }
    state
}

pub(super) fn add_queue(state: &mut State, number: &str, name: &str) {
    state.add_foreign(number, named("QUEUE", "users", &format!("Queue: {name}"), number));
}

/// An employee as a save of the web page leaves them.
fn employee(
    next: &mut NextRows,
    number: &str,
    name: &str,
    email: &str,
    mobile: Option<&str>,
    secret: SecretString,
) -> Employee {
    let mobile = mobile.map(|number| Mobile {
        number: number.to_owned(),
        dialstring: number.to_owned(),
        callerid: text::callerid(name),
        search_index: text::search_index(name, email, number),
        extension_row: next.extension + 1,
        phone_row: next.phone,
    });
    let sip = Sip {
        number: number.to_owned(),
        callerid: text::callerid(name),
        search_index: text::search_index(name, email, number),
        secret,
        transport: "udp,tcp".to_owned(),
        dtmfmode: "auto".to_owned(),
        manualattributes: String::new(),
        enable_recording: true,
        networkfilterid: String::new(),
        disabled: false,
        pristine: false,
        forwarding: Forwarding { ringlength: 45, row: next.forwarding, ..Forwarding::default() },
        extension_row: next.extension,
        sip_row: next.sip,
    };
    let id = next.user;
    next.user += 1;
    next.extension += 1 + u64::from(mobile.is_some());
    next.sip += 1;
    next.forwarding += 1;
    next.phone += u64::from(mobile.is_some());
    Employee {
        id,
        username: name.to_owned(),
        email: email.to_owned(),
        language: "en".to_owned(),
        avatar: String::new(),
        sip: Some(sip),
        mobile,
    }
}

/// Makes a record as the factory delivers it: forwarded to the mobile, and
/// with columns that only a first save brings to their normal form.
fn pristine(employee: &mut Employee, mobile: &str) {
    employee.language = String::new();
    let index = |number: &str| format!("{number} {}", employee.username.to_lowercase());
    if let Some(sip) = &mut employee.sip {
        sip.search_index = index(&sip.number);
        sip.transport = String::new();
        sip.pristine = true;
        for target in
            [&mut sip.forwarding.always, &mut sip.forwarding.on_busy, &mut sip.forwarding.on_unavailable]
        {
            mobile.clone_into(target);
        }
    }
    if let Some(phone) = &mut employee.mobile {
        phone.search_index = index(&phone.number);
    }
}

fn named(kind: &'static str, icon: &str, name: &str, number: &str) -> Foreign {
    let represent = format!("<i class=\"{icon} icon\"></i> {name} <{number}>");
    Foreign { kind, callerid: name.to_owned(), represent }
}

fn foreign(kind: &'static str, name: &str, icon: &str) -> Foreign {
    Foreign { kind, callerid: name.to_owned(), represent: format!("{icon}{name}") }
}
