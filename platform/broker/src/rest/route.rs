//! Paths and methods of the REST API, and the gRPC methods behind them.

use super::path;

/// Where the body of a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// There is none.
    None,
    /// It is the request.
    Whole,
    /// It is this field of the request.
    Field(&'static str),
}

/// One line of the table.
#[derive(Debug)]
pub(super) struct Route {
    verb: &'static str,
    /// Below `/v1/`; what the braces hold is the name of the resource and goes to the field before the `=`.
    template: &'static str,
    /// The gRPC method.
    pub(super) method: &'static str,
    pub(super) content: Content,
}

/// The line for a request, the field that its path sets, and what it sets it to.
pub(super) fn find(verb: &str, path: &str) -> Option<(&'static Route, &'static str, String)> {
    let path = path.strip_prefix("/v1/")?;
    ROUTES
        .iter()
        .filter(|route| route.verb == verb)
        .find_map(|route| path::matched(route.template, path).map(|(field, name)| (route, field, name)))
}

const fn get(template: &'static str, method: &'static str) -> Route {
    Route { verb: "GET", template, method, content: Content::None }
}

const fn delete(template: &'static str, method: &'static str) -> Route {
    Route { verb: "DELETE", template, method, content: Content::None }
}

const fn put(template: &'static str, method: &'static str) -> Route {
    Route { verb: "PUT", template, method, content: Content::Whole }
}

const fn patch(template: &'static str, method: &'static str) -> Route {
    Route { verb: "PATCH", template, method, content: Content::Whole }
}

const fn post(template: &'static str, method: &'static str, content: Content) -> Route {
    Route { verb: "POST", template, method, content }
}

use Content::{Field, None as Nothing, Whole};

/// All of v1, from the HTTP rules of the published API.
#[rustfmt::skip]
pub(super) const ROUTES: &[Route] = &[
    get("{project=projects/*}/topics", "/google.pubsub.v1.Publisher/ListTopics"),
    put("{name=projects/*/topics/*}", "/google.pubsub.v1.Publisher/CreateTopic"),
    get("{topic=projects/*/topics/*}", "/google.pubsub.v1.Publisher/GetTopic"),
    patch("{topic.name=projects/*/topics/*}", "/google.pubsub.v1.Publisher/UpdateTopic"),
    delete("{topic=projects/*/topics/*}", "/google.pubsub.v1.Publisher/DeleteTopic"),
    get("{topic=projects/*/topics/*}/subscriptions", "/google.pubsub.v1.Publisher/ListTopicSubscriptions"),
    get("{topic=projects/*/topics/*}/snapshots", "/google.pubsub.v1.Publisher/ListTopicSnapshots"),
    post("{topic=projects/*/topics/*}:publish", "/google.pubsub.v1.Publisher/Publish", Whole),
    post("{subscription=projects/*/subscriptions/*}:detach", "/google.pubsub.v1.Publisher/DetachSubscription", Nothing),

    get("{project=projects/*}/subscriptions", "/google.pubsub.v1.Subscriber/ListSubscriptions"),
    put("{name=projects/*/subscriptions/*}", "/google.pubsub.v1.Subscriber/CreateSubscription"),
    get("{subscription=projects/*/subscriptions/*}", "/google.pubsub.v1.Subscriber/GetSubscription"),
    patch("{subscription.name=projects/*/subscriptions/*}", "/google.pubsub.v1.Subscriber/UpdateSubscription"),
    delete("{subscription=projects/*/subscriptions/*}", "/google.pubsub.v1.Subscriber/DeleteSubscription"),
    post("{subscription=projects/*/subscriptions/*}:pull", "/google.pubsub.v1.Subscriber/Pull", Whole),
    post("{subscription=projects/*/subscriptions/*}:acknowledge", "/google.pubsub.v1.Subscriber/Acknowledge", Whole),
    post("{subscription=projects/*/subscriptions/*}:modifyAckDeadline", "/google.pubsub.v1.Subscriber/ModifyAckDeadline", Whole),
    post("{subscription=projects/*/subscriptions/*}:modifyPushConfig", "/google.pubsub.v1.Subscriber/ModifyPushConfig", Whole),
    post("{subscription=projects/*/subscriptions/*}:seek", "/google.pubsub.v1.Subscriber/Seek", Whole),

    get("{project=projects/*}/snapshots", "/google.pubsub.v1.Subscriber/ListSnapshots"),
    put("{name=projects/*/snapshots/*}", "/google.pubsub.v1.Subscriber/CreateSnapshot"),
    get("{snapshot=projects/*/snapshots/*}", "/google.pubsub.v1.Subscriber/GetSnapshot"),
    patch("{snapshot.name=projects/*/snapshots/*}", "/google.pubsub.v1.Subscriber/UpdateSnapshot"),
    delete("{snapshot=projects/*/snapshots/*}", "/google.pubsub.v1.Subscriber/DeleteSnapshot"),

    get("{parent=projects/*}/schemas", "/google.pubsub.v1.SchemaService/ListSchemas"),
    post("{parent=projects/*}/schemas", "/google.pubsub.v1.SchemaService/CreateSchema", Field("schema")),
    post("{parent=projects/*}/schemas:validate", "/google.pubsub.v1.SchemaService/ValidateSchema", Whole),
    post("{parent=projects/*}/schemas:validateMessage", "/google.pubsub.v1.SchemaService/ValidateMessage", Whole),
    get("{name=projects/*/schemas/*}", "/google.pubsub.v1.SchemaService/GetSchema"),
    delete("{name=projects/*/schemas/*}", "/google.pubsub.v1.SchemaService/DeleteSchema"),
    get("{name=projects/*/schemas/*}:listRevisions", "/google.pubsub.v1.SchemaService/ListSchemaRevisions"),
    post("{name=projects/*/schemas/*}:commit", "/google.pubsub.v1.SchemaService/CommitSchema", Whole),
    post("{name=projects/*/schemas/*}:rollback", "/google.pubsub.v1.SchemaService/RollbackSchema", Whole),
    delete("{name=projects/*/schemas/*}:deleteRevision", "/google.pubsub.v1.SchemaService/DeleteSchemaRevision"),

    get("{resource=projects/*/topics/*}:getIamPolicy", "/google.iam.v1.IAMPolicy/GetIamPolicy"),
    get("{resource=projects/*/subscriptions/*}:getIamPolicy", "/google.iam.v1.IAMPolicy/GetIamPolicy"),
    get("{resource=projects/*/snapshots/*}:getIamPolicy", "/google.iam.v1.IAMPolicy/GetIamPolicy"),
    get("{resource=projects/*/schemas/*}:getIamPolicy", "/google.iam.v1.IAMPolicy/GetIamPolicy"),
    post("{resource=projects/*/topics/*}:setIamPolicy", "/google.iam.v1.IAMPolicy/SetIamPolicy", Whole),
    post("{resource=projects/*/subscriptions/*}:setIamPolicy", "/google.iam.v1.IAMPolicy/SetIamPolicy", Whole),
    post("{resource=projects/*/snapshots/*}:setIamPolicy", "/google.iam.v1.IAMPolicy/SetIamPolicy", Whole),
    post("{resource=projects/*/schemas/*}:setIamPolicy", "/google.iam.v1.IAMPolicy/SetIamPolicy", Whole),
    post("{resource=projects/*/topics/*}:testIamPermissions", "/google.iam.v1.IAMPolicy/TestIamPermissions", Whole),
    post("{resource=projects/*/subscriptions/*}:testIamPermissions", "/google.iam.v1.IAMPolicy/TestIamPermissions", Whole),
    post("{resource=projects/*/snapshots/*}:testIamPermissions", "/google.iam.v1.IAMPolicy/TestIamPermissions", Whole),
    post("{resource=projects/*/schemas/*}:testIamPermissions", "/google.iam.v1.IAMPolicy/TestIamPermissions", Whole),
];

