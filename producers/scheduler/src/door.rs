//! `POST /tick`: a clock outside says that a minute may have ended.

use axum::Json;
use axum::extract::State;
use runtime::Caller::{Operator, Scheduler};
use runtime::{Door, Doors, Failure, Problem, Upkeep, clock};
use tracing::warn;

use crate::tick::{Tick, Ticker};

/// What the door stands on.
#[derive(Clone)]
struct Clockwork {
    ticker: Ticker,
    upkeep: Upkeep,
}

/// The REST door. A call is also the time for the upkeep: there may be no CPU between calls.
pub fn doors(ticker: Ticker, upkeep: Upkeep) -> Doors {
    let door = Door::of("Says the latest minute that ended").to(&[Scheduler, Operator]);
    Doors::new().post("/tick", tick, door).with_state(Clockwork { ticker, upkeep })
}

async fn tick(State(Clockwork { ticker, upkeep }): State<Clockwork>) -> Result<Json<Tick>, Problem> {
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
