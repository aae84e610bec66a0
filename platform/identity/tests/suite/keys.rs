//! How long keys are believed, and how often the issuer is asked for them. Time is data here: nobody waits.

use std::time::Duration;

use identity::limits::{
    FAILED_FETCH_PAUSE_S, FILE_AGE_S, KEYS_AGE_S, KEYS_STALE_S, LIFETIME_S, UNKNOWN_KEY_FILE_PAUSE_S,
    UNKNOWN_KEY_PAUSE_S,
};
use identity::{Jwks, Refused, Trust, Verifier};
use serde_json::json;
use testkit::{Issuer, Mood, TestKey};

use crate::{AUDIENCE, NOW_S, claims, verifier};

/// Longer than anybody may wait who has keys that serve, and shorter than a fetch may take.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A token that is good for as long as any may be.
fn lasting(key: &TestKey, issuer: &Issuer) -> String {
    key.token(&claims(issuer, &json!({ "exp": NOW_S + LIFETIME_S })))
}

#[tokio::test]
async fn keys_are_fetched_once_and_not_for_each_token() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let verifier = verifier(&issuer);
    for number in 0..10 {
        let token = key.token(&claims(&issuer, &json!({ "sub": number.to_string() })));
        assert!(verifier.verify(&token, NOW_S).await.is_ok());
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn many_at_once_fetch_once() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let (verifier, token) = (verifier(&issuer), lasting(&key, &issuer));
    let all = (0..50).map(|_| {
        let (verifier, token) = (verifier.clone(), token.clone());
        tokio::spawn(async move { verifier.verify(&token, NOW_S).await })
    });
    for verified in futures::future::join_all(all).await {
        assert!(verified.unwrap().is_ok());
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn invented_kids_do_not_make_us_hammer_the_issuer() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let verifier = verifier(&issuer);
    assert!(verifier.verify(&lasting(&key, &issuer), NOW_S).await.is_ok());
    let invented = |number: i64| TestKey::ec(&format!("invented-{number}")).token(&claims(&issuer, &json!({})));
    for number in 0..30 {
        let refused = verifier.verify(&invented(number), NOW_S + number).await.err();
        assert_eq!(refused, Some(Refused::UnknownKey));
    }
    assert_eq!(issuer.asked(), 1, "the first fetch was a moment ago");
    let many = (0..20).map(|number| {
        let (verifier, token) = (verifier.clone(), invented(number));
        tokio::spawn(async move { verifier.verify(&token, NOW_S + UNKNOWN_KEY_PAUSE_S).await.err() })
    });
    for refused in futures::future::join_all(many).await {
        assert_eq!(refused.unwrap(), Some(Refused::UnknownKey));
    }
    assert_eq!(issuer.asked(), 2, "twenty at once are one fetch");
}

#[tokio::test]
async fn after_a_rotation_the_new_key_is_believed_and_tokens_of_the_old_one_are_not() {
    let (old, new) = (TestKey::ec("old"), TestKey::ec("new"));
    let issuer = Issuer::new(vec![old.jwk()]).await;
    let verifier = verifier(&issuer);
    let (of_old, of_new) = (lasting(&old, &issuer), lasting(&new, &issuer));
    assert!(verifier.verify(&of_old, NOW_S).await.is_ok());

    issuer.publish(vec![new.jwk()]);
    assert!(verifier.verify(&of_old, NOW_S + 1).await.is_ok(), "nobody has told us yet");
    let then_s = NOW_S + UNKNOWN_KEY_PAUSE_S;
    assert!(verifier.verify(&of_new, then_s).await.is_ok(), "an unknown kid makes us look");
    assert_eq!(verifier.verify(&of_old, then_s).await.err(), Some(Refused::UnknownKey), "remembered or not");
}

#[tokio::test]
async fn a_key_that_was_rotated_away_ends_within_the_age_of_the_keys_though_nobody_uses_the_new_one() {
    let (old, new) = (TestKey::ec("old"), TestKey::ec("new"));
    let issuer = Issuer::new(vec![old.jwk()]).await;
    let (verifier, of_old) = (verifier(&issuer), lasting(&old, &issuer));
    assert!(verifier.verify(&of_old, NOW_S).await.is_ok());
    issuer.publish(vec![new.jwk()]);
    let refused = verifier.verify(&of_old, NOW_S + KEYS_AGE_S).await.err();
    assert_eq!(refused, Some(Refused::UnknownKey));
}

#[tokio::test]
async fn ageing_keys_are_renewed_without_anybody_waiting() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let (verifier, token) = (verifier(&issuer), lasting(&key, &issuer));
    assert!(verifier.verify(&token, NOW_S).await.is_ok());
    issuer.be(Mood::Silent);
    let ageing_s = NOW_S + KEYS_AGE_S / 4 * 3;
    assert!(verifier.verify(&token, ageing_s).await.is_ok(), "the issuer does not answer, and nobody waits for it");
    while issuer.asked() < 2 {
        tokio::task::yield_now().await;
    }
}

