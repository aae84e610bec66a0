//! Our broker, in this process, on a folder of its own.

use std::net::{Ipv4Addr, SocketAddr};

use broker::{Broker, Settings};
use tempfile::TempDir;

pub(crate) struct Embedded {
    pub(crate) host: String,
    broker: Broker,
    _folder: TempDir,
}

pub(crate) async fn embedded() -> Embedded {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data: folder.path().join("broker"),
        fast: true,
        ..Settings::default()
    };
    let broker = Broker::start(settings).await.unwrap();
    Embedded { host: broker.address().to_string(), broker, _folder: folder }
}

impl Embedded {
    pub(crate) async fn stop(self) {
        self.broker.shutdown().await;
    }
}
