//! The REST doors.

mod edits;
mod erasures;
mod letters;
mod plans;
mod replays;
mod trail;

use axum::Router;
use axum::routing::{get, post};
use store::Store;

use crate::peers::Peers;
use crate::plan::Planner;

/// What the doors work with.
#[derive(Clone)]
pub(crate) struct Doors {
    store: Store,
    peers: Peers,
    planner: Planner,
    settle_patience_ms: i64,
}

pub(crate) fn router(store: Store, peers: Peers, planner: Planner, settle_patience_ms: i64) -> Router {
    Router::new()
        .route("/groups", get(letters::groups))
        .route("/letters", get(letters::list))
        .route("/letters/archive", post(letters::archive))
        .route("/letters/{letterId}", get(letters::show))
        .route("/letters/{letterId}/edits", post(edits::propose))
        .route("/letters/{letterId}/edits/withdraw", post(edits::withdraw))
        .route("/edits/{editId}/approve", post(edits::approve))
        .route("/plans", post(plans::make))
        .route("/plans/{plan}", get(plans::show))
        .route("/replays", post(replays::start).get(replays::list))
        .route("/replays/{replayId}", get(replays::show))
        .route("/replays/{replayId}/pause", post(replays::pause))
        .route("/replays/{replayId}/resume", post(replays::resume))
        .route("/replays/{replayId}/cancel", post(replays::cancel))
        .route("/audit", get(trail::list))
        .route("/erasures", post(erasures::erase))
        .with_state(Doors { store, peers, planner, settle_patience_ms })
}
