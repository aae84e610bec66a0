//! What a replay asks a consumer: dry runs that leave nothing, and outcomes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use events::order::OrderCancelled;
use events::pubsub::Message;
use events::{Encoded, Envelope, Event};
use runtime::replay::{DryRun, EventKey, Fate, Fates, Question, Rehearsals, Rehearsed, Sample};
use runtime::{
    Attempts, Base, Consumer, Doors, Failure, Foundation, Identity, Inquiry, Peer, Publishing, Running, Service,
};
use serde_json::{Value, json};
use store::{Database, Tx};
use tempfile::TempDir;
use testkit::{SimulatedBus, event};

use crate::fixture::{Invoice, MIGRATIONS, cancelled, issued};

struct Shop {
    bus: Arc<SimulatedBus>,
    running: Running,
    peer: Peer,
    folder: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bus = Arc::new(SimulatedBus::default());
        let base = Base {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database: Database::Sqlite { path: folder.path().join("accounting.db") },
            bus: Arc::clone(&bus) as _,
            identity: Identity::open_house(),
        };
        let foundation = Foundation::open("accounting", &base, MIGRATIONS, Publishing::WithinRequest).unwrap();
        let service = Service::new(foundation, Doors::new()).consumer(Consumer::new("accounting").on(Invoice));
        let running = service.start(base.listen).await.unwrap();
        let peer = Peer::new("accounting", &format!("http://{}", running.address()), Duration::from_secs(10));
        Self { bus, running, peer, folder }
    }

    async fn push(&self, envelope: &Envelope<Encoded>) {
        use base64::Engine;
        let message = Message::from(envelope.clone());
        let data = base64::prelude::BASE64_STANDARD.encode(&message.data);
        let body = json!({ "message": { "attributes": message.attributes, "data": data, "messageId": "7" } });
        let _: Result<Value, _> = self.peer.post_once("/", &body).await;
    }

    async fn dry_run(&self, events: Vec<Sample>) -> Vec<Rehearsed> {
        self.peer.post_once::<_, Rehearsals>("/dry-run", &DryRun { events }).await.unwrap().outcomes
    }

    async fn outcomes(&self, envelopes: &[&Envelope<Encoded>]) -> Vec<Fate> {
        let key =
            |envelope: &&Envelope<Encoded>| EventKey { source: envelope.source.clone(), id: envelope.id.to_string() };
        let question = Question { events: envelopes.iter().map(key).collect() };
        self.peer.post_once::<_, Fates>("/outcomes", &question).await.unwrap().outcomes
    }

    /// Every byte of the database and its log.
    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        ["accounting.db", "accounting.db-wal"]
            .into_iter()
            .map(|name| (name.to_owned(), std::fs::read(self.folder.path().join(name)).unwrap_or_default()))
            .collect()
    }
}

fn sample(envelope: &Envelope<Encoded>) -> Sample {
    let message = Message::from(envelope.clone());
    Sample { attributes: message.attributes, data: String::from_utf8(message.data).unwrap() }
}

#[tokio::test]
async fn a_dry_run_foretells_and_leaves_every_byte_as_it_was() {
    let shop = Shop::open().await;
    let done = event(cancelled("done")).seal();
    shop.push(&done).await;
    // What the push sent is marked in the background; from then on the service is at rest.
    let (mut before, mut again) = (shop.bytes(), BTreeMap::new());
    while before != again {
        tokio::time::sleep(Duration::from_millis(150)).await;
        again = std::mem::replace(&mut before, shop.bytes());
    }
    let said = shop.bus.taken().len();

    let mut broken = sample(&event(cancelled("O2")).seal());
    broken.data = r#"{"orderId":"O2","reason":17}"#.to_owned();
    let mut elsewhere = sample(&event(cancelled("O3")).seal());
    elsewhere.attributes.insert("ce-replaytarget".to_owned(), "inventory".to_owned());
    let mut nothing = sample(&event(cancelled("O4")).seal());
    nothing.attributes.remove("ce-id");
    let asked = vec![
        sample(&event(cancelled("O1")).seal()),
        sample(&done),
        sample(&event(issued(&"O1".parse().unwrap())).seal()),
        elsewhere,
        sample(&event(cancelled("later")).seal()),
        sample(&event(cancelled("never")).seal()),
        sample(&event(cancelled("unfit")).seal()),
        sample(&event(cancelled("panics")).seal()),
        broken,
        nothing,
    ];
    let count = asked.len();
    let foretold = shop.dry_run(asked).await;

    assert_eq!(foretold.len(), count);
    let invoiced = "com.onlineboutique.billing.invoice_issued.v1".to_owned();
    assert_eq!(foretold[0], Rehearsed::Applied { says: vec![invoiced] });
    assert_eq!(foretold[1..4], [Rehearsed::Duplicate, Rehearsed::NotForUs, Rehearsed::NotForUs]);
    assert!(matches!(&foretold[4], Rehearsed::Transient { code, .. } if code == "changed_meanwhile"));
    let codes = ["illegal_state", "invalid_fact", "database_error", "bad_payload", "bad_envelope"];
    for (outcome, expected) in foretold[5..].iter().zip(codes) {
        assert!(matches!(outcome, Rehearsed::Permanent { code, .. } if code == expected), "{expected}: {outcome:?}");
    }
    assert_eq!(shop.bytes(), before, "a byte of the database changed");
    assert_eq!(shop.bus.taken().len(), said, "a dry run published something");
    shop.running.stop().await;
}

