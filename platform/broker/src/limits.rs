//! Every number that bounds something, by name. Google Pub/Sub's own are those of [`delivery::service`]; what is marked
//! (service) follows them.

pub(crate) use delivery::service::*;

/// Bytes of an HTTP body the doors read: a full publish request as base64 in JSON, with room for its names.
pub(crate) const BODY_BYTES: usize = 15_000_000;
/// Values in a JSON body: a full publish request has about 110,000.
pub(crate) const JSON_VALUES: usize = 150_000;
/// Bytes of a refusal's reason in JSON.
pub(crate) const REASON_BYTES: usize = 2_000;
/// Unacked messages that all snapshots together remember one by one.
pub(crate) const SNAPSHOT_MESSAGES: usize = 1_000_000;
/// Seconds of an expiration policy: one day (service) to ten years.
pub(crate) const TTL_SECONDS: std::ops::RangeInclusive<i64> = 86_400..=3_653 * 86_400;
/// Paths in one update mask.
pub(crate) const MASK_PATHS: usize = 64;
/// Ack ids in one acknowledge or modifyAckDeadline request (service limits the request to 512 KB).
pub(crate) const ACK_IDS: usize = 10_000;
/// Names on one page of a list, at most and when nothing is said.
pub(crate) const PAGE: usize = 1_000;

/// Bytes of all definitions: they are kept in memory and in the catalogue, which is written as a whole.
pub(crate) const SCHEMAS_BYTES: usize = 32 << 20;
/// Bytes of the reason why a definition or message is refused.
pub(crate) const SCHEMA_REASON_BYTES: usize = 1_000;
/// Types within types of a message, and of two definitions that are compared.
pub(crate) const SCHEMA_DEPTH: usize = 256;
/// Values one message may have, and pairs of types looked at when two definitions are compared.
pub(crate) const SCHEMA_STEPS: u64 = 1_000_000;
/// Values a message may have for each of its bytes, beyond that.
pub(crate) const SCHEMA_STEPS_PER_BYTE: u64 = 8;
/// Braces within braces of a Protocol Buffer definition.
pub(crate) const PROTO_DEPTH: usize = 32;
/// Opening braces of any kind in a Protocol Buffer definition.
pub(crate) const PROTO_BRACES: usize = 10_000;
/// Stack of the thread that compiles a Protocol Buffer definition: enough for as many braces within braces.
pub(crate) const PROTO_STACK_BYTES: usize = 128 << 20;
/// Messages within messages that Protocol Buffers allow, as its own libraries do.
pub(crate) const PROTO_MESSAGE_DEPTH: usize = 100;
/// Bytes of a publish that are checked against a schema at once; more go to a thread for blocking work.
pub(crate) const SCHEMA_INLINE_BYTES: usize = 256 << 10;

/// Messages one pull answers with.
pub(crate) const PULL_MESSAGES: usize = 1_000;
/// Bytes after which a pull answer or one streaming answer is full. Below the 4 MB many gRPC clients accept.
pub(crate) const PULL_BYTES: usize = 2_000_000;
/// Milliseconds a pull waits for a first message before it answers with none.
pub(crate) const PULL_WAIT_MS: u64 = 10_000;
/// Messages of one ordering key in one pull answer.
pub(crate) const PULL_MESSAGES_PER_KEY: usize = 100;
/// Messages out on one stream whose client sets no limit.
pub(crate) const STREAM_MESSAGES: i64 = 10_000;
/// Bytes out on one stream whose client sets no limit.
pub(crate) const STREAM_BYTES: i64 = 100_000_000;
/// Confirmations that wait for one stream's client before no more of its requests are read.
pub(crate) const STREAM_CONFIRMATIONS: usize = 64;
/// Answers waiting in front of one streaming pull's connection.
pub(crate) const STREAM_ANSWERS: usize = 4;

