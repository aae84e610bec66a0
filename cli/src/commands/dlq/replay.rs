//! `boutique dlq replay`: begins a replay, or takes one up again, and follows it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use runtime::Peer;
use serde_json::{Value, json};

use super::ask::{Ops, Who, get, post};
use crate::output;

/// How often the replay is looked at.
const PERIOD: Duration = Duration::from_millis(200);

/// What has no use for how a plan is carried out. Named one by one: an argument that conflicts with the required one counts as that.
const OTHERS: [&str; 5] = ["resume", "cancel", "pause", "follow", "list"];
/// The first Ctrl-C pauses, this one leaves.
const INTERRUPTS_TO_LEAVE: u32 = 2;

/// Replay a plan's letters to the consumer that failed, and follow it.
///
/// Slowly at first: each step of the ramp settles before the next begins. It stops itself when too much fails again, and says how to go on. It runs in the
/// ops service: Ctrl-C pauses it in order and waits for what is out, a second one does not wait; closing the terminal does not pause it. Exit code 0 only when everything was handled.
#[derive(Args)]
#[command(after_help = "Examples:
  boutique dlq replay --plan PLAN --why 'accounting 1.4.3 is out'
  boutique dlq replay --plan PLAN --why '…' --rate 1000 --ramp 1,10,100 --stop-at-failure-share 0.01
  boutique dlq replay --list
  boutique dlq replay --resume REPLAY --why 'mended at last'
  boutique dlq replay --cancel REPLAY --why 'planned anew'")]
pub struct ReplayArgs {
    #[command(flatten)]
    ops: Ops,
    #[command(flatten)]
    who: Who,
    /// The plan to carry out
    #[arg(long, value_name = "PLAN", conflicts_with_all = OTHERS, requires = "why")]
    plan: Option<String>,
    /// Go on with a replay that was paused or stopped itself
    #[arg(long, value_name = "REPLAY", requires = "why", conflicts_with_all = ["cancel", "pause", "follow", "list"])]
    resume: Option<String>,
    /// Pause a replay
    #[arg(long, value_name = "REPLAY", requires = "why", conflicts_with_all = ["cancel", "follow", "list"])]
    pause: Option<String>,
    /// End a replay; what it has not published is open again
    #[arg(long, value_name = "REPLAY", requires = "why", conflicts_with_all = ["follow", "list"])]
    cancel: Option<String>,
    /// Follow a replay that runs
    #[arg(long, value_name = "REPLAY", conflicts_with = "list")]
    follow: Option<String>,
    /// List replays
    #[arg(long)]
    list: bool,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT")]
    why: Option<String>,
    /// Messages a second, at most
    #[arg(long, default_value_t = 100, value_name = "N", requires = "plan", conflicts_with_all = OTHERS)]
    rate: u32,
    /// Messages of the first steps; then come all others
    #[arg(long, value_delimiter = ',', default_value = "1,5,20,100", value_name = "N,N,…", requires = "plan", conflicts_with_all = OTHERS)]
    ramp: Vec<u32>,
    /// Stop when a larger share than this fails
    #[arg(long, default_value_t = 0.05, value_name = "SHARE", requires = "plan", conflicts_with_all = OTHERS)]
    stop_at_failure_share: f64,
    /// Try letters of these predictions too: illegal_state, schema, permanent, transient
    #[arg(long, value_delimiter = ',', value_name = "PREDICTION", requires = "plan", conflicts_with_all = OTHERS)]
    include: Vec<String>,
    /// Do not follow it
    #[arg(long)]
    detach: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let ops = args.ops.peer()?;
    if args.list {
        return list(&ops, args.json).await;
    }
    let why = args.why.clone().unwrap_or_default();
    let by = args.who.name()?;
    let replay: Value = if let Some(plan) = &args.plan {
        let order = json!({
            "plan": plan, "by": by, "why": why, "ratePerSecond": args.rate, "ramp": args.ramp,
            "stopAtFailureShare": args.stop_at_failure_share, "include": args.include,
        });
        post(&ops, "/replays", &order).await?
    } else if let Some(id) = &args.resume {
        control(&ops, id, "resume", &by, &why).await?
    } else if let Some(id) = args.pause.as_ref().or(args.cancel.as_ref()) {
        let what = if args.pause.is_some() { "pause" } else { "cancel" };
        let replay = control(&ops, id, what, &by, &why).await?;
        return report(&replay, args.json);
    } else if let Some(id) = &args.follow {
        get(&ops, &format!("/replays/{id}")).await?
    } else {
        bail!("what is to be done? say --plan, --resume, --pause, --cancel, --follow or --list");
    };
    if args.detach {
        return report(&replay, args.json);
    }
    let replay = follow(&ops, replay, &by).await?;
    report(&replay, args.json)
}

async fn control(ops: &Peer, id: &str, what: &str, by: &str, why: &str) -> anyhow::Result<Value> {
    post(ops, &format!("/replays/{id}/{what}"), &json!({ "by": by, "why": why })).await
}

