//! Bodies read with a limit, and JSON that names the field at fault.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use events::FieldError;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The largest JSON body a REST door accepts.
pub const MAX_JSON_BYTES: usize = 256 * 1024;

/// Reads a whole body, at most `limit` bytes.
///
/// # Errors
/// 413 for a longer one, 400 for one that broke off.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body is above {limit} bytes")))
        }
        Err(_) => Err(Problem::bad_request("broken_body", "the body broke off")),
    }
}

/// Decodes JSON.
///
/// # Errors
/// [`FieldError`] with the path of the field at fault.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldError> {
    // Decoding with a record of the path is slower, so it is done only once it is known to fail.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => return Err(FieldError::new("body", "has bytes after its end")),
        Err(error) => error,
    };
    let path = error.path().to_string();
    Err(FieldError::new(if path == "." { "body".to_owned() } else { path }, error.inner().to_string()))
}

/// An extractor for a JSON body.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read(request.into_body(), MAX_JSON_BYTES).await?;
        Ok(Self(decode(&bytes)?))
    }
}
