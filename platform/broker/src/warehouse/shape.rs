//! A table's columns, ready for rows to be made of fields.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::column::{Column, Mode, Type};
use super::value;
use crate::limits::{WAREHOUSE_COLUMNS, WAREHOUSE_NESTING};

/// Columns by name, with those of records inside.
#[derive(Debug)]
pub(super) struct Shape {
    columns: Vec<Column>,
    /// Per column, what a record holds.
    inner: Vec<Option<Shape>>,
    /// From a name in lower case to the column.
    index: HashMap<String, usize>,
}

/// Why a row cannot be made, without the values it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad(pub(super) String);

impl Bad {
    /// The same, said of something inside `name`. A name may come from the message: only its beginning is kept.
    fn within(self, name: &str) -> Bad {
        let short: String = name.chars().take(100).collect();
        let joint = if self.0.starts_with(['.', '[', ':']) { "" } else { ": " };
        Bad(format!("{short}{joint}{}", self.0))
    }
}

impl Shape {
    /// Checks columns and makes them ready.
    ///
    /// # Errors
    /// Why these are no columns of a table.
    pub(super) fn new(columns: Vec<Column>) -> Result<Shape, String> {
        let mut left = WAREHOUSE_COLUMNS;
        Shape::build(columns, WAREHOUSE_NESTING, &mut left)
    }

    fn build(columns: Vec<Column>, nesting: usize, left: &mut usize) -> Result<Shape, String> {
        *left = left.checked_sub(columns.len()).ok_or(format!("a table has at most {WAREHOUSE_COLUMNS} columns"))?;
        let (mut index, mut inner) = (HashMap::with_capacity(columns.len()), Vec::with_capacity(columns.len()));
        for (i, column) in columns.iter().enumerate() {
            if index.insert(column.name.to_ascii_lowercase(), i).is_some() {
                return Err(format!("column {} is there twice", column.name));
            }
            inner.push(match column.kind {
                Type::Record if nesting == 0 => return Err(format!("records nest at most {WAREHOUSE_NESTING} deep")),
                Type::Record => Some(Shape::build(column.fields.clone(), nesting - 1, left)?),
                _ => None,
            });
        }
        Ok(Shape { columns, inner, index })
    }

    /// The columns.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// A column by name.
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.index.get(&name.to_ascii_lowercase()).map(|i| &self.columns[*i])
    }

    /// What a record's column holds.
    pub(super) fn inner(&self, name: &str) -> Option<&Shape> {
        self.index.get(&name.to_ascii_lowercase()).and_then(|i| self.inner[*i].as_ref())
    }

    /// Columns from fields. With `drop_unknown`, a field without a column is left out; without it, it is an error.
    pub(super) fn row(&self, fields: Map<String, Value>, drop_unknown: bool) -> Result<Map<String, Value>, Bad> {
        let mut row = Map::new();
        let mut seen = vec![false; self.columns.len()];
        for (name, field) in fields {
            let Some(&i) = self.index.get(&name.to_ascii_lowercase()) else {
                if drop_unknown {
                    continue;
                }
                return Err(Bad("no such column".to_owned()).within(&name));
            };
            let column = &self.columns[i];
            if std::mem::replace(&mut seen[i], true) {
                return Err(Bad("given twice".to_owned()).within(&column.name));
            }
            let made = self.value(i, field, drop_unknown).map_err(|bad| bad.within(&column.name))?;
            if let Some(made) = made {
                row.insert(column.name.clone(), made);
            }
        }
        for column in &self.columns {
            let given = row.contains_key(&column.name);
            if !given && column.must_be_given() {
                return Err(Bad("REQUIRED and not given".to_owned()).within(&column.name));
            }
            if !given && column.mode == Mode::Repeated {
                row.insert(column.name.clone(), Value::Array(Vec::new()));
            }
        }
        Ok(row)
    }

    /// A column's value. `None` is NULL.
    fn value(&self, i: usize, field: Value, drop_unknown: bool) -> Result<Option<Value>, Bad> {
        let one = |field: Value| match (&self.inner[i], field) {
            (Some(shape), Value::Object(fields)) => {
                shape.row(fields, drop_unknown).map(Value::Object).map_err(|bad| Bad(format!(".{}", bad.0)))
            }
            (Some(_), _) => Err(Bad("a RECORD column takes an object".to_owned())),
            (None, field) => value::from_json(&self.columns[i], field).map_err(Bad),
        };
        match (self.columns[i].mode, field) {
            (_, Value::Null) => Ok(None),
            (Mode::Repeated, Value::Array(items)) => {
                let number = |(n, item): (usize, Value)| match item {
                    Value::Null => Err(Bad(format!("[{n}]: a list has no NULL"))),
                    item => one(item).map_err(|bad| bad.within(&format!("[{n}]"))),
                };
                items
                    .into_iter()
                    .enumerate()
                    .map(number)
                    .collect::<Result<_, _>>()
                    .map(|items| Some(Value::Array(items)))
            }
            (Mode::Repeated, _) => Err(Bad("a REPEATED column takes a list".to_owned())),
            (_, field) => one(field).map(Some),
        }
    }
}
