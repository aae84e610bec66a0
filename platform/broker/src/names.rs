//! Resource names by Pub/Sub's rules.

use crate::error::Refusal;

/// What a subscription's topic is called once that topic is deleted.
pub(crate) const DELETED_TOPIC: &str = "_deleted-topic_";

/// Checks `projects/{project}/{collection}/{id}`.
///
/// An id has 3 to 255 letters, digits or `-._~%+`, starts with a letter and not with `goog`.
pub(crate) fn check(name: &str, collection: &str) -> Result<(), Refusal> {
    let bad = |why: &str| {
        Refusal::invalid(format!(
            "Invalid [{collection}] name: (name={name}): {why}. Expected projects/{{project}}/{collection}/{{id}}"
        ))
    };
    let parts: Vec<&str> = name.split('/').collect();
    let ["projects", project, kind, id] = parts[..] else { return Err(bad("it does not have four parts")) };
    if kind != collection {
        return Err(bad("it names another kind of resource"));
    }
    check_project(project).map_err(&bad)?;
    if !(3..=255).contains(&id.len()) {
        return Err(bad("an id has 3 to 255 characters"));
    }
    if !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(bad("an id starts with a letter"));
    }
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%+".contains(&b)) {
        return Err(bad("an id has letters, digits and -._~%+ only"));
    }
    if id.starts_with("goog") {
        return Err(bad("an id must not start with goog"));
    }
    Ok(())
}

/// Checks `projects/{project}` and gives the project.
pub(crate) fn project(name: &str) -> Result<&str, Refusal> {
    let bad = || Refusal::invalid(format!("Invalid project name: (name={name}). Expected projects/{{project}}"));
    let project = name.strip_prefix("projects/").ok_or_else(bad)?;
    check_project(project).map_err(|_| bad())?;
    Ok(project)
}

/// The project of a checked name.
pub(crate) fn project_of(name: &str) -> &str {
    name.split('/').nth(1).unwrap_or("")
}

fn check_project(project: &str) -> Result<(), &'static str> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    if project.is_empty() || project.len() > 100 || !project.bytes().all(good) {
        return Err("a project has 1 to 100 letters, digits and -._:");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_the_service() {
        for good in ["projects/p/topics/abc", "projects/my-project/topics/order-events", "projects/p/topics/a~%+._-"] {
            assert!(check(good, "topics").is_ok(), "{good}");
        }
        let long = format!("projects/p/topics/{}", "a".repeat(256));
        for bad in [
            "",
            "abc",
            "projects/p/topics/ab",
            "projects/p/topics/1abc",
            "projects/p/topics/google",
            "projects/p/topics/a/b",
            "projects//topics/abc",
            "projects/p/subscriptions/abc",
            "projects/p/topics/ab c",
            "projects/p/topics/äbc",
            &long,
        ] {
            assert!(check(bad, "topics").is_err(), "{bad}");
        }
        assert_eq!(project("projects/p"), Ok("p"));
        assert!(project("projects/p/topics").is_err());
    }
}
