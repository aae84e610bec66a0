//! Every bound of the service by name.

use std::time::Duration;

/// Milliseconds of a day.
pub(crate) const MS_PER_DAY: i64 = 86_400_000;
/// Letters taken from one subscription at a time and committed together.
pub(crate) const INGEST_BATCH: usize = 100;
/// How long an ingest waits for a first letter.
pub(crate) const INGEST_PATIENCE: Duration = Duration::from_secs(1);
/// Wait between two ingests of one subscription.
pub(crate) const INGEST_PERIOD: Duration = Duration::from_millis(50);
/// A subscription that has been left alone for this long is worth a warning.
pub(crate) const INGEST_ALARM: Duration = Duration::from_secs(2);
/// Longest wait before a subscription that could not be read is asked again.
pub(crate) const INGEST_RETRY: Duration = Duration::from_secs(10);
/// Letters in one plan, at most.
pub(crate) const MAX_PLAN_LETTERS: u32 = 100_000;
/// Dry runs asked of a consumer side by side.
pub(crate) const PLAN_SIDE_BY_SIDE: usize = 4;
/// Bytes of events in one dry run, as JSON, if it is of more than one: well below the consumer's limit.
pub(crate) const DRY_RUN_BYTES: usize = 1024 * 1024;
/// Messages a replay publishes at a time.
pub(crate) const PUBLISH_BATCH: u32 = 500;
/// Messages of a replay that are published and not settled, at most.
pub(crate) const MAX_IN_FLIGHT: u32 = 1_000;
/// How often replays are looked after.
pub(crate) const REPLAY_PERIOD: Duration = Duration::from_millis(40);
/// Wait before the consumer is asked again for messages of a replay that does not run, doubled up to the limit below.
pub(crate) const FIRST_LOOK_MS: i64 = 40;
/// Longest wait between two such questions.
pub(crate) const LAST_LOOK_MS: i64 = 1_000;
/// Times a replay is moved on before others have their turn.
pub(crate) const MOVES_IN_A_ROW: u32 = 50;
/// Messages a second a replay may ask for.
pub(crate) const MAX_RATE_PER_S: u32 = 10_000;
/// Steps of a ramp, at most.
pub(crate) const MAX_RAMP_STEPS: usize = 50;
/// Failures are measured against what has settled, but at least this many: one early failure of many is not a share.
pub(crate) const MIN_MEASURED: u32 = 100;
/// Days after its end for which a plan that was not used can be looked at.
pub(crate) const UNUSED_PLAN_DAYS: u32 = 1;
/// How often old rows are looked for.
pub(crate) const PURGE_PERIOD: Duration = Duration::from_secs(600);
/// Letters purged in one transaction.
pub(crate) const PURGE_BATCH: u32 = 200;
/// Transactions of one purge, of plans and of letters each.
pub(crate) const PURGE_BATCHES: u32 = 20;
/// Groups, by type and state, that one list looks at.
pub(crate) const MAX_GROUP_ROWS: u32 = 10_000;
/// Failed items shown with a replay.
pub(crate) const MAX_SHOWN_ITEMS: u32 = 100;
/// A person's name, in characters.
pub(crate) const MAX_NAME_CHARS: usize = 100;
/// A reason, in characters.
pub(crate) const MAX_WHY_CHARS: usize = 500;