/// Looks until there is nothing left to wait for. Ctrl-C pauses the replay, a second one ends the looking.
async fn follow(ops: &Peer, mut replay: Value, by: &str) -> anyhow::Result<Value> {
    let id = output::text(&replay["replayId"]);
    let count = |replay: &Value, state: &str| replay["messages"][state].as_u64().unwrap_or(0);
    let total = ["waiting", "published", "handled", "failed"].map(|state| count(&replay, state)).iter().sum::<u64>();
    let bar = output::progress("replayed", usize::try_from(total)?);
    let mut interrupts = 0;
    loop {
        bar.set_position(count(&replay, "handled") + count(&replay, "failed"));
        if is_over(&output::text(&replay["state"]), count(&replay, "published"), interrupts) {
            bar.finish_and_clear();
            return Ok(replay);
        }
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            _ = tokio::signal::ctrl_c() => {
                interrupts += 1;
                if interrupts < INTERRUPTS_TO_LEAVE {
                    // It may have ended a moment before; then there is nothing to pause.
                    let _ = control(ops, &id, "pause", by, "interrupted at the terminal").await;
                }
            }
        }
        replay = get(ops, &format!("/replays/{id}")).await?;
    }
}

/// Whether looking on brings nothing: what a stopped or cancelled replay has out may never settle, and of a paused one it is waited for
/// only as long as whoever looks wants to.
fn is_over(state: &str, out: u64, interrupts: u32) -> bool {
    match state {
        "running" => interrupts >= INTERRUPTS_TO_LEAVE,
        "paused" => out == 0 || interrupts >= INTERRUPTS_TO_LEAVE,
        _ => true,
    }
}

fn report(replay: &Value, json: bool) -> anyhow::Result<ExitCode> {
    let (state, id) = (output::text(&replay["state"]), output::text(&replay["replayId"]));
    let messages = &replay["messages"];
    let is_done = state == "finished" && messages["failed"] == 0 && messages["skipped"] == 0;
    let code = if is_done || state == "running" { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if json {
        output::json(replay)?;
        return Ok(code);
    }
    println!("replay {id} is {state}: {}", counts(messages));
    let note = output::text(&replay["note"]);
    if !note.is_empty() {
        println!("{note}");
    }
    for item in replay["failed"].as_array().into_iter().flatten().take(5) {
        println!(
            "  failed: letter {}: {}: {}",
            output::text(&item["letterId"]),
            output::text(&item["code"]),
            output::text(&item["reason"])
        );
    }
    let out = messages["published"].as_u64().unwrap_or(0);
    if out > 0 && state != "running" {
        println!(
            "{out} are still out, their fate is not known yet; look again with `boutique dlq replay --follow {id}`"
        );
    }
    if matches!(state.as_str(), "paused" | "stopped") {
        println!("go on with `boutique dlq replay --resume {id} --why '…'`, end it with `--cancel {id}`");
    }
    Ok(code)
}

fn counts(messages: &Value) -> String {
    let told =
        ["handled", "failed", "published", "waiting", "skipped"].map(|state| format!("{} {state}", messages[state]));
    told.join(", ")
}

async fn list(ops: &Peer, json: bool) -> anyhow::Result<ExitCode> {
    let found: Value = get(ops, "/replays?limit=500").await?;
    if json {
        output::json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["replay", "consumer", "state", "messages", "by", "why"]);
    for replay in found["replays"].as_array().into_iter().flatten() {
        table.add_row([
            output::text(&replay["replayId"]),
            output::text(&replay["consumer"]),
            output::text(&replay["state"]),
            counts(&replay["messages"]),
            output::text(&replay["madeBy"]),
            output::text(&replay["why"]),
        ]);
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        _args: ReplayArgs,
    }

    fn is_taken(line: &str) -> bool {
        Alone::try_parse_from(["replay"].into_iter().chain(line.split(' '))).is_ok()
    }

    #[test]
    fn looking_ends_with_a_stop_a_cancel_or_a_second_interrupt() {
        assert!(is_over("stopped", 7, 0), "what a stopped replay has out may never settle");
        assert!(is_over("cancelled", 7, 0) && is_over("finished", 0, 0));
        assert!(!is_over("running", 0, 0) && !is_over("running", 7, 1));
        assert!(!is_over("paused", 7, 1) && is_over("paused", 0, 1) && is_over("paused", 7, 2));
        assert!(is_over("running", 7, 2), "ops may be out of reach of a pause");
    }

    #[test]
    fn one_thing_is_done_at_a_time_and_how_it_runs_belongs_to_a_plan() {
        assert!(is_taken("--plan P --why x --rate 7 --ramp 1,2 --stop-at-failure-share 0.5 --include schema"));
        assert!(is_taken("--resume R --why x") && is_taken("--cancel R --why x") && is_taken("--follow R"));
        for wrong in [
            "--resume R --why x --rate 7",
            "--resume R --why x --ramp 1,2",
            "--resume R --why x --stop-at-failure-share 0.5",
            "--resume R --why x --include schema",
            "--resume R --cancel R --why x",
            "--pause R --resume R --why x",
            "--cancel R --follow R --why x",
            "--plan P --resume R --why x",
        ] {
            assert!(!is_taken(wrong), "{wrong}");
        }
    }
}
