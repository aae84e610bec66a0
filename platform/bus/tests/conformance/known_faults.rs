//! Where Google's emulator (0.8.20) is not what Google's service is. README.md has the same list for people; a test compares them.

/// A case an engine does not pass.
pub(crate) struct KnownFault {
    /// Its name, `file::claim`.
    pub(crate) case: &'static str,
    /// What happens instead.
    pub(crate) instead: &'static str,
    /// Whether the machine can hide it: an engine that does not wait is late all the same where little CPU is left for it.
    pub(crate) may_hide: bool,
}

const fn fault(case: &'static str, instead: &'static str) -> KnownFault {
    KnownFault { case, instead, may_hide: false }
}

const fn fault_in_waiting(case: &'static str, instead: &'static str) -> KnownFault {
    KnownFault { case, instead, may_hide: true }
}

const DEAD_LETTERS: &str = "attempts are counted, but no dead letter is forwarded";
const FILTERS: &str = "filters are stored and ignored: every message passes";

pub(crate) const EMULATOR: &[KnownFault] = &[
    fault("admin::what_is_not_there_is_not_found", "the subscriptions of a topic that is not there are an empty list"),
    fault("dead_letters::a_forwarded_message_does_not_come_again", DEAD_LETTERS),
    fault("dead_letters::a_lease_that_ends_counts_as_an_attempt", DEAD_LETTERS),
    fault("dead_letters::a_message_is_forwarded_after_its_last_attempt_with_where_it_comes_from", DEAD_LETTERS),
    fault("dead_letters::a_pushed_message_is_forwarded_after_its_last_attempt", "pushes carry no deliveryAttempt"),
    fault("dead_letters::five_to_a_hundred_attempts_are_taken", "the code is OUT_OF_RANGE"),
    fault("delivery::a_deadline_out_of_bounds_is_refused", "any number of seconds is taken"),
    fault("delivery::max_messages_bounds_a_pull", "max_messages of 0 and below are taken"),
    fault("filters::a_bad_filter_is_refused_at_creation", FILTERS),
    fault("filters::a_filter_of_256_bytes_is_taken_and_of_257_refused", FILTERS),
    fault("filters::a_key_may_be_quoted", FILTERS),
    fault("filters::a_message_that_does_not_pass_is_not_owed", FILTERS),
    fault("filters::a_pushed_subscription_is_filtered_too", FILTERS),
    fault("filters::and", FILTERS),
    fault("filters::does_not_equal", FILTERS),
    fault("filters::equals", FILTERS),
    fault("filters::has_key", FILTERS),
    fault("filters::has_prefix", FILTERS),
    fault("filters::not_and_minus", FILTERS),
    fault("filters::or", FILTERS),
    fault("filters::parentheses_mix_and_with_or", FILTERS),
    fault("limits::a_key_that_starts_with_goog_is_refused", "taken"),
    fault("limits::a_message_has_at_most_100_attributes", "any number is taken"),
    fault("limits::a_publish_has_at_most_ten_megabytes", "10,000,001 bytes are taken"),
    fault("limits::an_ack_deadline_is_ten_seconds_to_ten_minutes", "9 seconds are taken"),
    fault("limits::an_attributes_key_has_at_most_256_bytes", "257 bytes are taken"),
    fault("limits::an_attributes_value_has_at_most_1024_bytes", "1,025 bytes are taken"),
    fault("limits::an_ordering_key_has_at_most_1024_bytes", "1,025 bytes are taken"),
    fault("limits::messages_are_kept_for_ten_minutes_to_31_days", "more than 7 days are refused"),
    fault("limits::the_messages_of_one_request_have_one_ordering_key", "any mix is taken"),
    fault("lists::a_negative_page_size_is_refused", "it is taken for no page size"),
    fault(
        "ordering::a_dead_letter_lets_its_key_go_on_when_pulled",
        "the key goes on while its first message is still retried",
    ),
    fault("ordering::a_dead_letter_lets_its_key_go_on_when_pushed", "the key stops with its dead letter"),
    fault(
        "ordering::a_nack_brings_the_message_and_its_successors_again_in_order",
        "the successors come before the message",
    ),
    fault("push::a_bad_endpoint_is_refused", "`http://` without a host is taken"),
    fault("push::a_push_is_an_envelope", "there is no orderingKey"),
    fault("push::four_codes_are_acks", "202 is no ack"),
    fault("push::no_other_code_is_an_ack", "203 is an ack"),
    fault("push::the_attempt_is_there_with_a_dead_letter_policy_only", "pushes carry no deliveryAttempt"),
    fault("retry::a_message_that_waits_holds_up_no_other", "retry policies are stored and ignored when pulled"),
    fault_in_waiting("retry::a_wait_holds_for_a_lease_that_ended", "retry policies are stored and ignored when pulled"),
    fault_in_waiting("retry::waits_grow_from_the_lower_bound", "retry policies are stored and ignored when pulled"),
    fault(
        "seek::a_snapshot_can_be_sought_by_another_subscription_of_the_topic",
        "what was published before that subscription does not come",
    ),
    fault("update::a_dead_letter_policy_can_be_added", DEAD_LETTERS),
    fault("update::a_detached_subscription_gives_nothing_and_is_listed_no_more", "DetachSubscription is UNIMPLEMENTED"),
    fault("update::a_limit_holds_in_an_update_too", "the code is OUT_OF_RANGE"),
    fault("update::only_the_fields_in_the_mask_change", "labels are no known field"),
];

#[test]
fn the_readme_has_the_same_list() {
    let readme = include_str!("README.md");
    let listed: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    let known: Vec<String> = EMULATOR.iter().map(|fault| format!("| `{}` | {} |", fault.case, fault.instead)).collect();
    assert_eq!(listed, known);
}
