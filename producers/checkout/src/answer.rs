//! What the client is told, in the form it is kept in: a status and a body, encoded once.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use events::order::{OrderRejected, RejectionReason};
use events::risk::RiskLevel;
use events::{CustomerId, FieldError, Money, OrderId, OrderLine, Timestamp};
use runtime::Problem;
use runtime::openapi::{Gives, Operation};
use schemars::JsonSchema;
use serde::Serialize;

use crate::decide::{Quote, Short};
use crate::orders::{Order, confirms};
use crate::request::Key;

/// An answer, new or told before, as it is kept: it names the customer by their sealed id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Which order it is about.
    pub order_id: String,
    /// Whose, sealed.
    pub customer_id: String,
    /// HTTP status.
    pub status_code: u16,
    /// JSON, or problem+json above 400.
    pub body: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Confirmed<'a> {
    order_id: &'a OrderId,
    status: &'static str,
    customer_id: &'a CustomerId,
    lines: &'a [OrderLine],
    subtotal: &'a Money,
    discount: &'a Money,
    total: &'a Money,
    risk: RiskLevel,
    placed_at: Timestamp,
}

/// The body that confirms an order.
pub(crate) fn confirmed(
    order_id: &OrderId,
    customer_id: &CustomerId,
    quote: &Quote,
    risk: RiskLevel,
    placed_at: Timestamp,
) -> String {
    let Quote { lines, subtotal, discount, total, .. } = quote;
    let body =
        Confirmed { order_id, status: "confirmed", customer_id, lines, subtotal, discount, total, risk, placed_at };
    to_json(&body)
}

/// Why an order is rejected: said to the client, kept, and said as an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// The CRM does not know the customer.
    UnknownCustomer,
    /// The CRM does not let the customer order.
    CustomerSuspended,
    /// Some lines are not in stock.
    OutOfStock(Vec<Short>),
    /// The fraud engine scored the order HIGH.
    HighRisk,
}

impl Rejection {
    /// For the client.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Rejection::UnknownCustomer => Problem::unprocessable("unknown_customer", "the customer is not known"),
            Rejection::CustomerSuspended => {
                Problem::unprocessable("customer_suspended", "the customer may not place orders now")
            }
            Rejection::OutOfStock(short) => {
                let mut problem = Problem::conflict("out_of_stock", "some lines are not in stock, nothing is held");
                for Short { position, problem: missing } in short {
                    point_at(&mut problem, *position, missing);
                }
                problem
            }
            Rejection::HighRisk => {
                Problem::new(StatusCode::FORBIDDEN, "high_risk", "the order was refused by the risk check")
            }
        }
    }

    /// For everybody else.
    pub(crate) fn fact(&self, order_id: OrderId, customer_id: CustomerId) -> OrderRejected {
        let (reason, detail) = match self {
            Rejection::UnknownCustomer => (RejectionReason::UnknownCustomer, "the customer is not known"),
            Rejection::CustomerSuspended => (RejectionReason::UnknownCustomer, "the customer is suspended"),
            Rejection::OutOfStock(_) => (RejectionReason::OutOfStock, "some lines are not in stock"),
            Rejection::HighRisk => (RejectionReason::HighRisk, "the fraud engine scored the order HIGH"),
        };
        OrderRejected { order_id, customer_id, reason, detail: detail.to_owned() }
    }
}

/// 422 for lines whose product no catalogue has. Nothing is said about such an order: it never was one.
pub(crate) fn unknown_products(positions: &[usize]) -> Problem {
    let mut problem = Problem::unprocessable("unknown_product", "some products are in no catalogue");
    for position in positions {
        point_at(&mut problem, *position, "unknown product");
    }
    problem
}

/// The answer told before under a key.
///
/// # Errors
/// 422 when the key was used for another basket.
pub(crate) fn told_before(order: Order, key: &Key) -> Result<Answer, Problem> {
    if order.fingerprint.as_ref() != Some(&key.fingerprint) {
        return Err(Problem::unprocessable(
            "idempotency_key_reused",
            "this Idempotency-Key was used for another order, take a new one",
        ));
    }
    Ok(order.into())
}

impl Answer {
    /// The answer as it goes to the client, who is called as they called themselves.
    pub(crate) fn to(self, customer_id: &CustomerId) -> Self {
        if !confirms(self.status_code) {
            return self;
        }
        // An id has no character that JSON escapes, and a sealed one stands nowhere by chance.
        Self { body: self.body.replacen(&self.customer_id, customer_id.as_str(), 1), ..self }
    }
}

impl From<Order> for Answer {
    fn from(order: Order) -> Self {
        // The column was written from a u16.
        let status_code = u16::try_from(order.status_code).unwrap_or(500);
        Self { order_id: order.order_id, customer_id: order.customer_id, status_code, body: order.response }
    }
}

/// Told as a body that was encoded before.
impl Gives for Answer {
    fn given(operation: Operation) -> Operation {
        operation.gives::<Confirmed<'static>>(201, "the order is confirmed; `Location` is where it is")
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status_code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Body::from(self.body)).into_response();
        let kind = if confirms(self.status_code) { "application/json" } else { "application/problem+json" };
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if confirms(self.status_code)
            && let Ok(location) = HeaderValue::try_from(format!("/orders/{}", self.order_id))
        {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// Encodes what has only string keys and finite numbers.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("answers have only string keys and finite numbers")
}

/// Adds a line at fault.
fn point_at(problem: &mut Problem, position: usize, fault: &str) {
    problem.errors.extend(Problem::from(FieldError::new(format!("lines[{position}]"), fault)).errors);
}
