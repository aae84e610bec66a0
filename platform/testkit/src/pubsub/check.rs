//! Names and subscriptions by the service's rules.

use delivery::parse_filter;

use super::Page;
use super::limits;
use super::refusal::Refusal;
use super::spec::SubscriptionSpec;

/// What a subscription's topic is called once that topic is deleted.
pub(super) const DELETED_TOPIC: &str = "_deleted-topic_";

/// Checks `projects/{project}/{collection}/{id}`.
pub(super) fn name(name: &str, collection: &str) -> Result<(), Refusal> {
    let bad = || Refusal::invalid(format!("{name} is no name for one of {collection}"));
    let parts: Vec<&str> = name.split('/').collect();
    let ["projects", project, kind, id] = parts[..] else { return Err(bad()) };
    let good = id.starts_with(|c: char| c.is_ascii_alphabetic())
        && !id.starts_with("goog")
        && limits::NAME_CHARACTERS.contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%+".contains(&b));
    if kind != collection || project.is_empty() || !good {
        return Err(bad());
    }
    Ok(())
}

/// Checks a subscription and fills in the service's defaults.
pub(super) fn subscription(spec: &mut SubscriptionSpec) -> Result<(), Refusal> {
    name(&spec.name, "subscriptions")?;
    if spec.ack_deadline_s == 0 {
        spec.ack_deadline_s = limits::ACK_DEADLINE_DEFAULT_SECONDS;
    }
    if !limits::ACK_DEADLINE_SECONDS.contains(&spec.ack_deadline_s) {
        return Err(Refusal::invalid("an ack deadline has 10 to 600 seconds"));
    }
    if spec.retention_s == 0 {
        spec.retention_s = limits::RETENTION_DEFAULT_SECONDS;
    }
    if !limits::RETENTION_SECONDS.contains(&spec.retention_s) {
        return Err(Refusal::invalid("messages are kept for 10 minutes to 31 days"));
    }
    if !spec.filter.is_empty() {
        parse_filter(&spec.filter).map_err(|why| Refusal::invalid(format!("the filter: {why}")))?;
    }
    if let Some(policy) = &mut spec.dead_letter {
        name(&policy.topic, "topics")?;
        if policy.max_attempts == 0 {
            policy.max_attempts = limits::DELIVERY_ATTEMPTS_DEFAULT;
        }
        if !limits::DELIVERY_ATTEMPTS.contains(&policy.max_attempts) {
            return Err(Refusal::invalid("a dead-letter policy has 5 to 100 attempts"));
        }
    }
    if spec.retry.is_some_and(|retry| retry.min_ms > retry.max_ms || !limits::RETRY_BACKOFF_MS.contains(&retry.max_ms))
    {
        return Err(Refusal::invalid("a retry policy waits for 0 to 600 seconds, at first not longer than later"));
    }
    endpoint(&spec.push_endpoint)
}

/// Checks where to push; nothing means pull.
pub(super) fn endpoint(endpoint: &str) -> Result<(), Refusal> {
    let rest = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    if endpoint.is_empty() || rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("{endpoint} is no URL to push to")))
}

/// One page of sorted `names` and the token of the next: the last name on the page.
pub(super) fn page<'a>(names: impl Iterator<Item = &'a String>, size: i32, token: &str) -> Result<Page, Refusal> {
    let size = usize::try_from(size).map_err(|_| Refusal::invalid("a page size is not negative"))?;
    let size = if size == 0 { limits::PAGE } else { size.min(limits::PAGE) };
    let mut names: Vec<String> = names.filter(|name| name.as_str() > token).take(size + 1).cloned().collect();
    let more = names.len() > size;
    names.truncate(size);
    let next = names.last().filter(|_| more).cloned().unwrap_or_default();
    Ok(Page { names, next })
}
