//! What an administrator may choose: directions, first meetings, both changed,
//! clearing, where a field comes from; and pictures that one side cannot take.

mod support;

use sandbox::company::Photo;
use serde_json::json;
use support::company::{Company, DOMAIN};
use support::lab::{self, Kind, Server};
use support::pbx::Pbx;

#[test]
fn on_openldap() {
    policies(lab::slapd("policies-slapd", 4740, &lab::people(Kind::Slapd, 0, 1)));
}

#[test]
fn on_samba() {
    policies(lab::samba("policies-samba", "127.0.0.47", &lab::people(Kind::Samba, 0, 1)));
}

#[test]
fn on_389_directory_server() {
    policies(lab::ds389("policies-ds389", 4741, &lab::people(Kind::Ds389, 0, 1)));
}

fn policies(server: Server) {
    let scope = server.people.clone();
    let company = Company::new(server, Pbx::start(), &["--ou", &scope]);
    first_meetings(&company);
    directions(&company);
    newest_and_fixed_sides(&company);
    clearing(&company);
    sources(&company);
    large_pictures(&company);
}

/// The two say different things before they ever agreed.
fn first_meetings(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    company.edit(&[
        "--first-meeting",
        "mobile=ask",
        "--first-meeting",
        "name=pbx",
        "--first-meeting",
        "sip-password=directory",
        "--first-meeting",
        "extension=directory",
    ]);
    let first = pbx.hire("201", "Anna P.", "anna@example.test", "79160000001");
    let anna = server.hire(
        "anna",
        "Anna Petrova",
        &[
            ("mail", "anna@example.test"),
            ("mobile", "+7 916 000-00-02"),
            ("sipPassword", "Anna-fr0m-d1rectory"),
            ("ipPhone", "231"),
        ],
    );
    let run = company.sync().exits(4);
    assert_eq!(run.conflicts(), ["Anna Petrova: first-meeting (mobile)"]);
    let employee = pbx.employee(first);
    assert_eq!((employee.number.as_str(), employee.secret.as_str()), ("231", "Anna-fr0m-d1rectory"));
    assert_eq!(employee.mobile, "79160000001");
    assert_eq!(server.entry(&anna).expect("Anna").text("displayName"), "Anna P.");
    let run = company.resolve(&run, "Anna Petrova", "first-meeting", &["--use", "directory"]).exits(0);
    assert_eq!(run.changed(), ["Anna P.: pbx mobile: 79160000001 → 79160000002"]);
    company.quiet().exits(0);
}

/// One-way fields, a field that is off, and write-back as a whole.
fn directions(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    let anna = entry_of(company, "anna@example.test");
    let id = pbx.numbered("231").id;
    company.edit(&[
        "--direction",
        "mobile=to-pbx",
        "--direction",
        "email=to-directory",
        "--direction",
        "name=off",
    ]);
    company.quiet().exits(0);
    pbx.set_mobile(id, "79160000003");
    pbx.edit(id, json!({ "user_username": "Anna Off" }));
    server.set(&anna, "mail", &["anna.other@example.test"]);
    let run = company.quiet().exits(0);
    assert_eq!(run.person("Anna P.")["differs"], json!(["mobile", "email"]));
    pbx.edit(id, json!({ "user_email": "anna.pbx@example.test" }));
    server.set(&anna, "mobile", &["+7 916 000-00-04"]);
    let run = company.sync().exits(0);
    assert_eq!(
        run.changed(),
        [
            "Anna P.: directory email: anna.other@example.test → anna.pbx@example.test",
            "Anna P.: pbx mobile: 79160000003 → 79160000004",
        ]
    );
    company.quiet().exits(0);

    // Nothing at all is written to the domain while write-back is off.
    company.edit(&["--no-write-back", "--direction", "mobile=both", "--direction", "email=both"]);
    pbx.edit(id, json!({ "user_email": "anna.off@example.test", "number": "232" }));
    let marks = server.marks();
    company.sync().exits(0);
    assert_eq!(server.marks(), marks);
    assert_eq!(pbx.numbered("232").email, "anna.off@example.test", "not enforced either");
    company.edit(&["--write-back", "--first-meeting", "email=pbx", "--first-meeting", "extension=pbx"]);
    let preview = company.preview().exits(0);
    let run = company.sync().exits(0);
    assert_eq!(run.changed(), preview.changed());
    let entry = server.entry(&anna).expect("Anna");
    assert_eq!((entry.text("mail"), entry.text("ipPhone")), ("anna.off@example.test".into(), "232".into()));
    company.edit(&["--direction", "name=both", "--first-meeting", "name=directory"]);
    let run = company.sync().exits(0);
    assert_eq!(run.changed(), ["Anna P.: pbx name: Anna Off → Anna P."]);
    company.quiet().exits(0);
}

