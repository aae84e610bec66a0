//! Returns: what is expected back, what an inspection made of it, and when the warehouse stops waiting.

use std::collections::BTreeMap;

use events::fulfillment::{InspectedLine, ReturnClosed, ReturnOutcome, ReturnReceived};
use events::id::derived;
use events::{Event, FieldError, Ledger, OrderId, OrderLine, ProductId, ReturnId, ShipmentId, StockLine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shipment::{Shipment, Story};

/// How far a return is.
pub(crate) use events::states::returns::State as Status;

/// Units of one product that are to come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExpectedLine {
    pub product_id: ProductId,
    pub ledger: Ledger,
    pub quantity: u32,
}

/// A return as the warehouse keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Return {
    pub return_id: ReturnId,
    pub order_id: OrderId,
    pub status: Status,
    /// Each product once.
    pub lines: Vec<ExpectedLine>,
    /// What became of the goods, once it ended.
    pub inspection: Option<Vec<InspectedLine>>,
    pub requested_at_ms: i64,
    pub story: Story,
}

/// What the inspection found of one product. Left out is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    product_id: ProductId,
    #[serde(default)]
    restocked: u32,
    #[serde(default)]
    scrapped: u32,
    #[serde(default)]
    damaged: u32,
    #[serde(default)]
    missing: u32,
}

/// The products of a return's lines, each once.
pub(crate) fn expected(lines: &[OrderLine]) -> Vec<ExpectedLine> {
    gathered(lines.iter().map(|line| (line.ledger, line.stock())))
}

/// The return that a shipment which could not be delivered makes of itself: its goods come back without anybody asking.
pub(crate) fn of_shipment(shipment: &Shipment, now_ms: i64) -> Return {
    Return {
        return_id: return_of(&shipment.shipment_id),
        order_id: shipment.order_id.clone(),
        status: Status::Expected,
        lines: gathered(shipment.lines.iter().map(|line| (shipment.ledger, line.clone()))),
        inspection: None,
        requested_at_ms: now_ms,
        story: shipment.story.clone(),
    }
}

/// The id of the return that a failed shipment makes of itself.
pub(crate) fn return_of(shipment_id: &ShipmentId) -> ReturnId {
    ReturnId::from_uuid(derived("return-of-shipment", shipment_id.as_str()))
}

fn gathered(lines: impl Iterator<Item = (Ledger, StockLine)>) -> Vec<ExpectedLine> {
    let mut expected: Vec<ExpectedLine> = Vec::new();
    for (ledger, StockLine { product_id, quantity }) in lines {
        match expected.iter_mut().find(|known| known.product_id == product_id) {
            Some(known) => known.quantity = known.quantity.saturating_add(quantity),
            None => expected.push(ExpectedLine { product_id, ledger, quantity }),
        }
    }
    expected
}

/// What became of each expected product. Without findings all of it may be sold again.
///
/// # Errors
/// [`FieldError`] unless the findings name each expected product once and account for each of its units.
pub(crate) fn inspect(
    expected: &[ExpectedLine],
    findings: Option<&[Finding]>,
) -> Result<Vec<InspectedLine>, FieldError> {
    let Some(findings) = findings else {
        return Ok(expected.iter().map(|line| inspected(line, line.quantity, 0)).collect());
    };
    let mut by_product: BTreeMap<&ProductId, (usize, &Finding)> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if by_product.insert(&finding.product_id, (index, finding)).is_some() {
            return Err(FieldError::new(format!("lines[{index}].productId"), "is there twice"));
        }
    }
    let mut lines = Vec::with_capacity(expected.len());
    for line in expected {
        let Some((index, finding)) = by_product.remove(&line.product_id) else {
            return Err(FieldError::new("lines", format!("must say what became of {}", line.product_id)));
        };
        let Finding { restocked, scrapped, damaged, missing, .. } = *finding;
        let units = [restocked, scrapped, damaged, missing].into_iter().map(u64::from).sum::<u64>();
        if units != u64::from(line.quantity) {
            let problem = format!("must account for the {} units expected", line.quantity);
            return Err(FieldError::new(format!("lines[{index}]"), problem));
        }
        lines.push(InspectedLine { restocked, scrapped, damaged, ..inspected(line, 0, missing) });
    }
    match by_product.into_values().next() {
        Some((index, _)) => Err(FieldError::new(format!("lines[{index}].productId"), "is not expected back")),
        None => Ok(lines),
    }
}

/// What becomes of a return whose goods never came.
pub(crate) fn lapsed(expected: &[ExpectedLine]) -> Vec<InspectedLine> {
    expected.iter().map(|line| inspected(line, 0, line.quantity)).collect()
}

/// Whether the warehouse stops waiting for a return.
pub(crate) fn is_overdue(requested_at_ms: i64, patience_ms: i64, now_ms: i64) -> bool {
    requested_at_ms.saturating_add(patience_ms) <= now_ms
}

fn inspected(line: &ExpectedLine, restocked: u32, missing: u32) -> InspectedLine {
    let (product_id, ledger) = (line.product_id.clone(), line.ledger);
    InspectedLine { product_id, ledger, restocked, scrapped: 0, damaged: 0, missing }
}

/// What is said about a return that ended: for each ledger what it may sell again, then the whole.
pub(crate) fn closed(expected: &Return, outcome: ReturnOutcome, lines: &[InspectedLine]) -> Vec<Event> {
    let Return { order_id, return_id, .. } = expected;
    let mut said: Vec<Event> = Vec::new();
    for ledger in Ledger::ALL {
        let of_ledger = |units: fn(&InspectedLine) -> u32| -> Vec<StockLine> {
            let lines = lines.iter().filter(|line| line.ledger == ledger && units(line) > 0);
            lines.map(|line| StockLine { product_id: line.product_id.clone(), quantity: units(line) }).collect()
        };
        let restocked = of_ledger(|line| line.restocked);
        if !restocked.is_empty() {
            let (order_id, return_id) = (order_id.clone(), return_id.clone());
            let scrapped = of_ledger(|line| line.scrapped + line.damaged);
            said.push(ReturnReceived { order_id, return_id, ledger, lines: restocked, scrapped }.into());
        }
    }
    let (order_id, return_id) = (order_id.clone(), return_id.clone());
    said.push(ReturnClosed { order_id, return_id, outcome, lines: lines.to_vec() }.into());
    said
}

#[cfg(test)]
mod tests;
