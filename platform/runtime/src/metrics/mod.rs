//! What a service counts and measures, as a page that Prometheus reads: `GET /-/metrics`.
//!
//! Every service has its own set and its own page, also where several share a process; each line bears the label `service`. The values of
//! labels are `&'static str`: a customer or an order can never become one, and a page never grows with use. The handles are those of the
//! `metrics` crate: an atomic addition each, and nothing is looked up by name when something is counted.

mod histogram;
mod page;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

pub use ::metrics::{Counter, Gauge, Histogram};

use histogram::Buckets;
pub use page::doors;

/// The metrics of one service. Clones are the same.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    service: &'static str,
    families: Mutex<BTreeMap<&'static str, Family>>,
}

/// All lines of one name.
struct Family {
    help: &'static str,
    lines: BTreeMap<Vec<(&'static str, &'static str)>, Cell>,
}

/// Where a line has its value from.
#[derive(Clone)]
enum Cell {
    Counter(Arc<AtomicU64>),
    /// The bits of an `f64`.
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
    /// Asked when the page is.
    Observed(Arc<dyn Fn() -> f64 + Send + Sync>),
}

impl Metrics {
    /// The metrics of `service`, none yet.
    #[must_use]
    pub fn new(service: &'static str) -> Self {
        Self(Arc::new(Inner { service, families: Mutex::default() }))
    }

    /// Whose they are.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// Something that is counted. `name` ends in `_total`.
    pub fn counter(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &'static str)]) -> Counter {
        match self.line(name, help, labels, || Cell::Counter(Arc::default())) {
            Cell::Counter(value) => Counter::from_arc(value),
            _ => Counter::noop(),
        }
    }

    /// Something that rises and falls. `name` ends in its unit, if it has one.
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: &[(&'static str, &'static str)]) -> Gauge {
        match self.line(name, help, labels, || Cell::Gauge(Arc::default())) {
            Cell::Gauge(value) => Gauge::from_arc(value),
            _ => Gauge::noop(),
        }
    }

    /// Times, in seconds. `name` ends in `_seconds`.
    pub fn seconds(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &'static str)],
    ) -> Histogram {
        match self.line(name, help, labels, || Cell::Histogram(Arc::default())) {
            Cell::Histogram(buckets) => Histogram::from_arc(buckets),
            _ => Histogram::noop(),
        }
    }

    /// Something that is known when it is asked for. `read` must not wait.
    pub fn observe(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &'static str)],
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        self.line(name, help, labels, || Cell::Observed(Arc::new(read)));
    }

    /// The value of a line as it stands: of a histogram the number of times, 0 of a line there is not.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&'static str, &'static str)]) -> f64 {
        let families = self.families();
        let cell = families.get(name).and_then(|family| family.lines.get(&sorted(labels)));
        cell.map_or(0.0, Cell::value)
    }

    fn line(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&'static str, &'static str)],
        new: impl FnOnce() -> Cell,
    ) -> Cell {
        let mut families = self.families();
        let family = families.entry(name).or_insert_with(|| Family { help, lines: BTreeMap::new() });
        family.lines.entry(sorted(labels)).or_insert_with(new).clone()
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<&'static str, Family>> {
        self.0.families.lock().expect("nothing panics while it holds the families")
    }
}

impl Cell {
    fn value(&self) -> f64 {
        match self {
            Cell::Counter(value) => number(value.load(Ordering::Relaxed)),
            Cell::Gauge(value) => f64::from_bits(value.load(Ordering::Relaxed)),
            Cell::Histogram(buckets) => number(buckets.count()),
            Cell::Observed(read) => read(),
        }
    }
}

fn sorted(labels: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut labels = labels.to_vec();
    labels.sort_unstable();
    labels
}

/// A count as Prometheus has numbers; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "a count above 2^53 is not reached")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_and_labels_are_the_same_line() {
        let metrics = Metrics::new("checkout");
        let line = || metrics.counter("calls_total", "Calls.", &[("edge", "crm"), ("outcome", "answered")]);
        line().increment(2);
        line().increment(1);
        let other_order = [("outcome", "answered"), ("edge", "crm")];
        assert!((metrics.value("calls_total", &other_order) - 3.0).abs() < f64::EPSILON);
        assert!(metrics.value("calls_total", &[("edge", "food")]).abs() < f64::EPSILON);
    }

    #[test]
    fn a_name_of_another_kind_counts_nothing_instead_of_breaking_the_service() {
        let metrics = Metrics::new("checkout");
        metrics.gauge("depth", "Depth.", &[]).set(2.5);
        metrics.counter("depth", "Depth.", &[]).increment(7);
        assert!((metrics.value("depth", &[]) - 2.5).abs() < f64::EPSILON);
    }
}
