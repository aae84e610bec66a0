//! The development issuer: a key in a folder of this machine, so that the doors of a laptop are as shut as those of the cloud.
//!
//! What it signs names [`ISSUER`], and no verifier believes that name without [`OnThisMachine`], which cannot be had where anything says
//! that this is a cloud.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Map, Value, json};

/// The issuer of development tokens.
pub const ISSUER: &str = "urn:onlineboutique:development";
/// Variables that a cloud sets: Cloud Run, Kubernetes, and what is configured for a project of Google's.
pub const CLOUD_VARIABLES: [&str; 3] = ["K_SERVICE", "KUBERNETES_SERVICE_HOST", "GOOGLE_CLOUD_PROJECT"];
/// The variable without which Pub/Sub is Google's.
const EMULATOR: &str = "PUBSUB_EMULATOR_HOST";
/// The private key's file in its folder: PKCS #8 in DER.
const KEY_FILE: &str = "development.der";
/// The public key's file in the same folder.
const JWKS_FILE: &str = "jwks.json";

/// Proof that development tokens may be believed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnThisMachine(());

/// Development tokens cannot be believed here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the development issuer is for one machine, and {0}: configure Google's issuer, or mend that")]
pub struct NotHere(String);

impl OnThisMachine {
    /// Looks for signs of a cloud: a variable of [`CLOUD_VARIABLES`], Google's own Pub/Sub, a door that other machines can reach.
    /// `is_set` says of a variable whether it is set.
    ///
    /// # Errors
    /// [`NotHere`], with what it was.
    pub fn check(is_set: impl Fn(&str) -> bool, listen: SocketAddr) -> Result<Self, NotHere> {
        if let Some(name) = CLOUD_VARIABLES.into_iter().find(|name| is_set(name)) {
            return Err(NotHere(format!("{name} is set")));
        }
        if !is_set(EMULATOR) {
            return Err(NotHere(format!("Pub/Sub is Google's own, for {EMULATOR} is not set")));
        }
        if !listen.ip().is_loopback() {
            return Err(NotHere(format!("{listen} can be reached from other machines")));
        }
        Ok(Self(()))
    }
}

/// A key that signs development tokens.
pub struct DevelopmentKey {
    pair: EcdsaKeyPair,
    id: String,
}

/// Whom a development token names. [`DevelopmentKey::sign`] adds issuer and times.
#[derive(Debug, Clone, Default)]
pub struct Bearer<'a> {
    /// `sub`.
    pub subject: &'a str,
    /// `aud`.
    pub audience: &'a str,
    /// `email`, verified; none for a client.
    pub email: Option<&'a str>,
    /// `scope`; none for a service.
    pub scope: Option<&'a str>,
    /// `customer_id`.
    pub customer_id: Option<&'a str>,
}

impl DevelopmentKey {
    /// Reads the key of `folder`, or makes one there, with its public half beside it. Blocks, for milliseconds.
    ///
    /// # Errors
    /// When the folder cannot be written, the file is no key, or others can read it.
    pub fn open_or_make(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(KEY_FILE);
        if !path.exists() {
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
            keep(&path, made.map_err(|_| io::Error::other("no random numbers"))?.as_ref())?;
        }
        // What is in the file counts: another process may have been first.
        let key = Self::open(&path)?;
        let public = key.jwks().to_string();
        let jwks = jwks_path(folder);
        if fs::read_to_string(&jwks).ok().as_ref() != Some(&public) {
            let new = folder.join(format!("{JWKS_FILE}.{}.new", std::process::id()));
            fs::write(&new, &public)?;
            fs::rename(&new, &jwks)?;
        }
        Ok(key)
    }

    /// Reads the key in the file `path`.
    ///
    /// # Errors
    /// When it cannot be read, is no key, or can be read by others.
    pub fn open(path: &Path) -> io::Result<Self> {
        let refused = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{} {reason}", path.display()));
        let mode = fs::metadata(path)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(refused("can be read by others: chmod 600"));
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &fs::read(path)?, &SystemRandom::new());
        let pair = pair.map_err(|_| refused("is no key on P-256; without it a new one is made"))?;
        let [x, y] = coordinates(&pair);
        // RFC 7638: members in this order, no spaces.
        let thumbprint = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(digest(&SHA256, thumbprint.as_bytes()));
        Ok(Self { pair, id })
    }

    /// The public half as a JSON Web Key Set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        let [x, y] = coordinates(&self.pair);
        json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id, "x": x, "y": y },
        ] })
    }

    /// A token for `bearer`, from `now_s` and for `life_s` seconds.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn sign(&self, bearer: &Bearer<'_>, now_s: i64, life_s: i64) -> io::Result<String> {
        let mut claims = Map::new();
        let mut say = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        say("iss", ISSUER.into());
        say("sub", bearer.subject.into());
        say("aud", bearer.audience.into());
        say("iat", now_s.into());
        say("exp", (now_s + life_s).into());
        if let Some(email) = bearer.email {
            say("email", email.into());
            say("email_verified", true.into());
        }
        for (name, value) in [("scope", bearer.scope), ("customer_id", bearer.customer_id)] {
            if let Some(value) = value {
                say(name, value.into());
            }
        }
        let head = json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut token = format!("{}.{}", part(&head), part(&Value::Object(claims)));
        let signature = self.pair.sign(&SystemRandom::new(), token.as_bytes());
        let signature = signature.map_err(|_| io::Error::other("no random numbers"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl fmt::Debug for DevelopmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DevelopmentKey({})", self.id)
    }
}

/// Where [`DevelopmentKey::open_or_make`] keeps the private key.
#[must_use]
pub fn key_path(folder: &Path) -> PathBuf {
    folder.join(KEY_FILE)
}

/// Where [`DevelopmentKey::open_or_make`] keeps the public key.
#[must_use]
pub fn jwks_path(folder: &Path) -> PathBuf {
    folder.join(JWKS_FILE)
}

/// The point of the public key, `x` and `y` in base64url.
fn coordinates(pair: &EcdsaKeyPair) -> [String; 2] {
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate))
}

/// Puts a private key in its place, whole or not at all, unless another is there by now.
fn keep(path: &Path, key: &[u8]) -> io::Result<()> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    // Left by a crash of a process of the same number.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(key)?;
    file.sync_all()?;
    match fs::hard_link(&new, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&new, path)?,
        // A file too many harms nobody.
        _ => drop(fs::remove_file(&new)),
    }
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

    #[test]
    fn any_sign_of_a_cloud_forbids_it() {
        let with = |set: &'static [&str], listen| OnThisMachine::check(|name| set.contains(&name), listen);
        assert!(with(&[EMULATOR], LOOPBACK).is_ok());
        assert!(with(&[EMULATOR], "[::1]:80".parse().unwrap()).is_ok());
        for set in [&["PUBSUB_EMULATOR_HOST", "K_SERVICE"][..], &[EMULATOR, "KUBERNETES_SERVICE_HOST"], &[]] {
            assert!(with(set, LOOPBACK).is_err(), "{set:?}");
        }
        let refused = with(&[EMULATOR, "GOOGLE_CLOUD_PROJECT"], LOOPBACK).unwrap_err().to_string();
        assert!(refused.contains("GOOGLE_CLOUD_PROJECT is set"), "{refused}");
        for reachable in ["0.0.0.0:8080", "[::]:8080", "192.168.1.7:8080"] {
            assert!(with(&[EMULATOR], reachable.parse().unwrap()).is_err(), "{reachable}");
        }
    }
}
