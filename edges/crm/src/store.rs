//! Customers and counted orders in SQL.

use events::CustomerId;
use events::money::SHOP_CURRENCY;
use store::{Row as SqlRow, StoreError, Tx, params};

use crate::customer::{BillingProfile, NewCustomer, Row};
use crate::decide::{Change, Counted, Tier};
use crate::vault::{Contents, Fresh, Vault};

const COUNT_PLACED: &str = "UPDATE subjects SET placed_orders = placed_orders + 1 WHERE sealed_id = ?1";
const COUNT: &str = "UPDATE subjects SET completed_orders = completed_orders + ?2, spent_minor = spent_minor + ?3
    WHERE sealed_id = ?1";
const COUNTED: &str = "SELECT completed_minor, refunded_minor FROM counted_orders WHERE order_id = ?1";
const REMEMBER: &str = "INSERT INTO counted_orders (order_id, completed_minor, refunded_minor)
    VALUES (?1, ?2, ?3) ON CONFLICT (order_id) DO UPDATE
    SET completed_minor = excluded.completed_minor, refunded_minor = excluded.refunded_minor";
const PROOF: &str = "SELECT proof FROM master_key";
const SEALED_ID: &str = "SELECT sealed_id FROM subjects WHERE lookup = ?1";
// Whoever is about to be erased may not order any more.
const ONE: &str = "SELECT seq, sealed_id, wrapped_key, contents, granted_tier,
        CASE WHEN EXISTS (SELECT 1 FROM erasures WHERE erasures.sealed_id = subjects.sealed_id)
            THEN 'suspended' ELSE standing END,
        completed_orders, spent_minor
    FROM subjects WHERE sealed_id = ?1";
const PAGE: &str = "SELECT seq, sealed_id, wrapped_key, contents, granted_tier,
        CASE WHEN EXISTS (SELECT 1 FROM erasures WHERE erasures.sealed_id = subjects.sealed_id)
            THEN 'suspended' ELSE standing END,
        completed_orders, spent_minor
    FROM subjects WHERE seq > ?1 AND contents IS NOT NULL ORDER BY seq LIMIT ?2";
const BILLING: &str = "SELECT billing_account, wrapped_key, contents FROM subjects WHERE sealed_id = ?1";
const ADD: &str =
    "INSERT INTO subjects (sealed_id, lookup, wrapped_key, contents, granted_tier, standing, billing_account)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (lookup) DO NOTHING";
const UPDATE: &str = "UPDATE subjects SET contents = ?2, granted_tier = COALESCE(?3, granted_tier),
    standing = COALESCE(?4, standing), billing_account = COALESCE(?5, billing_account) WHERE sealed_id = ?1";

/// Held by whoever writes under the master key, or puts another in its place.
pub(crate) const KEY_LOCK: &str = "master_key";

/// Which master key the customers are wrapped under: a known text under it. `None` before the first.
pub(crate) fn key_proof(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    tx.query_opt(PROOF, &[], |row| row.get_text(0))
}

/// Why a customer was not written.
#[derive(Debug)]
pub(crate) enum Unwritten {
    /// The database's reason.
    Store(StoreError),
    /// Another process has put another master key in the place of this one's: what is written under this one, nobody could read. Not tried
    /// again: this process is to be stopped.
    KeyReplaced,
}

impl From<StoreError> for Unwritten {
    fn from(error: StoreError) -> Self {
        Unwritten::Store(error)
    }
}

/// A master key that is the one the customers are wrapped under, until the end of the transaction.
pub(crate) struct CurrentKey<'v>(&'v Vault);

impl<'v> CurrentKey<'v> {
    /// Makes sure of it, before any other lock is taken.
    pub(crate) fn of(tx: &mut Tx<'_>, vault: &'v Vault) -> Result<Self, Unwritten> {
        tx.lock(KEY_LOCK)?;
        if is_current(tx, vault)? { Ok(Self(vault)) } else { Err(Unwritten::KeyReplaced) }
    }
}

fn is_current(tx: &mut Tx<'_>, vault: &Vault) -> Result<bool, StoreError> {
    Ok(key_proof(tx)?.is_some_and(|proof| vault.made(&proof)))
}

