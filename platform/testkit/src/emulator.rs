//! Google's Pub/Sub emulator, where its jar is installed (`gcloud components install pubsub-emulator`, or the package
//! google-cloud-cli-pubsub-emulator).

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

/// Where the Google Cloud SDK keeps the emulator.
const FOLDERS: [&str; 3] = [
    "/usr/lib/google-cloud-sdk/platform/pubsub-emulator/lib",
    "/usr/share/google-cloud-sdk/platform/pubsub-emulator/lib",
    "/opt/google-cloud-sdk/platform/pubsub-emulator/lib",
];
/// A Java process on a busy machine takes a while.
const START: Duration = Duration::from_secs(60);

/// A running emulator. It ends when it is dropped.
pub struct Emulator {
    process: Child,
    /// Its address and port.
    pub host: String,
}

impl Emulator {
    /// Starts one. Where it is not installed it says so and gives none; `BOUTIQUE_REQUIRE_EMULATOR` makes that a panic.
    pub async fn start() -> Option<Emulator> {
        let Some(jar) = jar() else {
            assert!(std::env::var("BOUTIQUE_REQUIRE_EMULATOR").is_err(), "Google's Pub/Sub emulator is not installed");
            eprintln!("skipped: Google's Pub/Sub emulator is not installed");
            return None;
        };
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
        let emulator = Emulator { process, host: format!("127.0.0.1:{port}") };
        let listening = async {
            while TcpStream::connect(&emulator.host).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(START, listening).await.expect("the emulator listens");
        Some(emulator)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn jar() -> Option<PathBuf> {
    FOLDERS
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .find(|path| {
            path.to_string_lossy().contains("cloud-pubsub-emulator") && path.extension().is_some_and(|end| end == "jar")
        })
}
