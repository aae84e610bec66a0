//! Each planted bug is found, and it is the bug that is found: the same seed without it is clean.

use super::Bug;
use crate::stage::Stage;

/// Runs within which every bug has to be found.
const WITHIN: u64 = 1_000;

fn is_found(bug: Bug, by: &str) {
    let found = bug.first_found(0..WITHIN).expect("a stage").unwrap_or_else(|| panic!("{bug:?} is not found"));
    println!("{bug:?} is found by seed {}: {}", found.seed, found.violations[0]);
    assert!(found.violations.iter().any(|what| what.contains(by)), "{:?} says nothing of {by:?}", found.violations);
    let clean = Stage::new().expect("a stage").run(found.seed);
    assert!(clean.violations.is_empty(), "{:?}", clean.violations);
}

#[test]
fn a_claim_outside_the_transaction_is_found() {
    is_found(Bug::ClaimsOutside, "has not ended");
}

#[test]
fn a_publish_before_the_commit_is_found() {
    is_found(Bug::PublishesEarly, "was published, and nobody committed it");
}

#[test]
fn a_compensation_that_forgets_a_line_is_found() {
    is_found(Bug::ForgetsALine, "reserved, open orders and manual holds want");
}

#[test]
fn an_oms_that_assumes_order_is_found() {
    is_found(Bug::AssumesOrder, "oms has not handled");
}

#[test]
fn a_second_refund_on_redelivery_is_found() {
    is_found(Bug::RefundsTwice, "refund_issued.v1 of order");
}
