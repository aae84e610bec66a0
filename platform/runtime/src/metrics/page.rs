//! The page, in the text format that Prometheus reads.
//!
//! The format is from <https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;

use super::histogram::{BOUNDS_US, Buckets};
use super::{Cell, Metrics, number};
use crate::doors::{Caller, Door, Doors};

/// Where the page is. `/metrics` is the fraud engine's own contract.
const PATH: &str = "/-/metrics";
/// The format and its version.
const FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Brings what is not at hand (rows of a database, say) up to date before a page is made.
pub type Refresh = std::sync::Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

#[derive(Clone)]
struct House {
    metrics: Metrics,
    refresh: Option<Refresh>,
}

/// `GET /-/metrics`.
pub fn doors(metrics: Metrics, refresh: Option<Refresh>) -> Doors {
    const WATCHERS: Door = Door::of("What is counted and measured, for Prometheus")
        .to(&[Caller::Monitoring, Caller::Operator])
        .described(|door| door.gives_other(200, "text/plain", "the page"));
    Doors::new().get(PATH, page, WATCHERS).with_state(House { metrics, refresh })
}

async fn page(State(House { metrics, refresh }): State<House>) -> Response {
    if let Some(refresh) = refresh {
        refresh().await;
    }
    ([(CONTENT_TYPE, FORMAT)], metrics.render()).into_response()
}

impl Metrics {
    /// The page as it stands.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = String::new();
        for (name, family) in self.families().iter() {
            let Some(kind) = family.lines.values().next().map(Cell::kind) else { continue };
            let help = family.help;
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, cell) in &family.lines {
                let mut of_line = format!("service=\"{}\"", self.service());
                for (label, value) in labels {
                    let _ = write!(of_line, ",{label}=\"{value}\"");
                }
                match cell {
                    Cell::Histogram(buckets) => histogram(&mut page, name, &of_line, buckets),
                    cell => {
                        let _ = writeln!(page, "{name}{{{of_line}}} {}", cell.value());
                    }
                }
            }
        }
        page
    }
}

impl Cell {
    fn kind(&self) -> &'static str {
        match self {
            Cell::Counter(_) => "counter",
            Cell::Gauge(_) | Cell::Observed(_) => "gauge",
            Cell::Histogram(_) => "histogram",
        }
    }
}

/// Buckets count up: each holds those before it.
fn histogram(page: &mut String, name: &str, labels: &str, buckets: &Buckets) {
    let counts = buckets.counts();
    let bounds = BOUNDS_US.iter().map(|bound| (number(*bound) / 1e6).to_string()).chain(["+Inf".to_owned()]);
    let mut so_far = 0;
    for (bound, count) in bounds.zip(counts) {
        so_far += count;
        let _ = writeln!(page, "{name}_bucket{{{labels},le=\"{bound}\"}} {so_far}");
    }
    let sum = number(buckets.sum_us()) / 1e6;
    let _ = writeln!(page, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {so_far}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_in_the_text_format() {
        let metrics = Metrics::new("checkout");
        metrics
            .counter("boutique_edge_calls_total", "Calls.", &[("edge", "crm"), ("outcome", "answered")])
            .increment(3);
        metrics.gauge("boutique_depth", "Depth.", &[]).set(0.5);
        metrics.observe("boutique_state", "State.", &[("edge", "crm")], || 2.0);
        let page = metrics.render();
        let expected = "# HELP boutique_depth Depth.\n# TYPE boutique_depth gauge\nboutique_depth{service=\"checkout\"} 0.5\n\
            # HELP boutique_edge_calls_total Calls.\n# TYPE boutique_edge_calls_total counter\n\
            boutique_edge_calls_total{service=\"checkout\",edge=\"crm\",outcome=\"answered\"} 3\n\
            # HELP boutique_state State.\n# TYPE boutique_state gauge\nboutique_state{service=\"checkout\",edge=\"crm\"} 2\n";
        assert_eq!(page, expected);
    }

    #[test]
    fn buckets_of_the_page_count_up_to_the_number_of_times() {
        let metrics = Metrics::new("checkout");
        let times = metrics.seconds("boutique_call_seconds", "Times.", &[]);
        [0.000_4, 0.02, 0.02, 60.0].into_iter().for_each(|seconds| times.record(seconds));
        let page = metrics.render();
        for line in [
            "boutique_call_seconds_bucket{service=\"checkout\",le=\"0.0005\"} 1",
            "boutique_call_seconds_bucket{service=\"checkout\",le=\"0.01\"} 1",
            "boutique_call_seconds_bucket{service=\"checkout\",le=\"0.025\"} 3",
            "boutique_call_seconds_bucket{service=\"checkout\",le=\"10\"} 3",
            "boutique_call_seconds_bucket{service=\"checkout\",le=\"+Inf\"} 4",
            "boutique_call_seconds_sum{service=\"checkout\"} 60.0404",
            "boutique_call_seconds_count{service=\"checkout\"} 4",
        ] {
            assert!(page.lines().any(|each| each == line), "{line} is not in\n{page}");
        }
    }
}
