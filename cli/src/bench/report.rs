//! The table for people and the JSON for programs.

use std::path::Path;

use anyhow::Context;
use comfy_table::Table;
use serde::Serialize;

use super::figures::events::Events;
use super::figures::latency::Latency;
use super::figures::memory::Memory;
use super::figures::orders::Orders;
use super::figures::start::Start;
use super::numbers::Spread;
use super::problems::Problems;
use super::run::Settings;
use super::verdict::{self, Bar, Verdict};
use crate::output;

/// A shop without shipping delays does not take so long for an order, in milliseconds.
const SUSPICIOUS_MS: f64 = 800.0;

/// Everything that was measured. A figure that was not asked for is absent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Version of this program.
    pub version: &'static str,
    /// `release` or `debug`.
    pub build: &'static str,
    /// When it began, in milliseconds since the Unix epoch.
    pub began_at_ms: i64,
    /// What it ran on.
    pub machine: Machine,
    /// How much was measured.
    pub settings: Settings,
    /// Figure 1.
    pub orders: Option<Orders>,
    /// Figures 2 and 4.
    pub events: Option<Events>,
    /// Figure 3.
    pub latency: Option<Latency>,
    /// Figure 5.
    pub memory: Option<Memory>,
    /// Figure 6.
    pub start: Option<Start>,
    /// The table's rows.
    pub rows: Vec<Row>,
    /// What a reader has to know.
    pub notes: Vec<String>,
    /// What failed.
    pub problems: Problems,
}

/// What the figures were measured on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Processors this program may use.
    pub processors: usize,
    /// Their name.
    pub processor: String,
    /// Of the databases' folder.
    pub file_system: String,
}

/// One row of the table.
#[derive(Debug, Serialize)]
pub struct Row {
    figure: &'static str,
    measured: String,
    ruler: String,
    ratio: String,
    reach: String,
    aim: String,
    verdict: Verdict,
}

impl Report {
    /// Fills the rows from what was measured.
    pub fn sum_up(&mut self) {
        self.rows.extend(self.orders.as_ref().map(|orders| Row {
            measured: rate(&orders.shop_per_second, "orders/s"),
            ruler: format!("S_ord {}", rate(&orders.ruler_per_second, "/s")),
            ..ratio_row("POST /orders, all edges", &orders.ratio, verdict::ORDERS)
        }));
        self.rows.extend(self.events.as_ref().map(|events| Row {
            measured: rate(&events.shop_per_second, "events/s"),
            ruler: format!("S_inbox {}", rate(&events.ruler_per_second, "/s")),
            ..ratio_row("events handled by all consumers", &events.ratio, verdict::EVENTS)
        }));
        self.rows.extend(self.latency.as_ref().map(|latency| {
            let bars = [(latency.p50_ms, verdict::LATENCY_P50_MS), (latency.p99_ms, verdict::LATENCY_P99_MS)];
            plain_row("201 to completed, idle, p50 / p99", pair(latency.p50_ms, latency.p99_ms, "ms"), &bars, "ms")
        }));
        self.rows.extend(self.events.as_ref().map(|events| {
            let cpu = &events.cpu_ms_per_order;
            let measured = format!("{:.2} ms{}", cpu.median, extremes(cpu, 2));
            plain_row("CPU per completed order", measured, &[(cpu.median, verdict::CPU_MS)], "ms")
        }));
        self.rows.extend(self.memory.as_ref().map(|memory| {
            let bars = [(memory.idle_mb, verdict::IDLE_MB), (memory.loaded_mb, verdict::LOADED_MB)];
            plain_row("RSS of `up`, idle / under load", pair(memory.idle_mb, memory.loaded_mb, "MB"), &bars, "MB")
        }));
        self.rows.extend(self.start.as_ref().map(|start| {
            let ms = &start.start_ms;
            let measured = format!("{:.1} ms{}", ms.median, extremes(ms, 1));
            plain_row("start of a service to its first 200", measured, &[(ms.median, verdict::START_MS)], "ms")
        }));
        self.add_notes();
    }