/// Both changed to different values.
fn newest_and_fixed_sides(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    let anna = entry_of(company, "anna.off@example.test");
    let id = pbx.numbered("232").id;
    company.edit(&[
        "--both-changed",
        "mobile=directory",
        "--both-changed",
        "name=pbx",
        "--both-changed",
        "email=newest",
        "--both-changed",
        "extension=ask",
    ]);
    server.set(&anna, "mobile", &["+79160000005"]);
    pbx.set_mobile(id, "79160000006");
    server.set(&anna, "displayName", &["Anna Directory"]);
    server.set(&anna, "ipPhone", &["241"]);
    pbx.edit(id, json!({ "user_username": "Anna Pbx", "number": "242" }));
    // Nobody can tell who was first: a tie, and a tie is asked about.
    server.set(&anna, "mail", &["a1@example.test"]);
    pbx.edit(id, json!({ "user_email": "a2@example.test" }));
    // With number, name and e-mail all new it could be anybody: the link rests.
    let run = company.sync().exits(4);
    assert_eq!(run.conflicts(), ["Anna Directory: not-the-same-employee"]);
    company.quiet().exits(4);
    let run = company.resolve(&run, "Anna Directory", "not-the-same-employee", &["--relink"]).exits(4);
    assert_eq!(
        run.conflicts(),
        ["Anna Directory: both-changed (email)", "Anna Directory: both-changed (extension)"]
    );
    let employee = pbx.employee(id);
    assert_eq!((employee.mobile.as_str(), employee.number.as_str()), ("79160000005", "242"));
    assert_eq!(server.entry(&anna).expect("Anna").text("displayName"), "Anna Pbx");
    for (field, side) in [("email", "pbx"), ("extension", "directory")] {
        let list = company.run(&["conflicts", "list", "--json"]).ok().json();
        let rows = list["conflicts"].as_array().expect("conflicts").clone();
        let row = rows.iter().find(|row| row["field"] == field).expect("a conflict of this field");
        company.run(&["conflicts", "resolve", &row["id"].to_string(), "--use", side]).ok();
    }
    company.sync().exits(0);
    let employee = pbx.employee(id);
    assert_eq!((employee.email.as_str(), employee.number.as_str()), ("a2@example.test", "241"));
    assert_eq!(server.entry(&anna).expect("Anna").text("mail"), "a2@example.test");
    company.quiet().exits(0);
}

/// What became empty crosses only where it may.
fn clearing(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    let anna = entry_of(company, "a2@example.test");
    let id = pbx.numbered("241").id;
    company.edit(&["--clear", "mobile=no"]);
    server.set(&anna, "mobile", &[]);
    server.set(&anna, "sipPassword", &[]);
    server.set(&anna, "ipPhone", &[]);
    let run = company.quiet().exits(0);
    assert_eq!(run.person("Anna Pbx")["differs"], json!(["extension", "mobile", "sip-password"]));
    assert_eq!((pbx.employee(id).mobile.as_str(), pbx.employee(id).number.as_str()), ("79160000005", "241"));
    company.edit(&["--clear", "mobile=yes"]);
    server.set(&anna, "mobile", &["+79160000007"]);
    server.set(&anna, "ipPhone", &["241"]);
    server.set(&anna, "sipPassword", &[&pbx.employee(id).secret]);
    company.sync().exits(0);
    server.set(&anna, "mobile", &[]);
    let run = company.sync().exits(0);
    assert_eq!(run.changed(), ["Anna Pbx: pbx mobile: 79160000007 → —"]);
    assert_eq!(pbx.employee(id).mobile, "");
    let secret_cleared = company.run(&["server", "edit", DOMAIN, "--clear", "sip-password=yes"]);
    assert_eq!(secret_cleared.code, Some(2), "a SIP password is never cleared: {secret_cleared:#?}");
    company.quiet().exits(0);
}

