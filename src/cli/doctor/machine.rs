//! Accounts, ports, limits, and programs that are good to have.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{Uid, User};

use super::{Finding, Level};

/// A run holds some hundred files open: connections, histories, logs.
const FILES: u64 = 1024;

/// Whom the servers run as: PostgreSQL refuses root.
pub(super) fn account() -> Finding {
    let known = |name: &str| User::from_name(name).ok().flatten().is_some();
    judge_account(Uid::effective().is_root(), known)
}

fn judge_account(is_root: bool, known: impl Fn(&str) -> bool) -> Finding {
    const WHAT: &str = "user of the servers";
    if !is_root {
        return Finding::new(WHAT, Level::Ok, "the one that runs replab");
    }
    match ["postgres", "nobody"].into_iter().find(|name| known(name)) {
        Some(name) => Finding::new(WHAT, Level::Ok, format!("{name}, since PostgreSQL refuses root")),
        None => Finding::new(
            WHAT,
            Level::Problem,
            "PostgreSQL refuses root, and there is no `postgres` or `nobody`",
        )
        .help("run replab as another user, or make one: useradd --system postgres"),
    }
}

/// Whether servers can listen for local connections.
pub(super) fn loopback() -> Finding {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) {
        Ok(_) => Finding::new("loopback", Level::Ok, "127.0.0.1 can be listened on"),
        Err(error) => Finding::new("loopback", Level::Problem, format!("listen on 127.0.0.1: {error}"))
            .help("bring up the loopback interface: ip link set lo up"),
    }
}

/// How many files may be open.
pub(super) fn descriptors() -> Finding {
    const WHAT: &str = "open files";
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((limit, _)) => judge_descriptors(limit),
        Err(error) => Finding::new(WHAT, Level::Warning, error.to_string()),
    }
}

fn judge_descriptors(limit: u64) -> Finding {
    let detail = format!("at most {limit}");
    if limit < FILES {
        Finding::new("open files", Level::Warning, format!("{detail}: few for many clients"))
            .help(format!("ulimit -n {FILES}"))
    } else {
        Finding::new("open files", Level::Ok, detail)
    }
}

/// What some parts use and a run does not need.
pub(super) fn optional() -> Vec<Finding> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    [
        ("docker", &["docker"][..], "for clusters of containers"),
        ("browser", &["chromium", "chromium-browser", "google-chrome"], "for the tests of the report's page"),
        ("browser driver", &["chromedriver"], "for the tests of the report's page"),
    ]
    .into_iter()
    .map(|(what, programs, purpose)| match programs.iter().find_map(|program| find(&path, program)) {
        Some(found) => Finding::new(what, Level::Ok, found.display().to_string()),
        None => Finding::new(what, Level::Optional, format!("not found; only {purpose}")),
    })
    .collect()
}

fn find(path: &OsStr, program: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_needs_somebody_to_drop_to() {
        assert_eq!(judge_account(false, |_| false).level, Level::Ok);
        assert!(judge_account(true, |_| true).detail.starts_with("postgres"));
        assert!(judge_account(true, |name| name == "nobody").detail.starts_with("nobody"));
        assert_eq!(judge_account(true, |_| false).level, Level::Problem);
    }

    #[test]
    fn few_open_files_are_worth_a_word() {
        assert_eq!(judge_descriptors(256).level, Level::Warning);
        assert_eq!(judge_descriptors(1024).level, Level::Ok);
    }

    #[test]
    fn programs_are_found_in_the_path_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("docker"), "").unwrap();
        let path = std::env::join_paths([&PathBuf::from("/nowhere"), folder.path()]).unwrap();
        assert_eq!(find(&path, "docker"), Some(folder.path().join("docker")));
        assert_eq!(find(&path, "chromium"), None);
    }
}
