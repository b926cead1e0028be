//! Pictures: constant addresses without sign-in, asked for conditionally.
//!
//! An employee without a picture gets the default one under his own address,
//! with status 200. Taking that for his would put a grey head into the
//! directory, so it is compared with what a surely absent employee gets.

use crate::checks;
use crate::client::Pbx;
use crate::employees::PICTURES;
use crate::envelope;
use crate::error::Error;
use crate::exchange::Response;
use crate::wire::Call;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use reconcile::{EmployeeId, Reading, Unusable, canonical};

/// No user has this id.
const NOBODY: EmployeeId = EmployeeId(0);
/// An update of the PBX may bring another default picture.
const DEFAULT_FRESH_MS: i64 = 600_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhotoAnswer {
    /// It still is the picture with the given ETag.
    NotModified,
    /// The employee has no picture.
    Missing,
    Picture {
        reading: Reading,
        /// For the next conditional request. Absent: always ask in full.
        etag: Option<String>,
        bytes: Bytes,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct DefaultPicture {
    read_at_ms: i64,
    bytes: Bytes,
}

impl Pbx {
    /// Looks at the picture of one employee. Costs nothing of the request
    /// budget. The PBX's ETag is the second of the change and the length: two
    /// pictures of one length within one second share it.
    pub async fn photo(&self, id: EmployeeId, etag: Option<&str>) -> Result<PhotoAnswer, Error> {
        let response = self.picture(id, etag).await?;
        match response.status {
            StatusCode::NOT_MODIFIED => Ok(PhotoAnswer::NotModified),
            StatusCode::NOT_FOUND => Ok(PhotoAnswer::Missing),
            StatusCode::OK if is_page(&response) => Err(self.not_a_picture(&response)),
            StatusCode::OK if self.is_default(&response).await? => Ok(PhotoAnswer::Missing),
            StatusCode::OK => Ok(PhotoAnswer::Picture {
                reading: reading(&response.body),
                etag: etag_of(&response),
                bytes: response.body,
            }),
            _ => Err(self.not_a_picture(&response)),
        }
    }

    async fn picture(&self, id: EmployeeId, etag: Option<&str>) -> Result<Response, Error> {
        let mut headers = HeaderMap::new();
        // A stored tag that cannot be sent is as good as none.
        if let Some(value) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(IF_NONE_MATCH, value);
        }
        self.wire.file(&format!("{PICTURES}user_{id}.jpg"), headers).await
    }

    async fn is_default(&self, response: &Response) -> Result<bool, Error> {
        let now_ms = self.wire.clock.now_ms();
        let mut known = self.default_picture.lock().await;
        let fresh =
            known.take().filter(|default| (0..DEFAULT_FRESH_MS).contains(&(now_ms - default.read_at_ms)));
        let default = match fresh {
            Some(default) => default,
            None => self.default_picture(now_ms).await?,
        };
        let same = default.bytes == response.body;
        *known = Some(default);
        Ok(same)
    }

    async fn default_picture(&self, read_at_ms: i64) -> Result<DefaultPicture, Error> {
        let response = self.picture(NOBODY, None).await?;
        match response.status {
            // A PBX that has no default picture answers with an empty nothing.
            StatusCode::NOT_FOUND => Ok(DefaultPicture { read_at_ms, bytes: Bytes::new() }),
            StatusCode::OK if !is_page(&response) => Ok(DefaultPicture { read_at_ms, bytes: response.body }),
            _ => Err(self.not_a_picture(&response)),
        }
    }

    fn not_a_picture(&self, response: &Response) -> Error {
        let call = Call::get(PICTURES, "read pictures");
        self.wire.conclude(&call, envelope::read(response), true)
    }
}

fn reading(bytes: &[u8]) -> Reading {
    if bytes.len() > checks::PHOTO_BYTES_MAX {
        return Reading::Unusable(Unusable {
            raw: format!("{} bytes", bytes.len()),
            why: format!("pictures above {} bytes are not carried over", checks::PHOTO_BYTES_MAX),
        });
    }
    canonical::photo(bytes).map_or_else(Reading::Unusable, Reading::one)
}

/// A page instead of a picture: some gateway wants a word with us.
fn is_page(response: &Response) -> bool {
    let kind = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/html") || kind.starts_with("application/json")
}

fn etag_of(response: &Response) -> Option<String> {
    response.headers.get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