#[tokio::test]
async fn an_event_that_was_rehearsed_can_still_happen() {
    let shop = Shop::open().await;
    let order = event(cancelled("O1")).seal();
    for _ in 0..3 {
        assert!(matches!(shop.dry_run(vec![sample(&order)]).await[0], Rehearsed::Applied { .. }));
    }
    assert_eq!(shop.outcomes(&[&order]).await, [Fate::Unknown]);
    shop.push(&order).await;
    assert!(matches!(shop.outcomes(&[&order]).await[0], Fate::Handled { .. }));
    assert_eq!(shop.dry_run(vec![sample(&order)]).await, [Rehearsed::Duplicate]);
    shop.running.stop().await;
}

#[tokio::test]
async fn an_outcome_is_the_success_or_the_last_failure() {
    let shop = Shop::open().await;
    let (done, later, never) =
        (event(cancelled("O1")).seal(), event(cancelled("later")).seal(), event(cancelled("never")).seal());
    for envelope in [&done, &later, &later, &never] {
        shop.push(envelope).await;
    }
    let unheard = event(cancelled("O9")).seal();
    let fates = shop.outcomes(&[&done, &later, &never, &unheard]).await;
    assert!(matches!(fates[0], Fate::Handled { .. }));
    let failed = |fate: &Fate, expected: &str, times: u32| matches!(fate, Fate::Failed { code, number, .. } if code == expected && *number == times);
    assert!(failed(&fates[1], "changed_meanwhile", 2), "{:?}", fates[1]);
    assert!(failed(&fates[2], "illegal_state", 1), "{:?}", fates[2]);
    assert_eq!(fates[3], Fate::Unknown);
    shop.running.stop().await;
}

#[tokio::test]
async fn more_events_than_a_question_may_hold_are_refused() {
    let shop = Shop::open().await;
    let one = sample(&event(cancelled("O1")).seal());
    for count in [0, 101] {
        let body = DryRun { events: vec![one.clone(); count] };
        let refused = shop.peer.post_once::<_, Value>("/dry-run", &body).await.unwrap_err();
        assert_eq!(refused.status(), Some(400), "{count}");
    }
    let body = Question { events: vec![EventKey { source: "s".to_owned(), id: "i".to_owned() }; 1_001] };
    assert_eq!(shop.peer.post_once::<_, Value>("/outcomes", &body).await.unwrap_err().status(), Some(400));
    shop.running.stop().await;
}

#[tokio::test]
async fn failed_attempts_are_listed_by_event_and_by_order_in_pages() {
    let shop = Shop::open().await;
    let later = event(cancelled("later")).seal();
    for _ in 0..3 {
        shop.push(&later).await;
    }
    shop.push(&event(cancelled("later")).number(2).seal()).await;
    shop.push(&event(cancelled("never")).seal()).await;

    let page: Attempts = shop.peer.get(&format!("/attempts?eventId={}", later.id)).await.unwrap();
    let told: Vec<_> = page.attempts.iter().map(|attempt| (attempt.number, attempt.code.as_str())).collect();
    assert_eq!(told, [(1, "changed_meanwhile"), (2, "changed_meanwhile"), (3, "changed_meanwhile")]);
    let first: Attempts = shop.peer.get("/attempts?orderId=later&limit=3").await.unwrap();
    let next = first.next.unwrap();
    let rest: Attempts = shop.peer.get(&format!("/attempts?orderId=later&limit=3&after={next}")).await.unwrap();
    assert_eq!((first.attempts.len(), rest.attempts.len(), rest.next), (3, 1, None));
    for (query, status) in [("", 422), ("?eventId=a&orderId=b", 422), ("?orderId=%20", 400), ("?eventId=a&limit=501", 400)] {
        let refused = shop.peer.get::<Value>(&format!("/attempts{query}")).await.unwrap_err();
        assert_eq!(refused.status(), Some(status), "{query}");
    }
    shop.running.stop().await;
}

/// Asks somebody who never answers.
struct Hangs;

impl Inquiry for Hangs {
    const NAME: &'static str = "hangs";
    type Event = OrderCancelled;
    type Answer = ();

    async fn ask(&self, _: &Envelope<OrderCancelled>) -> Result<(), Failure> {
        std::future::pending().await
    }

    fn handle(&self, _: &mut Tx<'_>, _: &Envelope<OrderCancelled>, (): ()) -> Result<Vec<Event>, Failure> {
        Ok(Vec::new())
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_is_answered_in_time_though_whoever_the_consumer_asks_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let base = Base {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database: Database::Sqlite { path: folder.path().join("accounting.db") },
        bus: Arc::new(SimulatedBus::default()),
        identity: Identity::open_house(),
    };
    let foundation = Foundation::open("accounting", &base, MIGRATIONS, Publishing::WithinRequest).unwrap();
    let open = Service::new(foundation, Doors::new()).consumer(Consumer::new("accounting").on_asking(Hangs)).open();
    let events: Vec<Sample> = (0..100)
        .map(|number| {
            let message = Message::from(event(cancelled(&format!("O{number}"))).seal());
            Sample { attributes: message.attributes, data: String::from_utf8(message.data).unwrap() }
        })
        .collect();
    let asked = json!(DryRun { events });
    let asked = testkit::post(open.router(), "/dry-run", &asked);
    let answer = tokio::time::timeout(Duration::from_secs(30), asked).await.expect("an answer before ops gives up");
    let Rehearsals { outcomes } = serde_json::from_value(answer.body).unwrap();
    assert_eq!(outcomes.len(), 100);
    for outcome in outcomes {
        assert!(matches!(&outcome, Rehearsed::Transient { code, .. } if code == "peer_unavailable"), "{outcome:?}");
    }
    open.kill();
}
