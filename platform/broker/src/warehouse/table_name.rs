//! Names of tables.

use std::fmt;
use std::str::FromStr;

/// A table's full name: `project.dataset.table`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    project: String,
    dataset: String,
    table: String,
}

/// What is no table's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not of the form project.dataset.table or project:dataset.table")]
pub struct BadTableName;

/// Bytes of a part of a name (BigQuery's limit for datasets and tables).
const PART_BYTES: usize = 1_024;

impl TableName {
    /// The project.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The dataset.
    pub fn dataset(&self) -> &str {
        &self.dataset
    }

    /// The table in its dataset.
    pub fn table(&self) -> &str {
        &self.table
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.project, self.dataset, self.table)
    }
}

impl FromStr for TableName {
    type Err = BadTableName;

    /// Reads `project.dataset.table` and the older `project:dataset.table`. A project may have dots and a colon itself
    /// (`example.com:shop`).
    fn from_str(text: &str) -> Result<TableName, BadTableName> {
        let (rest, table) = text.rsplit_once('.').ok_or(BadTableName)?;
        let (project, dataset) = rest.rsplit_once(['.', ':']).ok_or(BadTableName)?;
        let of = |part: &str, also: &str| {
            (1..=PART_BYTES).contains(&part.len())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        let good = of(project, "-.:")
            && project.starts_with(|c: char| c.is_ascii_alphabetic())
            && of(dataset, "_")
            && (1..=PART_BYTES).contains(&table.len())
            && table.chars().all(|c| c.is_alphanumeric() || "_- ".contains(c));
        if !good {
            return Err(BadTableName);
        }
        Ok(TableName { project: project.to_owned(), dataset: dataset.to_owned(), table: table.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_three_parts_with_a_dot_or_a_colon_after_the_project() {
        let parts = |text: &str| {
            let name: TableName = text.parse().unwrap();
            (name.project, name.dataset, name.table)
        };
        let of = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(parts("shop-1.analytics.events_raw"), of("shop-1", "analytics", "events_raw"));
        assert_eq!(parts("shop-1:analytics.events_raw"), of("shop-1", "analytics", "events_raw"));
        assert_eq!(parts("example.com:shop.analytics.events-raw"), of("example.com:shop", "analytics", "events-raw"));
        assert_eq!("p:d.t".parse::<TableName>().unwrap().to_string(), "p.d.t");
    }

    #[test]
    fn what_could_leave_the_folder_or_names_a_part_of_a_table_is_no_name() {
        let long = format!("p.d.{}", "t".repeat(1_025));
        for bad in [
            "",
            "t",
            "d.t",
            "p..t",
            "p.d.",
            ".d.t",
            "p.d.t/u",
            "../p.d.t",
            "p.d.t$20260101",
            "p.d-x.t",
            "1p.d.t",
            "p.d.t\n",
            &long,
        ] {
            assert_eq!(bad.parse::<TableName>(), Err(BadTableName), "{bad}");
        }
    }
}
