//! Bodies read with a limit, and JSON that names the field at fault.

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use events::FieldError;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::server;

/// The largest JSON body a REST door accepts.
pub const MAX_JSON_BYTES: usize = 256 * 1024;

/// Reads a whole body, at most `limit` bytes.
///
/// # Errors
/// 413 for a longer one, before a byte of it is read when its length is announced; 408 for one that did not come in time; 400 for one that
/// broke off.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", format!("the body is above {limit} bytes"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) if server::was_too_slow(&*error) => {
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not come in time"))
        }
        Err(_) => Err(Problem::bad_request("broken_body", "the body broke off")),
    }
}

/// Decodes JSON.
///
/// # Errors
/// [`FieldError`] with the path of the field at fault.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        FieldError::new(if path == "." { "body".to_owned() } else { path }, error.inner().to_string())
    })?;
    deserializer.end().map_err(|_| FieldError::new("body", "has bytes after its end"))?;
    Ok(value)
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
