//! `boutique audit`, asked from outside and read.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use runtime::Peer;
use serde::Deserialize;
use serde_json::{Value, json};

/// HTTP status of a refusal that comes too late.
const CONFLICT: u16 = 409;
/// How often orders on hold are refused before the rest counts as rest: a refusal moves others.
const REVIEWS: u32 = 3;

/// What the audit found.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    invariants: Vec<Invariant>,
    /// Orders that have not ended.
    pub open_orders: Vec<OpenOrder>,
    /// Dead letters, by consumer and code.
    pub dead_letters: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Invariant {
    number: u32,
    violations: BTreeSet<String>,
}

/// An order that has not ended, and what it waits for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenOrder {
    /// Which order.
    pub order_id: String,
    /// Where it stands.
    pub status: String,
    /// The event that is missing, and who owes it.
    pub missing: String,
}

/// Which books are audited.
pub struct Books<'a> {
    /// The binary.
    pub boutique: &'a str,
    /// Folder with the list of orders answered 201 and the addresses of the running shop.
    pub notes: &'a Path,
    /// Folder of the databases.
    pub databases: &'a Path,
}

impl Books<'_> {
    /// Waits at most `rest` for every order to end, then audits. Orders on hold are refused, as the review desk would do with what the
    /// fraud engine flagged.
    ///
    /// # Errors
    /// With the audit's own words when it cannot be made: a database that cannot be read, a shop that does not answer.
    pub async fn audit_at_rest(&self, oms: &Peer, rest: Duration) -> Result<Report, String> {
        let mut report = tokio::task::block_in_place(|| self.audit(rest))?;
        for _ in 0..REVIEWS {
            let held: Vec<_> = report.open_orders.iter().filter(|order| order.status == "on_hold").collect();
            if held.is_empty() {
                break;
            }
            for order in held {
                let path = format!("/orders/{}/refuse", order.order_id);
                match oms.post::<_, Value>(&path, &json!({ "refusedBy": "reviewer" })).await {
                    // One that has moved on meanwhile is not to be refused any more.
                    Ok(_) => {}
                    Err(error) if error.status() == Some(CONFLICT) => {}
                    Err(error) => return Err(format!("order {} cannot be refused: {error}", order.order_id)),
                }
            }
            report = tokio::task::block_in_place(|| self.audit(rest))?;
        }
        Ok(report)
    }

    fn audit(&self, rest: Duration) -> Result<Report, String> {
        let output = Command::new(self.boutique)
            .args(["audit", "--json", "--wait", &rest.as_secs().to_string(), "--data"])
            .arg(self.notes)
            .arg("--database-url")
            .arg(format!("sqlite:{}", self.databases.display()))
            .output()
            .map_err(|error| error.to_string())?;
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("no report ({error}): {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

impl Report {
    /// What breaks the invariant of this number in ARCHITECTURE.md.
    pub fn broken(&self, number: u32) -> Vec<&str> {
        let of = self.invariants.iter().filter(|invariant| invariant.number == number);
        of.flat_map(|invariant| invariant.violations.iter().map(String::as_str)).collect()
    }

    /// Everything that breaks an invariant.
    pub fn violations(&self) -> Vec<String> {
        self.invariants.iter().flat_map(|invariant| invariant.violations.iter().cloned()).collect()
    }
}
