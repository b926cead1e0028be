//! What only one or two kinds of servers have.

use crate::support::{self, PEOPLE, Racing, read_all, slapd_with_certificate, the_person};
use crate::{change, raws, stored, text};
use directory::{Error, Security, Settings, SignIn, Target, Trust};
use reconcile::{Field, Whereabouts};

#[tokio::test]
async fn limits_make_a_read_partial_on_slapd_and_389() {
    for lab in [support::slapd(), support::ds389()] {
        let capped =
            Settings { filter: Some("(employeeNumber=*)".to_owned()), ..lab.settings("LDAP_CAPPED") };
        let read = read_all(&mut lab.open(capped)).await.unwrap();
        assert_eq!(read.snapshot.rows.len(), PEOPLE, "paging gets past this limit");
        assert!(read.snapshot.verdict.is_complete());
        // slapd counts over all pages, 389 page by page.
        let capped = Settings { page_size: 1000, ..lab.settings("LDAP_CAPPED_500") };
        match read_all(&mut lab.open(capped)).await {
            Ok(read) => {
                let why = read.snapshot.verdict.reason().expect("not everybody was read");
                assert!(why.contains("limit"), "{why}");
                assert!(read.snapshot.rows.len() <= 500);
            }
            Err(error) => panic!("some were read: {error}"),
        }
    }
}

#[tokio::test]
async fn bad_certificates_are_told_apart() {
    for (certificate, port, words) in [
        ("expired", 3992, "has expired"),
        ("wrong-name", 3993, "elsewhere.example.test"),
        ("self-signed", 3994, "pin"),
    ] {
        let lab = slapd_with_certificate(certificate, port);
        let mut settings = lab.settings("LDAP_READER");
        let Err(Error::Tls { why, seen: Some(seen), .. }) = read_all(&mut lab.open(settings.clone())).await
        else {
            panic!("a bad certificate is refused: {certificate}");
        };
        assert!(why.contains(words), "{certificate}: {why}");
        settings.trust = Trust::Fingerprint(seen);
        read_all(&mut lab.open(settings)).await.unwrap();
    }
}

#[tokio::test]
async fn slapd_knows_us_by_socket_and_by_certificate() {
    let lab = support::slapd();
    let mut settings = Settings { sign_in: SignIn::External, ..lab.settings("LDAP_WRITER") };
    settings.filter = Some("(employeeNumber=000001)".to_owned());
    let mut socket = settings.clone();
    socket.hosts = vec![format!("ldapi://{}", lab.get("LDAPI_PATH"))];
    socket.security = Security::None;
    the_person(&mut lab.open(socket)).await;
    settings.client_certificate = Some(std::fs::read_to_string(lab.get("LDAP_CLIENT_CERT")).unwrap());
    let key = std::fs::read_to_string(lab.get("LDAP_CLIENT_KEY")).unwrap();
    let mut directory = directory::Directory::new(
        settings,
        Some(key.into()),
        reconcile::canonical::Fingerprinter::new([7; 32]),
        std::sync::Arc::new(directory::TcpDial),
        std::sync::Arc::new(effects::SystemClock),
    )
    .unwrap();
    the_person(&mut directory).await;
}

#[tokio::test]
async fn samba_dates_every_attribute() {
    let lab = support::samba();
    let (mut directory, target) = lab.hire("dated", "mobile: +79160000001\nsipPassword: x").await;
    let first = directory.attribute_changes(&target).await.unwrap();
    let skew_ms = directory.skew_ms().expect("AD tells its time");
    assert!(skew_ms.abs() < 5_000, "{skew_ms}");
    let mobile = first[Field::Mobile].clone().expect("it was set");
    assert!(first[Field::SipPassword].is_some(), "an attribute added to the schema is dated too");
    assert!(first[Field::Email].is_none(), "it was never set");
    let now_ms = effects::Clock::now_ms(&effects::SystemClock);
    assert!((mobile.time_ms - now_ms).abs() < 60_000, "{} {now_ms}", mobile.time_ms);
    let usn = |mark: &reconcile::Mark| mark.0.rsplit_once(':').unwrap().1.parse::<u64>().unwrap();
    let server = |mark: &reconcile::Mark| mark.0.rsplit_once(':').unwrap().0.to_owned();
    let person = the_person(&mut directory).await;
    let mark = person.mark.expect("a mark");
    assert_eq!(server(&mark), server(&mobile.mark), "both count by the same server");
    lab.edit("dated", "delete: mobile");
    let second = directory.attribute_changes(&target).await.unwrap();
    let removed = second[Field::Mobile].clone().expect("a removed attribute keeps its stamp");
    assert!(usn(&removed.mark) > usn(&mark), "the removal came after the read");
    assert_eq!(second[Field::SipPassword], first[Field::SipPassword]);
}

