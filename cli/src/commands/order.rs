//! `boutique order place|show|watch|list|cancel|return|release|refuse`

mod review;
mod send_back;
mod watch;

use anyhow::{Context, bail};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use events::states::order::State;
use events::{CustomerId, OrderId, ProductId, StockLine};
use http::{HeaderMap, HeaderValue};
use runtime::{CallError, Peer};
use serde_json::{Value, json};

use crate::api::Shop;
use crate::output;
use crate::timeline::{self, Timeline};

/// Place, show, watch, list, cancel and return orders, through the gateway; release and refuse those on hold, at OMS.
///
/// On this machine the data folder tells where the shop is and who you are. Elsewhere name the service with --gateway or --oms, and give a token for
/// it in BOUTIQUE_TOKEN.
#[derive(Subcommand)]
pub enum OrderCommand {
    Place(PlaceArgs),
    Show(ShowArgs),
    Watch(watch::WatchArgs),
    List(ListArgs),
    Cancel(CancelArgs),
    Return(send_back::ReturnArgs),
    Release(review::ReleaseArgs),
    Refuse(review::RefuseArgs),
}

/// Place an order.
#[derive(Args)]
pub struct PlaceArgs {
    #[command(flatten)]
    shop: Shop,
    /// Whose order
    #[arg(long, value_name = "ID")]
    customer: CustomerId,
    /// Where it is shipped, two letters
    #[arg(long, value_name = "COUNTRY")]
    shipping_country: Option<String>,
    /// The same key again gets the same answer, and no second order
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// What is bought
    #[arg(required = true, value_name = "PRODUCT:QUANTITY", value_parser = parse_line)]
    lines: Vec<StockLine>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Show an order: where it stands, and its timeline as a tree of events by cause.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    shop: Shop,
    /// Which order
    order: OrderId,
    /// Print order and timeline as JSON
    #[arg(long)]
    json: bool,
}

/// List orders, by id.
#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    shop: Shop,
    /// Only orders in this status
    #[arg(long, value_parser = PossibleValuesParser::new(State::ALL.iter().map(|state| state.as_str())))]
    status: Option<String>,
    /// At most this many, 1 to 500
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Go on behind this order, the last of the page before
    #[arg(long, value_name = "ORDER")]
    after: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Cancel an order that was not dispatched yet.
#[derive(Args)]
pub struct CancelArgs {
    #[command(flatten)]
    shop: Shop,
    /// Which order
    order: OrderId,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: OrderCommand) -> anyhow::Result<()> {
    match command {
        OrderCommand::Place(args) => place(args).await,
        OrderCommand::Show(args) => show(args).await,
        OrderCommand::Watch(args) => watch::run(args).await,
        OrderCommand::List(args) => list(args).await,
        OrderCommand::Cancel(args) => cancel(args).await,
        OrderCommand::Return(args) => send_back::run(args).await,
        OrderCommand::Release(args) => review::release(args).await,
        OrderCommand::Refuse(args) => review::refuse(args).await,
    }
}

/// Posts an order to the gateway.
///
/// # Errors
/// The gateway's refusal, or that it cannot be reached.
pub(super) async fn post_order(gateway: &Peer, order: &Value, key: Option<&str>) -> Result<Value, CallError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key.and_then(|key| HeaderValue::from_str(key).ok()) {
        headers.insert("idempotency-key", key);
    }
    gateway.post_once_with("/v1/orders", order, headers).await
}

async fn place(args: PlaceArgs) -> anyhow::Result<()> {
    let mut order = json!({ "customerId": args.customer, "lines": args.lines });
    if let Some(country) = args.shipping_country {
        order["shippingCountry"] = country.into();
    }
    let answer = post_order(&args.shop.gateway()?, &order, args.idempotency_key.as_deref()).await?;
    if args.json {
        return output::json(&answer);
    }
    let id = answer["orderId"].as_str().unwrap_or_default();
    println!("order {id} is confirmed: {}, risk {}", output::money(&answer["total"]), output::text(&answer["risk"]));
    println!("follow it with `boutique order show {id}`");
    Ok(())
}

async fn show(args: ShowArgs) -> anyhow::Result<()> {
    let gateway = args.shop.gateway()?;
    let mut order: Value = gateway.get(&format!("/v1/orders/{}", args.order)).await?;
    output::mask_customers(&mut order);
    let mut timeline: Timeline = gateway.get(&format!("/v1/orders/{}/timeline", args.order)).await?;
    timeline.mask();
    if args.json {
        return output::json(&json!({ "order": order, "timeline": timeline }));
    }
    print!("{}", timeline::render(&order, &timeline));
    Ok(())
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    let mut path = format!("/v1/orders?limit={}", args.limit);
    if let Some(status) = &args.status {
        path.push_str(&format!("&status={status}"));
    }
    if let Some(after) = &args.after {
        path.push_str(&format!("&after={after}"));
    }
    let mut page: Value = args.shop.gateway()?.get(&path).await?;
    output::mask_customers(&mut page);
    if args.json {
        return output::json(&page);
    }
    let mut table = output::table(&["order", "status", "customer", "total", "placed", "waits for"]);
    let orders = page["orders"].as_array().context("the gateway answered no list of orders")?;
    for order in orders {
        let waits: Vec<&str> = order["waitingFor"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        table.add_row([
            output::text(&order["orderId"]),
            output::text(&order["status"]),
            output::text(&order["customerId"]),
            output::money(&order["total"]),
            output::text(&order["placedAt"]),
            waits.join(", "),
        ]);
    }
    println!("{table}");
    if let Some(next) = page["next"].as_str() {
        println!("there are more: --after {next}");
    }
    Ok(())
}

async fn cancel(args: CancelArgs) -> anyhow::Result<()> {
    let path = format!("/v1/orders/{}/cancel", args.order);
    let answer: Value = match args.shop.gateway()?.post_once(&path, &json!({})).await {
        Ok(answer) => answer,
        Err(CallError::Refused { problem, .. }) => bail!("order {} is not cancelled: {}", args.order, problem.detail),
        Err(error) => return Err(error.into()),
    };
    if args.json {
        return output::json(&answer);
    }
    println!("order {} is cancelled", args.order);
    Ok(())
}

fn parse_line(text: &str) -> Result<StockLine, String> {
    let (product, quantity) = text.split_once(':').unwrap_or((text, "1"));
    let product_id: ProductId = product.parse().map_err(|error: events::id::InvalidId| error.to_string())?;
    let quantity = quantity.parse().map_err(|_| format!("{quantity:?} is not a number of units"))?;
    Ok(StockLine { product_id, quantity })
}
