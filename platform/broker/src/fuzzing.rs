//! A door for the fuzz targets in `fuzz/`, and for nothing else. What must hold beyond "no panic" is asserted here.

use crate::schema::{Definition, Encoding, Type, compatible};

/// A REST request is refused with a sentence, or it is a request of its gRPC method that survives its own JSON.
///
/// # Panics
/// When it does not.
pub fn rest(verb: &str, path: &str, query: &str, body: &[u8]) {
    crate::rest::fuzzing::transcoded(verb, path, query, body);
}

/// A definition is refused with a sentence, or it fits itself and judges every message in both encodings.
///
/// # Panics
/// When it does not.
pub fn schema(avro: bool, definition: &str, data: &[u8]) {
    let kind = if avro { Type::Avro } else { Type::ProtocolBuffer };
    let Ok(parsed) = Definition::parse(kind, definition) else { return };
    let itself = compatible(&parsed, &parsed);
    assert!(itself.as_ref().err().is_none_or(|why| why.ends_with("to compare")), "{itself:?}");
    for encoding in [Encoding::Json, Encoding::Binary] {
        // Both answers are right; that there is one is what is asked.
        let _ = parsed.validate(encoding, data);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(other) = Definition::parse(kind, text) {
        let (there, back) = (compatible(&parsed, &other), compatible(&other, &parsed));
        assert_eq!(there.is_ok(), back.is_ok(), "{there:?}, but {back:?}");
    }
}
