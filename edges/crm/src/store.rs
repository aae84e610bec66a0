//! Customers and counted orders in SQL.

use events::money::SHOP_CURRENCY;
use store::{Row as SqlRow, StoreError, Tx, params};

use crate::customer::{BillingProfile, NewCustomer, Row};
use crate::decide::{Change, Counted, Tier};

const COUNT_PLACED: &str = "UPDATE customers SET placed_orders = placed_orders + 1 WHERE customer_id = ?1";
const COUNT: &str = "UPDATE customers SET completed_orders = completed_orders + ?2, spent_minor = spent_minor + ?3
    WHERE customer_id = ?1";
const COUNTED: &str = "SELECT completed_minor, refunded_minor FROM counted_orders WHERE order_id = ?1";
const REMEMBER: &str = "INSERT INTO counted_orders (order_id, customer_id, completed_minor, refunded_minor)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT (order_id) DO UPDATE
    SET completed_minor = excluded.completed_minor, refunded_minor = excluded.refunded_minor";
const ONE: &str = "SELECT customer_id, name, surname, country, granted_tier, standing, completed_orders, spent_minor
    FROM customers WHERE customer_id = ?1";
const PAGE: &str = "SELECT customer_id, name, surname, country, granted_tier, standing, completed_orders, spent_minor
    FROM customers WHERE customer_id > ?1 ORDER BY customer_id LIMIT ?2";
const BILLING: &str = "SELECT billing_account, country FROM customers WHERE customer_id = ?1";
const ADD: &str = "INSERT INTO customers (customer_id, name, surname, country, granted_tier, standing, billing_account)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (customer_id) DO NOTHING";
const UPDATE: &str = "UPDATE customers SET name = ?2, surname = ?3, country = COALESCE(?4, country),
    granted_tier = COALESCE(?5, granted_tier), standing = COALESCE(?6, standing),
    billing_account = COALESCE(?7, billing_account) WHERE customer_id = ?1";

/// Counts an order placed. False for a customer who is not here.
pub(crate) fn count_placed(tx: &mut Tx<'_>, customer_id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(COUNT_PLACED, params![customer_id])? == 1)
}

/// What is known about an order's money; nothing for an order not heard of.
pub(crate) fn counted(tx: &mut Tx<'_>, order_id: &str) -> Result<Counted, StoreError> {
    let found = tx.query_opt(COUNTED, params![order_id], |row| {
        Ok(Counted { completed_minor: row.get_opt_i64(0)?, refunded_minor: row.get_i64(1)? })
    })?;
    Ok(found.unwrap_or_default())
}

/// Writes a change. False for a customer who is not here.
pub(crate) fn count(tx: &mut Tx<'_>, order_id: &str, customer_id: &str, change: &Change) -> Result<bool, StoreError> {
    let Counted { completed_minor, refunded_minor } = change.counted;
    tx.execute(REMEMBER, params![order_id, customer_id, completed_minor, refunded_minor])?;
    Ok(tx.execute(COUNT, params![customer_id, change.completed_orders, change.spent_minor])? == 1)
}

/// One customer.
pub(crate) fn customer(tx: &mut Tx<'_>, customer_id: &str) -> Result<Option<Row>, StoreError> {
    tx.query_opt(ONE, params![customer_id], read)
}

/// Customers after `after` in the order of their ids.
pub(crate) fn customers(tx: &mut Tx<'_>, after: &str, limit: u32) -> Result<Vec<Row>, StoreError> {
    tx.query(PAGE, params![after, limit], read)
}

/// How a customer is billed; nothing for a customer who is not here or has no account.
pub(crate) fn billing_profile(tx: &mut Tx<'_>, customer_id: &str) -> Result<Option<BillingProfile>, StoreError> {
    let found = tx.query_opt(BILLING, params![customer_id], |row| Ok((row.get_text(0)?, row.get_opt_text(1)?)))?;
    Ok(found.filter(|(account, _)| account != "none").map(|(account_status, tax_region)| BillingProfile {
        customer_id: customer_id.to_owned(),
        account_status,
        currency_code: SHOP_CURRENCY,
        tax_region,
    }))
}

/// Adds a customer. False when the id is taken.
pub(crate) fn add(tx: &mut Tx<'_>, customer_id: &str, new: &NewCustomer) -> Result<bool, StoreError> {
    let tier = new.loyalty_tier.map_or("standard", Tier::as_str);
    let standing = new.standing.map_or("good", |standing| standing.as_str());
    let account = new.billing_account.map_or("active", |account| account.as_str());
    let values = params![customer_id, &new.name, &new.surname, &new.country, tier, standing, account];
    Ok(tx.execute(ADD, values)? == 1)
}

/// Adds a customer, or changes what is said about one who is here.
pub(crate) fn upsert(tx: &mut Tx<'_>, customer_id: &str, new: &NewCustomer) -> Result<(), StoreError> {
    if add(tx, customer_id, new)? {
        return Ok(());
    }
    let tier = new.loyalty_tier.map(Tier::as_str);
    let standing = new.standing.map(|standing| standing.as_str());
    let account = new.billing_account.map(|account| account.as_str());
    tx.execute(UPDATE, params![customer_id, &new.name, &new.surname, &new.country, tier, standing, account])?;
    Ok(())
}

fn read(row: &SqlRow<'_>) -> Result<Row, StoreError> {
    Ok(Row {
        customer_id: row.get_text(0)?,
        name: row.get_text(1)?,
        surname: row.get_text(2)?,
        country: row.get_opt_text(3)?,
        granted_tier: Tier::of(row.get_str(4)?),
        standing: row.get_text(5)?,
        completed_orders: row.get_i64(6)?,
        spent_minor: row.get_i64(7)?,
    })
}
