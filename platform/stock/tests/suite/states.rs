//! Every state of a hold by everything that can happen to it, through the ledger itself.

use events::states::hold::{MACHINE, State, Trigger};
use runtime::Outcome;
use testkit::Scenario;

use crate::shop::*;

const WHOLE: [(&str, u32); 2] = [(LENS, 3), (MUG, 1)];

/// A hold of [`WHOLE`] for the order `o1`, brought to a state from outside.
async fn brought_to(state: State) -> Scenario {
    let shop = shop().await;
    hold(&shop, "o1", &WHOLE).await.unwrap();
    if state != State::Held {
        shop.when(&stock_reserved("o1", &WHOLE).seal()).await;
    }
    match state {
        State::Held | State::Committed => {}
        State::Shipped => drop(shop.when(&dispatched("o1", "s1", &WHOLE).seal()).await),
        State::Released => drop(shop.when(&cancelled("o1")).await),
    }
    assert_eq!(status(&shop, "o1").await, Some(state));
    shop
}

/// Makes it happen, and says whether it was refused.
async fn happen(shop: &Scenario, trigger: Trigger) -> bool {
    let outcome = match trigger {
        Trigger::Commit => shop.when(&stock_reserved("o1", &WHOLE).number(7).seal()).await,
        Trigger::Lapse => shop.when(&stock_reserved("o1", &WHOLE).at(DEADLINE).number(7).seal()).await,
        Trigger::ShipPart => shop.when(&dispatched("o1", "s7", &[(LENS, 3)]).seal()).await,
        Trigger::ShipRest => shop.when(&dispatched("o1", "s7", &WHOLE).seal()).await,
        Trigger::Cancel => shop.when(&cancelled("o1")).await,
        Trigger::Withdraw => {
            let id = "o1-hold".parse().unwrap();
            return shop
                .transactor()
                .store()
                .write(DEADLINE, move |tx| stock::withdraw::withdraw(tx, &id))
                .await
                .is_err();
        }
    };
    matches!(outcome, Outcome::Permanent(failure) if failure.code() == "illegal_state")
}

#[tokio::test]
async fn a_step_that_the_table_lacks_is_refused_or_says_nothing_new_and_moves_no_unit() {
    for state in State::ALL.iter().copied() {
        for trigger in Trigger::ALL.iter().copied() {
            let shop = brought_to(state).await;
            let before = (units(&shop, LENS).await, units(&shop, MUG).await);
            let refused = happen(&shop, trigger).await;
            let after = status(&shop, "o1").await.unwrap();
            match MACHINE.next(state, trigger) {
                Ok(to) => assert_eq!((after, refused), (to, false), "{state:?} {trigger:?}"),
                Err(_) => {
                    assert_eq!(after, state, "{state:?} {trigger:?}");
                    assert_eq!((units(&shop, LENS).await, units(&shop, MUG).await), before, "{state:?} {trigger:?}");
                    // A deadline that passes is only looked at while the hold is not firm; it is no request that could be refused.
                    assert!(refused || trigger == Trigger::Lapse, "{state:?} {trigger:?}");
                }
            }
        }
    }
}
