//! The request that carries a message: wrapped in JSON, or its data as it is.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;

use crate::message::{Envelope, MessageView, rfc3339};

/// The form of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The JSON envelope.
    Wrapped,
    /// The data alone.
    Bare,
    /// The data, and everything else as headers.
    BareWithMetadata,
}

/// Prefix of the headers that say what the service knows of a message.
const METADATA: &str = "x-goog-pubsub-";

/// Headers no attribute becomes: they say where a request ends, what becomes of its connection, or who sends it.
/// `proxy` is one that CGI programs take for a setting of theirs.
const NOT_FROM_ATTRIBUTES: [&str; 18] = [
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-forwarded-authorization",
    "x-serverless-authorization",
];

/// What the service says of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub(super) id: u64,
    pub(super) publish_ms: u64,
    /// Where a dead-letter policy counts it. The envelope alone shows it: the service has no header for it.
    pub(super) attempt: Option<u16>,
}

/// What all requests of one subscription share.
pub(super) struct Requests {
    uri: Uri,
    form: Form,
    envelope: Envelope,
    subscription: String,
}

impl Requests {
    pub(super) fn new(uri: Uri, form: Form, subscription: &str) -> Requests {
        Requests { uri, form, envelope: Envelope::new(subscription), subscription: subscription.to_owned() }
    }

