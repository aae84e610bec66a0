//! Paths and methods of the REST API.

use http::Method;

/// A call and the full name of its resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    ListTopics(String),
    CreateTopic(String),
    GetTopic(String),
    DeleteTopic(String),
    ListTopicSubscriptions(String),
    Publish(String),
    ListSubscriptions(String),
    CreateSubscription(String),
    GetSubscription(String),
    DeleteSubscription(String),
    ModifyPushConfig(String),
    Pull(String),
    Acknowledge(String),
    ModifyAckDeadline(String),
    /// The service has it, this broker does not yet.
    Unimplemented(String),
}

/// The call behind a method and a path, if the API has it.
pub(super) fn route(method: &Method, path: &str) -> Option<Route> {
    let path = path.strip_prefix("/v1/")?;
    let (path, verb) = match path.rsplit_once(':') {
        Some((path, verb)) if !verb.contains('/') => (path, verb),
        _ => (path, ""),
    };
    let parts = path.split('/').map(decode).collect::<Option<Vec<String>>>()?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ["projects", project, rest @ ..] = &parts[..] else { return None };
    let project = format!("projects/{project}");
    let name = |kind: &str, id: &str| format!("{project}/{kind}/{id}");
    Some(match (method.as_str(), rest, verb) {
        ("GET", ["topics"], "") => Route::ListTopics(project),
        ("PUT", ["topics", id], "") => Route::CreateTopic(name("topics", id)),
        ("GET", ["topics", id], "") => Route::GetTopic(name("topics", id)),
        ("DELETE", ["topics", id], "") => Route::DeleteTopic(name("topics", id)),
        ("GET", ["topics", id, "subscriptions"], "") => Route::ListTopicSubscriptions(name("topics", id)),
        ("POST", ["topics", id], "publish") => Route::Publish(name("topics", id)),
        ("GET", ["subscriptions"], "") => Route::ListSubscriptions(project),
        ("PUT", ["subscriptions", id], "") => Route::CreateSubscription(name("subscriptions", id)),
        ("GET", ["subscriptions", id], "") => Route::GetSubscription(name("subscriptions", id)),
        ("DELETE", ["subscriptions", id], "") => Route::DeleteSubscription(name("subscriptions", id)),
        ("POST", ["subscriptions", id], "modifyPushConfig") => Route::ModifyPushConfig(name("subscriptions", id)),
        ("POST", ["subscriptions", id], "pull") => Route::Pull(name("subscriptions", id)),
        ("POST", ["subscriptions", id], "acknowledge") => Route::Acknowledge(name("subscriptions", id)),
        ("POST", ["subscriptions", id], "modifyAckDeadline") => Route::ModifyAckDeadline(name("subscriptions", id)),
        ("PATCH", ["topics", _], "") => Route::Unimplemented("Publisher.UpdateTopic".to_owned()),
        ("PATCH", ["subscriptions", _], "") => Route::Unimplemented("Subscriber.UpdateSubscription".to_owned()),
        ("POST", ["subscriptions", _], "detach") => Route::Unimplemented("Publisher.DetachSubscription".to_owned()),
        ("POST", ["subscriptions", _], "seek") => Route::Unimplemented("Subscriber.Seek".to_owned()),
        (_, ["snapshots", ..] | ["topics", _, "snapshots"], _) => Route::Unimplemented("Snapshots".to_owned()),
        (_, ["schemas", ..], _) => Route::Unimplemented("SchemaService".to_owned()),
        (_, [_, _], "getIamPolicy" | "setIamPolicy" | "testIamPermissions") => {
            Route::Unimplemented(format!("IAMPolicy.{verb}"))
        }
        _ => return None,
    })
}

/// Resolves percent escapes. `None` for a bad escape or what is not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            out.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_lead_to_their_calls() {
        let routed = |method, path| route(&method, path);
        assert_eq!(
            routed(Method::PUT, "/v1/projects/p/topics/t%25a"),
            Some(Route::CreateTopic("projects/p/topics/t%a".to_owned()))
        );
        assert_eq!(
            routed(Method::POST, "/v1/projects/domain.com:p/subscriptions/s:pull"),
            Some(Route::Pull("projects/domain.com:p/subscriptions/s".to_owned()))
        );
        assert_eq!(
            routed(Method::GET, "/v1/projects/domain.com:p/topics"),
            Some(Route::ListTopics("projects/domain.com:p".to_owned()))
        );
        assert!(matches!(routed(Method::PATCH, "/v1/projects/p/topics/t"), Some(Route::Unimplemented(_))));
        for nowhere in
            ["/", "/v2/projects/p/topics", "/v1/projects", "/v1/projects/p/things", "/v1/projects/p/topics/%f"]
        {
            assert_eq!(routed(Method::GET, nowhere), None, "{nowhere}");
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "\\PC{0,60}", rest in "[/a-z:%0-9]{0,40}") {
            let _ = route(&Method::GET, &path);
            let _ = route(&Method::POST, &format!("/v1/projects/{rest}"));
        }
    }
}
