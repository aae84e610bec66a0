//! The token of a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::limits::TOKEN_BYTES;
use crate::refused::Refused;

/// The token in `Authorization: Bearer …`. Two such headers are refused: whoever stands in between may have looked at the other one.
///
/// # Errors
/// [`Refused::MissingToken`], [`Refused::MalformedToken`].
pub fn bearer(headers: &HeaderMap) -> Result<&str, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refused::MissingToken)?;
    if values.next().is_some() {
        return Err(Refused::MalformedToken);
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Refused::MalformedToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refused::MissingToken);
    }
    let token = token.trim_start_matches(' ');
    if token.is_empty() || token.len() > TOKEN_BYTES { Err(Refused::MalformedToken) } else { Ok(token) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(values: &[&str]) -> Result<String, Refused> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        bearer(&headers).map(ToOwned::to_owned)
    }

    #[test]
    fn one_bearer_token_is_taken_and_nothing_else() {
        assert_eq!(of(&["Bearer a.b.c"]).as_deref(), Ok("a.b.c"));
        assert_eq!(of(&["bearer a.b.c"]).as_deref(), Ok("a.b.c"));
        assert_eq!(of(&[]), Err(Refused::MissingToken));
        assert_eq!(of(&["Basic dTpw"]), Err(Refused::MissingToken));
        assert_eq!(of(&["Bearer"]), Err(Refused::MalformedToken));
        assert_eq!(of(&["Bearer "]), Err(Refused::MalformedToken));
        assert_eq!(of(&["Bearer a.b.c", "Bearer a.b.c"]), Err(Refused::MalformedToken));
        assert_eq!(of(&[&format!("Bearer {}", "a".repeat(TOKEN_BYTES + 1))]), Err(Refused::MalformedToken));
    }
}
