//! Asks the services for one order's story while somebody streams it.

use std::sync::Arc;
use std::time::Duration;

use events::OrderId;
use runtime::clock;
use tokio::sync::watch;

use super::progress::Progress;
use super::{Streams, lock};

/// Wait after a story that told something new.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait: doubled from the first one for as long as nothing is new.
const LAST_WAIT: Duration = Duration::from_secs(5);
/// How long a watcher stays without streams: a client that lost its connection comes back to the same list.
const LINGER: Duration = Duration::from_secs(30);

/// Listens until the order has ended and nobody streams it any more.
pub(super) async fn run(streams: Arc<Streams>, order: OrderId, sender: watch::Sender<Progress>) {
    let mut closing = streams.closing.subscribe();
    tokio::select! {
        () = listen(&streams, &order, &sender) => {}
        // An error says that the streams are gone, and that is the end as well.
        _ = closing.wait_for(|closing| *closing) => drop(lock(&streams.watched).remove(&order)),
    }
}

async fn listen(streams: &Streams, order: &OrderId, sender: &watch::Sender<Progress>) {
    let mut wait = FIRST_WAIT;
    loop {
        if sender.receiver_count() == 0 && is_left_alone(streams, order, sender).await {
            return;
        }
        if sender.borrow().end().is_some() {
            sender.closed().await;
            continue;
        }
        let heard = {
            let _place = streams.polls.acquire().await.expect("the semaphore is never closed");
            let stories = streams.silent.stories(&streams.peers, order).await;
            let mut heard = false;
            sender.send_if_modified(|progress| {
                let first = !progress.asked;
                heard = progress.hear(stories);
                heard || first
            });
            heard
        };
        wait = if heard { FIRST_WAIT } else { (wait * 2).min(LAST_WAIT) };
        tokio::select! {
            () = tokio::time::sleep(wait.mul_f64(0.75 + clock::fraction() / 2.0)) => {}
            () = sender.closed() => {}
        }
    }
}

/// Whether nobody came for a while; then the order is not watched any more.
async fn is_left_alone(streams: &Streams, order: &OrderId, sender: &watch::Sender<Progress>) -> bool {
    tokio::time::sleep(LINGER).await;
    let mut watched = lock(&streams.watched);
    let left_alone = sender.receiver_count() == 0;
    if left_alone {
        watched.remove(order);
    }
    left_alone
}