    fn add_notes(&mut self) {
        let Settings { rounds, connections, .. } = self.settings;
        self.notes.push(format!(
            "medians, with the extremes below; rounds: {rounds}, connections: {connections}; ruler and shop in turns, a ratio is taken round by round"
        ));
        if let Some(events) = &self.events {
            self.notes.push(format!(
                "events: {:.0} orders completed per second × {:.1} deliveries per order, counted in the services' records",
                events.orders_per_second.median, events.deliveries_per_order
            ));
        }
        if let Some(latency) = &self.latency {
            self.notes.push(format!(
                "201 to completed: {} orders one by one, seen by asking the OMS every ms; by the event's own time {:.0} / {:.0} ms",
                latency.orders, latency.event_p50_ms, latency.event_p99_ms
            ));
        }
        if self.latency.as_ref().is_some_and(|latency| latency.p50_ms > SUSPICIOUS_MS) {
            self.notes.push("201 to completed: this long only with shipping delays; start the shop with --dispatch-delay-ms 0 --deliver-delay-ms 0".to_owned());
        }
        if let Some(start) = &self.start {
            self.notes.push(format!(
                "start: {}; its first start, which makes the database, took {:.1} ms",
                start.service, start.first_ms
            ));
        }
        if let Some(memory) = &self.memory {
            self.notes.push(format!("RSS: the kernel's high-water mark is {:.0} MB", memory.high_water_mb));
        }
        if self.build == "debug" {
            self.notes.push("THIS IS A DEBUG BUILD: the figures mean nothing; build with --release".to_owned());
        }
        if self.machine.file_system == "tmpfs" {
            self.notes.push(
                "the databases are on tmpfs, where a commit costs nothing: choose a disk with --work-dir".to_owned(),
            );
        }
    }

    /// The table and its footnotes.
    #[must_use]
    pub fn text(&self) -> String {
        let mut table: Table = output::table(&["figure", "measured", "ruler", "ratio", "reach", "aim", "verdict"]);
        for row in &self.rows {
            table.add_row([
                row.figure,
                &row.measured,
                &row.ruler,
                &row.ratio,
                &row.reach,
                &row.aim,
                row.verdict.text(),
            ]);
        }
        let mut text = format!("{table}\n");
        for note in &self.notes {
            text.push_str("- ");
            text.push_str(note);
            text.push('\n');
        }
        text
    }

    /// Writes the JSON; `-` is standard output.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: &Path) -> anyhow::Result<()> {
        save(self, file)
    }
}

/// Writes a report as JSON; `-` is standard output.
///
/// # Errors
/// When the file cannot be written.
pub fn save(report: &impl Serialize, file: &Path) -> anyhow::Result<()> {
    if file.as_os_str() == "-" {
        return output::json(report);
    }
    let text = serde_json::to_string_pretty(report)?;
    std::fs::write(file, text)
        .with_context(|| format!("cannot write {}: choose another file with --json", file.display()))
}

fn ratio_row(figure: &'static str, ratio: &Spread, bar: Bar) -> Row {
    Row {
        figure,
        measured: String::new(),
        ruler: String::new(),
        ratio: format!("{:.2}{}", ratio.median, extremes(ratio, 2)),
        reach: format!("{:.2}", bar.reach),
        aim: format!("{:.2}", bar.aim),
        verdict: bar.judge(ratio.median),
    }
}

/// A row without a ruler; of several values the worst decides.
fn plain_row(figure: &'static str, measured: String, bars: &[(f64, Bar)], unit: &str) -> Row {
    let join = |of: fn(&Bar) -> f64| {
        let texts: Vec<String> = bars.iter().map(|(_, bar)| of(bar).to_string()).collect();
        format!("{} {unit}", texts.join(" / "))
    };
    let none = "–".to_owned();
    let verdict = bars.iter().map(|(value, bar)| bar.judge(*value)).min().unwrap_or(Verdict::Below);
    Row {
        figure,
        measured,
        ruler: none.clone(),
        ratio: none,
        reach: join(|bar| bar.reach),
        aim: join(|bar| bar.aim),
        verdict,
    }
}

fn rate(spread: &Spread, unit: &str) -> String {
    let space = if unit.starts_with('/') { "" } else { " " };
    format!("{:.0}{space}{unit}{}", spread.median, extremes(spread, 0))
}

/// A second line with the extremes, where there is more than one round.
fn extremes(spread: &Spread, digits: usize) -> String {
    let Spread { lowest, highest, rounds, .. } = spread;
    if rounds.len() < 2 { String::new() } else { format!("\n{lowest:.digits$} to {highest:.digits$}") }
}

fn pair(first: f64, second: f64, unit: &str) -> String {
    format!("{first:.1} / {second:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_pair_the_worse_decides() {
        let bars = [(10.0, verdict::LATENCY_P50_MS), (200.0, verdict::LATENCY_P99_MS)];
        let row = plain_row("latency", pair(10.0, 200.0, "ms"), &bars, "ms");
        assert_eq!(row.verdict, Verdict::Below);
        assert_eq!((row.reach.as_str(), row.aim.as_str()), ("40 / 150 ms", "15 / 30 ms"));
    }

    #[test]
    fn a_ratio_is_judged_by_its_median() {
        let row = ratio_row("orders", &Spread::of(vec![0.1, 0.31, 0.9]), verdict::ORDERS);
        assert_eq!((row.ratio.as_str(), row.verdict), ("0.31\n0.10 to 0.90", Verdict::ReachedAim));
    }
}
