//! Splits a filter into tokens.

/// One word or sign of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, digits, `_` and `-`, not starting with `-`.
    Word(String),
    /// A string in double quotes, its escapes resolved.
    Text(String),
    /// One of `( ) : . , = -`.
    Sign(char),
    /// `!=`.
    NotEqual,
}

/// The tokens of `filter`, or a sentence that says where it stops making sense.
pub(super) fn tokens(filter: &str) -> Result<Vec<Token>, String> {
    let mut chars = filter.char_indices().peekable();
    let mut tokens = Vec::new();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c.is_ascii_whitespace() => {}
            '(' | ')' | ':' | '.' | ',' | '=' | '-' => tokens.push(Token::Sign(c)),
            '!' => match chars.next() {
                Some((_, '=')) => tokens.push(Token::NotEqual),
                _ => return Err(format!("expected != at byte {at}")),
            },
            '"' => tokens.push(Token::Text(text(&mut chars).ok_or(format!("bad string at byte {at}"))?)),
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some((_, c)) = chars.next_if(|(_, c)| is_word(*c) || *c == '-') {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            _ => return Err(format!("unexpected {c:?} at byte {at}")),
        }
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The rest of a string whose opening quote is read.
fn text(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<String> {
    let mut out = String::new();
    loop {
        match chars.next()?.1 {
            '"' => return Some(out),
            '\\' => out.push(escape(chars)?),
            c => out.push(c),
        }
    }
}

/// The character of an escape whose backslash is read.
fn escape(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    match chars.next()?.1 {
        c @ ('"' | '\'' | '\\' | '?' | '`') => Some(c),
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'v' => Some('\u{b}'),
        'x' | 'X' => number(chars, 0, 2, 16),
        'u' => number(chars, 0, 4, 16),
        'U' => number(chars, 0, 8, 16),
        c @ '0'..='3' => number(chars, c.to_digit(8)?, 2, 8),
        _ => None,
    }
}

/// The character whose number goes on with so many digits.
fn number(chars: &mut impl Iterator<Item = (usize, char)>, start: u32, digits: usize, radix: u32) -> Option<char> {
    let mut value = start;
    for _ in 0..digits {
        let digit = chars.next()?.1.to_digit(radix)?;
        value = value.checked_mul(radix)?.checked_add(digit)?;
    }
    char::from_u32(value)
}
