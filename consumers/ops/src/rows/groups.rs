//! Letters of one cause, counted.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use store::{StoreError, Tx, params};

use crate::filter::Filter;
use crate::limits::MAX_GROUP_ROWS;

const COUNT: &str =
    "SELECT consumer, code, fingerprint, event_type, state, COUNT(*), MIN(first_died_at_ms), MAX(last_died_at_ms),
        MIN(reason)
    FROM letters
    WHERE (?1 = '' OR consumer = ?1) AND (?2 = '' OR event_type = ?2) AND (?3 = '' OR order_id = ?3)
        AND (?4 = '' OR code = ?4) AND (?5 = '' OR fingerprint = ?5) AND (?6 = '' OR state = ?6)
        AND last_died_at_ms >= ?7 AND last_died_at_ms < ?8
    GROUP BY consumer, code, fingerprint, event_type, state
    ORDER BY consumer, code, fingerprint, event_type, state LIMIT ?9";

/// Letters that died at one consumer of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    pub(crate) fingerprint: String,
    pub(crate) consumer: String,
    pub(crate) code: String,
    /// The reason of one of them.
    pub(crate) reason: String,
    pub(crate) types: BTreeSet<String>,
    pub(crate) count: i64,
    /// How many are in each state.
    pub(crate) states: BTreeMap<String, i64>,
    pub(crate) oldest_at_ms: i64,
    pub(crate) newest_at_ms: i64,
}

/// Every group of the letters that fit, largest first.
///
/// # Errors
/// Of the database.
pub(crate) fn list(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<Group>, StoreError> {
    let or_all = Filter::or_all;
    let values = params![
        or_all(&filter.consumer),
        or_all(&filter.event_type),
        or_all(&filter.order),
        or_all(&filter.code),
        or_all(&filter.fingerprint),
        or_all(&filter.state),
        filter.since_ms(),
        filter.until_ms(),
        MAX_GROUP_ROWS,
    ];
    let mut groups: BTreeMap<(String, String, String), Group> = BTreeMap::new();
    tx.query(COUNT, values, |row| {
        let (consumer, code, fingerprint) = (row.get_text(0)?, row.get_text(1)?, row.get_text(2)?);
        let (oldest_at_ms, newest_at_ms) = (row.get_i64(6)?, row.get_i64(7)?);
        let key = (consumer.clone(), code.clone(), fingerprint.clone());
        let reason = events::personal::text(row.get_str(8)?);
        let group = groups.entry(key).or_insert_with(|| Group {
            fingerprint,
            consumer,
            code,
            reason,
            types: BTreeSet::new(),
            count: 0,
            states: BTreeMap::new(),
            oldest_at_ms,
            newest_at_ms,
        });
        let count = row.get_i64(5)?;
        group.types.insert(row.get_text(3)?);
        group.count += count;
        *group.states.entry(row.get_text(4)?).or_default() += count;
        group.oldest_at_ms = group.oldest_at_ms.min(oldest_at_ms);
        group.newest_at_ms = group.newest_at_ms.max(newest_at_ms);
        Ok(())
    })?;
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    Ok(groups)
}
