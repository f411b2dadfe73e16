//! Ending a cluster without asking it: what the guard, `gc` and a panic do.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::hold::Hold;
use super::make::{known_node, socket_directory};
use super::state::{ClusterState, StateDir};
use super::{cache, mount};
use crate::topology::TopologyError;
use crate::topology::process::{Account, Identity, processes_of};

/// What was found of a cluster that nobody keeps any more, and ended unless it was a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Its name, where that is still readable.
    pub name: Option<String>,
    /// The processes that were killed.
    pub killed: Vec<i32>,
    /// The directories that were removed.
    pub removed: Vec<PathBuf>,
    /// What a docker engine kept of it and was told to remove: `container <name>`, `network <name>`, `volume <name>`.
    pub discarded: Vec<String>,
    /// Processes that are still there, and the reason why a directory is.
    pub failed: Vec<String>,
}

/// Kills what belongs to the cluster in `directory`, then removes it. The logs stay.
pub(super) fn sweep(directory: &Path, dry_run: bool) -> Swept {
    let state = ClusterState::read(directory).ok();
    let mut swept = Swept { name: state.as_ref().map(|state| state.name.clone()), ..Swept::default() };
    // Taken before anything is killed: the descendants of a postmaster are no longer its children afterwards.
    let registered = state.iter().flat_map(|state| &state.nodes).filter_map(|node| node.process.clone());
    let mut known: Vec<Identity> = registered.flat_map(|root| processes_of(directory, Some(&root))).collect();
    for attempt in 0..500 {
        known.extend(processes_of(directory, None));
        known.retain(Identity::is_alive);
        if known.is_empty() || dry_run {
            break;
        }
        for process in &known {
            process.signal(Signal::SIGKILL);
            swept.killed.push(process.pid);
        }
        thread::sleep(Duration::from_millis(if attempt < 20 { 2 } else { 20 }));
    }
    swept.killed.extend(known.iter().filter(|_| dry_run).map(|process| process.pid));
    swept.killed.sort_unstable();
    swept.killed.dedup();
    if dry_run {
        swept.removed.push(directory.to_path_buf());
        return swept;
    }
    if !known.is_empty() {
        // The directory stays: it is what the next attempt finds them by.
        swept.failed =
            known.iter().map(|process| format!("process {} outlives SIGKILL", process.pid)).collect();
        return swept;
    }
    swept.failed = state.iter().flat_map(|state| release_memory(directory, state)).collect();
    // Not to be removed from below: a mount keeps its directory.
    if let Err(error) = mount::unmount_all(directory) {
        swept.failed.push(format!("unmount {}: {error}", directory.display()));
        return swept;
    }
    // Not from the file: the server's account can write it, and what is removed here may be removed by root.
    let socket = directory.file_name().map(|id| socket_directory(directory, &id.to_string_lossy()));
    let socket = socket.filter(|socket| !socket.starts_with(directory) && socket.exists());
    for path in socket.iter().map(PathBuf::as_path).chain([directory]) {
        match remove(path) {
            Ok(()) => swept.removed.push(path.to_path_buf()),
            Err(error) => swept.failed.push(format!("remove {}: {error}", path.display())),
        }
    }
    swept
}

/// What the servers left in memory; answers why that of some stays.
fn release_memory(directory: &Path, state: &ClusterState) -> Vec<String> {
    let account = Account::for_server().ok().flatten();
    let failed = |state_of_node| {
        let node = known_node(directory, state, state_of_node, account.as_ref());
        // On a full disk no program of the server's starts. One that cannot be freed has the program say so.
        if let Some(disk) = &node.disk {
            let _ = disk.free_of_others();
        }
        let released = node.release_memory_blocking();
        released.err().map(|error| format!("release the shared memory of {}: {error}", node.name))
    };
    // The last one first: where it had to take the next number, that is looked at while the earlier ones are held.
    state.nodes.iter().rev().filter_map(failed).collect()
}

/// Removes a directory; again if somebody writes into it meanwhile, as a copy that was interrupted does.
pub(in crate::topology) fn remove(path: &Path) -> io::Result<()> {
    for _ in 0..20 {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.exists() => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => return done,
        }
    }
    fs::remove_dir_all(path)
}

/// Ends and removes every cluster whose replab is gone, every one that was left running and does not run any more,
/// and every half-made one. With `dry_run` only says which.
pub fn gc(state: &StateDir, dry_run: bool) -> Result<Vec<Swept>, TopologyError> {
    // While the lock is held nobody is in the middle of entering a cluster.
    let _registry = state.lock()?;
    let mut found = Vec::new();
    for directory in state.entries("clusters")? {
        let garbage = match ClusterState::read(&directory) {
            _ if is_unfinished(&directory) => true,
            // Somebody is at work on it: a node that has ended may be about to be started.
            Ok(_) if Hold::is_held(&directory) => false,
            Ok(cluster) => cluster.is_orphan() || (cluster.owner.is_none() && !cluster.is_kept()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_remains(&directory) => true,
            // Gone meanwhile.
            Err(_) if !directory.exists() => false,
            // Another version's, which may well run, or not a cluster at all: nothing that can be judged here.
            Err(error) => {
                let why = format!(
                    "{} is left alone: its cluster.json cannot be read ({error})",
                    directory.display()
                );
                found.push(Swept { failed: vec![why], ..Swept::default() });
                false
            }
        };
        if garbage {
            found.push(sweep(&directory, dry_run));
        }
    }
    let caches = cache::collect(state, dry_run)?;
    if !caches.is_empty() {
        found.push(Swept { removed: caches, ..Swept::default() });
    }
    Ok(found)
}

/// Whether this is what a sweep that was interrupted left of a cluster: part of what a cluster holds, and nothing else.
fn is_remains(directory: &Path) -> bool {
    const PARTS: [&str; 7] =
        ["nodes", "socket", "pgpass", "cluster.json.new", "ca.pem", "hosts", "hosts.new"];
    let is_part = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| PARTS.iter().any(|part| entry.file_name() == *part))
    };
    fs::read_dir(directory).is_ok_and(|mut entries| entries.all(is_part))
}

fn is_unfinished(directory: &Path) -> bool {
    directory.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".new-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gc_leaves_alone_what_it_cannot_read() {
        let root = tempfile::tempdir().unwrap();
        let state = StateDir::open(Some(root.path())).unwrap();
        let clusters = state.path().join("clusters");
        let make = |name: &str, file: &str| {
            fs::create_dir_all(clusters.join(name).join("nodes")).unwrap();
            fs::write(clusters.join(name).join(file), "{}").unwrap();
            clusters.join(name)
        };
        // Somebody else's, another version's, and what an interrupted sweep left.
        let (foreign, newer, remains) = (make("a", "config"), make("b", "cluster.json"), make("c", "pgpass"));
        let found = gc(&state, false).unwrap();
        assert!(foreign.exists() && newer.exists() && !remains.exists());
        let failed: Vec<&String> = found.iter().flat_map(|swept| &swept.failed).collect();
        assert_eq!(failed.len(), 2, "{found:?}");
        assert!(failed[0].starts_with(&format!("{} is left alone", foreign.display())), "{failed:?}");
        assert_eq!(found[2].removed, [remains]);
    }
}
