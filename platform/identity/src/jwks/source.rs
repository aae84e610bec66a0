//! Where a key set is.

use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::header::CACHE_CONTROL;
use http::{HeaderMap, Uri};

use crate::client;
use crate::jwk::KeySet;
use crate::limits::{
    FILE_AGE_S, KEY_SET_BYTES, KEYS_AGE_MIN_S, KEYS_AGE_S, UNKNOWN_KEY_FILE_PAUSE_S, UNKNOWN_KEY_PAUSE_S,
};

/// No place for a key set. Set another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot be {0:?}: expected https://…, http:// with a loopback address, or file:PATH")]
pub struct BadSource(String);

/// Where a key set is. Whoever can change what is there can be anybody, hence no http over a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// `https://…`, or `http://` of a loopback address.
    Url(Uri),
    /// A file, for instance one mounted into a container.
    File(PathBuf),
}

/// Keys that were fetched or read.
pub(super) struct Loaded {
    pub(super) keys: KeySet,
    /// Seconds they are good for.
    pub(super) good_for_s: i64,
}

impl Source {
    pub(super) fn parse(text: &str) -> Result<Self, BadSource> {
        let bad = || BadSource(text.to_owned());
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(bad()) } else { Ok(Self::File(PathBuf::from(path))) };
        }
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let host = uri.host().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let safe = match uri.scheme_str() {
            Some("https") => !host.is_empty(),
            Some("http") => address.is_ok_and(|address| address.is_loopback()),
            _ => false,
        };
        if safe { Ok(Self::Url(uri)) } else { Err(bad()) }
    }

    pub(super) fn unknown_key_pause_s(&self) -> i64 {
        match self {
            Source::Url(_) => UNKNOWN_KEY_PAUSE_S,
            Source::File(_) => UNKNOWN_KEY_FILE_PAUSE_S,
        }
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) async fn load(&self, patience: Duration) -> Result<Loaded, String> {
        match self {
            Source::Url(uri) => {
                let answer = client::get(uri, None, KEY_SET_BYTES, patience).await?;
                let keys = KeySet::parse(&answer.body)?;
                Ok(Loaded { keys, good_for_s: good_for_s(&answer.headers) })
            }
            Source::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&path)).await;
                let bytes = read.map_err(|error| error.to_string())??;
                Ok(Loaded { keys: KeySet::parse(&bytes)?, good_for_s: FILE_AGE_S })
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let most = KEY_SET_BYTES as u64;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > KEY_SET_BYTES { Err("is too large".to_owned()) } else { Ok(bytes) }
}

/// As long as the issuer says, within bounds of ours.
fn good_for_s(headers: &HeaderMap) -> i64 {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut directives = directives.flat_map(|text| text.split(',')).map(str::trim);
    let max_age = directives.find_map(|directive| directive.strip_prefix("max-age=")?.parse::<i64>().ok());
    max_age.unwrap_or(KEYS_AGE_S).clamp(KEYS_AGE_MIN_S, KEYS_AGE_S)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Url(uri) => write!(f, "{uri}"),
            Source::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for good in [
            "https://www.googleapis.com/oauth2/v3/certs",
            "http://127.0.0.1:8085/oauth2/v3/certs",
            "http://[::1]:8085/certs",
            "file:/etc/keys/jwks.json",
            "file:///etc/keys/jwks.json",
            "file:data/identity/jwks.json",
        ] {
            assert!(Source::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "file:",
            "certs",
            "http://10.0.0.7/certs",
            "http://localhost.evil.example/certs",
            "http://127.0.0.1.evil.example/certs",
            "http://127.0.0.1@evil.example/certs",
            "ftp://127.0.0.1/certs",
            "https://",
        ] {
            assert!(Source::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_issuer_says_how_long_within_bounds() {
        let of =
            |value: &str| good_for_s(&HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_str(value).unwrap())]));
        assert_eq!(of("public, max-age=600, must-revalidate"), 600);
        assert_eq!(of("max-age=1"), KEYS_AGE_MIN_S);
        assert_eq!(of("max-age=99999999"), KEYS_AGE_S);
        assert_eq!(of("max-age=-5"), KEYS_AGE_MIN_S);
        assert_eq!(of("max-age=soon"), KEYS_AGE_S);
        assert_eq!(good_for_s(&HeaderMap::new()), KEYS_AGE_S);
    }
}
