//! Directories: whether they can be written, how much room there is, and what it costs to be sure of a write.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::{Finding, Level, existing};
use crate::history::{Clock, Nanos};

/// Less than this, and a run is likely to end in the middle.
const LITTLE: u64 = 200_000_000;
/// Less than this, and a long run may.
const SCARCE: u64 = 2_000_000_000;
/// A disk that is faster than this does not wait for anything.
const TOO_FAST: Nanos = Nanos(15_000);
/// A commit waits for one of these.
const SLOW: Nanos = Nanos::from_millis(20);
const ROUNDS: usize = 21;

/// Whether files can be made in `path`, or in the directory that it will be made in.
pub(super) fn writable(what: &'static str, path: &Path) -> Finding {
    match probe(&existing(path), |file| file.write_all(b"replab")) {
        Ok(()) => Finding::new(what, Level::Ok, format!("{} can be written", path.display())),
        Err(error) => Finding::new(what, Level::Problem, format!("{}: {error}", path.display()))
            .help("choose another one: REPLAB_STATE_DIR for the clusters, --runs for the runs"),
    }
}

/// The median cost of a durable write of one page.
pub(super) fn fsync(path: &Path) -> Finding {
    const WHAT: &str = "fsync";
    let mut costs = Vec::with_capacity(ROUNDS);
    let measured = probe(&existing(path), |file| {
        let clock = Clock::start();
        for _ in 0..ROUNDS {
            let start = clock.now();
            file.write_all(&[0; 8192])?;
            file.sync_data()?;
            costs.push(clock.now() - start);
        }
        Ok(())
    });
    if let Err(error) = measured {
        return Finding::new(WHAT, Level::Problem, format!("{}: {error}", path.display()));
    }
    costs.sort_unstable();
    judge_fsync(costs[ROUNDS / 2])
}

fn judge_fsync(median: Nanos) -> Finding {
    const WHAT: &str = "fsync";
    let detail = format!("{median} (median of {ROUNDS} pages)");
    if median < TOO_FAST {
        Finding::new(WHAT, Level::Warning, format!("{detail}: this disk is memory, or does not wait"))
            .help("crashes of servers are judged all the same; what a power failure loses is not")
    } else if median > SLOW {
        Finding::new(WHAT, Level::Warning, format!("{detail}: slow; each commit waits for one"))
    } else {
        Finding::new(WHAT, Level::Ok, detail)
    }
}

/// How much can still be written where `path` is.
pub(super) fn space(what: &'static str, path: &Path) -> Finding {
    match nix::sys::statvfs::statvfs(&existing(path)) {
        Ok(found) => judge_space(what, found.blocks_available().saturating_mul(found.fragment_size())),
        Err(error) => Finding::new(what, Level::Warning, error.to_string()),
    }
}

fn judge_space(what: &'static str, bytes: u64) -> Finding {
    let detail = format!("{:.1} GB free", bytes as f64 / 1e9);
    match bytes {
        ..LITTLE => Finding::new(what, Level::Problem, detail).help("a run needs some 200 MB: make room"),
        LITTLE..SCARCE => {
            Finding::new(what, Level::Warning, format!("{detail}: enough for a short run only"))
        }
        _ => Finding::new(what, Level::Ok, detail),
    }
}

/// Does something with a new file in `directory`, and removes it.
fn probe(directory: &Path, act: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let path = directory.join(format!(".replab-doctor-{}", std::process::id()));
    let mut file = File::options().write(true).create_new(true).open(&path)?;
    let result = act(&mut file);
    fs::remove_file(&path)?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_nothing_behind_and_measures_something() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(writable("x", &folder.path().join("not/yet/there")).level, Level::Ok);
        assert!(fsync(folder.path()).detail.contains("median of 21"));
        assert_ne!(space("x", folder.path()).detail, "");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_no_directory_to_write_in() {
        // The system refuses to make anything here, even for root.
        let finding = writable("runs directory", Path::new("/proc/replab/runs"));
        assert_eq!(finding.level, Level::Problem);
        assert!(finding.help.is_some());
        assert_eq!(fsync(Path::new("/proc")).level, Level::Problem);
    }

    #[test]
    fn what_is_judged_can_be_bad() {
        let levels = [1_000, 1_000_000, 30_000_000].map(|n| judge_fsync(Nanos(n)).level);
        assert_eq!(levels, [Level::Warning, Level::Ok, Level::Warning]);
        let levels = [1_000_000, 1_000_000_000, 9_000_000_000].map(|bytes| judge_space("x", bytes).level);
        assert_eq!(levels, [Level::Problem, Level::Warning, Level::Ok]);
    }
}
