//! Invoices in SQL, one row per order. An order that was cancelled before its invoice was asked for has a row, too.

use events::billing::InvoiceRequested;
use events::id::derived;
use events::states::invoice::{MACHINE, Trigger};
use events::{CustomerId, InvoiceId, OrderId};
use runtime::{Code, Failure};
use store::{Row, StoreError, Tx, params};

use crate::decide::{Books, Line};

const ADD: &str = "INSERT INTO invoices (order_id, status, invoice_id, customer_id, code, total_minor, deferred_minor,
    recognized_minor, refunded_minor, lines, requested_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8, ?9)
    ON CONFLICT (order_id) DO NOTHING";
const CANCEL: &str = "INSERT INTO invoices (order_id, status, total_minor, deferred_minor, recognized_minor,
    refunded_minor, lines, requested_at_ms) VALUES (?1, 'cancelled', 0, 0, 0, 0, '[]', ?2)";
const FAIL: &str = "UPDATE invoices SET status = 'failed', code = ?2, customer_id = ?3, total_minor = ?4
    WHERE order_id = ?1 AND status = 'cancelled'";
const KEEP: &str = "UPDATE invoices SET status = ?2, deferred_minor = ?3, recognized_minor = ?4, refunded_minor = ?5,
    lines = ?6 WHERE order_id = ?1";
const ONE: &str = "SELECT status, invoice_id, customer_id, code, total_minor, deferred_minor, recognized_minor,
    refunded_minor, lines FROM invoices WHERE order_id = ?1";

/// Where an order's invoice stands. Without a row it is absent.
pub(crate) use events::states::invoice::State as Status;

/// An order's invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invoice {
    pub(crate) status: Status,
    /// `None` unless it was issued.
    pub(crate) invoice_id: Option<InvoiceId>,
    /// `None` until an invoice was asked for.
    pub(crate) customer_id: Option<CustomerId>,
    /// Why it failed.
    pub(crate) code: Option<String>,
    pub(crate) books: Books,
}

/// An invoice that is in the books, with whom it is for.
pub(crate) struct Issued {
    pub(crate) invoice_id: InvoiceId,
    pub(crate) customer_id: CustomerId,
    pub(crate) books: Books,
}

impl Invoice {
    /// Where `trigger` leads the invoice.
    ///
    /// # Errors
    /// [`Failure::Permanent`] when that cannot happen to it.
    pub(crate) fn next(&self, trigger: Trigger) -> Result<Status, Failure> {
        Ok(MACHINE.next(self.status, trigger)?)
    }

    /// The invoice, provided that it stands.
    ///
    /// # Errors
    /// [`Failure::Permanent`] when there is none or it was taken back: nothing can be shipped or paid on it.
    pub(crate) fn issued(self) -> Result<Issued, Failure> {
        match self {
            Invoice {
                status: Status::Issued,
                invoice_id: Some(invoice_id),
                customer_id: Some(customer_id),
                books,
                ..
            } => Ok(Issued { invoice_id, customer_id, books }),
            Invoice { status, .. } => {
                Err(Failure::permanent(Code::IllegalState, format!("the order's invoice is {}", status.as_str())))
            }
        }
    }
}

/// The id of an order's invoice.
pub(crate) fn invoice_id(order_id: &OrderId) -> InvoiceId {
    InvoiceId::from_uuid(derived("invoice", order_id.as_str()))
}

/// Adds an invoice, issued or (with a code) failed. False when the order has a row.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    request: &InvoiceRequested,
    books: &Books,
    code: Option<&str>,
) -> Result<bool, Failure> {
    let now_ms = tx.now_ms();
    let invoice_id = code.is_none().then(|| invoice_id(&request.order_id));
    let trigger = if code.is_none() { Trigger::Issue } else { Trigger::Refuse };
    let status = MACHINE.next(Status::Absent, trigger)?;
    let deferred_minor = if code.is_none() { books.deferred_minor } else { 0 };
    let lines = to_json(&books.lines);
    let values = params![
        request.order_id.as_str(),
        status.as_str(),
        invoice_id.as_ref().map(InvoiceId::as_str),
        request.customer_id.as_str(),
        code,
        books.total_minor,
        deferred_minor,
        &lines,
        now_ms,
    ];
    Ok(tx.execute(ADD, values)? == 1)
}

/// Remembers that an order without an invoice was cancelled.
pub(crate) fn cancel(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<(), StoreError> {
    let now_ms = tx.now_ms();
    tx.execute(CANCEL, params![order_id.as_str(), now_ms])?;
    Ok(())
}

/// Fails the invoice of an order that was cancelled before. False when the order is in another state.
pub(crate) fn fail(
    tx: &mut Tx<'_>,
    request: &InvoiceRequested,
    total_minor: i64,
    code: &str,
) -> Result<bool, StoreError> {
    let values = params![request.order_id.as_str(), code, request.customer_id.as_str(), total_minor];
    Ok(tx.execute(FAIL, values)? == 1)
}

/// Writes what changed about an invoice.
pub(crate) fn keep(tx: &mut Tx<'_>, order_id: &OrderId, status: Status, books: &Books) -> Result<(), StoreError> {
    let Books { deferred_minor, recognized_minor, refunded_minor, lines, .. } = books;
    let lines = to_json(lines);
    let order_id = order_id.as_str();
    tx.execute(KEEP, params![order_id, status.as_str(), *deferred_minor, *recognized_minor, *refunded_minor, &lines])?;
    Ok(())
}

/// An order's invoice.
pub(crate) fn invoice(tx: &mut Tx<'_>, order_id: &OrderId) -> Result<Option<Invoice>, StoreError> {
    tx.query_opt(ONE, params![order_id.as_str()], read)
}

fn read(row: &Row<'_>) -> Result<Invoice, StoreError> {
    let broken = |what: &str| StoreError::Row { reason: format!("an invoice's {what} cannot be read") };
    let invoice_id = row.get_opt_text(1)?.map(InvoiceId::try_from).transpose().map_err(|_| broken("id"))?;
    let customer_id = row.get_opt_text(2)?.map(CustomerId::try_from).transpose().map_err(|_| broken("customer"))?;
    let lines: Vec<Line> = serde_json::from_str(row.get_str(8)?).map_err(|_| broken("lines"))?;
    Ok(Invoice {
        status: Status::named(row.get_str(0)?).ok_or_else(|| broken("status"))?,
        invoice_id,
        customer_id,
        code: row.get_opt_text(3)?,
        books: Books {
            total_minor: row.get_i64(4)?,
            deferred_minor: row.get_i64(5)?,
            recognized_minor: row.get_i64(6)?,
            refunded_minor: row.get_i64(7)?,
            lines,
        },
    })
}

fn to_json(lines: &[Line]) -> String {
    serde_json::to_string(lines).expect("lines have only string keys and integers")
}
