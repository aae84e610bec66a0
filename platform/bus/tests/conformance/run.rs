//! Runs all cases on an engine and says at the end which failed.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use futures::{FutureExt, StreamExt, stream};

use crate::cases;
use crate::engine::Engine;
use crate::known_faults::KnownFault;
use crate::world::World;

/// A claim and what proves it.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(World) -> LocalBoxFuture<'static, ()>,
}

/// A list of cases of one file, named `file::claim`.
macro_rules! claims {
    ($file:literal: $($claim:ident),+ $(,)?) => {
        pub(crate) const CASES: &[crate::run::Case] = &[$(crate::run::Case {
            name: concat!($file, "::", stringify!($claim)),
            run: |world| Box::pin($claim(world)),
        }),+];
    };
}
pub(crate) use claims;

/// Runs every case, `at_once` at a time, each in a project of its own.
///
/// # Panics
/// When a case fails that is not among the engine's known faults, or a known fault is none any more.
pub(crate) async fn run(engine_name: &str, known: &[KnownFault], at_once: usize, engine: impl Fn() -> Arc<dyn Engine>) {
    let only = std::env::var("CONFORMANCE_CASE").unwrap_or_default();
    let all: Vec<Case> = cases::all().filter(|case| case.name.contains(&only)).collect();
    assert!(!all.is_empty(), "no case is called {only}");
    let outcomes = stream::iter(all.iter().enumerate().map(|(number, case)| {
        let world = World::new(engine(), number);
        let outcome = AssertUnwindSafe((case.run)(world)).catch_unwind();
        outcome.map(|outcome| (case.name, outcome.err().map(reason)))
    }));
    let mut outcomes: Vec<_> = outcomes.buffer_unordered(at_once).collect().await;
    outcomes.sort();
    let mut wrong = Vec::new();
    for (case, failed) in &outcomes {
        match (failed, known.iter().find(|fault| fault.case == *case)) {
            (None, Some(fault)) if !fault.may_hide => {
                wrong.push(format!("{case}: passes, but is a known fault ({})", fault.instead))
            }
            (Some(reason), None) => wrong.push(format!("{case}: {reason}")),
            _ => {}
        }
    }
    let unheard = known.iter().filter(|fault| !cases::all().any(|case| case.name == fault.case));
    wrong.extend(unheard.map(|fault| format!("{}: a known fault of no case", fault.case)));
    let count = outcomes.len();
    assert!(wrong.is_empty(), "{} of {count} on {engine_name}:\n\n{}\n", wrong.len(), wrong.join("\n\n"));
}

fn reason(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
