//! Many tasks on one PBX: how many requests it sees at the same time.

#![allow(clippy::unwrap_used)]

mod common;

use effects::{BoxFuture, ManualClock};
use http::{HeaderMap, Method, StatusCode};
use pbx::{Change, Exchange, ExchangeError, FieldWrite, Pbx, Request, Response, Settings, SignIn, Trust};
use reconcile::canonical::Fingerprinter;
use reconcile::{EmployeeId, Reading};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Debug, Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
    most_writes: AtomicUsize,
    writes_now: AtomicUsize,
}

impl Exchange for Gauge {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, ExchangeError>> {
        Box::pin(async move {
            let write = usize::from(request.method != Method::GET);
            self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            self.most_writes
                .fetch_max(self.writes_now.fetch_add(write, Ordering::SeqCst) + write, Ordering::SeqCst);
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            self.now.fetch_sub(1, Ordering::SeqCst);
            self.writes_now.fetch_sub(write, Ordering::SeqCst);
            let body = json!({"result": true, "data": common::record(json!({})), "messages": []});
            Ok(Response {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: body.to_string().into_bytes().into(),
            })
        })
    }
}

async fn most(url: &str) -> (usize, usize) {
    let gauge = Arc::new(Gauge::default());
    let settings = Settings { url: url.into(), sign_in: SignIn::ApiKey, trust: Trust::SystemRoots };
    let clock = Arc::new(ManualClock::at(0));
    let key = Fingerprinter::new([7; 32]);
    let secret = Some("the-key".to_owned().into());
    let pbx = Pbx::new(&settings, secret, gauge.clone(), clock, key, Duration::ZERO).unwrap();
    let pbx = Arc::new(pbx);
    let tasks: Vec<_> = (0..30)
        .map(|n| {
            let pbx = Arc::clone(&pbx);
            let change = Change::Name(format!("Anna {n}"));
            let write = [FieldWrite { change, expected: Reading::NotLooked }];
            tokio::spawn(async move {
                pbx.record(EmployeeId(12), None).await.unwrap();
                pbx.save(EmployeeId(12), &write, None).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    (gauge.most.load(Ordering::SeqCst), gauge.most_writes.load(Ordering::SeqCst))
}

#[tokio::test]
async fn three_at_a_time_and_one_writer_from_afar() {
    assert_eq!(most("https://pbx.example.org").await, (3, 1));
    assert_eq!(most("http://127.0.0.1").await, (3, 3));
}
