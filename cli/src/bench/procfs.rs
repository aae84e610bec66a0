//! What Linux says about a process and a folder.

use std::path::Path;

use anyhow::Context;

/// Ticks per second of the times in `/proc/<pid>/stat`. `USER_HZ` is 100 on every Linux that Rust's tier 1 targets run on.
const TICKS_PER_S: u64 = 100;

/// CPU time used so far, all threads, user and system, in milliseconds.
///
/// # Errors
/// When the process is gone.
pub fn cpu_ms(pid: u32) -> anyhow::Result<u64> {
    let text = read(pid, "stat")?;
    parse_cpu_ms(&text).with_context(|| format!("/proc/{pid}/stat is not as expected: {text}"))
}

/// Memory of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Resident now, in KiB.
    pub resident_kib: u64,
    /// The most ever resident, in KiB.
    pub highest_kib: u64,
}

/// Memory in use.
///
/// # Errors
/// When the process is gone.
pub fn memory(pid: u32) -> anyhow::Result<Memory> {
    let text = read(pid, "status")?;
    parse_memory(&text).with_context(|| format!("/proc/{pid}/status has no VmRSS and VmHWM"))
}

/// The file system a folder is on: `ext4`, `tmpfs`, …; `unknown` when Linux does not say.
#[must_use]
pub fn file_system(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    parse_file_system(&mounts, &folder).unwrap_or("unknown").to_owned()
}

/// The processor's name.
#[must_use]
pub fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':')).map_or("unknown", |(_, name)| name.trim()).to_owned()
}

/// How many threads wanted to run over the last minute; `None` when Linux does not say.
#[must_use]
pub fn load_average() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn read(pid: u32, file: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(format!("/proc/{pid}/{file}"))
        .with_context(|| format!("process {pid} is gone (or this is not Linux: the figures are read from /proc)"))
}

/// Fields 14 and 15, counted after the name, which may itself hold spaces and brackets.
fn parse_cpu_ms(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) * 1_000 / TICKS_PER_S)
}

fn parse_memory(status: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some(Memory { resident_kib: field("VmRSS")?, highest_kib: field("VmHWM")? })
}

/// The type of the deepest mount that holds the folder; of equals the later one, which hides the earlier.
fn parse_file_system<'m>(mounts: &'m str, folder: &Path) -> Option<&'m str> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(point), Some(kind)) = (fields.next(), fields.next()) else { continue };
        if folder.starts_with(point) && best.is_none_or(|(length, _)| point.len() >= length) {
            best = Some((point.len(), kind));
        }
    }
    best.map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_past_a_name_with_brackets() {
        let stat = "4242 (odd) name) S 1 4242 4242 0 -1 4194304 900 0 1 0 731 269 5 6 20 0 9 0 812 1 2 3";
        assert_eq!(parse_cpu_ms(stat), Some(10_000));
        assert_eq!(parse_cpu_ms("4242 (short) S 1"), None);
    }

    #[test]
    fn memory_is_read_in_kib() {
        let status = "Name:\tboutique\nVmPeak:\t  999 kB\nVmHWM:\t   81234 kB\nVmRSS:\t   40960 kB\n";
        assert_eq!(parse_memory(status), Some(Memory { resident_kib: 40_960, highest_kib: 81_234 }));
        assert_eq!(parse_memory("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn the_deepest_mount_names_the_file_system() {
        let mounts =
            "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk xfs rw 0 0\nproc /proc proc rw 0 0\n";
        assert_eq!(parse_file_system(mounts, Path::new("/tmp/bench")), Some("tmpfs"));
        assert_eq!(parse_file_system(mounts, Path::new("/tmp/disk/bench")), Some("xfs"));
        assert_eq!(parse_file_system(mounts, Path::new("/tmpish")), Some("ext4"));
    }

    #[test]
    fn a_process_can_read_about_itself() {
        let me = std::process::id();
        assert!(cpu_ms(me).is_ok());
        assert!(load_average().is_some_and(|load| load >= 0.0));
        assert!(memory(me).unwrap().resident_kib > 0);
    }
}