/// A verifier of what `issuer` says that gives up a fetch soon.
fn impatient(issuer: &Issuer) -> Verifier {
    let keys = Jwks::with_patience(&issuer.jwks(), Duration::from_millis(50)).unwrap();
    Verifier::new(Trust::new(vec![issuer.name()], AUDIENCE.to_owned(), keys).unwrap())
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn while_an_issuer_is_silent_old_keys_serve_at_once_and_nobody_leaves_a_task_behind() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let (verifier, token) = (verifier(&issuer), lasting(&key, &issuer));
    assert!(verifier.verify(&token, NOW_S).await.is_ok());
    issuer.be(Mood::Silent);
    let old_s = NOW_S + KEYS_AGE_S;
    let verified = tokio::time::timeout(AT_ONCE, verifier.verify(&token, old_s)).await;
    assert!(verified.expect("it waits for a moment at most").is_ok());

    let before = tasks();
    let crowd = async {
        for number in 0..200 {
            assert!(verifier.verify(&token, old_s + number / 20).await.is_ok());
            let new = key.token(&claims(&issuer, &json!({ "exp": NOW_S + LIFETIME_S, "jti": number })));
            assert!(verifier.verify(&new, old_s + number / 20).await.is_ok());
            let invented = TestKey::ec("invented").token(&claims(&issuer, &json!({ "exp": NOW_S + LIFETIME_S })));
            assert_eq!(verifier.verify(&invented, old_s).await.err(), Some(Refused::UnknownKey));
        }
    };
    tokio::time::timeout(AT_ONCE, crowd).await.expect("nobody waits");
    assert_eq!((issuer.asked(), tasks()), (2, before));
}

