//! The form in which a value of one side is sent to the other.

use super::{mobile_for_directory, mobile_for_pbx};
use crate::field::Field;
use crate::value::Value;

/// A directory value as the PBX is to store it, or why the PBX cannot.
pub fn for_pbx(field: Field, value: &Value) -> Result<Value, String> {
    match field {
        Field::Name | Field::Extension => Ok(Value::new(value.canonical(), value.canonical())),
        Field::Email => Ok(Value::new(value.raw().trim(), value.canonical())),
        Field::Mobile => match mobile_for_pbx(value) {
            Some(digits) => Ok(Value::new(digits, value.canonical())),
            None => Err(format!("`{}` is not a number the PBX can dial", value.raw())),
        },
        Field::Photo | Field::SipPassword => Ok(value.clone()),
    }
}

/// A PBX value as the directory is to store it.
pub fn for_directory(field: Field, value: &Value) -> Value {
    match field {
        Field::Name | Field::Extension => Value::new(value.canonical(), value.canonical()),
        Field::Mobile => Value::new(mobile_for_directory(value), value.canonical()),
        Field::Email | Field::Photo | Field::SipPassword => value.clone(),
    }
}
