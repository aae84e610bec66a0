//! Every bound, with its reason.

/// Bytes of a token. Google's have about 1,200; servers commonly take 8 KiB for a whole head.
pub const TOKEN_BYTES: usize = 8 * 1024;
/// Characters of a key's id.
pub const KEY_ID_CHARS: usize = 256;
/// By how much clocks may differ, in seconds.
pub const SKEW_S: i64 = 60;
/// The longest life of a token, in seconds: a day. What lives longer cannot be called back by rotating keys.
pub const LIFETIME_S: i64 = 24 * 60 * 60;
/// Verified tokens remembered. One comes with every push and call of a caller for an hour; a gateway's clients are the many.
pub const REMEMBERED_TOKENS: usize = 4_096;

/// Bytes of a key set. Google's has about 1,500.
pub const KEY_SET_BYTES: usize = 64 * 1024;
/// Keys of a set: issuers publish two or three.
pub const KEYS: usize = 64;
/// Bits of an RSA modulus, at least.
pub const RSA_BITS_MIN: usize = 2_048;
/// Bits of an RSA modulus, at most: with each doubling a signature costs four times as much to check.
pub const RSA_BITS_MAX: usize = 8_192;

/// Seconds a fetched key set is good for when the issuer does not say, and at most: a key that was rotated away is believed no longer.
pub const KEYS_AGE_S: i64 = 60 * 60;
/// Seconds a fetched key set is good for at least, whatever the issuer says: a request a minute is no burden to anybody.
pub const KEYS_AGE_MIN_S: i64 = 60;
/// Seconds a key set read from a file is good for.
pub const FILE_AGE_S: i64 = 60;
/// Seconds a key set serves when nothing newer can be had: an issuer that is down for a night does not stop the shop.
pub const KEYS_STALE_S: i64 = 24 * 60 * 60;
/// Seconds between two fetches that tokens of unknown keys cause: invented key ids must not make us hammer the issuer.
pub const UNKNOWN_KEY_PAUSE_S: i64 = 30;
/// The same for a file, which costs next to nothing to read.
pub const UNKNOWN_KEY_FILE_PAUSE_S: i64 = 1;
/// Seconds between a fetch that failed and the next.
pub const FAILED_FETCH_PAUSE_S: i64 = 2;
/// Seconds after a fetch that failed in which nobody waits for the next while kept keys serve: an issuer that answered nobody a moment
/// ago would have each of them wait in vain.
pub const FAILING_S: i64 = 60;
/// Milliseconds a fetch may take: with a caller waiting, who has other things to do.
pub const FETCH_MS: u64 = 10_000;
/// Milliseconds of it for which those wait whose keys are old and still serve: long enough for any issuer that is well, so that after a
/// quiet time the first token is not believed for a key that was rotated away long ago.
pub const NEWER_KEYS_MS: u64 = 1_000;
/// Bytes of an answer's head.
pub const ANSWER_HEAD_BYTES: usize = 16 * 1024;

/// Seconds before its end at which a token of ours is renewed, beside the calls that go on with it. Google's metadata server gives out
/// the same token until the last five minutes of its life: who asks earlier gets what they have.
pub const TOKEN_RENEW_S: i64 = 4 * 60;
/// Seconds between two tries to renew a token that still serves.
pub const TOKEN_RENEW_PAUSE_S: i64 = 10;
/// Seconds of life a token of ours must have left to be sent: longer than a request takes to arrive, on clocks that differ a little.
pub const TOKEN_LEAST_S: i64 = 30;
/// Seconds a development token of a service lives: as long as Google's.
pub const DEVELOPMENT_TOKEN_S: i64 = 60 * 60;
/// Audiences of which tokens are kept: more than there are services.
pub const AUDIENCES: usize = 64;
/// Milliseconds the metadata server may take.
pub const METADATA_MS: u64 = 5_000;
/// Seconds between a token that could not be had and the next try: those who wait must not queue up for one failure after the other.
pub const NO_TOKEN_PAUSE_S: i64 = 1;
