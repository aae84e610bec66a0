//! A table's files of rows.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The file that grows.
#[derive(Debug)]
pub(super) struct Rows {
    directory: PathBuf,
    number: u32,
    file: File,
    bytes: u64,
}

/// Cuts an unfinished last line off.
pub(super) fn repair(directory: &Path) -> io::Result<()> {
    match last(directory)? {
        0 => Ok(()),
        number => cut(&OpenOptions::new().read(true).write(true).open(path(directory, number))?).map(|_| ()),
    }
}

impl Rows {
    /// Opens the file with the highest number, or begins the first.
    pub(super) fn open(directory: &Path) -> io::Result<Rows> {
        let number = last(directory)?;
        if number == 0 {
            return Rows::begin(directory, 1);
        }
        let file = OpenOptions::new().read(true).append(true).open(path(directory, number))?;
        let bytes = cut(&file)?;
        Ok(Rows { directory: directory.to_owned(), number, file, bytes })
    }

    fn begin(directory: &Path, number: u32) -> io::Result<Rows> {
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(path(directory, number))?;
        File::open(directory)?.sync_all()?;
        Ok(Rows { directory: directory.to_owned(), number, file, bytes: 0 })
    }

    /// Whether the open file is still the one in the folder.
    pub(super) fn are_there(&self) -> bool {
        let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let (Ok(open), Ok(there)) = (self.file.metadata(), fs::metadata(path(&self.directory, self.number))) else {
            return false;
        };
        id(open) == id(there)
    }

    /// Appends whole lines and returns when they are on disk. After an error the file is not to be used again: opening it anew cuts off
    /// what is unfinished.
    pub(super) fn append(&mut self, lines: &[u8], file_bytes: u64) -> io::Result<()> {
        if self.bytes >= file_bytes {
            *self = Rows::begin(&self.directory, self.number + 1)?;
        }
        let written = self.file.write_all(lines).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // The rows are tried again: without this, those already written would be there twice. If it fails, they are.
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += lines.len() as u64;
        Ok(())
    }
}

/// The highest number, 0 without any file.
fn last(directory: &Path) -> io::Result<u32> {
    let mut last = 0;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".ndjson")?.parse().ok());
        last = last.max(number.unwrap_or(0));
    }
    Ok(last)
}

/// Cuts off what follows the last line feed, and gives the bytes that are left.
fn cut(file: &File) -> io::Result<u64> {
    let bytes = file.metadata()?.len();
    let mut end = bytes;
    let mut chunk = vec![0; 64 << 10];
    while end > 0 {
        let start = end.saturating_sub(chunk.len() as u64);
        let part = &mut chunk[..usize::try_from(end - start).expect("a chunk fits memory")];
        file.read_exact_at(part, start)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    if end < bytes {
        file.set_len(end)?;
        file.sync_all()?;
    }
    Ok(end)
}

fn path(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{number:04}.ndjson"))
}
