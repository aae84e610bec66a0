//! Pub/Sub's filter language: parse once when a subscription is created, evaluate per message.
//!
//! ```text
//! filter     = term, { "AND", term } | term, { "OR", term }       (mixing them needs parentheses)
//! term       = [ "NOT" | "-" ], factor
//! factor     = "(", filter, ")" | has | compare | prefix
//! has        = "attributes", ":", key
//! compare    = "attributes", ".", key, ( "=" | "!=" ), string
//! prefix     = "hasPrefix", "(", "attributes", ".", key, ",", string, ")"
//! key        = a string, or letters, digits, "_" and "-"
//! ```

mod lexer;
mod parser;

pub use parser::parse as parse_filter;
#[cfg(test)]
use parser::parse;

/// A parsed filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The attribute is there.
    Has(String),
    /// The attribute is there with exactly this value.
    Equals(String, String),
    /// The attribute is there and its value starts so.
    HasPrefix(String, String),
    /// The inner filter does not match.
    Not(Box<Filter>),
    /// All match.
    And(Vec<Filter>),
    /// At least one matches.
    Or(Vec<Filter>),
}

impl Filter {
    /// Whether a message with these attributes passes.
    ///
    /// `attributes.k != "v"` is `NOT attributes.k = "v"`: it passes when `k` is not there.
    pub fn matches(&self, attributes: &[(&str, &str)]) -> bool {
        let value = |key: &str| attributes.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        match self {
            Filter::Has(key) => value(key).is_some(),
            Filter::Equals(key, wanted) => value(key) == Some(wanted),
            Filter::HasPrefix(key, prefix) => value(key).is_some_and(|v| v.starts_with(prefix.as_str())),
            Filter::Not(inner) => !inner.matches(attributes),
            Filter::And(all) => all.iter().all(|f| f.matches(attributes)),
            Filter::Or(any) => any.iter().any(|f| f.matches(attributes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passes(filter: &str, attributes: &[(&str, &str)]) -> bool {
        parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}")).matches(attributes)
    }

    #[test]
    fn every_operator_of_the_language_works() {
        let com = [("domain", "com"), ("name", "x")];
        for (filter, with, without) in [
            ("attributes:domain", true, false),
            ("NOT attributes:domain", false, true),
            ("-attributes:domain", false, true),
            ("- attributes:domain", false, true),
            (r#"attributes.domain = "com""#, true, false),
            (r#"attributes.domain="com""#, true, false),
            (r#"attributes.domain != "com""#, false, true),
            (r#"attributes.domain != "org""#, true, true),
            (r#"hasPrefix(attributes.domain, "co")"#, true, false),
            (r#"NOT hasPrefix(attributes.domain, "co")"#, false, true),
            (r#"hasPrefix(attributes.domain, "x")"#, false, false),
            (r#"attributes:domain AND attributes.name = "x""#, true, false),
            (r#"attributes:nothing OR attributes.name = "x""#, true, false),
            (r#"(attributes:domain OR attributes:b) AND attributes:name"#, true, false),
            (r#"attributes:domain AND (attributes:b OR attributes:name)"#, true, false),
            (r#"NOT (attributes:domain AND attributes:name)"#, false, true),
            (r#"attributes:"domain""#, true, false),
            (r#"attributes."domain" = "com""#, true, false),
            ("  attributes : domain  ", true, false),
        ] {
            assert_eq!(passes(filter, &com), with, "{filter} with");
            assert_eq!(passes(filter, &[]), without, "{filter} without");
        }
    }

    #[test]
    fn replay_filter_lets_its_own_consumer_and_everyday_messages_through() {
        let filter = r#"(NOT attributes:ce-replaytarget OR attributes.ce-replaytarget = "oms")"#;
        assert!(passes(filter, &[]));
        assert!(passes(filter, &[("ce-replaytarget", "oms")]));
        assert!(!passes(filter, &[("ce-replaytarget", "crm")]));
        let typed = r#"(attributes.ce-type = "a" OR attributes.ce-type = "b") AND (NOT attributes:ce-replaytarget)"#;
        assert!(passes(typed, &[("ce-type", "b")]));
        assert!(!passes(typed, &[("ce-type", "c")]));
    }

    #[test]
    fn escapes_in_strings_are_understood() {
        assert!(passes(r#"attributes.k = "a\"b\\c\n\x41\u00e9\101""#, &[("k", "a\"b\\c\nA\u{e9}A")]));
        assert!(passes(r#"attributes:"iana.org/language_tag""#, &[("iana.org/language_tag", "")]));
        assert!(passes("attributes.k = \"é\"", &[("k", "é")]));
    }

    #[test]
    fn bad_filters_are_refused() {
        for bad in [
            "",
            " ",
            "attributes",
            "attributes:",
            "attributes.k",
            "attributes.k =",
            "attributes.k = v",
            "attributes.k = 'v'",
            r#"attributes.k == "v""#,
            r#"attributes.k = "v"#,
            r#"attributes.k > "v""#,
            r#"attributes.k = "\q""#,
            "attributes:a and attributes:b",
            "attributes:a AND attributes:b OR attributes:c",
            "attributes:a OR attributes:b AND attributes:c",
            "attributes:a attributes:b",
            "attributes:a AND",
            "NOT",
            "NOT NOT",
            "(attributes:a",
            "attributes:a)",
            "()",
            "hasPrefix(attributes:k, \"v\")",
            "hasPrefix(attributes.k)",
            "hasprefix(attributes.k, \"v\")",
            "data:k",
            "attributes:a.b",
        ] {
            assert!(parse(bad).is_err(), "{bad:?} was accepted");
        }
        let long = format!("attributes:{}", "a".repeat(246));
        assert_eq!(long.len(), 257);
        assert!(parse(&long).is_err());
        assert!(parse(&long[..256]).is_ok());
    }

    /// A filter and its text, built from the same tree.
    fn tree() -> impl Strategy<Value = Filter> {
        let key = "[a-zA-Z0-9_-]{1,6}|[ -~é]{1,5}";
        let value = "[ -~é\n]{0,5}";
        let leaf = prop_oneof![
            key.prop_map(Filter::Has),
            (key, value).prop_map(|(k, v)| Filter::Equals(k, v)),
            (key, value).prop_map(|(k, v)| Filter::HasPrefix(k, v)),
        ];
        leaf.prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|f| Filter::Not(Box::new(f))),
                proptest::collection::vec(inner.clone(), 2..3).prop_map(Filter::And),
                proptest::collection::vec(inner, 2..3).prop_map(Filter::Or),
            ]
        })
    }

    fn quoted(text: &str) -> String {
        let mut out = String::from('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                _ => out.push(c),
            }
        }
        out + "\""
    }

    fn written(filter: &Filter) -> String {
        let joined = |all: &[Filter], word: &str| all.iter().map(written).collect::<Vec<_>>().join(word);
        match filter {
            Filter::Has(k) => format!("attributes:{}", quoted(k)),
            Filter::Equals(k, v) => format!("attributes.{} = {}", quoted(k), quoted(v)),
            Filter::HasPrefix(k, v) => format!("hasPrefix(attributes.{}, {})", quoted(k), quoted(v)),
            Filter::Not(inner) => format!("(NOT {})", written(inner)),
            Filter::And(all) => format!("({})", joined(all, " AND ")),
            Filter::Or(any) => format!("({})", joined(any, " OR ")),
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_but_never_panics(text in "\\PC{0,80}") {
            let _ = parse(&text).map(|f| f.matches(&[("a", "b")]));
        }

        #[test]
        fn text_made_of_the_languages_words_never_panics(
            words in proptest::collection::vec(prop_oneof![
                Just("attributes"), Just(":"), Just("."), Just("("), Just(")"), Just("AND"), Just("OR"), Just("NOT"),
                Just("-"), Just("="), Just("!="), Just("hasPrefix"), Just(","), Just("\"v\""), Just("\"\\"), Just("ce-a"),
            ], 0..40),
        ) {
            let _ = parse(&words.join(" ")).map(|f| f.matches(&[("ce-a", "v")]));
            let _ = parse(&words.concat()).map(|f| f.matches(&[("ce-a", "v")]));
        }

        #[test]
        fn a_written_filter_is_read_back_as_the_same_filter(filter in tree()) {
            let text = written(&filter);
            prop_assume!(text.len() <= 256);
            prop_assert_eq!(parse(&text).unwrap(), filter);
        }
    }
}
