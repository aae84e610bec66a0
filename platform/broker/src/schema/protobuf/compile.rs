//! From a definition's text to the one message it is about.

use std::thread;

use prost_reflect::MessageDescriptor;
use protox::file::{File, FileResolver};
use protox::{Compiler, Error};

use crate::limits::PROTO_STACK_BYTES;

/// The name the compiler knows the definition by.
const FILE: &str = "schema.proto";
/// The name of the thread it runs on: a panic there is a refusal.
const THREAD: &str = "broker-schema";

/// Compiles a definition, on a stack of its own: after an error the compiler goes on, and how deep it then is cannot
/// be told from the text.
pub(super) fn compile(text: &str) -> Result<MessageDescriptor, String> {
    let text = text.to_owned();
    let compiling =
        thread::Builder::new().name(THREAD.to_owned()).stack_size(PROTO_STACK_BYTES).spawn(move || message(&text));
    let compiling = compiling.map_err(|error| format!("the definition cannot be compiled now: {error}"))?;
    compiling.join().unwrap_or_else(|_| Err("the definition is more than the compiler understands".to_owned()))
}

fn message(text: &str) -> Result<MessageDescriptor, String> {
    let file = File::from_source(FILE, text).map_err(|error| sentence(&error))?;
    if let Some(import) = file.file_descriptor_proto().dependency.first() {
        return Err(format!("a schema is one file: {import} cannot be imported, nor can any other"));
    }
    let mut compiler = Compiler::with_file_resolver(OneFile(file));
    compiler.open_file(FILE).map_err(|error| sentence(&error))?;
    let file = compiler.descriptor_pool().get_file_by_name(FILE).ok_or("the definition is empty")?;
    if file.enums().len() > 0 {
        return Err("a schema has one type at its top: enums go into its message".to_owned());
    }
    let mut messages = file.messages();
    match (messages.next(), messages.len()) {
        (Some(message), 0) => Ok(message),
        (first, more) => Err(format!(
            "a schema has one type at its top, its message, and this one has {}: others go into it",
            more + usize::from(first.is_some())
        )),
    }
}

fn sentence(error: &Error) -> String {
    format!("the definition is not a Protocol Buffer: {error}")
}

/// The definition, and nothing of the disk.
struct OneFile(File);

impl FileResolver for OneFile {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        if name == FILE { Ok(self.0.clone()) } else { Err(Error::file_not_found(name)) }
    }
}
