//! Server-sent events, read from whatever pieces they come in (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use anyhow::bail;

/// The longest event taken, in bytes.
const MAX_EVENT_BYTES: usize = 64 * 1024;

/// An event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its id; empty without one.
    pub id: String,
    /// Its kind; empty without one.
    pub kind: String,
    /// What it says.
    pub data: String,
}

/// What came and is no whole event yet.
#[derive(Debug, Default)]
pub struct Reader(Vec<u8>);

impl Reader {
    /// Takes the next piece; answers the events that are whole with it. Comments and settings are no events.
    ///
    /// # Errors
    /// When an event has no end.
    pub fn take(&mut self, piece: &[u8]) -> anyhow::Result<Vec<Event>> {
        self.0.extend_from_slice(piece);
        let mut events = Vec::new();
        while let Some(end) = self.0.windows(2).position(|pair| pair == b"\n\n") {
            let rest = self.0.split_off(end + 2);
            let text = String::from_utf8_lossy(&std::mem::replace(&mut self.0, rest)).into_owned();
            events.extend(parse(&text));
        }
        if self.0.len() > MAX_EVENT_BYTES {
            bail!("the gateway sends an event without an end");
        }
        Ok(events)
    }
}

fn parse(text: &str) -> Option<Event> {
    let mut event = Event::default();
    for line in text.lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => value.clone_into(&mut event.id),
            "event" => value.clone_into(&mut event.kind),
            "data" => {
                if !event.data.is_empty() {
                    event.data.push('\n');
                }
                event.data.push_str(value);
            }
            _ => {}
        }
    }
    (!event.data.is_empty()).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_whatever_pieces_they_come_in() {
        let text = "retry: 2000\n\n: still here\n\nid: 1\nevent: fact\ndata: {\"a\":\ndata: 1}\n\ndata:x\n\nid: 2\n";
        let expected = [
            Event { id: "1".to_owned(), kind: "fact".to_owned(), data: "{\"a\":\n1}".to_owned() },
            Event { data: "x".to_owned(), ..Event::default() },
        ];
        for size in 1..text.len() {
            let mut reader = Reader::default();
            let pieces = text.as_bytes().chunks(size);
            let events: Vec<Event> = pieces.flat_map(|piece| reader.take(piece).unwrap()).collect();
            assert_eq!(events, expected, "pieces of {size}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_not_kept_for_ever() {
        let mut reader = Reader::default();
        let failed = (0..100).any(|_| reader.take(&[b'x'; 1024]).is_err());
        assert!(failed);
    }
}
