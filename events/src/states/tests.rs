//! The tables on their own.

use std::collections::BTreeSet;

use super::*;

fn every_table_is_sound<S: Named + Ord, T: Named + Ord>(machine: &Machine<S, T>) {
    let Machine { name, initial, states, triggers, finals, steps, .. } = *machine;
    let mut pairs = BTreeSet::new();
    for (from, by, to) in steps {
        assert!(pairs.insert((*from, *by)), "{name}: {from:?} and {by:?} are there twice");
        assert_eq!(machine.next(*from, *by), Ok(*to));
    }
    for &from in states {
        for &by in triggers {
            let known = pairs.contains(&(from, by));
            assert_eq!(machine.next(from, by).is_ok(), known, "{name}: {from:?} {by:?}");
        }
    }
    let mut reached = BTreeSet::from([initial]);
    loop {
        let further: Vec<S> = steps.iter().filter(|step| reached.contains(&step.0)).map(|step| step.2).collect();
        let before = reached.len();
        reached.extend(further);
        if reached.len() == before {
            break;
        }
    }
    for &state in states {
        assert!(reached.contains(&state), "{name}: {state:?} cannot be reached");
        let ways_out: Vec<S> =
            steps.iter().filter(|step| step.0 == state && step.2 != state).map(|step| step.2).collect();
        if finals.contains(&state) {
            assert!(
                ways_out.iter().all(|to| finals.contains(to)),
                "{name}: {state:?} is final and leads back into work"
            );
        } else {
            assert!(!ways_out.is_empty(), "{name}: {state:?} has no way out");
        }
    }
    for &by in triggers {
        assert!(steps.iter().any(|step| step.1 == by), "{name}: {by:?} never happens");
    }
}

#[test]
fn a_pair_that_is_not_in_a_table_is_refused_every_state_is_reached_and_no_unfinished_one_is_a_dead_end() {
    every_table_is_sound(&order::MACHINE);
    every_table_is_sound(&shipment::MACHINE);
    every_table_is_sound(&returns::MACHINE);
    every_table_is_sound(&invoice::MACHINE);
    every_table_is_sound(&hold::MACHINE);
}

#[test]
fn a_refusal_names_the_machine_the_state_and_the_trigger() {
    let refused = shipment::MACHINE.next(shipment::State::Delivered, shipment::Trigger::Cancel);
    let Err(illegal) = refused else { panic!("{refused:?}") };
    assert_eq!(illegal.to_string(), "the shipment is delivered, and cancel is no step from there");
}

#[test]
fn names_are_what_is_read_back() {
    for state in order::State::ALL {
        assert_eq!(order::State::named(state.as_str()), Some(*state));
        assert_eq!(serde_json::to_string(state).unwrap(), format!("\"{}\"", state.as_str()));
    }
    assert_eq!(order::State::named("lost"), None);
}
