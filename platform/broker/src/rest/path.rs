//! Path templates of the API and percent escapes.

/// What a path sets: the field of a template such as `{topic=projects/*/topics/*}:publish`, and the name in its braces.
pub(super) fn matched(template: &'static str, path: &str) -> Option<(&'static str, String)> {
    let (field, template) = template.strip_prefix('{')?.split_once('=')?;
    let (name, tail) = template.split_once('}')?;
    let (tail, verb) = split_verb(tail);
    let (path, path_verb) = split_verb(path);
    if verb != path_verb {
        return None;
    }
    let mut given = path.split('/');
    let mut bound = Vec::new();
    for wanted in name.split('/') {
        bound.push(segment(wanted, given.next()?)?);
    }
    for wanted in tail.split('/').skip(1) {
        segment(wanted, given.next()?)?;
    }
    given.next().is_none().then(|| (field, bound.join("/")))
}

/// The word after the last colon, if it is in the last segment.
fn split_verb(path: &str) -> (&str, &str) {
    match path.rsplit_once(':') {
        Some((path, verb)) if !verb.contains('/') => (path, verb),
        _ => (path, ""),
    }
}

fn segment(wanted: &str, given: &str) -> Option<String> {
    let given = decode(given)?;
    let fits = if wanted == "*" { !given.is_empty() } else { given == wanted };
    fits.then_some(given)
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
