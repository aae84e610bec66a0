//! What the fuzz target of this door asserts.

use prost::Message;
use prost_reflect::DynamicMessage;

use super::json;
use super::transcode::transcode;
use crate::proto;

/// A request is refused, or it decodes as its method's, and says the same when it is written as JSON and read again.
pub(crate) fn transcoded(verb: &str, path: &str, query: &str, body: &[u8]) {
    let Ok(call) = transcode(verb, path, query, body) else { return };
    let kind = proto::method(call.path).expect("it was found before").input();
    let request = DynamicMessage::decode(kind.clone(), call.request.as_slice()).expect("it was encoded here");
    // Not all that can be read can be written: a path of a mask, say, that has no form in camelCase.
    let Ok(written) = json::write(&request, call.enums_as_numbers) else { return };
    let again = json::read(kind, &written).unwrap_or_else(|refusal| panic!("{}", refusal.message));
    assert_eq!(again.encode_to_vec(), request.encode_to_vec(), "{}", String::from_utf8_lossy(&written));
}