/// A name made by a template, a number read out of a phone.
fn sources(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    server.hire(
        "ivo",
        "Ivo Template",
        &[("givenName", "Ivo"), ("telephoneNumber", "+7 495 123-45-67,251"), ("mail", "ivo@example.test")],
    );
    company.edit(&["--map", "extension=telephoneNumber:inner", "--map", "name={givenName} ({sn})"]);
    let surname = if server.kind == Kind::Samba { "" } else { "Ivo Template" };
    let run = company.sync();
    let ivo = pbx.numbered("251");
    assert_eq!(ivo.name, format!("Ivo ({surname})"), "{run:#?}");
    pbx.edit(ivo.id, json!({ "number": "252", "user_username": "Ivo Renamed" }));
    let marks = server.marks();
    company.sync();
    assert_eq!(server.marks(), marks, "neither a template nor an inner number is written back");
    assert_eq!(pbx.employee(ivo.id).name, "Ivo Renamed");
    company.quiet();
}

/// Active Directory takes 100 KB; the PBX takes more and nothing below 1 KB.
fn large_pictures(company: &Company) {
    let (server, pbx) = (&company.server, &company.pbx);
    let attribute = if server.kind == Kind::Samba { "thumbnailPhoto" } else { "jpegPhoto" };
    let large = noise(900, 700);
    assert!(large.len() > 200_000);
    let ivo = entry_of(company, "ivo@example.test");
    let id = pbx.numbered("252").id;
    pbx.set_photo(id, &large);
    let run = company.sync();
    assert_eq!(run.writes(), (0, 1), "{run:#?}");
    let stored = server.entry(&ivo).expect("Ivo").bytes(attribute)[0].clone();
    match server.kind {
        Kind::Samba => assert!(stored.len() <= 102_400 && stored != large, "{}", stored.len()),
        Kind::Slapd | Kind::Ds389 => assert_eq!(stored, large),
    }
    company.quiet();
    assert_eq!(pbx.photo(id), Some(large), "the small one is never sent over its original");
    // Another one in the directory counts again.
    server.set_bytes(&ivo, attribute, &Photo::new(9).jpeg());
    company.sync();
    assert_eq!(pbx.photo(id), Some(Photo::new(9).jpeg()));
    // A tiny one is refused before it costs the PBX its picture.
    server.set_bytes(&ivo, attribute, &tiny());
    let run = company.sync().exits(4);
    let conflict = run.conflicts();
    assert!(conflict.iter().any(|line| line.ends_with(": refused (photo)")), "{run:#?}");
    assert_eq!(pbx.photo(id), Some(Photo::new(9).jpeg()));
    company.quiet().exits(4);
}

/// A JPEG that does not compress.
fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut state = 1u32;
    let picture = image::RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(state >> 24) as u8, (state >> 16) as u8, (state >> 8) as u8])
    });
    encoded(&picture, 90)
}

/// A JPEG of less than 1 KB.
fn tiny() -> Vec<u8> {
    let jpeg = encoded(&image::RgbImage::new(8, 8), 50);
    assert!(jpeg.len() < 1024);
    jpeg
}

fn encoded(picture: &image::RgbImage, quality: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, quality);
    picture.write_with_encoder(encoder).expect("a picture");
    jpeg
}

fn entry_of(company: &Company, mail: &str) -> String {
    company.server.find(&format!("(mail={mail})")).remove(0).dn
}
