//! Routes, envelopes and lists.

use crate::{Bench, SECRET, error, errors};
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn every_answer_has_its_envelope() {
    let bench = Bench::new();
    let (status, body) = bench.get("employees/").await;
    assert_eq!(status, 200);
    let mut keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["data", "function", "messages", "meta", "pid", "processor", "result"]);
    assert_eq!(body["messages"], json!([]));
    assert_eq!(body["meta"]["hash"].as_str().unwrap().len(), 40);

    let (status, body) = bench.get("nosuch").await;
    assert_eq!((status, &body["success"], &body["data"]), (404, &json!(false), &Value::Null));
    for (method, path) in [(Method::GET, "employees:export"), (Method::POST, "employees:copy")] {
        let (status, body) = bench.call(method, path, "").await;
        assert_eq!((status, body.as_object().unwrap().len()), (405, 3));
    }
}

#[tokio::test]
async fn json_comes_as_php_writes_it() {
    let bench = Bench::new();
    bench.created("310", json!({"user_username": "Фёдор\u{7}😀"})).await;
    let answer = bench.raw(Method::GET, "/pbxcore/api/v3/employees?search=number:310", "").await;
    let text = std::str::from_utf8(answer.body()).unwrap();
    assert!(text.contains("\"\\u0424\\u0451\\u0434\\u043e\\u0440\\ud83d\\ude00\""), "{text}");
    assert!(text.contains("\\/admin-cabinet\\/"), "{text}");
    assert_eq!(answer.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn bodies_are_read_leniently() {
    let bench = Bench::new();
    let (status, body) = bench.call(Method::POST, "employees", "{broken").await;
    assert_eq!((status, body["messages"]["error"].as_object().unwrap().len()), (422, 3));
    let (status, body) =
        bench.call(Method::PATCH, "employees/111?user_email=a@b.co", r#"{"user_email":"x@y.zz"}"#).await;
    assert_eq!((status, &body["data"]["user_email"]), (200, &json!("a@b.co")));
    let form = Bench::new().header("content-type", "application/x-www-form-urlencoded");
    let (status, body) = form.call(Method::PATCH, "employees/111", "user_email=a%2Bb@c.de").await;
    assert_eq!((status, &body["data"]["user_email"]), (200, &json!("a+b@c.de")));
}

#[tokio::test]
async fn numbers_become_texts_and_arrays_do_not() {
    let bench = Bench::new();
    let fields = json!({"number": 310, "user_username": 12345, "mobile_number": 79995556677_u64});
    let data = bench.create("", fields).await.1["data"].clone();
    assert_eq!(
        (&data["number"], &data["user_username"], &data["mobile_number"]),
        (&json!("310"), &json!("12345"), &json!("79995556677"))
    );
    assert_eq!(bench.patch(111, json!({"user_username": 3.7})).await.1["data"]["user_username"], "37");
    assert_eq!(bench.patch(111, json!({"user_username": true})).await.1["data"]["user_username"], "1");
    let (status, text) = error(bench.patch(111, json!({"user_username": ["a"]})).await);
    assert_eq!((status, text.starts_with("TypeError")), (422, true));
}

#[tokio::test]
async fn lists_page_as_the_server_does() {
    let bench = Bench::new();
    for number in 300..360 {
        bench.created(&number.to_string(), json!({})).await;
    }
    let (_, body) = bench.get("employees?limit=2&offset=0").await;
    assert_eq!(body["data"]["data"].as_array().unwrap().len(), 2);
    assert_eq!((&body["data"]["recordsTotal"], &body["data"]["recordsFiltered"]), (&json!(63), &json!(63)));
    for (query, rows) in [
        ("", 63),
        ("?limit=-10&offset=0", 50),
        ("?limit=5000", 63),
        ("?offset=20", 43),
        ("?offset=1", 50),
        ("?offset=-5", 50),
    ] {
        assert_eq!(bench.numbers(query).await.len(), rows, "{query}");
    }
}

#[tokio::test]
async fn lists_sort_by_parameters_that_are_not_documented() {
    let bench = Bench::new();
    let by_name = ["202", "203", "201"];
    for query in ["", "?order=number&orderWay=DESC", "?order_by=bogus", "?order_by=id&order_direction=DESC"] {
        assert_eq!(bench.numbers(query).await, by_name, "{query}");
    }
    assert_eq!(bench.numbers("?order_by=number&order_direction=DESC").await, ["203", "202", "201"]);
    bench.created("99", json!({})).await;
    assert_eq!(bench.numbers("?order_by=number").await, ["99", "201", "202", "203"]);
}

#[tokio::test]
async fn searches_find_what_the_server_finds() {
    let bench = Bench::new();
    let more = json!({"user_email": "ann@example.com", "mobile_number": "79990006700", "mobile_dialstring": "8(999)000-67-00"});
    bench.created("310", more).await;
    let (one, none): (&[&str], &[&str]) = (&["310"], &[]);
    for (search, found) in [
        ("id:111", &["202"][..]),
        ("number:20", none),
        ("number:", none),
        ("id:", none),
        ("email:ANN@", one),
        ("person 310", one),
        ("mobile:89990006700", none),
        ("mobile:999", one),
        ("79990006700", none),
        ("zzz", none),
        ("SMITH", &["201"][..]),
        ("mobile:", &["202", "203", "310", "201"][..]),
    ] {
        assert_eq!(bench.numbers(&format!("?search={search}")).await, found, "{search}");
    }
}

#[tokio::test]
async fn a_user_without_a_phone_shows_a_number_that_does_not_exist() {
    let bench = Bench::new();
    let id = bench.pbx.add_user("Module User");
    assert!(bench.numbers("?search=email:user").await.is_empty());
    assert_eq!(bench.numbers(&format!("?search=id:{id}")).await, [""]);
    assert_eq!(bench.numbers("?search=number:204").await, Vec::<String>::new());
    assert_eq!(bench.detail(id).await["number"], "204");
    assert_eq!(bench.proposed().await, "204");
    // Any change makes it real.
    assert_eq!(bench.patch(id, json!({"user_email": "m@example.com"})).await.0, 200);
    assert_eq!(bench.numbers("?search=email:m@").await, ["204"]);
    assert_eq!(bench.numbers(&format!("?search=id:{id}")).await, ["204"]);
    assert_eq!(bench.proposed().await, "205");
}

#[tokio::test]
async fn helpers_answer() {
    let bench = Bench::new();
    bench.created("310", json!({})).await;
    assert_eq!(bench.get("sip/310:getSecret").await.1["data"], json!({"number": "310", "secret": SECRET}));
    assert_eq!(bench.get("sip/999:getSecret").await.1["data"]["secret"], "");
    let password = bench.get("passwords:generate?length=12").await.1["data"].clone();
    assert_eq!(password["password"].as_str().unwrap().len(), 12);
    assert_eq!(bench.get("system:ping").await.0, 200);
    let (_, body) = bench.get("extensions?type=SIP&order=number&orderWay=DESC&limit=2").await;
    let expected = json!([
        {"id": "310", "number": "310", "type": "SIP", "callerid": "Person 310"},
        {"id": "203", "number": "203", "type": "SIP", "callerid": "Collins Melanie"},
    ]);
    assert_eq!(body["data"], expected);
    let (status, text) = error(bench.get("extensions/201").await);
    assert_eq!((status, text.starts_with("Unknown action - getRecord")), (422, true));
    let (_, body) = bench.post("extensions:getPhonesRepresent", json!({"numbers": ["805", "777"]})).await;
    assert_eq!(body["data"]["805"]["represent"], "Parking slot 805");
    assert_eq!(body["data"]["777"]["represent"], "777");
    assert_eq!(errors(bench.get("users").await).0, 422);
}

#[tokio::test]
async fn an_export_is_a_file_that_anybody_can_fetch() {
    let bench = Bench::new();
    bench.created("310", json!({"user_username": "O, \"Neil\""})).await;
    let wanted = json!({"format": "standard", "filter": {"number_from": "300", "number_to": "399"}});
    let (_, body) = bench.post("employees:export", wanted).await;
    assert_eq!((&body["data"]["count"], &body["data"]["format"]), (&json!(1), &json!("standard")));
    let path = body["data"]["filename"].as_str().unwrap();
    let file = bench.remote().raw(Method::GET, path, "").await;
    let text = std::str::from_utf8(file.body()).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    assert!(head.starts_with("\u{feff}number,user_username,user_email,mobile_number,sip_secret"), "{head}");
    assert_eq!(rows, format!("310,\"O, \"\"Neil\"\"\",,,{SECRET},45,,,auto,udp,1,,\n"));
    let nobody = json!({"filter": {"number_from": "900", "number_to": "999"}});
    let (status, body) = bench.post("employees:export", nobody).await;
    assert_eq!((status, body["messages"]["warning"].is_array()), (422, true));
    assert_eq!(error(bench.post("employees:confirmImport", json!({})).await).1, "Upload ID is required");
}

#[tokio::test]
async fn fifty_thousand_employees_are_listed() {
    use sandbox::company::Employee;
    use sandbox::pbx::{Options, Pbx};
    let employees: Vec<Employee> = (0..50_000_u32)
        .map(|i| Employee {
            number: (100_000 + i).to_string(),
            name: format!("Сотрудник {}", (i * 7919) % 50_000),
            email: Some(format!("p{i}@example.com")),
            mobile: Some(format!("79{i:09}")),
            sip_password: SECRET.into(),
            person: None,
        })
        .collect();
    let bench = Bench {
        pbx: Pbx::with_employees(Options { extensions_length: 6, ..Options::default() }, &employees),
        ..Bench::new()
    };
    let (_, body) = bench.get("employees?search=number:149999").await;
    assert_eq!(body["data"]["recordsTotal"], 1);
    let answer = bench.raw(Method::GET, "/pbxcore/api/v3/employees", "").await;
    assert!(answer.body().len() > 5_000_000);
    assert_eq!(bench.numbers("?limit=5000").await.len(), 1000);
    assert_eq!(bench.proposed().await, "150000");
    bench.created("150000", json!({})).await;
    assert_eq!(bench.proposed().await, "150001");
}
