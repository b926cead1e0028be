//! What went wrong with a request, as a page. Whoever asked is told what
//! happened and what can be done, in the frame of every other page.

use crate::app::Usage;
use crate::cli::errors::describe;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub text: String,
}

impl Problem {
    pub fn not_found() -> Self {
        Problem { status: StatusCode::NOT_FOUND, text: String::new() }
    }

    pub fn refused(text: impl Into<String>) -> Self {
        Problem { status: StatusCode::UNPROCESSABLE_ENTITY, text: text.into() }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        let error = error.into();
        let text = describe(&error);
        let wrong = error.chain().any(|cause| cause.is::<Usage>());
        if !wrong {
            tracing::error!(error = text, "a page failed");
        }
        let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::INTERNAL_SERVER_ERROR };
        Problem { status, text }
    }
}

/// The page itself is made by the layer that knows who asked.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
