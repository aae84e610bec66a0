//! Which ledger keeps a product: `FURN-<number>` is freight, everything else is inventory's.

use events::{FieldError, Ledger, ProductId};

/// The start of a freight product's id.
pub const FURNITURE_PREFIX: &str = "FURN-";
/// The most digits of a freight product's number.
const MAX_DIGITS: usize = 12;

/// The product of a piece of furniture; `None` for numbers that are none.
#[must_use]
pub fn furniture_product(number: i64) -> Option<ProductId> {
    let product_id: ProductId = format!("{FURNITURE_PREFIX}{number}").parse().ok()?;
    furniture_number(&product_id).map(|_| product_id)
}

/// The number of a freight product: 7 for `FURN-7`.
#[must_use]
pub fn furniture_number(product_id: &ProductId) -> Option<i64> {
    let digits = product_id.as_str().strip_prefix(FURNITURE_PREFIX)?;
    let canonical = digits.len() <= MAX_DIGITS
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.starts_with(|first: char| first != '0');
    if canonical { digits.parse().ok() } else { None }
}

/// Refuses a product that another ledger keeps.
///
/// # Errors
/// [`FieldError`] at `path`.
pub fn check(ledger: Ledger, product_id: &ProductId, path: &str) -> Result<(), FieldError> {
    let keeps = match ledger {
        Ledger::Inventory => !product_id.as_str().starts_with(FURNITURE_PREFIX),
        Ledger::Furniture => furniture_number(product_id).is_some(),
    };
    if keeps { Ok(()) } else { Err(FieldError::new(path, format!("is not a product of the {ledger} ledger"))) }
}

/// Where a product is kept when nobody says.
#[must_use]
pub fn default_location(ledger: Ledger) -> &'static str {
    match ledger {
        Ledger::Inventory => "main-warehouse",
        Ledger::Furniture => "freight-warehouse",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freight_is_a_prefix_and_a_plain_number() {
        let number = |text: &str| furniture_number(&text.parse().expect("an id"));
        assert_eq!(number("FURN-17"), Some(17));
        for other in ["FURN-", "FURN-0", "FURN-017", "FURN-1a", "FURN-1234567890123", "OLJCESPC7Z"] {
            assert_eq!(number(other), None, "{other}");
        }
        assert_eq!(furniture_product(17), "FURN-17".parse().ok());
        assert_eq!(furniture_product(-1), None);
    }

    #[test]
    fn no_product_is_kept_by_two_ledgers() {
        for text in ["FURN-1", "FURN-x", "FOOD-1", "OLJCESPC7Z"] {
            let product_id: ProductId = text.parse().expect("an id");
            let keepers = Ledger::ALL.into_iter().filter(|ledger| check(*ledger, &product_id, "productId").is_ok());
            assert!(keepers.count() <= 1, "{text}");
        }
    }
}
