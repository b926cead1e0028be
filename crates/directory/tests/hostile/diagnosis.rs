//! The step by step test of a configuration, against scripted servers.

use crate::script::*;
use directory::{Kind, Settings, Step, StepName, StepState};
use ldap3_proto::proto::{LdapMsg, LdapOp, LdapPartialAttribute, LdapResultCode, LdapSearchResultEntry};
use reconcile::Field;

/// Somebody without any attribute we may read.
fn bare() -> LdapOp {
    LdapOp::SearchResultEntry(LdapSearchResultEntry { dn: format!("cn=x,{BASE}"), attributes: Vec::new() })
}

/// A server with these people, whose own entry says one thing about it.
async fn test(settings: Settings, people: Vec<LdapOp>, about: (&'static str, &'static str)) -> Vec<Step> {
    let script = move |message: &LdapMsg| match &message.op {
        LdapOp::SearchRequest(search) if search.base.is_empty() => {
            let (name, value) = about;
            let about =
                LdapPartialAttribute { atype: name.to_owned(), vals: vec![value.as_bytes().to_vec()] };
            let root = LdapSearchResultEntry { dn: String::new(), attributes: vec![about] };
            done(message, vec![LdapOp::SearchResultEntry(root)], LdapResultCode::Success, None)
        }
        _ => ordinary(message, |message, _| done(message, people.clone(), LdapResultCode::Success, None)),
    };
    directory(settings, script).0.test().await
}

fn step(steps: &[Step], name: StepName) -> &Step {
    steps.iter().find(|step| step.name == name).unwrap_or_else(|| panic!("no {name}: {steps:#?}"))
}

/// The last step that was reached.
fn last(steps: &[Step]) -> &Step {
    steps.iter().rfind(|step| step.state != StepState::NotReached).expect("a step")
}

const SLAPD: (&str, &str) = ("structuralObjectClass", "OpenLDAProotDSE");
const DS389: (&str, &str) = ("vendorName", "389 Project");

#[tokio::test]
async fn ids_that_cannot_be_read_are_told_with_the_likely_reason() {
    let ids =
        async |settings, people, about| step(&test(settings, people, about).await, StepName::Ids).clone();
    let good = ids(settings(), vec![person(1), person(2)], SLAPD).await;
    assert!(good.is_ok() && good.detail == "2 of 2 people have a usable `entryUUID`", "{good:?}");
    let some = ids(settings(), vec![person(1), bare()], SLAPD).await;
    assert!(!some.is_ok() && some.detail.contains("1 of 2") && some.detail.contains("may the account read"));
    let other = ids(settings(), vec![bare()], DS389).await;
    assert!(!other.is_ok(), "{other:?}");
    assert!(other.detail.ends_with("is the type openldap right? this looks like 389ds or freeipa"));
    // 389 DS is what FreeIPA stands on: no contradiction.
    let ipa = ids(Settings { kind: Kind::FreeIpa, ..settings() }, vec![bare()], DS389).await;
    assert!(!ipa.is_ok() && !ipa.detail.contains("looks like"), "{ipa:?}");

    let own = |name: &str| Settings { id_attribute: Some(name.to_owned()), ..settings() };
    let some = ids(own("cn"), vec![person(1), bare()], SLAPD).await;
    assert!(some.is_ok() && some.detail.ends_with("the others are left out"), "{some:?}");
    let none = ids(own("cnn"), vec![person(1)], SLAPD).await;
    assert!(!none.is_ok() && none.detail.contains("name of the id attribute"), "{none:?}");
}

#[tokio::test]
async fn nobody_at_all_may_be_the_wrong_kind() {
    let steps = test(settings(), Vec::new(), DS389).await;
    let reached = last(&steps);
    assert!(
        reached.name == StepName::People && !reached.is_ok() && reached.detail.contains("looks like 389ds"),
        "{reached:?}"
    );
    let steps = test(settings(), Vec::new(), SLAPD).await;
    assert!(last(&steps).detail.contains("check domain root"), "{steps:?}");
    let behind: Vec<_> = steps.iter().filter(|step| step.state == StepState::NotReached).collect();
    let names: Vec<StepName> = behind.iter().map(|step| step.name).collect();
    assert_eq!(names, [StepName::Ids, StepName::Attributes, StepName::Rights]);
}

#[tokio::test]
async fn an_attribute_nobody_has_is_pointed_out() {
    let mut settings = settings();
    settings.map.fields[Field::Extension] = Some("noSuchAttr".parse().unwrap());
    let steps = test(settings, vec![person(1), person(2)], SLAPD).await;
    let step = step(&steps, StepName::Attributes);
    assert!(step.is_ok() && step.detail.contains("name from `cn`: 2"), "{step:?}");
    let words = step.detail.split("nobody has ").nth(1).expect("it is pointed out");
    assert!(words.contains("`noSuchAttr`") && !words.contains("`cn`") && words.contains("is the name right"));
}

#[tokio::test]
async fn one_host_that_answers_is_enough() {
    for hosts in [["down", "localhost"], ["localhost", "down"]] {
        let hosts = hosts.map(str::to_owned).to_vec();
        let steps = test(Settings { hosts, ..settings() }, vec![person(1)], SLAPD).await;
        assert!(steps.iter().all(|step| step.is_ok()), "{steps:#?}");
        let told = steps.iter().find(|step| step.detail.starts_with("failed, but localhost answers: "));
        assert!(
            told.is_some_and(|step| step.name == StepName::Port && step.detail.contains("down")),
            "{steps:#?}"
        );
    }
    let steps = test(Settings { hosts: vec!["down".to_owned(); 2], ..settings() }, Vec::new(), SLAPD).await;
    assert!(steps.iter().filter(|step| step.name == StepName::Port).all(|step| !step.is_ok()), "{steps:#?}");
    assert_eq!(last(&steps).name, StepName::Port);
    let names: Vec<StepName> = steps[4..].iter().map(|step| step.name).collect();
    let rest = StepName::ALL
        .into_iter()
        .filter(|name| *name > StepName::Port && !matches!(name, StepName::Subdivision | StepName::Groups));
    assert_eq!(names, rest.collect::<Vec<_>>(), "everything behind it is there, not reached");
}
