//! A stored run as it is reached from the current folder.

use std::path::{Path, PathBuf};

use crate::report::Report;
use crate::run::RunDir;

/// The report of the run in `dir`, its paths changed to ones that work here: it holds those of the folder where the run
/// was started.
pub(super) fn here(mut report: Report, dir: &RunDir) -> Report {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = std::env::current_dir().map(|folder| whole(&folder)).unwrap_or_default();
    let directory = reached(&whole(dir.path()), &folder).display().to_string();
    let plan = |directory: &str| format!("{directory}/plan.toml");
    report.run.reproduce = report.run.reproduce.replacen(&plan(&report.run.directory), &plan(&directory), 1);
    report.run.directory = directory;
    report
}

/// `path` from `folder`: what lies below, or the whole path.
fn reached(path: &Path, folder: &Path) -> PathBuf {
    match path.strip_prefix(folder) {
        Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Ok(below) => below.to_owned(),
        Err(_) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_down_or_begin_at_the_root() {
        for (folder, path) in [("/a", "runs/1"), ("/a/runs/1", "."), ("/b", "/a/runs/1"), ("", "/a/runs/1")] {
            assert_eq!(reached(Path::new("/a/runs/1"), Path::new(folder)), Path::new(path), "{folder}");
        }
    }
}
