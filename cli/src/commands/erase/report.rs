//! What became of an erasure, for people and programs. It never repeats who it was.

use runtime::erase::Erased;
use serde::Serialize;
use serde_json::Value;

use crate::commands::dlq::time;
use crate::erasure::Place;
use crate::output;

/// Places listed in which something was found.
const MOST_PRINTED: usize = 20;

/// What became of it.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Report {
    /// The key is destroyed, and this is what a look found.
    Erased {
        /// The record.
        erasure: Value,
        /// What was taken out of free text, by service.
        texts: Vec<(&'static str, Erased)>,
        /// Everything that was looked at.
        places: Vec<Place>,
        /// Orders that go on without anybody knowing whose they are.
        open_orders: Vec<String>,
    },
    /// It is begun; orders have to end first.
    Waits {
        /// Whose.
        sealed_id: String,
        /// The orders.
        open_orders: Vec<String>,
    },
    /// It was done before.
    Before {
        /// The record.
        erasure: Value,
    },
    /// The CRM knows nobody by this id.
    Unknown {
        /// Whether it was also looked for a name.
        by_name: bool,
        /// What was taken out of free text, by service.
        texts: Vec<(&'static str, Erased)>,
        /// Everything that was looked at.
        places: Vec<Place>,
    },
}

impl Report {
    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        match self {
            Report::Erased { places, .. } => places.iter().all(|place| place.findings == 0),
            Report::Waits { .. } => false,
            Report::Before { erasure } => erasure["findings"] == 0,
            // Whether somebody was erased who is not known any more, or never was here, nobody can tell: it is not called a success,
            // unless whoever asks says by the name that they know whom they mean.
            Report::Unknown { by_name, places, .. } => *by_name && places.iter().all(|place| place.findings == 0),
        }
    }

    /// For people.
    pub fn render(&self) -> String {
        match self {
            Report::Erased { erasure, texts, places, open_orders } => {
                let mut out = looked(places) + &changed(texts);
                if !open_orders.is_empty() {
                    out.push_str(&format!("{} orders go on to their end under the sealed id\n", open_orders.len()));
                }
                let sealed_id = output::text(&erasure["sealedId"]);
                let verdict = if self.is_done() {
                    "is erased, and nothing readable is left"
                } else {
                    "is erased, but SOMETHING IS LEFT (above)"
                };
                out + &format!("{sealed_id} {verdict}\n")
            }
            Report::Waits { sealed_id, open_orders } => format!(
                "{sealed_id} orders nothing more, and is not erased yet: {} orders have not ended ({}).\nRun it again when they have, cancel them, or say \
                 --force; --call-off takes it back.\n",
                open_orders.len(),
                open_orders.iter().take(MOST_PRINTED).cloned().collect::<Vec<_>>().join(", "),
            ),
            Report::Before { erasure } => before(erasure),
            Report::Unknown { by_name, texts, places } => {
                let hint = if *by_name { "" } else { "; --name and --surname look for these too" };
                let verdict =
                    "the CRM knows nobody by this id: nobody had it, or they were erased (`boutique erase --list`)";
                looked(places) + &changed(texts) + &format!("{verdict}{hint}\n")
            }
        }
    }
}

fn changed(texts: &[(&'static str, Erased)]) -> String {
    let line = |(service, Erased { looked_at, changed }): &(&str, Erased)| {
        format!("{service}: {changed} of {looked_at} texts named them and do no more\n")
    };
    texts.iter().map(line).collect()
}

fn before(erasure: &Value) -> String {
    let sealed_id = output::text(&erasure["sealedId"]);
    let when = time(&erasure["erasedAtMs"]);
    match erasure["findings"].as_u64() {
        Some(0) => format!("{sealed_id} was erased at {when}, and nothing readable was left\n"),
        Some(count) => format!(
            "{sealed_id} was erased at {when}, and {count} places were not clean: look again with `{}`\n",
            again(&sealed_id)
        ),
        None => format!(
            "{sealed_id} was erased at {when}, and nobody has looked for what is left: `{}`\n",
            again(&sealed_id)
        ),
    }
}

/// The command that goes on with an erasure whose key is destroyed: whoever gives it knows what the customer was called.
pub fn again(sealed_id: &str) -> String {
    format!("boutique erase {sealed_id} --id ID --name NAME --surname SURNAME")
}

/// Places by service or kind of file, then those in which something was found.
fn looked(places: &[Place]) -> String {
    let mut kinds: Vec<(String, &'static str, usize, u64, u64)> = Vec::new();
    for place in places {
        let kind = kind(place);
        match kinds.iter_mut().find(|(name, unit, ..)| *name == kind && *unit == place.unit) {
            Some((_, _, count, looked_at, findings)) => {
                *count += 1;
                *looked_at += place.looked_at;
                *findings += place.findings;
            }
            None => kinds.push((kind, place.unit, 1, place.looked_at, place.findings)),
        }
    }
    let mut table = output::table(&["looked at", "tables, files", "how much", "findings"]);
    for (kind, unit, count, looked_at, findings) in kinds {
        table.add_row([kind, count.to_string(), format!("{looked_at} {unit}"), findings.to_string()]);
    }
    let mut out = format!("{table}\n");
    for place in places.iter().filter(|place| place.findings > 0).take(MOST_PRINTED) {
        out.push_str(&format!(
            "FOUND in {}: {} times; {}\n",
            place.place,
            place.findings,
            place.advice.unwrap_or_default()
        ));
    }
    out
}

fn kind(place: &Place) -> String {
    match place.place.split_once(": ") {
        Some((service, _)) if place.unit == "rows" => format!("database of {service}"),
        _ => match place.place.split_once('/') {
            Some((folder, _)) => format!("files in {folder}"),
            None => "files".to_owned(),
        },
    }
}
