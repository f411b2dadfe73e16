//! What servers hold of the machine's memory that outlives their processes (Linux only).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The segments of one server.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    /// The number of the System V one, as in `/proc/sysvipc/shm`.
    segment: String,
    /// The POSIX ones that the postmaster uses.
    files: BTreeSet<PathBuf>,
}

impl SharedMemory {
    /// Of every node of the cluster in `directory`; all of them run.
    pub(crate) fn of_nodes(directory: &Path) -> Vec<SharedMemory> {
        let nodes = fs::read_dir(directory.join("nodes")).unwrap().flatten();
        let found: Vec<_> = nodes.map(|node| SharedMemory::of(&node.path())).collect();
        assert!(found.len() > 1);
        found.iter().for_each(SharedMemory::assert_taken);
        found
    }

    fn of(data: &Path) -> SharedMemory {
        let lock = fs::read_to_string(data.join("postmaster.pid")).unwrap();
        let lines: Vec<&str> = lock.lines().collect();
        let segment = lines[6].split_whitespace().nth(1).unwrap().to_owned();
        let maps = fs::read_to_string(format!("/proc/{}/maps", lines[0])).unwrap();
        let files = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
        let files =
            files.filter(|file| file.starts_with("/dev/shm/PostgreSQL.")).map(PathBuf::from).collect();
        SharedMemory { segment, files }
    }

    fn has_segment(&self) -> bool {
        let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
        table.lines().any(|line| line.split_whitespace().nth(1) == Some(&self.segment))
    }

    pub(crate) fn assert_taken(&self) {
        let there = !self.files.is_empty() && self.files.iter().all(|file| file.exists());
        assert!(self.has_segment() && there, "{self:?}");
    }

    pub(crate) fn assert_released(&self) {
        assert!(!self.has_segment() && !self.files.iter().any(|file| file.exists()), "{self:?}");
    }
}
