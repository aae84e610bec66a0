//! The REST doors.

mod edits;
mod erasures;
mod letters;
mod plans;
mod replays;
mod trail;

use runtime::Caller::Operator;
use runtime::Door;
use runtime::openapi::Operation;
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

/// Every door. All of them are for people on call.
pub(crate) fn doors(store: Store, peers: Peers, planner: Planner, settle_patience_ms: i64) -> runtime::Doors {
    let on_call = |summary| Door::of(summary).to(&[Operator]);
    let control = |summary| on_call(summary).described(|it| it.refuses(409, "the replay's state does not allow it"));
    runtime::Doors::new()
        .get("/groups", letters::groups, on_call("Dead letters by cause"))
        .get("/letters", letters::list, on_call("Lists dead letters, page by page"))
        .post("/letters/archive", letters::archive, on_call("Puts dead letters away"))
        .get("/letters/{letterId}", letters::show, on_call("One dead letter and its story"))
        .post(
            "/letters/{letterId}/edits",
            edits::propose,
            on_call("Proposes another payload").described(|it| {
                it.refuses(409, "the letter is not open").refuses(422, "it would name a customer in the clear")
            }),
        )
        .post(
            "/letters/{letterId}/edits/withdraw",
            edits::withdraw,
            on_call("Takes a proposal back").described(|it| it.refuses(409, "the letter is not open, or has no edit")),
        )
        .post(
            "/edits/{editId}/approve",
            edits::approve,
            on_call("Approves a proposal of somebody else")
                .described(|it| it.refuses(409, "it was replaced or approved before")),
        )
        .post(
            "/plans",
            plans::make,
            on_call("What a replay would do")
                .described(|it| it.refuses(422, "no letter fits, or letters of several consumers do")),
        )
        .get("/plans/{plan}", plans::show, on_call("One plan"))
        .post("/replays", replays::start, on_call("Starts the replay of a plan").described(started))
        .get("/replays", replays::list, on_call("Lists replays, page by page"))
        .get("/replays/{replayId}", replays::show, on_call("One replay"))
        .post("/replays/{replayId}/pause", replays::pause, control("Pauses a replay"))
        .post("/replays/{replayId}/resume", replays::resume, control("Goes on with a replay"))
        .post("/replays/{replayId}/cancel", replays::cancel, control("Ends a replay"))
        .get("/audit", trail::list, on_call("Who did what, and why"))
        .post("/erasures", erasures::erase, on_call("Takes an erased customer out of what was written here"))
        .with_state(Doors { store, peers, planner, settle_patience_ms })
}

fn started(operation: Operation) -> Operation {
    operation
        .refuses(404, "there is no such plan")
        .refuses(409, "another replay has used the plan, or has its letters")
        .refuses(410, "the plan is too old")
}
