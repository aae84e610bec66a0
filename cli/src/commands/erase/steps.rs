//! The requests of an erasure. Each may be repeated.

use std::path::Path;

use ::audit::has_ended;
use anyhow::{Context, bail, ensure};
use events::CustomerId;
use events::personal::Person;
use http::{Method, StatusCode};
use runtime::erase::Erased;
use runtime::{Peer, Problem};
use serde_json::{Value, json};

use crate::addresses::Addresses;
use crate::api;
use crate::erasure::Place;

/// How long a service may take to write its file anew: minutes for gigabytes.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);
/// Orders on a page.
const PAGE: u32 = 500;
/// Pages of one customer's orders: more than anybody places.
const MAX_PAGES: u32 = 1_000;

/// Those who keep text that people wrote.
const WRITERS: [&str; 2] = [accounting::NAME, ops::NAME];

/// What the CRM says of a customer.
pub enum Found {
    /// They are here.
    Here {
        /// What they are called everywhere else.
        sealed_id: String,
        /// What they are called here.
        person: Person,
    },
    /// Their key is destroyed; known by the sealed id only.
    Erased(String),
    /// Nobody has this id.
    Nobody,
}

/// The services that have a part in it.
pub struct Parts {
    crm: Peer,
    oms: Peer,
    writers: Vec<(&'static str, Peer)>,
}

impl Parts {
    /// Those of the shop in `folder`.
    ///
    /// # Errors
    /// When no shop runs there.
    pub fn of(folder: &Path) -> anyhow::Result<Self> {
        let addresses = Addresses::load(folder)?;
        let patient = |name: &'static str| Ok((name, api::peer_at(folder, name, addresses.url(name)?, PATIENCE)?));
        let writers: anyhow::Result<Vec<_>> = WRITERS.into_iter().map(patient).collect();
        Ok(Self { crm: patient(crm::NAME)?.1, oms: api::peer(folder, &addresses, oms::NAME)?, writers: writers? })
    }

    /// The customer.
    pub async fn find(&self, customer: &CustomerId) -> anyhow::Result<Found> {
        let (status, body) = self.crm.raw(Method::GET, &format!("/customers/{customer}"), Vec::new().into()).await?;
        if status == StatusCode::NOT_FOUND {
            let problem: Problem = serde_json::from_slice(&body).context("the CRM answered no problem")?;
            let is_erased = problem.code == "customer_erased";
            return Ok(if is_erased { Found::Erased(customer.to_string()) } else { Found::Nobody });
        }
        let shown: Value = answered(status, &body)?;
        let text = |name: &str| shown[name].as_str().map(ToOwned::to_owned).with_context(|| format!("no {name}"));
        let person = Person { id: text("customerId")?, name: Some((text("name")?, text("surname")?)) };
        Ok(Found::Here { sealed_id: text("sealedId")?, person })
    }

    /// From now on the customer orders nothing more.
    pub async fn begin(&self, sealed_id: &str, by: &str) -> anyhow::Result<Value> {
        self.post(&self.crm, "/erasures", &json!({ "customerId": sealed_id, "by": by })).await
    }

    /// The sealed id of somebody who is not here and whose erasure was cut off after their key was destroyed. Nobody else is found by what
    /// they were called.
    pub async fn erased_as(&self, customer: &CustomerId, by: &str) -> anyhow::Result<Option<String>> {
        let wanted = json!({ "customerId": customer, "by": by });
        let (status, body) = self.crm.raw(Method::POST, "/erasures", wanted.to_string().into()).await?;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let erasure = answered(status, &body)?;
        ensure!(erasure["erasedAtMs"].is_i64(), "somebody was added with this id just now: run it again");
        Ok(Some(erasure["sealedId"].as_str().context("the CRM answered no sealed id")?.to_owned()))
    }

    /// Takes back what was begun.
    pub async fn call_off(&self, sealed_id: &str) -> anyhow::Result<()> {
        let path = format!("/erasures/{sealed_id}");
        let (status, body) = self.crm.raw(Method::DELETE, &path, Vec::new().into()).await?;
        if status.is_success() { Ok(()) } else { answered(status, &body).map(drop) }
    }

    /// Ids of the customer's orders that have not ended.
    pub async fn open_orders(&self, sealed_id: &str) -> anyhow::Result<Vec<String>> {
        let (mut open, mut after) = (Vec::new(), String::new());
        for _ in 0..MAX_PAGES {
            let path = format!("/orders?customerId={sealed_id}&limit={PAGE}&after={after}");
            let page: Value = self.oms.get(&path).await?;
            let orders = page["orders"].as_array().context("OMS answered no list of orders")?;
            let is_open = |order: &&Value| !has_ended(order["status"].as_str().unwrap_or_default());
            let ids = orders.iter().filter(is_open).filter_map(|order| order["orderId"].as_str());
            open.extend(ids.map(ToOwned::to_owned));
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => return Ok(open),
            }
        }
        bail!("the customer has more orders than can be looked at");
    }

    /// Takes the customer out of what people wrote.
    pub async fn take_out(&self, person: &Person) -> anyhow::Result<Vec<(&'static str, Erased)>> {
        let (name, surname) = person.name.as_ref().context("nobody knows their name any more")?;
        let wanted = json!({ "customerId": person.id, "name": name, "surname": surname });
        let mut all = Vec::new();
        for (service, peer) in &self.writers {
            all.push((*service, serde_json::from_value(self.post(peer, "/erasures", &wanted).await?)?));
        }
        Ok(all)
    }

    /// Destroys the key, or makes sure of one that is destroyed: a run that was cut off may not have written the file anew.
    pub async fn destroy(&self, sealed_id: &str) -> anyhow::Result<Value> {
        self.post(&self.crm, &format!("/erasures/{sealed_id}/destroy"), &json!({})).await
    }

    /// Keeps what the look for what is left has found.
    pub async fn note(&self, erasure: &Value, places: &[Place]) -> anyhow::Result<Value> {
        let sealed_id = erasure["sealedId"].as_str().context("the CRM answered no sealed id")?;
        let findings = places.iter().filter(|place| place.findings > 0).count();
        let proof = json!({ "places": places.len(), "findings": findings });
        self.post(&self.crm, &format!("/erasures/{sealed_id}/proof"), &proof).await
    }

    /// One page of records.
    pub async fn records(&self, after: &str) -> anyhow::Result<Value> {
        Ok(self.crm.get(&format!("/erasures?limit={PAGE}&after={after}")).await?)
    }

    async fn post(&self, peer: &Peer, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, body) = peer.raw(Method::POST, path, body.to_string().into()).await?;
        answered(status, &body)
    }
}

fn answered(status: StatusCode, body: &[u8]) -> anyhow::Result<Value> {
    if status.is_success() {
        return serde_json::from_slice(body).context("a service answered something that is not JSON");
    }
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => bail!("{} ({})", problem.detail, problem.code),
        Err(_) => bail!("a service answered {status}"),
    }
}
