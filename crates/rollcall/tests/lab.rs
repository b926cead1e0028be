//! The lab keeps its promises: what stories take for granted about the three
//! directory servers, their accounts and their people.

mod support;

use support::lab::{self, Kind, Server};

#[test]
fn slapd() {
    let server = lab::slapd("lab-slapd", 4690, &lab::people(Kind::Slapd, 1200, 1));
    keeps_its_promises(&server, "jpegPhoto");
    hides(&server);
    survives(&server);
}

#[test]
fn samba() {
    let server = lab::samba("lab-samba", "127.0.0.43", &lab::people(Kind::Samba, 1200, 1));
    keeps_its_promises(&server, "thumbnailPhoto");
    survives(&server);
}

#[test]
fn ds389() {
    let server = lab::ds389("lab-ds389", 4691, &lab::people(Kind::Ds389, 1200, 1));
    keeps_its_promises(&server, "jpegPhoto");
    hides(&server);
    survives(&server);
}

#[test]
fn a_faulty_certificate_is_served() {
    let server = lab::slapd_presenting("expired", "lab-expired", 4692, "");
    let refusal = server
        .set_as(&server.admin, &server.base, "description", &["x"])
        .expect_err("no TLS client takes it");
    assert!(refusal.contains("Can't contact LDAP server"), "{refusal}");
}

#[test]
fn a_server_that_cannot_start_fails_the_story() {
    let faulty = "dn: cn=nobody,dc=example,dc=test\nobjectClass: nonsense\ncn: nobody\n";
    let story = std::panic::catch_unwind(|| lab::slapd("lab-faulty", 4693, faulty));
    let complaint =
        *story.expect_err("slapd does not know the class").downcast::<String>().expect("a message");
    assert!(complaint.contains("unrecognized objectClass 'nonsense'"), "{complaint}");
}

fn keeps_its_promises(server: &Server, photo: &str) {
    let everybody = server.find_as(&server.writer, "(employeeNumber=*)");
    assert_eq!(everybody.len(), 1200);
    let with_secret = everybody.iter().filter(|entry| !entry.bytes("sipPassword").is_empty()).count();
    assert!((700..1000).contains(&with_secret), "{with_secret} people have a SIP password");
    for entry in server.find_as(&server.reader, "(employeeNumber=*)") {
        assert!(entry.bytes("sipPassword").is_empty(), "the reader sees a SIP password of {}", entry.dn);
    }

    let dn =
        server.hire("o.tester", "Tester, Олена \"О+\" ß", &[("mail", "o@example.test"), ("ipPhone", "4711")]);
    let entry = server.entry(&dn).expect("just hired");
    assert_eq!(
        (entry.text("displayName").as_str(), entry.text("ipPhone").as_str()),
        ("Tester, Олена \"О+\" ß", "4711")
    );
    rights(server, &dn, photo);

    let marks = server.marks();
    assert_eq!(server.marks(), marks);
    server.set(&dn, "title", &["Chief"]);
    assert_ne!(server.marks(), marks);

    server.disable(&dn);
    server.enable(&dn);
    let rdn = if server.kind == Kind::Samba { "CN=Moved, and renamed" } else { "uid=moved" };
    let moved = server.rename(&dn, rdn, &server.groups);
    assert_eq!(server.entry(&dn), None);
    assert_eq!(server.entry(&moved).expect("moved").text("title"), "Chief");
    server.delete(&moved);
    assert_eq!(server.entry(&moved), None);
}

fn rights(server: &Server, dn: &str, photo: &str) {
    let writable = ["displayName", "ipPhone", "mobile", "mail", "telephoneNumber", "sipPassword", photo];
    for attribute in writable {
        server.set_as(&server.writer, dn, attribute, &["+7 926 123"]).expect(attribute);
        let refusal = server.set_as(&server.reader, dn, attribute, &["1"]).expect_err(attribute);
        assert!(refusal.contains("Insufficient access"), "{refusal}");
    }
    let refusal = server.set_as(&server.writer, dn, "title", &["1"]).expect_err("not a right of the writer");
    assert!(refusal.contains("Insufficient access"), "{refusal}");
}

fn hides(server: &Server) {
    assert_ne!(server.find_as(&server.writer, "(mobile=*)").len(), 0);
    server.hide("mobile");
    assert_eq!(server.find_as(&server.writer, "(mobile=*)").len(), 0);
    assert_ne!(server.find("(mobile=*)").len(), 0);
}

fn survives(server: &Server) {
    let marks = server.marks();
    server.kill();
    server.start();
    assert_eq!(server.marks(), marks);
    server.stop();
    server.start();
    assert_eq!(server.marks(), marks);
}
