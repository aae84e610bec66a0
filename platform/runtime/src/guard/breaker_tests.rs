use proptest::prelude::*;

use super::*;

const SETTINGS: BreakerSettings = BreakerSettings {
    window_ms: 10_000,
    minimum_calls: 10,
    failure_percent: 50,
    open_ms: 1_000,
    longest_open_ms: 30_000,
    probes: 2,
    probe_ms: 500,
};

fn call(breaker: &mut Breaker, now_ms: u64, verdict: Verdict) -> Admission {
    let admission = breaker.admit(now_ms);
    if admission != Admission::Refused {
        breaker.record(now_ms, admission, verdict, 1.0);
    }
    admission
}

/// A breaker that opened at `now_ms`.
fn opened(now_ms: u64) -> Breaker {
    let mut breaker = Breaker::new(SETTINGS);
    for _ in 0..SETTINGS.minimum_calls {
        call(&mut breaker, now_ms, Verdict::Bad);
    }
    assert_eq!(breaker.state(), State::Open);
    breaker
}

#[test]
fn it_opens_with_the_call_that_makes_half_of_them_failures_and_not_before() {
    let mut breaker = Breaker::new(SETTINGS);
    for now_ms in 0..10 {
        call(&mut breaker, now_ms, Verdict::Good);
    }
    for now_ms in 10..19 {
        call(&mut breaker, now_ms, Verdict::Bad);
        assert_eq!(breaker.state(), State::Closed, "9 of 19 at most");
    }
    call(&mut breaker, 19, Verdict::Bad);
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.admit(20), Admission::Refused);
}

#[test]
fn few_calls_open_nothing_however_they_end() {
    let mut breaker = Breaker::new(SETTINGS);
    for now_ms in 0..9 {
        call(&mut breaker, now_ms, Verdict::Bad);
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn failures_older_than_the_window_are_forgotten() {
    let mut breaker = Breaker::new(SETTINGS);
    for _ in 0..9 {
        call(&mut breaker, 0, Verdict::Bad);
    }
    call(&mut breaker, SETTINGS.window_ms, Verdict::Bad);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn after_its_time_one_probe_goes_and_the_others_wait_for_it() {
    let mut breaker = opened(5_000);
    assert_eq!(breaker.admit(5_999), Admission::Refused);
    assert_eq!(breaker.admit(6_000), Admission::Probe);
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.admit(6_001), Admission::Refused);
    breaker.record(6_002, Admission::Probe, Verdict::Good, 0.0);
    assert_eq!(breaker.state(), State::HalfOpen, "one answer is not enough");
    assert_eq!(call(&mut breaker, 6_003, Verdict::Good), Admission::Probe);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn each_failed_probe_doubles_the_wait_up_to_the_longest() {
    let mut breaker = opened(0);
    let mut now_ms = 1_000;
    for wait_ms in [2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        assert_eq!(call(&mut breaker, now_ms, Verdict::Bad), Admission::Probe);
        assert_eq!(breaker.admit(now_ms + wait_ms - 1), Admission::Refused, "{wait_ms}");
        now_ms += wait_ms;
    }
    for _ in 0..2 {
        assert_eq!(call(&mut breaker, now_ms, Verdict::Good), Admission::Probe);
    }
    for _ in 0..10 {
        call(&mut breaker, now_ms, Verdict::Bad);
    }
    assert_eq!(breaker.admit(now_ms + 999), Admission::Refused);
    assert_eq!(breaker.admit(now_ms + 1_000), Admission::Probe, "closed once, it begins with the first wait again");
}

#[test]
fn a_probe_that_was_abandoned_makes_room_for_another() {
    let mut breaker = opened(0);
    assert_eq!(breaker.admit(1_000), Admission::Probe);
    breaker.record(1_001, Admission::Probe, Verdict::Abandoned, 0.0);
    assert_eq!(breaker.admit(1_002), Admission::Probe);
}

#[test]
fn a_probe_nobody_answers_for_is_given_up() {
    let mut breaker = opened(0);
    assert_eq!(breaker.admit(1_000), Admission::Probe);
    assert_eq!(breaker.admit(1_499), Admission::Refused);
    assert_eq!(breaker.admit(1_500), Admission::Probe);
}

#[test]
fn answers_to_calls_from_before_it_opened_change_nothing() {
    let mut breaker = opened(0);
    breaker.record(10, Admission::Pass, Verdict::Good, 0.0);
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(breaker.admit(1_000), Admission::Probe);
    breaker.record(1_001, Admission::Pass, Verdict::Bad, 0.0);
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[test]
fn chance_spreads_the_wait_over_its_second_half() {
    let opens_for = |chance: f64| {
        let mut breaker = Breaker::new(SETTINGS);
        for _ in 0..10 {
            let admission = breaker.admit(0);
            breaker.record(0, admission, Verdict::Bad, chance);
        }
        (0..).find(|now_ms| !breaker.refuses(*now_ms)).unwrap()
    };
    assert_eq!([0.0, 0.5, 1.0].map(opens_for), [500, 750, 1_000]);
}

/// What is done to a breaker, and how much later than the step before.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask,
    Answer(Verdict),
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let verdict = prop::sample::select(vec![Verdict::Good, Verdict::Bad, Verdict::Bad, Verdict::Abandoned]);
    let step = prop_oneof![Just(Step::Ask), verdict.prop_map(Step::Answer)];
    prop::collection::vec((0u64..400, step), 1..400)
}

proptest! {
    /// Whatever happens: no two probes within a probe's time, nothing passes unless it is closed, and after an open time somebody may ask.
    #[test]
    fn one_probe_at_a_time_and_never_shut_for_good(steps in steps(), chance in 0.0f64..1.0) {
        let mut breaker = Breaker::new(SETTINGS);
        let (mut now_ms, mut under_way, mut probe_since) = (0, Vec::new(), None);
        for (later_ms, step) in steps {
            now_ms += later_ms;
            match step {
                Step::Ask => {
                    let closed = breaker.state() == State::Closed;
                    let admission = breaker.admit(now_ms);
                    prop_assert_eq!(admission == Admission::Pass, closed);
                    if admission == Admission::Probe {
                        prop_assert!(probe_since.is_none_or(|since: u64| now_ms >= since + SETTINGS.probe_ms));
                        probe_since = Some(now_ms);
                    }
                    if admission != Admission::Refused {
                        under_way.push(admission);
                    }
                }
                Step::Answer(verdict) => {
                    if let Some(admission) = under_way.pop() {
                        breaker.record(now_ms, admission, verdict, chance);
                        if admission == Admission::Probe {
                            probe_since = None;
                        }
                    }
                }
            }
        }
        prop_assert!(!breaker.refuses(now_ms + SETTINGS.longest_open_ms));
    }
}
