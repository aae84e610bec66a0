//! Push endpoints that misbehave, are slow, or are gone for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{SUBSCRIPTION, World};
use crate::scripted::{NO_CONTENT, Scripted, answer_all, request};

#[tokio::test]
async fn the_codes_that_are_acks_are_these_and_redirects_are_not_followed() {
    let mut world = World::with_topic().await;
    let elsewhere = Scripted::new(|_, stream| answer_all(stream, NO_CONTENT)).await;
    let location = elsewhere.url().to_owned();
    let endpoint = Scripted::new(move |_, mut stream| {
        let location = location.clone();
        async move {
            // Each message says how it is answered the first time it comes; the second time it is acked.
            let mut seen = Vec::new();
            while let Some(body) = request(&mut stream).await {
                let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                let code = STANDARD.decode(body["message"]["data"].as_str().unwrap()).unwrap();
                let code =
                    if seen.contains(&code) { "204".to_owned() } else { String::from_utf8(code.clone()).unwrap() };
                seen.push(code.clone().into_bytes());
                let answer = match code.as_str() {
                    "102" => {
                        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
                    }
                    "204" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
                    code => format!("HTTP/1.1 {code} Said\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"),
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    for (i, code) in ["102", "200", "201", "202", "204"].iter().enumerate() {
        world.say(&[code]).await;
        world.stats_when(SUBSCRIPTION, |s| s.acked == i as u64 + 1).await;
    }
    for (i, code) in ["203", "205", "206", "301", "302", "303", "307", "308", "400", "404", "500"].iter().enumerate() {
        world.say(&[code]).await;
        let figures = world.stats_when(SUBSCRIPTION, |s| s.acked == i as u64 + 6).await;
        assert_eq!(figures.nacked, i as u64 + 1, "{code} is no ack");
    }
    assert_eq!(elsewhere.connections(), 0);
    assert_eq!(endpoint.connections(), 1, "one after the other they all fit on one connection");
}

#[tokio::test]
async fn a_push_that_is_never_answered_blocks_no_other_and_fails_at_the_ack_deadline() {
    let mut world = World::with_topic().await;
    let stuck = STANDARD.encode("stuck");
    let stuck_pushes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&stuck_pushes);
    let endpoint = Scripted::new(move |_, mut stream| {
        let (stuck, counted) = (stuck.clone(), Arc::clone(&counted));
        async move {
            while let Some(body) = request(&mut stream).await {
                if body.contains(&stuck) && counted.fetch_add(1, Ordering::SeqCst) == 0 {
                    // Until the broker hangs up.
                    let _ = stream.read(&mut [0]).await;
                    return;
                }
                stream.write_all(NO_CONTENT).await.unwrap();
            }
        }
    })
    .await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    world.say(&["stuck"]).await;
    for _ in 0..20 {
        world.say(&["flows"]).await;
    }
    let figures = world.stats_when(SUBSCRIPTION, |s| s.acked == 20).await;
    assert_eq!((figures.backlog, figures.nacked), (1, 0));
    // The shortest ack deadline there is: ten seconds.
    let figures = world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
    assert_eq!((figures.acked, figures.nacked), (21, 1));
}

#[tokio::test]
async fn answers_that_break_off_or_have_no_end_are_nacks_and_the_message_comes_again() {
    let mut world = World::with_topic().await;
    let endpoint = Scripted::new(|number, mut stream| async move {
        if request(&mut stream).await.is_none() {
            return;
        }
        // What cannot be written any more is what the broker did not want to read.
        match number {
            0 => drop(stream),
            1 => drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await),
            2 => drop(stream.write_all(b"how do you do\r\n\r\n").await),
            3 => {
                let head = format!("HTTP/1.1 200 OK\r\nendless: {}", "x".repeat(4 << 20));
                drop(stream.write_all(head.as_bytes()).await);
                let _ = stream.read(&mut [0]).await;
            }
            4 => {
                let many: String = (0..1_000).map(|i| format!("h{i}: 1\r\n")).collect();
                drop(stream.write_all(format!("HTTP/1.1 200 OK\r\n{many}\r\n").as_bytes()).await);
                let _ = stream.read(&mut [0]).await;
            }
            _ => drop(stream.write_all(NO_CONTENT).await),
        }
    })
    .await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    world.say(&["a"]).await;
    let figures = world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
    assert_eq!((figures.acked, figures.nacked, endpoint.connections()), (1, 5, 6));
}

#[tokio::test]
async fn a_gigantic_body_is_not_read_and_costs_the_connection_only() {
    let mut world = World::with_topic().await;
    let unread = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&unread);
    let endpoint = Scripted::new(move |number, mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            if number > 0 {
                return answer_all(stream, NO_CONTENT).await;
            }
            request(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n").await.unwrap();
            while stream.write_all(&[0; 65_536]).await.is_ok() {}
            seen.store(true, Ordering::SeqCst);
        }
    })
    .await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    world.say(&["a"]).await;
    world.stats_when(SUBSCRIPTION, |s| s.acked == 1 && s.nacked == 0).await;
    world.say(&["b"]).await;
    world.stats_when(SUBSCRIPTION, |s| s.acked == 2 && s.nacked == 0).await;
    world.stats_when(SUBSCRIPTION, |_| unread.load(Ordering::SeqCst)).await;
    assert_eq!(endpoint.connections(), 2);
}

#[tokio::test]
async fn connections_are_used_again() {
    let mut world = World::with_topic().await;
    let endpoint =
        Scripted::new(|_, stream| answer_all(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOk")).await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    for i in 1..=30 {
        world.say(&["a"]).await;
        world.stats_when(SUBSCRIPTION, |s| s.acked == i).await;
    }
    assert_eq!(endpoint.connections(), 1);
}

#[tokio::test]
async fn the_backlog_of_an_outage_drains_when_the_endpoint_is_back() {
    let mut world = World::with(|settings| settings.push_window = Some(8)).await;
    world.topic(crate::harness::TOPIC).await;
    let up = Arc::new(AtomicBool::new(false));
    let (is_up, open, most) = (Arc::clone(&up), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen_most = Arc::clone(&most);
    let endpoint = Scripted::new(move |_, mut stream| {
        let (is_up, open, most) = (Arc::clone(&is_up), Arc::clone(&open), Arc::clone(&seen_most));
        async move {
            while is_up.load(Ordering::SeqCst) && request(&mut stream).await.is_some() {
                most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                open.fetch_sub(1, Ordering::SeqCst);
                stream.write_all(NO_CONTENT).await.unwrap();
            }
        }
    })
    .await;
    world.subscription(|s| s.push_config = Some(endpoint.config())).await;
    let texts = ["a"; 40];
    world.say(&texts).await;
    world.stats_when(SUBSCRIPTION, |s| s.nacked >= 16).await;
    up.store(true, Ordering::SeqCst);
    let figures = world.stats_when(SUBSCRIPTION, |s| s.backlog == 0).await;
    assert_eq!(figures.acked, 40);
    assert!(most.load(Ordering::SeqCst) <= 8, "the window holds");
}
