//! `boutique order return`

use anyhow::bail;
use clap::{Args, ValueEnum};
use events::{OrderId, ReturnId, StockLine};
use http::{HeaderMap, HeaderValue};
use runtime::{CallError, clock};
use serde::Serialize;
use serde_json::{Value, json};

use super::parse_line;
use crate::api::Shop;
use crate::output;

/// Send goods of an order back, within the time the shop allows.
///
/// The goods are expected in the warehouse; once they came and were inspected, their share of what was paid is given back.
#[derive(Args)]
pub struct ReturnArgs {
    #[command(flatten)]
    shop: Shop,
    /// Which order
    order: OrderId,
    /// What is sent back
    #[arg(required = true, value_name = "PRODUCT:QUANTITY", value_parser = parse_line)]
    lines: Vec<StockLine>,
    /// Why
    #[arg(long, value_enum)]
    reason: Reason,
    /// The same id again gets the same answer, and no second return; without it each call is a return of its own
    #[arg(long, value_name = "ID")]
    return_id: Option<ReturnId>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// The reasons the shop knows.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    ChangedMind,
    DoesNotFit,
    Defective,
    DamagedInTransit,
    WrongItem,
    Other,
}

pub(super) async fn run(args: ReturnArgs) -> anyhow::Result<()> {
    let ReturnArgs { shop, order, lines, reason, return_id, json } = args;
    let mut body = json!({ "lines": lines, "reason": reason });
    let mut headers = HeaderMap::new();
    match return_id {
        Some(return_id) => body["returnId"] = return_id.as_str().into(),
        None => {
            let key = HeaderValue::try_from(clock::new_id().to_string()).expect("an id is ASCII");
            headers.insert("idempotency-key", key);
        }
    }
    let path = format!("/v1/orders/{order}/returns");
    let answer: Value = match shop.gateway()?.post_once_with(&path, &body, headers).await {
        Ok(answer) => answer,
        Err(CallError::Refused { problem, .. }) => {
            bail!("nothing of order {order} is taken back: {} ({})", problem.detail, problem.code)
        }
        Err(error) => return Err(error.into()),
    };
    if json {
        return output::json(&answer);
    }
    let (id, status) = (output::text(&answer["returnId"]), output::text(&answer["status"]));
    println!("return {id} of order {order} is {status}; follow it with `boutique order show {order}`");
    Ok(())
}
