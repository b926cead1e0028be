//! What a read proves, and that there is one writer: whole cycles in one
//! process, where a test can hold up a run at any request.

#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_truncation)]

mod aside;
mod canary;
mod fence;
mod follow;
mod inside;
mod judged;
mod plausible;
