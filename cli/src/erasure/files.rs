//! Every file below the data folder, byte by byte: databases with their logs, the broker's segments, the warehouse's tables.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Place, Wanted};
use crate::personal_key;

/// Bytes looked at at a time.
const PIECE_BYTES: usize = 4 * 1024 * 1024;
/// Folders within folders; the broker's and the warehouse's are two deep.
const MAX_DEPTH: usize = 8;

/// What to do about a finding in a file, by what is in its path.
const ADVICE: &[(&str, &str)] = &[
    (
        "broker/",
        "a message names the person: find who published it; the segment goes when its last message is acked and out of retention",
    ),
    ("warehouse-tables/", "an event names the person: find who published it, and delete its row"),
    (".db", "the database is the service's: erase again, which writes the file anew"),
];
const OTHERWISE: &str = "not a file of the shop's: delete it";

pub(super) fn look(data: &Path, wanted: &Wanted) -> anyhow::Result<Vec<Place>> {
    let mut paths = Vec::new();
    gather(data, 0, &mut paths)?;
    paths.sort();
    let mut places = Vec::new();
    for path in paths {
        let failed = || format!("cannot read {}", path.display());
        let Some((looked_at, findings)) = file(&path, wanted).with_context(failed)? else { continue };
        let name = path.strip_prefix(data).unwrap_or(&path).display().to_string();
        let advice = ADVICE.iter().find(|(about, _)| name.contains(about)).map_or(OTHERWISE, |(_, advice)| advice);
        let advice = (findings > 0).then_some(advice);
        places.push(Place { place: name, looked_at, unit: "bytes", findings, advice });
    }
    Ok(places)
}

fn gather(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    anyhow::ensure!(depth <= MAX_DEPTH, "{} is too deep to be a shop's", folder.display());
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // A shop in the cloud has no folder; one that runs deletes some.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("cannot look into {}", folder.display())),
    };
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot look into {}", folder.display()))?;
        let kind = entry.file_type().with_context(|| format!("cannot look at {}", entry.path().display()))?;
        if kind.is_dir() {
            gather(&entry.path(), depth + 1, into)?;
        } else if kind.is_file() && entry.file_name() != personal_key::FILE {
            into.push(entry.path());
        }
    }
    Ok(())
}

/// Bytes of a file and findings in it; `None` for one that is gone meanwhile.
fn file(path: &Path, wanted: &Wanted) -> std::io::Result<Option<(u64, u64)>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    count(&mut file, wanted, PIECE_BYTES).map(Some)
}

/// Pieces overlap, so that nothing hides where one ends; what lies wholly in the overlap was counted with the piece before.
fn count(file: &mut impl Read, wanted: &Wanted, piece_bytes: usize) -> std::io::Result<(u64, u64)> {
    let reach = wanted.search.reach();
    let (mut bytes, mut kept) = (Vec::new(), 0);
    let (mut looked_at, mut findings) = (0u64, 0u64);
    loop {
        let read = file.by_ref().take(piece_bytes as u64).read_to_end(&mut bytes)?;
        looked_at += read as u64;
        if read == 0 {
            return Ok((looked_at, findings));
        }
        let seen = wanted.search.places(&bytes).into_iter().filter(|at| at + reach > kept);
        findings += seen.count() as u64;
        kept = bytes.len().min(2 * reach);
        bytes.drain(..bytes.len() - kept);
    }
}

#[cfg(test)]
mod tests {
    use events::personal::Person;

    use super::*;

    fn wanted() -> Wanted {
        let person = Person { id: "HH-2385".to_owned(), name: Some(("Zebulon".to_owned(), "Quixwood".to_owned())) };
        Wanted { search: person.search(), person }
    }

    #[test]
    fn nothing_hides_where_a_piece_ends() {
        for lead in 0..600 {
            for text in ["HH-2385", "Zebulon and then Quixwood", "SEgtMjM4NQ"] {
                let file = format!("{}{text}{}", " ".repeat(lead), " ".repeat(300));
                let (looked_at, findings) = count(&mut file.as_bytes(), &wanted(), 256).unwrap();
                assert_eq!(looked_at, file.len() as u64);
                assert!(findings > 0, "{text} at {lead}");
            }
        }
        assert_eq!(count(&mut "HH-23850 Quixwood".as_bytes(), &wanted(), 256).unwrap(), (17, 0));
    }

    #[test]
    fn every_file_of_a_folder_is_looked_at_but_the_key() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("broker")).unwrap();
        for name in ["broker/1.log", "a.txt", personal_key::FILE] {
            std::fs::write(folder.path().join(name), "for HH-2385").unwrap();
        }
        let places = look(folder.path(), &wanted()).unwrap();
        let found: Vec<_> = places.iter().map(|place| (place.place.as_str(), place.findings)).collect();
        assert_eq!(found, [("a.txt", 1), ("broker/1.log", 1)]);
        assert!(look(&folder.path().join("none"), &wanted()).unwrap().is_empty());
    }
}
