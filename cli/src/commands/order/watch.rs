//! `boutique order watch`: an order's progress, printed as it happens.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use clap::Args;
use events::OrderId;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use runtime::Problem;
use serde_json::Value;
use tls::Tls;

use crate::addresses::GATEWAY;
use crate::api::Shop;
use crate::identities;
use crate::output;
use crate::server_sent::{Event, Reader};

/// How long a connection and the head of an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The gateway says something every 15 s: who is silent for longer is gone.
const SILENCE: Duration = Duration::from_secs(45);
/// Wait before a stream that broke is opened again, unless the gateway names another.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest wait the gateway may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Tries in a row that bring nothing before it is given up.
const MAX_TRIES: u32 = 10;
/// The longest problem read, in bytes.
const MAX_PROBLEM_BYTES: usize = 64 * 1024;

/// Watch an order: prints what happens to it, until it ends.
#[derive(Args)]
pub struct WatchArgs {
    #[command(flatten)]
    shop: Shop,
    /// Which order
    order: OrderId,
    /// Print each event as JSON, one a line
    #[arg(long)]
    json: bool,
}

/// What became of one stream.
enum Stream {
    /// The order has ended.
    Ended,
    /// It broke off; come again after this time.
    Broken(Duration, String),
}

pub(super) async fn run(args: WatchArgs) -> anyhow::Result<()> {
    let (mut last, mut tries) = (String::new(), 0);
    loop {
        let before = last.clone();
        match follow(&args, &mut last).await? {
            Stream::Ended => return Ok(()),
            Stream::Broken(pause, reason) => {
                tries = if last == before { tries + 1 } else { 0 };
                if tries >= MAX_TRIES {
                    bail!("the gateway brings nothing: {reason}");
                }
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Opens a stream after the event `last`, and prints what comes.
async fn follow(args: &WatchArgs, last: &mut String) -> anyhow::Result<Stream> {
    let opened = tokio::time::timeout(PATIENCE, open(args, last)).await;
    let (status, headers, mut body) = match opened {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Ok(Stream::Broken(PAUSE, format!("{error:#}"))),
        Err(_) => return Ok(Stream::Broken(PAUSE, "no answer".to_owned())),
    };
    match status {
        StatusCode::OK => {}
        StatusCode::NO_CONTENT => return Ok(Stream::Ended),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            return Ok(Stream::Broken(asked_pause(&headers), status.to_string()));
        }
        _ => return refused(args, status, body).await,
    }
    let mut reader = Reader::default();
    loop {
        let frame = match tokio::time::timeout(SILENCE, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            _ => return Ok(Stream::Broken(PAUSE, "the stream broke off".to_owned())),
        };
        for event in reader.take(frame.data_ref().map_or(&[], |data| data))? {
            print(args, &event)?;
            if event.kind == "end" {
                return Ok(Stream::Ended);
            }
            *last = event.id;
        }
    }
}

async fn open(args: &WatchArgs, last: &str) -> anyhow::Result<(StatusCode, HeaderMap, Incoming)> {
    let gateway = args.shop.gateway_url()?;
    let url: Uri = format!("{}/v1/orders/{}/events", gateway.trim_end_matches('/'), args.order)
        .parse()
        .context("the gateway's URL is none")?;
    let is_https = url.scheme_str() == Some("https");
    let mut request = Request::get(url).header(header::ACCEPT, "text/event-stream");
    if !last.is_empty() {
        request = request.header("last-event-id", last);
    }
    if let Some(operator) = identities::operator(&args.shop.data)?
        && let Some(token) = operator.authorization(GATEWAY).await?
    {
        request = request.header(header::AUTHORIZATION, token);
    }
    let request = request.body(Empty::<Bytes>::new())?;
    let client = Client::builder(TokioExecutor::new());
    let response = if is_https {
        client.build(Tls::default().connector(HttpConnector::new()).await?).request(request).await?
    } else {
        client.build_http().request(request).await?
    };
    let (head, body) = response.into_parts();
    Ok((head.status, head.headers, body))
}

fn asked_pause(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(PAUSE, Duration::from_secs).min(LONGEST_PAUSE)
}

async fn refused(args: &WatchArgs, status: StatusCode, body: Incoming) -> anyhow::Result<Stream> {
    let body = Limited::new(body, MAX_PROBLEM_BYTES).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => bail!("order {} cannot be watched: {} ({})", args.order, problem.detail, problem.code),
        Err(_) => bail!("order {} cannot be watched: {status}", args.order),
    }
}

fn print(args: &WatchArgs, event: &Event) -> anyhow::Result<()> {
    let data: Value = serde_json::from_str(&event.data).context("the gateway sends an event that is no JSON")?;
    let fact = output::text(&data["fact"]);
    if args.json {
        println!("{data}");
    } else if event.kind == "end" {
        println!("order {} has ended: {fact}", args.order);
    } else {
        println!("{:<26} {fact:<36} {}", output::text(&data["at"]), output::text(&data["by"]));
    }
    Ok(())
}
