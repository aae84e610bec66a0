//! Reading a request's body: so much and no more, and not for ever.

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use crate::core::Core;
use crate::error::{Code, Refusal};
use crate::limits::BODY_BYTES;

/// The whole body.
///
/// # Errors
/// `INVALID_ARGUMENT` for a body that is too large or breaks off, `DEADLINE_EXCEEDED` for one that does not come.
pub(crate) async fn read(core: &Core, body: Incoming) -> Result<Bytes, Refusal> {
    let whole = Limited::new(body, BODY_BYTES).collect();
    match tokio::time::timeout(core.settings.body_timeout, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) => Err(Refusal::invalid(format!("the body cannot be read: {error}"))),
        Err(_) => Err(Refusal::new(Code::DeadlineExceeded, "the request's body did not come in time")),
    }
}
