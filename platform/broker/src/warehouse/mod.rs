//! BigQuery subscriptions: from a backlog to rows in a table.
//!
//! `door` is what a warehouse is, `folder` one that is a folder of tables. `plan`, `render` and what they use turn a message into a
//! row, without input or output. `writer` is the task per subscription that carries rows from the backlog to the warehouse.

mod batch;
mod column;
mod decimal;
mod door;
mod folder;
mod moment;
mod plan;
mod render;
mod shape;
mod start;
mod table_name;
mod topic_schema;
mod value;
mod writer;

pub use column::{Column, Mode, Type};
pub use door::{Appended, BadRow, Row, Table, Trouble, Warehouse};
pub use folder::{CreateTableError, Folder};
pub use table_name::{BadTableName, TableName};

pub(crate) use start::{check_fits, start};
pub(crate) use topic_schema::{Field, TopicSchema};
