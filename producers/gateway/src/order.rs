//! `GET /v1/orders/{orderId}`: what OMS, accounting and the warehouse know, in one answer.

use events::OrderId;
use futures::future::join3;
use runtime::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::for_customers;
use crate::peers::{Part, Peers};

/// What a service knows, as it says it.
type Object = serde_json::Map<String, serde_json::Value>;

/// An order from all sides.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Order")]
pub(crate) struct Aggregate {
    /// As OMS keeps it; as checkout does while OMS has not heard of it.
    order: Object,
    /// As accounting keeps it.
    #[schemars(with = "Option<Object>")]
    invoice: Option<Box<RawValue>>,
    /// As the warehouse keeps them.
    #[schemars(with = "Option<Vec<Object>>")]
    shipments: Option<Box<RawValue>>,
    /// Services that did not bring their part: they are down, or have not heard of the order yet.
    missing: Vec<&'static str>,
}

#[derive(Deserialize)]
struct Shipments {
    shipments: Box<RawValue>,
}

impl Aggregate {
    /// What its customer is told of it.
    pub(crate) fn for_customers(self) -> Self {
        Self { order: for_customers::order(self.order), ..self }
    }
}

/// Asks all three side by side, each in its own time. While OMS has not heard of the order, checkout's own record stands in for its.
///
/// # Errors
/// 404 when there is no such order, 503 when nobody can say.
pub(crate) async fn aggregate(peers: &Peers, id: &OrderId) -> Result<Aggregate, Problem> {
    let (order_path, invoice_path) = (format!("/orders/{id}"), format!("/invoices/{id}"));
    let shipments_path = format!("/shipments?orderId={id}");
    let (order, invoice, shipments) = join3(
        peers.part(&peers.oms, &order_path),
        peers.part(&peers.accounting, &invoice_path),
        peers.part::<Shipments>(&peers.warehouse, &shipments_path),
    )
    .await;
    let mut missing = Vec::new();
    let order = match order.or_missing("oms", &mut missing) {
        Some(order) => order,
        None => match peers.part(&peers.checkout, &order_path).await {
            Part::Is(order) => order,
            Part::Unknown => return Err(Problem::not_found("order")),
            Part::Down => {
                return Err(Problem::unavailable("service_unavailable", "nobody can say now, try again"));
            }
        },
    };
    Ok(Aggregate {
        order,
        invoice: invoice.or_missing("accounting", &mut missing),
        shipments: shipments.or_missing("warehouse", &mut missing).map(|found| found.shipments),
        missing,
    })
}
