//! The API as descriptors: the texts beside this file, compiled at first use.
//!
//! They say what the generated messages cannot say of themselves: the names of their fields and methods, for JSON
//! and for clients that ask what is served.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, MethodDescriptor};
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

/// The texts by the names they are imported by. `google/protobuf/` comes with the compiler.
const TEXTS: [(&str, &str); 4] = [
    ("google/type/expr.proto", include_str!("expr.proto")),
    ("google/iam/v1/iam_policy.proto", include_str!("iam_policy.proto")),
    ("google/pubsub/v1/schema.proto", include_str!("schema.proto")),
    ("google/pubsub/v1/pubsub.proto", include_str!("pubsub.proto")),
];

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| compile().expect("the texts compile: tests hold it"));

/// Every message and service of the API.
pub(crate) fn pool() -> &'static DescriptorPool {
    &POOL
}

/// The method at a gRPC path, `/google.pubsub.v1.Publisher/Publish`.
pub(crate) fn method(path: &str) -> Option<MethodDescriptor> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    pool().get_service_by_name(service)?.methods().find(|m| m.name() == method)
}

fn compile() -> Result<DescriptorPool, protox::Error> {
    let mut files = ChainFileResolver::new();
    files.add(Texts);
    files.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(files);
    compiler.include_imports(true);
    for (name, _) in TEXTS {
        compiler.open_file(name)?;
    }
    Ok(compiler.descriptor_pool())
}

struct Texts;

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match TEXTS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}