#[cfg(test)]
impl Route {
    /// A path the line is for.
    pub(super) fn example(&self) -> String {
        let (_, path) = self.template.split_once('=').unwrap();
        format!("/v1/{}", path.replace('}', "").replace('*', "some"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::proto;

    #[test]
    fn paths_lead_to_their_methods() {
        let routed = |verb, path| {
            find(verb, path).map(|(route, field, name)| (route.method.rsplit('/').next().unwrap(), field, name))
        };
        let name = |name: &str| name.to_owned();
        for (verb, path, expected) in [
            ("PUT", "/v1/projects/p/topics/t%25a", ("CreateTopic", "name", name("projects/p/topics/t%a"))),
            ("PATCH", "/v1/projects/p/topics/t", ("UpdateTopic", "topic.name", name("projects/p/topics/t"))),
            ("GET", "/v1/projects/domain.com:p/topics", ("ListTopics", "project", name("projects/domain.com:p"))),
            (
                "POST",
                "/v1/projects/domain.com:p/subscriptions/s:pull",
                ("Pull", "subscription", name("projects/domain.com:p/subscriptions/s")),
            ),
            ("POST", "/v1/projects/p/schemas:validate", ("ValidateSchema", "parent", name("projects/p"))),
            (
                "DELETE",
                "/v1/projects/p/schemas/s%40r1:deleteRevision",
                ("DeleteSchemaRevision", "name", name("projects/p/schemas/s@r1")),
            ),
        ] {
            assert_eq!(routed(verb, path), Some(expected), "{verb} {path}");
        }
        for nowhere in [
            "/",
            "/v2/projects/p/topics",
            "/v1/projects",
            "/v1/projects/p/things",
            "/v1/projects/p/topics/%f",
            "/v1/projects/p/topics/t:publish",
            "/v1/projects/p/topics/t/",
            "/v1/projects/p/topics/",
            "/v1//p/topics",
        ] {
            assert_eq!(routed("GET", nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn the_table_has_every_method_but_streaming_pull_and_binds_fields_that_are_there() {
        let mut methods = BTreeSet::new();
        for route in ROUTES {
            let method = proto::method(route.method).unwrap_or_else(|| panic!("{}", route.method));
            methods.insert(route.method.to_owned());
            let (field, _) = route.template[1..].split_once('=').unwrap();
            let mut message = method.input();
            for outer in field.split('.').rev().skip(1) {
                message = message.get_field_by_name(outer).unwrap().kind().as_message().unwrap().clone();
            }
            let bound = message.get_field_by_name(field.rsplit('.').next().unwrap()).unwrap();
            assert_eq!(bound.kind(), prost_reflect::Kind::String, "{}", route.template);
            if let Content::Field(field) = route.content {
                let field = method.input().get_field_by_name(field).unwrap();
                assert!(field.kind().as_message().is_some() && !field.is_list(), "{}", route.template);
            }
        }
        let all = proto::pool().services().flat_map(|service| {
            service.methods().map(|m| format!("/{}/{}", service.full_name(), m.name())).collect::<Vec<_>>()
        });
        let missing: Vec<String> = all.filter(|method| !methods.contains(method)).collect();
        assert_eq!(missing, ["/google.pubsub.v1.Subscriber/StreamingPull"]);
    }
}
