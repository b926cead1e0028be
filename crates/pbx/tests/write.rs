//! Creating and changing: what is sent, what is not, and what every refusal
//! leads to.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::*;
use effects::{Clock, ManualClock};
use pbx::{Change, Error, ExchangeError, FieldWrite, NewEmployee, Outcome, Saved};
use reconcile::{EmployeeId, Field, Reading, Value as Stored};
use serde_json::{Value, json};
use std::sync::Arc;

const ID: EmployeeId = EmployeeId(12);
const GET: &str = "GET employees/12";
const PATCH: &str = "PATCH employees/12";
const PUT: &str = "PUT employees/12";

fn anyway(change: Change) -> FieldWrite {
    FieldWrite { change, expected: Reading::NotLooked }
}

fn name(name: &str) -> FieldWrite {
    anyway(Change::Name(name.into()))
}

fn email(email: &str) -> FieldWrite {
    anyway(Change::Email(Some(email.into())))
}

fn number(number: &str) -> FieldWrite {
    anyway(Change::Extension(number.into()))
}

fn mobile(mobile: Option<&str>) -> FieldWrite {
    anyway(Change::Mobile(mobile.map(str::to_owned)))
}

fn secret(secret: &str) -> FieldWrite {
    anyway(Change::SipPassword(secret.to_owned().into()))
}

fn photo(photo: Option<Vec<u8>>) -> FieldWrite {
    anyway(Change::Photo(photo.map(Into::into)))
}

fn stored(changes: Value) -> Answer {
    data(record(changes))
}

/// Saves on a PBX whose record is the usual one; the script begins after the
/// first read.
async fn save<const N: usize>(
    writes: &[FieldWrite],
    steps: [(&str, Answer); N],
) -> (Result<Saved, Error>, Arc<Script>) {
    save_on(json!({}), writes, steps).await
}

async fn save_on<const N: usize>(
    before: Value,
    writes: &[FieldWrite],
    steps: [(&str, Answer); N],
) -> (Result<Saved, Error>, Arc<Script>) {
    let script = Script::new([(GET, stored(before))]);
    script.then(steps);
    let saved = local(&script).save(ID, writes, None).await;
    script.done();
    (saved, script)
}

fn outcome(saved: &Saved, field: Field) -> &Outcome {
    &saved.outcomes.iter().find(|(of, _)| *of == field).unwrap_or_else(|| panic!("{saved:?}")).1
}

fn is_refused(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Error::Refused { .. }))
}

#[tokio::test]
async fn one_patch_with_what_changed_and_nothing_else() {
    let (saved, script) = save(
        &[name(" Anna Ivanova "), mobile(Some("79990000002"))],
        [(PATCH, stored(json!({"user_username": "Anna Ivanova", "mobile_number": "79990000002"})))],
    )
    .await;
    let saved = saved.unwrap();
    assert_eq!(saved.outcomes, [(Field::Name, Ok(())), (Field::Mobile, Ok(()))]);
    let sent = json!({"user_username": "Anna Ivanova", "mobile_number": "79990000002",
        "mobile_dialstring": "79990000002"});
    assert_eq!(script.body(1), sent);
    assert_eq!(saved.record.mobile_number, "79990000002");
}

#[tokio::test]
async fn the_record_says_what_was_stored_and_not_what_was_sent() {
    let (saved, _) =
        save(&[name("Anna Ivanova")], [(PATCH, stored(json!({"user_username": "Anna Iv"})))]).await;
    assert_eq!(saved.unwrap().record.fields[Field::Name].values()[0].raw(), "Anna Iv");
}

