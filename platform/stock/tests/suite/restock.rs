//! `fulfillment.return_received` takes units in.

use runtime::Outcome;

use crate::shop::*;

#[tokio::test]
async fn returned_units_come_in_once_per_return() {
    let shop = shop().await;
    let back = returned("o1", "r1", &[(LENS, 2), (MUG, 1)]).seal();
    assert_eq!(shop.when(&back).await, Outcome::Handled(vec![]));
    assert_eq!(shop.when(&back).await, Outcome::Duplicate);
    shop.when(&returned("o1", "r1", &[(LENS, 2), (MUG, 1)]).number(2).seal()).await;
    assert_eq!(units(&shop, LENS).await, (12, 0));
    assert_eq!(units(&shop, MUG).await, (6, 0));

    shop.when(&returned("o1", "r2", &[(MUG, 1)]).seal()).await;
    assert_eq!(units(&shop, MUG).await, (7, 0));
}

#[tokio::test]
async fn a_return_of_an_unknown_product_is_a_dead_letter_and_takes_nothing_in() {
    let shop = shop().await;
    let outcome = shop.when(&returned("o1", "r1", &[(LENS, 2), ("GONE", 1)]).seal()).await;
    assert_eq!(dead_letter_code(&outcome), Some("illegal_state"));
    assert_eq!(units(&shop, LENS).await, (10, 0));
}
