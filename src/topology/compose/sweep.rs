//! Removing what belongs to a cluster, whoever made it and however far that got.

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::engine::{CLUSTER, Engine, Kind, Labelled, STATE};
use super::make::Entry;
use super::owner;
use crate::topology::TopologyError;
use crate::topology::local::{StateDir, Swept, remove};

/// How often it is looked again: what was being made while its maker was killed may appear late.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(150);

/// Removes every container, network and volume that carries the label of cluster `id`, then its directory. With
/// `dry_run` only says which.
pub(super) fn sweep(engine: &Engine, id: &str, directory: Option<&Path>, dry_run: bool) -> Swept {
    let mut swept = Swept { name: Some(id.to_owned()), ..Swept::default() };
    let mut discarded = BTreeSet::new();
    let mut clean = 0;
    for look in 0..LOOKS {
        if look > 0 {
            thread::sleep(PAUSE);
        }
        let found = match find(engine, CLUSTER, id) {
            Ok(found) => found,
            Err(error) => {
                swept.failed = vec![format!("look for the containers of `{id}`: {error}")];
                return swept;
            }
        };
        // Not sooner than at the second look: see above.
        clean = if found.is_empty() { clean + 1 } else { 0 };
        swept.failed.clear();
        for thing in &found {
            discarded.insert(format!("{} {}", thing.kind.noun(), thing.name));
            if !dry_run && let Err(error) = engine.remove(thing) {
                swept.failed.push(format!("remove {} {}: {error}", thing.kind.noun(), thing.name));
            }
        }
        if dry_run || clean == 2 {
            break;
        }
    }
    swept.discarded = discarded.into_iter().collect();
    if !dry_run && clean < 2 && swept.failed.is_empty() {
        swept.failed.push(format!("what belongs to `{id}` comes back whenever it is removed"));
    }
    // The directory is what the next attempt finds the engine by.
    if let Some(directory) = directory.filter(|_| swept.failed.is_empty()) {
        match if dry_run { Ok(()) } else { remove(directory) } {
            Ok(()) => swept.removed.push(directory.to_path_buf()),
            Err(error) => swept.failed.push(format!("remove {}: {error}", directory.display())),
        }
    }
    swept
}

/// Everything with this label, in the order in which it can be removed.
fn find(engine: &Engine, name: &str, value: &str) -> Result<Vec<Labelled>, TopologyError> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        found.extend(engine.labelled(kind, name, value)?);
    }
    Ok(found)
}

/// Removes every cluster of containers that was made from this state directory and whose replab is gone: at the engines that
/// the directory names, and at the one that this process means. With `dry_run` only says which.
pub fn gc(state: &StateDir, dry_run: bool) -> Result<Vec<Swept>, TopologyError> {
    // While the lock is held nobody is in the middle of entering a cluster.
    let _registry = state.lock()?;
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for directory in state.entries("compose")? {
        let id = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match Entry::read(&directory) {
            Ok(entry) if owner::is_gone(&entry.owner, &entry.host) => {
                found.push(sweep(&Engine::at(entry.docker_host), &id, Some(&directory), dry_run));
            }
            Ok(_) => {}
            // Gone meanwhile.
            Err(_) if !directory.exists() => {}
            Err(error) => {
                let why = format!("{} is left alone: {error}", directory.display());
                found.push(Swept { failed: vec![why], ..Swept::default() });
            }
        }
        seen.insert(id);
    }
    let engine = Engine::at(None);
    // Where there is no engine, there is nothing of which it could be the keeper.
    let own = state.path().display().to_string();
    let labelled = if engine.check().is_ok() { find(&engine, STATE, &own)? } else { Vec::new() };
    let orphans = labelled.into_iter().filter(|thing| owner::is_gone(&thing.owner, &thing.host));
    let orphans: BTreeSet<String> = orphans.map(|thing| thing.cluster).collect();
    for id in orphans.difference(&seen) {
        found.push(sweep(&engine, id, None, dry_run));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_cannot_be_looked_for_is_said_and_stays_known() {
        let root = tempfile::tempdir().unwrap();
        let state = StateDir::open(Some(root.path())).unwrap();
        let directory = state.path().join("compose/lab-1");
        let entry = Entry {
            owner: r#"{"pid": 999999999, "start": "1"}"#.to_owned(),
            host: owner::host(),
            docker_host: Some("unix:///nowhere/docker.sock".to_owned()),
            ports: vec![1],
        };
        fs::create_dir(&directory).unwrap();
        entry.write(&directory).unwrap();
        let failed: Vec<String> =
            gc(&state, false).unwrap().into_iter().flat_map(|swept| swept.failed).collect();
        assert!(failed.iter().any(|why| why.starts_with("look for the containers of `lab-1`")), "{failed:?}");
        assert!(directory.exists());
        Entry { owner: owner::label().unwrap(), ..entry }.write(&directory).unwrap();
        let swept = gc(&state, false).unwrap();
        assert!(
            !swept.iter().any(|swept| swept.name.as_deref() == Some("lab-1")),
            "its owner runs: {swept:?}"
        );
    }
}