/// A customer by the id they know, or by the sealed one.
pub(crate) enum Found {
    /// Here.
    Here(Box<Row>),
    /// Erased: only the row without contents is left.
    Erased,
    /// Never was here, or was erased and is asked for by the id they knew: the two cannot be told apart.
    Nobody,
}

impl Found {
    pub(crate) fn here(self) -> Option<Row> {
        match self {
            Found::Here(row) => Some(*row),
            Found::Erased | Found::Nobody => None,
        }
    }
}

/// The sealed id of a customer: theirs already, or found by the id they know. A sealed id is not looked up.
///
/// # Errors
/// [`StoreError::Unavailable`] when this process has another master key than the customers are wrapped under: it finds nobody by it.
pub(crate) fn sealed_id(tx: &mut Tx<'_>, vault: &Vault, id: &str) -> Result<Option<String>, StoreError> {
    if events::personal::is_sealed(id) {
        return Ok(Some(id.to_owned()));
    }
    let found = tx.query_opt(SEALED_ID, params![&vault.lookup(id)], |row| row.get_text(0))?;
    if found.is_none() && !is_current(tx, vault)? {
        let reason = "the customers are wrapped under another master key than this process has".to_owned();
        return Err(StoreError::Unavailable { reason });
    }
    Ok(found)
}

/// Counts an order placed. False for a customer who is not here.
pub(crate) fn count_placed(tx: &mut Tx<'_>, vault: &Vault, customer_id: &CustomerId) -> Result<bool, StoreError> {
    let Some(sealed_id) = sealed_id(tx, vault, customer_id.as_str())? else { return Ok(false) };
    Ok(tx.execute(COUNT_PLACED, params![&sealed_id])? == 1)
}

/// What is known about an order's money; nothing for an order not heard of.
pub(crate) fn counted(tx: &mut Tx<'_>, order_id: &str) -> Result<Counted, StoreError> {
    let found = tx.query_opt(COUNTED, params![order_id], |row| {
        Ok(Counted { completed_minor: row.get_opt_i64(0)?, refunded_minor: row.get_i64(1)? })
    })?;
    Ok(found.unwrap_or_default())
}

/// Writes a change. False for a customer who is not here.
pub(crate) fn count(
    tx: &mut Tx<'_>,
    vault: &Vault,
    order_id: &str,
    customer_id: &CustomerId,
    change: &Change,
) -> Result<bool, StoreError> {
    let Some(sealed_id) = sealed_id(tx, vault, customer_id.as_str())? else { return Ok(false) };
    let Counted { completed_minor, refunded_minor } = change.counted;
    tx.execute(REMEMBER, params![order_id, completed_minor, refunded_minor])?;
    Ok(tx.execute(COUNT, params![&sealed_id, change.completed_orders, change.spent_minor])? == 1)
}

/// One customer.
pub(crate) fn customer(tx: &mut Tx<'_>, vault: &Vault, id: &str) -> Result<Found, StoreError> {
    let Some(sealed_id) = sealed_id(tx, vault, id)? else { return Ok(Found::Nobody) };
    match tx.query_opt(ONE, params![&sealed_id], read)? {
        None => Ok(Found::Nobody),
        Some(read) => Ok(read.open(vault)?.map_or(Found::Erased, |row| Found::Here(Box::new(row)))),
    }
}

/// Customers after `after` in the order in which they were added.
pub(crate) fn customers(tx: &mut Tx<'_>, vault: &Vault, after: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
    let rows = tx.query(PAGE, params![after, limit], read)?;
    rows.into_iter().filter_map(|row| row.open(vault).transpose()).collect()
}

/// How a customer is billed; nothing for a customer who is not here or has no account. An erased one is billed for what was ordered
/// before: whether they can be, and nothing about them.
pub(crate) fn billing_profile(tx: &mut Tx<'_>, vault: &Vault, id: &str) -> Result<Option<BillingProfile>, StoreError> {
    let Some(sealed_id) = sealed_id(tx, vault, id)? else { return Ok(None) };
    let found = tx.query_opt(BILLING, params![&sealed_id], |row| {
        Ok((row.get_text(0)?, row.get_opt_text(1)?.zip(row.get_opt_text(2)?)))
    })?;
    let Some((account_status, locked)) = found.filter(|(account, _)| account != "none") else { return Ok(None) };
    let contents = locked.map(|(key, contents)| vault.open(&sealed_id, &key, &contents)).transpose()?;
    let tax_region = contents.and_then(|contents| contents.country);
    let customer_id = id.to_owned();
    Ok(Some(BillingProfile { customer_id, sealed_id, account_status, currency_code: SHOP_CURRENCY, tax_region }))
}

