//! What the page of a server shows, asked of real servers.

use crate::support::{self, Lab, PEOPLE};
use directory::{
    Error, Kind, MayWrite, SampleValue, Schema, Security, Settings, SignIn, TcpDial, certificate,
    naming_contexts,
};
use effects::{Clock, SystemClock};
use reconcile::Field;
use std::sync::Arc;

pub async fn the_tree_is_walked(lab: &Lab) {
    let mut settings = lab.settings("LDAP_READER");
    let password = Some(lab.get("LDAP_PASSWORD").to_owned().into());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Before anything but the connection is known.
    settings.base_dn.clear();
    settings.ous.clear();
    let contexts = naming_contexts(&settings, password.as_ref(), &TcpDial, &clock).await.unwrap();
    let base = lab.get("LDAP_BASE");
    assert_eq!(contexts.suggested.as_deref(), Some(base));
    assert!(contexts.all.iter().all(|dn| !dn.to_lowercase().contains("schema")), "{contexts:?}");

    let mut directory = lab.open(lab.settings("LDAP_READER"));
    let branch = directory.subdivisions(base).await.unwrap();
    assert!(!branch.more);
    let named = |name: &str| branch.subdivisions.iter().find(|one| one.name == name);
    let people = named("Сотрудники").expect("the people's subdivision");
    assert_eq!(people.dn.to_lowercase(), lab.get("LDAP_PEOPLE").to_lowercase());
    if lab.kind == Kind::ActiveDirectory {
        assert!(named("Users").is_some() && named("Builtin").is_some(), "{branch:?}");
        assert!(named("System").is_none() && named("Configuration").is_none(), "{branch:?}");
    }
    assert!(branch.subdivisions.is_sorted_by_key(|one| one.name.to_lowercase()));
    lab.ldif(&format!(
        "dn: ou=Ветка\\, 1,{0}\nchangetype: add\nobjectClass: organizationalUnit\n\ndn: ou=Лист,ou=Ветка\\, 1,{0}\nchangetype: add\nobjectClass: organizationalUnit\n",
        lab.get("LDAP_PEOPLE")
    ));
    let below = directory.subdivisions(&people.dn).await.unwrap();
    let found = below.subdivisions.iter().find(|one| one.name == "Ветка, 1").expect("a branch");
    assert!(found.has_subdivisions);
    let leaves = directory.subdivisions(&found.dn).await.unwrap();
    assert_eq!((leaves.subdivisions.len(), leaves.subdivisions[0].has_subdivisions), (1, false));
    let nowhere = directory.subdivisions(&format!("ou=nowhere,{base}")).await;
    assert!(matches!(nowhere, Err(Error::Refused { .. })), "{nowhere:?}");
}

pub async fn people_are_counted_as_they_are_read(lab: &Lab) {
    let filter = Some("(employeeNumber=*)".to_owned());
    let mut settings = Settings { filter, ..lab.settings("LDAP_READER") };
    let count = lab.open(settings.clone()).count_people().await.unwrap();
    assert_eq!((count.people, count.cut_short), (PEOPLE, None));
    // Twice the same place is once.
    settings.ous.push(settings.ous[0].clone());
    assert_eq!(lab.open(settings.clone()).count_people().await.unwrap().people, PEOPLE);
    settings.filter = Some("(employeeNumber=000001)".to_owned());
    assert_eq!(lab.open(settings.clone()).count_people().await.unwrap().people, 1);
    settings.ous = vec![format!("ou=nowhere,{}", settings.base_dn)];
    let nowhere = lab.open(settings).count_people().await;
    assert!(matches!(nowhere, Err(Error::Refused { .. })), "{nowhere:?}");
}

pub async fn the_schema_names_what_people_may_have(lab: &Lab) {
    let schema = lab.open(lab.settings("LDAP_READER")).schema().await.unwrap();
    let of_people = |name: &str| attribute(&schema, name).of_people;
    for name in ["mail", "mobile", "ipPhone", "sipPassword", "displayName", "telephoneNumber", lab.photo()] {
        assert!(of_people(name), "{name}");
    }
    assert!(!of_people("dc") || lab.kind == Kind::ActiveDirectory);
    assert!(attribute(&schema, "sipPassword").single_valued);
    assert!(!attribute(&schema, "objectClass").single_valued);
    let single = attribute(&schema, "mobile").single_valued;
    assert_eq!(single, lab.kind == Kind::ActiveDirectory);
    assert!(attribute(&schema, "createTimestamp").servers_own);
    assert!(!attribute(&schema, "mail").servers_own);
    assert!(!schema.more && schema.attributes.len() > 100, "{}", schema.attributes.len());
}

