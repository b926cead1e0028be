//! One PBX: the address, the session and everything that is asked through it.

use crate::envelope::Reply;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::photos::DefaultPicture;
use crate::session::Session;
use crate::settings::Settings;
use crate::wire::{Call, Pass, Wire};
use effects::Clock;
use reconcile::canonical::Fingerprinter;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// A MikoPBX. Usable from several tasks at once; they share the sign-in and
/// the pacing, so make one per PBX and keep it.
#[derive(Debug)]
pub struct Pbx {
    pub(crate) wire: Wire,
    pub(crate) session: Session,
    pub(crate) fingerprinter: Fingerprinter,
    pub(crate) default_picture: Mutex<Option<DefaultPicture>>,
}

impl Pbx {
    /// `patience` is how long one call may wait for the PBX to lift a block
    /// (five minutes and more) before it fails with [`Error::Busy`].
    pub fn new(
        settings: &Settings,
        secret: Option<SecretString>,
        exchange: Arc<dyn Exchange>,
        clock: Arc<dyn Clock>,
        fingerprinter: Fingerprinter,
        patience: Duration,
    ) -> Result<Self, Error> {
        settings.check()?;
        Ok(Pbx {
            wire: Wire::new(exchange, clock, settings.origin()?, patience),
            session: Session::new(settings.sign_in.clone(), secret)?,
            fingerprinter,
            default_picture: Mutex::default(),
        })
    }

    /// Whether the PBX is on this machine, where nothing limits the rate.
    pub fn is_local(&self) -> bool {
        self.wire.origin.loopback
    }

    /// Makes a signed-in call and reads its data.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Error> {
        let reply = self.reply(call).await?;
        if let Reply::Done(data) = &reply {
            self.session.worked();
            if let Ok(value) = serde_json::from_str(data.get()) {
                return Ok(value);
            }
        }
        Err(match self.wire.conclude(call, reply, self.session.known()) {
            Error::NotSignedIn { why } => {
                Error::NotSignedIn { why: format!("{why} {}", self.session.hint(&call.grant())) }
            }
            error => error,
        })
    }

    /// Makes a signed-in call. A 401 did nothing, so with a login the call is
    /// repeated once under a new token.
    pub(crate) async fn reply(&self, call: &Call<'_>) -> Result<Reply, Error> {
        let token = self.session.token(&self.wire).await?;
        let (reply, _) = self.wire.send(call, pass(token.as_ref())).await?;
        match (reply, token) {
            (Reply::Unauthorised(why), Some(token)) => {
                match self.session.another(&self.wire, &token).await? {
                    Some(token) => Ok(self.wire.send(call, Pass::Bearer(&token)).await?.0),
                    None => Ok(Reply::Unauthorised(why)),
                }
            }
            (reply, _) => Ok(reply),
        }
    }
}

fn pass(token: Option<&SecretString>) -> Pass<'_> {
    token.map_or(Pass::None, Pass::Bearer)
}
