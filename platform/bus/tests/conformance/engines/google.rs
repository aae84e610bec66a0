//! Google's emulator, where its jar is installed (`gcloud components install pubsub-emulator`, or the package
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

pub(crate) fn jar() -> Option<PathBuf> {
    FOLDERS
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .find(|path| {
            path.to_string_lossy().contains("cloud-pubsub-emulator") && path.extension().is_some_and(|end| end == "jar")
        })
}

pub(crate) struct Emulator {
    process: Child,
    pub(crate) host: String,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) async fn start(jar: PathBuf) -> Emulator {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
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
    emulator
}
