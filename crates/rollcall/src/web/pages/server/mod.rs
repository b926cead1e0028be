//! One server: connection, attributes, limits and schedule. What is entered is
//! kept beside the stored settings until it is saved, so that it can be tried
//! against the live directory first.

mod attributes;
mod connection;
mod draft;
mod limits;
mod tree;

pub use draft::Drafts;

use crate::web::Web;
use axum::Router;
use axum::routing::{get, post};

/// The number in the address of a server that is not stored yet.
pub const NEW: i64 = 0;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/servers/new", get(connection::new))
        .route("/servers/{id}", get(connection::show).post(connection::take))
        .route("/servers/{id}/tree", get(tree::show).post(tree::take))
        .route("/servers/{id}/attributes", get(attributes::show).post(attributes::take))
        .route("/servers/{id}/limits", get(limits::show).post(limits::take))
        .route("/servers/{id}/forget-changes", post(connection::forget))
}
