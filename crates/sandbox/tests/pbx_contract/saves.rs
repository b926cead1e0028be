//! Creates, changes and deletions: cleaning, checks, and the asymmetries of
//! PUT, PATCH and null.

use crate::{Bench, SECRET, error, errors};
use serde_json::{Value, json};

const RING: &str = "In the routing settings, the time before forwarding is specified incorrectly. Choose a value between 3-180.";

#[tokio::test]
async fn a_create_gets_its_defaults() {
    let bench = Bench::new();
    let (status, body) =
        bench.create("9999", json!({"disabled": true, "user_avatar": "/any/path.png"})).await;
    assert_eq!(
        (status, &body["httpCode"], &body["reload"]),
        (201, &json!(201), &json!("extensions/modify/113"))
    );
    let data = &body["data"];
    assert_eq!((&data["sip_transport"], &data["fwd_ringlength"]), (&json!("udp"), &json!(45)));
    assert_eq!(data["user_avatar"], "/admin-cabinet/assets/img/unknownPerson.jpg");
    assert_eq!(bench.get("employees?search=id:113").await.1["data"]["data"][0]["disabled"], false);
    assert!(bench.pbx.set_disabled(113, true));
    assert_eq!(bench.get("employees?search=id:113").await.1["data"]["data"][0]["disabled"], true);
}

#[tokio::test]
async fn fields_are_cleaned_without_a_word() {
    let bench = Bench::new();
    for (i, (field, sent, stored)) in [
        ("number", json!("123456789"), json!("12345678")),
        ("number", json!("2 1 1"), json!("211")),
        ("number", json!("1"), json!("1")),
        ("user_username", json!("N".repeat(150)), json!("N".repeat(100))),
        ("user_username", json!("O'Neil & \"Co\""), json!("O'Neil & \"Co\"")),
        ("user_username", json!("Bob onclick=x y> z"), json!("Bob> z")),
        ("user_username", json!("Httpov Иван"), json!("Httpov")),
        ("user_username", json!("\u{a0}Nbsp"), json!("\u{a0}Nbsp")),
        ("user_email", json!("_@_._"), json!("")),
        ("mobile_number", json!("+79999999999"), json!("+79999999999")),
        ("mobile_number", json!("+7 (999) 999-99-98"), json!("79999999998")),
        ("fwd_forwarding", json!("+79991234567"), json!("79991234567")),
        ("fwd_forwarding", json!("none"), json!("")),
        ("fwd_forwarding", json!("12ab"), json!("12")),
        ("fwd_forwarding", json!("9".repeat(21)), json!("9".repeat(20))),
        ("fwd_forwardingonbusy", json!("hangup"), json!("hangup")),
        ("sip_networkfilterid", json!("abc"), json!("none")),
        ("sip_networkfilterid", json!("999"), json!("999")),
        ("sip_enableRecording", json!("no"), json!(false)),
        ("sip_enableRecording", json!("yes"), json!(true)),
    ]
    .into_iter()
    .enumerate()
    {
        let (status, body) = bench.create(&(600 + i).to_string(), json!({ field: sent })).await;
        assert_eq!((status, &body["data"][field]), (201, &stored), "{field} {sent}");
    }
}

#[tokio::test]
async fn refusals_have_their_texts_and_codes() {
    let bench = Bench::new();
    for (fields, text) in [
        (json!({"number": "201"}), "Extension already occupied"),
        (json!({"user_email": "not-an-email"}), "Likely the email address is invalid"),
        (json!({"mobile_number": "202"}), "The mobile number is already used by another employee"),
        (json!({"mobile_number": "0123"}), "Check the correctness of entering the mobile number"),
        (
            json!({"sip_secret": format!("aA1#{}", "b".repeat(61))}),
            "Password is too long (maximum 64 characters)",
        ),
        (json!({"sip_transport": "sctp"}), "Field 'sip_transport' must be one of: udp, tcp, tls, udp,tcp"),
        (json!({"fwd_ringlength": 500}), "Field 'fwd_ringlength' must be at most 180 (got 500)"),
        (json!({"fwd_forwarding": "201", "fwd_ringlength": 1}), RING),
        (json!({"fwd_forwardingonbusy": "333"}), "You cannot set up forwarding to your own number"),
    ] {
        let (status, body) = bench.create("333", fields.clone()).await;
        assert_eq!(body["httpCode"], 422, "{fields}");
        assert_eq!(error((status, body)), (422, text.to_owned()), "{fields}");
    }
    let (_, texts) = errors(bench.create("333", json!({"sip_secret": "1234"})).await);
    assert_eq!(texts.len(), 3);
    let (status, body) = bench.create("333", json!({"user_username": "Update Team Set"})).await;
    assert_eq!((status, body.get("httpCode")), (422, None));
    let (_, body) = bench.create("333", json!({"user_username": "javascript:alert(1) Bob"})).await;
    assert_eq!(body["messages"]["error"], json!({"user_username": "ex_ValidateUsernameEmpty"}));
    let (_, body) = bench.create("0", json!({})).await;
    assert_eq!(body["messages"]["error"], json!({"number": "ex_ValidateNumberIsEmpty"}));
    // Nothing of it was stored.
    assert_eq!(bench.numbers("").await.len(), 3);
    assert_eq!(bench.pbx.writes(), 0);
}

