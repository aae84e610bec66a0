//! Recursive descent over the tokens. The 256-byte limit bounds the recursion.

use super::Filter;
use super::lexer::{Token, tokens};

/// Bytes of a filter: Pub/Sub's own limit, from <https://cloud.google.com/pubsub/quotas>.
const FILTER_BYTES: usize = 256;

/// Parses a filter, or says in a sentence what is wrong with it.
pub fn parse(filter: &str) -> Result<Filter, String> {
    if filter.len() > FILTER_BYTES {
        return Err(format!("a filter has at most {FILTER_BYTES} bytes, this one has {}", filter.len()));
    }
    let tokens = tokens(filter)?;
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let parsed = parser.filter()?;
    match parser.next() {
        None => Ok(parsed),
        Some(extra) => Err(format!("unexpected {extra:?} after the end of the filter")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    fn peek_word(&self, wanted: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word == wanted)
    }

    fn sign(&mut self, wanted: char) -> Result<(), String> {
        match self.next() {
            Some(Token::Sign(c)) if *c == wanted => Ok(()),
            other => Err(expected(&format!("{wanted:?}"), other)),
        }
    }

    fn word(&mut self, wanted: &str) -> Result<(), String> {
        match self.next() {
            Some(Token::Word(word)) if word == wanted => Ok(()),
            other => Err(expected(wanted, other)),
        }
    }

    fn filter(&mut self) -> Result<Filter, String> {
        let first = self.term()?;
        let word = match self.peek() {
            Some(Token::Word(word)) if word == "AND" || word == "OR" => word.as_str(),
            _ => return Ok(first),
        };
        let mut terms = vec![first];
        while self.peek_word(word) {
            self.at += 1;
            terms.push(self.term()?);
        }
        if self.peek_word("AND") || self.peek_word("OR") {
            return Err("AND and OR can be combined only with parentheses".to_owned());
        }
        Ok(if word == "AND" { Filter::And(terms) } else { Filter::Or(terms) })
    }

    fn term(&mut self) -> Result<Filter, String> {
        if self.peek_word("NOT") || self.peek() == Some(&Token::Sign('-')) {
            self.at += 1;
            return Ok(Filter::Not(Box::new(self.factor()?)));
        }
        self.factor()
    }

    fn factor(&mut self) -> Result<Filter, String> {
        match self.next() {
            Some(Token::Sign('(')) => {
                let inner = self.filter()?;
                self.sign(')')?;
                Ok(inner)
            }
            Some(Token::Word(word)) if word == "attributes" => self.attribute(),
            Some(Token::Word(word)) if word == "hasPrefix" => self.prefix(),
            other => Err(expected("attributes, hasPrefix or a parenthesis", other)),
        }
    }

    fn attribute(&mut self) -> Result<Filter, String> {
        match self.next() {
            Some(Token::Sign(':')) => Ok(Filter::Has(self.key()?)),
            Some(Token::Sign('.')) => {
                let key = self.key()?;
                match self.next() {
                    Some(Token::Sign('=')) => Ok(Filter::Equals(key, self.text()?)),
                    Some(Token::NotEqual) => Ok(Filter::Not(Box::new(Filter::Equals(key, self.text()?)))),
                    other => Err(expected("= or !=", other)),
                }
            }
            other => Err(expected("':' or '.'", other)),
        }
    }

    fn prefix(&mut self) -> Result<Filter, String> {
        self.sign('(')?;
        self.word("attributes")?;
        self.sign('.')?;
        let key = self.key()?;
        self.sign(',')?;
        let prefix = self.text()?;
        self.sign(')')?;
        Ok(Filter::HasPrefix(key, prefix))
    }

    fn key(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Word(key) | Token::Text(key)) => Ok(key.clone()),
            other => Err(expected("an attribute's key", other)),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text.clone()),
            other => Err(expected("a string in double quotes", other)),
        }
    }
}

fn expected(what: &str, found: Option<&Token>) -> String {
    match found {
        Some(token) => format!("expected {what}, found {token:?}"),
        None => format!("expected {what}, found the end of the filter"),
    }
}
