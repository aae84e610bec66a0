//! The rules: what an invoice is made of, what a shipment earns, what a refund takes back.

use events::billing::InvoiceRequested;
use events::line::subtotal;
use events::money::{MoneyError, SHOP_CURRENCY};
use events::{FieldError, Money, OrderLine, StockLine};
use serde::{Deserialize, Serialize};

/// What the CRM says about billing a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billing {
    /// Invoices are welcome.
    Active,
    /// The account was closed.
    Closed,
    /// There is no billing profile, or no such customer.
    Missing,
}

impl Billing {
    /// Why an invoice cannot be issued: code and sentence; nothing when it can.
    #[must_use]
    pub fn refusal(self) -> Option<(&'static str, &'static str)> {
        match self {
            Billing::Active => None,
            Billing::Closed => Some(("account_closed", "the customer's billing account is closed")),
            Billing::Missing => Some(("no_billing_profile", "the customer has no billing profile")),
        }
    }
}

/// One line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which product.
    #[serde(rename = "p")]
    pub product_id: String,
    /// Units sold.
    #[serde(rename = "q")]
    pub quantity: u32,
    /// Price of all units before the discount, in hundredths.
    #[serde(rename = "g")]
    pub gross_minor: i64,
    /// Units shipped so far.
    #[serde(rename = "s", default)]
    pub shipped: u32,
}

/// What stands on an invoice. All amounts in hundredths.
///
/// `deferred + recognized` is the total less what was refunded before it was earned, or taken back because it never arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// What is to be paid.
    pub total_minor: i64,
    /// What is not earned yet.
    pub deferred_minor: i64,
    /// What was earned by shipments that arrived or are under way.
    pub recognized_minor: i64,
    /// What was given back.
    pub refunded_minor: i64,
    /// What was sold.
    pub lines: Vec<Line>,
}

/// Why a fact does not fit the invoice. It never will: the fact is Permanent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// More units left the house than were invoiced.
    #[error("{units} more units of {product_id} were shipped than invoiced")]
    Overshipped {
        /// Which product.
        product_id: String,
        /// How many too many.
        units: u32,
    },
    /// More money was asked back than is left.
    #[error("a refund of {asked_minor} hundredths is more than the {left_minor} that are left of the invoice")]
    Overdrawn {
        /// What was asked.
        asked_minor: i64,
        /// What is left.
        left_minor: i64,
    },
}

/// Why money is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// What was sold came back: it stays earned, and the return stands beside it.
    Returned,
    /// It never arrived: what was earned with it is taken back.
    Undelivered,
}

/// Where a refund is taken from, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// From what was earned.
    pub earned_minor: i64,
    /// From what was not earned yet.
    pub deferred_minor: i64,
}

/// What an invoice would be made of.
///
/// # Errors
/// [`FieldError`] when a currency is not the shop's, or the total is not the sum of the lines less the discount.
pub fn open(request: &InvoiceRequested) -> Result<Books, FieldError> {
    let InvoiceRequested { lines, discount, total, .. } = request;
    let lines = lines.iter().enumerate().map(|(index, line)| open_line(index, line)).collect::<Result<Vec<_>, _>>()?;
    check_currency(discount, "discount")?;
    let total_minor = minor(total, "total")?;
    if discount.is_negative() {
        return Err(FieldError::new("discount", "must not be negative"));
    }
    let owed = subtotal(&request.lines).and_then(|sum| sum.minus(discount)).map_err(|error| misfit("lines", &error))?;
    if owed != *total {
        return Err(FieldError::new("total", "is not the sum of the lines less the discount"));
    }
    Ok(Books { total_minor, deferred_minor: total_minor, recognized_minor: 0, refunded_minor: 0, lines })
}

fn open_line(index: usize, line: &OrderLine) -> Result<Line, FieldError> {
    let path = format!("lines[{index}].unitPrice");
    let gross_minor = minor(&line.total().map_err(|error| misfit(&path, &error))?, &path)?;
    let product_id = line.product_id.as_str().to_owned();
    Ok(Line { product_id, quantity: line.quantity, gross_minor, shipped: 0 })
}

/// An amount in hundredths of the shop's currency.
///
/// # Errors
/// [`FieldError`] for another currency, or an amount that does not fit.
pub fn minor(amount: &Money, path: &str) -> Result<i64, FieldError> {
    check_currency(amount, path)?;
    amount.minor().map_err(|error| misfit(path, &error))
}

