//! What a server that was killed leaves in the machine's memory: a System V segment, of which a system has some thousands,
//! and POSIX ones, which take room until it is started anew (manual, "Shared Memory and Semaphores").
//!
//! The next start in the same data directory removes them, and once that directory is gone, nothing does. It looks for the
//! first under the directory's inode number, and the numbers after it as long as others hold them: of servers on disks of
//! their own, whose numbers are the same, one can be missed.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use super::node::Node;
use crate::topology::TopologyError;
use crate::topology::process::Program;

const LIMIT: Duration = Duration::from_secs(10);

impl Node {
    /// Removes what the server, none of whose processes runs, has left.
    ///
    /// # Errors
    /// Its program cannot be run, or fails; what was left stays then.
    pub(super) async fn release_memory(&self) -> Result<(), TopologyError> {
        match self.check_of_settings()? {
            Some(check) => check.run(LIMIT).await.map(drop),
            None => Ok(()),
        }
    }

    /// The same where nothing else can go on meanwhile.
    pub(super) fn release_memory_blocking(&self) -> Result<(), TopologyError> {
        self.check_of_settings()?.map_or(Ok(()), |check| check.run_blocking(LIMIT).map(drop))
    }

    /// The server's own check of its settings, which `initdb` uses: it takes the memory as a start does, removes what it
    /// finds of an earlier one, and ends. `None` where a shutdown has left nothing.
    fn check_of_settings(&self) -> Result<Option<Program>, TopologyError> {
        let lock = self.lock_file();
        match fs::remove_file(&lock) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            removed => removed.map_err(TopologyError::io("remove", &lock))?,
        }
        let major = fs::read_to_string(self.data.join("PG_VERSION")).unwrap_or_default();
        let check: &[&str] = if major.trim() == "14" { &["--boot", "-x0"] } else { &["--check"] };
        // Not with its own settings: they may be what it ended of, and ask for more memory than there is.
        let program = Program::new(&self.postgres, &self.data, self.account.as_ref())
            .args(check)
            .args([
                "-c",
                "config_file=/dev/null",
                "-c",
                "shared_buffers=1MB",
                "-c",
                "max_connections=5",
                "-D",
            ])
            .args([&self.data]);
        Ok(Some(program))
    }
}
