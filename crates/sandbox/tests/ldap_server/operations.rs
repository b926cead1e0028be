//! The directory as a client meets it, over an in-memory stream. The codes of
//! OpenLDAP were recorded from slapd 2.5, those of AD from Samba 4.17.

use crate::client::*;
use ldap3_proto::LdapSearchScope;
use ldap3_proto::control::LdapControl;
use ldap3_proto::proto::LdapModifyType::{self, Add, Delete, Replace};
use ldap3_proto::proto::{
    LdapAddRequest, LdapCompareRequest, LdapExtendedRequest, LdapModifyDNRequest, LdapOp,
};
use ldap3_proto::{LdapFilter, LdapPartialAttribute};
use sandbox::company::Company;
use sandbox::directory::{Directory, Personality, Standing, Writes};
use uuid::Uuid;

const OPEN: Personality = Personality::OpenLdap;
const AD: Personality = Personality::ActiveDirectory;

type Changes<'a> = &'a [(LdapModifyType, &'a str, &'a [&'a [u8]])];

/// A directory with one person in it.
fn one_person(personality: Personality) -> (Directory, Uuid, String) {
    let directory = directory(personality);
    let id = directory.hire(directory.base(), "anna", "Анна Ёлкина", &[("mobile", "+7 926 1")]).unwrap();
    let dn = directory.entry(id).unwrap().dn;
    (directory, id, dn)
}

#[tokio::test]
async fn modifies_end_with_the_codes_of_the_real_servers() {
    let jpeg: &[u8] = &[0xff, 0xd8, 1];
    let other: &[u8] = &[0xff, 0xd8, 2];
    let open: &[(Changes, i64)] = &[
        (&[(Add, "jpegPhoto", &[jpeg])], 0),
        (&[(Add, "jpegPhoto", &[other])], 18),
        (&[(Delete, "jpegPhoto", &[jpeg])], 18),
        (&[(Replace, "jpegPhoto", &[other])], 0),
        (&[(Delete, "jpegPhoto", &[])], 0),
        (&[(Delete, "jpegPhoto", &[])], 16),
        (&[(Replace, "sipPassword", &[b"a", b"b"])], 19),
        (&[(Replace, "displayName", &[b"a"]), (Add, "displayName", &[b"b"])], 19),
        (&[(Add, "fooBar", &[b"b"])], 17),
        (&[(Add, "thumbnailPhoto", &[b"b"])], 17),
        (&[(Add, "dc", &[b"b"])], 65),
        (&[(Replace, "mobile", &["8 доб. 5".as_bytes()])], 21),
        (&[(Replace, "mail", &["ф@x".as_bytes()])], 21),
        (&[(Replace, "mobile", &[b""])], 21),
        (&[(Delete, "uid", &[])], 64),
        (&[(Delete, "sn", &[])], 65),
        (&[(Replace, "entryUUID", &[b"5d1e6a4e-0f43-4c3b-9d26-2f3a4c3b9d26"])], 19),
        (&[(Replace, "mail", &[b"A@x", b"a@x"])], 20),
        (&[(Replace, "mobile", &[b"+7 1"]), (Add, "mobile", &[b"+71"])], 20),
        (&[(Replace, "mobile", &[b"+7 1"]), (Delete, "mobile", &[b"+71"])], 0),
        (&[(Replace, "pager", &[])], 0),
        (&[(Replace, "mobile", &[b"1"]), (Delete, "mobile", &[b"55"])], 16),
        (&[(Replace, "ipPhone", &[b"7"]), (Delete, "objectClass", &[b"pbxPerson"])], 65),
        (&[(Add, "objectClass", &[b"foo"])], 21),
        (&[(Replace, "mobile", &[b"5"]), (Delete, "mobile", &[b"5"]), (Add, "mobile", &[b"5"])], 0),
        (&[(Replace, "mail", &[b"a@x", b"b@x"])], 0),
    ];
    let long = [b'1'; 65];
    let ad: &[(Changes, i64)] = &[
        (&[(Add, "thumbnailPhoto", &[jpeg])], 0),
        (&[(Delete, "thumbnailPhoto", &[jpeg]), (Add, "thumbnailPhoto", &[other])], 0),
        (&[(Delete, "thumbnailPhoto", &[jpeg])], 16),
        (&[(Add, "thumbnailPhoto", &[jpeg])], 20),
        (&[(Replace, "mail", &[b"a@x", b"b@x"])], 20),
        (&[(Add, "fooBar", &[b"b"])], 16),
        (&[(Replace, "mobile", &["8 доб. 5".as_bytes()])], 0),
        (&[(Replace, "ipPhone", &[&long])], 21),
        (&[(Replace, "mobile", &[b"\xff"])], 21),
        (&[(Replace, "mobile", &[b"1\x002"])], 0),
        (&[(Replace, "uSNChanged", &[b"1"])], 19),
        (&[(Replace, "objectGUID", &[&[0; 16]])], 19),
        (&[(Replace, "cn", &[b"x"])], 67),
        (&[(Delete, "objectClass", &[])], 65),
    ];
    for (personality, cases) in [(OPEN, open), (AD, ad)] {
        let (directory, _, dn) = one_person(personality);
        let mut client = Client::signed_in(&directory, "admin").await;
        for (changes, code) in cases {
            assert_eq!(client.modify(&dn, changes).await, *code, "{personality:?} {changes:?}");
        }
        let nobody = format!("cn=nobody,{}", directory.base());
        assert_eq!(client.modify(&nobody, &[(Delete, "mobile", &[])]).await, 32);
        assert_eq!(client.modify("garbage", &[(Delete, "mobile", &[])]).await, 34);
    }
}

#[tokio::test]
async fn a_refused_modify_changes_nothing() {
    for personality in [OPEN, AD] {
        let (directory, id, dn) = one_person(personality);
        let before = directory.entry(id);
        let mut client = Client::signed_in(&directory, "pbx-sync").await;
        let changes: Changes = &[(Replace, "mobile", &[b"9"]), (Replace, "title", &[b"Boss"])];
        assert_eq!(client.modify(&dn, changes).await, 50, "one forbidden attribute refuses all");
        let changes: Changes = &[(Replace, "mobile", &[b"9"]), (Delete, "mail", &[b"x@y"])];
        assert_eq!(client.modify(&dn, changes).await, 16);
        assert_eq!(directory.entry(id), before);
        assert_eq!((directory.writes(), directory.counts().write_requests), (0, 2));
    }
}

#[tokio::test]
async fn an_equal_replace_moves_the_stamp_of_openldap_only() {
    for (personality, mark, moves) in [(OPEN, "entryCSN", true), (AD, "uSNChanged", false)] {
        let (directory, id, dn) = one_person(personality);
        let mark = || directory.entry(id).unwrap().text(mark).unwrap();
        let mut client = Client::signed_in(&directory, "pbx-sync").await;
        let first = mark();
        assert_eq!(client.modify(&dn, &[(Replace, "mobile", &[b"+7 926 1"])]).await, 0);
        assert_eq!((mark() != first, directory.writes()), (moves, 0));
        let second = mark();
        assert_eq!(client.modify(&dn, &[(Replace, "mobile", &[b"+7 926 2"])]).await, 0);
        assert_eq!((mark() > second, directory.writes()), (true, 1));
    }
}

#[tokio::test]
async fn ad_keeps_a_record_of_every_attribute() {
    let (directory, id, dn) = one_person(AD);
    // (version, USN) by the number of the attribute.
    let record = |attid: u32| {
        let blob = directory.entry(id).unwrap().attributes["replPropertyMetaData"][0].clone();
        let number = |at: usize| u32::from_le_bytes(blob[at..at + 4].try_into().unwrap());
        assert_eq!((number(0), blob.len()), (1, 16 + 48 * number(8) as usize));
        let starts = (0..number(8) as usize).map(|i| 16 + 48 * i);
        starts.into_iter().find(|&at| number(at) == attid).map(|at| {
            let seconds = i64::from_le_bytes(blob[at + 8..at + 16].try_into().unwrap());
            assert_eq!(seconds - 11_644_473_600, 1_800_000_000);
            (number(at + 4), number(at + 40))
        })
    };
    let (mobile, mail) = (0x0015_0029, 0x0015_0003);
    let (version, usn) = record(mobile).unwrap();
    assert_eq!((version, record(mail)), (1, None));
    let mut client = Client::signed_in(&directory, "admin").await;
    assert_eq!(client.modify(&dn, &[(Add, "mail", &[b"a@x"])]).await, 0);
    assert_eq!(record(mobile), Some((1, usn)));
    assert_eq!(client.modify(&dn, &[(Delete, "mobile", &[])]).await, 0);
    let (version, removed_usn) = record(mobile).expect("a removed attribute keeps its record");
    assert!(version == 2 && removed_usn > record(mail).unwrap().1);
    assert_eq!(directory.entry(id).unwrap().text("uSNChanged"), Some(removed_usn.to_string()));
}

#[tokio::test]
async fn ad_finds_an_entry_by_its_guid_wherever_it_is() {
    let (directory, id, _) = one_person(AD);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    let hex: String = id.to_bytes_le().iter().map(|byte| format!("{byte:02x}")).collect();
    for name in [format!("<GUID={id}>"), format!("<GUID={hex}>")] {
        let found = client.read(&name, &["objectGUID", "mobile"]).await;
        assert_eq!(found.entries[0].attributes[1].vals, [id.to_bytes_le()]);
        let number = if name.contains('-') { "1" } else { "2" };
        assert_eq!(client.modify(&name, &[(Replace, "mobile", &[number.as_bytes()])]).await, 0);
    }
    directory.move_to(id, &format!("CN=Users,{AD_BASE}")).unwrap();
    let found = client.read(&format!("<GUID={id}>"), &["1.1"]).await;
    assert_eq!(found.entries[0].dn, format!("CN=Анна Ёлкина,CN=Users,{AD_BASE}"));
    assert_eq!(client.read(&format!("<GUID={}>", Uuid::nil()), &["1.1"]).await.code(), 32);
}

#[tokio::test]
async fn an_assertion_is_kept_or_the_write_refused() {
    let (directory, id, dn) = one_person(OPEN);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    let uuid = || equal("entryUUID", &id.to_string());
    let no_mail = || LdapFilter::Not(Box::new(present("mail")));
    let change: Changes = &[(Add, "mail", &[b"a@x"])];
    let guard = || vec![assertion(LdapFilter::And(vec![uuid(), no_mail()]), true)];
    let post_read = LdapControl::Unknown {
        oid: "1.3.6.1.1.13.2".to_owned(),
        criticality: true,
        // SEQUENCE { "mail" }
        value: Some(b"\x30\x06\x04\x04mail".to_vec()),
    };
    let (code, controls) = client.modify_with(&dn, change, [guard(), vec![post_read]].concat()).await;
    let answer = match &controls[..] {
        [LdapControl::Unknown { oid, value: Some(value), .. }] if oid == "1.3.6.1.1.13.2" => value,
        other => panic!("{other:?}"),
    };
    assert!(code == 0 && answer.windows(7).any(|part| part == b"\x31\x05\x04\x03a@x"));
    assert_eq!(client.modify_with(&dn, change, guard()).await.0, 122);
    let unknown = LdapFilter::Not(Box::new(equal("nonsense", "x")));
    assert_eq!(client.modify_with(&dn, change, vec![assertion(unknown, true)]).await.0, 122);

    let (directory, _, dn) = one_person(AD);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    let never = || equal("cn", "nobody");
    let change: Changes = &[(Replace, "mail", &[b"a@x"])];
    assert_eq!(client.modify_with(&dn, change, vec![assertion(never(), true)]).await.0, 12);
    assert_eq!(
        client.modify_with(&dn, change, vec![assertion(never(), false)]).await.0,
        0,
        "ignored in silence"
    );
}

#[tokio::test]
async fn what_an_account_may_not_see_is_not_there() {
    for personality in [OPEN, AD] {
        let (directory, id, dn) = one_person(personality);
        directory.set(id, "sipPassword", &["top"]).unwrap();
        let secret = || equal("sipPassword", "top");
        let compare = || {
            let (atype, val) = ("sipPassword".to_owned(), b"top".to_vec());
            LdapOp::CompareRequest(LdapCompareRequest { dn: dn.clone(), atype, val })
        };
        let mut sees = Client::signed_in(&directory, "pbx-sync").await;
        assert_eq!(sees.read(&dn, &["sipPassword"]).await.values("sipPassword"), ["top"]);
        assert_eq!(sees.find(directory.base(), secret(), &[]).await.entries.len(), 1);
        assert_eq!(sees.ask(compare(), Vec::new()).await.0, 6);

        let mut blind = Client::signed_in(&directory, "pbx-reader").await;
        assert_eq!(blind.read(&dn, &["*", "sipPassword"]).await.values("sipPassword"), [""; 0]);
        for filter in [secret(), LdapFilter::Not(Box::new(secret())), present("sipPassword")] {
            assert_eq!(blind.find(directory.base(), filter, &[]).await.entries.len(), 0);
        }
        assert_eq!(blind.ask(compare(), Vec::new()).await.0, 50);
        assert_eq!(blind.modify(&dn, &[(Replace, "mobile", &[b"1"])]).await, 50);

        directory.with_account("pbx-sync", |account| account.rights.writes = Writes::Nothing).unwrap();
        assert_eq!(sees.modify(&dn, &[(Replace, "mobile", &[b"1"])]).await, 50, "at once");
    }
}

#[tokio::test]
async fn ad_tells_which_attributes_are_writable() {
    let (directory, _, dn) = one_person(AD);
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    let writable =
        client.read(&dn, &["allowedAttributesEffective"]).await.values("allowedAttributesEffective");
    assert!(writable.contains(&"mobile".to_owned()) && !writable.contains(&"title".to_owned()));
    let mut reader = Client::signed_in(&directory, "pbx-reader").await;
    assert_eq!(reader.read(&dn, &["allowedAttributesEffective"]).await.entries[0].attributes, []);
    assert!(client.read(&dn, &["*"]).await.values("allowedAttributesEffective").is_empty());
}

#[tokio::test]
async fn signing_in() {
    for (personality, cases) in [
        (
            OPEN,
            &[
                ("cn=admin,dc=example,dc=test", PASSWORD, 0),
                ("CN=Admin, DC=example,dc=test", PASSWORD, 0),
                ("cn=admin,dc=example,dc=test", "no", 49),
                ("cn=nobody,dc=example,dc=test", PASSWORD, 49),
                ("cn=admin,dc=example,dc=test", "", 53),
                ("garbage", PASSWORD, 34),
                ("", "", 0),
            ][..],
        ),
        (
            AD,
            &[
                ("CN=admin,CN=Users,DC=ad,DC=example,DC=test", PASSWORD, 0),
                ("Admin@ad.example.test", PASSWORD, 0),
                ("AD\\admin", PASSWORD, 0),
                ("admin", PASSWORD, 49),
                ("admin@ad.example.test", "no", 49),
                ("CN=admin,CN=Users,DC=ad,DC=example,DC=test", "", 49),
                ("", "", 0),
            ][..],
        ),
    ] {
        let directory = directory(personality);
        for (dn, password, code) in cases {
            assert_eq!(Client::connect(&directory).bind(dn, password).await, *code, "{personality:?} {dn}");
        }
        directory.with_account("admin", |account| account.standing = Standing::Disabled).unwrap();
        let dn = directory.account_dn("admin").unwrap();
        assert_eq!(Client::connect(&directory).bind(&dn, PASSWORD).await, 49);
    }
}

#[tokio::test]
async fn nobody_reads_and_writes_nothing() {
    for (personality, reads, writes) in [(OPEN, 32, 8), (AD, 1, 1)] {
        let (directory, _, dn) = one_person(personality);
        let mut client = Client::connect(&directory);
        assert_eq!(client.find(directory.base(), present("objectClass"), &[]).await.code(), reads);
        assert_eq!(client.modify(&dn, &[(Replace, "mobile", &[b"1"])]).await, writes);
        let root = client.read("", &["namingContexts", "supportedControl"]).await;
        assert_eq!(root.values("namingContexts")[0], if personality == OPEN { OPEN_BASE } else { AD_BASE });
        assert!(root.values("supportedControl").contains(&"1.2.840.113556.1.4.319".to_owned()));
        // A failed bind takes the sign-in before it away.
        let mut client = Client::signed_in(&directory, "admin").await;
        assert_eq!(client.bind(&directory.account_dn("admin").unwrap(), "no").await, 49);
        assert_eq!(client.find(directory.base(), present("objectClass"), &[]).await.code(), reads);
    }
}

#[tokio::test]
async fn scopes_and_the_configuration_beside_the_domain() {
    let directory = directory(AD);
    directory.populate(&Company::new(60, 1)).unwrap();
    let mut client = Client::signed_in(&directory, "pbx-sync").await;
    let people = LdapFilter::And(vec![
        equal("objectCategory", "person"),
        equal("objectClass", "user"),
        LdapFilter::Not(Box::new(equal("isCriticalSystemObject", "TRUE"))),
    ]);
    let found = client.find(AD_BASE, people.clone(), &["objectGUID"]).await;
    assert_eq!((found.code(), found.entries.len(), found.references), (0, 60, 1));
    assert_eq!(directory.people().len(), 60);

    let domain_scope =
        LdapControl::Unknown { oid: "1.2.840.113556.1.4.1339".to_owned(), criticality: false, value: None };
    let all = |scope| search(AD_BASE, scope, present("objectClass"), &["1.1"]);
    let found = client.search(all(LdapSearchScope::Subtree), vec![domain_scope]).await;
    assert_eq!(found.references, 0);
    assert!(found.entries.iter().all(|entry| !entry.dn.contains("Configuration")));
    assert_eq!(client.search(all(LdapSearchScope::Base), Vec::new()).await.entries.len(), 1);
    let one: Vec<_> = client.search(all(LdapSearchScope::OneLevel), Vec::new()).await.entries;
    assert_eq!(one.len(), 4, "{one:?}");

    let root = client.read("", &[]).await;
    let settings = client.read(&root.values("dsServiceName")[0], &["invocationId"]).await;
    assert_eq!(settings.entries[0].attributes[0].vals[0].len(), 16);
    let schema = &root.values("schemaNamingContext")[0];
    let added = client.find(schema, equal("lDAPDisplayName", "sipPassword"), &["msDS-IntId"]).await;
    assert!(added.values("msDS-IntId")[0].starts_with('-'));
}

#[tokio::test]
async fn attributes_are_chosen_by_name_star_and_plus() {
    let (directory, _, dn) = one_person(OPEN);
    let mut client = Client::signed_in(&directory, "admin").await;
    for (asked, has, lacks) in [
        (&[][..], "mobile", "entryUUID"),
        (&["*"], "mobile", "entryUUID"),
        (&["+"], "entryUUID", "mobile"),
        (&["*", "+"], "entryUUID", "nothing"),
        (&["MOBILE", "nonsense"], "mobile", "cn"),
        (&["entryCSN"], "entryCSN", "mobile"),
    ] {
        let found = client.read(&dn, asked).await;
        let names: Vec<&str> = found.entries[0].attributes.iter().map(|a| a.atype.as_str()).collect();
        assert!(names.contains(&has) && !names.contains(&lacks), "{asked:?}: {names:?}");
    }
    assert_eq!(client.read(&dn, &["1.1"]).await.entries[0].attributes, []);
    let mut request = search(&dn, LdapSearchScope::Base, present("cn"), &["mobile"]);
    request.typesonly = true;
    assert!(client.search(request, Vec::new()).await.entries[0].attributes[0].vals.is_empty());
}

#[tokio::test]
async fn entries_come_go_and_move() {
    let (directory, id, dn) = one_person(OPEN);
    let mut client = Client::signed_in(&directory, "admin").await;
    let add = |dn: &str, attributes: &[(&str, &str)]| {
        let attributes = attributes.iter().map(|(name, value)| LdapPartialAttribute {
            atype: (*name).to_owned(),
            vals: vec![value.as_bytes().to_vec()],
        });
        LdapOp::AddRequest(LdapAddRequest { dn: dn.to_owned(), attributes: attributes.collect() })
    };
    let rename = |dn: &str, newrdn: &str, parent: Option<&str>| {
        LdapOp::ModifyDNRequest(LdapModifyDNRequest {
            dn: dn.to_owned(),
            newrdn: newrdn.to_owned(),
            deleteoldrdn: true,
            new_superior: parent.map(str::to_owned),
        })
    };
    let delete = |dn: &str| LdapOp::DelRequest(dn.to_owned());
    let unit = "ou=ИТ\\, связь,dc=example,dc=test";
    for (op, code) in [
        (add(unit, &[("objectClass", "organizationalUnit")]), 0),
        (add("OU=ит\\2c  Связь,dc=example,dc=test", &[("objectClass", "organizationalUnit")]), 68),
        (add("ou=a,ou=no,dc=example,dc=test", &[("objectClass", "organizationalUnit")]), 32),
        (add("cn=x,dc=example,dc=test", &[("objectClass", "inetOrgPerson")]), 65),
        (add("cn=x,dc=example,dc=test", &[("sn", "x")]), 65),
        (rename(&dn, "uid=anna2", Some("ou=no,dc=example,dc=test")), 32),
        (rename(&dn, "uid=anna2", Some(unit)), 0),
        (delete(unit), 66),
        (rename(unit, "ou=Связь", None), 0),
        (rename(unit, "ou=x", None), 32),
        (delete("uid=anna2,ou=связь,dc=example,dc=test"), 0),
        (delete("uid=anna2,ou=связь,dc=example,dc=test"), 32),
    ] {
        let asked = format!("{op:?}");
        assert_eq!(client.ask(op, Vec::new()).await.0, code, "{asked}");
    }
    assert_eq!((directory.entry(id), directory.writes()), (None, 4));
    let mut sync = Client::signed_in(&directory, "pbx-sync").await;
    assert_eq!(sync.ask(delete("ou=связь,dc=example,dc=test"), Vec::new()).await.0, 50);
}

#[tokio::test]
async fn edits_of_others_are_seen_and_not_counted() {
    for personality in [OPEN, AD] {
        let (directory, id, _) = one_person(personality);
        let unit = directory.found_unit(directory.base(), "Уволенные, 2026").unwrap();
        let unit = directory.entry(unit).unwrap().dn;
        let mark = |mark: &str| directory.entry(id).unwrap().text(mark);
        let csn = || mark(if personality == OPEN { "entryCSN" } else { "uSNChanged" });
        let mut marks = vec![csn()];
        directory.set(id, "mobile", &["not a number\0"]).unwrap();
        marks.push(csn());
        directory.disable(id).unwrap();
        marks.push(csn());
        let state = if personality == OPEN { "pwdAccountLockedTime" } else { "userAccountControl" };
        assert_eq!(mark(state).as_deref(), Some(if personality == OPEN { "000001010000Z" } else { "514" }));
        directory.enable(id).unwrap();
        directory.move_to(id, &unit).unwrap();
        marks.push(csn());
        directory.set(id, "mobile", &[""; 0]).unwrap();
        assert!(marks.is_sorted() && marks.windows(2).all(|pair| pair[0] != pair[1]), "{marks:?}");
        let mut client = Client::signed_in(&directory, "admin").await;
        let found = client.find(&unit, present("displayName"), &["mobile", state]).await;
        assert_eq!((found.entries.len(), found.values("mobile").len()), (1, 0));
        directory.delete(id).unwrap();
        assert_eq!(directory.entry(id), None);
        assert_eq!(directory.writes(), 0);
        assert!(directory.set(id, "mobile", &["1"]).is_err() && directory.delete(id).is_err());
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_directory() {
    for personality in [OPEN, AD] {
        let dump = || {
            let directory = directory(personality);
            directory.populate(&Company::new(40, 3)).unwrap();
            directory.people().into_iter().map(|id| directory.entry(id)).collect::<Vec<_>>()
        };
        assert_eq!(dump(), dump());
    }
}

#[tokio::test]
async fn extended_operations_and_nonsense() {
    for (personality, code) in [(OPEN, 0), (AD, 2)] {
        let directory = directory(personality);
        let mut client = Client::signed_in(&directory, "admin").await;
        let whoami = LdapExtendedRequest { name: "1.3.6.1.4.1.4203.1.11.3".to_owned(), value: None };
        assert_eq!(client.ask(LdapOp::ExtendedRequest(whoami), Vec::new()).await.0, code);
        let critical = LdapControl::Unknown { oid: "1.2.3".to_owned(), criticality: true, value: None };
        let request = search(directory.base(), LdapSearchScope::Base, present("cn"), &[]);
        assert_eq!(client.search(request, vec![critical]).await.code(), 12);
        // An abandon has no answer, and an answer is no request.
        client.send(LdapOp::AbandonRequest(1), Vec::new()).await;
        let done = client.read(directory.base(), &["1.1"]).await.done.unwrap();
        client.send(LdapOp::SearchResultDone(done), Vec::new()).await;
        assert!(client.receive().await.is_some_and(|notice| notice.msgid == 0));
        assert!(client.receive().await.is_none());
    }
}
