//! Every state of an invoice by everything that can happen to it, through accounting itself.

use events::Money;
use events::billing::RefundRequested;
use events::states::invoice::{MACHINE, State, Trigger};
use runtime::Outcome;
use testkit::event;

use crate::world::{Crm, World, cancelled, dispatched, requested};

async fn status(world: &World) -> State {
    let sql = "SELECT status FROM invoices WHERE order_id = 'o-1'";
    let found = world.accounting.read(move |tx| tx.query_opt(sql, &[], |row| row.get_text(0))).await;
    found.map_or(State::Absent, |name| State::named(&name).unwrap())
}

async fn happen(world: &World, trigger: Trigger, number: u32) -> Outcome {
    let event = match trigger {
        Trigger::Issue | Trigger::Refuse => {
            world.crm_says(if trigger == Trigger::Issue { Crm::Active } else { Crm::Closed });
            event(requested("o-1"))
        }
        Trigger::Earn => event(dispatched("o-1", &format!("s-{number}"), "CAMERA", 2)).from("warehouse"),
        Trigger::Refund => event(RefundRequested {
            order_id: "o-1".parse().unwrap(),
            refund_id: format!("r-{number}").parse().unwrap(),
            amount: Money::from_minor(100),
            reason: "returned".to_owned(),
            shipment_id: None,
        })
        .from("oms"),
        Trigger::Cancel => event(cancelled("o-1")).from("oms"),
    };
    world.accounting.when(&event.number(number).seal()).await
}

async fn brought_to(state: State) -> World {
    let world = World::new().await;
    let way: &[Trigger] = match state {
        State::Absent => &[],
        State::Cancelled => &[Trigger::Cancel],
        State::Issued => &[Trigger::Issue],
        State::Failed => &[Trigger::Refuse],
        State::Reversed => &[Trigger::Issue, Trigger::Cancel],
    };
    for (number, trigger) in (1..).zip(way) {
        happen(&world, *trigger, number).await;
    }
    assert_eq!(status(&world).await, state);
    world
}

#[tokio::test]
async fn a_step_that_the_table_lacks_is_refused_and_books_nothing() {
    for state in State::ALL.iter().copied() {
        for trigger in Trigger::ALL.iter().copied() {
            let world = brought_to(state).await;
            let revenue = world.balance("revenue").await;
            let outcome = happen(&world, trigger, 9).await;
            match MACHINE.next(state, trigger) {
                Ok(to) => {
                    assert!(matches!(outcome, Outcome::Handled(_)), "{state:?} {trigger:?}: {outcome:?}");
                    assert_eq!(status(&world).await, to, "{state:?} {trigger:?}");
                }
                Err(_) => {
                    let refused = match &outcome {
                        // What comes before the invoice waits for it.
                        Outcome::Transient(failure) => state == State::Absent && failure.code() == "invoice_pending",
                        Outcome::Permanent(failure) => failure.code() == "illegal_state",
                        _ => false,
                    };
                    assert!(refused, "{state:?} {trigger:?}: {outcome:?}");
                    assert_eq!((status(&world).await, world.balance("revenue").await), (state, revenue));
                }
            }
        }
    }
}
