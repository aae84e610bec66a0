//! The ledger only grows.

use std::path::Path;

fn sources(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else {
            into.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap().to_ascii_lowercase()));
        }
    }
}

#[test]
fn no_statement_changes_or_deletes_a_row_of_the_ledger() {
    let mut files = Vec::new();
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    sources(&crate_folder.join("src"), &mut files);
    sources(&crate_folder.join("migrations"), &mut files);
    assert!(files.iter().any(|(_, text)| text.contains("insert into ledger_entries")), "looked in the wrong place");
    for (file, text) in files {
        let words: Vec<&str> = text.split_whitespace().collect();
        for table in ["ledger_transactions", "ledger_entries", "transaction_entries", "returns_received"] {
            for statement in ["update", "delete from", "replace into", "drop table", "alter table"] {
                let forbidden = format!("{statement} {table}");
                assert!(!words.join(" ").contains(&forbidden), "{file} has {forbidden:?}");
            }
        }
    }
}
