//! Where PostgreSQL's server programs are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::topology::TopologyError;
use crate::topology::process::Program;

/// What a cluster cannot do without.
const NEEDED: [&str; 3] = ["initdb", "postgres", "pg_basebackup"];

/// The oldest major version that is supported.
const OLDEST: u32 = 14;

/// A folder with the programs of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The folder.
    pub directory: PathBuf,
    /// As the server says it: `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// The major version.
    pub major: u32,
}

impl Binaries {
    /// Finds PostgreSQL: `explicit` (`--pg-bin`), `REPLAB_PG_BIN`, `pg_config --bindir`, the newest of the folders
    /// that distributions use, `PATH`. One that is named and does not fit is an error; the others are passed over.
    ///
    /// # Errors
    /// [`TopologyError::NoBinaries`], with every place that was looked at and why it does not do.
    pub async fn discover(explicit: Option<&Path>) -> Result<Binaries, TopologyError> {
        let named = explicit.map(|path| ("--pg-bin", path.to_path_buf()));
        let named = named.or_else(|| env_path("REPLAB_PG_BIN").map(|path| ("REPLAB_PG_BIN", path)));
        if let Some((source, directory)) = named {
            return Binaries::of(&directory)
                .await
                .map_err(|why| TopologyError::NoBinaries { looked: vec![looked(source, &directory, &why)] });
        }
        let mut looked_at = Vec::new();
        for (source, directory) in places().await {
            match Binaries::of(&directory).await {
                Ok(binaries) => return Ok(binaries),
                Err(why) => looked_at.push(looked(source, &directory, &why)),
            }
        }
        if looked_at.is_empty() {
            looked_at.push("  no pg_config, nothing in the usual folders, no `postgres` in PATH".to_owned());
        }
        Err(TopologyError::NoBinaries { looked: looked_at })
    }

    /// The path of a program in the folder.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Judges one folder.
    async fn of(directory: &Path) -> Result<Binaries, String> {
        let directory = directory.canonicalize().map_err(|error| error.to_string())?;
        let missing: Vec<&str> =
            NEEDED.into_iter().filter(|name| !is_executable(&directory.join(name))).collect();
        if !missing.is_empty() {
            return Err(format!("has no {}", missing.join(", no ")));
        }
        let program = Program::new(directory.join("postgres"), &directory, None).args(["--version"]);
        let said = program.run(Duration::from_secs(10)).await.map_err(|error| error.to_string())?;
        let (version, major) =
            parse_version(&said).ok_or_else(|| format!("`postgres --version` says `{}`", said.trim()))?;
        if major < OLDEST {
            return Err(format!("is version {version}; {OLDEST} or newer is needed"));
        }
        Ok(Binaries { directory, version, major })
    }
}

fn looked(source: &str, directory: &Path, why: &str) -> String {
    format!("  {} ({source}): {why}", directory.display())
}

fn env_path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where to look when nobody said where.
async fn places() -> Vec<(&'static str, PathBuf)> {
    let mut places = Vec::new();
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(pg_config) = in_path(&path, "pg_config").into_iter().next() {
        let program = Program::new(pg_config, Path::new("/"), None).args(["--bindir"]);
        if let Ok(bindir) = program.run(Duration::from_secs(10)).await {
            places.push(("pg_config --bindir", PathBuf::from(bindir.trim())));
        }
    }
    let mut folders: Vec<(u32, PathBuf)> = Vec::new();
    folders.extend(versioned(Path::new("/usr/lib/postgresql"), ""));
    folders.extend(versioned(Path::new("/usr"), "pgsql-"));
    for homebrew in ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"] {
        folders.extend(versioned(Path::new(homebrew), "postgresql@"));
    }
    folders.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    places.extend(folders.into_iter().map(|(_, folder)| ("usual folder", folder)));
    for postgres in in_path(&path, "postgres") {
        // Distributions link some of the programs into the PATH; their neighbours are where the link leads.
        let real = postgres.canonicalize().unwrap_or(postgres);
        places.extend(real.parent().map(|folder| ("PATH", folder.to_path_buf())));
    }
    let mut known = Vec::new();
    places.retain(|(_, folder)| {
        let new = !known.contains(folder);
        known.push(folder.clone());
        new
    });
    places
}

/// `<parent>/<prefix><version>/bin`, as it exists.
fn versioned(parent: &Path, prefix: &str) -> Vec<(u32, PathBuf)> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let folder = |entry: std::fs::DirEntry| {
        let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
        let bin = entry.path().join("bin");
        bin.is_dir().then_some((version, bin))
    };
    entries.filter_map(folder).collect()
}

fn in_path(path: &OsString, program: &str) -> Vec<PathBuf> {
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .filter(|file| is_executable(file))
        .collect()
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// `postgres (PostgreSQL) 15.18 (Debian …)`; a beta is `19beta1`.
fn parse_version(said: &str) -> Option<(String, u32)> {
    let version = said.trim().split_once("(PostgreSQL) ")?.1;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version.to_owned(), version[..digits].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        let parsed = |said| parse_version(said).map(|(_, major)| major);
        assert_eq!(parsed("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parsed("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(parsed("postgres (Other) 15.1"), None);
        assert_eq!(parsed("postgres (PostgreSQL) devel"), None);
    }

    #[tokio::test]
    async fn a_named_folder_that_does_not_fit_is_an_error_and_says_why() {
        let empty = tempfile::tempdir().unwrap();
        let error = Binaries::discover(Some(empty.path())).await.unwrap_err().to_string();
        assert!(error.contains("--pg-bin") && error.contains("has no initdb, no postgres"), "{error}");
        let error = Binaries::discover(Some(Path::new("/nowhere/at/all"))).await.unwrap_err().to_string();
        assert!(error.contains("No such file"), "{error}");
    }

    #[tokio::test]
    async fn an_old_version_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        for name in NEEDED {
            let file = folder.path().join(name);
            std::fs::write(&file, "#!/bin/sh\necho 'postgres (PostgreSQL) 13.9'\n").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let error = loop {
            let error = Binaries::discover(Some(folder.path())).await.unwrap_err().to_string();
            // Another test's child may hold the script open for writing, between its fork and its exec.
            if !error.contains("Text file busy") {
                break error;
            }
        };
        assert!(error.contains("is version 13.9; 14 or newer is needed"), "{error}");
    }
}