#[tokio::test]
async fn a_post_with_an_id_is_no_create() {
    let bench = Bench::new();
    let (status, body) =
        bench.create("310", json!({"id": 777, "sip_secret": null, "sip_dtmfmode": null})).await;
    assert_eq!((status, body.get("reload"), &body["data"]["id"]), (200, None, &json!("113")));
    let data = &body["data"];
    assert_eq!(
        (&data["fwd_ringlength"], &data["sip_dtmfmode"], &data["sip_secret"]),
        (&json!(0), &json!(""), &json!(""))
    );
    let (status, body) = bench.create("312", json!({"id": "113"})).await;
    assert_eq!((status, &body["data"]["id"], &body["data"]["number"]), (200, &json!("113"), &json!("312")));
    assert_eq!(
        bench
            .post("employees/0", json!({"number": "311", "user_username": "A", "sip_secret": SECRET}))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn a_missing_employee_is_422_or_404() {
    let bench = Bench::new();
    let full = json!({"number": "310", "user_username": "A", "sip_secret": "test1234"});
    let missing = [
        (bench.get("employees/999999").await, 422, "Employee with user_id 999999 not found"),
        (bench.delete("employees/999999").await, 422, "Employee not found (ID: 999999)"),
        (bench.put("employees/999999", full).await, 404, "Employee not found"),
        (bench.patch(999_999, json!({})).await, 404, "Employee not found for patch operation (ID: 999999)"),
        (bench.put("employees", json!({})).await, 400, "Employee ID is required for update"),
        (bench.delete("employees/0").await, 422, "Invalid employee ID"),
    ];
    for (answer, status, text) in missing {
        assert_eq!(error(answer), (status, text.to_owned()));
    }
}

#[tokio::test]
async fn put_forgets_the_mobile_and_the_ring_time() {
    let bench = Bench::new();
    let more = json!({"user_email": "a@b.co", "mobile_number": "79991112233", "fwd_forwarding": "202"});
    let id = bench.created("310", more).await;
    let path = format!("employees/{id}");
    let (status, body) = bench.put(&path, json!({"user_username": "New", "number": "310"})).await;
    let data = &body["data"];
    assert_eq!((status, &data["user_email"], &data["sip_secret"]), (200, &json!("a@b.co"), &json!(SECRET)));
    assert_eq!((&data["mobile_number"], &data["fwd_ringlength"]), (&json!(""), &json!(0)));
    assert_eq!(data["fwd_forwarding"], "202");
    // The ring time that is now 0 blocks every change.
    assert_eq!(error(bench.patch(id, json!({"user_email": "c@d.ee"})).await), (422, RING.to_owned()));
    assert_eq!(bench.patch(id, json!({"user_email": "c@d.ee", "fwd_ringlength": 20})).await.0, 200);

    let with_target = json!({"user_username": "New", "number": "310", "fwd_forwarding": "202"});
    let (status, body) = bench.put(&path, with_target).await;
    assert_eq!(body["httpCode"], 422);
    assert_eq!(error((status, body)), (422, RING.to_owned()));
    let cleared =
        json!({"user_username": "New", "number": "310", "fwd_forwarding": "", "fwd_ringlength": ""});
    assert_eq!(bench.put(&path, cleared).await.1["data"]["fwd_ringlength"], 0);
}

#[tokio::test]
async fn put_can_blank_a_secret_and_patch_cannot() {
    let bench = Bench::new();
    let id = bench.created("310", json!({})).await;
    assert_eq!(bench.patch(id, json!({"sip_secret": ""})).await.1["data"]["sip_secret"], SECRET);
    let blank = json!({"user_username": "A", "number": "310", "sip_secret": ""});
    let (status, body) = bench.put(&format!("employees/{id}"), blank).await;
    assert_eq!((status, &body["data"]["sip_secret"]), (200, &json!("")));
    assert_eq!(bench.patch(id, json!({"user_username": "B"})).await.0, 200);
}

#[tokio::test]
async fn nulls_mean_unchanged_but_for_two_fields() {
    let bench = Bench::new();
    let more = json!({
        "user_email": "a@b.co", "mobile_number": "79991112233", "mobile_dialstring": "79991112233",
        "fwd_forwarding": "202", "fwd_ringlength": 30, "fwd_forwardingonbusy": "203",
    });
    let id = bench.created("310", more).await;
    let before = bench.detail(id).await;
    for field in [
        "user_username",
        "user_email",
        "number",
        "sip_secret",
        "user_avatar",
        "sip_transport",
        "fwd_ringlength",
        "fwd_forwardingonbusy",
        "mobile_dialstring",
    ] {
        let (status, body) = bench.patch(id, json!({ field: null })).await;
        assert_eq!((status, &body["data"]), (200, &before), "{field}");
    }
    let data = bench.patch(id, json!({"fwd_forwarding": null})).await.1["data"].clone();
    assert_eq!((&data["fwd_forwarding"], &data["fwd_ringlength"]), (&json!("202"), &json!(0)));
    let data = bench.patch(id, json!({"fwd_ringlength": 30, "mobile_number": null})).await.1["data"].clone();
    assert_eq!((&data["mobile_number"], &data["mobile_dialstring"]), (&json!(""), &json!("")));

    let mut whole = before.clone();
    whole["sip_secret"] = Value::Null;
    whole["user_email"] = Value::Null;
    assert_eq!(bench.put(&format!("employees/{id}"), whole).await.1["data"], before);
    let mut whole = before.clone();
    whole["mobile_number"] = Value::Null;
    assert_eq!(bench.put(&format!("employees/{id}"), whole).await.1["data"]["mobile_number"], "");
}

#[tokio::test]
async fn the_ring_time_follows_the_forwarding() {
    let bench = Bench::new();
    let id = bench.created("310", json!({"fwd_ringlength": 20})).await;
    let ring = async |fields| bench.patch(id, fields).await.1["data"]["fwd_ringlength"].clone();
    assert_eq!(ring(json!({"fwd_forwarding": "202"})).await, 45);
    assert_eq!(ring(json!({"fwd_ringlength": 33})).await, 33);
    assert_eq!(ring(json!({"fwd_forwarding": ""})).await, 0);
    assert_eq!(ring(json!({"fwd_forwarding": "202", "fwd_ringlength": 60})).await, 60);
}

#[tokio::test]
async fn the_dialstring_does_not_follow_the_mobile() {
    let bench = Bench::new();
    let id = bench
        .created("310", json!({"mobile_number": "79991112233", "mobile_dialstring": "79991112233"}))
        .await;
    let data = bench.patch(id, json!({"mobile_number": "79991112244"})).await.1["data"].clone();
    assert_eq!(
        (&data["mobile_number"], &data["mobile_dialstring"]),
        (&json!("79991112244"), &json!("79991112233"))
    );
    let data = bench.patch(id, json!({"mobile_number": ""})).await.1["data"].clone();
    assert_eq!(data["mobile_dialstring"], "");
    bench.patch(id, json!({"mobile_number": "79991112255"})).await;
    assert_eq!(bench.detail(id).await["mobile_dialstring"], "");
    assert_eq!(bench.get("employees?search=id:113").await.1["data"]["data"][0]["mobile"], "79991112255");
}

#[tokio::test]
async fn a_stored_weak_secret_refuses_every_patch() {
    let bench = Bench::new();
    let fields =
        json!([{"user_username": "W", "number": "310", "sip_secret": SECRET, "sip_transport": "sctp"}]);
    assert_eq!(bench.post("employees:batchCreate", json!({"employees": fields})).await.0, 200);
    let text = "Field 'sip_transport' must be one of: udp, tcp, tls, udp,tcp";
    assert_eq!(error(bench.patch(113, json!({"user_email": "x@y.zz"})).await), (422, text.to_owned()));
    assert_eq!(bench.patch(113, json!({"user_email": "x@y.zz", "sip_transport": "udp"})).await.0, 200);
}

#[tokio::test]
async fn what_is_sent_back_whole_changes_nothing() {
    let bench = Bench::new();
    bench.patch(111, json!({})).await;
    let (before, writes) = (bench.detail(111).await, bench.pbx.writes());
    assert_eq!(bench.patch(111, before.clone()).await.1["data"], before);
    assert_eq!(bench.put("employees/111", before.clone()).await.1["data"], before);
    assert_eq!(bench.pbx.writes(), writes);
}

#[tokio::test]
async fn an_email_may_be_used_twice() {
    let bench = Bench::new();
    bench.created("310", json!({"user_email": "a@b.co"})).await;
    bench.created("311", json!({"user_email": "a@b.co"})).await;
    assert_eq!(bench.get("users:available?email=a@b.co").await.1["data"]["userId"], 113);
    assert_eq!(bench.get("users:available?email=A@b.co").await.1["data"]["available"], true);
}

#[tokio::test]
async fn the_request_log_has_no_token() {
    let bench = Bench::new();
    bench.get("employees?limit=1&offset=2").await;
    bench.raw(http::Method::GET, "/pbxcore/api/nchan/sub/event-bus?token=abc.def.ghi", "").await;
    let paths: Vec<(String, Option<u16>)> =
        bench.pbx.requests().into_iter().map(|request| (request.path, request.status)).collect();
    assert_eq!(
        paths,
        [
            ("/pbxcore/api/v3/employees?limit=1&offset=2".to_owned(), Some(200)),
            ("/pbxcore/api/nchan/sub/event-bus?token=…".to_owned(), Some(403)),
        ]
    );
    bench.created("310", json!({"sip_secret": "Hidden2secret!x"})).await;
    assert!(!format!("{:?}", bench.pbx).contains("Hidden2secret"));
}
