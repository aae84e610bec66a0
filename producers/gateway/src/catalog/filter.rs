//! Which products a client wants to see.

use events::FieldError;
use stock::decimal::parse_minor;

use super::shelf::Shelf;
use super::{Asked, Product};

/// The longest text looked for, in characters: names and categories are no longer.
const MAX_TEXT_CHARS: usize = 100;

/// What a product must be.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    /// In lower case, in the name.
    name_has: Option<String>,
    /// In lower case, the category.
    category: Option<String>,
    min_minor: Option<i64>,
    max_minor: Option<i64>,
    available: bool,
    source: Option<Shelf>,
}

impl Filter {
    /// # Errors
    /// [`FieldError`] naming the parameter that cannot be used.
    pub(super) fn read(asked: &Asked) -> Result<Self, FieldError> {
        let available = match asked.available.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(FieldError::new("available", "must be true or false")),
        };
        let source = asked.source.as_deref().map(|name| {
            Shelf::named(name).ok_or_else(|| FieldError::new("source", "must be inventory, furniture or food"))
        });
        let this = Self {
            name_has: text(asked.q.as_deref(), "q")?,
            category: text(asked.category.as_deref(), "category")?,
            min_minor: price(asked.min_price.as_deref(), "minPrice")?,
            max_minor: price(asked.max_price.as_deref(), "maxPrice")?,
            available,
            source: source.transpose()?,
        };
        match (this.min_minor, this.max_minor) {
            (Some(min), Some(max)) if min > max => Err(FieldError::new("maxPrice", "must not be below minPrice")),
            _ => Ok(this),
        }
    }

    /// The shelves that may have such products.
    pub(super) fn shelves(&self) -> impl Iterator<Item = Shelf> + use<> {
        let source = self.source;
        Shelf::ALL.into_iter().filter(move |shelf| source.is_none_or(|source| source == *shelf))
    }

    /// Whether products must be looked at one by one.
    pub(super) fn looks_at_products(&self) -> bool {
        *self != Self { source: self.source, ..Self::default() }
    }

    pub(super) fn takes(&self, product: &Product) -> bool {
        let Self { name_has, category, min_minor, max_minor, available, source: _ } = self;
        // A price that does not fit is beyond every bound that does.
        let minor = product.unit_price.minor().unwrap_or(i64::MAX);
        name_has.as_ref().is_none_or(|text| product.name.to_lowercase().contains(text))
            && category.as_ref().is_none_or(|category| product.category.to_lowercase() == *category)
            && min_minor.is_none_or(|min| minor >= min)
            && max_minor.is_none_or(|max| minor <= max)
            && (!available || product.available.is_some_and(|units| units > 0))
    }
}

fn text(given: Option<&str>, name: &str) -> Result<Option<String>, FieldError> {
    let Some(text) = given else { return Ok(None) };
    if text.trim().is_empty() || text.chars().count() > MAX_TEXT_CHARS {
        return Err(FieldError::new(name, format!("must be 1 to {MAX_TEXT_CHARS} characters")));
    }
    Ok(Some(text.to_lowercase()))
}

fn price(given: Option<&str>, name: &str) -> Result<Option<i64>, FieldError> {
    given.map(|text| parse_minor(text).map_err(|problem| FieldError::new(name, problem))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Money;

    fn product(name: &str, category: &str, minor: i64, available: Option<u32>) -> Product {
        Product {
            product_id: "P".parse().unwrap(),
            name: name.to_owned(),
            category: category.to_owned(),
            unit_price: Money::from_minor(minor),
            available,
            source: "inventory",
            place: String::new(),
        }
    }

    fn filter(query: &[(&str, &str)]) -> Result<Filter, FieldError> {
        let object = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        Filter::read(&serde_json::from_value(serde_json::Value::Object(object)).unwrap())
    }

    #[test]
    fn a_product_must_be_all_that_is_asked_for() {
        let all =
            [("q", "LAMP"), ("category", "office"), ("minPrice", "10"), ("maxPrice", "12.50"), ("available", "true")];
        let filter = filter(&all).unwrap();
        assert!(filter.takes(&product("Desk lamp", "Office", 1_250, Some(1))));
        for other in [
            product("Desk", "Office", 1_250, Some(1)),
            product("Desk lamp", "Office chairs", 1_250, Some(1)),
            product("Desk lamp", "Office", 999, Some(1)),
            product("Desk lamp", "Office", 1_251, Some(1)),
            product("Desk lamp", "Office", 1_250, Some(0)),
            product("Desk lamp", "Office", 1_250, None),
        ] {
            assert!(!filter.takes(&other), "{other:?}");
        }
    }

    #[test]
    fn only_the_source_is_pushed_down() {
        let food = filter(&[("source", "food")]).unwrap();
        assert_eq!(food.shelves().collect::<Vec<_>>(), [Shelf::Food]);
        assert!(!food.looks_at_products());
        assert!(filter(&[("available", "true")]).unwrap().looks_at_products());
        assert_eq!(filter(&[]).unwrap().shelves().count(), 3);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let long = "x".repeat(101);
        for (name, value) in [
            ("q", ""),
            ("q", long.as_str()),
            ("category", " "),
            ("minPrice", "-1"),
            ("minPrice", "much"),
            ("maxPrice", "1.999"),
            ("available", "yes"),
            ("source", "attic"),
        ] {
            assert_eq!(filter(&[(name, value)]).unwrap_err().path, name, "{value}");
        }
        assert_eq!(filter(&[("minPrice", "2"), ("maxPrice", "1")]).unwrap_err().path, "maxPrice");
    }
}
