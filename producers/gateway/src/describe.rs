//! The description of the API: what each route takes and answers. Paths and scopes are those of the table of routes.

use events::StockLine;
use runtime::openapi::{Api, Needs, Operation};
use schemars::JsonSchema;
use serde_json::Value;

use crate::admission::Scope;
use crate::catalog::{Asked, Catalog};
use crate::door::routes;
use crate::listing::{Listing, Orders};
use crate::order::Aggregate;
use crate::timeline::Timeline;

const TITLE: &str = "Online Boutique: orders";
const ABOUT: &str = "The one door for clients. Every answer has X-Request-Id, traceparent, RateLimit-Limit, RateLimit-Remaining and \
RateLimit-Reset (draft-ietf-httpapi-ratelimit-headers-06).\n\
Errors are problems (RFC 9457); their `code` is stable. A customer sees and touches their own orders; those of others are 404.";

/// What a request answers. Objects of services are passed on as they are.
type Object = serde_json::Map<String, Value>;

/// An order to place.
#[derive(JsonSchema)]
#[schemars(rename = "NewOrder", rename_all = "camelCase")]
#[expect(dead_code, reason = "it is the schema of what checkout reads, which is passed on as it is")]
struct NewOrder {
    /// Whose order; oneself, unless the token has `orders:any`.
    customer_id: events::CustomerId,
    /// What is bought.
    #[schemars(length(min = 1, max = 100))]
    lines: Vec<StockLine>,
    /// Where it is shipped, ISO 3166-1 alpha-2; the customer's own country without it.
    #[schemars(regex(pattern = "^[A-Z]{2}$"))]
    shipping_country: Option<String>,
    /// The shop trades in `USD`.
    currency_code: Option<String>,
    /// For the fraud engine: the same for the same device.
    #[schemars(regex(pattern = "^[!-~]{1,128}$"))]
    device_id: Option<String>,
    /// For the fraud engine: the same for the same delivery address, such as a hash of it.
    #[schemars(regex(pattern = "^[!-~]{1,128}$"))]
    address_hash: Option<String>,
    /// For the fraud engine: hour of the day where the customer is.
    #[schemars(range(max = 23))]
    local_hour: Option<u8>,
}

/// Goods to send back.
#[derive(JsonSchema)]
#[schemars(rename = "NewReturn", rename_all = "camelCase")]
#[expect(dead_code, reason = "it is the schema of what OMS reads, which is passed on as it is")]
struct NewReturn {
    /// What is sent back.
    #[schemars(length(min = 1, max = 100))]
    lines: Vec<StockLine>,
    /// Why: `changed_mind`, `does_not_fit`, `defective`, `damaged_in_transit`, `wrong_item` or `other`.
    #[schemars(regex(pattern = "^(changed_mind|does_not_fit|defective|damaged_in_transit|wrong_item|other)$"))]
    reason: String,
    /// A name of the client's choice, instead of an `Idempotency-Key`.
    return_id: Option<events::ReturnId>,
}

/// The API.
pub(crate) fn api() -> Api {
    let scopes = Scope::ALL.map(|scope| (scope.name(), scope.meaning()));
    let api = Api::new(TITLE, ABOUT).scopes(scopes);
    let api = routes().into_iter().fold(api, |api, route| {
        let needs = Needs::Scopes(vec![route.scope.name()]);
        let operation =
            Operation::new(route.method.as_str(), route.path, summary(&route.method, route.path)).needs(needs);
        api.with(everywhere(described(operation, &route.method, route.path)))
    });
    let open =
        |path, summary| Operation::new("GET", path, summary).needs(Needs::Nothing).gives::<Object>(200, "it does");
    api.with(open("/health", "Says that it lives")).with(open("/ready", "Says that it can do its work"))
}

/// What a route does, in a few words: for the description and the README.
pub(crate) fn summary(method: &axum::http::Method, path: &str) -> &'static str {
    match (method.as_str(), path) {
        ("POST", "/v1/orders") => "Places an order: passed on to checkout, once",
        ("GET", "/v1/orders") => "Lists orders, page by page: passed on to OMS",
        ("GET", "/v1/orders/{orderId}") => "Shows an order from all sides: OMS, accounting, warehouse",
        ("POST", "/v1/orders/{orderId}/cancel") => "Cancels an order that was not dispatched yet: passed on to OMS",
        ("POST", "/v1/orders/{orderId}/returns") => "Sends goods back: passed on to OMS, once",
        ("GET", "/v1/orders/{orderId}/events") => "Streams an order's progress as server-sent events",
        ("GET", "/v1/orders/{orderId}/timeline") => "Tells what every service said and handled about an order",
        ("GET", "/v1/catalog") => "Lists what is for sale, filtered and page by page: inventory, furniture, food",
        ("GET", "/-/metrics") => "Shows what is counted and measured, for Prometheus",
        _ => "",
    }
}

