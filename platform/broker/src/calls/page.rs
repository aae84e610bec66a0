//! Lists, page by page. A page's token is the last name before it.

use crate::error::Refusal;
use crate::limits::PAGE;

/// One page of `items`, sorted by name, and the token of the next.
pub(super) fn page<T>(
    mut items: Vec<T>,
    name: impl Fn(&T) -> &str,
    size: i32,
    token: &str,
) -> Result<(Vec<T>, String), Refusal> {
    let size = usize::try_from(size).map_err(|_| Refusal::invalid("page_size must not be negative"))?;
    let size = if size == 0 { PAGE } else { size.min(PAGE) };
    items.retain(|item| name(item) > token);
    items.sort_by(|a, b| name(a).cmp(name(b)));
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|item| name(item).to_owned()).unwrap_or_default();
    Ok((items, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let names = || ["c", "a", "e", "b", "d"].map(str::to_owned).to_vec();
        let (first, token) = page(names(), |s| s, 2, "").unwrap();
        assert_eq!((first, token.as_str()), (vec!["a".to_owned(), "b".to_owned()], "b"));
        let (rest, end) = page(names(), |s| s, 3, &token).unwrap();
        assert_eq!((rest.len(), end.as_str()), (3, ""));
        assert!(page(names(), |s| s, -1, "").is_err());
    }
}
