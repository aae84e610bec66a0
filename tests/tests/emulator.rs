//! The same order against Google's own Pub/Sub emulator, through nothing but its address.
//!
//! Runs where the emulator's jar is installed (`gcloud components install pubsub-emulator`, or the package google-cloud-cli-pubsub-emulator);
//! says so where it is not. `BOUTIQUE_REQUIRE_EMULATOR=1` makes its absence a failure.

use boutique_tests::Shop;
use testkit::Emulator;

#[tokio::test]
async fn an_order_completes_on_googles_emulator() {
    let Some(emulator) = Emulator::start().await else { return };
    let shop = Shop::open_on(&emulator.host).await;
    let placed = shop.place("john-doe", &[("66VCHSJNUP", 1)]).await;
    shop.wait(placed["orderId"].as_str().expect("an id"), "completed").await;
    shop.close().await;
}
