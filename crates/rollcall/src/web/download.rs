//! Files to take away. They are sent part after part, so that nobody holds all
//! of a list at once.

use super::problem::Problem;
use anyhow::Result;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use std::future::Future;

pub const CSV: &str = "text/csv; charset=utf-8";
/// Without this mark spreadsheets take the text for another encoding.
pub const CSV_MARK: char = '\u{feff}';

/// A part of a file: its text, and at which row the next part begins.
pub struct Part {
    pub text: String,
    pub next: Option<u32>,
}

/// Sends what `read` says of row 0, then of wherever it says it goes on.
pub fn file<R>(
    name: &str,
    kind: &'static str,
    read: impl Fn(u32) -> R + Send + 'static,
) -> Result<Response, Problem>
where
    R: Future<Output = Result<Part>> + Send + 'static,
{
    let parts = stream::try_unfold((Some(0), read), |(from, read)| async move {
        let Some(from) = from else { return Ok::<_, anyhow::Error>(None) };
        let Part { text, next } = read(from).await?;
        Ok(Some((Bytes::from(text), (next, read))))
    });
    let mut response = Body::from_stream(parts).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let disposition = format!("attachment; filename=\"{name}\"");
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::try_from(disposition)?);
    Ok(response)
}

/// A line of a CSV file.
pub fn line(text: &mut String, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().map(|cell| quoted(&cell)).collect();
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// RFC 4180. A spreadsheet would carry out what begins like a formula; a phone
/// number is none.
fn quoted(cell: &str) -> String {
    let is_number = cell.chars().all(|c| c.is_ascii_digit() || "+-() .".contains(c));
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number;
    let mark = if is_formula { "'" } else { "" };
    format!("\"{mark}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_data_and_never_a_formula() {
        assert_eq!(quoted("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("@SUM(A1)"), "\"'@SUM(A1)\"");
        assert_eq!(quoted("-cmd|x"), "\"'-cmd|x\"");
        assert_eq!(quoted("+7 (495) 123-45-67"), "\"+7 (495) 123-45-67\"");
    }
}
