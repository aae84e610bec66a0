//! What is personal of a customer, encrypted so that destroying one key destroys it wherever it was copied to.
//!
//! Each customer has a key of their own (AES-256-GCM), under which their id, names and country are encrypted. That key is kept wrapped under
//! the master key, which is not in the database. Both are bound to the customer's sealed id: a ciphertext moved to another row does not
//! open. Finding and opening a customer takes microseconds (23 in a build without optimization), so no key is kept in memory: a cache would be one
//! more place to erase from.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use events::CustomerId;
use events::personal::SEALED_BYTES;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use runtime::clock;
use serde::{Deserialize, Serialize};
use store::StoreError;

/// Bytes of every key.
const KEY_BYTES: usize = 32;
/// The text whose encryption tells one master key from another.
const PROOF: &[u8] = b"the master key of these customers";

/// The key all others hang on. Its text never reaches a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MasterKey([u8; KEY_BYTES]);

impl MasterKey {
    /// Reads 32 bytes in base64.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes = STANDARD.decode(text.trim()).ok();
        let bytes = bytes.and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
        match bytes {
            // What an empty file or a careless example holds.
            Some(bytes) if bytes != [bytes[0]; KEY_BYTES] => Ok(Self(bytes)),
            _ => Err(format!(
                "must be {KEY_BYTES} random bytes in base64, as `openssl rand -base64 {KEY_BYTES}` makes them"
            )),
        }
    }

    /// A new one, from the system's random numbers, as text.
    #[must_use]
    pub fn generate() -> String {
        STANDARD.encode(clock::random_bytes::<KEY_BYTES>())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// What is personal of a customer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contents {
    pub(crate) customer_id: String,
    pub(crate) name: String,
    pub(crate) surname: String,
    pub(crate) country: Option<String>,
}

/// Random bytes for whatever may have to be encrypted in a transaction, drawn before it begins.
pub(crate) struct Fresh {
    pub(crate) sealed_id: CustomerId,
    key: [u8; KEY_BYTES],
    key_nonce: [u8; NONCE_LEN],
    nonce: [u8; NONCE_LEN],
}

impl Fresh {
    pub(crate) fn draw() -> Self {
        Self {
            sealed_id: CustomerId::sealed(clock::random_bytes::<SEALED_BYTES>()),
            key: clock::random_bytes(),
            key_nonce: clock::random_bytes(),
            nonce: clock::random_bytes(),
        }
    }
}

/// A new customer's columns.
pub(crate) struct Locked {
    pub(crate) wrapped_key: String,
    pub(crate) contents: String,
}

/// Does everything that needs the master key.
#[derive(Clone)]
pub(crate) struct Vault {
    wrapping: Arc<LessSafeKey>,
    lookup: hmac::Key,
}

impl Vault {
    pub(crate) fn new(master: &MasterKey) -> Self {
        // A key of its own for each purpose, derived from the master key.
        let master = hmac::Key::new(hmac::HMAC_SHA256, &master.0);
        let derived = |purpose: &str| hmac::sign(&master, purpose.as_bytes());
        let lookup = hmac::Key::new(hmac::HMAC_SHA256, derived("lookup").as_ref());
        Self { wrapping: Arc::new(aes(derived("wrap").as_ref())), lookup }
    }

    /// Under what name a customer is found by the id they know: a keyed hash, of no use without the master key.
    pub(crate) fn lookup(&self, id: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.lookup, id.as_bytes()))
    }

    /// How a customer who is being erased is recognised by the id they knew: a keyed hash, another one than [`Vault::lookup`].
    pub(crate) fn claim(&self, id: &str) -> String {
        self.lookup(&format!("erased/{id}"))
    }

    /// Encrypts a new customer under a new key.
    pub(crate) fn lock(&self, fresh: &Fresh, contents: &Contents) -> Locked {
        let sealed_id = fresh.sealed_id.as_str();
        Locked {
            wrapped_key: seal(&self.wrapping, fresh.key_nonce, &about("key", sealed_id), &fresh.key),
            contents: seal(&aes(&fresh.key), fresh.nonce, &about("contents", sealed_id), &to_json(contents)),
        }
    }

    /// Encrypts a customer anew under the key they have.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub(crate) fn relock(
        &self,
        sealed_id: &str,
        wrapped_key: &str,
        fresh: &Fresh,
        contents: &Contents,
    ) -> Result<String, StoreError> {
        let key = self.key(sealed_id, wrapped_key)?;
        Ok(seal(&key, fresh.nonce, &about("contents", sealed_id), &to_json(contents)))
    }

    /// What is personal of a customer.
    ///
    /// # Errors
    /// [`StoreError::Row`] when the row was not written with this master key, or was changed since.
    pub(crate) fn open(&self, sealed_id: &str, wrapped_key: &str, contents: &str) -> Result<Contents, StoreError> {
        let key = self.key(sealed_id, wrapped_key)?;
        let bytes = open(&key, &about("contents", sealed_id), contents).ok_or_else(unreadable)?;
        serde_json::from_slice(&bytes).map_err(|_| unreadable())
    }

    /// A key that was wrapped under `before`, wrapped under this master key. The customer's contents stay as they are.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub(crate) fn rewrap(
        &self,
        before: &Vault,
        sealed_id: &str,
        wrapped_key: &str,
        fresh: &Fresh,
    ) -> Result<String, StoreError> {
        let about = about("key", sealed_id);
        let key = open(&before.wrapping, &about, wrapped_key).ok_or_else(unreadable)?;
        Ok(seal(&self.wrapping, fresh.key_nonce, &about, &key))
    }

    /// A text by which this master key is recognised.
    pub(crate) fn proof(&self, fresh: &Fresh) -> String {
        seal(&self.wrapping, fresh.key_nonce, "proof", PROOF)
    }

    /// Whether the proof was made with this master key.
    pub(crate) fn made(&self, proof: &str) -> bool {
        open(&self.wrapping, "proof", proof).is_some_and(|bytes| bytes == PROOF)
    }

    fn key(&self, sealed_id: &str, wrapped_key: &str) -> Result<LessSafeKey, StoreError> {
        let bytes = open(&self.wrapping, &about("key", sealed_id), wrapped_key).ok_or_else(unreadable)?;
        if bytes.len() == KEY_BYTES { Ok(aes(&bytes)) } else { Err(unreadable()) }
    }
}

