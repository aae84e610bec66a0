//! The test vectors for JSON Web Signatures of the Wycheproof project. Their payloads are no claims, so they are put to what decides on
//! signatures: [`Jws`] and [`KeySet`].

use serde::Deserialize;
use serde_json::{Value, json};

use crate::jwk::KeySet;
use crate::jws::Jws;
use crate::refused::Refused;

/// See `tests/data/README.md`.
const VECTORS: &str = include_str!("../tests/data/json_web_signature_test.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    public: Option<Value>,
    private: Option<Value>,
    tests: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    tc_id: u32,
    comment: String,
    jws: String,
    result: String,
}

fn decide(keys: &KeySet, token: &str) -> Result<(), Refused> {
    let jws = Jws::parse(token)?;
    keys.find(&jws.head).ok_or(Refused::UnknownKey)?.verify(jws.signed, &jws.signature)
}

#[test]
fn wycheproof_vectors_decide_as_their_file_says_and_every_other_algorithm_is_refused() {
    let vectors: Vectors = serde_json::from_str(VECTORS).unwrap();
    let (mut accepted, mut decided) = (0, 0);
    for group in vectors.test_groups {
        let key = group.public.or(group.private).unwrap();
        let ours = matches!(key["alg"].as_str(), None | Some("RS256" | "ES256"));
        let keys = KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
        for Vector { tc_id, comment, jws, result } in group.tests {
            let is_accepted = decide(&keys, &jws).is_ok();
            assert_eq!(is_accepted, ours && result == "valid", "vector {tc_id}, {comment}, is {result}");
            accepted += usize::from(is_accepted);
            decided += 1;
        }
    }
    assert_eq!(decided, vectors.number_of_tests);
    assert_eq!(accepted, 10, "of 401 vectors these are valid and of an algorithm that is accepted");
}
