//! Where a subscription may push to, and how.

use google_cloud_googleapis::pubsub::v1::PushConfig;
use google_cloud_googleapis::pubsub::v1::push_config::{AuthenticationMethod, OidcToken, Wrapper};
use http::Uri;

use crate::error::Refusal;
use crate::limits::{AUDIENCE_BYTES, EMAIL_BYTES, PUSH_ENDPOINT_BYTES};

/// Checks a push configuration. No endpoint means pull.
///
/// # Errors
/// `INVALID_ARGUMENT` for what the service refuses too, `UNIMPLEMENTED` for what only this broker does not do.
pub(super) fn push_config(config: Option<&PushConfig>) -> Result<(), Refusal> {
    let Some(config) = config else { return Ok(()) };
    for (key, value) in &config.attributes {
        // Two names of one form.
        if key != "x-goog-version" || !matches!(value.as_str(), "v1" | "v1beta2") {
            return Err(Refusal::unimplemented(&format!("PushConfig attribute {key}={value}")));
        }
    }
    if config.push_endpoint.is_empty() {
        let what = match (&config.authentication_method, &config.wrapper) {
            (Some(_), _) => "an oidc_token",
            (_, Some(Wrapper::NoWrapper(_))) => "no_wrapper",
            _ => return Ok(()),
        };
        return Err(Refusal::invalid(format!("push_config has {what} but no push_endpoint")));
    }
    endpoint(&config.push_endpoint)
        .map_err(|why| Refusal::invalid(format!("Invalid push endpoint given ({}): {why}", config.push_endpoint)))?;
    match &config.authentication_method {
        Some(AuthenticationMethod::OidcToken(token)) => oidc_token(token),
        None => Ok(()),
    }
}

fn endpoint(url: &str) -> Result<(), &'static str> {
    if url.len() > PUSH_ENDPOINT_BYTES {
        return Err("it is too long");
    }
    // The parser drops it.
    if url.contains('#') {
        return Err("a fragment is not sent");
    }
    let uri: Uri = url.parse().map_err(|_| "it is no URL")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("it must begin with http:// or https://");
    }
    let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
        return Err("it has no host");
    };
    if authority.as_str().contains('@') {
        return Err("a user or password in it is not sent");
    }
    let after_host = authority.as_str().strip_prefix(authority.host()).unwrap_or("");
    let good_port = after_host.is_empty() || authority.port_u16().is_some_and(|port| port > 0);
    if good_port { Ok(()) } else { Err("its port is no port") }
}

fn oidc_token(token: &OidcToken) -> Result<(), Refusal> {
    let email = &token.service_account_email;
    let looks_good = email.len() <= EMAIL_BYTES
        && email.bytes().all(|b| b.is_ascii_graphic())
        && email
            .split_once('@')
            .is_some_and(|(user, domain)| !user.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if !looks_good {
        return Err(Refusal::invalid("oidc_token.service_account_email is not an email address"));
    }
    if token.audience.len() > AUDIENCE_BYTES {
        return Err(Refusal::invalid(format!(
            "oidc_token.audience has {} bytes, but the maximum is {AUDIENCE_BYTES}",
            token.audience.len()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use google_cloud_googleapis::pubsub::v1::push_config::NoWrapper;
    use proptest::prelude::*;

    fn to(push_endpoint: &str) -> PushConfig {
        PushConfig { push_endpoint: push_endpoint.to_owned(), ..Default::default() }
    }

    fn signed(push_endpoint: &str, email: &str, audience: &str) -> PushConfig {
        let token = OidcToken { service_account_email: email.to_owned(), audience: audience.to_owned() };
        PushConfig { authentication_method: Some(AuthenticationMethod::OidcToken(token)), ..to(push_endpoint) }
    }

    fn code(config: &PushConfig) -> Option<Code> {
        push_config(Some(config)).err().map(|refusal| refusal.code)
    }

    #[test]
    fn an_endpoint_is_a_url_a_request_can_be_sent_to() {
        for good in [
            "",
            "http://localhost",
            "http://127.0.0.1:8080/push?token=1",
            "https://example.com/push",
            "http://[::1]:80/",
            "HTTP://example.com",
        ] {
            assert_eq!(code(&to(good)), None, "{good}");
        }
        let long = format!("http://h/{}", "a".repeat(PUSH_ENDPOINT_BYTES));
        for bad in [
            "/push",
            "h",
            "h/push",
            "ftp://h/",
            "http://",
            "http:///p",
            "http://h:0/",
            "http://h:99999/",
            "http://h:x/",
            "http://h:/",
            "http://h/p#f",
            "http://u:p@h/",
            "http://u@h/",
            "http://h /",
            "http://h/\r\nx",
            "http://é/",
            &long,
        ] {
            assert_eq!(code(&to(bad)), Some(Code::InvalidArgument), "{bad}");
        }
    }

    #[test]
    fn a_token_names_an_email_address() {
        for good in ["a@b.c", "oms@p.iam.gserviceaccount.com", "a+b@localhost"] {
            assert_eq!(code(&signed("http://h/", good, "")), None, "{good}");
        }
        let long = format!("{}@b.c", "a".repeat(EMAIL_BYTES));
        for bad in ["", "a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "é@b", &long] {
            assert_eq!(code(&signed("http://h/", bad, "")), Some(Code::InvalidArgument), "{bad}");
        }
        let long = "a".repeat(AUDIENCE_BYTES + 1);
        assert_eq!(code(&signed("http://h/", "a@b", &long[1..])), None);
        assert_eq!(code(&signed("http://h/", "a@b", &long)), Some(Code::InvalidArgument));
    }

    #[test]
    fn what_only_a_push_can_do_is_refused_without_an_endpoint() {
        assert_eq!(code(&signed("", "a@b", "")), Some(Code::InvalidArgument));
        let wrapper = Some(Wrapper::NoWrapper(NoWrapper { write_metadata: true }));
        assert_eq!(code(&PushConfig { wrapper, ..to("") }), Some(Code::InvalidArgument));
        assert_eq!(code(&PushConfig { wrapper, ..to("http://h/") }), None);
    }

    #[test]
    fn versions_of_another_form_are_refused_by_name() {
        let version = |value: &str| {
            let attributes = [("x-goog-version".to_owned(), value.to_owned())].into();
            push_config(Some(&PushConfig { attributes, ..to("http://h/") }))
        };
        assert_eq!((version("v1"), version("v1beta2")), (Ok(()), Ok(())));
        let refusal = version("v1beta1").unwrap_err();
        assert_eq!(refusal.code, Code::Unimplemented);
        assert!(refusal.message.contains("x-goog-version=v1beta1"), "{}", refusal.message);
    }

    proptest! {
        #[test]
        fn an_endpoint_that_is_accepted_can_be_pushed_to(url in "(https?|ftp)://\\PC{0,20}|\\PC{0,30}") {
            if push_config(Some(&to(&url))).is_ok() && !url.is_empty() {
                let uri: Uri = url.parse().unwrap();
                prop_assert!(!uri.host().unwrap().is_empty());
            }
        }
    }
}