fn check_currency(amount: &Money, path: &str) -> Result<(), FieldError> {
    if amount.currency_code == SHOP_CURRENCY {
        return Ok(());
    }
    Err(FieldError::new(format!("{path}.currencyCode"), format!("must be {SHOP_CURRENCY}")))
}

fn misfit(path: &str, error: &MoneyError) -> FieldError {
    FieldError::new(path, error.to_string())
}

/// Ships units off the invoice and answers what that earns, in hundredths: their share of the total, rounded down; the last units earn
/// all that is left.
///
/// # Errors
/// [`Misfit::Overshipped`].
pub fn recognize(books: &mut Books, shipment: &[StockLine]) -> Result<i64, Misfit> {
    let gross_total: i128 = books.lines.iter().map(|line| i128::from(line.gross_minor)).sum();
    let mut gross_shipped: i128 = 0;
    for StockLine { product_id, quantity } in shipment {
        let mut units = *quantity;
        for line in books.lines.iter_mut().filter(|line| line.product_id == product_id.as_str()) {
            let taken = units.min(line.quantity.saturating_sub(line.shipped));
            line.shipped += taken;
            units -= taken;
            gross_shipped += i128::from(line.gross_minor) * i128::from(taken) / i128::from(line.quantity.max(1));
        }
        if units > 0 {
            return Err(Misfit::Overshipped { product_id: product_id.as_str().to_owned(), units });
        }
    }
    let complete = books.lines.iter().all(|line| line.shipped == line.quantity);
    let share = (i128::from(books.total_minor) * gross_shipped).checked_div(gross_total).unwrap_or(0);
    let share = i64::try_from(share).unwrap_or(i64::MAX);
    let earned_minor = if complete { books.deferred_minor } else { share.min(books.deferred_minor) };
    books.deferred_minor -= earned_minor;
    books.recognized_minor += earned_minor;
    Ok(earned_minor)
}

/// What is left to be given back, in hundredths.
#[must_use]
pub fn left_minor(books: &Books) -> i64 {
    books.total_minor - books.refunded_minor
}

