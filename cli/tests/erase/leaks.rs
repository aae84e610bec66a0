//! A search that owes nothing to the command's own: each word by itself, in every file as it is, escaped and in base64, and on PostgreSQL in
//! every row of every table.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

use crate::shop::{Engine, Shop};

/// Where any of the words is, in files below the data folder and in the database.
pub fn everywhere(shop: &Shop, words: &[&str]) -> Vec<String> {
    let mut places = Vec::new();
    let mut files = Vec::new();
    below(&shop.data(), &mut files);
    assert!(files.len() > 5, "{files:?}");
    for path in files {
        // One that is gone was looked at by whoever deleted it.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        places.extend(found(&bytes, words).map(|word| format!("{}: {word}", path.display())));
    }
    if let Engine::Postgres(url) = &shop.engine {
        places.extend(rows(url, words));
    }
    places
}

/// Which of the words are in the shop's log.
pub fn of_log(shop: &Shop, words: &[&str]) -> Vec<String> {
    let log = std::fs::read(shop.log()).expect("a log");
    assert!(log.windows(5).any(|window| window == b"TRACE"), "the log was to say everything");
    found(&log, words).map(ToOwned::to_owned).collect()
}

fn rows(url: &str, words: &[&str]) -> Vec<String> {
    let mut client = postgres::Client::connect(url, postgres::NoTls).expect("the database");
    let tables = "SELECT table_schema || '.' || table_name FROM information_schema.tables
        WHERE table_schema NOT IN ('pg_catalog', 'information_schema')";
    let tables: Vec<String> = client.query(tables, &[]).expect("tables").iter().map(|row| row.get(0)).collect();
    assert!(tables.len() > 40, "{tables:?}");
    let mut places = Vec::new();
    for table in tables {
        let quoted = table.replace('.', "\".\"");
        let all = client.query(&format!("SELECT CAST(t AS TEXT) FROM \"{quoted}\" t"), &[]).expect("rows");
        for row in all {
            let text: String = row.get(0);
            places.extend(found(text.as_bytes(), words).map(|word| format!("{table}: {word}")));
        }
    }
    places
}

fn below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { below(&path, into) } else { into.push(path) }
    }
}

fn found<'w>(bytes: &[u8], words: &'w [&str]) -> impl Iterator<Item = &'w str> {
    let forms = |word: &str| forms(word).into_iter().any(|form| memchr::memmem::find(bytes, form.as_bytes()).is_some());
    words.iter().copied().filter(|word| forms(word)).collect::<Vec<_>>().into_iter()
}

fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned(), word.to_lowercase(), word.to_uppercase()];
    let ascii: String =
        word.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", c as u32) }).collect();
    let url: String = word
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    forms.extend([ascii, url]);
    for shift in 0..3 {
        let text = [vec![b'x'; shift], word.as_bytes().to_vec()].concat();
        let digits = BASE64_STANDARD_NO_PAD.encode(&text);
        let (from, to) = ((shift * 8).div_ceil(6), text.len() * 8 / 6);
        forms.push(digits[from..to].to_owned());
        forms.push(BASE64_URL_SAFE_NO_PAD.encode(&text)[from..to].to_owned());
    }
    forms
}
