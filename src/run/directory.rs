//! A run's directory: what is in it, how a run is named, how it is found again.
//!
//! ```text
//! runs/<id>/run.json                   the manifest: what was run, how it ended
//!           plan.toml                  the effective configuration
//!           history/<workload>.jsonl.zst, history/nemesis.jsonl.zst
//!           lag.jsonl, lab.jsonl       samples; endpoints.jsonl where an endpoint leads to one of several nodes
//!           nodes/<node>.log           the servers' logs
//!           results.json, report.html, report.md, junit.xml
//! runs/latest                          a link to the newest that had a load
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What an id begins with, as long as this.
const STAMP: &str = "yyyymmdd-hhmmss";

/// One run on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// Why a run was not found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No name at all, as of a variable that is not set; every id begins with it.
    #[error("the run's name is empty")]
    Empty,
    /// Nothing of that name.
    #[error("there is no run `{name}` in {}", runs.display())]
    None {
        /// As typed.
        name: String,
        /// Where it was looked for.
        runs: PathBuf,
    },
    /// A directory, but not of a run.
    #[error("{} has no run.json, so it is not a run", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// A prefix of several.
    #[error("`{name}` may be {}", candidates.join(", "))]
    Ambiguous {
        /// As typed.
        name: String,
        /// The ids that begin with it.
        candidates: Vec<String>,
    },
}

impl RunDir {
    /// Makes a directory for a new run under `runs`. The id begins with `stamp` (local time) and is made unique with a
    /// number.
    pub fn create(runs: &Path, stamp: &str) -> io::Result<RunDir> {
        fs::create_dir_all(runs)?;
        let mut path = runs.join(stamp);
        for number in 2.. {
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    path = runs.join(format!("{stamp}-{number}"))
                }
                Err(error) => return Err(error),
            }
        }
        let dir = RunDir { path };
        fs::create_dir(dir.path.join("history"))?;
        fs::create_dir(dir.nodes())?;
        Ok(dir)
    }

    /// The run that `name` means: `latest`, an id, a prefix of just one id, or a path to a directory.
    pub fn find(runs: &Path, name: &str) -> Result<RunDir, FindError> {
        if name.is_empty() {
            return Err(FindError::Empty);
        }
        for path in [runs.join(name), PathBuf::from(name)] {
            if path.join("run.json").is_file() {
                return Ok(RunDir { path: fs::canonicalize(&path).unwrap_or(path) });
            }
        }
        // A whole stamp is a name: `X` never means `X-2`, which may be there when `X` is removed already.
        let means = |id: &String| id.starts_with(name) && (name.len() < STAMP.len() || id == name);
        let candidates: Vec<String> = RunDir::list(runs).iter().map(RunDir::id).filter(means).collect();
        let here = [runs.join(name), PathBuf::from(name)].into_iter().find(|path| path.is_dir());
        match (candidates.as_slice(), here) {
            ([], Some(path)) => Err(FindError::NotARun { path }),
            ([], None) => Err(FindError::None { name: name.to_owned(), runs: runs.to_owned() }),
            ([id], _) => Ok(RunDir { path: runs.join(id) }),
            _ => Err(FindError::Ambiguous { name: name.to_owned(), candidates }),
        }
    }

    /// Every run under `runs`, oldest first.
    pub fn list(runs: &Path) -> Vec<RunDir> {
        let entries = fs::read_dir(runs).into_iter().flatten().flatten();
        let mut found: Vec<RunDir> = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| RunDir { path: entry.path() })
            .filter(|dir| dir.manifest().is_file())
            .collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// The directory's name.
    pub fn id(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether both are the same directory.
    pub fn is(&self, other: &RunDir) -> bool {
        matches!((fs::canonicalize(&self.path), fs::canonicalize(&other.path)), (Ok(a), Ok(b)) if a == b)
    }

    /// `run.json`.
    pub fn manifest(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// The history of `workload`, or of the nemesis.
    pub fn history(&self, workload: &str) -> PathBuf {
        self.path.join("history").join(format!("{workload}.jsonl.zst"))
    }

    /// A file in the directory itself.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where the servers' logs go.
    pub fn nodes(&self) -> PathBuf {
        self.path.join("nodes")
    }

    /// Writes a file whole or not at all: under another name first, then renamed.
    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        write_whole(&self.path, name, text)
    }

    /// Removes the run with all that is in it.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(self.path)
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        fn of(path: &Path) -> u64 {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries
                .map(|entry| match entry.metadata() {
                    Ok(data) if data.is_dir() => of(&entry.path()),
                    Ok(data) => data.len(),
                    Err(_) => 0,
                })
                .sum()
        }
        of(&self.path)
    }

    /// Whether anything of a load was recorded, were it only that it began.
    fn is_loaded(&self) -> bool {
        fs::read_dir(self.path.join("history")).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Whether there is nothing in it that explains why its run did not come to a load.
    pub fn is_bare(&self) -> bool {
        let has_logs = fs::read_dir(self.nodes()).is_ok_and(|mut entries| entries.next().is_some());
        !self.is_loaded() && !has_logs
    }

    /// Where `latest` leads to no run: to the newest that had a load, or the newest, or nowhere where there is none.
    pub fn mend_latest(runs: &Path) -> io::Result<()> {
        let link = runs.join("latest");
        if link.join("run.json").is_file() {
            return Ok(());
        }
        let stored = RunDir::list(runs);
        match stored.iter().rfind(|dir| dir.is_loaded()).or(stored.last()) {
            Some(newest) => newest.link_latest(),
            None if link.is_symlink() => fs::remove_file(link),
            None => Ok(()),
        }
    }

    /// Points `latest` here: a link beside it and then a rename, so that it always leads somewhere.
    pub fn link_latest(&self) -> io::Result<()> {
        let Some(runs) = self.path.parent() else { return Ok(()) };
        let (link, partial) = (runs.join("latest"), runs.join(format!(".latest-{}", std::process::id())));
        drop(fs::remove_file(&partial));
        std::os::unix::fs::symlink(self.id(), &partial)?;
        fs::rename(partial, link)
    }
}

