//! Filters: the parser takes or refuses every text, and what it takes means what its parts mean.
#![no_main]

use delivery::{Filter, parse_filter};
use libfuzzer_sys::fuzz_target;

/// Attributes of a message: lines of `key=value` behind the filter's line.
fn attributes(lines: &str) -> Vec<(&str, &str)> {
    lines.lines().map(|line| line.split_once('=').unwrap_or((line, ""))).collect()
}

fuzz_target!(|input: &str| {
    let (text, lines) = input.split_once('\n').unwrap_or((input, ""));
    let Ok(filter) = parse_filter(text) else { return };
    let attributes = attributes(lines);
    let passes = filter.matches(&attributes);
    // What was accepted can be taken into parentheses and turned around, unless it gets too long by that.
    for (outer, expected) in [(format!("({text})"), passes), (format!("NOT ({text})"), !passes)] {
        if let Some(outer) = within_the_limit(&outer) {
            assert_eq!(outer.matches(&attributes), expected);
        }
    }
    let both = [(format!("({text}) AND ({text})")), (format!("({text}) OR ({text})"))];
    for both in both.iter().filter_map(|both| within_the_limit(both)) {
        assert_eq!(both.matches(&attributes), passes);
    }
});

fn within_the_limit(text: &str) -> Option<Filter> {
    (text.len() <= 256).then(|| parse_filter(text).expect("its parts are filters"))
}
