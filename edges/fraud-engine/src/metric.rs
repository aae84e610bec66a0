//! Transactions as they come in and as they are shown.

use events::topology::limits::OUTBOX_DAYS;
use events::{CustomerId, FieldError, OrderId, Timestamp};
use runtime::openapi::line;
use runtime::{FieldProblem, Problem};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Number, from_str};

/// The longest transaction type accepted, in characters.
const MAX_TYPE_CHARS: usize = 100;
/// The longest duration accepted, in milliseconds: a day.
const MAX_DURATION_MS: f64 = 86_400_000.0;
/// The longest address hash accepted, in characters: SHA-512 in hex.
const MAX_ADDRESS_HASH_CHARS: usize = 128;
/// The longest device id accepted, in characters.
const MAX_DEVICE_CHARS: usize = 128;
/// The largest amount accepted, in hundredths: ten billion USD.
const MAX_AMOUNT_MINOR: i64 = 1_000_000_000_000;

/// How far a client's clock may be ahead of ours, in milliseconds.
const MAX_AHEAD_MS: i64 = 5 * 60 * 1_000;
/// How old what is told may be, in milliseconds: as old as an event that waits to be said.
const MAX_AGE_MS: i64 = OUTBOX_DAYS as i64 * 24 * 60 * 60 * 1_000;

/// A transaction as a client describes it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewMetric {
    #[schemars(schema_with = "line::<MAX_TYPE_CHARS>")]
    pub(crate) transaction_type: String,
    #[schemars(range(min = 0.0, max = MAX_DURATION_MS))]
    duration_ms: f64,
    pub(crate) success: bool,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) customer_id: Option<CustomerId>,
    #[schemars(range(min = 0, max = MAX_AMOUNT_MINOR))]
    pub(crate) amount_minor: Option<i64>,
    #[schemars(regex(pattern = "^[A-Za-z]{2}$"))]
    pub(crate) shipping_country: Option<String>,
    #[schemars(regex(pattern = "^[A-Za-z]{2}$"))]
    pub(crate) billing_country: Option<String>,
    pub(crate) line_count: Option<u32>,
    /// Whatever makes one address one: the engine compares it and never needs it in clear.
    #[schemars(regex(pattern = "^[!-~]{1,128}$"))]
    pub(crate) address_hash: Option<String>,
    /// Whatever makes one device one.
    #[schemars(regex(pattern = "^[!-~]{1,128}$"))]
    pub(crate) device_id: Option<String>,
    /// Hour of the day where the customer is.
    #[schemars(range(max = 23))]
    local_hour: Option<u8>,
    /// When it happened, if that is not now: RFC 3339, at most 35 days ago and not in the future, but for the five minutes that clocks may
    /// differ by.
    #[schemars(with = "Option<Timestamp>", regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}."))]
    occurred_at: Option<Told>,
}

/// A time as a client tells it.
#[derive(Debug, Clone, Copy)]
enum Told {
    At(Timestamp),
    /// None that we can reckon with: RFC 3339 has days at the end of the year 9999 and fractions of nanoseconds, clocks have not.
    Beyond,
}

/// How an order ended, as the fraud bridge reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was delivered.
    Completed,
    /// It was cancelled, for no fault of the customer's that we know.
    Cancelled,
    /// It was cancelled as fraud.
    Fraud,
}

impl NewMetric {
    /// Checks what the types do not hold.
    pub(crate) fn check(&self) -> Result<(), FieldError> {
        let kind = &self.transaction_type;
        if kind.trim().is_empty() || kind.chars().count() > MAX_TYPE_CHARS || kind.chars().any(char::is_control) {
            let problem = format!("must be 1 to {MAX_TYPE_CHARS} printable characters");
            return Err(FieldError::new("transactionType", problem));
        }
        if !(0.0..=MAX_DURATION_MS).contains(&self.duration_ms) {
            return Err(FieldError::new("durationMs", format!("must be 0 to {MAX_DURATION_MS}")));
        }
        if self.amount_minor.is_some_and(|minor| !(0..=MAX_AMOUNT_MINOR).contains(&minor)) {
            return Err(FieldError::new("amountMinor", format!("must be 0 to {MAX_AMOUNT_MINOR}")));
        }
        check_country(self.shipping_country.as_deref(), "shippingCountry")?;
        check_country(self.billing_country.as_deref(), "billingCountry")?;
        check_token(self.address_hash.as_deref(), "addressHash", MAX_ADDRESS_HASH_CHARS)?;
        check_token(self.device_id.as_deref(), "deviceId", MAX_DEVICE_CHARS)?;
        if self.local_hour.is_some_and(|hour| hour > 23) {
            return Err(FieldError::new("localHour", "must be 0 to 23"));
        }
        Ok(())
    }

