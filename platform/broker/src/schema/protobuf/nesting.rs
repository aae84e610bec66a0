//! How deep a definition's braces go, before a compiler that calls itself for each sees them.

use std::iter::Peekable;
use std::str::Chars;

use crate::limits::{PROTO_BRACES, PROTO_DEPTH};

/// Refuses text whose braces are nested too deep. Strings and comments that the compiler could read in another way
/// are refused, too: they are not valid in any case.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut rest = text.chars().peekable();
    let (mut depth, mut braces) = (0usize, 0usize);
    while let Some(c) = rest.next() {
        match c {
            '{' | '[' | '<' | '(' => {
                depth += 1;
                braces += 1;
            }
            '}' | ']' | '>' | ')' => depth = depth.saturating_sub(1),
            '"' | '\'' => string(&mut rest, c)?,
            '/' if rest.next_if_eq(&'/').is_some() => {
                rest.by_ref().find(|c| *c == '\n');
            }
            '/' if rest.next_if_eq(&'*').is_some() => block_comment(&mut rest)?,
            '#' => return Err("a comment starts with // or /*".to_owned()),
            _ => {}
        }
        if depth > PROTO_DEPTH {
            return Err(format!("the definition is nested more than {PROTO_DEPTH} deep"));
        }
        if braces > PROTO_BRACES {
            return Err(format!("the definition has more than {PROTO_BRACES} braces"));
        }
    }
    Ok(())
}

fn string(rest: &mut Peekable<Chars<'_>>, quote: char) -> Result<(), String> {
    loop {
        match rest.next() {
            Some(c) if c == quote => return Ok(()),
            Some('\\') => escape(rest)?,
            None | Some('\n' | '\0') => return Err("a string has no end".to_owned()),
            Some(_) => {}
        }
    }
}

fn escape(rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
    let digits = match rest.next() {
        Some('a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '?' | '\\' | '\'' | '"' | '0'..='7') => 0,
        Some('x' | 'X') => 1,
        Some('u') => 4,
        Some('U') => 8,
        _ => return Err("a string has an unknown escape".to_owned()),
    };
    for _ in 0..digits {
        rest.next_if(char::is_ascii_hexdigit).ok_or("a string has an unknown escape")?;
    }
    Ok(())
}

fn block_comment(rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
    loop {
        match rest.next() {
            Some('*') if rest.next_if_eq(&'/').is_some() => return Ok(()),
            Some('/') if rest.peek() == Some(&'*') => return Err("a comment stands in a comment".to_owned()),
            None => return Err("a comment has no end".to_owned()),
            Some(_) => {}
        }
    }
}