/// Writes the file `name` of `folder` whole or not at all.
pub(super) fn write_whole(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let (path, partial) = (folder.join(name), folder.join(format!(".{name}.partial")));
    let mut file = File::create(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(runs: &Path, stamp: &str) -> RunDir {
        let dir = RunDir::create(runs, stamp).unwrap();
        dir.write("run.json", "{}").unwrap();
        dir.link_latest().unwrap();
        dir
    }

    #[test]
    fn runs_are_found_by_what_people_type() {
        let runs = tempfile::tempdir().unwrap();
        let (a, b) = (run(runs.path(), "20260101-101010"), run(runs.path(), "20260102-101010"));
        let find =
            |name: &str| RunDir::find(runs.path(), name).map(|dir| dir.id()).map_err(|e| e.to_string());
        assert_eq!(find("latest"), Ok(b.id()));
        assert_eq!(find("20260101"), Ok(a.id()));
        assert_eq!(find(&a.path().display().to_string()), Ok(a.id()));
        assert!(find("2026").unwrap_err().contains("may be 20260101-101010, 20260102-101010"));
        assert!(find("x").unwrap_err().starts_with("there is no run `x`"));
    }

    #[test]
    fn a_run_that_is_gone_is_not_taken_for_its_neighbour() {
        let runs = tempfile::tempdir().unwrap();
        let (a, b) = (run(runs.path(), "20260101-101010"), run(runs.path(), "20260101-101010"));
        let find = |name: &str| RunDir::find(runs.path(), name).map(|dir| dir.id()).ok();
        assert_eq!((a.id(), b.id()), ("20260101-101010".to_owned(), "20260101-101010-2".to_owned()));
        assert_eq!(find("20260101-101010"), Some(a.id()));
        a.remove().unwrap();
        assert_eq!(find("20260101-101010"), None);
        assert_eq!(find("20260101"), Some(b.id()));
    }

    #[test]
    fn latest_leads_to_the_newest_run_with_a_load() {
        let runs = tempfile::tempdir().unwrap();
        let latest = || RunDir::find(runs.path(), "latest").map(|dir| dir.id()).ok();
        let [loaded, bare, newest] = ["a", "b", "c"].map(|stamp| run(runs.path(), stamp));
        fs::write(loaded.history("orders"), "").unwrap();
        RunDir::mend_latest(runs.path()).unwrap();
        assert_eq!(latest(), Some(newest.id()), "it leads somewhere");
        newest.remove().unwrap();
        assert_eq!(latest(), None);
        RunDir::mend_latest(runs.path()).unwrap();
        assert_eq!(latest(), Some(loaded.id()));
        loaded.remove().unwrap();
        RunDir::mend_latest(runs.path()).unwrap();
        assert_eq!(latest(), Some(bare.id()), "better than none");
        bare.remove().unwrap();
        RunDir::mend_latest(runs.path()).unwrap();
        assert!(!runs.path().join("latest").is_symlink());
        RunDir::mend_latest(runs.path()).unwrap();
    }

    #[test]
    fn no_name_means_no_run() {
        let runs = tempfile::tempdir().unwrap();
        run(runs.path(), "20260101-101010");
        assert!(matches!(RunDir::find(runs.path(), ""), Err(FindError::Empty)));
    }

    #[test]
    fn two_runs_of_one_second_do_not_share_a_directory() {
        let runs = tempfile::tempdir().unwrap();
        assert_ne!(run(runs.path(), "a"), run(runs.path(), "a"));
        assert_eq!(RunDir::list(runs.path()).len(), 2);
    }
}
