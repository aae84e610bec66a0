//! `?1` becomes `$1`.

use std::borrow::Cow;

/// The SQL with its placeholders as PostgreSQL writes them. Text, quoted names and comments stay as they are, and so
/// does a `?` without a number.
pub(super) fn rewrite(sql: &str) -> Cow<'_, str> {
    if !sql.contains('?') {
        return Cow::Borrowed(sql);
    }
    let mut rewritten = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let literal = literal_len(rest);
        if literal > 0 {
            let (kept, after) = rest.split_at(literal);
            rewritten.push_str(kept);
            rest = after;
            continue;
        }
        rest = &rest[first.len_utf8()..];
        let numbered = first == '?' && rest.starts_with(|c: char| c.is_ascii_digit());
        rewritten.push(if numbered { '$' } else { first });
    }
    Cow::Owned(rewritten)
}

/// How many bytes at the start of `sql` are a literal, a quoted name or a comment; 0 when none begins here. A doubled
/// quote inside a literal reads as the end of one and the start of the next, which comes to the same.
fn literal_len(sql: &str) -> usize {
    let ends = |open: &str, close: &str| {
        let body = sql.strip_prefix(open)?;
        Some(body.find(close).map_or(sql.len(), |at| open.len() + at + close.len()))
    };
    ends("'", "'").or_else(|| ends("\"", "\"")).or_else(|| ends("--", "\n")).or_else(|| ends("/*", "*/")).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::rewrite;
    use proptest::prelude::*;

    #[test]
    fn numbered_placeholders_become_dollars() {
        let sql = "SELECT a FROM t WHERE a = ?1 AND b IN (?2, ?10)";
        assert_eq!(rewrite(sql), "SELECT a FROM t WHERE a = $1 AND b IN ($2, $10)");
    }

    #[test]
    fn literals_names_and_comments_stay() {
        let sql = "SELECT '?1', 'it''s ?2', \"a?3\" -- ?4\n /* ?5 */ FROM t WHERE a ? 'k' AND b = ?6";
        assert_eq!(rewrite(sql), "SELECT '?1', 'it''s ?2', \"a?3\" -- ?4\n /* ?5 */ FROM t WHERE a ? 'k' AND b = $6");
    }

    proptest! {
        #[test]
        fn nothing_but_the_marks_changes(sql in ".*") {
            let rewritten = rewrite(&sql);
            prop_assert_eq!(rewritten.len(), sql.len());
            for (was, is) in sql.chars().zip(rewritten.chars()) {
                prop_assert!(was == is || (was == '?' && is == '$'));
            }
        }

        #[test]
        fn a_literal_hides_its_marks(text in "[a-z?0-9 ']*") {
            let literal = format!("'{}'", text.replace('\'', "''"));
            let sql = format!("SELECT {literal}, ?1");
            prop_assert_eq!(rewrite(&sql).into_owned(), format!("SELECT {literal}, $1"));
        }
    }
}
