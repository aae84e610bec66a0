//! The RSA key that signs push tokens: made once per data directory, in a file only its owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::rand_core::OsRng;
use serde_json::{Value, json};

use crate::limits::IDENTITY_KEY_BITS;

/// Its file in the data directory: PKCS #8 in DER.
const FILE: &str = "identity.der";

/// A key for RS256.
pub(crate) struct Key {
    pair: RsaKeyPair,
    /// What tokens and the published key name it by.
    pub(super) id: String,
}

impl Key {
    /// Reads the data directory's key, or makes one and keeps it. Blocks, up to seconds.
    ///
    /// # Errors
    /// `InvalidData` when the file is no key; it is not replaced.
    pub(super) fn open(data: &Path) -> io::Result<Key> {
        match fs::read(data.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => keep(data, &make()?)?,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        // What is in the file counts: an earlier run that was still at it may have been first.
        Key::read(&fs::read(data.join(FILE))?)
    }

    fn read(der: &[u8]) -> io::Result<Key> {
        let damaged = |_| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{FILE} is no RSA key; without it a new one is made"))
        };
        let pair = RsaKeyPair::from_pkcs8(der).map_err(damaged)?;
        let id = hex(&digest(&SHA256, pair.public_key().as_ref()).as_ref()[..20]);
        Ok(Key { pair, id })
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("the signature has the length of the modulus, and the system has random numbers");
        signature
    }

    /// The public half as a JSON Web Key Set (RFC 7517).
    pub(crate) fn jwks(&self) -> Value {
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(self.pair.public());
        json!({"keys": [{
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(public.n),
            "e": URL_SAFE_NO_PAD.encode(public.e),
        }]})
    }
}

fn make() -> io::Result<impl AsRef<[u8]>> {
    let key = RsaPrivateKey::new(&mut OsRng, IDENTITY_KEY_BITS).map_err(io::Error::other)?;
    Ok(key.to_pkcs8_der().map_err(io::Error::other)?.to_bytes())
}

/// Puts a key in its place, whole or not at all, unless another is there by now.
fn keep(data: &Path, key: &impl AsRef<[u8]>) -> io::Result<()> {
    let new = data.join(format!("{FILE}.{}.new", std::process::id()));
    // Left by a crash of a process of the same number.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(key.as_ref())?;
    file.sync_all()?;
    match fs::hard_link(&new, data.join(FILE)) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        // A file system without links.
        Err(_) => fs::rename(&new, data.join(FILE))?,
    }
    // A file too many harms nobody, and renamed it is gone.
    let _ = fs::remove_file(&new);
    File::open(data)?.sync_all()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let data = tempfile::tempdir().unwrap();
        let first = Key::open(data.path()).unwrap();
        let second = Key::open(data.path()).unwrap();
        assert_eq!(first.jwks(), second.jwks());
        let file = fs::metadata(data.path().join(FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn the_first_key_stays_and_a_damaged_one_is_not_replaced() {
        let data = tempfile::tempdir().unwrap();
        keep(data.path(), b"first").unwrap();
        keep(data.path(), b"second").unwrap();
        assert_eq!(fs::read(data.path().join(FILE)).unwrap(), b"first");
        let error = Key::open(data.path()).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::read(data.path().join(FILE)).unwrap(), b"first");
    }
}