fn about(what: &str, sealed_id: &str) -> String {
    format!("{what}/{sealed_id}")
}

fn to_json(contents: &Contents) -> Vec<u8> {
    serde_json::to_vec(contents).expect("strings are always JSON")
}

fn aes(key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("every key has 32 bytes"))
}

/// Nonce, ciphertext and tag in base64. The nonce is random: a customer's key encrypts some dozens of texts in its life, the master key one
/// for each customer, both far below where random nonces meet.
fn seal(key: &LessSafeKey, nonce: [u8; NONCE_LEN], about: &str, plain: &[u8]) -> String {
    let mut text = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(about.as_bytes()), &mut text)
        .expect("a few hundred bytes are not too long");
    URL_SAFE_NO_PAD.encode([nonce.as_slice(), &text].concat())
}

fn open(key: &LessSafeKey, about: &str, sealed: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (nonce, text) = bytes.split_first_chunk::<NONCE_LEN>()?;
    let mut text = text.to_vec();
    let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(about.as_bytes()), &mut text).ok()?;
    Some(plain.to_vec())
}

fn unreadable() -> StoreError {
    StoreError::Row { reason: "a customer's row does not open with this master key".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(byte: u8) -> Vault {
        let mut key = [byte; KEY_BYTES];
        key[0] ^= 1;
        Vault::new(&MasterKey(key))
    }

    fn ada() -> Contents {
        let text = |text: &str| text.to_owned();
        Contents { customer_id: text("ada"), name: text("Ada"), surname: text("L"), country: None }
    }

    #[test]
    fn what_is_locked_opens_with_its_key_its_row_and_nothing_else() {
        let (vault, fresh, contents) = (vault(1), Fresh::draw(), ada());
        let locked = vault.lock(&fresh, &contents);
        let id = fresh.sealed_id.as_str();
        let opened = |vault: &Vault, id: &str, key: &str| vault.open(id, key, &locked.contents).ok();
        assert!(opened(&vault, id, &locked.wrapped_key) == Some(contents.clone()));
        let other = vault.lock(&Fresh::draw(), &contents);
        assert!(opened(&vault, id, &other.wrapped_key).is_none());
        assert!(opened(&vault, "S.0", &locked.wrapped_key).is_none());
        assert!(opened(&self::vault(2), id, &locked.wrapped_key).is_none());
        let again = vault.relock(id, &locked.wrapped_key, &Fresh::draw(), &contents).unwrap();
        assert!(again != locked.contents && vault.open(id, &locked.wrapped_key, &again).ok() == Some(contents));
    }

    #[test]
    fn a_master_key_knows_itself_and_the_hashes_are_its_own() {
        let proof = vault(1).proof(&Fresh::draw());
        assert!(vault(1).made(&proof) && !vault(2).made(&proof) && !vault(1).made("x"));
        assert_ne!(vault(1).lookup("ada"), vault(2).lookup("ada"));
        assert_ne!(vault(1).lookup("ada"), vault(1).lookup("adb"));
    }

    #[test]
    fn a_bad_master_key_is_refused_and_not_repeated() {
        let zeros = STANDARD.encode([0; KEY_BYTES]);
        for text in ["", "secret", &STANDARD.encode([1, 2, 3]), &zeros] {
            let error = MasterKey::parse(text).unwrap_err();
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
        assert!(MasterKey::parse(&MasterKey::generate()).is_ok());
        assert_eq!(format!("{:?}", MasterKey([7; KEY_BYTES])), "MasterKey(…)");
    }
}
