//! `batchCreate`, which stores what single writes refuse.

use crate::{Bench, SECRET, error};
use serde_json::{Value, json};

async fn batch(bench: &Bench, employees: Value, more: Value) -> (u16, Value) {
    let mut body = json!({ "employees": employees });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    bench.post("employees:batchCreate", body).await
}

#[tokio::test]
async fn the_request_is_checked() {
    let bench = Bench::new();
    assert_eq!(error(bench.post("employees:batchCreate", json!({})).await).1, "Employee array is required");
    let answer = batch(&bench, json!([{}]), json!({"mode": "x"})).await;
    assert_eq!(error(answer), (422, "Invalid mode. Allowed values: validate or create".to_owned()));
}

#[tokio::test]
async fn numbers_and_secrets_are_filled_in() {
    let bench = Bench::new();
    let (status, body) =
        batch(&bench, json!([{"user_username": "A"}, {"user_username": "B"}]), json!({})).await;
    let results = &body["data"]["results"];
    assert_eq!((status, &body["data"]["stats"]["created"]), (200, &json!(2)));
    assert_eq!(
        (&results[0]["data"]["number"], &results[1]["data"]["number"]),
        (&json!("204"), &json!("205"))
    );
    assert_eq!(results[0]["data"]["sip_transport"], "udp,tcp");
    // Where nothing is stored, all get the same.
    let people = json!([{"user_username": "C"}, {"user_username": "D"}]);
    let (status, body) = batch(&bench, people, json!({"mode": "validate"})).await;
    let results = &body["data"]["results"];
    assert_eq!((status, &results[0]["status"]), (200, &json!("validated")));
    assert_eq!(
        (&results[0]["data"]["number"], &results[1]["data"]["number"]),
        (&json!("206"), &json!("206"))
    );
    assert_eq!(bench.numbers("").await.len(), 5);
}

#[tokio::test]
async fn a_partial_failure_is_a_success() {
    let bench = Bench::new();
    let people =
        json!([{"user_username": "A"}, {"user_username": "B", "number": "201"}, {"user_username": "C"}]);
    let (status, body) = batch(&bench, people, json!({})).await;
    assert_eq!((status, &body["result"]), (200, &json!(true)));
    assert_eq!(body["data"]["results"].as_array().unwrap().len(), 2);
    assert_eq!(body["messages"]["error"], json!(["Record 1: validation error"]));
    let (status, body) = batch(&bench, json!([{"user_username": "Q", "number": "2001"}]), json!({})).await;
    let result = &body["data"]["results"][0];
    assert_eq!((status, &result["status"]), (422, &json!("create_failed")));
    assert!(
        result["errors"][0]["message"].as_str().unwrap().contains("Specified number is already used for - ")
    );
}

#[tokio::test]
async fn what_it_lets_in_bites_later() {
    let bench = Bench::new();
    let email = format!("{}@example.organisation", "a".repeat(20));
    let people = json!([{"user_username": "N".repeat(50), "number": "123456789", "user_email": email, "sip_secret": SECRET}]);
    let (status, body) = batch(&bench, people, json!({})).await;
    let data = &body["data"]["results"][0]["data"];
    assert_eq!(
        (status, &data["number"], &data["user_username"]),
        (200, &json!("123456789"), &json!("N".repeat(32)))
    );
    assert_eq!(data["user_email"], email[..32]);
    let (status, body) = bench.patch(113, json!({"user_email": "x@y.zz"})).await;
    assert_eq!((status, &body["data"]["number"]), (200, &json!("12345678")));
    for (fields, text) in [
        (json!({"number": "30a"}), "Extension number must only consist of numbers"),
        (
            json!({"number": "300", "mobile_number": "+7 (999) 111-22-33"}),
            "Check the correctness of entering the mobile number",
        ),
    ] {
        let mut person = json!({"user_username": "A"});
        person.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap());
        let (status, body) = batch(&bench, json!([person]), json!({})).await;
        assert_eq!((status, &body["data"]["results"][0]["errors"]), (422, &json!([text])));
    }
}

#[tokio::test]
async fn a_picture_can_lose_its_end() {
    use base64::Engine;
    let bench = Bench::new();
    let mut picture = vec![0; 2046];
    picture[..3].copy_from_slice(&[0xff, 0xd8, 0xff]);
    let base64 = base64::engine::general_purpose::STANDARD;
    // The last run of letters holds an "on", and padding follows.
    picture.extend(base64.decode("onAAAAA=").unwrap());
    let uri = format!("data:image/jpeg;base64,{}", base64.encode(&picture));
    let (status, _) = batch(&bench, json!([{"user_username": "P", "user_avatar": uri}]), json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(bench.pbx.picture(113).unwrap(), picture[..2046]);
}