#[tokio::test]
async fn an_equal_value_is_never_written() {
    let same = [
        name("Anna Smirnova"),
        email("anna@example.org"),
        number("204"),
        secret("Xk29dlsQ7pWz"),
        photo(None),
    ];
    let (saved, _) = save(&same, []).await;
    assert!(saved.unwrap().outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
}

#[tokio::test]
async fn a_value_that_moved_meanwhile_is_left_alone() {
    let expecting = |raw: &str, change| FieldWrite { change, expected: Reading::one(Stored::new(raw, raw)) };
    let writes = [
        expecting("Anna Old", Change::Name("Anna New".into())),
        expecting("anna@example.org", Change::Email(None)),
        FieldWrite { change: Change::Mobile(Some("79990000002".into())), expected: Reading::Empty },
    ];
    let (saved, script) = save(&writes, [(PATCH, stored(json!({"user_email": ""})))]).await;
    let saved = saved.unwrap();
    assert_eq!(outcome(&saved, Field::Name), &Err(Error::Moved { field: Field::Name }));
    assert_eq!(outcome(&saved, Field::Mobile), &Err(Error::Moved { field: Field::Mobile }));
    assert_eq!(outcome(&saved, Field::Email), &Ok(()));
    assert_eq!(script.body(1), json!({"user_email": ""}));
}

#[tokio::test]
async fn nothing_is_sent_that_the_pbx_would_cut_or_refuse() {
    let bad = [
        name(&"x".repeat(101)),
        number("123456789"),
        mobile(Some("0123")),
        email("not-an-email"),
        photo(Some(vec![0xff, 0xd8, 0xff])),
        secret("test1234"),
    ];
    let (saved, _) = save(&bad, []).await;
    let saved = saved.unwrap();
    assert_eq!(saved.outcomes.len(), 6);
    for (field, outcome) in saved.outcomes {
        assert!(matches!(outcome, Err(Error::Unusable { field: of, .. }) if of == field));
    }
}

#[tokio::test]
async fn words_of_the_front_filter_are_not_sent_to_a_remote_pbx() {
    let rock = [name("Rock ' or roll")];
    let script = Script::new([(GET, stored(json!({})))]);
    let saved = remote(&script).save(ID, &rock, None).await.unwrap();
    assert!(matches!(outcome(&saved, Field::Name), Err(Error::Unusable { .. })));
    let (saved, _) = save(&rock, [(PATCH, stored(json!({"user_username": "Rock ' or roll"})))]).await;
    assert_eq!(outcome(&saved.unwrap(), Field::Name), &Ok(()));
}

#[tokio::test]
async fn a_filter_that_refuses_the_address_stops_everything() {
    let script = Script::new([(GET, stored(json!({}))), (PATCH, text(403, "Access denied\n"))]);
    let pbx = remote(&script);
    let error = pbx.save(ID, &[name("Anna B")], None).await.unwrap_err();
    assert!(matches!(&error, Error::Busy { retry_at_ms: 1_305_000, .. }), "{error}");
    assert!(matches!(pbx.numbers().await, Err(Error::Busy { .. })), "and nothing more is sent");
    script.done();
}

#[tokio::test]
async fn a_removed_mobile_takes_its_forwarding_along() {
    let before = json!({"fwd_forwarding": "79991234567", "fwd_forwardingonbusy": "202"});
    let after = json!({"mobile_number": "", "mobile_dialstring": "", "fwd_ringlength": 0});
    let (saved, script) = save_on(before, &[mobile(None)], [(PATCH, stored(after))]).await;
    assert_eq!(saved.unwrap().record.fields[Field::Mobile], Reading::Empty);
    assert_eq!(script.body(1), json!({"mobile_number": "", "fwd_forwarding": "", "fwd_ringlength": 0}));
}

#[tokio::test]
async fn a_dial_string_that_is_not_ours_stays() {
    let before = json!({"mobile_dialstring": "8(999)123-45-67"});
    let (_, script) = save_on(before, &[mobile(Some("79990000002"))], [(PATCH, stored(json!({})))]).await;
    assert_eq!(script.body(1), json!({"mobile_number": "79990000002"}));
}

#[tokio::test]
async fn a_photo_travels_alone_and_is_looked_at_afterwards() {
    let own = json!({"user_username": "Anna B", "user_avatar": "/avatars/user_12.jpg"});
    let (saved, script) = save(
        &[photo(Some(jpeg(2))), name("Anna B")],
        [
            (PATCH, stored(json!({"user_username": "Anna B"}))),
            (PATCH, stored(own)),
            ("GET /avatars/user_12.jpg", picture("\"new\"", &jpeg(2))),
            ("GET /avatars/user_0.jpg", picture("\"grey\"", &jpeg(1))),
        ],
    )
    .await;
    let saved = saved.unwrap();
    assert_eq!(script.body(1), json!({"user_username": "Anna B"}));
    let body = script.body(2);
    let body = body.as_object().unwrap();
    assert!(
        body.len() == 1 && body["user_avatar"].as_str().unwrap().starts_with("data:image/jpeg;base64,/9j/4A")
    );
    assert_eq!(saved.photo_etag.as_deref(), Some("\"new\""));
    assert!(matches!(saved.record.fields[Field::Photo], Reading::Values(_)));
}

#[tokio::test]
async fn a_photo_that_moved_is_left_alone() {
    let before = json!({"user_avatar": "/avatars/user_12.jpg"});
    let expected = reconcile::canonical::photo(&jpeg(5)).map_or_else(Reading::Unusable, Reading::one);
    let theirs = b"GIF89a".iter().copied().chain([0; 3000]).collect::<Vec<u8>>();
    let write = FieldWrite { change: Change::Photo(None), expected };
    let (saved, _) = save_on(
        before,
        &[write],
        [
            ("GET /avatars/user_12.jpg", picture("\"theirs\"", &theirs)),
            ("GET /avatars/user_0.jpg", picture("\"grey\"", &jpeg(1))),
        ],
    )
    .await;
    assert_eq!(outcome(&saved.unwrap(), Field::Photo), &Err(Error::Moved { field: Field::Photo }));
}

#[tokio::test]
async fn a_stored_weak_secret_is_passed_by_and_never_replaced() {
    let before = json!({"sip_secret": "12345", "fwd_forwarding": "202", "fwd_ringlength": 20});
    let weak = || refused("Пароль слишком простой");
    let (saved, script) = save_on(
        before,
        &[email("new@example.org")],
        [(PATCH, weak()), (PATCH, weak()), (PUT, stored(json!({"user_email": "new@example.org"})))],
    )
    .await;
    assert_eq!(outcome(&saved.unwrap(), Field::Email), &Ok(()));
    assert_eq!(script.body(2), json!({}), "asks whether it is the record");
    let sent = json!({"user_username": "Anna Smirnova", "number": "204", "user_email": "new@example.org",
        "mobile_number": "79991234567", "mobile_dialstring": "79991234567", "fwd_forwarding": "202",
        "fwd_forwardingonbusy": "", "fwd_forwardingonunavailable": "", "fwd_ringlength": 20});
    assert_eq!(script.body(3), sent);
}

#[tokio::test]
async fn a_photo_for_a_record_that_refuses_patch() {
    let (saved, script) = save_on(
        json!({"user_email": "broken", "user_avatar": "/avatars/user_12.jpg"}),
        &[photo(None)],
        [
            ("GET /avatars/user_12.jpg", picture("\"a\"", &jpeg(2))),
            ("GET /avatars/user_0.jpg", picture("\"grey\"", &jpeg(1))),
            (PATCH, refused("e-mail")),
            (PATCH, refused("e-mail")),
            (PUT, stored(json!({}))),
            ("GET /avatars/user_12.jpg", picture("\"grey\"", &jpeg(1))),
        ],
    )
    .await;
    assert_eq!(saved.unwrap().record.fields[Field::Photo], Reading::Empty);
    assert_eq!(script.body(5)["user_avatar"], "");
    assert!(script.body(5).get("user_email").is_none());
}

#[tokio::test]
async fn a_taken_number_is_told_by_the_list_and_the_rest_is_saved() {
    for text in ["Extension already occupied", "Failed to save SIP extension: <i></i>", "Номер занят"]
    {
        let (saved, script) = save(
            &[number("203"), name("Anna B")],
            [
                (PATCH, refused(text)),
                ("GET extensions", extensions(&["203", "204"])),
                (PATCH, stored(json!({"user_username": "Anna B"}))),
            ],
        )
        .await;
        let saved = saved.unwrap();
        let taken = Error::Occupied { number: "203".into(), holder: "Somebody (SIP)".into() };
        assert_eq!(outcome(&saved, Field::Extension), &Err(taken));
        assert_eq!(outcome(&saved, Field::Name), &Ok(()));
        assert_eq!(script.body(3), json!({"user_username": "Anna B"}));
    }
}

#[tokio::test]
async fn a_taken_mobile_is_told_as_well_without_the_list_too() {
    let (saved, _) = save(
        &[mobile(Some("79990000002"))],
        [
            (PATCH, refused("x")),
            ("GET extensions", failed(401, "no")),
            ("GET employees?search=number%3A79990000002", list(&[row(9, "79990000002", "N")])),
        ],
    )
    .await;
    assert!(matches!(outcome(&saved.unwrap(), Field::Mobile), Err(Error::Occupied { .. })));
}

#[tokio::test]
async fn the_own_number_is_not_somebody_elses() {
    let (saved, _) = save(
        &[mobile(Some("204"))],
        [(PATCH, refused("x")), ("GET extensions", extensions(&["204"])), (PATCH, stored(json!({})))],
    )
    .await;
    assert!(is_refused(outcome(&saved.unwrap(), Field::Mobile)));
}

#[tokio::test]
async fn a_mixed_refusal_is_taken_apart() {
    let (saved, script) = save(
        &[email("new@example.org"), name("Anna B"), number("299")],
        [
            (PATCH, refused("Bad word <b>here</b>")),
            ("GET extensions", extensions(&["204"])),
            (PATCH, stored(json!({}))),
            (PATCH, stored(json!({"user_username": "Anna B", "number": "299"}))),
            (PATCH, refused("Likely the email address is invalid")),
        ],
    )
    .await;
    let saved = saved.unwrap();
    assert_eq!(script.body(3), json!({}));
    assert_eq!(
        script.body(4),
        json!({"user_username": "Anna B", "number": "299"}),
        "the indispensable first"
    );
    assert_eq!(script.body(5), json!({"user_email": "new@example.org"}));
    let Err(Error::Refused { status: 422, text, advice }) = outcome(&saved, Field::Email) else { panic!() };
    assert_eq!(text, "Likely the email address is invalid");
    assert!(advice.contains("e-mail"));
    assert_eq!(outcome(&saved, Field::Name), &Ok(()));
    assert_eq!(saved.record.fields[Field::Extension].values()[0].raw(), "299");
}

/// Somebody types another name between two requests of one save: what was
/// stored is what the first one answered, and the edit is an edit.
#[tokio::test]
async fn what_was_stored_is_what_the_request_of_that_field_answered() {
    let (saved, _) = save(
        &[email("new@example.org"), name("Anna B"), number("299")],
        [
            (PATCH, refused("no")),
            ("GET extensions", extensions(&["204"])),
            (PATCH, stored(json!({}))),
            (PATCH, stored(json!({"user_username": "Anna", "number": "299"}))),
            (
                PATCH,
                stored(json!({"user_username": "Bella", "number": "299", "user_email": "new@example.org"})),
            ),
        ],
    )
    .await;
    let saved = saved.unwrap();
    let raw =
        |readings: &reconcile::FieldMap<Reading>, field: Field| readings[field].values()[0].raw().to_owned();
    assert_eq!(raw(&saved.stored, Field::Name), "Anna", "the PBX cut it");
    assert_eq!(raw(&saved.record.fields, Field::Name), "Bella");
    assert_eq!(raw(&saved.stored, Field::Extension), "299");
    assert_eq!(raw(&saved.stored, Field::Email), "new@example.org");
}

#[tokio::test]
async fn one_employee_takes_six_writes_at_most() {
    let no = || refused("no");
    let all =
        [name("Anna B"), number("299"), secret("Nb8kkQ2zzPp77x"), email("new@example.org"), mobile(None)];
    let (saved, script) = save(
        &all,
        [
            (PATCH, no()),
            ("GET extensions", extensions(&["204"])),
            (PATCH, stored(json!({}))),
            (PATCH, no()),
            (PATCH, no()),
            (PATCH, no()),
            (PATCH, stored(json!({}))),
        ],
    )
    .await;
    let saved = saved.unwrap();
    assert_eq!(script.seen().iter().filter(|seen| seen.line == PATCH).count(), 6);
    assert!(is_refused(outcome(&saved, Field::Name)) && is_refused(outcome(&saved, Field::Extension)));
    assert_eq!(outcome(&saved, Field::SipPassword), &Ok(()));
    for field in [Field::Email, Field::Mobile] {
        assert_eq!(outcome(&saved, field), &Err(Error::NotTried { field }));
    }
}

#[tokio::test]
async fn a_single_refusal_is_final_after_one_question() {
    let (saved, _) = save(&[name("Anna B")], [(PATCH, refused("no")), (PATCH, stored(json!({})))]).await;
    assert!(is_refused(outcome(&saved.unwrap(), Field::Name)));
}

#[tokio::test]
async fn a_secret_never_comes_back_in_an_error() {
    let (saved, _) = save(
        &[secret("Nb8kkQ2zzPp77x")],
        [(PATCH, refused("TypeError: Nb8kkQ2zzPp77x given")), (PATCH, stored(json!({})))],
    )
    .await;
    let hidden = |printed: String| {
        assert!(printed.contains("TypeError") && !printed.contains("Nb8kkQ2zzPp77x"), "{printed}");
    };
    hidden(format!("{saved:?}"));
    // Given up instead of refused, and quoted in the refusal of another field.
    let quoted = || refused("TypeError: Nb8kkQ2zzPp77x given");
    let gave_up = failed(500, "TypeError: Nb8kkQ2zzPp77x given");
    let (saved, _) = save(&[secret("Nb8kkQ2zzPp77x")], [(PATCH, gave_up)]).await;
    hidden(format!("{saved:?}"));
    let (saved, _) = save(
        &[secret("Nb8kkQ2zzPp77x"), email("new@example.org")],
        [(PATCH, quoted()), (PATCH, stored(json!({}))), (PATCH, stored(json!({}))), (PATCH, quoted())],
    )
    .await;
    hidden(format!("{saved:?}"));
    assert!(!format!("{:?}", secret("Nb8kkQ2zzPp77x")).contains("Nb8kkQ2zzPp77x"));
}

#[tokio::test]
async fn a_locked_database_is_tried_again_within_bounds() {
    let locked = || refused("SQLSTATE[HY000]: General error: 5 database is locked");
    let (saved, _) = save(
        &[name("Anna B")],
        [(PATCH, locked()), (PATCH, locked()), (PATCH, stored(json!({"user_username": "Anna B"})))],
    )
    .await;
    assert_eq!(outcome(&saved.unwrap(), Field::Name), &Ok(()));

    let script = Script::new([]);
    for _ in 0..4 {
        script.then([(GET, stored(json!({})))]);
        script.then([(PATCH, locked()), (PATCH, locked()), (PATCH, locked()), (PATCH, locked())]);
    }
    let clock = Arc::new(ManualClock::at(0));
    let error = remote_at(&script, clock.clone()).save(ID, &[name("Anna B")], None).await.unwrap_err();
    assert!(matches!(error, Error::Busy { .. }));
    assert!((5_000..15_000).contains(&clock.now_ms()), "{}", clock.now_ms());
    script.done();
}

#[tokio::test]
async fn what_the_other_writer_changed_is_seen() {
    let locked = || refused("SQLSTATE[HY000]: General error: 5 database is locked");
    let script = Script::new([(GET, stored(json!({})))]);
    script.then([(PATCH, locked()), (PATCH, locked()), (PATCH, locked()), (PATCH, locked())]);
    script.then([(GET, stored(json!({"user_username": "Anna Other"})))]);
    let expected = Reading::one(Stored::new("Anna Smirnova", "Anna Smirnova"));
    let write = FieldWrite { change: Change::Name("Anna B".into()), expected };
    let saved = local(&script).save(ID, &[write], None).await.unwrap();
    script.done();
    assert_eq!(outcome(&saved, Field::Name), &Err(Error::Moved { field: Field::Name }));
}

#[tokio::test]
async fn a_full_queue_is_not_a_refusal() {
    let full = || failed(503, "Service temporarily unavailable, please retry later");
    let (saved, _) = save(
        &[name("Anna B")],
        [(PATCH, full()), (GET, stored(json!({}))), (PATCH, stored(json!({"user_username": "Anna B"})))],
    )
    .await;
    assert_eq!(outcome(&saved.unwrap(), Field::Name), &Ok(()));
    let (saved, _) = create(bob(), [(POST, full()), (POST, full()), (POST, made())]).await;
    assert!(saved.is_ok());
}

#[tokio::test]
async fn what_nobody_knows_is_not_repeated() {
    let broken = || Ok((200, vec![], b"{\"result\":true,\"data\":{\"id\"".to_vec()));
    let too_large = Err(ExchangeError::TooLarge);
    let answers =
        [lost(), failed(400, "Request timeout"), html(502, "<h1>Bad Gateway</h1>"), broken(), too_large];
    for answer in answers {
        let (saved, _) = save(&[name("Anna B"), photo(Some(jpeg(2)))], [(PATCH, answer)]).await;
        assert!(matches!(saved, Err(Error::OutcomeUnknown { .. })), "{saved:?}");
    }
}

#[tokio::test]
async fn what_was_done_before_the_trouble_is_reported() {
    let (saved, _) = save(
        &[name("Anna B"), email("new@example.org")],
        [
            (PATCH, refused("no")),
            (PATCH, stored(json!({}))),
            (PATCH, stored(json!({"user_username": "Anna B"}))),
            (PATCH, lost()),
        ],
    )
    .await;
    let saved = saved.unwrap();
    assert_eq!(outcome(&saved, Field::Name), &Ok(()));
    assert!(matches!(outcome(&saved, Field::Email), Err(Error::OutcomeUnknown { .. })));
}

#[tokio::test]
async fn an_employee_that_went_away() {
    let search = "GET employees?search=id%3A12";
    let script = Script::new([(GET, refused("x")), (search, list(&[]))]);
    assert_eq!(local(&script).save(ID, &[name("B C")], None).await, Err(Error::Gone { id: ID }));
    let (saved, _) = save(&[name("B C")], [(PATCH, failed(404, "Employee not found"))]).await;
    assert_eq!(saved, Err(Error::Gone { id: ID }));
}

#[tokio::test]
async fn a_sign_in_that_may_not_write() {
    let (saved, _) = save(&[name("B C")], [(PATCH, failed(401, "The user isn't authenticated."))]).await;
    assert!(matches!(saved, Err(Error::NotPermitted { grant, .. }) if grant.contains("write")));
    let (saved, _) = save(&[name("B C")], [(PATCH, failed(403, "Access denied."))]).await;
    assert!(matches!(saved, Err(Error::NotPermitted { .. })));
}

fn bob() -> NewEmployee {
    NewEmployee {
        name: "Bob Brown".into(),
        number: "205".into(),
        secret: "Nb8kkQ2zzPp77x".to_owned().into(),
        email: Some("bob@example.org".into()),
        mobile: Some("79990000003".into()),
    }
}

async fn create<const N: usize>(
    new: NewEmployee,
    steps: [(&str, Answer); N],
) -> (Result<Saved, Error>, Arc<Script>) {
    let script = Script::new(steps);
    let saved = local(&script).create(&new, None).await;
    script.done();
    (saved, script)
}

const POST: &str = "POST employees";

fn made() -> Answer {
    status(
        201,
        &json!({"result": true, "data": record(json!({"number": "205"})), "messages": [], "httpCode": 201}),
    )
}

#[tokio::test]
async fn a_creation_is_one_request() {
    let (saved, script) = create(bob(), [(POST, made())]).await;
    let saved = saved.unwrap();
    assert_eq!(saved.record.id, ID);
    assert_eq!(saved.outcomes, [(Field::Email, Ok(())), (Field::Mobile, Ok(()))]);
    let sent = json!({"user_username": "Bob Brown", "number": "205", "sip_secret": "Nb8kkQ2zzPp77x",
        "sip_transport": "udp,tcp", "user_email": "bob@example.org", "mobile_number": "79990000003",
        "mobile_dialstring": "79990000003"});
    assert_eq!(script.body(0), sent);
}

#[tokio::test]
async fn a_creation_for_a_taken_number() {
    for text in ["Extension already occupied", "Failed to save SIP extension: занято"] {
        let (saved, _) =
            create(bob(), [(POST, refused(text)), ("GET extensions", extensions(&["205"]))]).await;
        assert!(matches!(saved, Err(Error::Occupied { number, .. }) if number == "205"));
    }
}

#[tokio::test]
async fn a_number_that_is_taken_while_we_take_it_apart() {
    let (saved, _) = create(
        bob(),
        [
            (POST, refused("mobile already used")),
            ("GET extensions", extensions(&["204"])),
            (POST, refused("x")),
            ("GET extensions", extensions(&["204", "205"])),
        ],
    )
    .await;
    assert!(matches!(saved, Err(Error::Occupied { .. })));
}

#[tokio::test]
async fn a_refused_extra_does_not_stop_a_creation() {
    let (saved, script) = create(
        bob(),
        [
            (POST, refused("mobile already used")),
            ("GET extensions", extensions(&["204", "79990000003"])),
            (POST, made()),
            (PATCH, refused("mobile already used")),
            ("GET extensions", extensions(&["204", "79990000003"])),
            (PATCH, stored(json!({"user_email": "bob@example.org"}))),
        ],
    )
    .await;
    let saved = saved.unwrap();
    assert!(matches!(outcome(&saved, Field::Mobile), Err(Error::Occupied { .. })));
    assert_eq!(outcome(&saved, Field::Email), &Ok(()));
    let bare = json!({"user_username": "Bob Brown", "number": "205", "sip_secret": "Nb8kkQ2zzPp77x",
        "sip_transport": "udp,tcp"});
    assert_eq!(script.body(2), bare);
}

#[tokio::test]
async fn an_unusable_extra_is_left_out_and_said() {
    let new = NewEmployee { email: Some("bob".into()), mobile: None, ..bob() };
    let (saved, script) = create(new, [(POST, made())]).await;
    assert!(matches!(outcome(&saved.unwrap(), Field::Email), Err(Error::Unusable { .. })));
    assert!(script.body(0).get("user_email").is_none());
}

#[tokio::test]
async fn a_creation_that_cannot_be() {
    let new = NewEmployee { number: "2".into(), ..bob() };
    assert!(matches!(create(new, []).await.0, Err(Error::Unusable { field: Field::Extension, .. })));
    let new = NewEmployee { secret: "1234".to_owned().into(), ..bob() };
    assert!(matches!(create(new, []).await.0, Err(Error::Unusable { field: Field::SipPassword, .. })));
    let bare = NewEmployee { email: None, mobile: None, ..bob() };
    let (saved, _) =
        create(bare, [(POST, refused("common password")), ("GET extensions", extensions(&[]))]).await;
    assert!(matches!(saved, Err(Error::Refused { advice, .. }) if advice.contains("PBX's own page")));
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_not_repeated() {
    for answer in [lost(), failed(400, "Request timeout or worker not responding")] {
        let (saved, _) = create(bob(), [(POST, answer)]).await;
        assert!(matches!(saved, Err(Error::OutcomeUnknown { .. })));
    }
}
