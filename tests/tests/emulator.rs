//! The same order against Google's own Pub/Sub emulator, through nothing but its address.
//!
//! Runs where the emulator's jar is installed (`gcloud components install pubsub-emulator`, or the package google-cloud-cli-pubsub-emulator);
//! says so where it is not. `BOUTIQUE_REQUIRE_EMULATOR=1` makes its absence a failure.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use boutique_tests::{Shop, eventually};

/// Where the Google Cloud SDK keeps the emulator.
const FOLDERS: [&str; 3] = [
    "/usr/lib/google-cloud-sdk/platform/pubsub-emulator/lib",
    "/usr/share/google-cloud-sdk/platform/pubsub-emulator/lib",
    "/opt/google-cloud-sdk/platform/pubsub-emulator/lib",
];

fn jar() -> Option<PathBuf> {
    FOLDERS
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .find(|path| {
            path.to_string_lossy().contains("cloud-pubsub-emulator") && path.extension().is_some_and(|end| end == "jar")
        })
}

struct Emulator {
    process: Child,
    host: String,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn start(jar: PathBuf) -> Emulator {
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address").port();
    let process = Command::new("java")
        .arg("-jar")
        .arg(jar)
        .arg("--host=127.0.0.1")
        .arg(format!("--port={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("java");
    let host = format!("127.0.0.1:{port}");
    let emulator = Emulator { process, host: host.clone() };
    eventually("the emulator to listen", async || {
        tokio::net::TcpStream::connect(&host).await.map(drop).map_err(|error| error.to_string())
    })
    .await;
    emulator
}

#[tokio::test]
async fn an_order_completes_on_googles_emulator() {
    let Some(jar) = jar() else {
        assert!(std::env::var("BOUTIQUE_REQUIRE_EMULATOR").is_err(), "the Pub/Sub emulator is not installed");
        eprintln!("skipped: Google's Pub/Sub emulator is not installed");
        return;
    };
    let emulator = start(jar).await;
    let shop = Shop::open_on(&emulator.host).await;
    let placed = shop.place("john-doe", &[("66VCHSJNUP", 1)]).await;
    shop.wait(placed["orderId"].as_str().expect("an id"), "completed").await;
    shop.close().await;
}
