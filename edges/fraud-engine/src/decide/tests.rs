use proptest::prelude::*;

use super::*;

const NORMAL: Signals<'_> = Signals {
    amount_minor: Some(5_000),
    shipping_country: Some("US"),
    billing_country: Some("US"),
    recent_orders: 1,
    velocity_limit: 20,
    recent_at_address: 0,
    address_limit: 5,
    hour: 12,
    local_hour: None,
    customer: Past {
        spending: Spending { amounts: 0, ln_sum: 0, ln_squares: 0 },
        hours: [0; 24],
        completed: 0,
        frauds: 0,
    },
    shop: Spending { amounts: 0, ln_sum: 0, ln_squares: 0 },
    device: None,
};

/// Somebody who placed so many orders of the same amount, at noon.
fn habit(orders: u32, amount_minor: i64) -> Past {
    let spending = (0..orders).fold(Spending::default(), |spending, _| spending.with(amount_minor));
    let mut hours = [0; 24];
    hours[12] = orders;
    Past { spending, hours, completed: 0, frauds: 0 }
}

fn points(signals: Signals<'_>) -> u32 {
    score(&signals).points
}

#[test]
fn a_plain_transaction_is_low_and_needs_no_reason() {
    assert_eq!(score(&Signals::default()), Score::NONE);
    assert_eq!(score(&NORMAL), Score::NONE);
}

#[test]
fn each_rule_begins_at_its_threshold() {
    let amount = |minor| points(Signals { amount_minor: Some(minor), ..NORMAL });
    assert_eq!([49_999, 50_000, 199_999, 200_000].map(amount), [0, 30, 30, 45]);
    assert_eq!([0, 29, 30, 59, 60].map(level), {
        use RiskLevel::{High, Low, Medium};
        [Low, Low, Medium, Medium, High]
    });
    let velocity = |recent_orders| points(Signals { recent_orders, ..NORMAL });
    assert_eq!([20, 21].map(velocity), [0, 30]);
    let address = |recent_at_address| points(Signals { recent_at_address, ..NORMAL });
    assert_eq!([5, 6].map(address), [0, 30]);
    let countries =
        |shipping, billing| score(&Signals { shipping_country: shipping, billing_country: billing, ..NORMAL }).level;
    assert_eq!(countries(Some("DE"), Some("US")), RiskLevel::High);
    assert_eq!(countries(Some("us"), Some("US")), RiskLevel::Low);
    assert_eq!(countries(Some("DE"), None), RiskLevel::Low);
}

#[test]
fn an_amount_is_held_against_the_customer_s_own_and_the_shop_s() {
    let customer = |orders| points(Signals { amount_minor: Some(20_000), customer: habit(orders, 5_000), ..NORMAL });
    assert_eq!([4, 5].map(customer), [0, 20]);
    let shop = |orders| points(Signals { amount_minor: Some(25_000), shop: habit(orders, 5_000).spending, ..NORMAL });
    assert_eq!([199, 200].map(shop), [0, 10]);
}

#[test]
fn a_regular_may_spend_what_they_always_spend() {
    let regular = |completed, frauds, amount_minor| {
        let customer = Past { completed, frauds, ..habit(12, 250_000) };
        points(Signals { amount_minor: Some(amount_minor), customer, ..NORMAL })
    };
    assert_eq!(regular(9, 0, 250_000), 45);
    assert_eq!(regular(10, 0, 250_000), 0);
    assert_eq!(regular(10, 1, 250_000), 45 + 40);
    assert_eq!(regular(10, 0, 1_000_000), 45 + 20);
}

#[test]
fn the_hour_is_odd_where_the_customer_has_a_habit_or_it_is_night() {
    let at = |hour, orders| points(Signals { hour, customer: habit(orders, 5_000), ..NORMAL });
    assert_eq!([11, 12, 13].map(|hour| at(hour, 10)), [0; 3]);
    assert_eq!([10, 14, 0, 23].map(|hour| at(hour, 10)), [15; 4]);
    assert_eq!(at(0, 9), 0, "nine orders are no habit");
    let night = |local_hour| points(Signals { local_hour: Some(local_hour), ..NORMAL });
    assert_eq!([0, 1, 4, 5].map(night), [0, 5, 5, 0]);
    let known = Signals { local_hour: Some(3), customer: habit(10, 5_000), ..NORMAL };
    assert_eq!(points(known), 0, "a habit knows better than the night");
}

#[test]
fn a_device_is_odd_when_it_is_not_the_first_or_belongs_to_many() {
    let device = |is_known, devices_of_customer, others| {
        points(Signals { device: Some(Device { is_known, devices_of_customer, others }), ..NORMAL })
    };
    assert_eq!(device(false, 0, 3), 0);
    assert_eq!(device(false, 1, 0), 10);
    assert_eq!(device(true, 2, 0), 0);
    assert_eq!(device(true, 2, 4), 30);
}

fn past() -> impl Strategy<Value = Past> {
    (0u32..30, 100i64..500_000, 0u32..20, 0u32..3).prop_map(|(orders, amount, completed, frauds)| Past {
        completed,
        frauds,
        ..habit(orders, amount)
    })
}

proptest! {
    /// More of anything odd never makes a transaction look better, and points always have a reason.
    #[test]
    fn more_of_what_is_odd_never_lowers_the_score(
        customer in past(), shop_orders in 0u32..400, shop_amount in 100i64..500_000, hour in 0u8..24,
        amount in 0i64..300_000, orders in 0u32..50, at_address in 0u32..20, others in 0u32..10, abroad: bool,
        more in 0i64..300_000, more_orders in 0u32..50, more_at_address in 0u32..20, more_others in 0u32..10,
    ) {
        let signals = |amount, recent_orders, recent_at_address, others, abroad: bool| Signals {
            amount_minor: Some(amount),
            shipping_country: Some(if abroad { "DE" } else { "US" }),
            recent_orders,
            recent_at_address,
            hour,
            customer,
            shop: habit(shop_orders, shop_amount).spending,
            device: Some(Device { is_known: false, devices_of_customer: 1, others }),
            ..NORMAL
        };
        let less = score(&signals(amount, orders, at_address, others, abroad));
        let (amount, orders) = (amount + more, orders + more_orders);
        let greater = score(&signals(amount, orders, at_address + more_at_address, others + more_others, true));
        prop_assert!(less.points <= greater.points, "{:?} > {:?}", less, greater);
        prop_assert!(less.level <= greater.level);
        prop_assert_eq!(less.points == 0, less.reasons.is_empty());
    }

    #[test]
    fn a_customer_with_a_fraud_more_is_never_scored_lower(customer in past(), amount in 0i64..1_000_000) {
        let with = |frauds| points(Signals { amount_minor: Some(amount), customer: Past { frauds, ..customer }, ..NORMAL });
        prop_assert!(with(0) <= with(1));
        prop_assert!(with(1) <= with(2));
    }
}