    /// The request for a message.
    pub(super) fn request(
        &self,
        payload: &Bytes,
        said: Said,
        authorization: Option<HeaderValue>,
    ) -> Request<Full<Bytes>> {
        let mut headers = HeaderMap::new();
        let body = match self.form {
            Form::Wrapped => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
                self.envelope.wrap(payload, said.id, said.publish_ms, said.attempt)
            }
            Form::Bare => data(payload, &MessageView::of_stored(payload)),
            Form::BareWithMetadata => {
                let view = MessageView::of_stored(payload);
                self.metadata(&mut headers, &view, said);
                data(payload, &view)
            }
        };
        headers.insert(USER_AGENT, HeaderValue::from_static("CloudPubSub-Google"));
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        request
    }

    /// Writes attributes and what the service adds as headers. What is no header by HTTP's rules is left out.
    fn metadata(&self, headers: &mut HeaderMap, view: &MessageView<'_>, said: Said) {
        for (key, value) in &view.attributes {
            let (Ok(name), Ok(value)) = (HeaderName::try_from(*key), HeaderValue::from_str(value)) else { continue };
            // The first of two keys that are one header: a second `Content-Type` must not get past a check of the first.
            if is_for_attributes(name.as_str()) && !headers.contains_key(&name) {
                headers.insert(name, value);
            }
        }
        let (id, time) = (said.id.to_string(), rfc3339(said.publish_ms, "Z"));
        let known = [
            ("x-goog-pubsub-subscription-name", self.subscription.as_str()),
            ("x-goog-pubsub-message-id", &id),
            ("x-goog-pubsub-publish-time", &time),
            ("x-goog-pubsub-ordering-key", view.ordering_key),
        ];
        for (name, value) in known {
            if let Some(value) = HeaderValue::from_str(value).ok().filter(|value| !value.is_empty()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Whether an attribute may set this header. Some servers take `_` for `-`.
fn is_for_attributes(name: &str) -> bool {
    let name = name.replace('_', "-");
    !name.starts_with(METADATA) && !NOT_FROM_ATTRIBUTES.contains(&name.as_str())
}

/// The data of an encoded message, not copied.
fn data(payload: &Bytes, view: &MessageView<'_>) -> Bytes {
    payload.slice_ref(view.data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Draft;
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    const SUBSCRIPTION: &str = "projects/p/subscriptions/orders.oms";

    fn pushed(form: Form, attributes: &[(&str, &str)], ordering_key: &str) -> Request<Full<Bytes>> {
        let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let draft = Draft { data: b"hello".to_vec(), attributes, ordering_key: ordering_key.to_owned() };
        let requests = Requests::new("http://h/push?x=1".parse().unwrap(), form, SUBSCRIPTION);
        let said = Said { id: 7, publish_ms: 7, attempt: Some(3) };
        requests.request(&draft.encode(), said, None)
    }

    fn body(request: Request<Full<Bytes>>) -> Bytes {
        use futures::FutureExt;
        request.into_body().collect().now_or_never().unwrap().unwrap().to_bytes()
    }

    #[test]
    fn a_bare_push_is_the_data_and_says_nothing_else() {
        let request = pushed(Form::Bare, &[("Content-Type", "text/plain"), ("a", "1")], "k");
        let names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["user-agent"]);
        assert_eq!(request.uri(), "http://h/push?x=1");
        assert_eq!(body(request), "hello");
    }

    #[test]
    fn with_metadata_the_four_headers_of_the_service_and_the_attributes_come_along() {
        let request = pushed(Form::BareWithMetadata, &[("Content-Type", "text/plain"), ("ce-id", "é 1")], "k");
        let header = |name| request.headers().get(name).map(|value: &HeaderValue| value.as_bytes());
        assert_eq!(header("x-goog-pubsub-subscription-name"), Some(SUBSCRIPTION.as_bytes()));
        assert_eq!(header("x-goog-pubsub-message-id"), Some(&b"7"[..]));
        assert_eq!(header("x-goog-pubsub-publish-time"), Some(&b"1970-01-01T00:00:00.007Z"[..]));
        assert_eq!(header("x-goog-pubsub-ordering-key"), Some(&b"k"[..]));
        assert_eq!(header("content-type"), Some(&b"text/plain"[..]));
        assert_eq!(header("ce-id"), Some("é 1".as_bytes()));
        assert_eq!(request.headers().len(), 7, "with the user agent");
        assert_eq!(body(request), "hello");
    }

    #[test]
    fn attributes_smuggle_no_headers() {
        let hostile = [
            ("Host", "evil"),
            ("Content-Length", "0"),
            ("content_length", "0"),
            ("Transfer-Encoding", "chunked"),
            ("CONNECTION", "close"),
            ("Authorization", "Bearer stolen"),
            ("X-Serverless-Authorization", "Bearer stolen"),
            ("User-Agent", "me"),
            ("X-Goog-PubSub-Message-Id", "8"),
            ("x_goog_pubsub_ordering_key", "other"),
            ("x-goog-pubsub-delivery-attempt", "1"),
            ("x y", "1"),
            ("x:y", "1"),
            ("x\r\ny", "1"),
            ("é", "1"),
            ("split", "1\r\nhost: evil"),
            ("nul", "a\0b"),
            ("kind", "good"),
            ("KIND", "first in the message"),
        ];
        let request = pushed(Form::BareWithMetadata, &hostile, "");
        let mut seen: Vec<_> = request.headers().iter().map(|(k, v)| (k.as_str(), v.to_str().unwrap())).collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                ("kind", "first in the message"),
                ("user-agent", "CloudPubSub-Google"),
                ("x-goog-pubsub-message-id", "7"),
                ("x-goog-pubsub-publish-time", "1970-01-01T00:00:00.007Z"),
                ("x-goog-pubsub-subscription-name", SUBSCRIPTION),
            ]
        );
    }

    proptest! {
        #[test]
        fn no_attributes_panic_or_touch_what_is_not_theirs(
            attributes in proptest::collection::vec(("\\PC{1,20}|[a-zA-Z_-]{1,12}", ".{0,40}"), 0..30),
        ) {
            let attributes: Vec<_> = attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let request = pushed(Form::BareWithMetadata, &attributes, "");
            prop_assert_eq!(request.headers()["x-goog-pubsub-message-id"].as_bytes(), b"7");
            prop_assert_eq!(request.headers()["user-agent"].as_bytes(), b"CloudPubSub-Google");
            prop_assert!(!request.headers().contains_key("transfer-encoding"));
        }
    }
}
