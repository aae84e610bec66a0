//! The CRM's master key of a shop on one machine: in the environment, or in a file of the data folder that only its owner may read.
//!
//! In the cloud the key comes from a secret manager and this file is not there.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use crm::MasterKey;

/// The file below a shop's data.
pub const FILE: &str = "personal.key";
/// Its owner reads and writes it, nobody else does either.
const MODE: u32 = 0o600;

/// The key of the shop in `folder`, made at its first start.
///
/// # Errors
/// When the file can be neither read nor made.
pub fn of(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => return Ok(text.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    let key = MasterKey::generate();
    // Whole or not at all: a key cut short by a power cut would lock the customers in.
    let draft = path.with_extension("key.new");
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&draft)?;
        file.write_all(key.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)?;
        std::fs::File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_shop_keeps_its_key_and_shows_it_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let key = of(folder.path()).unwrap();
        assert!(MasterKey::parse(&key).is_ok());
        assert_eq!(of(folder.path()).unwrap(), key);
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, MODE);
    }
}
