//! The same stories on real OpenLDAP, Samba AD and 389 Directory Server, and
//! what only one of them has. A server that cannot start fails its tests.

// Helpers of tests are no test functions to the lint.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod only;
mod scope;
mod support;

use answers::*;
use directory::{
    Content, Error, Fingerprint, Outcome, Security, Settings, SignIn, StepName, StepState, Target, Trust,
    Write,
};
use reconcile::{Account, Field, Reading, Value, Whereabouts};
use scope::{groups_narrow_the_people, whoever_is_excluded_is_elsewhere};
use std::collections::BTreeMap;
use support::{Lab, PEOPLE, Racing, jpeg, read_all, the_person};

macro_rules! on_every_server {
    ($($story:ident),* $(,)?) => {
        mod slapd { $(#[tokio::test] async fn $story() { super::$story(super::support::slapd()).await })* }
        mod samba { $(#[tokio::test] async fn $story() { super::$story(super::support::samba()).await })* }
        mod ds389 { $(#[tokio::test] async fn $story() { super::$story(super::support::ds389()).await })* }
    };
}

on_every_server!(
    everybody_is_read_past_the_limit,
    every_protection_works_and_none_is_forced,
    strangers_certificates_are_refused_and_can_be_pinned,
    a_wrong_password_and_a_wrong_base_are_named,
    values_that_are_no_text_are_unusable,
    account_states_are_seen,
    values_are_filled_exchanged_and_cleared,
    other_values_of_an_attribute_stay,
    photos_and_secrets_are_written_and_read_back,
    a_stale_value_is_never_overwritten,
    somebody_between_our_look_and_our_change_wins,
    one_refused_attribute_does_not_stop_the_others,
    an_equal_value_is_never_written,
    missing_people_are_found_again,
    only_a_real_change_moves_the_mark,
    the_test_walks_through_every_step,
    a_hidden_attribute_is_absent_and_not_writable,
    the_tree_is_walked,
    people_are_counted_as_they_are_read,
    the_schema_names_what_people_may_have,
    samples_show_values_and_no_secret,
    what_may_be_written_is_told_where_the_server_tells,
    the_certificate_is_shown_to_be_pinned,
    groups_narrow_the_people,
    whoever_is_excluded_is_elsewhere,
);

fn text(text: &str) -> Option<Content> {
    Some(Content::Text(text.to_owned()))
}

fn change(field: Field, before: Option<&Value>, after: Option<Content>) -> Write {
    Write { field, before: before.cloned(), after }
}

fn raws(reading: &Reading) -> Vec<&str> {
    reading.values().iter().map(Value::raw).collect()
}

fn first(reading: &Reading) -> Option<&Value> {
    reading.values().first()
}

fn stored(outcome: &Outcome) -> &Reading {
    match outcome {
        Outcome::Stored(reading) => reading,
        other => panic!("not stored: {other:?}"),
    }
}

fn stale(outcome: &Outcome) -> &Reading {
    match outcome {
        Outcome::Stale(reading) => reading,
        other => panic!("not stale: {other:?}"),
    }
}

fn refused(outcome: &Outcome) -> &directory::Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// Names in the LDIF the server was loaded with, by how often they occur.
fn names_in_ldif(lab: &Lab) -> BTreeMap<String, usize> {
    use base64::Engine as _;
    let ldif = std::fs::read_to_string(&lab.ldif).unwrap();
    let mut names = BTreeMap::new();
    for line in ldif.lines().filter_map(|line| line.strip_prefix("displayName:")) {
        let name = match line.strip_prefix(": ") {
            Some(encoded) => {
                String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).unwrap()).unwrap()
            }
            None => line.trim_start().to_owned(),
        };
        *names.entry(name).or_default() += 1;
    }
    names
}

async fn everybody_is_read_past_the_limit(lab: &Lab) {
    let filter = Some("(employeeNumber=*)".to_owned());
    let mut directory = lab.open(Settings { filter, ..lab.settings("LDAP_READER") });
    let mut told = Vec::new();
    let read = directory.read_people(&Default::default(), &mut |count| told.push(count)).await.unwrap();
    assert!(read.snapshot.verdict.is_complete(), "{:?}", read.snapshot.verdict);
    let people = &read.snapshot.rows;
    assert_eq!(people.len(), PEOPLE);
    assert!(people.windows(2).all(|pair| pair[0].id < pair[1].id), "in order, nobody twice");
    assert!(people.iter().all(|person| person.mark.is_some() && person.modified_ms.is_some()));
    assert!(people.iter().all(|person| person.fields[Field::Photo] == Reading::NotLooked));
    assert_eq!(told.last(), Some(&PEOPLE));
    let disabled = people.iter().filter(|person| !person.account.active()).count();
    assert!((PEOPLE / 40..PEOPLE / 10).contains(&disabled), "about 5 % are disabled: {disabled}");
    let mut names = BTreeMap::new();
    for person in people {
        *names.entry(raws(&person.fields[Field::Name])[0].to_owned()).or_default() += 1;
    }
    assert_eq!(names, names_in_ldif(lab), "every name arrived as it is, whatever characters it has");
}

async fn every_protection_works_and_none_is_forced(lab: &Lab) {
    for security in [Security::StartTls, Security::Ldaps] {
        let mut settings = lab.settings("LDAP_READER");
        lab.point(&mut settings, security);
        settings.filter = Some("(employeeNumber=000001)".to_owned());
        the_person(&mut lab.open(settings)).await;
    }
    let mut settings = lab.settings("LDAP_READER");
    lab.point(&mut settings, Security::None);
    settings.filter = Some("(employeeNumber=000001)".to_owned());
    let plain = read_all(&mut lab.open(settings)).await;
    match lab.get("LDAP_URL").contains("127.0.0.15") {
        true => {
            let error = plain.expect_err("AD wants protection").to_string();
            assert!(error.contains("choose LDAPS or StartTLS"), "{error}");
        }
        false => assert_eq!(plain.unwrap().snapshot.rows.len(), 1),
    }
}

async fn strangers_certificates_are_refused_and_can_be_pinned(lab: &Lab) {
    let mut settings = lab.settings("LDAP_READER");
    settings.filter = Some("(employeeNumber=000001)".to_owned());
    settings.trust = Trust::System;
    let Err(Error::Tls { why, seen: Some(seen), .. }) = read_all(&mut lab.open(settings.clone())).await
    else {
        panic!("the lab's authority is unknown to the system");
    };
    assert!(why.contains("not trusted here"), "{why}");
    let described: Fingerprint = lab.get("LDAP_FINGERPRINT").parse().unwrap();
    assert_eq!(seen, described);
    settings.trust = Trust::Fingerprint(seen);
    the_person(&mut lab.open(settings)).await;
}

async fn a_wrong_password_and_a_wrong_base_are_named(lab: &Lab) {
    let mut settings = lab.settings("LDAP_READER");
    let account = lab.get("LDAP_READER");
    let stranger = account.replace("pbx-reader", "pbx-nobody");
    settings.sign_in = SignIn::Simple { dn: stranger };
    let error = read_all(&mut lab.open(settings)).await.expect_err("nobody has this name");
    assert!(error.to_string().contains("wrong"), "{error}");
    let mut settings = lab.settings("LDAP_READER");
    settings.base_dn = format!("ou=nowhere,{}", settings.base_dn);
    settings.ous.clear();
    let error = read_all(&mut lab.open(settings)).await.expect_err("no such base");
    assert!(error.to_string().contains("the domain root `ou=nowhere"), "{error}");
}

async fn values_that_are_no_text_are_unusable(lab: &Lab) {
    // "Iv\0an"; a single NUL is taken by all servers, wrong UTF-8 by none.
    let (mut directory, _) = lab.hire("nul", "displayName:: SXYAYW4=").await;
    match &the_person(&mut directory).await.fields[Field::Name] {
        Reading::Unusable(unusable) => assert!(unusable.why.contains("NUL"), "{unusable:?}"),
        other => panic!("{other:?}"),
    }
}

async fn account_states_are_seen(lab: &Lab) {
    use directory::Kind;
    let (mut directory, _) = lab.hire("states", "").await;
    assert_eq!(the_person(&mut directory).await.account, Account::Enabled);
    let states: &[(&str, Account)] = match lab.kind {
        Kind::ActiveDirectory => &[
            ("replace: userAccountControl\nuserAccountControl: 546", Account::Disabled),
            (
                "replace: userAccountControl\nuserAccountControl: 544\n-\nreplace: accountExpires\naccountExpires: 130000000000000000",
                Account::Expired,
            ),
            ("replace: accountExpires\naccountExpires: 9223372036854775807", Account::Enabled),
        ],
        Kind::OpenLdap => &[
            ("replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z", Account::Locked),
            ("replace: pwdAccountLockedTime\npwdAccountLockedTime: 20260101000000Z", Account::LockedOut),
            ("delete: pwdAccountLockedTime", Account::Enabled),
        ],
        _ => &[
            ("replace: nsAccountLock\nnsAccountLock: true", Account::Disabled),
            ("delete: nsAccountLock", Account::Enabled),
        ],
    };
    for (edit, expected) in states {
        lab.edit("states", edit);
        assert_eq!(the_person(&mut directory).await.account, *expected, "{edit}");
    }
    let mut settings = lab.only("states");
    settings.map.account_state = Some("employeeType".to_owned());
    lab.edit("states", "replace: employeeType\nemployeeType: Disabled");
    assert_eq!(the_person(&mut lab.open(settings)).await.account, Account::Disabled);
}

async fn values_are_filled_exchanged_and_cleared(lab: &Lab) {
    let (mut directory, target) =
        lab.hire("writes", "mobile: +7 916 000-00-01\nmail: old@example.test").await;
    let person = the_person(&mut directory).await;
    let report = directory
        .write(
            &target,
            &[
                change(Field::Extension, None, text("2001")),
                change(Field::Mobile, first(&person.fields[Field::Mobile]), text("+79160000002")),
                change(Field::Email, first(&person.fields[Field::Email]), None),
                change(Field::Name, None, text("Жанна «Ж» O'Connor-Müller, 王")),
            ],
        )
        .await;
    assert_eq!(report.outcomes.len(), 4, "{report:?}");
    for (field, outcome) in &report.outcomes {
        let expected: &[&str] = match field {
            Field::Extension => &["2001"],
            Field::Mobile => &["+79160000002"],
            Field::Name => &["Жанна «Ж» O'Connor-Müller, 王"],
            _ => &[],
        };
        assert_eq!(raws(stored(outcome)), expected, "{field}");
    }
    let now = the_person(&mut directory).await;
    assert_eq!(report.person, Some(now.clone()), "the report has the person as they are now");
    assert_ne!(now.mark, person.mark);
    assert_eq!(lab.values("writes", "mobile"), ["+79160000002"]);
    assert!(lab.values("writes", "mail").is_empty());
}

async fn other_values_of_an_attribute_stay(lab: &Lab) {
    if lab.kind == directory::Kind::ActiveDirectory {
        // The mapped attributes take one value each; otherMobile takes several.
        let (_, target) = lab.hire("several", "otherMobile: +79160000001\notherMobile: +79160000002").await;
        let mut settings = lab.only("several");
        settings.sign_in = SignIn::Simple { dn: lab.get("LDAP_ADMIN").to_owned() };
        settings.map.fields[Field::Mobile] = Some("otherMobile".parse().unwrap());
        return exchange_one(lab, settings, &target, "otherMobile").await;
    }
    let (_, target) = lab.hire("several", "mobile: +79160000001\nmobile: +79160000002").await;
    exchange_one(lab, lab.only("several"), &target, "mobile").await;
}

async fn exchange_one(lab: &Lab, settings: Settings, target: &Target, attribute: &str) {
    let mut directory = lab.open(settings);
    let person = the_person(&mut directory).await;
    let values = person.fields[Field::Mobile].values();
    assert_eq!(values.len(), 2);
    let report =
        directory.write(target, &[change(Field::Mobile, Some(&values[0]), text("+79160000003"))]).await;
    assert_eq!(stored(&report.outcomes[0].1).values().len(), 2);
    assert_eq!(lab.values("several", attribute), ["+79160000002", "+79160000003"]);
    // Exchanging it for the one that is there already only takes it away.
    let before = Value::new("+79160000003", "+79160000003");
    let report = directory.write(target, &[change(Field::Mobile, Some(&before), text("+79160000002"))]).await;
    assert_eq!(raws(stored(&report.outcomes[0].1)), ["+79160000002"]);
}

async fn photos_and_secrets_are_written_and_read_back(lab: &Lab) {
    let (mut directory, target) = lab.hire("picture", "").await;
    let people = [target.clone()];
    async fn photo(directory: &mut directory::Directory, people: &[Target]) -> Reading {
        let mut found = Reading::Unmapped;
        directory.photos(people, &mut |_, reading| found = reading).await.unwrap();
        found
    }
    assert_eq!(photo(&mut directory, &people).await, Reading::Absent);
    let mut before: Option<Value> = None;
    for seed in [1, 2] {
        let write = change(Field::Photo, before.as_ref(), Some(Content::Photo(jpeg(seed))));
        let report = directory.write(&target, &[write]).await;
        let reading = stored(&report.outcomes[0].1).clone();
        assert_eq!(reading, photo(&mut directory, &people).await);
        let value = first(&reading).expect("a picture");
        assert_eq!(directory.photo_bytes(&target, value).await.unwrap(), Some(jpeg(seed)));
        if let Some(former) = &before {
            assert_eq!(
                directory.photo_bytes(&target, former).await.unwrap(),
                None,
                "it is another one by now"
            );
        }
        before = Some(value.clone());
    }
    let report = directory.write(&target, &[change(Field::Photo, before.as_ref(), None)]).await;
    assert_eq!(stored(&report.outcomes[0].1), &Reading::Absent);

    let secret = |text: &str| Some(Content::Secret(text.to_owned().into()));
    let report = directory.write(&target, &[change(Field::SipPassword, None, secret("first-Secret"))]).await;
    let reading = stored(&report.outcomes[0].1).clone();
    assert!(!format!("{report:?}").contains("first-Secret"));
    let report = directory
        .write(&target, &[change(Field::SipPassword, first(&reading), secret("second-Secret"))])
        .await;
    assert!(directory.secret(&target, first(&reading).unwrap()).await.unwrap().is_none(), "it moved");
    let reading = stored(&report.outcomes[0].1).clone();
    let read = directory.secret(&target, first(&reading).unwrap()).await.unwrap().expect("the secret");
    assert_eq!(secrecy::ExposeSecret::expose_secret(&read), "second-Secret");
}

async fn a_stale_value_is_never_overwritten(lab: &Lab) {
    let (mut directory, target) = lab.hire("stale", "mobile: +79160000001").await;
    let person = the_person(&mut directory).await;
    lab.edit("stale", "replace: mobile\nmobile: +79169999999\n-\nadd: mail\nmail: theirs@example.test");
    let report = directory
        .write(
            &target,
            &[
                change(Field::Mobile, first(&person.fields[Field::Mobile]), text("+79160000002")),
                change(Field::Email, None, text("ours@example.test")),
                change(Field::Extension, None, text("2002")),
            ],
        )
        .await;
    let outcome = |field| &report.outcomes.iter().find(|(one, _)| *one == field).unwrap().1;
    assert_eq!(raws(stale(outcome(Field::Mobile))), ["+79169999999"]);
    assert_eq!(raws(stale(outcome(Field::Email))), ["theirs@example.test"]);
    assert_eq!(raws(stored(outcome(Field::Extension))), ["2002"], "the rest goes through");
    assert_eq!(lab.values("stale", "mail"), ["theirs@example.test"]);
}

/// The precondition has to be in the request itself: somebody writes after our
/// look and before our change.
async fn somebody_between_our_look_and_our_change_wins(lab: &Lab) {
    let (mut plain, target) = lab
        .hire(
            "race",
            &format!("mail: first@example.test\n{}:: /9j/4AAQSkZJRgABAQAAAQABAAD//gAGYWJjZP/Z", lab.photo()),
        )
        .await;
    let racing = Racing::default();
    let mut directory = lab.open_with(lab.only("race"), std::sync::Arc::new(racing.clone()));
    the_person(&mut directory).await;

    // An empty attribute is filled by somebody else.
    let (ldif, dn) = (lab.ldif_command(), lab.dn("race"));
    racing.arm(Racing::CHANGE, move || {
        ldif.apply(&format!("dn: {dn}\nchangetype: modify\nadd: mobile\nmobile: +79169999999\n"))
    });
    let report = directory.write(&target, &[change(Field::Mobile, None, text("+79160000001"))]).await;
    assert_eq!(raws(stale(&report.outcomes[0].1)), ["+79169999999"]);
    assert_eq!(lab.values("race", "mobile"), ["+79169999999"], "theirs stands, ours is not beside it");

    // A value is exchanged by somebody else.
    let (ldif, dn) = (lab.ldif_command(), lab.dn("race"));
    let before = the_person(&mut plain).await.fields[Field::Email].clone();
    racing.arm(Racing::CHANGE, move || {
        ldif.apply(&format!("dn: {dn}\nchangetype: modify\nreplace: mail\nmail: theirs@example.test\n"))
    });
    let report =
        directory.write(&target, &[change(Field::Email, first(&before), text("ours@example.test"))]).await;
    assert_eq!(raws(stale(&report.outcomes[0].1)), ["theirs@example.test"]);

    // A picture is exchanged by somebody else.
    let (ldif, dn, photo) = (lab.ldif_command(), lab.dn("race"), lab.photo());
    let mut before = Reading::Unmapped;
    plain.photos(std::slice::from_ref(&target), &mut |_, reading| before = reading).await.unwrap();
    let theirs = "/9j/4AAQSkZJRgABAQAAAQABAAD//gAGZWZnaP/Z";
    racing.arm(Racing::CHANGE, move || {
        ldif.apply(&format!("dn: {dn}\nchangetype: modify\nreplace: {photo}\n{photo}:: {theirs}\n"))
    });
    let ours = Some(Content::Photo(jpeg(9)));
    let report = directory.write(&target, &[change(Field::Photo, first(&before), ours)]).await;
    assert_ne!(stale(&report.outcomes[0].1), &before, "theirs stands");

    // Something else of the person moves: no reason not to write.
    let (ldif, dn) = (lab.ldif_command(), lab.dn("race"));
    racing.arm(Racing::CHANGE, move || {
        ldif.apply(&format!("dn: {dn}\nchangetype: modify\nreplace: description\ndescription: x\n"))
    });
    let report = directory.write(&target, &[change(Field::Extension, None, text("2003"))]).await;
    assert_eq!(raws(stored(&report.outcomes[0].1)), ["2003"]);
}

async fn one_refused_attribute_does_not_stop_the_others(lab: &Lab) {
    let (_, target) = lab.hire("refused", "").await;
    let mut settings = lab.only("refused");
    // May be read by everybody and written by nobody but the administrator.
    settings.map.fields[Field::Name] = Some("title".parse().unwrap());
    settings.map.fields[Field::Mobile] = Some("noSuchAttribute".parse().unwrap());
    settings.map.fields[Field::SipPassword] = None;
    let mut directory = lab.open(settings);
    let report = directory
        .write(
            &target,
            &[
                change(Field::Name, None, text("Director")),
                change(Field::Mobile, None, text("+79160000001")),
                change(Field::Extension, None, text("2004")),
                change(Field::Email, None, text("refused@example.test")),
                change(Field::SipPassword, None, Some(Content::Secret("x".to_owned().into()))),
            ],
        )
        .await;
    let outcome = |field| &report.outcomes.iter().find(|(one, _)| *one == field).unwrap().1;
    assert_eq!(raws(stored(outcome(Field::Extension))), ["2004"]);
    assert_eq!(raws(stored(outcome(Field::Email))), ["refused@example.test"]);
    let forbidden = refused(outcome(Field::Name));
    assert!(forbidden.code == Some(50) && forbidden.advice.contains("right to write `title`"), "{forbidden}");
    // 389 says that we have no right to write it, before it looks whether it exists.
    let unknown = refused(outcome(Field::Mobile));
    assert!(unknown.advice.contains("`noSuchAttribute`"), "{unknown}");
    assert_eq!(refused(outcome(Field::SipPassword)).code, None, "we do not even ask");
}

async fn an_equal_value_is_never_written(lab: &Lab) {
    let (mut directory, target) = lab.hire("equal", "mobile: +79160000001").await;
    let person = the_person(&mut directory).await;
    let before = first(&person.fields[Field::Mobile]);
    for before in [before, None] {
        let report = directory.write(&target, &[change(Field::Mobile, before, text("+79160000001"))]).await;
        assert_eq!(raws(stored(&report.outcomes[0].1)), ["+79160000001"]);
    }
    assert_eq!(the_person(&mut directory).await.mark, person.mark);
}

async fn missing_people_are_found_again(lab: &Lab) {
    let (_, target) = lab.hire("wanders", "").await;
    let mut scope = lab.settings("LDAP_WRITER");
    scope.filter = Some("(!(title=hidden))".to_owned());
    let mut directory = lab.open(scope);
    assert_eq!(directory.whereabouts(&target).await.unwrap(), Whereabouts::InScope);
    lab.edit("wanders", "replace: title\ntitle: hidden");
    let Whereabouts::FilteredOut { .. } = directory.whereabouts(&target).await.unwrap() else {
        panic!("the filter no longer takes them");
    };
    let (dn, groups) = (lab.dn("wanders"), lab.get("LDAP_GROUPS"));
    let rdn = dn.split(',').next().unwrap();
    lab.ldif(&format!(
        "dn: {dn}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {groups}\n"
    ));
    let Whereabouts::OutOfScope { dn } = directory.whereabouts(&target).await.unwrap() else {
        panic!("they moved out of the subdivision");
    };
    assert!(dn.to_lowercase().contains("wanders"));
    let person = directory.person(&target).await.unwrap().expect("still the same person");
    assert_eq!(person.id, target.id);
    lab.ldif(&format!("dn: {dn}\nchangetype: delete\n"));
    assert_eq!(directory.whereabouts(&target).await.unwrap(), Whereabouts::NotFound);
    assert_eq!(directory.person(&target).await.unwrap(), None);
    let report = directory.write(&target, &[change(Field::Extension, None, text("2005"))]).await;
    assert!(refused(&report.outcomes[0].1).advice.contains("no entry with the id"));
}

async fn only_a_real_change_moves_the_mark(lab: &Lab) {
    let (mut directory, _) = lab.hire("marks", "mobile: +79160000001").await;
    let before = the_person(&mut directory).await;
    assert_eq!(the_person(&mut directory).await.mark, before.mark, "reading moves nothing");
    // 389's mark has a time in it, to the second.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    lab.edit("marks", "delete: mobile");
    let after = the_person(&mut directory).await;
    assert_eq!(after.fields[Field::Mobile], Reading::Absent);
    assert_ne!(after.mark, before.mark, "a mark that moved is what proves the absence");
    // Another connection sees the same mark.
    assert_eq!(the_person(&mut lab.open(lab.only("marks"))).await.mark, after.mark);
}

async fn the_test_walks_through_every_step(lab: &Lab) {
    let steps = lab.open(lab.settings("LDAP_WRITER")).test().await;
    let failed: Vec<_> = steps.iter().filter(|step| !step.is_ok()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let names: Vec<StepName> = steps.iter().map(|step| step.name).collect();
    // The servers have addresses here, not a domain, and nothing depends on a group.
    let not_asked_for = [StepName::Domain, StepName::Groups];
    let walked = StepName::ALL.into_iter().filter(|name| !not_asked_for.contains(name));
    assert_eq!(names, walked.collect::<Vec<_>>());

    let fails_at = async |name: StepName, change: fn(&mut Settings)| {
        let mut settings = lab.settings("LDAP_READER");
        change(&mut settings);
        let steps = lab.open(settings).test().await;
        let (reached, rest) = steps.split_at(steps.iter().position(|step| step.name > name).unwrap());
        let last = reached.last().expect("a step");
        assert!(last.state == StepState::Failed && last.name == name, "{name}: {steps:?}");
        assert!(reached[..reached.len() - 1].iter().all(directory::Step::is_ok), "{steps:?}");
        assert!(rest.iter().all(|step| step.state == StepState::NotReached), "{steps:?}");
    };
    fails_at(StepName::Name, |settings| settings.hosts = vec!["no-such-host.invalid".to_owned()]).await;
    fails_at(StepName::Port, |settings| settings.port = 1).await;
    fails_at(StepName::Tls, |settings| settings.trust = Trust::Fingerprint(Fingerprint([0; 32]))).await;
    fails_at(StepName::SignIn, |settings| settings.sign_in = SignIn::Simple { dn: "cn=nobody".to_owned() })
        .await;
    fails_at(StepName::DomainRoot, |settings| {
        settings.base_dn = "dc=nowhere".to_owned();
        settings.ous.clear();
    })
    .await;
    fails_at(StepName::Subdivision, |settings| settings.ous[0] = format!("ou=nowhere,{}", settings.base_dn))
        .await;
}

async fn a_hidden_attribute_is_absent_and_not_writable(lab: &Lab) {
    let (_, target) = lab.hire("hidden", "sipPassword: theirs").await;
    let mut directory = lab.open(Settings {
        sign_in: SignIn::Simple { dn: lab.get("LDAP_READER").to_owned() },
        ..lab.only("hidden")
    });
    let person = the_person(&mut directory).await;
    assert_eq!(person.fields[Field::SipPassword], Reading::Absent, "hidden is absent, which proves nothing");
    let ours = Some(Content::Secret("ours".to_owned().into()));
    let report = directory.write(&target, &[change(Field::SipPassword, None, ours)]).await;
    refused(&report.outcomes[0].1);
    assert_eq!(lab.values("hidden", "sipPassword"), ["theirs"]);
}
