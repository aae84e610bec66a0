//! Schemas: `a` or `p` for the type, a definition up to a zero byte, then a second definition or a message.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        // The compiler of Protocol Buffers is another's and runs on a thread of its own: its panic is a refusal.
        let abort = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some("broker-schema") {
                abort(panic);
            }
        }));
    },
    |input: &[u8]| {
        let Some((kind, rest)) = input.split_first() else { return };
        let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
        let (definition, data) = rest.split_at(end);
        let Ok(definition) = std::str::from_utf8(definition) else { return };
        broker::fuzzing::schema(*kind == b'a', definition, data.get(1..).unwrap_or_default());
    }
);