    /// When it happened, in milliseconds since the Unix epoch: `now_ms` unless it was told.
    ///
    /// # Errors
    /// 422 for a time in the future or too long ago: which times are, no schema can say.
    pub(crate) fn occurred_at_ms(&self, now_ms: i64) -> Result<i64, Problem> {
        let at_ms = match self.occurred_at {
            None => Some(now_ms),
            Some(Told::At(at)) => Some(at.as_millisecond()),
            Some(Told::Beyond) => None,
        };
        if let Some(at_ms) = at_ms.filter(|at_ms| (now_ms - MAX_AGE_MS..=now_ms + MAX_AHEAD_MS).contains(at_ms)) {
            return Ok(at_ms);
        }
        let problem = format!("must be at most {OUTBOX_DAYS} days ago and not in the future");
        let mut refusal = Problem::unprocessable("occurred_at_out_of_range", format!("occurredAt {problem}"));
        refusal.errors.push(FieldProblem { path: "occurredAt".to_owned(), problem });
        Err(refusal)
    }

    /// Hour of the day where the customer is, if it was told.
    pub(crate) fn local_hour(&self) -> Option<u8> {
        self.local_hour
    }

    /// The order whose end this tells, and what end that was.
    pub(crate) fn ending(&self) -> Option<(&OrderId, Ending)> {
        let ending = match self.transaction_type.as_str() {
            "order.completed" => Ending::Completed,
            "order.cancelled" => Ending::Cancelled,
            "order.fraud_confirmed" => Ending::Fraud,
            _ => return None,
        };
        Some((self.order_id.as_ref()?, ending))
    }

    /// The duration in whole microseconds.
    #[expect(clippy::cast_possible_truncation, reason = "checked to be at most a day")]
    pub(crate) fn duration_us(&self) -> i64 {
        (self.duration_ms * 1_000.0).round() as i64
    }
}

/// Digits and signs where RFC 3339 has them; what comes behind is not looked at.
const TIME_SHAPE: &[u8] = b"0000-00-00T00:00:00";

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let fits = |(byte, shape): (u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape };
        match text.parse() {
            Ok(at) => Ok(Told::At(at)),
            Err(_) if text.len() > TIME_SHAPE.len() && text.bytes().zip(TIME_SHAPE).all(fits) => Ok(Told::Beyond),
            Err(_) => Err(D::Error::custom("must be a time as in RFC 3339")),
        }
    }
}

fn check_country(code: Option<&str>, path: &str) -> Result<(), FieldError> {
    match code {
        Some(code) if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) => {
            Err(FieldError::new(path, "must be two letters (ISO 3166-1 alpha-2)"))
        }
        _ => Ok(()),
    }
}

/// Visible ASCII: a hash in hex or base64, a UUID.
fn check_token(token: Option<&str>, path: &str, most: usize) -> Result<(), FieldError> {
    match token {
        Some(token) if !(1..=most).contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_graphic()) => {
            Err(FieldError::new(path, format!("must be 1 to {most} visible ASCII characters")))
        }
        _ => Ok(()),
    }
}

/// A scored transaction.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetricView {
    #[serde(skip)]
    pub(crate) seq: i64,
    pub(crate) transaction_type: String,
    pub(crate) duration_ms: Number,
    pub(crate) success: bool,
    pub(crate) timestamp: Timestamp,
    pub(crate) risk_score: String,
    pub(crate) risk_points: i64,
    /// A JSON array of sentences, as it stands in the table.
    #[schemars(with = "Vec<String>")]
    pub(crate) reasons: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<String>,
}

/// Microseconds as a JSON number of milliseconds: whole where it is whole.
pub(crate) fn milliseconds(us: i64) -> Number {
    if us % 1_000 == 0 {
        return Number::from(us / 1_000);
    }
    let text = format!("{}.{:03}", us / 1_000, us % 1_000);
    from_str(&text).expect("digits, a point and three digits are a JSON number")
}
