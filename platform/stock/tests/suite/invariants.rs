//! Whatever comes in whatever order: nothing is oversold, and what is reserved is what is held.

use proptest::prelude::*;
use store::params;
use testkit::Scenario;

use crate::shop::*;

/// Something that happens to one of a few orders.
#[derive(Debug, Clone)]
enum Step {
    Hold(u8, u32, u32),
    Commit(u8, u32, u32, bool),
    Cancel(u8),
    Undeliverable(u8),
    Ship(u8, u32, u32),
    Return(u8, u32),
    Withdraw(u8),
    ByHand(u32, bool),
    Minute(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let (order, units) = (0..4_u8, 1..4_u32);
    prop_oneof![
        (order.clone(), units.clone(), units.clone()).prop_map(|(order, lens, mug)| Step::Hold(order, lens, mug)),
        (order.clone(), units.clone(), units.clone(), any::<bool>())
            .prop_map(|(order, lens, mug, late)| Step::Commit(order, lens, mug, late)),
        order.clone().prop_map(Step::Cancel),
        order.clone().prop_map(Step::Undeliverable),
        (order.clone(), units.clone(), units.clone()).prop_map(|(order, lens, mug)| Step::Ship(order, lens, mug)),
        (order.clone(), units.clone()).prop_map(|(order, lens)| Step::Return(order, lens)),
        order.prop_map(Step::Withdraw),
        (units, any::<bool>()).prop_map(|(units, take)| Step::ByHand(units, take)),
        any::<bool>().prop_map(Step::Minute),
    ]
}

async fn run(shop: &Scenario, number: u32, step: Step) {
    let order = |order: u8| format!("o{order}");
    match step {
        Step::Hold(o, lens, mug) => drop(hold(shop, &order(o), &[(MUG, mug), (LENS, lens)]).await),
        Step::Commit(o, lens, mug, late) => {
            let at = if late { DEADLINE } else { DEADLINE - 1 };
            let event = stock_reserved(&order(o), &[(LENS, lens), (MUG, mug)]).at(at).number(number);
            shop.when(&event.seal()).await;
        }
        Step::Cancel(o) => drop(shop.when(&cancelled(&order(o))).await),
        Step::Undeliverable(o) => drop(shop.when(&undeliverable(&order(o))).await),
        Step::Ship(o, lens, mug) => {
            let event = dispatched(&order(o), &format!("s{o}"), &[(LENS, lens), (MUG, mug)]).number(number);
            shop.when(&event.seal()).await;
        }
        Step::Return(o, lens) => drop(shop.when(&returned(&order(o), &format!("r{o}"), &[(LENS, lens)]).seal()).await),
        Step::Withdraw(o) => {
            let id = format!("o{o}-hold").parse().unwrap();
            // A refusal is a fine answer.
            drop(shop.transactor().store().write(testkit::T0, move |tx| stock::withdraw::withdraw(tx, &id)).await);
        }
        Step::Minute(late) => {
            let at_ms = if late { DEADLINE } else { DEADLINE - 60_000 };
            shop.when(&minute(at_ms + i64::from(number))).await;
        }
        Step::ByHand(units, take) => {
            shop.given(move |tx| {
                let lens = LENS.parse().unwrap();
                let by_hand = if take { stock::products::hold_by_hand } else { stock::products::free_by_hand };
                by_hand(tx, &lens, units)
            })
            .await;
        }
    }
}

/// The units of open holds, from the holds' own lines, and the units reserved by hand.
async fn held(shop: &Scenario, product: &'static str) -> u32 {
    shop.read(move |tx| {
        let open = "SELECT lines FROM holds WHERE status IN ('held', 'committed')";
        let lines = tx.query(open, &[], |row| row.get_text(0))?;
        let by_hand = "SELECT reserved_manually FROM stock WHERE product_id = ?1";
        let by_hand: u32 = tx.query_opt(by_hand, params![product], |row| row.get(0))?.unwrap();
        let lines = lines.iter().flat_map(|text| serde_json::from_str::<Vec<events::StockLine>>(text).unwrap());
        let of_product = lines.filter(|line| line.product_id.as_str() == product);
        Ok(by_hand + of_product.map(|line| line.quantity).sum::<u32>())
    })
    .await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_reserved_is_what_is_held_and_never_more_than_there_is(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let shop = shop().await;
            for (number, step) in (0..).zip(steps) {
                run(&shop, number, step).await;
            }
            for product in [LENS, MUG] {
                let (stock_level, reserved) = units(&shop, product).await;
                prop_assert!(reserved <= stock_level);
                prop_assert_eq!(reserved, held(&shop, product).await);
            }
            Ok(())
        })?;
    }
}
