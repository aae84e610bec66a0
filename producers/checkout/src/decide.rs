//! The rules of checkout, pure: same input, same answer.

use std::collections::HashMap;

use events::money::MoneyError;
use events::{Ledger, Money, OrderLine, ProductId, line};

use crate::request::Wanted;

/// Whose catalogue has a product's price and whose ledger its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Price and units: the inventory service.
    Inventory,
    /// Price and units: the furniture service.
    Furniture,
    /// Price: the food service. Units: the inventory service.
    Food,
}

impl Owner {
    /// The ledger the units are taken from.
    pub(crate) fn ledger(self) -> Ledger {
        match self {
            Owner::Inventory | Owner::Food => Ledger::Inventory,
            Owner::Furniture => Ledger::Furniture,
        }
    }
}

/// The owner of a product, told by its id: `FURN-<id>`, `FOOD-<id>`, anything else.
pub(crate) fn owner(product_id: &ProductId) -> Owner {
    match product_id.as_str() {
        id if id.starts_with("FURN-") => Owner::Furniture,
        id if id.starts_with("FOOD-") => Owner::Food,
        _ => Owner::Inventory,
    }
}

/// The number in `FOOD-<number>`; `None` when it is no such id.
pub(crate) fn food_number(product_id: &ProductId) -> Option<&str> {
    let number = product_id.as_str().strip_prefix("FOOD-")?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(number)
}

/// What a catalogue says about a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Price of one unit.
    pub unit_price: Money,
    /// Units that can be had.
    pub available: u32,
}

/// A loyalty tier of the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    /// No discount; also every tier we do not know.
    Standard,
    /// 2 percent.
    Silver,
    /// 5 percent.
    Gold,
}

impl Tier {
    /// The discount, in percent of the subtotal.
    fn percent(self) -> u32 {
        match self {
            Tier::Standard => 0,
            Tier::Silver => 2,
            Tier::Gold => 5,
        }
    }
}

/// An order at catalogue prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quote {
    /// What is bought, in the order it was asked for.
    pub lines: Vec<OrderLine>,
    /// Sum of the lines.
    pub subtotal: Money,
    /// Loyalty discount.
    pub discount: Money,
    /// What the customer pays.
    pub total: Money,
    /// Lines that are not in stock, as the catalogues say.
    pub short: Vec<Short>,
    /// Whether all of those are a matter of units, so that a ledger may know better; a dish that is off the menu is not.
    pub may_be_held: bool,
}

/// A line that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Short {
    /// Which line of the client's body.
    pub position: usize,
    /// Units asked for and units there, in words.
    pub problem: String,
}

/// Why there is no quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoQuote {
    /// No catalogue has these lines' products: positions in the client's body.
    Unknown(Vec<usize>),
    /// The sum does not fit; prices bounded at the edges keep it from happening.
    Amount(MoneyError),
}

impl From<MoneyError> for NoQuote {
    fn from(error: MoneyError) -> Self {
        NoQuote::Amount(error)
    }
}

