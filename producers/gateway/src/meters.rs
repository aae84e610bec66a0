//! What is counted and measured of clients' requests. A route is named by its pattern: what a client writes never becomes a label.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use identity::Refused;
use runtime::Metrics;
use runtime::metrics::{Counter, Histogram};

/// More requests of an address than it may send.
pub(crate) const ADDRESS_LIMIT: &str = "address_limit";
/// More requests of a subject than it may send.
pub(crate) const SUBJECT_LIMIT: &str = "subject_limit";

/// What is labelled so is no route.
const NO_ROUTE: (&str, &str) = ("any", "none");
/// Statuses by their first digit, from 2 on.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// The handles.
pub(crate) struct Meters {
    routes: Vec<(Method, &'static str, Answers)>,
    others: Answers,
    refused: BTreeMap<&'static str, Counter>,
}

/// What was answered on one route.
struct Answers {
    classes: [Counter; CLASSES.len()],
    seconds: Histogram,
}

impl Meters {
    /// Handles for these routes, and for everything that is none of them.
    pub(crate) fn new(metrics: &Metrics, routes: impl IntoIterator<Item = (Method, &'static str)>) -> Self {
        let help = "Requests that were not let in, by why.";
        let refused =
            |code: &'static str| (code, metrics.counter("boutique_requests_refused_total", help, &[("code", code)]));
        let codes = Refused::ALL.into_iter().map(Refused::code).chain([ADDRESS_LIMIT, SUBJECT_LIMIT]);
        let (no_method, no_path) = NO_ROUTE;
        Self {
            routes: routes
                .into_iter()
                .map(|(method, path)| {
                    let answers = Answers::new(metrics, word(&method), path);
                    (method, path, answers)
                })
                .collect(),
            others: Answers::new(metrics, no_method, no_path),
            refused: codes.map(refused).collect(),
        }
    }

    /// A request for the route `path` was answered; `None` when it asked for no path there is.
    pub(crate) fn answered(&self, method: &Method, path: Option<&str>, status: StatusCode, took: Duration) {
        let route = self.routes.iter().find(|(of, at, _)| of == method && Some(*at) == path);
        let answers = route.map_or(&self.others, |(_, _, answers)| answers);
        let class = usize::from(status.as_u16() / 100).saturating_sub(2).min(CLASSES.len() - 1);
        answers.classes[class].increment(1);
        answers.seconds.record(took.as_secs_f64());
    }

    /// A request was not let in.
    pub(crate) fn refused(&self, code: &str) {
        if let Some(counter) = self.refused.get(code) {
            counter.increment(1);
        }
    }
}

impl Answers {
    fn new(metrics: &Metrics, method: &'static str, route: &'static str) -> Self {
        let of = [("method", method), ("route", route)];
        let class = |class: &'static str| {
            let labels = [of[0], of[1], ("status", class)];
            metrics.counter("boutique_requests_total", "Answers to clients, by the first digit of the status.", &labels)
        };
        let help = "How long clients waited for an answer; for a stream, until it began.";
        Self { classes: CLASSES.map(class), seconds: metrics.seconds("boutique_request_seconds", help, &of) }
    }
}

/// A method of the table of routes as a label.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        _ => NO_ROUTE.0,
    }
}
