//! `boutique import`: fills a running shop, and places its baskets as orders.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use futures::{StreamExt, TryStreamExt, stream};
use runtime::clock::Stopwatch;
use runtime::{CallError, Peer};
use serde::Serialize;
use serde_json::Value;

use crate::addresses::Addresses;
use crate::api::{self, Shop};
use crate::catalogue::{Basket, Files, Product};
use crate::invented::Inventor;
use crate::output;

/// Records in one import request.
const CHUNK: usize = 250;
/// How often an order is offered again while the shop says 503.
const OFFERS: u32 = 20;
/// Wait between two offers.
const OFFER_PAUSE: Duration = Duration::from_millis(250);
/// Orders the client was told are confirmed, one a line: the audit looks for each of them.
pub const ANSWERED: &str = "answered.jsonl";

/// Fill a running shop: products with stock, and invented customers for the baskets' households.
///
/// With --orders the baskets are placed as orders through the gateway. Importing twice changes nothing, and an order placed twice is one order.
#[derive(Args)]
pub struct ImportArgs {
    #[command(flatten)]
    shop: Shop,
    #[command(flatten)]
    files: Files,
    /// Place the baskets as orders too
    #[arg(long)]
    orders: bool,
    #[command(flatten)]
    pace: Pace,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// How orders are placed.
#[derive(Debug, Clone, Copy, Args)]
pub struct Pace {
    /// Orders on their way to checkout at once
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub concurrency: usize,
    /// Seed of what is invented: customers, stock, who cannot be billed
    #[arg(long, default_value_t = 2017)]
    pub seed: u64,
}

/// What checkout answered, counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Placed {
    /// Orders answered 201.
    pub confirmed: usize,
    /// Orders refused, by the problem's code.
    pub refused: BTreeMap<String, usize>,
    /// The answers to those that were confirmed, in the order they came.
    #[serde(skip)]
    pub answers: Vec<Answered>,
}

/// An order that was confirmed.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Which.
    pub order_id: String,
    /// What the fraud engine said.
    pub risk: String,
    /// How long the client waited, with all its offers.
    pub took: Duration,
}

impl Answered {
    /// Whether it was confirmed without the fraud engine's word.
    pub fn is_unscored(&self) -> bool {
        self.risk == "UNKNOWN"
    }
}

impl Placed {
    /// Adds what was placed besides.
    pub fn add(&mut self, more: Placed) {
        self.confirmed += more.confirmed;
        self.answers.extend(more.answers);
        for (code, count) in more.refused {
            *self.refused.entry(code).or_default() += count;
        }
    }
}

pub(super) async fn run(args: ImportArgs) -> anyhow::Result<()> {
    let addresses = Addresses::load(&args.shop.data)?;
    let (products, baskets) = args.files.read()?;
    let inventor = Inventor { seed: args.pace.seed };
    fill(&args.shop.data, &addresses, inventor, &products, &baskets).await?;
    let mut placed = Placed::default();
    if args.orders {
        placed = place(&args.shop.gateway()?, inventor, &baskets, args.pace.concurrency, &args.shop.data).await?;
    }
    if args.json {
        return output::json(&placed);
    }
    println!("{} products imported, with customers for {} baskets", products.len(), baskets.len());
    if args.orders {
        println!("{} orders confirmed", placed.confirmed);
        for (code, count) in placed.refused {
            println!("{count} orders refused: {code}");
        }
    }
    Ok(())
}

/// Gives the shop its products and customers.
///
/// # Errors
/// When the inventory or the CRM refuses.
pub async fn fill(
    data: &Path,
    addresses: &Addresses,
    inventor: Inventor,
    products: &[Product],
    baskets: &[Basket],
) -> anyhow::Result<()> {
    let inventory = api::peer(data, addresses, "inventory")?;
    let crm = api::peer(data, addresses, "crm")?;
    let stock = inventor.stock(products, baskets);
    let customers = inventor.customers(baskets)?;
    let bar = output::progress("products, customers", stock.len() + customers.len());
    for chunk in stock.chunks(CHUNK) {
        let _: Value = inventory.put("/inventory", &chunk).await.context("importing products")?;
        bar.inc(chunk.len() as u64);
    }
    for chunk in customers.chunks(CHUNK) {
        let _: Value = crm.post("/customers/import", &chunk).await.context("importing customers")?;
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Places every basket as an order and notes each order answered 201 in the data folder.
///
/// # Errors
/// When the shop cannot be reached, or refuses in a way that no order should meet.
pub async fn place(
    gateway: &Peer,
    inventor: Inventor,
    baskets: &[Basket],
    concurrency: usize,
    data: &Path,
) -> anyhow::Result<Placed> {
    let bar = output::progress("orders placed", baskets.len());
    let notes = Notes::open(data)?;
    let placed = Mutex::new(Placed::default());
    stream::iter(baskets)
        .map(|basket| offer(gateway, inventor, basket, &notes))
        .buffer_unordered(concurrency.max(1))
        .try_for_each(|offered| {
            let mut placed = placed.lock().expect("counting does not panic");
            match offered {
                Ok(answered) => {
                    placed.confirmed += 1;
                    placed.answers.push(answered);
                }
                Err(code) => *placed.refused.entry(code).or_default() += 1,
            }
            bar.inc(1);
            std::future::ready(Ok(()))
        })
        .await?;
    bar.finish_and_clear();
    Ok(placed.into_inner().expect("counting does not panic"))
}

/// The answer when confirmed, else the code of the refusal.
async fn offer(
    gateway: &Peer,
    inventor: Inventor,
    basket: &Basket,
    notes: &Notes,
) -> anyhow::Result<Result<Answered, String>> {
    let watch = Stopwatch::start();
    let order = inventor.order(basket)?;
    let key = format!("basket-{}", basket.basket_id);
    let mut offers = 0;
    loop {
        offers += 1;
        match super::order::post_order(gateway, &order, Some(&key)).await {
            Ok(answer) => {
                notes.write(&answer["orderId"], basket)?;
                let (order_id, risk) = (output::text(&answer["orderId"]), output::text(&answer["risk"]));
                return Ok(Ok(Answered { order_id, risk, took: watch.elapsed() }));
            }
            Err(CallError::Refused { problem, .. }) if [403, 409, 422].contains(&problem.status) => {
                return Ok(Err(problem.code));
            }
            Err(CallError::Unavailable { .. }) if offers < OFFERS => tokio::time::sleep(OFFER_PAUSE).await,
            Err(error) => return Err(error).with_context(|| format!("placing basket {}", basket.basket_id)),
        }
    }
}

/// The list of orders answered 201. Each line is written before the next order is counted.
struct Notes {
    file: Mutex<File>,
    path: PathBuf,
}

impl Notes {
    fn open(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(ANSWERED);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        Ok(Self { file: Mutex::new(file.with_context(|| format!("cannot open {}", path.display()))?), path })
    }

    fn write(&self, order_id: &Value, basket: &Basket) -> anyhow::Result<()> {
        let line = format!("{}\n", serde_json::json!({ "orderId": order_id, "basketId": basket.basket_id }));
        let mut file = self.file.lock().expect("writing does not panic");
        file.write_all(line.as_bytes()).with_context(|| format!("cannot write {}", self.path.display()))
    }
}
