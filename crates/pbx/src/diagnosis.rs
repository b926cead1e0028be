//! Looking for what is wrong with a connection, one step after the other.
//! Never writes: the one request that could is empty, and the PBX refuses
//! employees without a name.

use crate::client::Pbx;
use crate::envelope::Reply;
use crate::error::Error;
use crate::wire::{Call, Pass};
use http::Method;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub name: &'static str,
    pub ok: bool,
    pub detail: String,
}

impl Pbx {
    /// Every step up to the first that the later ones stand on.
    pub async fn test(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.test_address(&mut steps).await || !self.test_sign_in(&mut steps).await {
            return steps;
        }
        let users = self.users().await;
        let readable = users.is_ok();
        steps.push(step("read employees", users.map(|users| format!("{users} users"))));
        let numbers = self.numbers().await.map(|numbers| format!("{} numbers are taken", numbers.len()));
        steps.push(step("read taken numbers", numbers));
        if readable {
            steps.push(step("change employees", self.may_write().await));
        }
        steps
    }

    /// Whether the PBX lets this login in. What it may do there is not asked.
    pub async fn signs_in(&self) -> Result<bool, Error> {
        match self.session.token(&self.wire).await {
            Ok(_) => Ok(true),
            Err(Error::NotSignedIn { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn test_address(&self, steps: &mut Vec<Step>) -> bool {
        let call = Call::get("system:ping", "answer a ping");
        let outcome = match self.wire.send(&call, Pass::None).await {
            Ok((Reply::Done(_), _)) => Ok("MikoPBX answers".to_owned()),
            Ok((reply, _)) => Err(self.wire.conclude(&call, reply, false)),
            Err(error) => Err(error),
        };
        let reached = !matches!(outcome, Err(Error::Unreachable { .. }));
        let trusted = reached && !matches!(outcome, Err(Error::Untrusted { .. }));
        if reached {
            steps.push(step("address", Ok(self.wire.origin.text.clone())));
        }
        if trusted && self.wire.origin.https {
            steps.push(step("certificate", Ok("trusted".to_owned())));
        }
        let name = match (reached, trusted) {
            (false, _) => "address",
            (true, false) => "certificate",
            (true, true) => "MikoPBX",
        };
        steps.push(step(name, outcome));
        steps.last().is_some_and(|last| last.ok)
    }

    async fn test_sign_in(&self, steps: &mut Vec<Step>) -> bool {
        let signed_in = match self.users().await {
            // Signed in, but not allowed: the next step says so.
            Ok(_) | Err(Error::NotPermitted { .. }) => Ok("accepted".to_owned()),
            Err(error) => Err(error),
        };
        steps.push(step("sign-in", signed_in));
        steps.last().is_some_and(|last| last.ok)
    }

    async fn users(&self) -> Result<usize, Error> {
        let rows: crate::employees::Rows =
            self.call(&Call::get("employees?limit=1&offset=0", "read the employees")).await?;
        Ok(rows.total)
    }

    /// An empty creation is refused for what it lacks by a PBX that would have
    /// let it through, and with 401 or 403 by one that would not.
    async fn may_write(&self) -> Result<String, Error> {
        let nothing = BTreeMap::<&str, &str>::new();
        let call = Call::send(Method::POST, "employees", &nothing, "create and change employees").harmless();
        match self.reply(&call).await? {
            Reply::Refused { status: 422, .. } => Ok("allowed".to_owned()),
            reply => Err(self.wire.conclude(&call, reply, true)),
        }
    }
}

fn step(name: &'static str, outcome: Result<String, Error>) -> Step {
    let ok = outcome.is_ok();
    Step { name, ok, detail: outcome.unwrap_or_else(|error| error.to_string()) }
}
