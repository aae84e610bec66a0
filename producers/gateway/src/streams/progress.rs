//! What has been heard of an order: facts in the order they were heard. Pure.

use std::collections::HashSet;

use events::topology::TYPE_PREFIX;
use runtime::Story;
use runtime::clock;
use serde_json::json;

/// Facts kept of one order, at most: OMS keeps 1,200 of one, and each may be said by another.
const MAX_FACTS: usize = 2_500;
/// The longest id of a fact passed on, in characters.
const MAX_ID_CHARS: usize = 64;
/// Facts after which nothing more is streamed. Refunds and returns may follow; the order's own story is over.
const ENDS: [&str; 3] = ["order.completed", "order.cancelled", "order.rejected"];
/// What customers are told of: the subjects they know.
const FOR_CUSTOMERS: [&str; 4] = ["order.", "inventory.", "billing.", "fulfillment."];
/// What they are not told of all the same: that the shop found something missing.
const NOT_FOR_CUSTOMERS: [&str; 1] = ["order.stuck"];

/// Something a service said about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    /// Id of the event that is the fact: the same on every list.
    pub id: String,
    /// `order.confirmed`.
    pub name: String,
    pub at_ms: i64,
    pub by: &'static str,
}

/// The list.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// Which list this is, of all there ever were.
    epoch: String,
    facts: Vec<Fact>,
    ids: HashSet<String>,
    /// Whether services were asked at all yet.
    pub asked: bool,
}

impl Fact {
    /// Whether it is told to customers; staff is told everything.
    pub(super) fn is_for_customers(&self) -> bool {
        FOR_CUSTOMERS.iter().any(|subject| self.name.starts_with(subject))
            && !NOT_FOR_CUSTOMERS.contains(&self.name.as_str())
    }

    /// As a server-sent event with this id.
    pub(super) fn render(&self, id: &str) -> String {
        let at = clock::from_ms(self.at_ms).to_string();
        let data = json!({ "id": self.id, "fact": self.name, "at": at, "by": self.by });
        format!("id: {id}\nevent: fact\ndata: {data}\n\n")
    }
}

impl Progress {
    /// A list that nobody has heard anything for. `epoch` is its own, letters and digits.
    pub(super) fn new(epoch: String) -> Self {
        Self { epoch, facts: Vec::new(), ids: HashSet::new(), asked: false }
    }

