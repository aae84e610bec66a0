//! An order's timeline as a tree of events by cause, with who handled each and who still has to.

use std::collections::BTreeMap;
use std::fmt::Write;

use events::personal;
use events::topology::TYPE_PREFIX;
use runtime::{Handled, Said, Story};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output;

/// Width of the tree's column, in characters.
const NAME_WIDTH: usize = 50;

/// What every service knows of one order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Which order.
    pub order_id: String,
    /// Each service's part.
    pub services: Vec<Part>,
}

impl Timeline {
    /// Hides what is personal in the events' payloads.
    pub fn mask(&mut self) {
        for said in self.services.iter_mut().filter_map(|part| part.story.as_mut()).flat_map(|story| &mut story.said) {
            said.data = personal::payload(&said.event_type, &said.data.to_string());
        }
    }
}

/// One service's part of the story; `None` when it could not be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Part {
    /// Which service.
    pub service: String,
    /// What it said and handled.
    pub story: Option<Story>,
}

/// An event with who said it and who handled it.
struct Node<'a> {
    service: &'a str,
    said: &'a Said,
    handled: Vec<&'a Handled>,
}

/// The order's head line and its tree.
pub fn render(order: &Value, timeline: &Timeline) -> String {
    let mut out = String::new();
    let lifecycle = &order["order"];
    let status = output::text(&lifecycle["status"]);
    let total = output::money(&lifecycle["total"]);
    line(&mut out, &format!("order {}  {status}  {total}", timeline.order_id));
    let waiting: Vec<&str> =
        lifecycle["waitingFor"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !waiting.is_empty() {
        line(&mut out, &format!("waits for {}", waiting.join(", ")));
    }
    let nodes = nodes(timeline);
    let begun = nodes.iter().map(|node| node.said.at_ms).min().unwrap_or(0);
    let known: Vec<&str> = nodes.iter().map(|node| node.said.id.as_str()).collect();
    let mut children: BTreeMap<&str, Vec<&Node<'_>>> = BTreeMap::new();
    let mut roots = Vec::new();
    for node in &nodes {
        match node.said.causation_id.as_deref() {
            Some(cause) if known.contains(&cause) && cause != node.said.id => {
                children.entry(cause).or_default().push(node)
            }
            _ => roots.push(node),
        }
    }
    line(&mut out, "");
    line(
        &mut out,
        &format!(
            "{:<NAME_WIDTH$} {:<12} {:>8}  → handled by, and how long after",
            "event, below its cause", "said by", "at"
        ),
    );
    for root in roots {
        branch(&mut out, root, &children, begun, "", "");
    }
    let silent: Vec<&str> =
        timeline.services.iter().filter(|part| part.story.is_none()).map(|part| part.service.as_str()).collect();
    if !silent.is_empty() {
        line(&mut out, &format!("\ncould not be asked: {}", silent.join(", ")));
    }
    out
}

fn nodes(timeline: &Timeline) -> Vec<Node<'_>> {
    let stories = || timeline.services.iter().filter_map(|part| Some((part.service.as_str(), part.story.as_ref()?)));
    let mut nodes: Vec<Node<'_>> = stories()
        .flat_map(|(service, story)| story.said.iter().map(move |said| (service, said)))
        .map(|(service, said)| {
            let handled = stories().flat_map(|(_, story)| &story.handled).filter(|done| done.id == said.id).collect();
            Node { service, said, handled }
        })
        .collect();
    nodes.sort_by(|a, b| (a.said.at_ms, &a.said.id).cmp(&(b.said.at_ms, &b.said.id)));
    nodes
}

fn branch(
    out: &mut String,
    node: &Node<'_>,
    children: &BTreeMap<&str, Vec<&Node<'_>>>,
    begun: i64,
    lead: &str,
    below: &str,
) {
    let name = format!("{lead}{}", node.said.event_type.trim_start_matches(TYPE_PREFIX));
    let said = format!("{name:<NAME_WIDTH$} {:<12} {:>8}", node.service, format!("+{} ms", node.said.at_ms - begun));
    line(out, &format!("{said}  {}", fate(node)));
    let below_of = children.get(node.said.id.as_str()).map(Vec::as_slice).unwrap_or_default();
    for (index, child) in below_of.iter().enumerate() {
        let last = index + 1 == below_of.len();
        let (lead, next) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        branch(out, child, children, begun, &format!("{below}{lead}"), &format!("{below}{next}"));
    }
}

/// Who handled it, who still has to, and where it got stuck.
fn fate(node: &Node<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(consumer) = node.said.topic.strip_suffix(".dead-letters") {
        parts.push(format!("DEAD LETTER of {consumer}"));
    }
    if node.said.sent_at_ms.is_none() {
        parts.push("in the outbox".to_owned());
    }
    let mut handled: Vec<&&Handled> = node.handled.iter().collect();
    handled.sort_by_key(|done| done.at_ms);
    for done in handled {
        let tries =
            if done.failed_attempts > 0 { format!(" after {} failures", done.failed_attempts) } else { String::new() };
        parts.push(format!("{} +{} ms{tries}", done.consumer, done.at_ms - node.said.at_ms));
    }
    let data = &node.said.data;
    let (ledger, risk) = (data["ledger"].as_str(), data["risk"].as_str());
    for consumer in audit::audience::of(&node.said.event_type, &node.said.topic, ledger, risk) {
        if !node.handled.iter().any(|done| done.consumer == consumer) {
            parts.push(format!("{consumer} NOT YET"));
        }
    }
    if parts.is_empty() { String::new() } else { format!("→ {}", parts.join(", ")) }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", text.trim_end()).expect("a string takes what is written to it");
}
