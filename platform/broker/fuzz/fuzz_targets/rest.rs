//! The REST door's way from a request to a gRPC request: `VERB /path?query`, a line end, the body.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (head, body) = input.split_at(end);
    let Ok(head) = std::str::from_utf8(head) else { return };
    let (verb, target) = head.split_once(' ').unwrap_or(("GET", head));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    broker::fuzzing::rest(verb, path, query, body.get(1..).unwrap_or_default());
});