/// Gives money back: first out of what was earned, as returns come after shipments, then out of what was not.
///
/// # Errors
/// [`Misfit::Overdrawn`].
pub fn refund(books: &mut Books, amount_minor: i64, why: Why) -> Result<Refund, Misfit> {
    let left_minor = left_minor(books);
    if amount_minor > left_minor || amount_minor < 0 {
        return Err(Misfit::Overdrawn { asked_minor: amount_minor, left_minor });
    }
    let earned_left = left_minor - books.deferred_minor;
    let earned_minor = amount_minor.min(earned_left);
    let deferred_minor = amount_minor - earned_minor;
    books.deferred_minor -= deferred_minor;
    books.refunded_minor += amount_minor;
    if why == Why::Undelivered {
        books.recognized_minor -= earned_minor;
    }
    Ok(Refund { earned_minor, deferred_minor })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn books(lines: &[(u32, i64)], total_minor: i64) -> Books {
        let line = |(n, (quantity, gross_minor)): (usize, &(u32, i64))| Line {
            product_id: format!("P-{n}"),
            quantity: *quantity,
            gross_minor: *gross_minor,
            shipped: 0,
        };
        let lines = lines.iter().enumerate().map(line).collect();
        Books { total_minor, deferred_minor: total_minor, recognized_minor: 0, refunded_minor: 0, lines }
    }

    fn units(n: usize, quantity: u32) -> StockLine {
        StockLine { product_id: format!("P-{n}").parse().unwrap(), quantity }
    }

    #[test]
    fn a_shipment_earns_its_share_and_the_last_the_rest() {
        // 1.00 and 2.00 less a discount of 0.01: 99.67 hundredths are rounded down to 99.
        let mut books = books(&[(1, 100), (1, 200)], 299);
        assert_eq!(recognize(&mut books, &[units(0, 1)]), Ok(99));
        assert_eq!(recognize(&mut books, &[units(1, 1)]), Ok(200));
        assert_eq!((books.deferred_minor, books.recognized_minor), (0, 299));
    }

    #[test]
    fn what_was_not_invoiced_is_not_shipped() {
        let mut one = books(&[(2, 100)], 100);
        let error = Misfit::Overshipped { product_id: "P-0".into(), units: 1 };
        assert_eq!(recognize(&mut one, &[units(0, 3)]), Err(error));
        assert!(matches!(recognize(&mut one, &[units(7, 1)]), Err(Misfit::Overshipped { .. })));
    }

    #[test]
    fn what_never_arrived_is_not_earned_and_the_last_shipment_earns_what_is_left() {
        let mut books = books(&[(1, 100), (1, 200)], 299);
        assert_eq!(recognize(&mut books, &[units(1, 1)]), Ok(199));
        let taken = refund(&mut books, 199, Why::Undelivered);
        assert_eq!(taken, Ok(Refund { earned_minor: 199, deferred_minor: 0 }));
        assert_eq!((books.deferred_minor, books.recognized_minor), (100, 0));
        assert_eq!(recognize(&mut books, &[units(0, 1)]), Ok(100));
        assert_eq!((books.deferred_minor, books.recognized_minor, left_minor(&books)), (0, 100, 100));
    }

    #[test]
    fn a_refund_comes_out_of_what_was_earned_first() {
        let mut books = books(&[(1, 100), (1, 200)], 300);
        assert_eq!(recognize(&mut books, &[units(0, 1)]), Ok(100));
        assert_eq!(refund(&mut books, 150, Why::Returned), Ok(Refund { earned_minor: 100, deferred_minor: 50 }));
        assert_eq!(
            refund(&mut books, 151, Why::Returned),
            Err(Misfit::Overdrawn { asked_minor: 151, left_minor: 150 })
        );
        assert_eq!(recognize(&mut books, &[units(1, 1)]), Ok(150));
        assert_eq!(refund(&mut books, 150, Why::Returned), Ok(Refund { earned_minor: 150, deferred_minor: 0 }));
        assert_eq!(left_minor(&books), 0);
    }

    proptest! {
        #[test]
        fn however_an_order_is_shipped_its_shares_add_up_to_what_is_paid(
            lines in prop::collection::vec((1u32..6, 0i64..1_000_000), 1..6),
            percent in 0i64..=100,
            order in prop::collection::vec(any::<prop::sample::Index>(), 30),
        ) {
            let gross: i64 = lines.iter().map(|(_, gross)| gross).sum();
            let total = gross - gross * percent / 100;
            let mut books = books(&lines, total);
            let mut left: Vec<usize> =
                lines.iter().enumerate().flat_map(|(n, (quantity, _))| vec![n; *quantity as usize]).collect();
            let mut sum = 0;
            for index in order {
                if left.is_empty() {
                    break;
                }
                let n = left.swap_remove(index.index(left.len()));
                let earned = recognize(&mut books, &[units(n, 1)]).unwrap();
                prop_assert!(earned >= 0);
                sum += earned;
            }
            for n in left {
                sum += recognize(&mut books, &[units(n, 1)]).unwrap();
            }
            prop_assert_eq!(sum, total);
            prop_assert_eq!(books.deferred_minor, 0);
            prop_assert!(recognize(&mut books, &[units(0, 1)]).is_err());
        }

        #[test]
        fn refunds_never_give_back_more_than_was_paid(
            total in 0i64..10_000,
            asked in prop::collection::vec((0i64..5_000, any::<bool>()), 0..10),
            ship_after in 0usize..10,
        ) {
            let mut books = books(&[(1, total), (1, total)], total);
            let mut given = 0;
            for (position, (amount, undelivered)) in asked.iter().enumerate() {
                let why = if *undelivered { Why::Undelivered } else { Why::Returned };
                if position == ship_after {
                    recognize(&mut books, &[units(0, 1)]).unwrap();
                }
                if let Ok(Refund { earned_minor, deferred_minor }) = refund(&mut books, *amount, why) {
                    prop_assert!(earned_minor >= 0 && deferred_minor >= 0);
                    prop_assert_eq!(earned_minor + deferred_minor, *amount);
                    given += amount;
                }
                prop_assert!(books.deferred_minor >= 0 && books.recognized_minor >= 0 && given <= total);
                prop_assert!(books.deferred_minor + books.recognized_minor <= total);
            }
            prop_assert_eq!(left_minor(&books), total - given);
        }
    }
}
