//! The files by which a server keeps others out of its data directory and off its socket.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::node::Node;
use crate::topology::TopologyError;
use crate::topology::process::{Identity, processes_of};

/// How long the system's first process may take to reap what it inherited.
const REAPING: Duration = Duration::from_secs(2);

impl Node {
    /// The lock of the data directory.
    pub(super) fn lock_file(&self) -> PathBuf {
        self.data.join("postmaster.pid")
    }

    /// PostgreSQL refuses a data directory, and a socket, whose lock file names a process that exists, and a zombie does.
    /// Ours are reaped before this; one that another replab left to the system may stay for a while, or for ever where
    /// the system's first process does not reap.
    pub(super) async fn clear_locks_of_zombie(&self) -> Result<(), TopologyError> {
        let locks = [self.lock_file(), self.socket.join(format!(".s.PGSQL.{}.lock", self.port()))];
        let names_zombie = |lock: &&PathBuf| holder(lock).is_some_and(Identity::is_zombie);
        let reaped = async {
            while locks.iter().any(|lock| names_zombie(&lock)) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        if timeout(REAPING, reaped).await.is_err() && processes_of(&self.data, None).is_empty() {
            for lock in locks.iter().filter(names_zombie) {
                fs::remove_file(lock).map_err(TopologyError::io("remove", lock))?;
            }
        }
        Ok(())
    }
}

/// The process that a lock file names.
pub(super) fn holder(lock: &Path) -> Option<i32> {
    fs::read_to_string(lock).ok()?.lines().next()?.trim().parse().ok()
}
