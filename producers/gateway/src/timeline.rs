//! `GET /v1/orders/{orderId}/timeline`: what every service said and handled about one order.

use events::OrderId;
use futures::future::join_all;
use runtime::{Peer, Problem, Story};
use schemars::JsonSchema;
use serde::Serialize;

use crate::peers::{Part, Peers};

/// An order's story.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Timeline {
    order_id: OrderId,
    /// What each service said and handled.
    services: Vec<Chapter>,
}

/// One service's part of it.
#[derive(Debug, Serialize, JsonSchema)]
struct Chapter {
    service: &'static str,
    /// `null` when the service did not answer.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    story: Option<Story>,
}

/// Asks every service side by side.
///
/// # Errors
/// 404 when all answered and none knows the order.
pub(crate) async fn timeline(peers: &Peers, order_id: OrderId) -> Result<Timeline, Problem> {
    let services: Vec<Chapter> =
        ask(peers, &order_id).await.into_iter().map(|(service, story)| Chapter { service, story }).collect();
    let nothing = |chapter: &Chapter| chapter.story.as_ref().is_some_and(|story| *story == Story::default());
    if services.iter().all(nothing) {
        return Err(Problem::not_found("order"));
    }
    Ok(Timeline { order_id, services })
}

/// Each service's story; empty for one that knows nothing, `None` for one that did not answer.
async fn ask(peers: &Peers, order_id: &OrderId) -> Vec<(&'static str, Option<Story>)> {
    let path = format!("/events/{order_id}");
    let tellers: [&Peer; 8] = [
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
        (peer.name(), story)
    });
    join_all(chapters).await
}