/// Adds a customer. False when the id is taken.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    CurrentKey(vault): &CurrentKey<'_>,
    fresh: &Fresh,
    customer_id: &CustomerId,
    new: &NewCustomer,
) -> Result<bool, StoreError> {
    let tier = new.loyalty_tier.map_or("standard", Tier::as_str);
    let standing = new.standing.map_or("good", |standing| standing.as_str());
    let account = new.billing_account.map_or("active", |account| account.as_str());
    let locked = vault.lock(fresh, &contents(customer_id, new));
    let (sealed_id, lookup) = (fresh.sealed_id.as_str(), vault.lookup(customer_id.as_str()));
    let values = params![sealed_id, &lookup, &locked.wrapped_key, &locked.contents, tier, standing, account];
    Ok(tx.execute(ADD, values)? == 1)
}

/// Adds a customer, or changes what is said about one who is here.
pub(crate) fn upsert(
    tx: &mut Tx<'_>,
    key: &CurrentKey<'_>,
    fresh: &Fresh,
    customer_id: &CustomerId,
    new: &NewCustomer,
) -> Result<(), StoreError> {
    // Against another change of the same customer, whose contents are written as a whole, and against their erasure.
    let CurrentKey(vault) = key;
    tx.lock(&vault.lookup(customer_id.as_str()))?;
    if add(tx, key, fresh, customer_id, new)? {
        return Ok(());
    }
    let Some(row) = customer(tx, vault, customer_id.as_str())?.here() else {
        return Err(StoreError::Row { reason: "a customer who is in the way is not there".to_owned() });
    };
    let mut contents = contents(customer_id, new);
    contents.country = contents.country.or(row.contents.country);
    let contents = vault.relock(&row.sealed_id, &row.wrapped_key, fresh, &contents)?;
    let tier = new.loyalty_tier.map(Tier::as_str);
    let standing = new.standing.map(|standing| standing.as_str());
    let account = new.billing_account.map(|account| account.as_str());
    tx.execute(UPDATE, params![&row.sealed_id, &contents, tier, standing, account])?;
    Ok(())
}

fn contents(customer_id: &CustomerId, new: &NewCustomer) -> Contents {
    Contents {
        customer_id: customer_id.as_str().to_owned(),
        name: new.name.clone(),
        surname: new.surname.clone(),
        country: new.country.clone(),
    }
}

/// A row as it is kept: locked, or without contents.
struct Kept {
    seq: i64,
    sealed_id: String,
    locked: Option<(String, String)>,
    granted_tier: Tier,
    standing: String,
    completed_orders: i64,
    spent_minor: i64,
}

impl Kept {
    /// `None` for one who was erased.
    fn open(self, vault: &Vault) -> Result<Option<Row>, StoreError> {
        let Some((wrapped_key, contents)) = self.locked else { return Ok(None) };
        let contents = vault.open(&self.sealed_id, &wrapped_key, &contents)?;
        Ok(Some(Row {
            seq: self.seq,
            sealed_id: self.sealed_id,
            wrapped_key,
            contents,
            granted_tier: self.granted_tier,
            standing: self.standing,
            completed_orders: self.completed_orders,
            spent_minor: self.spent_minor,
        }))
    }
}

fn read(row: &SqlRow<'_>) -> Result<Kept, StoreError> {
    Ok(Kept {
        seq: row.get_i64(0)?,
        sealed_id: row.get_text(1)?,
        locked: row.get_opt_text(2)?.zip(row.get_opt_text(3)?),
        granted_tier: Tier::of(row.get_str(4)?),
        standing: row.get_text(5)?,
        completed_orders: row.get_i64(6)?,
        spent_minor: row.get_i64(7)?,
    })
}
