//! `boutique order release` and `boutique order refuse`: a reviewer's word. Clients have none, so it goes to OMS itself and not through the
//! gateway.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use events::OrderId;
use runtime::CallError;
use serde_json::{Value, json};

use crate::addresses::Addresses;
use crate::{api, output};

/// How long OMS may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Let an order on hold go on.
#[derive(Args)]
pub struct ReleaseArgs {
    #[command(flatten)]
    review: Review,
}

/// Refuse an order on hold: it is cancelled as fraud.
#[derive(Args)]
pub struct RefuseArgs {
    #[command(flatten)]
    review: Review,
}

#[derive(Args)]
struct Review {
    /// Which order
    order: OrderId,
    /// Data folder of the running shop; its addresses are found there
    #[arg(long, value_name = "DIR", default_value = "data", env = "BOUTIQUE_DATA")]
    data: PathBuf,
    /// The OMS's URL, instead of the one found in the data folder
    #[arg(long, value_name = "URL", env = "BOUTIQUE_OMS_URL")]
    oms: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

impl Review {
    async fn give(self, verb: &str, word: Value, done: &str) -> anyhow::Result<()> {
        let oms = match &self.oms {
            Some(url) => api::peer_at(&self.data, "oms", url, PATIENCE)?,
            None => api::peer(&self.data, &Addresses::load(&self.data)?, "oms")?,
        };
        let order = &self.order;
        let answer: Value = match oms.post(&format!("/orders/{order}/{verb}"), &word).await {
            Ok(answer) => answer,
            Err(CallError::Refused { problem, .. }) => {
                bail!("order {order} is not {done}: {} ({})", problem.detail, problem.code)
            }
            Err(error) => return Err(error.into()),
        };
        if self.json {
            return output::json(&answer);
        }
        println!("order {order} is {done}: {}", output::text(&answer["status"]));
        Ok(())
    }
}

pub(super) async fn release(args: ReleaseArgs) -> anyhow::Result<()> {
    args.review.give("release", json!({ "releasedBy": "reviewer" }), "released").await
}

pub(super) async fn refuse(args: RefuseArgs) -> anyhow::Result<()> {
    args.review.give("refuse", json!({ "refusedBy": "reviewer" }), "refused").await
}
