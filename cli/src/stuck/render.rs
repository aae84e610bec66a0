//! The report for people.

use std::fmt::Write;

use events::Timestamp;
use events::topology::TYPE_PREFIX;

use super::{Finding, Held, Place, Report};
use crate::output;

/// A table with a line per wait, and what mends each order below it.
pub fn render(report: &Report) -> String {
    let mut table = output::table(&["order", "status", "missing", "owed by", "since", "where it is"]);
    let mut commands: Vec<&str> = Vec::new();
    for Held { order_id, status, waits, .. } in &report.orders {
        for finding in waits {
            let Finding { wait, place, command } = finding;
            let missing = match &wait.ledger {
                Some(ledger) => format!("{} ({ledger})", short(&wait.missing)),
                None => short(&wait.missing).to_owned(),
            };
            let late = if wait.stuck_since.is_some() { "STUCK since " } else { "" };
            let since = format!("{late}{}", wait.since);
            table.add_row([order_id.as_str(), status, &missing, &wait.owed_by, &since, &describe(place)]);
            commands.extend(command.as_deref());
        }
    }
    commands.dedup();
    let mut out = String::new();
    if !report.orders.is_empty() {
        push(&mut out, &table.to_string());
    }
    match report.stuck {
        0 => push(&mut out, "no order is stuck"),
        1 => push(&mut out, "1 order is stuck"),
        count => push(&mut out, &format!("{count} orders are stuck")),
    }
    if report.unwatched {
        let heard = report.minute_heard_at.map_or_else(|| "has heard no minute yet".to_owned(), heard_last);
        push(&mut out, &format!("oms {heard}: NOBODY WATCHES THE DEADLINES; see to the scheduler and its clock"));
    }
    if !commands.is_empty() {
        push(&mut out, "what to do next:");
        for command in commands {
            push(&mut out, &format!("  {command}"));
        }
    }
    out
}

fn heard_last(at: Timestamp) -> String {
    format!("heard its last minute at {at}")
}

fn describe(place: &Place) -> String {
    match place {
        Place::Awaited => "awaited, in time".to_owned(),
        Place::Review => "a person has to release or refuse it".to_owned(),
        Place::DeadLetter { consumer, event_type, .. } => {
            format!("{} is a DEAD LETTER of {consumer}", short(event_type))
        }
        Place::Outbox { service, event_type, .. } => format!("{} is in the outbox of {service}", short(event_type)),
        Place::Unhandled { consumer, event_type, .. } => {
            format!(
                "{consumer} has not handled {}: it is down, or Pub/Sub gave the event up as a dead letter",
                short(event_type)
            )
        }
        Place::Unanswered { consumer } => format!("{consumer} has handled everything and not answered"),
        Place::NeverSaid { event_type } => format!("nobody ever said {}", short(event_type)),
        Place::Unknown { service } => format!("{service} could not be asked"),
    }
}

fn short(event_type: &str) -> &str {
    event_type.trim_start_matches(TYPE_PREFIX)
}

fn push(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("a string takes what is written to it");
}
