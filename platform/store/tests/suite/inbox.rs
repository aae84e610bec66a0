//! An event that comes twice has one effect.

use store::inbox::{self, Receipt};
use store::{StoreError, Tx, params};

use crate::scratch::{add, products};

const RECEIPT: Receipt<'static> = Receipt {
    consumer: "inventory.commit-stock",
    source: "//onlineboutique.com/checkout",
    id: "e1",
    event_type: "stock_reserved",
    subject: "orders/1",
};

on_all! {
    async fn a_duplicate_is_not_claimed(scratch: Scratch) {
        let store = scratch.open();
        let claim = |receipt: Receipt<'static>| store.write::<_, StoreError>(5, move |tx| inbox::claim(tx, &receipt));
        assert_eq!(claim(RECEIPT).await, Ok(true));
        assert_eq!(claim(RECEIPT).await, Ok(false));
        assert_eq!(claim(Receipt { consumer: "oms.follow", ..RECEIPT }).await, Ok(true));
        assert_eq!(claim(Receipt { source: "//onlineboutique.com/oms", ..RECEIPT }).await, Ok(true));
        assert_eq!(claim(Receipt { id: "e2", ..RECEIPT }).await, Ok(true));
    }

    async fn a_claim_goes_with_its_effect(scratch: Scratch) {
        let store = scratch.open();
        let failed = store.write::<(), StoreError>(0, |tx| {
            assert!(inbox::claim(tx, &RECEIPT)?);
            add(tx, "negative", -1)
        });
        assert!(failed.await.is_err());
        let again = store.write::<_, StoreError>(0, |tx| {
            add(tx, "positive", 1)?;
            inbox::claim(tx, &RECEIPT)
        });
        assert_eq!(again.await, Ok(true));
        assert_eq!(products(&store).await, ["positive"]);
    }

    async fn deliveries_side_by_side_have_one_effect(scratch: Scratch) {
        let store = scratch.open();
        store.write(0, |tx| add(tx, "a", 0)).await.unwrap();
        let deliveries: Vec<_> = (0..32)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    store
                        .write::<_, StoreError>(0, |tx| {
                            let claimed = inbox::claim(tx, &RECEIPT)?;
                            if claimed {
                                tx.execute("UPDATE stock SET units = units + 1", &[])?;
                            }
                            Ok(claimed)
                        })
                        .await
                })
            })
            .collect();
        let mut claimed = 0;
        for delivery in deliveries {
            claimed += u32::from(delivery.await.unwrap().unwrap());
        }
        assert_eq!(claimed, 1);
        assert_eq!(crate::scratch::number(&store, "SELECT units FROM stock").await, 1);
    }

    async fn what_was_handled_is_told_by_subject(scratch: Scratch) {
        let store = scratch.open();
        for (id, subject, at_ms) in [("b", "orders/1", 10), ("a", "orders/1", 20), ("c", "orders/2", 30)] {
            let receipt = Receipt { id, subject, ..RECEIPT };
            store.write(at_ms, move |tx| inbox::claim(tx, &receipt)).await.unwrap();
        }
        let handled = store.read(|tx| inbox::handled(tx, "orders/1")).await.unwrap();
        let told: Vec<_> = handled.iter().map(|h| (h.id.as_str(), h.event_type.as_str(), h.handled_at_ms)).collect();
        assert_eq!(told, [("b", "stock_reserved", 10), ("a", "stock_reserved", 20)]);
    }

    async fn a_purge_takes_old_claims_a_few_at_a_time(scratch: Scratch) {
        let store = scratch.open();
        store
            .write::<_, StoreError>(0, |tx| {
                for at_ms in 0..10_i64 {
                    claim_at(tx, at_ms)?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let purge = || store.write::<_, StoreError>(0, |tx| inbox::purge(tx, 7, 4));
        assert_eq!((purge().await, purge().await, purge().await), (Ok(4), Ok(3), Ok(0)));
        let left = store.read(|tx| inbox::handled(tx, "orders/1")).await.unwrap();
        assert_eq!(left.iter().map(|h| h.handled_at_ms).collect::<Vec<_>>(), [7, 8, 9]);
    }
}

fn claim_at(tx: &mut Tx<'_>, at_ms: i64) -> Result<(), StoreError> {
    let id = at_ms.to_string();
    assert!(inbox::claim(tx, &Receipt { id: &id, ..RECEIPT })?);
    tx.execute("UPDATE inbox SET handled_at_ms = ?1 WHERE id = ?2", params![at_ms, &id]).map(|_| ())
}