#[tokio::test]
async fn samba_takes_every_form_of_a_login() {
    let lab = support::samba();
    for name in [
        "ADTEST\\pbx-reader",
        "pbx-reader@ad.example.test",
        "CN=pbx-reader,CN=Users,DC=ad,DC=example,DC=test",
    ] {
        let settings = Settings {
            sign_in: SignIn::Simple { dn: name.to_owned() },
            filter: Some("(employeeNumber=000001)".to_owned()),
            ..lab.settings("LDAP_READER")
        };
        the_person(&mut lab.open(settings)).await;
    }
}

#[tokio::test]
async fn samba_without_subdivisions_gives_people_and_nothing_else() {
    let lab = support::samba();
    let settings = Settings { ous: Vec::new(), ..lab.settings("LDAP_READER") };
    let read = read_all(&mut lab.open(settings)).await.unwrap();
    assert!(read.snapshot.verdict.is_complete(), "{:?}", read.snapshot.verdict);
    assert!(read.references.is_empty(), "no search references: {:?}", read.references);
    let named = |name: &str| read.snapshot.rows.iter().any(|person| person.dn.starts_with(name));
    assert!(!named("CN=Administrator,") && !named("CN=krbtgt,") && !named("CN=DC1,"));
    assert!(read.snapshot.rows.len() >= PEOPLE);
}

#[tokio::test]
async fn samba_people_may_be_known_by_another_guid() {
    let lab = support::samba();
    // mS-DS-ConsistencyGuid 00112233-4455-6677-8899-aabbccddeeff, mixed-endian.
    lab.hire("anchored", "mS-DS-ConsistencyGuid:: MyIRAFVEd2aImaq7zN3u/w==").await;
    let settings =
        Settings { id_attribute: Some("mS-DS-ConsistencyGuid".to_owned()), ..lab.only("anchored") };
    let mut directory = lab.open(settings);
    let person = the_person(&mut directory).await;
    assert_eq!(person.id.as_str(), "00112233-4455-6677-8899-aabbccddeeff");
    let mut target = Target::from(&person);
    for hint in [person.dn.to_string(), "CN=gone,DC=ad,DC=example,DC=test".to_owned(), "no dn".to_owned()] {
        target.dn = hint;
        assert!(directory.person(&target).await.unwrap().is_some(), "{}", target.dn);
    }
    let report = directory.write(&target, &[change(Field::Extension, None, text("2006"))]).await;
    assert_eq!(raws(stored(&report.outcomes[0].1)), ["2006"]);
    assert_eq!(directory.whereabouts(&target).await.unwrap(), Whereabouts::InScope);
}

/// Two values met, but ours was there first: it stays. Only the answer to the
/// change itself can tell, a look afterwards sees both.
#[tokio::test]
async fn a_value_that_came_after_ours_is_no_reason_to_take_ours_back() {
    for lab in [support::slapd(), support::ds389()] {
        let (_, target) = lab.hire("later", "").await;
        let racing = Racing::default();
        let mut directory = lab.open_with(lab.only("later"), std::sync::Arc::new(racing.clone()));
        the_person(&mut directory).await;
        let (ldif, dn) = (lab.ldif_command(), lab.dn("later"));
        let theirs = move || {
            ldif.apply(&format!("dn: {dn}\nchangetype: modify\nadd: mobile\nmobile: +79169999999\n"));
        };
        racing.arm(Racing::READ_BACK, theirs);
        let report = directory.write(&target, &[change(Field::Mobile, None, text("+79160000001"))]).await;
        // What we stored is what the answer says; theirs is an edit for the next read.
        assert_eq!(raws(stored(&report.outcomes[0].1)), ["+79160000001"]);
        assert_eq!(lab.values("later", "mobile"), ["+79160000001", "+79169999999"]);
    }
}
