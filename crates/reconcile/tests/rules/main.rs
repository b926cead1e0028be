//! Every rule of a correct synchronisation that the pure core can keep, by name.

#[path = "../support/mod.rs"]
mod support;

mod smoke;
