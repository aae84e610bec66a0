//! The rules on their own.

use super::*;

#[test]
fn a_return_is_overdue_when_its_time_is_up_and_not_before() {
    assert!(!is_overdue(1_000, 500, 1_499));
    assert!(is_overdue(1_000, 500, 1_500));
    assert!(!is_overdue(i64::MAX - 1, 500, 0), "no time is too late to add up");
}

#[test]
fn a_product_on_two_lines_is_expected_once() {
    let line = |quantity| OrderLine {
        product_id: "LAMP".parse().unwrap(),
        quantity,
        unit_price: events::Money::from_minor(100),
        ledger: Ledger::Inventory,
    };
    let expected = expected(&[line(1), line(2)]);
    assert_eq!((expected.len(), expected[0].quantity), (1, 3));
}
