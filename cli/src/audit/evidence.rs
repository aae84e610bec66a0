//! Everything the checks look at, gathered in one pass over the databases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context;
use serde_json::Value;
use store::{StoreError, Tx};

use super::books::Books;
use super::{ledger, once, shipping, stock};
use crate::raw_events;

/// An event in some outbox.
pub struct Said {
    /// The service whose outbox it is.
    pub service: &'static str,
    /// CloudEvent id.
    pub event_id: String,
    /// Wire type.
    pub event_type: String,
    /// `orders/{orderId}`.
    pub subject: String,
    /// Short topic name.
    pub topic: String,
    /// Attribute `ce-ledger`.
    pub ledger: Option<String>,
    /// Attribute `ce-risk`.
    pub risk: Option<String>,
    /// Attributes `dlconsumer` and `dlcode` of a dead letter.
    pub dead_letter: Option<(String, String)>,
    /// Whether Pub/Sub has it.
    pub sent: bool,
}

impl Said {
    /// The order it is about.
    pub fn order_id(&self) -> &str {
        self.subject.strip_prefix("orders/").unwrap_or(&self.subject)
    }
}

/// What one pass found.
pub struct Evidence {
    /// Orders checkout answered 201, by its own table.
    pub confirmed: BTreeSet<String>,
    /// Orders noted elsewhere as answered 201.
    pub answered: Vec<String>,
    /// Status by order, as OMS has it.
    pub statuses: BTreeMap<String, String>,
    /// Every event said.
    pub said: Vec<Said>,
    /// Consumers that handled an event, by (source, event id).
    pub heard: HashMap<(String, String), Vec<String>>,
    /// Invoices, shipments and refunds.
    pub once: once::Found,
    /// Stock by ledger.
    pub stock: Vec<stock::Found>,
    /// The general ledger.
    pub ledger: ledger::Found,
    /// Shipments and the order of facts in OMS.
    pub shipping: shipping::Found,
    /// Events with a row in the warehouse, by (source, event id); `None` without a warehouse.
    pub rows: Option<BTreeSet<(String, String)>>,
}

impl Evidence {
    /// Reads every database once. Later events are read first, so that an effect is never seen without its cause.
    ///
    /// # Errors
    /// When a database cannot be read.
    pub async fn gather(books: &Books) -> anyhow::Result<Self> {
        let mut this = Evidence {
            confirmed: BTreeSet::new(),
            answered: books.answered()?,
            statuses: BTreeMap::new(),
            said: Vec::new(),
            heard: HashMap::new(),
            once: once::Found::default(),
            stock: Vec::new(),
            ledger: ledger::Found::default(),
            shipping: shipping::Found::default(),
            rows: raw_events::events(&books.data)?,
        };
        let opened = books.open()?;
        for book in opened.iter().rev() {
            let failed = || format!("reading the books of {}", book.service);
            let inbox = book.store.read(inbox).await.with_context(failed)?;
            for (key, consumer) in inbox {
                this.heard.entry(key).or_default().push(consumer);
            }
            match book.service {
                checkout::NAME => this.confirmed = book.store.read(confirmed).await.with_context(failed)?,
                oms::NAME => this.statuses = book.store.read(statuses).await.with_context(failed)?,
                accounting::NAME => {
                    this.once.accounting = book.store.read(once::of_accounting).await.with_context(failed)?;
                    this.ledger = book.store.read(ledger::find).await.with_context(failed)?;
                }
                warehouse::NAME => {
                    this.shipping = book.store.read(shipping::find).await.with_context(failed)?;
                }
                service @ (inventory::NAME | furniture::NAME) => {
                    this.stock.push(book.store.read(move |tx| stock::find(tx, service)).await.with_context(failed)?);
                }
                _ => {}
            }
        }
        for book in &opened {
            let service = book.service;
            let failed = || format!("reading what {service} said");
            this.said.extend(book.store.read(move |tx| said(tx, service)).await.with_context(failed)?);
        }
        for book in opened {
            book.store.close().await;
        }
        Ok(this)
    }
}

fn confirmed(tx: &mut Tx<'_>) -> Result<BTreeSet<String>, StoreError> {
    let sql = "SELECT order_id FROM orders WHERE status = 'confirmed'";
    Ok(tx.query(sql, &[], |row| row.get::<String>(0))?.into_iter().collect())
}

fn statuses(tx: &mut Tx<'_>) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = "SELECT order_id, status FROM orders";
    Ok(tx.query(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

type Receipts = Vec<((String, String), String)>;

fn inbox(tx: &mut Tx<'_>) -> Result<Receipts, StoreError> {
    let sql = "SELECT source, id, consumer FROM inbox";
    tx.query(sql, &[], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))
}

fn said(tx: &mut Tx<'_>, service: &'static str) -> Result<Vec<Said>, StoreError> {
    let sql = "SELECT event_id, event_type, subject, topic, attributes, sent_at_ms FROM outbox ORDER BY seq";
    tx.query(sql, &[], |row| {
        let attributes: Value = serde_json::from_str(&row.get::<String>(4)?).unwrap_or_default();
        let attribute = |name: &str| attributes[name].as_str().map(ToOwned::to_owned);
        Ok(Said {
            service,
            event_id: row.get(0)?,
            event_type: row.get(1)?,
            subject: row.get(2)?,
            topic: row.get(3)?,
            ledger: attribute("ce-ledger"),
            risk: attribute("ce-risk"),
            dead_letter: attribute("dlconsumer").zip(attribute("dlcode")),
            sent: row.get::<Option<i64>>(5)?.is_some(),
        })
    })
}
