//! The way to the PBX: requests get lost, answers get lost, and what the PBX
//! itself does wrong is the sandbox's to say.

use crate::forced::{Call, Forced};
use crate::humans;
use crate::process::Process;
use effects::BoxFuture;
use http::Method;
use pbx::{Exchange, ExchangeError, Request, Response};
use sandbox::pbx::Client;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const NEIGHBOUR: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9));
/// What an HTTP client waits before it gives up, about.
const GIVEN_UP: Duration = Duration::from_secs(40);

#[derive(Debug)]
pub struct Line(pub Arc<Process>);

impl Exchange for Line {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, ExchangeError>> {
        Box::pin(async move {
            let Line(process) = self;
            let stage = &process.stage;
            process.step(format!("{} {}", request.method, request.path_and_query)).await;
            if stage.strikes("PBX refused the connection", stage.chances().pbx_refused) {
                return Err(ExchangeError::NotSent("connection refused".to_owned()));
            }
            if stage.strikes("request to the PBX lost", stage.chances().request_lost) {
                tokio::time::sleep(GIVEN_UP).await;
                return Err(ExchangeError::OutcomeUnknown("no answer".to_owned()));
            }
            let forced = stage.forced().and_then(|forced| match forced {
                Forced::Pbx { call, answer }
                    if Call::of(&request.method, &request.path_and_query) == Some(call) =>
                {
                    Some(answer)
                }
                _ => None,
            });
            if let Some(answer) = forced.filter(|answer| !answer.is_behind()) {
                return answer.give();
            }
            if matches!(request.method, Method::PATCH | Method::PUT)
                && stage.strikes("edit inside the PBX's window", stage.chances().window)
            {
                let id = request.path_and_query.rsplit('/').next().and_then(|id| id.parse().ok());
                humans::edit_employee(stage, id.unwrap_or_default());
            }
            stage.asks(&request.method, &request.path_and_query);
            let client = if stage.remote { Client::Remote(NEIGHBOUR) } else { Client::Local };
            let Request { method, path_and_query, headers, body } = &request;
            let answer = stage.pbx.handle(method, path_and_query, headers, body, client).await;
            if *method != Method::GET {
                stage.see_pbx(Some(body));
            }
            process
                .step(format!("answer {:?}", answer.as_ref().map(|answer| answer.status().as_u16())))
                .await;
            if let Some(answer) = forced {
                return answer.give();
            }
            let Ok(answer) = answer else {
                stage.count("PBX dropped the connection");
                return Err(ExchangeError::OutcomeUnknown("the connection was dropped".to_owned()));
            };
            if stage.strikes("answer of the PBX lost", stage.chances().answer_lost) {
                tokio::time::sleep(GIVEN_UP).await;
                return Err(ExchangeError::OutcomeUnknown("no answer".to_owned()));
            }
            let (parts, body) = answer.into_parts();
            Ok(Response { status: parts.status, headers: parts.headers, body })
        })
    }
}