fn attribute<'a>(schema: &'a Schema, name: &str) -> &'a directory::SchemaAttribute {
    let same = |one: &&directory::SchemaAttribute| one.name.eq_ignore_ascii_case(name);
    schema.attributes.iter().find(same).unwrap_or_else(|| panic!("no {name}"))
}

pub async fn samples_show_values_and_no_secret(lab: &Lab) {
    let photo = base64(&support::jpeg(1));
    let lines = format!(
        "displayName: Sample One\nmail: Sample@Example.test\nmobile: 8 (916) 000-00-01\nipPhone: 12a\nsipPassword: hunter2-hunter2\n{}:: {photo}",
        lab.photo()
    );
    let (mut directory, _) = lab.hire("sample", &lines).await;
    let samples = directory.samples().await.unwrap();
    let [sample] = samples.as_slice() else { panic!("one person: {samples:?}") };
    assert_eq!(sample.dn.to_lowercase(), lab.dn("sample").to_lowercase());
    let text = |raw: &str, canonical: &str| {
        vec![SampleValue::Text { raw: raw.to_owned(), canonical: canonical.to_owned() }]
    };
    assert_eq!(sample.fields[&Field::Name], text("Sample One", "Sample One"));
    assert_eq!(sample.fields[&Field::Email], text("Sample@Example.test", "sample@example.test"));
    assert_eq!(sample.fields[&Field::Mobile], text("8 (916) 000-00-01", "+79160000001"));
    assert!(
        matches!(&sample.fields[&Field::Extension][..], [SampleValue::Unusable { raw, .. }] if raw == "12a")
    );
    let picture = SampleValue::Picture { bytes: support::jpeg(1).len() };
    assert_eq!(sample.fields[&Field::Photo], [picture]);
    assert_eq!(sample.fields[&Field::SipPassword], [SampleValue::Set]);
    let told = format!("{samples:?}{}", serde_json::to_string(&samples).unwrap());
    assert!(!told.contains("hunter2"), "{told}");

    let all = lab.open(lab.settings("LDAP_WRITER")).samples().await.unwrap();
    assert_eq!(all.len(), 3);
    // Pictures are not read to choose by.
    let full = |(field, values): (&Field, &Vec<SampleValue>)| *field == Field::Photo || !values.is_empty();
    assert!(all.iter().all(|sample| sample.fields.iter().all(full)), "the fullest: {all:?}");
}

pub async fn what_may_be_written_is_told_where_the_server_tells(lab: &Lab) {
    lab.hire("righteous", "").await;
    let may = async |account: &str, attribute: &str| {
        let mut settings = lab.only("righteous");
        settings.sign_in = SignIn::Simple { dn: lab.get(account).to_owned() };
        settings.map.fields[Field::Name] = Some("title".parse().unwrap());
        let mut directory = lab.open(settings);
        let rights = directory.rights(&lab.dn("righteous")).await.unwrap();
        assert_eq!(rights.len(), 6);
        rights.into_iter().find(|right| right.attribute == attribute).unwrap().may_write
    };
    if lab.kind == Kind::OpenLdap {
        let MayWrite::Unknown(why) = may("LDAP_WRITER", "mail").await else { panic!("slapd cannot tell") };
        assert!(why.contains("does not tell"), "{why}");
        return;
    }
    for attribute in ["ipPhone", "mobile", "mail", "sipPassword", lab.photo()] {
        assert_eq!(may("LDAP_WRITER", attribute).await, MayWrite::Yes, "{attribute}");
        assert_eq!(may("LDAP_READER", attribute).await, MayWrite::No, "{attribute}");
    }
    assert_eq!(may("LDAP_WRITER", "title").await, MayWrite::No);
}

pub async fn the_certificate_is_shown_to_be_pinned(lab: &Lab) {
    for security in [Security::Ldaps, Security::StartTls] {
        let mut settings = lab.settings("LDAP_READER");
        lab.point(&mut settings, security);
        let shown = certificate(&TcpDial, &settings.hosts[0], settings.port, security).await.unwrap();
        assert_eq!(shown.fingerprint, lab.get("LDAP_FINGERPRINT").parse().unwrap());
        assert!(shown.names.contains(&settings.hosts[0]), "{shown:?}");
        assert!(shown.subject.contains("CN=") && shown.issuer.contains("CN="), "{shown:?}");
        let now_ms = SystemClock.now_ms();
        assert!(shown.not_before_ms <= now_ms && now_ms < shown.not_after_ms, "{shown:?}");
        settings.trust = directory::Trust::Fingerprint(shown.fingerprint);
        settings.filter = Some("(employeeNumber=000001)".to_owned());
        support::the_person(&mut lab.open(settings.clone())).await;
        let plain = certificate(&TcpDial, &settings.hosts[0], 1, security).await;
        assert!(matches!(plain, Err(Error::Connect { .. })), "{plain:?}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
