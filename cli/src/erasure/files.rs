//! Every file below the data folder, byte by byte: databases with their logs, the broker's segments, the warehouse's tables.

use std::collections::HashSet;
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
    let mut places = Vec::new();
    for path in Walk::through(data)? {
        let failed = || format!("cannot read {}", path.display());
        let Some((looked_at, findings)) = file(&path, wanted).with_context(failed)? else { continue };
        let name = path.strip_prefix(data).unwrap_or(&path).display().to_string();
        let advice = ADVICE.iter().find(|(about, _)| name.contains(about)).map_or(OTHERWISE, |(_, advice)| advice);
        let advice = (findings > 0).then_some(advice);
        places.push(Place { place: name, looked_at, unit: "bytes", findings, advice });
    }
    Ok(places)
}

/// Makes sure that every file below the data folder can be looked at.
pub(super) fn ready(data: &Path) -> anyhow::Result<()> {
    for path in Walk::through(data)? {
        there(File::open(&path)).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(())
}

/// A walk through a folder, with what its links lead to: whoever moved the broker's files to another disk left a link.
#[derive(Default)]
struct Walk {
    /// Folders that were walked through, by where they are: no link leads in a circle.
    seen: HashSet<PathBuf>,
    /// Links, each with its depth. They come last, so that what has a name of its own is called by it.
    links: Vec<(PathBuf, usize)>,
    files: Vec<PathBuf>,
}

impl Walk {
    fn through(data: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let mut walk = Self::default();
        walk.folder(data, 0)?;
        while let Some((link, depth)) = walk.links.pop() {
            walk.link(&link, depth)?;
        }
        walk.files.sort();
        Ok(walk.files)
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> anyhow::Result<()> {
        anyhow::ensure!(depth <= MAX_DEPTH, "{} is too deep to be a shop's", folder.display());
        let failed = || format!("cannot look into {}", folder.display());
        // A shop in the cloud has no folder; one that runs deletes some.
        let Some(real) = there(folder.canonicalize()).with_context(failed)? else { return Ok(()) };
        if !self.seen.insert(real) {
            return Ok(());
        }
        let Some(entries) = there(std::fs::read_dir(folder)).with_context(failed)? else { return Ok(()) };
        for entry in entries {
            let entry = entry.with_context(failed)?;
            let kind = entry.file_type().with_context(|| format!("cannot look at {}", entry.path().display()))?;
            if kind.is_symlink() {
                self.links.push((entry.path(), depth + 1));
            } else if kind.is_dir() {
                self.folder(&entry.path(), depth + 1)?;
            } else if kind.is_file() && entry.file_name() != personal_key::FILE {
                self.files.push(entry.path());
            }
        }
        Ok(())
    }

    fn link(&mut self, link: &Path, depth: usize) -> anyhow::Result<()> {
        let failed = || format!("cannot look at what {} leads to", link.display());
        if there(link.symlink_metadata()).with_context(failed)?.is_none() {
            return Ok(());
        }
        // One that leads nowhere may lead to a disk that is not there today.
        let real = link.canonicalize().with_context(failed)?;
        if real.is_dir() {
            self.folder(link, depth)?;
        } else if real.is_file() && real.file_name() != Some(personal_key::FILE.as_ref()) {
            self.files.push(link.to_owned());
        }
        Ok(())
    }
}

/// What was found; `None` for what is gone meanwhile.
fn there<T>(found: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Bytes of a file and findings in it; `None` for one that is gone meanwhile.
fn file(path: &Path, wanted: &Wanted) -> std::io::Result<Option<(u64, u64)>> {
    let Some(mut file) = there(File::open(path))? else { return Ok(None) };
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

    #[test]
    fn what_a_link_leads_to_is_looked_at_once_and_a_link_that_leads_nowhere_is_no_clean_place() {
        use std::os::unix::fs::symlink;

        let (folder, disk) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let within = |name: &str| folder.path().join(name);
        std::fs::write(disk.path().join("1.log"), "for HH-2385").unwrap();
        std::fs::write(within(personal_key::FILE), "HH-2385").unwrap();
        symlink(disk.path(), within("broker")).unwrap();
        symlink(disk.path().join("1.log"), within("a.log")).unwrap();
        symlink(folder.path(), disk.path().join("back")).unwrap();
        symlink(within(personal_key::FILE), within("key")).unwrap();
        let places = look(folder.path(), &wanted()).unwrap();
        let found: Vec<_> = places.iter().map(|place| (place.place.as_str(), place.findings)).collect();
        assert_eq!(found, [("a.log", 1), ("broker/1.log", 1)]);
        ready(folder.path()).unwrap();

        symlink(within("another-disk"), within("gone")).unwrap();
        for refused in [look(folder.path(), &wanted()).err(), ready(folder.path()).err()] {
            assert!(refused.unwrap().to_string().contains("gone"));
        }
    }
}
