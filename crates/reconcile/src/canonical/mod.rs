//! Canonical forms: what makes two spellings the same value.

mod secret;

pub use secret::Fingerprinter;

use crate::value::{Unusable, Value};

pub fn name(raw: &str) -> Result<Value, Unusable> {
    Ok(Value::new(raw, raw.trim()))
}
pub fn extension(raw: &str) -> Result<Value, Unusable> {
    Ok(Value::new(raw, raw.trim()))
}
pub fn mobile(raw: &str, region: Option<&str>) -> Result<Value, Unusable> {
    let _ = region;
    Ok(Value::new(raw, raw.trim()))
}
pub fn mobile_in_pbx(raw: &str, region: Option<&str>) -> Result<Value, Unusable> {
    let _ = region;
    Ok(Value::new(raw, raw.trim()))
}
pub fn inner_extension(raw: &str, region: Option<&str>) -> Result<Value, Unusable> {
    let _ = region;
    Ok(Value::new(raw, raw.trim()))
}
pub fn email(raw: &str) -> Result<Value, Unusable> {
    Ok(Value::new(raw, raw.trim()))
}
pub fn photo(bytes: &[u8]) -> Result<Value, Unusable> {
    Ok(Value::new(format!("{} bytes", bytes.len()), ""))
}
