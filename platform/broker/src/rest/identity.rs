//! How those who get pushes check their tokens: OpenID Connect discovery and the public key.

use http::Response;
use serde_json::json;
use tonic::body::Body;

use super::answer::{ok, refused};
use crate::core::Core;
use crate::error::Refusal;

/// `GET /oauth2/v3/certs`. Makes the key if there is none yet.
pub(super) async fn certs(core: &Core) -> Response<Body> {
    match core.identity.key().await {
        Ok(key) => ok(&key.jwks()),
        Err(error) => {
            tracing::warn!(%error, "the key that signs push tokens can be neither read nor made");
            refused(&Refusal::unavailable("the key that signs push tokens can be neither read nor made"))
        }
    }
}

/// `GET /.well-known/openid-configuration`.
pub(super) fn discovery(core: &Core) -> Response<Body> {
    let issuer = &core.identity.issuer;
    ok(&json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/oauth2/v3/certs"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"],
    }))
}