    /// Adds what is new, by time. Whether there was any.
    pub(super) fn hear(&mut self, stories: Vec<(&'static str, Story)>) -> bool {
        self.asked = true;
        let facts = stories.into_iter().flat_map(|(by, story)| story.said.into_iter().map(move |said| (by, said)));
        let mut new: Vec<Fact> = facts
            // A dead letter is a copy of what was said, for those who mend it.
            .filter(|(_, said)| !said.topic.ends_with(".dead-letters"))
            .filter_map(|(by, said)| {
                let name = said.event_type.strip_prefix(TYPE_PREFIX)?.rsplit_once(".v")?.0.to_owned();
                is_id(&said.id).then_some(Fact { id: said.id, name, at_ms: said.at_ms, by })
            })
            .filter(|fact| !self.ids.contains(&fact.id))
            .collect();
        new.sort_by(|a, b| (a.at_ms, &a.id).cmp(&(b.at_ms, &b.id)));
        new.truncate(MAX_FACTS.saturating_sub(self.facts.len()));
        let heard = !new.is_empty();
        for fact in new {
            if self.ids.insert(fact.id.clone()) {
                self.facts.push(fact);
            }
        }
        heard
    }

    /// The facts from `place` on, `most` at most.
    pub(super) fn from(&self, place: usize, most: usize) -> &[Fact] {
        let rest = self.facts.get(place..).unwrap_or_default();
        &rest[..rest.len().min(most)]
    }

    /// The id of the event that tells the fact at `place`.
    pub(super) fn id(&self, place: usize) -> String {
        format!("{}.{place}", self.epoch)
    }

    /// The place after the event `id`; the beginning for an event of another list.
    pub(super) fn after(&self, id: &str) -> usize {
        let place = id.split_once('.').filter(|(epoch, _)| *epoch == self.epoch).map(|(_, place)| place.parse());
        place.and_then(Result::ok).filter(|place: &usize| *place < self.facts.len()).map_or(0, |place| place + 1)
    }

    /// The fact that ended the order.
    pub(super) fn end(&self) -> Option<&Fact> {
        self.facts.iter().find(|fact| ENDS.contains(&fact.name.as_str()))
    }
}

/// Ids go into lines of their own: what is no id would break out of them.
fn is_id(text: &str) -> bool {
    (1..=MAX_ID_CHARS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::Said;

    fn said(id: &str, name: &str, at_ms: i64) -> Said {
        Said {
            id: id.to_owned(),
            event_type: format!("{TYPE_PREFIX}{name}.v1"),
            causation_id: None,
            at_ms,
            sent_at_ms: None,
            topic: "order-events".to_owned(),
            data: json!({ "customerId": "anna" }),
        }
    }

    fn story(by: &'static str, said: Vec<Said>) -> (&'static str, Story) {
        (by, Story { said, handled: Vec::new() })
    }

    fn names(facts: &[Fact]) -> Vec<&str> {
        facts.iter().map(|fact| fact.name.as_str()).collect()
    }

    #[test]
    fn facts_come_by_time_once_and_what_is_heard_late_comes_after() {
        let mut progress = Progress::new("now".to_owned());
        let checkout =
            || story("checkout", vec![said("b", "inventory.stock_reserved", 2), said("a", "order.confirmed", 1)]);
        assert!(progress.hear(vec![checkout()]));
        assert!(!progress.hear(vec![checkout()]), "nothing is new");
        let late = story("accounting", vec![said("c", "billing.invoice_issued", 0)]);
        assert!(progress.hear(vec![checkout(), late]));
        let all = ["order.confirmed", "inventory.stock_reserved", "billing.invoice_issued"];
        assert_eq!(names(progress.from(0, 99)), all);
        assert_eq!(names(progress.from(1, 1)), all[1..2]);
        assert_eq!(progress.from(99, 99), []);
    }

    #[test]
    fn a_place_is_one_on_its_own_list_only() {
        let mut progress = Progress::new("now".to_owned());
        progress.hear(vec![story("oms", vec![said("a", "order.confirmed", 1), said("b", "order.on_hold", 2)])]);
        assert_eq!((progress.id(0).as_str(), progress.after("now.0"), progress.after("now.1")), ("now.0", 1, 2));
        for id in ["", "a", "now", "now.", "now.2", "now.-1", "now.99999999999999999999", "before.0", "before.1"] {
            assert_eq!(progress.after(id), 0, "{id} is no place on this list");
        }
    }

    #[test]
    fn dead_letters_and_ids_that_would_break_a_line_are_left_out() {
        let mut progress = Progress::new("now".to_owned());
        let mut letter = said("d", "order.confirmed", 1);
        letter.topic = "oms.dead-letters".to_owned();
        let strange = said("x\nevent: end", "order.confirmed", 1);
        let foreign = Said { event_type: "com.example.thing".to_owned(), ..said("f", "x", 1) };
        assert!(!progress.hear(vec![story("oms", vec![letter, strange, foreign])]));
    }

    #[test]
    fn an_order_ends_and_customers_are_not_told_everything() {
        let mut progress = Progress::new("now".to_owned());
        let all = ["order.confirmed", "risk.fraud_flagged", "order.stuck", "order.on_hold", "order.cancelled"];
        let all = all.iter().zip(1..).map(|(name, at_ms)| said(&format!("id-{at_ms}"), name, at_ms)).collect();
        progress.hear(vec![story("oms", all)]);
        let told: Vec<&str> =
            progress.from(0, 99).iter().filter(|fact| fact.is_for_customers()).map(|fact| fact.name.as_str()).collect();
        assert_eq!(told, ["order.confirmed", "order.on_hold", "order.cancelled"]);
        assert_eq!(progress.end().map(|fact| fact.id.as_str()), Some("id-5"));
        let text = progress.from(0, 1)[0].render("now.0");
        let data = r#"{"at":"1970-01-01T00:00:00.001Z","by":"oms","fact":"order.confirmed","id":"id-1"}"#;
        assert_eq!(text, format!("id: now.0\nevent: fact\ndata: {data}\n\n"));
        assert!(!text.contains("anna"), "payloads stay inside");
    }

    #[test]
    fn the_list_is_bounded() {
        let mut progress = Progress::new("now".to_owned());
        for round in 0..10 {
            let many = (0..1_000).map(|number| said(&format!("{round}-{number}"), "order.stuck", number)).collect();
            progress.hear(vec![story("oms", many)]);
        }
        assert_eq!(progress.from(0, usize::MAX).len(), MAX_FACTS);
    }
}
