//! An ext4 file system in a sparse file, mounted through a loop device: small enough to fill, and its power can be cut.
//!
//! A cut is the ioctl that the kernel's own tests of file systems use: from one moment to the next nothing more is written, and what
//! was written and not flushed is gone. The file system is unmounted and its loop device given back when this is dropped, also by a
//! test that fails.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use rustix::ioctl::{Opcode, Setter, ioctl, opcode};
use tempfile::TempDir;

/// `EXT4_IOC_SHUTDOWN` in the kernel's `fs/ext4/ext4.h`: it reads a number, and says so with the direction "read".
const SHUTDOWN: Opcode = opcode::read::<u32>(b'X', 125);
/// `EXT4_GOING_FLAGS_NOLOGFLUSH`: the journal's last pages are lost too, as they are without power.
const NO_LOG_FLUSH: u32 = 2;
/// Set where a test that needs root must not be skipped.
const REQUIRED: &str = "BOUTIQUE_REQUIRE_ROOT_TESTS";
/// A process that was killed lets go of its files soon; how often and how long an unmount is tried.
const UNMOUNTS: u32 = 100;
const UNMOUNT_PAUSE: Duration = Duration::from_millis(20);

/// The file system.
pub struct Disk {
    image: PathBuf,
    at: PathBuf,
    mounted: bool,
    _folder: TempDir,
}

impl Disk {
    /// Makes and mounts one of so many bytes; the file behind it takes only what is written. `None` where that is not possible, which
    /// is said on standard error: it takes root, `mkfs.ext4` and a kernel with loop devices.
    ///
    /// # Panics
    /// When it is not possible and `BOUTIQUE_REQUIRE_ROOT_TESTS` says that it must be.
    pub fn make(bytes: u64) -> Option<Disk> {
        match Self::try_make(bytes) {
            Ok(disk) => Some(disk),
            Err(reason) => {
                assert!(std::env::var_os(REQUIRED).is_none(), "no file system to work on: {reason}");
                eprintln!("skipped: no file system to work on, which takes root: {reason}");
                None
            }
        }
    }

    fn try_make(bytes: u64) -> Result<Disk, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let (image, at) = (folder.path().join("image"), folder.path().join("disk"));
        std::fs::create_dir(&at).map_err(|error| error.to_string())?;
        File::create(&image).and_then(|file| file.set_len(bytes)).map_err(|error| error.to_string())?;
        // Nothing is kept back for root, who runs this: full is full.
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image))?;
        let mut disk = Disk { image, at, mounted: false, _folder: folder };
        disk.try_mount()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn at(&self) -> &Path {
        &self.at
    }

    /// Cuts the power: nothing is written from now on, every call that would have to fails.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn cut(&self) {
        let root = File::open(&self.at).expect("the root of a mounted file system");
        // SAFETY: the opcode is ext4's, the file is on an ext4 that this made, and the call reads one u32.
        #[allow(unsafe_code)]
        let cut = unsafe { ioctl(&root, Setter::<SHUTDOWN, u32>::new(NO_LOG_FLUSH)) };
        cut.expect("ext4 can be shut down");
    }

    /// Mounts it again; the journal is replayed.
    ///
    /// # Panics
    /// When it is not possible.
    pub fn mount(&mut self) {
        self.try_mount().unwrap_or_else(|reason| panic!("cannot mount: {reason}"));
    }

    fn try_mount(&mut self) -> Result<(), String> {
        run(Command::new("mount").args(["-t", "ext4", "-o", "loop"]).arg(&self.image).arg(&self.at))?;
        self.mounted = true;
        Ok(())
    }

    /// Unmounts it. Nobody may have a file of it open.
    ///
    /// # Panics
    /// When somebody has.
    pub fn unmount(&mut self) {
        let mut reason = String::new();
        for _ in 0..UNMOUNTS {
            match run(Command::new("umount").arg(&self.at)) {
                Ok(()) => {
                    self.mounted = false;
                    return;
                }
                Err(refusal) => reason = refusal,
            }
            std::thread::sleep(UNMOUNT_PAUSE);
        }
        panic!("cannot unmount: {reason}");
    }

    /// Takes all the room there is, until the answer is dropped.
    ///
    /// # Panics
    /// When it cannot be taken for another reason than that there is none.
    pub fn fill(&self) -> Ballast {
        let path = self.at.join("ballast");
        let file = OpenOptions::new().create(true).append(true).open(&path).expect("a file without content");
        let block = statvfs(&self.at).expect("a mounted file system").f_frsize;
        let mut piece = block << 16;
        let mut end = 0;
        while piece >= block {
            match fallocate(&file, FallocateFlags::empty(), end, piece) {
                Ok(()) => end += piece,
                Err(Errno::NOSPC) => piece /= 2,
                Err(error) => panic!("the disk cannot be filled: {error}"),
            }
        }
        Ballast(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily, as a failing test may leave a process that is about to end. The loop device goes with the mount.
            let _ = run(Command::new("umount").arg("--lazy").arg(&self.at));
        }
    }
}

/// A file that leaves no room. Dropped, it is gone.
pub struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        // What cannot be removed is seen by the test: the disk stays full.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let Output { status, stdout, stderr } = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let said = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).trim().to_owned());
    Err(format!("{command:?}: {status} {}", said.join(" ")))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const BYTES: u64 = 64 << 20;

    /// The ground that every power cut stands on: what was flushed is there afterwards, what was only written is not, and nobody is
    /// told otherwise meanwhile.
    #[test]
    fn a_cut_keeps_what_was_flushed_loses_what_was_not_and_fails_flushes_after_it() {
        let Some(mut disk) = Disk::make(BYTES) else { return };
        let write = |name: &str| {
            let mut file = File::create(disk.at().join(name)).unwrap();
            file.write_all(b"said").unwrap();
            file
        };
        let mut flushed = write("flushed");
        flushed.sync_data().unwrap();
        let unflushed = write("unflushed");

        disk.cut();
        assert!(flushed.write_all(b" more").is_err() || flushed.sync_data().is_err());
        assert!(unflushed.sync_data().is_err());
        drop((flushed, unflushed));
        disk.unmount();
        disk.mount();

        assert_eq!(std::fs::read(disk.at().join("flushed")).unwrap(), b"said");
        let left = std::fs::read(disk.at().join("unflushed")).unwrap_or_default();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn a_full_disk_has_room_again_when_the_ballast_is_dropped() {
        let Some(disk) = Disk::make(BYTES) else { return };
        let path = disk.at().join("data");
        let ballast = disk.fill();
        let refused = std::fs::write(&path, vec![7; 1 << 20]).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::StorageFull);
        drop(ballast);
        std::fs::write(&path, vec![7; 1 << 20]).unwrap();
    }
}
