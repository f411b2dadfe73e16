//! Errors of the stages as failures of the program: which exit code, and what to type next.

use std::io;
use std::path::Path;

use super::{Exit, Failure};
use crate::run::{FindError, JudgeError, RunDir, RunError};
use crate::topology::{Category, TopologyError};

/// A cluster that cannot be made or used.
pub(super) fn topology(error: TopologyError) -> Failure {
    let exit = match error.category() {
        Category::Environment => Exit::Environment,
        Category::Lab => Exit::Lab,
    };
    match error.help() {
        Some(help) => Failure::new(exit, error).help(help),
        None => Failure::new(exit, error),
    }
}

/// A run that did not end as planned.
pub(super) fn run(error: RunError, dir: &RunDir) -> Failure {
    let logs = format!(
        "the servers' logs are in {}\nreplab doctor checks what a run needs here",
        dir.nodes().display()
    );
    match error {
        RunError::Topology(error) if error.help().is_none() => topology(error).help(logs),
        RunError::Topology(error) => topology(error),
        RunError::Files(error) => directory(dir.path(), error),
        error @ (RunError::Settings(_) | RunError::SetUp(_) | RunError::Finale(_) | RunError::Lab(_)) => {
            Failure::new(Exit::Lab, error).help(logs)
        }
    }
}

/// A directory that cannot be written.
pub(super) fn directory(path: &Path, error: io::Error) -> Failure {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room on that disk, or choose another directory with --runs DIR"
        }
        _ => "choose another directory with --runs DIR\nreplab doctor checks what a run needs here",
    };
    Failure::new(Exit::Environment, anyhow::Error::new(error).context(format!("write {}", path.display())))
        .help(help)
}

/// A stored run that was not found.
pub(super) fn find(error: FindError) -> Failure {
    Failure::new(Exit::Usage, error).help("replab runs list shows what is there")
}

/// A stored run that cannot be judged.
pub(super) fn judge(error: JudgeError) -> Failure {
    Failure::new(Exit::Environment, error)
        .help("the files of the run are damaged, or written by another version; what is whole can be read with `zstd -dc`")
}
