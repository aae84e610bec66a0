//! What is done to the customers whenever the database is opened: rows from before customers were sealed are sealed, the master key is
//! recognised, and with another one every customer's key is wrapped anew. What an erasure destroyed and could not scrub is scrubbed.

use store::{StoreError, Tx, params};

use crate::config::{Config, PERSONAL_KEY};
use crate::erasures;
use crate::store::{KEY_LOCK, key_proof};
use crate::vault::{Contents, Fresh, Vault};

/// Rows looked at at a time.
const BATCH: u32 = 500;

const KEEP_PROOF: &str =
    "INSERT INTO master_key (one, proof) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET proof = excluded.proof";
// Downwards, so that the two sample customers come in the order of their documentation.
const CLEAR: &str =
    "SELECT customer_id, name, surname, country, granted_tier, standing, billing_account, placed_orders,
    completed_orders, spent_minor FROM customers ORDER BY customer_id DESC LIMIT ?1";
const FORGET_CLEAR: &str = "DELETE FROM customers WHERE customer_id = ?1";
const SEAL: &str =
    "INSERT INTO subjects (sealed_id, lookup, wrapped_key, contents, granted_tier, standing, billing_account,
    placed_orders, completed_orders, spent_minor) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const LOCKED: &str = "SELECT seq, sealed_id, wrapped_key, contents FROM subjects
    WHERE seq > ?1 AND wrapped_key IS NOT NULL ORDER BY seq LIMIT ?2";
const REWRAP: &str = "UPDATE subjects SET wrapped_key = ?2, lookup = ?3 WHERE seq = ?1";

/// Seals what is clear, and wraps anew what is wrapped under the master key before. True when something was replaced that must not stay
/// on disk.
///
/// # Errors
/// [`StoreError::Migration`] when the database was sealed with a master key that is not here; nothing is changed.
pub(crate) fn prepare(tx: &mut Tx<'_>, config: &Config) -> Result<bool, StoreError> {
    let vault = Vault::new(&config.master_key);
    let wrapped = recognise(tx, &vault, config)?;
    let sealed = seal(tx, &vault)?;
    if sealed > 0 || wrapped > 0 {
        tracing::info!(
            customers.sealed = sealed,
            customers.wrapped = wrapped,
            "customers are sealed with the master key"
        );
    }
    Ok(sealed > 0 || wrapped > 0 || erasures::is_scrub_due(tx)?)
}

fn recognise(tx: &mut Tx<'_>, vault: &Vault, config: &Config) -> Result<u64, StoreError> {
    // Against whoever adds customers under the key before at this moment.
    tx.lock(KEY_LOCK)?;
    let proof = key_proof(tx)?;
    if proof.as_ref().is_some_and(|proof| vault.made(proof)) {
        return Ok(0);
    }
    let before = config.master_key_before.as_ref().map(Vault::new);
    let wrapped = match (&proof, before) {
        (None, _) => 0,
        (Some(proof), Some(before)) if before.made(proof) => rewrap(tx, vault, &before)?,
        _ => {
            let reason = format!("the customers were sealed with another key than the one in {PERSONAL_KEY}");
            return Err(StoreError::Migration { reason });
        }
    };
    tx.execute(KEEP_PROOF, params![&vault.proof(&Fresh::draw())])?;
    Ok(wrapped)
}

fn rewrap(tx: &mut Tx<'_>, vault: &Vault, before: &Vault) -> Result<u64, StoreError> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = tx.query(LOCKED, params![after, BATCH], |row| {
            Ok((row.get_i64(0)?, row.get_text(1)?, row.get_text(2)?, row.get_text(3)?))
        })?;
        let Some((last, ..)) = page.last() else { return Ok(count) };
        after = *last;
        for (seq, sealed_id, wrapped_key, contents) in page {
            let customer_id = before.open(&sealed_id, &wrapped_key, &contents)?.customer_id;
            let wrapped_key = vault.rewrap(before, &sealed_id, &wrapped_key, &Fresh::draw())?;
            tx.execute(REWRAP, params![seq, &wrapped_key, &vault.lookup(&customer_id)])?;
            count += 1;
        }
    }
}

fn seal(tx: &mut Tx<'_>, vault: &Vault) -> Result<u64, StoreError> {
    let mut count = 0;
    loop {
        let page = tx.query(CLEAR, params![BATCH], |row| {
            let contents = Contents {
                customer_id: row.get_text(0)?,
                name: row.get_text(1)?,
                surname: row.get_text(2)?,
                country: row.get_opt_text(3)?,
            };
            Ok((
                contents,
                [row.get_text(4)?, row.get_text(5)?, row.get_text(6)?],
                [row.get_i64(7)?, row.get_i64(8)?, row.get_i64(9)?],
            ))
        })?;
        if page.is_empty() {
            return Ok(count);
        }
        for (contents, [tier, standing, account], [placed, completed, spent_minor]) in page {
            let fresh = Fresh::draw();
            let locked = vault.lock(&fresh, &contents);
            let (sealed_id, lookup) = (fresh.sealed_id.as_str(), vault.lookup(&contents.customer_id));
            let values = params![
                sealed_id,
                &lookup,
                &locked.wrapped_key,
                &locked.contents,
                &tier,
                &standing,
                &account,
                placed,
                completed,
                spent_minor,
            ];
            tx.execute(SEAL, values)?;
            tx.execute(FORGET_CLEAR, params![&contents.customer_id])?;
            count += 1;
        }
    }
}
