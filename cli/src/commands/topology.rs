//! `boutique topology`

use clap::Args;
use events::topology::{self, EVENTS, SUBSCRIPTIONS};

use crate::output;

/// Print who says what to whom: events, topics, subscriptions and their filters.
#[derive(Args)]
pub struct TopologyArgs {
    /// Print JSON: the same as schemas/topology.json
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TopologyArgs) -> anyhow::Result<()> {
    if args.json {
        return output::json(&topology::document());
    }
    let mut events = output::table(&["event", "topic", "said by", "heard by"]);
    for row in EVENTS {
        let short = row.event_type.trim_start_matches(topology::TYPE_PREFIX);
        events.add_row([short, row.topic.name(), &row.said_by.join(", "), &row.heard_by.join(", ")]);
    }
    println!("{events}\n");
    let mut subscriptions = output::table(&["subscription", "lets through", "dead letters"]);
    for row in SUBSCRIPTIONS {
        let lets_through = if row.lets_through.is_empty() { "everything" } else { row.lets_through };
        subscriptions.add_row([row.name(), lets_through.to_owned(), topology::dead_letters(row.consumer)]);
    }
    println!("{subscriptions}");
    println!("besides, every subscription lets a replay through only to the consumer it is meant for");
    Ok(())
}
