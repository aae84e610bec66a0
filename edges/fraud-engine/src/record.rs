//! Scores a transaction and keeps it, with what it tells about its customer, in one transaction.
//!
//! It is judged by when it happened, not by when it is told: what waited for the end of an outage is no stranger for that.

use ::store::{StoreError, Tx};
use events::risk::RiskLevel;

use crate::config::Config;
use crate::decide::{Past, Score, Signals, Spending, score};
use crate::metric::{Ending, MetricView, NewMetric};
use crate::{history, store};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Scores and keeps a transaction that happened at `at_ms` (Unix milliseconds), or finds what was answered before: an order is scored
/// once, and its end told once.
pub(crate) fn keep(
    tx: &mut Tx<'_>,
    new: &NewMetric,
    at_ms: i64,
    config: Config,
) -> Result<Option<MetricView>, StoreError> {
    if new.ending().is_some() {
        return end(tx, new, at_ms);
    }
    let Some(customer_id) = new.customer_id.as_ref().map(events::CustomerId::as_str) else {
        let score = score(&signals(tx, new, at_ms, config, Past::default())?);
        return added(tx, new, at_ms, &score);
    };
    // Two orders of one customer at once would otherwise not know of each other.
    tx.lock(customer_id)?;
    let past = history::customer(tx, customer_id)?;
    let mut signals = signals(tx, new, at_ms, config, past)?;
    if new.order_id.is_some() {
        signals.recent_orders = store::recent_orders(tx, customer_id, at_ms, config.velocity_limit)? + 1;
    }
    if let Some(address_hash) = &new.address_hash {
        let most = config.address_limit + 1;
        signals.recent_at_address = store::recent_at_address(tx, address_hash, customer_id, at_ms, most)?;
    }
    if let Some(device_id) = &new.device_id {
        signals.device = Some(history::device(tx, device_id, customer_id)?);
    }
    let score = score(&signals);
    let Some(view) = store::add(tx, new, at_ms, &score)? else { return before(tx, new) };
    learn(tx, new, &signals, &score, customer_id)?;
    Ok(Some(view))
}

/// What needs no customer to be known.
fn signals<'a>(
    tx: &mut Tx<'_>,
    new: &'a NewMetric,
    at_ms: i64,
    config: Config,
    past: Past,
) -> Result<Signals<'a>, StoreError> {
    let hour = u8::try_from(at_ms.div_euclid(HOUR_MS).rem_euclid(24)).unwrap_or(0);
    let shop = if new.amount_minor.is_some() { history::shop(tx)? } else { Spending::default() };
    Ok(Signals {
        amount_minor: new.amount_minor,
        shipping_country: new.shipping_country.as_deref(),
        billing_country: new.billing_country.as_deref(),
        recent_orders: 1,
        velocity_limit: config.velocity_limit,
        address_limit: config.address_limit,
        hour,
        local_hour: new.local_hour(),
        customer: past,
        shop,
        ..Signals::default()
    })
}

/// What a transaction says about its customer and the shop. One that is likely a fraud must not become anybody's habit.
fn learn(
    tx: &mut Tx<'_>,
    new: &NewMetric,
    signals: &Signals<'_>,
    score: &Score,
    customer_id: &str,
) -> Result<(), StoreError> {
    if score.level == RiskLevel::High || new.order_id.is_none() {
        return Ok(());
    }
    let mut past = signals.customer;
    past.hours[usize::from(signals.hour)] += 1;
    if let Some(amount_minor) = new.amount_minor {
        past.spending = past.spending.with(amount_minor);
        history::count_amount(tx, amount_minor)?;
    }
    history::keep_customer(tx, customer_id, &past)?;
    match (&new.device_id, signals.device) {
        (Some(device_id), Some(known)) => history::see_device(tx, device_id, customer_id, known),
        _ => Ok(()),
    }
}

/// Keeps how an order ended. That is not scored: it is what later scores are better for.
fn end(tx: &mut Tx<'_>, new: &NewMetric, at_ms: i64) -> Result<Option<MetricView>, StoreError> {
    let Some((order_id, ending)) = new.ending() else { return Ok(None) };
    let customer_id = match &new.customer_id {
        Some(customer_id) => Some(customer_id.as_str().to_owned()),
        None => store::customer_of(tx, order_id.as_str())?,
    };
    if let Some(customer_id) = &customer_id {
        tx.lock(customer_id)?;
    }
    let Some(view) = store::add(tx, new, at_ms, &Score::NONE)? else {
        return store::of_ending(tx, order_id.as_str(), &new.transaction_type);
    };
    if let Some(customer_id) = customer_id {
        let mut past = history::customer(tx, &customer_id)?;
        match ending {
            Ending::Completed => past.completed += 1,
            Ending::Fraud => past.frauds += 1,
            Ending::Cancelled => return Ok(Some(view)),
        }
        history::keep_customer(tx, &customer_id, &past)?;
    }
    Ok(Some(view))
}

fn added(tx: &mut Tx<'_>, new: &NewMetric, at_ms: i64, score: &Score) -> Result<Option<MetricView>, StoreError> {
    match store::add(tx, new, at_ms, score)? {
        None => before(tx, new),
        added => Ok(added),
    }
}

/// The first answer about an order.
fn before(tx: &mut Tx<'_>, new: &NewMetric) -> Result<Option<MetricView>, StoreError> {
    match &new.order_id {
        Some(order_id) => store::of_order(tx, order_id.as_str()),
        None => Ok(None),
    }
}
