//! Google's emulator: where its jar is and how it is started.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// Where Google Cloud's SDK keeps the emulator, below its own folder.
const BELOW_SDK: &str = "platform/pubsub-emulator/lib";
/// Where the SDK is, by its packages.
const SDKS: [&str; 4] = [
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
];
/// Where it is by its installer, below the home folder.
const HOME_SDK: &str = "google-cloud-sdk";

/// The emulator's jar.
///
/// # Errors
/// When it is not installed.
pub fn jar() -> anyhow::Result<PathBuf> {
    let at_home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(HOME_SDK));
    let sdks = SDKS.iter().map(PathBuf::from).chain(at_home);
    sdks.map(|sdk| sdk.join(BELOW_SDK)).find_map(|folder| jar_in(&folder)).context(
        "Google's Pub/Sub emulator is not in the usual places: `gcloud components install pubsub-emulator`, or the package \
         google-cloud-cli-pubsub-emulator, or start it yourself and give --against HOST:PORT",
    )
}

/// What `java` is started with.
#[must_use]
pub fn arguments(jar: &Path, host: &str, port: u16) -> Vec<String> {
    vec!["-jar".to_owned(), jar.display().to_string(), format!("--host={host}"), format!("--port={port}")]
}

fn jar_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.contains("cloud-pubsub-emulator") && name.ends_with(".jar")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jar_is_found_among_other_files() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(jar_in(folder.path()), None);
        for name in ["guava.jar", "cloud-pubsub-emulator-0.8.20-all.jar", "cloud-pubsub-emulator.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(jar_in(folder.path()), Some(folder.path().join("cloud-pubsub-emulator-0.8.20-all.jar")));
        assert_eq!(jar_in(Path::new("/nowhere")), None);
    }
}
