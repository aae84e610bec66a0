//! Pub/Sub's filter language as far as the table uses it; anything else is a panic.
//!
//! Grammar from <https://cloud.google.com/pubsub/docs/subscription-message-filter>: `AND` and `OR` do not mix without parentheses.

use std::collections::BTreeMap;

/// Whether a message with these attributes passes the filter.
pub fn passes(filter: &str, attributes: &BTreeMap<String, String>) -> bool {
    let mut rest = Rest { text: filter, attributes };
    let passes = rest.expression();
    assert!(rest.text.is_empty(), "left over in the filter: {}", rest.text);
    passes
}

struct Rest<'a> {
    text: &'a str,
    attributes: &'a BTreeMap<String, String>,
}

impl Rest<'_> {
    fn expression(&mut self) -> bool {
        let mut value = self.term();
        let mut joined_by = None;
        while let Some(word) = ["AND", "OR"].into_iter().find(|word| self.take(word)) {
            assert!(*joined_by.get_or_insert(word) == word, "AND and OR mix before: {}", self.text);
            let next = self.term();
            value = if word == "AND" { value && next } else { value || next };
        }
        value
    }

    fn term(&mut self) -> bool {
        if self.take("NOT") {
            return !self.term();
        }
        if self.take("(") {
            let value = self.expression();
            self.expect(")");
            return value;
        }
        if self.take("hasPrefix(") {
            self.expect("attributes.");
            let actual = self.attribute();
            self.expect(",");
            let prefix = self.literal();
            self.expect(")");
            return actual.is_some_and(|value| value.starts_with(&prefix));
        }
        if self.take("attributes:") {
            return self.attribute().is_some();
        }
        self.expect("attributes.");
        let actual = self.attribute();
        self.expect("=");
        let wanted = self.literal();
        actual == Some(wanted)
    }

    /// Reads a name, gives the value of the attribute so named.
    fn attribute(&mut self) -> Option<String> {
        let end =
            self.text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(self.text.len());
        let (name, rest) = self.text.split_at(end);
        assert!(!name.is_empty(), "no attribute name at: {}", self.text);
        self.text = rest.trim_start();
        self.attributes.get(name).cloned()
    }

    fn literal(&mut self) -> String {
        self.expect("\"");
        let (value, rest) = self.text.split_once('"').expect("a literal ends");
        assert!(!value.contains('\\'), "escapes are not used: {value}");
        self.text = rest.trim_start();
        value.to_owned()
    }

    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.text.strip_prefix(token) else { return false };
        self.text = if token == "\"" { rest } else { rest.trim_start() };
        true
    }

    fn expect(&mut self, token: &str) {
        assert!(self.take(token), "no {token} at: {}", self.text);
    }
}