/// Prices a basket and looks whether its units are there.
pub(crate) fn quote(wanted: &[Wanted], offers: &HashMap<ProductId, Offer>, tier: Tier) -> Result<Quote, NoQuote> {
    let mut lines = Vec::with_capacity(wanted.len());
    let (mut unknown, mut short, mut may_be_held) = (Vec::new(), Vec::new(), true);
    for Wanted { product_id, quantity, position } in wanted {
        let Some(offer) = offers.get(product_id) else {
            unknown.push(*position);
            continue;
        };
        if offer.available < *quantity {
            let problem = format!("wanted {quantity}, available {}", offer.available);
            short.push(Short { position: *position, problem });
            may_be_held &= owner(product_id) != Owner::Food;
        }
        lines.push(OrderLine {
            product_id: product_id.clone(),
            quantity: *quantity,
            unit_price: offer.unit_price.clone(),
            ledger: owner(product_id).ledger(),
        });
    }
    if !unknown.is_empty() {
        return Err(NoQuote::Unknown(unknown));
    }
    let subtotal = line::subtotal(&lines)?;
    let discount = subtotal.percent(tier.percent())?;
    let total = subtotal.minus(&discount)?;
    Ok(Quote { lines, subtotal, discount, total, short, may_be_held })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn product(text: &str) -> ProductId {
        text.parse().unwrap()
    }

    fn wanted(lines: &[(&str, u32)]) -> Vec<Wanted> {
        let line = |(position, (id, quantity)): (usize, &(&str, u32))| Wanted {
            product_id: product(id),
            quantity: *quantity,
            position,
        };
        lines.iter().enumerate().map(line).collect()
    }

    fn offers(offers: &[(&str, i64, u32)]) -> HashMap<ProductId, Offer> {
        let offer = |(id, minor, available): &(&str, i64, u32)| {
            (product(id), Offer { unit_price: Money::from_minor(*minor), available: *available })
        };
        offers.iter().map(offer).collect()
    }

    #[test]
    fn a_product_id_tells_its_owner() {
        let owners = ["FURN-1", "FOOD-1", "OLJCESPC7Z"].map(|id| owner(&product(id)));
        assert_eq!(owners, [Owner::Furniture, Owner::Food, Owner::Inventory]);
        assert_eq!(owners.map(Owner::ledger), [Ledger::Furniture, Ledger::Inventory, Ledger::Inventory]);
        assert_eq!(food_number(&product("FOOD-12")), Some("12"));
        assert_eq!(food_number(&product("FOOD-..")), None);
        assert_eq!(food_number(&product("FOOD-")), None);
    }

    #[test]
    fn unknown_products_come_before_missing_units() {
        let offers = offers(&[("A", 100, 1)]);
        assert_eq!(quote(&wanted(&[("A", 2), ("B", 1)]), &offers, Tier::Gold), Err(NoQuote::Unknown(vec![1])));
        let short = vec![Short { position: 0, problem: "wanted 2, available 1".into() }];
        let quoted = quote(&wanted(&[("A", 2)]), &offers, Tier::Gold).map(|quote| (quote.may_be_held, quote.short));
        assert_eq!(quoted, Ok((true, short)));
    }

    #[test]
    fn a_dish_off_the_menu_is_held_by_nobody() {
        let offers = offers(&[("A", 100, 1), ("FOOD-2", 100, 0)]);
        let quoted = quote(&wanted(&[("A", 2), ("FOOD-2", 1)]), &offers, Tier::Gold).map(|quote| quote.may_be_held);
        assert_eq!(quoted, Ok(false));
    }

    proptest! {
        #[test]
        fn what_is_paid_and_what_is_given_add_up(
            prices in prop::collection::vec((0i64..1_000_000_000, 1u32..=10_000), 1..100),
            tier in prop::sample::select(vec![Tier::Standard, Tier::Silver, Tier::Gold]),
        ) {
            let ids: Vec<String> = (0..prices.len()).map(|number| format!("P{number}")).collect();
            let lines: Vec<_> = ids.iter().zip(&prices).map(|(id, (_, quantity))| (id.as_str(), *quantity)).collect();
            let catalogue: Vec<_> = ids.iter().zip(&prices).map(|(id, (minor, _))| (id.as_str(), *minor, 10_000)).collect();
            let quote = quote(&wanted(&lines), &offers(&catalogue), tier).unwrap();
            let sum: i64 = prices.iter().map(|(minor, quantity)| minor * i64::from(*quantity)).sum();
            prop_assert_eq!(quote.subtotal.minor(), Ok(sum));
            prop_assert_eq!(quote.discount.minor(), Ok(sum * i64::from(tier.percent()) / 100));
            prop_assert_eq!(quote.total.plus(&quote.discount), Ok(quote.subtotal.clone()));
            prop_assert!(!quote.total.is_negative());
        }
    }
}
