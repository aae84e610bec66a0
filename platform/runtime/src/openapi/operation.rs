//! One door, described.

use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Makes the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a caller must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A token.
    Token,
    /// A token with these scopes.
    Scopes(Vec<&'static str>),
}

/// A method of a path: what it is for, what it takes and what it answers.
#[derive(Clone)]
pub struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) details: String,
    pub(super) needs: Needs,
    /// What the parameter of its path looks like; an id without.
    pub(super) in_path: Option<SchemaOf>,
    pub(super) queries: Vec<SchemaOf>,
    pub(super) headers: Vec<Header>,
    pub(super) body: Option<Body>,
    pub(super) answers: Vec<Answer>,
}

/// A header a client may send.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) required: bool,
    pub(super) pattern: Option<&'static str>,
}

/// A JSON body.
#[derive(Clone)]
pub(super) struct Body {
    pub(super) schema: SchemaOf,
    pub(super) required: bool,
}

/// An answer.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) content: Content,
}

/// What an answer holds.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Nothing,
    Json(SchemaOf),
    Problem,
    Other(&'static str),
}

impl Operation {
    /// `method` of `path`, parameters in braces; `summary` in a few words.
    #[must_use]
    pub fn new(method: impl Into<String>, path: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            summary: summary.into(),
            details: String::new(),
            needs: Needs::Token,
            in_path: None,
            queries: Vec::new(),
            headers: Vec::new(),
            body: None,
            answers: Vec::new(),
        }
    }

    /// More about it than the summary, after what was said before.
    #[must_use]
    pub fn details(mut self, details: &str) -> Self {
        if !self.details.is_empty() {
            self.details.push('\n');
        }
        self.details.push_str(details);
        self
    }

    /// What a caller must show; a token unless told.
    #[must_use]
    pub fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// The parameter of its path is a `T`; an id unless told.
    #[must_use]
    pub fn in_path<T: JsonSchema>(mut self) -> Self {
        self.in_path = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// Takes the fields of `T` as query parameters; those of several types together.
    #[must_use]
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.queries.push(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// Takes a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, required: bool, description: &'static str) -> Self {
        self.headers.push(Header { name, description, required, pattern: None });
        self
    }

    /// Takes a name of the client's choice for what it makes, so that the same again is the same; `pattern` says what it looks like.
    #[must_use]
    pub fn idempotency_key(mut self, pattern: &'static str) -> Self {
        let description =
            "A name of the client's choice: the same again gets the same answer, and has no second effect";
        self.headers.push(Header { name: "idempotency-key", description, required: false, pattern: Some(pattern) });
        self
    }

    /// Takes a `T` as a JSON body.
    #[must_use]
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { schema: SchemaGenerator::subschema_for::<T>, required: true });
        self
    }

    /// Takes a `T` as a JSON body, or no body.
    #[must_use]
    pub fn may_take<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { schema: SchemaGenerator::subschema_for::<T>, required: false });
        self
    }

    /// Answers a `T` as JSON.
    #[must_use]
    pub fn gives<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        self.answers(status, description, Content::Json(SchemaGenerator::subschema_for::<T>))
    }

    /// Answers without a body.
    #[must_use]
    pub fn gives_nothing(self, status: u16, description: &'static str) -> Self {
        self.answers(status, description, Content::Nothing)
    }

    /// Answers with something that is not JSON.
    #[must_use]
    pub fn gives_other(self, status: u16, media_type: &'static str, description: &'static str) -> Self {
        self.answers(status, description, Content::Other(media_type))
    }

    /// Refuses with a problem.
    #[must_use]
    pub fn refuses(self, status: u16, description: &'static str) -> Self {
        self.answers(status, description, Content::Problem)
    }

    fn answers(mut self, status: u16, description: &'static str, content: Content) -> Self {
        self.answers.push(Answer { status, description, content });
        self
    }
}
