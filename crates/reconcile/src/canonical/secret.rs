//! SIP passwords: only ever a keyed fingerprint.

use crate::value::{Unusable, Value};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Turns a secret into a value that tells equality and nothing else. The key
/// is made once and sealed in the store.
#[derive(Clone)]
pub struct Fingerprinter {
    key: [u8; 32],
}

impl Fingerprinter {
    pub const fn new(key: [u8; 32]) -> Self {
        Fingerprinter { key }
    }

    pub fn secret(&self, secret: &[u8]) -> Result<Value, Unusable> {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(secret);
        let digest = mac.finalize().into_bytes();
        let fingerprint: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Value::new("set", format!("fp:{fingerprint}")))
    }
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinter")
    }
}
