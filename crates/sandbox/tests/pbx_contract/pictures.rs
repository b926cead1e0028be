//! Pictures: what is accepted, what is lost, and how files are served.

use crate::{Bench, error};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

const DEFAULT: &str = "/admin-cabinet/assets/img/unknownPerson.jpg";

fn jpeg(fill: u8, bytes: usize) -> Vec<u8> {
    let mut picture = vec![fill; bytes];
    picture[..3].copy_from_slice(&[0xff, 0xd8, 0xff]);
    picture
}

fn data_uri(picture: &[u8]) -> Value {
    json!(format!("data:image/jpeg;base64,{}", STANDARD.encode(picture)))
}

async fn file(bench: &Bench, id: u64) -> Vec<u8> {
    bench.remote().raw(Method::GET, &format!("/avatars/user_{id}.jpg"), "").await.body().to_vec()
}

#[tokio::test]
async fn a_picture_is_stored_as_it_came() {
    let bench = Bench::new();
    let (first, second) = (jpeg(1, 2048), jpeg(2, 2048));
    let id = bench.created("310", json!({"user_avatar": data_uri(&first)})).await;
    assert_eq!(bench.detail(id).await["user_avatar"], format!("/avatars/user_{id}.jpg"));
    assert_eq!(file(&bench, id).await, first);
    bench.patch(id, json!({"user_avatar": data_uri(&second)})).await;
    assert_eq!(file(&bench, id).await, second);
    for kept in
        [json!("/avatars/user_113.jpg"), json!("https://example.com/a.jpg"), json!("AAAA"), Value::Null]
    {
        assert_eq!(bench.patch(id, json!({"user_avatar": kept})).await.0, 200);
        assert_eq!(file(&bench, id).await, second);
    }
    bench.patch(id, json!({"user_avatar": ""})).await;
    assert_eq!(bench.detail(id).await["user_avatar"], DEFAULT);
    assert_ne!(file(&bench, id).await, second);
    assert_eq!(bench.pbx.picture(id), None);
    bench.patch(id, json!({"user_avatar": data_uri(&first)})).await;
    bench.delete(&format!("employees/{id}")).await;
    assert_eq!(bench.pbx.picture(id), None);
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let bench = Bench::new();
    let text = "Invalid avatar image: must be at least 1KB and a valid image format (JPEG, PNG, GIF, WEBP)";
    for bad in [data_uri(&jpeg(1, 1023)), data_uri(&[7; 2048]), json!("data:image/png;base64,***")] {
        let answer = bench.create("310", json!({"user_avatar": bad})).await;
        assert_eq!(error(answer), (422, text.to_owned()));
    }
    assert_eq!(bench.numbers("?search=number:310").await, Vec::<String>::new());
    let url_safe =
        data_uri(&jpeg(0xfb, 1025)).as_str().unwrap().replace('+', "-").replace("image-", "image/");
    assert_eq!(bench.create("310", json!({"user_avatar": url_safe})).await.0, 422);
    // The type, the word base64 and line breaks do not matter.
    let odd = format!("data:image/webp,{}", STANDARD.encode(jpeg(1, 1024)).replace("AQEB", "AQ\r\nEB"));
    assert_eq!(bench.create("310", json!({"user_avatar": odd})).await.0, 201);
}

#[tokio::test]
async fn a_refused_save_loses_or_keeps_a_picture() {
    let bench = Bench::new();
    let (first, second) = (jpeg(1, 2048), jpeg(2, 2048));
    let id = bench.created("310", json!({"user_avatar": data_uri(&first)})).await;
    // Refused by a check: nothing happens.
    let early = json!({"user_avatar": data_uri(&second), "mobile_number": "0123"});
    assert_eq!(bench.patch(id, early).await.0, 422);
    assert_eq!(file(&bench, id).await, first);
    // Refused while it is stored: the new picture stays.
    let late = json!({"user_avatar": data_uri(&second), "number": "2001", "user_username": "Not stored"});
    assert_eq!(bench.patch(id, late).await.0, 422);
    assert_eq!(file(&bench, id).await, second);
    assert_eq!(bench.detail(id).await["user_username"], "Person 310");
    // A bad picture: the old one is lost.
    assert_eq!(bench.patch(id, json!({"user_avatar": data_uri(&[7; 2048])})).await.0, 422);
    assert_eq!(bench.detail(id).await["user_avatar"], DEFAULT);
    assert_eq!(bench.pbx.writes(), 3);
}

#[tokio::test]
async fn files_are_served_with_their_validators() {
    let bench = Bench::new();
    let id = bench.created("310", json!({"user_avatar": data_uri(&jpeg(1, 2048))})).await;
    let path = format!("/avatars/user_{id}.jpg");
    let answer = bench.raw(Method::GET, &path, "").await;
    let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let modified = answer.headers()["last-modified"].to_str().unwrap().to_owned();
    assert_eq!(answer.headers()["cache-control"], "max-age=604800");
    assert_eq!(etag, format!("\"{:x}-800\"", 1_795_000_000));
    let conditional = async |name: &str, value: &str| {
        bench.remote().header(name, value).raw(Method::GET, &path, "").await.status().as_u16()
    };
    assert_eq!(conditional("if-none-match", &etag).await, 304);
    assert_eq!(conditional("if-modified-since", &modified).await, 304);
    // A replacement of equal length within the same second is not seen.
    bench.patch(id, json!({"user_avatar": data_uri(&jpeg(2, 2048))})).await;
    assert_eq!(conditional("if-none-match", &etag).await, 304);
    bench.pass(1);
    bench.patch(id, json!({"user_avatar": data_uri(&jpeg(3, 2048))})).await;
    assert_eq!(conditional("if-none-match", &etag).await, 200);
    assert_eq!(bench.raw(Method::HEAD, &path, "").await.body().len(), 0);
    let unknown = bench.remote().raw(Method::GET, "/avatars/user_424242.jpg", "").await;
    assert_eq!(
        (unknown.status().as_u16(), &unknown.headers()["cache-control"]),
        (200, &"max-age=259200".parse().unwrap())
    );
}