/// Bytes of publishes that wait for the log's writer; beyond, publish answers UNAVAILABLE.
pub(crate) const WAITING_BYTES: usize = 64 << 20;
/// Bytes one group commit takes before it writes.
pub(crate) const GROUP_BYTES: usize = 4 << 20;
/// Bytes the log reserves ahead of its end: a sync that need not grow the file costs a third less.
pub(crate) const RESERVE_BYTES: u64 = 4 << 20;
/// Bytes of a record's body the log's reader believes in.
pub(crate) const RECORD_BYTES: usize = PUBLISH_BYTES + (1 << 20);
/// Ack records kept for a segment whose ack file cannot be written now.
pub(crate) const UNSAVED_ACK_BYTES: usize = 400_000 * 20;

/// Longest wait after failed pushes with [`crate::Settings::fast`], in milliseconds.
pub(crate) const PUSH_BACKOFF_FAST_MAX_MS: u64 = 1_000;
/// Window of a push subscription with [`crate::Settings::fast`].
pub(crate) const PUSH_WINDOW_FAST: usize = 64;
/// Bytes of an endpoint's answer that are read so that its connection can be used again.
pub(crate) const PUSH_ANSWER_BYTES: usize = 64 << 10;
/// Milliseconds the rest of an endpoint's answer is waited for, once its status is there.
pub(crate) const PUSH_ANSWER_REST_MS: u64 = 1_000;
/// Bytes of the head of an endpoint's answer.
pub(crate) const PUSH_ANSWER_HEAD_BYTES: usize = 64 << 10;
/// Bytes of a push endpoint.
pub(crate) const PUSH_ENDPOINT_BYTES: usize = 2_048;
/// Bytes of the email of a push token (RFC 5321).
pub(crate) const EMAIL_BYTES: usize = 254;
/// Bytes of the audience of a push token.
pub(crate) const AUDIENCE_BYTES: usize = 2_048;
/// Bytes of the issuer of push tokens.
pub(crate) const ISSUER_BYTES: usize = 2_048;
/// Bits of the key that signs push tokens.
pub(crate) const IDENTITY_KEY_BITS: usize = 2_048;
/// Seconds a push token must have left; with less a new one is signed.
pub(crate) const TOKEN_RENEW_SECONDS: u64 = 600;
/// Seconds an unused connection to an endpoint stays open.
pub(crate) const PUSH_IDLE_SECONDS: u64 = 60;
/// Seconds to connect to an endpoint.
pub(crate) const PUSH_CONNECT_SECONDS: u64 = 5;

/// Milliseconds between two looks for expired leases and messages past their retention.
pub(crate) const SWEEP_MS: u64 = 1_000;
/// Sweeps between two looks for messages past their retention.
pub(crate) const SWEEPS_PER_PURGE: u64 = 10;
/// Seconds that shutdown waits for requests and pushes in flight.
pub(crate) const SHUTDOWN_SECONDS: u64 = 10;
/// Seconds that start waits for another broker to let go of the data directory.
pub(crate) const LOCK_SECONDS: u64 = 5;
/// Requests at a time on one HTTP/2 connection.
pub(crate) const STREAMS_PER_CONNECTION: u32 = 1_024;

/// Rows in one append to a warehouse, at most (BigQuery recommends 500 per insertAll).
pub(crate) const WAREHOUSE_ROWS: usize = 500;
/// Bytes of messages after which an append takes no further one. BigQuery's requests end at 10 MB.
pub(crate) const WAREHOUSE_BYTES: usize = 4 << 20;
/// Milliseconds that a first message waits for others to be appended with it.
pub(crate) const WAREHOUSE_GATHER_MS: u64 = 5;
/// Bytes of the reason in a dead letter; an attribute has room for 1,024.
pub(crate) const WAREHOUSE_REASON_BYTES: usize = 1_000;
/// Columns of a table, nested ones included (BigQuery).
pub(crate) const WAREHOUSE_COLUMNS: usize = 10_000;
/// Values of a Protocol Buffer message that becomes a row.
pub(crate) const WAREHOUSE_VALUES: u64 = 1_000_000;
/// Records in records (BigQuery).
pub(crate) const WAREHOUSE_NESTING: usize = 15;
/// Bytes of a folder's `schema.json`.
pub(crate) const WAREHOUSE_SCHEMA_BYTES: u64 = 4 << 20;
/// Bytes after which a folder's table begins a new file.
pub(crate) const WAREHOUSE_FILE_BYTES: u64 = 64 << 20;
