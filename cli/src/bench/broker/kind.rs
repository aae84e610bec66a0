//! What a side is: the broker of this program, or another Pub/Sub endpoint.

use std::path::PathBuf;
use std::str::FromStr;

use super::emulator;

/// What the broker is measured against, as given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// Google's emulator, started for the purpose.
    Emulator,
    /// Whatever listens there.
    Address(String),
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "emulator" {
            return Ok(Against::Emulator);
        }
        let (host, port) = text.rsplit_once(':').unwrap_or_default();
        let is_host = !host.is_empty() && !host.contains(['/', '@', ' ']);
        match port.parse::<u16>() {
            Ok(1..) if is_host => Ok(Against::Address(text.to_owned())),
            _ => Err("neither `emulator` nor HOST:PORT".to_owned()),
        }
    }
}

/// How a side comes to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `boutique broker` on an empty folder.
    Ours,
    /// Java with this jar.
    Emulator(PathBuf),
    /// It runs already, at this address.
    Running(String),
}

impl Kind {
    /// The kind of the other side.
    ///
    /// # Errors
    /// When the emulator is not installed.
    pub fn of(against: &Against) -> anyhow::Result<Self> {
        Ok(match against {
            Against::Emulator => Kind::Emulator(emulator::jar()?),
            Against::Address(host) => Kind::Running(host.clone()),
        })
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Kind::Ours => "this broker".to_owned(),
            Kind::Emulator(jar) => {
                let name = jar.file_stem().unwrap_or_default().to_string_lossy();
                let version = name.trim_start_matches("cloud-pubsub-emulator").trim_end_matches("-all");
                format!("Google's emulator {}", version.trim_start_matches('-'))
            }
            Kind::Running(host) => host.clone(),
        }
    }

    /// Whether its process is the benchmark's own, so that its start, memory and CPU can be measured.
    #[must_use]
    pub fn is_started(&self) -> bool {
        !matches!(self, Kind::Running(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_is_the_emulator_or_an_address() {
        assert_eq!("emulator".parse(), Ok(Against::Emulator));
        assert_eq!("localhost:8085".parse(), Ok(Against::Address("localhost:8085".to_owned())));
        assert_eq!("[::1]:8085".parse(), Ok(Against::Address("[::1]:8085".to_owned())));
        for bad in ["", "localhost", "emulators", ":8085", "localhost:0", "localhost:99999", "http://localhost:8085"] {
            assert!(bad.parse::<Against>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_emulator_is_named_with_its_version() {
        let kind = Kind::Emulator("/sdk/cloud-pubsub-emulator-0.8.20-all.jar".into());
        assert_eq!(kind.name(), "Google's emulator 0.8.20");
    }
}