fn described(operation: Operation, method: &axum::http::Method, path: &str) -> Operation {
    match (method.as_str(), path) {
        ("POST", "/v1/orders") => operation
            .details("The same key again gets the same answer, and no second order.")
            .idempotency_key("^[!-~]{1,128}$")
            .takes::<NewOrder>()
            .gives::<Object>(201, "the order is confirmed")
            .refuses(403, "the risk is too high, or it is for another customer")
            .refuses(409, "there are not that many for sale")
            .refuses(413, "the body is above 64 KiB")
            .refuses(
                422,
                "there is no such customer or product, the customer is suspended, the shop does not trade in the currency, or the key was \
                 used for another order",
            ),
        ("GET", "/v1/orders") => operation.query::<Listing>().gives::<Orders>(200, "a page of orders"),
        ("GET", "/v1/orders/{orderId}") => {
            operation.gives::<Aggregate>(200, "the order; `missing` names services that did not bring their part").refuses(404, ORDER)
        }
        ("POST", "/v1/orders/{orderId}/cancel") => operation
            .may_take::<Object>()
            .gives::<Object>(200, "the order is cancelled")
            .refuses(404, ORDER)
            .refuses(409, "it was dispatched, has ended, or was rejected")
            .refuses(413, "the body is above 64 KiB"),
        ("POST", "/v1/orders/{orderId}/returns") => operation
            .details("It needs an Idempotency-Key or, for the same purpose, a `returnId`.")
            .idempotency_key("^[!-~]([ -~]{0,198}[!-~])?$")
            .takes::<NewReturn>()
            .gives::<Object>(201, "the goods are expected")
            .gives::<Object>(200, "they were expected before")
            .refuses(404, ORDER)
            .refuses(409, "it was not bought or delivered, was sent back before, or it is too late")
            .refuses(413, "the body is above 64 KiB"),
        ("GET", "/v1/orders/{orderId}/events") => operation
            .details(
                "Events `fact` have `{id, fact, at, by}`; the stream ends with the order, by an event `end`, or after ten minutes. It goes \
                 on after `Last-Event-ID`; a gateway that does not know this one begins anew, and a fact told before has the same `id`.",
            )
            .header("last-event-id", false, "The id of the last event heard")
            .gives_other(200, "text/event-stream", "the stream")
            .gives_nothing(204, "everything was heard: do not come back")
            .refuses(404, ORDER),
        ("GET", "/v1/orders/{orderId}/timeline") => {
            operation.gives::<Timeline>(200, "each service's part; `story` is null for one that did not answer").refuses(404, ORDER)
        }
        ("GET", "/v1/catalog") => operation.query::<Asked>().gives::<Catalog>(200, "a page of products"),
        ("GET", "/-/metrics") => operation.gives_other(200, "text/plain", "the page"),
        _ => operation,
    }
}

const ORDER: &str = "there is no such order, or it is another customer's";

/// What every route may answer.
fn everywhere(operation: Operation) -> Operation {
    operation
        .refuses(400, "the request cannot be read; `errors` names the field")
        .refuses(401, "no token, or none that is believed; WWW-Authenticate says why")
        .refuses(403, "the token lacks the scope, or names another customer")
        .refuses(408, "the body did not come in time")
        .refuses(429, "too many requests")
        .refuses(502, "a service answered something unexpected")
        .refuses(503, "a service does not answer, or there is too much to do")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_and_is_in_the_readme_with_its_scope() {
        let (document, readme) = (api().document(), include_str!("../README.md"));
        for route in routes() {
            let (method, path) = (route.method.as_str(), route.path);
            let operation = &document["paths"][path][method.to_lowercase()];
            let (scope, said) = (route.scope.name(), summary(&route.method, path));
            assert!(!said.is_empty(), "{method} {path} is not described");
            assert_eq!(operation["security"][0]["token"][0], scope);
            assert!(operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2')), "{path}");
            let row = format!("| `{method} {path}` | `{scope}` | {said} |");
            assert!(readme.contains(&row), "the README lacks {row}");
        }
        for scope in Scope::ALL {
            let row = format!("| `{}` | {} |", scope.name(), scope.meaning());
            assert!(readme.contains(&row), "the README lacks {row}");
        }
    }

    /// Checkout reads more than it must: what it would take or refuse is to be known from here.
    #[test]
    fn what_checkout_reads_of_an_order_and_why_it_refuses_one_is_described() {
        let document = api().document();
        let place = &document["paths"]["/v1/orders"]["post"];
        let order = document["components"]["schemas"].as_object().unwrap();
        let order = order.iter().find(|(name, _)| name.starts_with("NewOrder")).unwrap().1;
        let bounds = |member: &str| order["properties"][member].to_string();
        assert!(order["properties"]["currencyCode"].is_object());
        for member in ["deviceId", "addressHash"] {
            assert!(bounds(member).contains("^[!-~]{1,128}$"), "{}", bounds(member));
        }
        assert!(bounds("localHour").contains("23"), "{}", bounds("localHour"));
        let said = |status: &str| place["responses"][status]["description"].as_str().unwrap().to_owned();
        assert!(!said("409").contains("key"), "{}", said("409"));
        for reason in ["suspended", "currency", "the key was used for another order"] {
            assert!(said("422").contains(reason), "{}", said("422"));
        }
    }
}
