//! What `initdb` makes, once per version and then copied.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::binaries::Binaries;
use super::settings::SUPERUSER;
use super::state::{StateDir, give, random_hex};
use crate::topology::TopologyError;
use crate::topology::process::{Account, Identity, Program};

/// Changes whenever the options below do.
const OPTIONS_VERSION: u32 = 1;

/// The directory of a cluster as `initdb` leaves it, made now if it is not there yet.
///
/// It holds no secret: the superuser has no password, so that nobody can come in over TCP until one is set in the
/// copy. Two replabs that make it at once make one each; the first rename wins.
pub(super) async fn ensure(
    state: &StateDir,
    binaries: &Binaries,
    account: Option<&Account>,
) -> Result<PathBuf, TopologyError> {
    let user = nix::unistd::Uid::effective();
    let key: String =
        binaries.version.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let uid = account.map_or(user, |account| account.uid);
    let cached = state.cache().join(format!("{key}-{OPTIONS_VERSION}-{uid}"));
    if cached.join("PG_VERSION").exists() {
        return Ok(cached);
    }
    let owner = Identity::of_self().map_or(0, |identity| identity.pid);
    let unfinished = state.cache().join(format!(".new-{owner}-{}", random_hex::<4>()?));
    fs::DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .map_err(TopologyError::io("create", &unfinished))?;
    give(&unfinished, account)?;
    let made = initdb(binaries, &unfinished, account).await;
    // A directory with files in it cannot be renamed over: somebody else was faster, with the same contents.
    let renamed = made.and_then(|()| match fs::rename(&unfinished, &cached) {
        Err(_) if cached.join("PG_VERSION").exists() => Ok(()),
        renamed => renamed.map_err(TopologyError::io("create", &cached)),
    });
    if unfinished.exists() {
        // Best effort; `replab gc` removes what stays.
        let _ = fs::remove_dir_all(&unfinished);
    }
    renamed.map(|()| cached)
}

async fn initdb(
    binaries: &Binaries,
    directory: &Path,
    account: Option<&Account>,
) -> Result<(), TopologyError> {
    // Checksums, because pg_rewind needs them (or wal_log_hints), and because they make torn pages visible.
    Program::new(binaries.program("initdb"), directory, account)
        .args(["--data-checksums", "--auth-host=scram-sha-256", "--auth-local=peer"])
        .args(["--encoding=UTF8", "--no-locale", "--username", SUPERUSER, "--pgdata"])
        .args([directory])
        .run(Duration::from_secs(120))
        .await
        .map(drop)
}

/// Copies a directory and everything in it, for `account`.
///
/// The copy is not synced. What PostgreSQL acknowledges later it syncs itself; the base under it is lost only if the
/// machine loses power, and with it the whole lab, whose faults kill processes and leave the page cache alone.
pub(super) fn copy(from: &Path, to: &Path, account: Option<&Account>) -> Result<(), TopologyError> {
    fs::DirBuilder::new().mode(0o700).create(to).map_err(TopologyError::io("create", to))?;
    give(to, account)?;
    for entry in fs::read_dir(from).map_err(TopologyError::io("read", from))? {
        let entry = entry.map_err(TopologyError::io("read", from))?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type().map_err(TopologyError::io("read", &entry.path()))?;
        if kind.is_dir() {
            copy(&entry.path(), &target, account)?;
        } else {
            fs::copy(entry.path(), &target).map_err(TopologyError::io("write", &target))?;
            give(&target, account)?;
        }
    }
    Ok(())
}

/// Removes what interrupted `initdb`s left, if their replab is gone. Answers what it removed, or would remove.
pub(super) fn collect(state: &StateDir, dry_run: bool) -> Result<Vec<PathBuf>, TopologyError> {
    let mut found = Vec::new();
    for path in state.entries("cache")? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let owner =
            name.strip_prefix(".new-").and_then(|rest| rest.split_once('-')).map(|(pid, _)| pid.parse());
        let Some(Ok(pid)) = owner else { continue };
        if Identity::of(pid).is_none() {
            if !dry_run {
                fs::remove_dir_all(&path).map_err(TopologyError::io("remove", &path))?;
            }
            found.push(path);
        }
    }
    Ok(found)
}
