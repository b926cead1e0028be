//! Groups and excluded subdivisions, on real servers.

use crate::support::{self, Lab, read_all};
use directory::{Directory, Kind, Settings, StepName, StepState, Target};
use reconcile::Whereabouts;

fn group_class(lab: &Lab, name: &str) -> String {
    match lab.kind {
        Kind::ActiveDirectory => format!("objectClass: group\nsAMAccountName: {name}"),
        _ => "objectClass: groupOfNames".to_owned(),
    }
}

/// Adds a group with one member.
fn group(lab: &Lab, name: &str, class: &str, member: &str) -> String {
    let dn = format!("cn={name},{}", lab.get("LDAP_GROUPS"));
    lab.ldif(&format!("dn: {dn}\nchangetype: add\n{class}\ncn: {name}\n{member}\n"));
    dn
}

fn only(lab: &Lab, logins: [&str; 2], change: impl FnOnce(&mut Settings)) -> Directory {
    let filter = logins.map(|login| format!("({}={login})", lab.login())).concat();
    let mut settings = Settings { filter: Some(format!("(|{filter})")), ..lab.settings("LDAP_WRITER") };
    change(&mut settings);
    lab.open(settings)
}

async fn seen(directory: &mut Directory) -> Vec<String> {
    let read = read_all(directory).await.unwrap();
    assert!(read.snapshot.verdict.is_complete(), "{:?}", read.snapshot.verdict);
    let count = directory.count_people().await.unwrap();
    assert_eq!((count.people, count.cut_short), (read.snapshot.rows.len(), None), "both count alike");
    read.snapshot.rows.into_iter().map(|person| person.id.to_string()).collect()
}

pub async fn groups_narrow_the_people(lab: &Lab) {
    let (_, inside) = lab.hire("group-in", "").await;
    let (_, outside) = lab.hire("group-out", "").await;
    let member = |login: &str| format!("member: {}", lab.dn(login));
    let dn = group(lab, "live-group", &group_class(lab, "live-group"), &member("group-in"));
    let mut directory = only(lab, ["group-in", "group-out"], |settings| settings.groups = vec![dn.clone()]);
    assert_eq!(seen(&mut directory).await, [inside.id.to_string()]);
    let steps = directory.test().await;
    assert!(steps.iter().all(directory::Step::is_ok), "{steps:#?}");
    assert!(steps.iter().any(|step| step.name == StepName::Groups));
    assert_eq!(directory.whereabouts(&inside).await.unwrap(), Whereabouts::InScope);
    let out = directory.whereabouts(&outside).await.unwrap();
    assert!(matches!(out, Whereabouts::FilteredOut { .. }), "{out:?}");

    // Groups in groups count where the server follows them.
    let class = group_class(lab, "live-nest");
    let nest = group(lab, "live-nest", &class, &format!("member: {dn}"));
    let mut nested = only(lab, ["group-in", "group-out"], |settings| settings.groups = vec![nest]);
    let expected = if lab.kind == Kind::OpenLdap { Vec::new() } else { vec![inside.id.to_string()] };
    assert_eq!(seen(&mut nested).await, expected);

    lab.ldif(&format!("dn: {dn}\nchangetype: modify\nreplace: member\n{}\n", member("group-out")));
    assert_eq!(seen(&mut directory).await, [outside.id.to_string()]);
    let left = directory.whereabouts(&inside).await.unwrap();
    assert!(matches!(left, Whereabouts::FilteredOut { .. }), "{left:?}");

    let mut gone = only(lab, ["group-in", "group-out"], |settings| {
        settings.groups = vec![format!("cn=nobody,{}", lab.get("LDAP_GROUPS"))];
    });
    let read = read_all(&mut gone).await.unwrap();
    assert!(read.snapshot.verdict.reason().is_some_and(|why| why.contains("the group")), "{read:?}");
    refused(&mut gone, &inside, "nobody can tell").await;
}

/// The servers keep `memberOf` for `member` only: members of this group are as
/// those of a server that keeps none.
#[tokio::test]
async fn whose_entry_does_not_name_their_group_is_no_leaver() {
    for lab in [support::slapd(), support::ds389()] {
        let (_, target) = lab.hire("unsaid", "").await;
        let member = format!("uniqueMember: {}", lab.dn("unsaid"));
        let dn = group(lab, "live-unsaid", "objectClass: groupOfUniqueNames", &member);
        let mut directory = only(lab, ["unsaid", "nobody"], |settings| settings.groups = vec![dn]);
        assert_eq!(seen(&mut directory).await, [""; 0]);
        refused(&mut directory, &target, "memberOf").await;
        let steps = directory.test().await;
        let step = steps.iter().find(|step| step.name == StepName::Groups).unwrap();
        assert!(step.state == StepState::Failed && step.detail.contains("overlay memberof"), "{step:?}");
    }
}

async fn refused(directory: &mut Directory, target: &Target, words: &str) {
    match directory.whereabouts(target).await.unwrap() {
        Whereabouts::Refused(why) => assert!(why.contains(words), "{why}"),
        other => panic!("{words}: {other:?}"),
    }
}

pub async fn whoever_is_excluded_is_elsewhere(lab: &Lab) {
    let (_, target) = lab.hire("excluded", "").await;
    let (_, stays) = lab.hire("stays", "").await;
    let unit = format!("ou=Вне игры\\, 2,{}", lab.get("LDAP_PEOPLE"));
    let (dn, rdn) = (lab.dn("excluded"), lab.dn("excluded").split(',').next().unwrap().to_owned());
    lab.ldif(&format!(
        "dn: {unit}\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: {dn}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {unit}\n"
    ));
    // Another spelling of the same name.
    let excluded = unit.to_uppercase().replace("\\,", "\\2c");
    let mut directory = only(lab, ["excluded", "stays"], |settings| settings.exclude = vec![excluded]);
    assert_eq!(seen(&mut directory).await, [stays.id.to_string()]);
    let place = directory.whereabouts(&target).await.unwrap();
    assert!(matches!(place, Whereabouts::OutOfScope { .. }), "{place:?}");
    assert_eq!(directory.whereabouts(&stays).await.unwrap(), Whereabouts::InScope);
    assert_eq!(directory.samples().await.unwrap().len(), 1);

    // Gone, or renamed: the excluded people may be anywhere, so nothing is concluded.
    lab.ldif(&format!(
        "dn: {rdn},{unit}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {}\n\n\
         dn: {unit}\nchangetype: delete\n",
        lab.get("LDAP_PEOPLE")
    ));
    let read = read_all(&mut directory).await.unwrap();
    let why = read.snapshot.verdict.reason().expect("not complete");
    assert!(why.contains("the excluded subdivision"), "{why}");
    refused(&mut directory, &target, "the excluded subdivision").await;
}
