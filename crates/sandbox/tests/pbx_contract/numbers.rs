//! The space of numbers: proposals, occupation, references and moves.

use crate::{Bench, SECRET, error, errors, is_occupied};
use sandbox::pbx::{Options, Pbx};
use serde_json::json;

#[tokio::test]
async fn the_lowest_free_number_is_proposed_and_not_reserved() {
    let bench = Bench::new();
    assert_eq!(bench.proposed().await, "204");
    assert_eq!(bench.proposed().await, "204");
    assert!(bench.pbx.add_queue("204"));
    assert_eq!(bench.proposed().await, "205");
    bench.created("300", json!({"mobile_number": "205"})).await;
    assert_eq!(bench.proposed().await, "206");
    assert_eq!(bench.delete("employees/111").await.0, 200);
    assert_eq!(bench.proposed().await, "202");
    let nobody = Bench { pbx: Pbx::new(Options::default()), ..Bench::new() };
    assert_eq!(nobody.proposed().await, "200");
}

#[tokio::test]
async fn a_proposal_compares_loosely_and_starts_textually() {
    let bench = Bench::new();
    bench.created("62", json!({})).await;
    // 62 sorts after 201; 000063 and 000064 take 63 and 64.
    assert_eq!(bench.proposed().await, "204");
    let low = Bench { pbx: Pbx::new(Options::default()), ..Bench::new() };
    low.created("62", json!({})).await;
    assert_eq!(low.proposed().await, "65");
    bench.created("1000", json!({})).await;
    assert_eq!(bench.proposed().await, "");
}

#[tokio::test]
async fn a_foreign_number_fails_late_and_with_html() {
    let bench = Bench::new();
    let (status, body) = bench.create("805", json!({})).await;
    assert_eq!(body.get("httpCode"), None);
    let text = "Failed to save SIP extension: Specified number is already used for - Parking slot 805";
    assert_eq!(error((status, body)), (422, text.to_owned()));
    let (_, text) = error(bench.create("310", json!({"mobile_number": "2001"})).await);
    assert!(
        text.starts_with("Failed to save mobile extension: Specified number is already used for - "),
        "{text}"
    );
    assert_eq!(bench.create("310", json!({"mobile_number": "310"})).await.0, 201);
}

#[tokio::test]
async fn availability_is_an_exact_look_up() {
    let bench = Bench::new();
    let ask = async |number| {
        bench.post("extensions:available", json!({ "number": number })).await.1["data"].clone()
    };
    assert_eq!(ask(json!("299")).await, json!({"available": true}));
    assert_eq!(ask(json!(" 201 ")).await["userId"], 110);
    assert_eq!(ask(json!(201)).await["userId"], 110);
    assert_eq!(ask(json!("63")).await["available"], true);
    assert_eq!(ask(json!("89261111111")).await["userId"], 110);
    assert_eq!(ask(json!("2001")).await["represent"], "ex_ThisNumberIsNotFree");
}

#[tokio::test]
async fn forwarding_follows_a_number_that_changes() {
    let bench = Bench::new();
    let a = bench.created("310", json!({"mobile_number": "79991112233"})).await;
    let b =
        bench.created("311", json!({"fwd_forwarding": "310", "fwd_forwardingonbusy": "79991112233"})).await;
    bench.patch(a, json!({"fwd_forwardingonunavailable": "79991112233"})).await;
    assert_eq!(bench.patch(a, json!({"number": "312"})).await.0, 200);
    assert_eq!(bench.detail(b).await["fwd_forwarding"], "312");
    // A plus gets into a forwarding that way, although no request could.
    let own = bench.patch(a, json!({"mobile_number": "+79991112233"})).await.1["data"].clone();
    assert_eq!(own["fwd_forwardingonunavailable"], "+79991112233");
    assert_eq!(bench.detail(b).await["fwd_forwardingonbusy"], "+79991112233");
    // The factory's route follows too, so that it goes on blocking.
    assert_eq!(bench.patch(110, json!({"number": "250"})).await.0, 200);
    assert_eq!(errors(bench.delete("employees/110").await).1.len(), 2);
}

#[tokio::test]
async fn a_mobile_in_use_cannot_be_removed() {
    let bench = Bench::new();
    let a =
        bench.created("310", json!({"mobile_number": "79991112233", "fwd_forwarding": "79991112233"})).await;
    let before = bench.detail(a).await;
    let (status, body) = bench.patch(a, json!({"mobile_number": "", "user_username": "Not stored"})).await;
    assert_eq!(body.get("httpCode"), None);
    let (_, text) = error((status, body));
    assert!(
        text.starts_with("Failed to delete mobile number: There are references to the object - "),
        "{text}"
    );
    assert_eq!(bench.detail(a).await, before);
    let b = bench.created("311", json!({"fwd_forwarding": "79991112233"})).await;
    let both = json!({"mobile_number": "", "fwd_forwarding": ""});
    assert_eq!(bench.patch(a, both.clone()).await.0, 422);
    assert_eq!(bench.patch(b, json!({"fwd_forwarding": ""})).await.0, 200);
    assert_eq!(bench.patch(a, both).await.0, 200);
}

#[tokio::test]
async fn a_deletion_is_refused_while_something_refers_to_the_person() {
    let bench = Bench::new();
    let a =
        bench.created("310", json!({"mobile_number": "79991112233", "fwd_forwarding": "79991112233"})).await;
    let b = bench.created("311", json!({"fwd_forwardingonunavailable": "79991112233"})).await;
    let path = format!("employees/{a}");
    let (status, body) = bench.delete(&path).await;
    assert_eq!((status, body.get("httpCode")), (422, None));
    assert_eq!(bench.detail(a).await["mobile_number"], "79991112233");
    bench.pbx.edit(b, json!({"fwd_forwardingonunavailable": ""})).unwrap();
    // Forwarding to one's own mobile does not block.
    assert_eq!(bench.delete(&path).await.1["data"]["deleted_id"], a.to_string());
    assert_eq!(bench.get(&path).await.0, 422);
    let (_, body) = bench.get("extensions?search=310").await;
    assert_eq!(body["data"], json!([]));
    assert_eq!(errors(bench.delete("employees/112").await).1.len(), 1);
}

#[tokio::test]
async fn two_numbers_are_swapped_through_a_third() {
    let bench = Bench::new();
    let (a, b) = (bench.created("656", json!({})).await, bench.created("657", json!({})).await);
    is_occupied(bench.patch(a, json!({"number": "657"})).await);
    for (id, number) in [(a, "658"), (b, "656"), (a, "657")] {
        assert_eq!(bench.patch(id, json!({ "number": number })).await.0, 200);
    }
    assert_eq!(bench.numbers("?search=number:656").await, ["656"]);
    assert_eq!(bench.get("sip/658:getSecret").await.1["data"]["secret"], "");
    is_occupied(bench.create("657", json!({"sip_secret": SECRET})).await);
}
