//! A person is taken out of dead letters, and the letters stay what they were.

use serde_json::{Value, json};

use crate::world::World;

fn confirmed(order: &str, customer: &str) -> Value {
    json!({
        "orderId": order, "customerId": customer, "risk": "LOW",
        "lines": [{ "productId": "CAMERA", "quantity": 1, "ledger": "inventory",
                    "unitPrice": { "currencyCode": "USD", "units": 12, "nanos": 0 } }],
    })
}

/// The number is in every payload, as a quantity and as a price.
#[tokio::test]
async fn whoever_has_a_number_for_an_id_is_taken_out_and_every_payload_can_still_be_read() {
    let mut world = World::open().await;
    for (order, id) in [("O-1", "1"), ("O-2", "12")] {
        let (theirs, other) = (format!("{order}-theirs"), format!("{order}-other"));
        let letters = [
            world.give_up(&theirs, &confirmed(&theirs, id)).await,
            world.give_up(&other, &confirmed(&other, "nobody")).await,
        ];
        let wanted = json!({ "customerId": id, "name": "Ada", "surname": "L\u{f6}ve" });
        let erased = world.post("/erasures", &wanted).await;
        assert_eq!(erased.body["changed"], 1, "{}", erased.body);
        assert_eq!(world.post("/erasures", &wanted).await.body["changed"], 0);
        for letter in letters {
            let shown = world.get(&format!("/letters/{letter}")).await;
            let line = &shown["payload"]["lines"][0];
            assert_eq!((&line["quantity"], &line["unitPrice"]["units"]), (&json!(1), &json!(12)), "{shown}");
        }
    }
}
