//! Identity tokens from the metadata server of Google's clouds, for the service account that the machine or container runs as.
//!
//! <https://cloud.google.com/compute/docs/instances/verifying-instance-identity>

use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};

use crate::client;
use crate::limits::{METADATA_MS, TOKEN_BYTES};

/// Where it is on every machine of Google's.
const HOST: &str = "metadata.google.internal";
/// The header without which it does not answer, so that no browser can be made to ask; it answers with the same.
const FLAVOR: &str = "metadata-flavor";
const GOOGLE: &str = "Google";

/// The metadata server.
pub(super) struct MetadataServer {
    host: String,
}

impl MetadataServer {
    pub(super) fn new(host: Option<&str>) -> Self {
        Self { host: host.unwrap_or(HOST).to_owned() }
    }

    /// A token for `audience`, with the account's email in it.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub(super) async fn token(&self, audience: &str) -> Result<String, String> {
        let uri = format!(
            "http://{}/computeMetadata/v1/instance/service-accounts/default/identity?audience={}&format=full",
            self.host,
            percent_encoded(audience),
        );
        let uri: Uri = uri.parse().map_err(|_| format!("{} is no host", self.host))?;
        let flavor = (HeaderName::from_static(FLAVOR), HeaderValue::from_static(GOOGLE));
        let answer = client::get(&uri, Some(flavor), TOKEN_BYTES, Duration::from_millis(METADATA_MS)).await;
        let answer = answer.map_err(|reason| format!("the metadata server at {} {reason}", self.host))?;
        if answer.headers.get(FLAVOR).is_none_or(|flavor| flavor != GOOGLE) {
            return Err(format!("{} is not a metadata server", self.host));
        }
        let token = std::str::from_utf8(&answer.body).map_err(|_| "the metadata server sent no text".to_owned())?;
        Ok(token.trim().to_owned())
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_stays_one_parameter() {
        assert_eq!(percent_encoded("//onlineboutique.com/oms"), "%2F%2Fonlineboutique.com%2Foms");
        assert_eq!(percent_encoded("a&format=x"), "a%26format%3Dx");
    }
}
