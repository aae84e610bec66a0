//! `schemas/states.md`: every machine as a diagram and a table, for people.

use std::fmt::Write;

use super::{Machine, Named, hold, invoice, order, returns, shipment};

const HEAD: &str = "# State machines

Made from `events/src/states`; a test fails when this page is stale. A pair of state and trigger that is not here does not happen.
Who keeps the state in a row refuses it: an event with it is a dead letter `illegal_state`, a request is answered 409, and 200 where it only repeats
what is known. OMS keeps facts, in whatever order they come, and derives the states of orders and returns from them: a fact that leads nowhere yet is
kept and waits. Accounting's word about an invoice that is not there yet waits as well. In a state drawn with an end nothing is owed any more.
";

/// The whole page.
#[must_use]
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    machine(&mut out, &order::MACHINE);
    machine(&mut out, &shipment::MACHINE);
    machine(&mut out, &returns::MACHINE);
    machine(&mut out, &invoice::MACHINE);
    machine(&mut out, &hold::MACHINE);
    out
}

fn machine<S: Named, T: Named>(out: &mut String, machine: &Machine<S, T>) {
    line(out, &format!("\n## {}\n", machine.name));
    line(out, machine.about);
    line(out, "\n```mermaid\nstateDiagram-v2");
    line(out, &format!("    [*] --> {}", machine.initial.as_str()));
    for (from, by, to) in machine.steps {
        line(out, &format!("    {} --> {}: {}", from.as_str(), to.as_str(), by.as_str()));
    }
    for state in machine.finals {
        line(out, &format!("    {} --> [*]", state.as_str()));
    }
    line(out, "```\n");
    line(out, "| state | means |\n|---|---|");
    for state in machine.states {
        let end = if machine.is_final(*state) { " Final." } else { "" };
        line(out, &format!("| `{}` | {}{end} |", state.as_str(), state.meaning()));
    }
    line(out, "\n| trigger | means |\n|---|---|");
    for trigger in machine.triggers {
        line(out, &format!("| `{}` | {} |", trigger.as_str(), trigger.meaning()));
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string takes what is written to it");
}
