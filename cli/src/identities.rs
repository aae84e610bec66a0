//! Who the parts of a local shop are to each other, and who a person at the command line is: a development key in the data folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use identity::{DevelopmentKey, Signer, development};
use runtime::Identity;
use runtime::config::Environment;
use runtime::doors::on_this_machine;

/// A token from elsewhere, where there is no local shop: `gcloud auth print-identity-token --audiences=//onlineboutique.com/SERVICE`.
const TOKEN: &str = "BOUTIQUE_TOKEN";

/// Where the shop of a data folder keeps its key.
fn folder(data: &Path) -> PathBuf {
    data.join("identity")
}

/// What the services of the shop in `data` are told of each other and of the broker at `host`; makes the key if there is none.
///
/// # Errors
/// When the key can be neither read nor made.
pub fn settings(data: &Path, host: SocketAddr) -> anyhow::Result<Vec<(String, String)>> {
    let folder = folder(data);
    DevelopmentKey::open_or_make(&folder).with_context(|| format!("no development key in {}", folder.display()))?;
    Ok(on_this_machine(&folder, &host.to_string()))
}

/// The process's environment without what says on which cloud's machine it runs: a shop with its own broker, which nobody reaches from
/// elsewhere, is a local one on a cloud's machine, too.
pub fn variables_of_here() -> Vec<(String, String)> {
    std::env::vars().filter(|(name, _)| !development::CLOUD_VARIABLES.contains(&name.as_str())).collect()
}

/// Who calls from the command line: the bearer of `BOUTIQUE_TOKEN`, or the operator of the local shop in `data`, or nobody.
///
/// # Errors
/// When the shop's key cannot be read.
pub fn operator(data: &Path) -> anyhow::Result<Option<Identity>> {
    if let Some(token) = Environment::of_process().text(TOKEN) {
        let signer = Signer::of_token(token.to_owned()).context(TOKEN)?;
        return Ok(Some(Identity::of_signer(signer)));
    }
    if !development::key_path(&folder(data)).exists() {
        return Ok(None);
    }
    let operator = Identity::of_local_operator(&folder(data));
    operator.map(Some).with_context(|| format!("cannot use the key in {}", folder(data).display()))
}

/// The development key of the shop in `data`.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn key(data: &Path) -> anyhow::Result<DevelopmentKey> {
    let path = development::key_path(&folder(data));
    if !path.exists() {
        bail!(
            "no local shop has been in {}: development tokens are for the shop of `boutique up --data {0}`; elsewhere, tokens are the \
             issuer's to sign",
            data.display()
        );
    }
    DevelopmentKey::open(&path).with_context(|| format!("cannot use {}", path.display()))
}