#[tokio::test]
async fn keys_of_an_issuer_that_speaks_again_are_had_without_anybody_waiting() {
    let (old, new) = (TestKey::ec("old"), TestKey::ec("new"));
    let issuer = Issuer::new(vec![old.jwk()]).await;
    let (verifier, of_old, of_new) = (impatient(&issuer), lasting(&old, &issuer), lasting(&new, &issuer));
    assert!(verifier.verify(&of_old, NOW_S).await.is_ok());
    issuer.be(Mood::Silent);
    let mut now_s = NOW_S + KEYS_AGE_S;
    for asked in 2..4 {
        // The fetch before is given up at some time; after the pause there is another.
        while issuer.asked() < asked {
            now_s += FAILED_FETCH_PAUSE_S;
            assert!(verifier.verify(&of_old, now_s).await.is_ok());
            tokio::task::yield_now().await;
        }
    }
    issuer.publish(vec![new.jwk()]);
    issuer.be(Mood::Well);
    let spoken = async {
        while verifier.verify(&of_old, now_s).await.is_ok() {
            now_s += FAILED_FETCH_PAUSE_S;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(AT_ONCE, spoken).await.expect("it is asked again");
    assert!(verifier.verify(&of_new, now_s).await.is_ok());
    assert_eq!(verifier.verify(&of_old, now_s).await.err(), Some(Refused::UnknownKey));
}

#[tokio::test]
async fn an_issuer_that_is_down_is_outlived_for_a_day_and_bad_tokens_stay_bad() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let verifier = verifier(&issuer);
    let token = key.token(&claims(&issuer, &json!({ "exp": NOW_S + LIFETIME_S })));
    assert!(verifier.verify(&token, NOW_S).await.is_ok());
    issuer.be(Mood::Down);
    for later_s in [KEYS_AGE_S, KEYS_AGE_S + FAILED_FETCH_PAUSE_S, KEYS_STALE_S - 1] {
        let now_s = NOW_S + later_s;
        assert!(verifier.verify(&token, now_s).await.is_ok(), "after {later_s} s");
        let forged = TestKey::ec("k").token(&claims(&issuer, &json!({ "iat": now_s, "exp": now_s + 600 })));
        assert_eq!(verifier.verify(&forged, now_s).await.err(), Some(Refused::BadSignature), "after {later_s} s");
    }
    let refused = verifier.verify(&token, NOW_S + KEYS_STALE_S).await.err();
    assert_eq!(refused, Some(Refused::KeysUnavailable));
    issuer.be(Mood::Well);
    let now_s = NOW_S + KEYS_STALE_S + FAILED_FETCH_PAUSE_S;
    let fresh = key.token(&claims(&issuer, &json!({ "iat": now_s, "exp": now_s + 600 })));
    assert!(verifier.verify(&fresh, now_s).await.is_ok());
}

#[tokio::test]
async fn without_keys_nothing_is_believed_and_a_failing_issuer_is_not_hammered() {
    let key = TestKey::ec("k");
    for mood in [Mood::Down, Mood::Elsewhere, Mood::Verbose] {
        let issuer = Issuer::new(vec![key.jwk()]).await;
        issuer.be(mood);
        let (verifier, token) = (verifier(&issuer), lasting(&key, &issuer));
        for _ in 0..5 {
            assert_eq!(verifier.verify(&token, NOW_S).await.err(), Some(Refused::KeysUnavailable), "{mood:?}");
        }
        assert_eq!(issuer.asked(), 1, "{mood:?}");
        issuer.be(Mood::Well);
        assert!(verifier.verify(&token, NOW_S + FAILED_FETCH_PAUSE_S).await.is_ok(), "{mood:?}");
    }
}

#[tokio::test]
async fn an_issuer_that_never_answers_is_given_up() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    issuer.be(Mood::Silent);
    let verifier = impatient(&issuer);
    let refused = verifier.verify(&lasting(&key, &issuer), NOW_S).await.err();
    assert_eq!(refused, Some(Refused::KeysUnavailable));
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_keys_old_and_not_young() {
    let key = TestKey::ec("k");
    let issuer = Issuer::new(vec![key.jwk()]).await;
    let verifier = verifier(&issuer);
    assert!(verifier.verify(&lasting(&key, &issuer), NOW_S).await.is_ok());
    let before_s = NOW_S - 1_000;
    let token = key.token(&claims(&issuer, &json!({ "iat": before_s, "exp": before_s + 600 })));
    assert!(verifier.verify(&token, before_s).await.is_ok());
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_file_is_read_again_when_it_is_old_and_when_a_kid_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let (first, second, third) = (TestKey::ec("1"), TestKey::ec("2"), TestKey::ec("3"));
    let publish = |key: &TestKey| std::fs::write(&path, json!({ "keys": [key.jwk()] }).to_string()).unwrap();
    let issuer = Issuer::new(Vec::new()).await;
    let keys = Jwks::new(&format!("file:{}", path.display())).unwrap();
    let verifier = Verifier::new(Trust::new(vec![issuer.name()], AUDIENCE.to_owned(), keys).unwrap());
    let (of_first, of_second, of_third) =
        (lasting(&first, &issuer), lasting(&second, &issuer), lasting(&third, &issuer));

    assert_eq!(verifier.verify(&of_first, NOW_S).await.err(), Some(Refused::KeysUnavailable), "there is no file");
    publish(&first);
    let now_s = NOW_S + FAILED_FETCH_PAUSE_S;
    assert!(verifier.verify(&of_first, now_s).await.is_ok());
    publish(&second);
    assert!(verifier.verify(&of_second, now_s + UNKNOWN_KEY_FILE_PAUSE_S).await.is_ok());
    publish(&third);
    let now_s = now_s + UNKNOWN_KEY_FILE_PAUSE_S;
    assert_eq!(verifier.verify(&of_second, now_s + FILE_AGE_S).await.err(), Some(Refused::UnknownKey));
    assert!(verifier.verify(&of_third, now_s + FILE_AGE_S).await.is_ok());
    assert_eq!(issuer.asked(), 0);
}
