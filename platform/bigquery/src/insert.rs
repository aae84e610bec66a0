//! Rows as requests of insertAll, and what their answers mean.

use broker::warehouse::{Appended, BadRow, Row, Trouble};
use gcp_bigquery_client::model::error_proto::ErrorProto;
use gcp_bigquery_client::model::table_data_insert_all_request::TableDataInsertAllRequest;
use gcp_bigquery_client::model::table_data_insert_all_request_rows::TableDataInsertAllRequestRows;
use gcp_bigquery_client::model::table_data_insert_all_response::TableDataInsertAllResponse;
use serde_json::Value;

use crate::trouble::passes;

/// Bytes of rows in one request; BigQuery refuses requests above 10 MB.
pub(crate) const REQUEST_BYTES: usize = 8_000_000;
/// The greatest integer that a JSON number carries unharmed.
const SAFE_INTEGER: u64 = (1 << 53) - 1;

/// A request, and where its first row stands among all.
pub(crate) struct Part {
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) request: TableDataInsertAllRequest,
}

/// Divides rows into requests. A row that is too large stands alone: the endpoint decides.
pub(crate) fn parts(rows: &[Row]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < rows.len() {
        let (mut bytes, mut wire) = (0, Vec::new());
        for row in &rows[start..] {
            let mut json = Value::Object(row.columns.clone());
            spell_out(&mut json);
            bytes += length(&json) + row.insert_id.len() + 30;
            if bytes > REQUEST_BYTES && !wire.is_empty() {
                break;
            }
            wire.push(TableDataInsertAllRequestRows { insert_id: Some(row.insert_id.clone()), json });
        }
        let (first, count) = (start, wire.len());
        start += count;
        let mut request = TableDataInsertAllRequest::new();
        request.add_rows(wire).expect("rows that are JSON already need no conversion that could fail");
        parts.push(Part { first, count, request });
    }
    parts
}

/// Writes great integers as strings, which BigQuery asks for.
fn spell_out(json: &mut Value) {
    match json {
        Value::Number(number) if number.as_i64().is_some_and(|n| n.unsigned_abs() > SAFE_INTEGER) => {
            *json = Value::String(number.to_string());
        }
        Value::Array(items) => items.iter_mut().for_each(spell_out),
        Value::Object(fields) => fields.values_mut().for_each(spell_out),
        _ => {}
    }
}

/// Bytes of a JSON value on the wire.
fn length(json: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, json).expect("counting does not fail");
    count.0
}

/// What an answer says of its part. With any bad row the endpoint writes none and calls the others stopped.
pub(crate) fn outcome(part: &Part, answer: TableDataInsertAllResponse) -> Appended {
    let errors = answer.insert_errors.unwrap_or_default();
    if errors.is_empty() {
        return Appended::Written;
    }
    let mut bad = Vec::new();
    for row in errors {
        let index = row.index.and_then(|index| usize::try_from(index).ok()).filter(|index| *index < part.count);
        let own = row.errors.unwrap_or_default().into_iter().find(|e| !passes(e.reason.as_deref().unwrap_or("")));
        if let (Some(index), Some(error)) = (index, own) {
            bad.push(BadRow { index: part.first + index, reason: reason(&error) });
        }
    }
    if bad.is_empty() {
        Appended::Failed(Trouble::Unavailable("rows were stopped".to_owned()))
    } else {
        Appended::Bad(bad)
    }
}

fn reason(error: &ErrorProto) -> String {
    let parts = [&error.location, &error.reason, &error.message];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(": ")
}
