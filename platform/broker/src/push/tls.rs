//! Whom https endpoints must be certified by. Read when the first such endpoint is pushed to.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;

/// The TLS side of all https endpoints.
pub(crate) struct Tls {
    /// See [`crate::Settings::push_roots`].
    roots: Option<PathBuf>,
    config: OnceCell<ClientConfig>,
}

impl Tls {
    pub(crate) fn new(roots: Option<PathBuf>) -> Tls {
        Tls { roots, config: OnceCell::new() }
    }

    /// The configuration; all that get it share its sessions.
    ///
    /// # Errors
    /// When there are no roots to trust. It may be asked for again.
    pub(super) async fn config(&self) -> io::Result<ClientConfig> {
        let made = self.config.get_or_try_init(|| async {
            let roots = self.roots.clone();
            // The platform's roots are files.
            let read = tokio::task::spawn_blocking(move || config(roots.as_deref())).await;
            read.map_err(io::Error::other)?.map_err(|error| io::Error::other(error.to_string()))
        });
        made.await.cloned()
    }
}

fn config(roots: Option<&Path>) -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    let extra = match roots {
        Some(file) => CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        // Which it is not: the platform's verifier is the strict one, and has no other way in.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}
