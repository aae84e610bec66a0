//! What counting costs on this machine: `cargo run --release -p runtime --example metrics_cost`.
#![allow(clippy::print_stdout, reason = "an example prints its figures")]

use std::hint::black_box;

use runtime::clock::Stopwatch;
use runtime::metrics::Metrics;

/// How often each thing is done.
const TIMES: u32 = 10_000_000;

fn main() {
    let metrics = Metrics::new("example");
    let counter = metrics.counter("calls_total", "Calls.", &[("edge", "crm"), ("outcome", "answered")]);
    let times = metrics.seconds("call_seconds", "Times.", &[("edge", "crm")]);
    measure("a counter", || black_box(&counter).increment(1));
    measure("a time", || black_box(&times).record(black_box(0.012)));
    measure("a stopwatch", || {
        black_box(Stopwatch::start().elapsed());
    });
}

fn measure(what: &str, mut work: impl FnMut()) {
    let watch = Stopwatch::start();
    for _ in 0..TIMES {
        work();
    }
    println!("{what}: {:.1} ns", watch.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES));
}
