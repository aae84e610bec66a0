//! Where Pub/Sub is.

use google_cloud_auth::credentials::{Credentials, anonymous};

/// A project at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Google Cloud project id.
    pub project: String,
    /// `http://host:port` of a broker or emulator, which takes no credentials. `None` is Google itself, with the application default
    /// credentials of the environment.
    pub emulator: Option<String>,
}

impl Address {
    /// An address from the value of `PUBSUB_EMULATOR_HOST` (`host:port`, with or without a scheme), if it is set.
    #[must_use]
    pub fn new(project: &str, emulator_host: Option<&str>) -> Self {
        let emulator = emulator_host
            .filter(|host| !host.is_empty())
            .map(|host| if host.contains("://") { host.to_owned() } else { format!("http://{host}") });
        Self { project: project.to_owned(), emulator }
    }

    /// Full name of a topic.
    #[must_use]
    pub fn topic(&self, name: &str) -> String {
        format!("projects/{}/topics/{name}", self.project)
    }

    /// Full name of a subscription.
    #[must_use]
    pub fn subscription(&self, name: &str) -> String {
        format!("projects/{}/subscriptions/{name}", self.project)
    }

    /// Credentials to give explicitly: none at all for an emulator.
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        self.emulator.as_ref().map(|_| anonymous::Builder::new().build())
    }
}

/// Gives rustls its cryptography, once per process.
pub(crate) fn install_tls() {
    // An error says that a provider is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulator_host_works_with_and_without_a_scheme() {
        let bare = Address::new("p", Some("127.0.0.1:8085"));
        let full = Address::new("p", Some("http://127.0.0.1:8085"));
        assert_eq!(bare, full);
        assert_eq!(Address::new("p", Some("")).emulator, None);
        assert_eq!(bare.topic("order-events"), "projects/p/topics/order-events");
    }
}
