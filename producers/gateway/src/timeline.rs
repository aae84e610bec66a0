//! `GET /v1/orders/{orderId}/timeline`: what every service said and handled about one order.

use events::OrderId;
use futures::future::join_all;
use runtime::{Problem, Story};
use serde::Serialize;

use crate::peers::{Part, Peers};

/// An order's story.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Timeline {
    order_id: OrderId,
    services: Vec<Chapter>,
}

/// One service's part of it.
#[derive(Debug, Serialize)]
struct Chapter {
    service: &'static str,
    /// `null` when the service did not answer.
    story: Option<Story>,
}

/// Asks every service side by side.
///
/// # Errors
/// 404 when all answered and none knows the order.
pub(crate) async fn timeline(peers: &Peers, order_id: OrderId) -> Result<Timeline, Problem> {
    let path = format!("/events/{order_id}");
    let tellers = [
        &peers.checkout,
        &peers.oms,
        &peers.accounting,
        &peers.warehouse,
        &peers.inventory,
        &peers.furniture,
        &peers.fraud_bridge,
        &peers.crm,
    ];
    let chapters = tellers.map(|peer| async {
        let story = match peers.part(peer, &path).await {
            Part::Is(story) => Some(story),
            Part::Unknown => Some(Story::default()),
            Part::Down => None,
        };
        Chapter { service: peer.name(), story }
    });
    let services = join_all(chapters).await;
    let nothing = |chapter: &Chapter| chapter.story.as_ref().is_some_and(|story| *story == Story::default());
    if services.iter().all(nothing) {
        return Err(Problem::not_found("order"));
    }
    Ok(Timeline { order_id, services })
}
