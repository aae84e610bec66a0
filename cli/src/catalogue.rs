//! Products and baskets from files of one JSON object a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use events::line::MAX_LINES;
use events::{CustomerId, ProductId, StockLine};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The longest line read, in bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;
/// The most lines read from one file.
const MAX_RECORDS: usize = 1_000_000;
/// The dearest product accepted, in cents.
const MAX_PRICE_MINOR: i64 = 100_000_000;

/// Where products and baskets come from.
#[derive(Debug, Clone, Args)]
pub struct Files {
    /// Products: one {"productId","name","category","unitPriceCents"} a line
    #[arg(long, value_name = "FILE", default_value = "tests/data/products.jsonl")]
    pub products: PathBuf,
    /// Baskets: one {"basketId","householdId","lines":[{"productId","quantity"}]} a line
    #[arg(long, value_name = "FILE", default_value = "tests/data/baskets.jsonl")]
    pub baskets: PathBuf,
    /// Take only the first N baskets
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

/// A product for sale.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Which product.
    pub product_id: ProductId,
    /// What it is called.
    pub name: String,
    /// Which shelf.
    pub category: String,
    /// Price of one unit, in cents.
    pub unit_price_cents: i64,
}

/// What somebody once bought together.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Basket {
    /// Which basket.
    pub basket_id: ProductId,
    /// Whose.
    pub household_id: CustomerId,
    /// What was in it.
    pub lines: Vec<StockLine>,
}

impl Basket {
    /// The customer we invent for the household: `HH-<householdId>`.
    ///
    /// # Errors
    /// When the household's id is too long for a customer's.
    pub fn customer(&self) -> anyhow::Result<CustomerId> {
        format!("HH-{}", self.household_id).parse().context("householdId is too long")
    }
}

impl Files {
    /// Reads both files.
    ///
    /// # Errors
    /// Naming the file and the line that cannot be read.
    pub fn read(&self) -> anyhow::Result<(Vec<Product>, Vec<Basket>)> {
        let products: Vec<Product> = read(&self.products, MAX_RECORDS)?;
        for (index, product) in products.iter().enumerate() {
            let fair = (0..=MAX_PRICE_MINOR).contains(&product.unit_price_cents);
            ensure!(fair, "{}:{}: unitPriceCents is out of range", self.products.display(), index + 1);
        }
        let baskets: Vec<Basket> = read(&self.baskets, self.limit.unwrap_or(MAX_RECORDS))?;
        for (index, basket) in baskets.iter().enumerate() {
            let fair = (1..=MAX_LINES).contains(&basket.lines.len());
            ensure!(fair, "{}:{}: a basket has 1 to {MAX_LINES} lines", self.baskets.display(), index + 1);
        }
        Ok((products, baskets))
    }
}

fn read<T: DeserializeOwned>(path: &Path, most: usize) -> anyhow::Result<Vec<T>> {
    let file = File::open(path).with_context(|| {
        format!("cannot open {}: run from the project's folder, or name the file with its option", path.display())
    })?;
    let mut reader = BufReader::new(file);
    let mut records = Vec::new();
    let mut line = String::new();
    for number in 1.. {
        if records.len() >= most {
            break;
        }
        line.clear();
        let place = || format!("{}:{number}", path.display());
        let count = reader.by_ref().take(MAX_LINE_BYTES).read_line(&mut line).with_context(place)?;
        if count == 0 {
            break;
        }
        if count as u64 == MAX_LINE_BYTES {
            bail!("{}: the line is longer than {MAX_LINE_BYTES} bytes", place());
        }
        if !line.trim().is_empty() {
            records.push(serde_json::from_str(&line).with_context(place)?);
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, r#"{{"productId":"A","name":"a","category":"c","unitPriceCents":1}}"#).unwrap();
        writeln!(file, r#"{{"productId":"B","name":"b","category":"c"}}"#).unwrap();
        let error = format!("{:#}", read::<Product>(file.path(), 10).unwrap_err());
        assert!(error.contains(":2") && error.contains("unitPriceCents"), "{error}");
        assert_eq!(read::<Product>(file.path(), 1).unwrap().len(), 1);
    }
}
