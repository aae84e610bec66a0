//! What a push configuration asks for, read once when its pusher starts.

use std::sync::Arc;

use google_cloud_googleapis::pubsub::v1::PushConfig;
use google_cloud_googleapis::pubsub::v1::push_config::{AuthenticationMethod, Wrapper};
use http::Uri;
use http::uri::InvalidUri;

use super::request::Form;
use crate::identity::Claimant;

/// Where to push, in what form, and in whose name.
pub(crate) struct Target {
    pub(super) uri: Uri,
    pub(super) form: Form,
    /// Whom the token of each push names.
    pub(super) claimant: Option<Arc<Claimant>>,
}

impl Target {
    /// Reads a checked configuration. `None` for that of a pull subscription.
    pub(crate) fn of(config: &PushConfig) -> Option<Result<Target, InvalidUri>> {
        let endpoint = &config.push_endpoint;
        (!endpoint.is_empty()).then(|| {
            let claimant = config.authentication_method.as_ref().map(|AuthenticationMethod::OidcToken(token)| {
                let audience = if token.audience.is_empty() { endpoint } else { &token.audience };
                Arc::new(Claimant { email: token.service_account_email.clone(), audience: audience.clone() })
            });
            let form = match &config.wrapper {
                Some(Wrapper::NoWrapper(none)) if none.write_metadata => Form::BareWithMetadata,
                Some(Wrapper::NoWrapper(_)) => Form::Bare,
                Some(Wrapper::PubsubWrapper(_)) | None => Form::Wrapped,
            };
            Ok(Target { uri: endpoint.parse()?, form, claimant })
        })
    }
}
