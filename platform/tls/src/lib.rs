#![doc = include_str!("../README.md")]

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;

/// Makes connections: through TLS to https addresses, as they are to http addresses.
pub type Connector = HttpsConnector<HttpConnector>;

/// Whom https servers must be certified by.
#[derive(Debug, Default)]
pub struct Tls {
    roots: Option<PathBuf>,
    config: OnceCell<ClientConfig>,
}

impl Tls {
    /// Whom the platform trusts, and the certificates in the PEM file `roots`. Nothing is read yet.
    #[must_use]
    pub fn new(roots: Option<PathBuf>) -> Self {
        Self { roots, config: OnceCell::new() }
    }

    /// Makes connections as `http` does, with HTTP/1.1 through TLS to https addresses.
    ///
    /// # Errors
    /// When the roots cannot be read, or there are none. It may be asked for again.
    pub async fn connector(&self, mut http: HttpConnector) -> io::Result<Connector> {
        http.enforce_http(false);
        let config = self.config().await?;
        Ok(HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().wrap_connector(http))
    }

    /// All that get it share its sessions.
    async fn config(&self) -> io::Result<ClientConfig> {
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
