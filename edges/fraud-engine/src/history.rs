//! What is known of customers, devices and the shop's amounts, in SQL.
//!
//! A customer is one row, read with each of their transactions and written whole: the transaction holds the customer's lock.

use store::{StoreError, Tx, params};

use crate::decide::{Device, Past, Spending, ln_milli};
use crate::store::SUMMARY_SLOTS;

/// Amounts of a customer above which all sums are halved: what somebody did lately says more than what they did years ago.
const CUSTOMER_AMOUNTS: u32 = 200;
/// Amounts of a part of the shop's sums above which they are halved.
const SHOP_AMOUNTS: i64 = 50_000;
/// Other customers of a device, counted up to here.
const MOST_OTHERS: u32 = 10;
/// Devices of a customer, counted up to here; of more, the customer keeps no further ones.
const MOST_DEVICES: u32 = 20;

const CUSTOMER: &str =
    "SELECT amounts, ln_sum, ln_squares, hours, completed, frauds FROM customers WHERE customer_id = ?1";
const KEEP_CUSTOMER: &str = "INSERT INTO customers
    (customer_id, amounts, ln_sum, ln_squares, hours, completed, frauds, seen_at_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (customer_id) DO UPDATE SET amounts = excluded.amounts, ln_sum = excluded.ln_sum,
    ln_squares = excluded.ln_squares, hours = excluded.hours, completed = excluded.completed, frauds = excluded.frauds,
    seen_at_ms = excluded.seen_at_ms";
const SHOP: &str =
    "SELECT COALESCE(SUM(amounts), 0), COALESCE(SUM(ln_sum), 0), COALESCE(SUM(ln_squares), 0) FROM summary";
const COUNT_AMOUNT: &str =
    "UPDATE summary SET amounts = amounts + 1, ln_sum = ln_sum + ?2, ln_squares = ln_squares + ?3 WHERE slot = ?1";
const FADE: &str = "UPDATE summary SET amounts = amounts / 2, ln_sum = ln_sum / 2, ln_squares = ln_squares / 2
    WHERE amounts > ?1";
const DEVICES: &str = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN device_id = ?2 THEN 1 ELSE 0 END), 0)
    FROM (SELECT device_id FROM devices WHERE customer_id = ?1 LIMIT ?3) AS own";
const OTHERS: &str = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM devices
    WHERE device_id = ?1 AND customer_id <> ?2 LIMIT ?3) AS others";
const SEE_DEVICE: &str = "INSERT INTO devices (device_id, customer_id, seen_at_ms) VALUES (?1, ?2, ?3)
    ON CONFLICT (device_id, customer_id) DO UPDATE SET seen_at_ms = excluded.seen_at_ms";

/// What is known of a customer; nothing of one who was never seen.
pub(crate) fn customer(tx: &mut Tx<'_>, customer_id: &str) -> Result<Past, StoreError> {
    let found = tx.query_opt(CUSTOMER, params![customer_id], |row| {
        Ok(Past {
            spending: Spending { amounts: row.get(0)?, ln_sum: row.get_i64(1)?, ln_squares: row.get_i64(2)? },
            hours: hours(row.get_str(3)?),
            completed: row.get(4)?,
            frauds: row.get(5)?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// Writes what is known of a customer now.
pub(crate) fn keep_customer(tx: &mut Tx<'_>, customer_id: &str, past: &Past) -> Result<(), StoreError> {
    let Past { spending: Spending { amounts, ln_sum, ln_squares }, hours, completed, frauds } = faded(*past);
    let hours = hours.map(|count| count.to_string()).join(",");
    let now_ms = tx.now_ms();
    let values = params![customer_id, amounts, ln_sum, ln_squares, &hours, completed, frauds, now_ms];
    tx.execute(KEEP_CUSTOMER, values)?;
    Ok(())
}

/// What all customers spend.
pub(crate) fn shop(tx: &mut Tx<'_>) -> Result<Spending, StoreError> {
    let sums = |row: &store::Row<'_>| {
        let amounts = u32::try_from(row.get_i64(0)?).unwrap_or(u32::MAX);
        Ok(Spending { amounts, ln_sum: row.get_i64(1)?, ln_squares: row.get_i64(2)? })
    };
    Ok(tx.query_opt(SHOP, &[], sums)?.unwrap_or_default())
}

/// Counts an amount among the shop's. The transaction itself has been counted, so that the row is there.
pub(crate) fn count_amount(tx: &mut Tx<'_>, amount_minor: i64) -> Result<(), StoreError> {
    let ln = ln_milli(amount_minor);
    let slot = tx.now_ms().rem_euclid(SUMMARY_SLOTS);
    tx.execute(COUNT_AMOUNT, params![slot, ln, ln * ln])?;
    Ok(())
}

/// Halves the shop's sums where they have grown large.
pub(crate) fn fade_shop(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    tx.execute(FADE, params![SHOP_AMOUNTS])
}

/// What is known of a device a customer uses now.
pub(crate) fn device(tx: &mut Tx<'_>, device_id: &str, customer_id: &str) -> Result<Device, StoreError> {
    let own = |row: &store::Row<'_>| Ok((row.get::<u32>(0)?, row.get_i64(1)? > 0));
    let found = tx.query_opt(DEVICES, params![customer_id, device_id, MOST_DEVICES], own)?;
    let (devices_of_customer, is_known) = found.unwrap_or_default();
    let others = tx.query_opt(OTHERS, params![device_id, customer_id, MOST_OTHERS], |row| row.get(0))?.unwrap_or(0);
    Ok(Device { is_known, devices_of_customer, others })
}

/// Notes that a customer used a device. Whoever invents a new one for each order fills no table.
pub(crate) fn see_device(tx: &mut Tx<'_>, device_id: &str, customer_id: &str, known: Device) -> Result<(), StoreError> {
    if known.is_known || known.devices_of_customer < MOST_DEVICES {
        let now_ms = tx.now_ms();
        tx.execute(SEE_DEVICE, params![device_id, customer_id, now_ms])?;
    }
    Ok(())
}

/// Halved when there is much of it.
fn faded(past: Past) -> Past {
    if past.spending.amounts <= CUSTOMER_AMOUNTS {
        return past;
    }
    let Spending { amounts, ln_sum, ln_squares } = past.spending;
    let spending = Spending { amounts: amounts / 2, ln_sum: ln_sum / 2, ln_squares: ln_squares / 2 };
    Past { spending, hours: past.hours.map(|count| count / 2), ..past }
}

/// 24 counts with commas between them, as they stand in the table.
fn hours(text: &str) -> [u32; 24] {
    let mut counts = text.split(',').map(|count| count.parse().unwrap_or(0));
    std::array::from_fn(|_| counts.next().unwrap_or(0))
}
