//! `POST /tick`: a clock outside says that a minute may have ended.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use runtime::{Failure, Problem, Upkeep, clock};
use tracing::warn;

use crate::tick::{Tick, Ticker};

/// What the door stands on.
#[derive(Clone)]
struct Door {
    ticker: Ticker,
    upkeep: Upkeep,
}

/// The REST door. A call is also the time for the upkeep: there may be no CPU between calls.
pub fn router(ticker: Ticker, upkeep: Upkeep) -> Router {
    // The caller's identity is to be checked here.
    Router::new().route("/tick", post(tick)).with_state(Door { ticker, upkeep })
}

async fn tick(State(Door { ticker, upkeep }): State<Door>) -> Result<Json<Tick>, Problem> {
    let now = clock::now();
    let tick = ticker.tick(now.as_millisecond()).await.map_err(|failure| refusal(&failure))?;
    upkeep.run(now).await;
    Ok(Json(tick))
}

fn refusal(failure: &Failure) -> Problem {
    warn!(cause = %failure, "a minute could not be said");
    match failure {
        Failure::Transient { code, .. } => {
            Problem::unavailable(code.as_str(), "the minute could not be said now, call again")
        }
        Failure::Permanent { .. } => Problem::internal(&failure.to_string()),
    }
}
