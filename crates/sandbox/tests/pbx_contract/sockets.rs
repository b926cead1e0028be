//! The PBX behind a socket, without any HTTP client but a few lines.

use crate::{Bench, SECRET};
use sandbox::pbx::{Options, Pbx, Running, serve};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn talk(running: &Running, request: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    let length = body.len();
    let text = format!(
        "{request} HTTP/1.1\r\nHost: pbx\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A connection that is dropped has nothing more to say.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

async fn listening(pbx: &Pbx) -> Running {
    serve(pbx.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn it_listens_and_stops() {
    let bench = Bench::new();
    let running = listening(&bench.pbx).await;
    let create = json!({"number": "310", "user_username": "Wire", "sip_secret": SECRET}).to_string();
    let answer = talk(&running, "POST /pbxcore/api/v3/employees", &create).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let answer = talk(&running, "GET /sandbox/writes", "").await;
    assert!(answer.ends_with("{\"writes\":1}"), "{answer}");
    assert!(talk(&running, "POST /sandbox/faults", "pbx.drop=x1").await.starts_with("HTTP/1.1 200 "));
    assert!(talk(&running, "POST /sandbox/faults", "nonsense").await.starts_with("HTTP/1.1 400 "));
    let answer = talk(&running, "DELETE /pbxcore/api/v3/employees/113", "").await;
    assert!(!answer.contains("deleted_id"), "{answer}");
    assert!(bench.numbers("?search=id:113").await.is_empty());
    let addr = running.addr;
    running.shutdown().await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn loopback_can_count_as_remote() {
    let pbx = Pbx::factory(Options { treat_as_remote: true, ..Options::default() });
    let running = listening(&pbx).await;
    assert!(talk(&running, "GET /pbxcore/api/v3/employees", "").await.starts_with("HTTP/1.1 401 "));
    // The surface of the sandbox is for its owner in any case.
    assert!(talk(&running, "GET /sandbox/writes", "").await.starts_with("HTTP/1.1 200 "));
}
