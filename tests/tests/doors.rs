//! Every door of every service of a real shop: nobody comes in without a token, and nobody who is not on the door's list.

use std::time::Duration;

use boutique_tests::Shop;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use identity::{DevelopmentKey, Signer, development};
use runtime::doors::{Callers, LOCAL_DOMAIN, Listed, audience};
use runtime::{CallError, Caller, Identity, Peer};

const PATIENCE: Duration = Duration::from_secs(10);

/// What is said at a door, or the status of an answer from behind it.
async fn knock(peer: &Peer, door: &Listed, token: Option<&HeaderValue>) -> Result<u16, String> {
    let path = door.path.replace(['{', '}'], "");
    let headers: HeaderMap = token.map(|token| (AUTHORIZATION, token.clone())).into_iter().collect();
    match peer.forward(door.method.clone(), &path, headers, Bytes::from_static(b"{}")).await {
        Ok(reply) => Ok(reply.status.as_u16()),
        Err(CallError::TurnedAway { problem, .. }) => Err(format!("{} {}", problem.status, problem.code)),
        Err(error) => panic!("{} {}: {error}", door.method, door.path),
    }
}

/// What a service of the shop sends in the name of `name` to `service`.
async fn token(shop: &Shop, name: &str, service: &str) -> HeaderValue {
    let key = DevelopmentKey::open(&development::key_path(&shop.keys())).expect("the shop's key");
    let signer = Signer::of_development(key, format!("{name}@{LOCAL_DOMAIN}"));
    signer.authorization(&audience(service), runtime::clock::now_ms() / 1_000).await.expect("a token")
}

#[tokio::test]
async fn no_door_of_any_service_is_open_to_whoever_comes() {
    let mut shop = Shop::open().await;
    shop.open_ops().await;
    let mut shut = 0;
    for (service, door) in shop.doors() {
        let peer = Peer::new(service, &shop.url(service), PATIENCE);
        let what = format!("{service}: {} {}", door.method, door.path);
        let stranger = token(&shop, "stranger", service).await;
        let misdirected = token(&shop, "operator", "elsewhere").await;
        let (nobody, unknown, lost) = (
            knock(&peer, door, None).await,
            knock(&peer, door, Some(&stranger)).await,
            knock(&peer, door, Some(&misdirected)).await,
        );
        match door.callers {
            Callers::Anyone => assert_eq!((nobody, door.path == "/health" || door.path == "/ready"), (Ok(200), true)),
            Callers::PubSub => {
                // Signed by a key that Pub/Sub does not have.
                assert_eq!(nobody, Err("401 missing_token".to_owned()), "{what}");
                let caller = token(&shop, "pubsub-push", service).await;
                assert_eq!(knock(&peer, door, Some(&caller)).await, Err("401 unknown_key".to_owned()), "{what}");
                shut += 1;
            }
            Callers::These(list) => {
                assert_eq!(nobody, Err("401 missing_token".to_owned()), "{what}");
                assert_eq!(unknown, Err("403 not_allowed".to_owned()), "{what}");
                assert_eq!(lost, Err("401 wrong_audience".to_owned()), "{what}");
                for caller in Caller::ALL.into_iter().filter(|caller| !list.contains(caller)) {
                    let token = token(&shop, caller.name(), service).await;
                    assert_eq!(knock(&peer, door, Some(&token)).await, Err("403 not_allowed".to_owned()), "{what}");
                }
                shut += 1;
            }
        }
    }
    assert!(shut >= 120, "only {shut} doors were tried");
    shop.close().await;
}

#[tokio::test]
async fn who_is_on_the_list_comes_in() {
    let shop = Shop::open().await;
    let key = DevelopmentKey::open(&development::key_path(&shop.keys())).expect("the shop's key");
    let warehouse = Identity::of_signer(Signer::of_development(key, format!("warehouse@{LOCAL_DOMAIN}")));
    let inventory = warehouse.peer("inventory", &shop.url("inventory"), PATIENCE);
    let looked = inventory.get::<serde_json::Value>("/inventory");
    assert!(looked.await.expect("the warehouse may look")["data"].is_array());
    let customers = warehouse.peer("crm", &shop.url("crm"), PATIENCE).get::<serde_json::Value>("/customers").await;
    assert_eq!(customers.expect_err("customers are none of its business").status(), Some(403));
    shop.close().await;
}
