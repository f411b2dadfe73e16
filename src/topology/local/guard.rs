//! The process that outlives replab: if replab is killed, it ends the cluster.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Child;

use super::sweep::{Swept, sweep};
use crate::topology::TopologyError;
use crate::topology::process::Program;

const READY: &str = "ready\n";
const DISMISSED: &[u8] = b"dismissed\n";

/// The guard, as replab holds it. Dropped without being dismissed, it does its work.
#[derive(Debug)]
pub(super) struct Guard {
    child: Child,
}

impl Guard {
    /// Starts `<program> guard <directory>` and waits until it stands. It is in a process group of its own, so that
    /// Ctrl-C does not end it together with replab.
    pub(super) fn start(program: Option<&Path>, directory: &Path) -> Result<Guard, TopologyError> {
        let path = match program {
            Some(path) => path.to_path_buf(),
            None => std::env::current_exe().map_err(TopologyError::io("find", Path::new("replab")))?,
        };
        let failed = |why: String| TopologyError::Guard { path: path.clone(), why };
        let arguments = [PathBuf::from("guard"), directory.to_path_buf()];
        let mut child = Program::new(&path, Path::new("/"), None)
            .args(arguments)
            .converse()
            .map_err(|error| failed(error.to_string()))?;
        let mut answer = String::new();
        let stdout = child.stdout.take().map(io::BufReader::new);
        let read = stdout.map(|mut stdout| stdout.read_line(&mut answer));
        if answer != READY {
            let status = child.wait().map(|status| status.to_string()).unwrap_or_default();
            return Err(failed(match read {
                Some(Err(error)) => error.to_string(),
                _ => format!("it says {answer:?} ({status})"),
            }));
        }
        Ok(Guard { child })
    }

    /// Tells it that the cluster is ended, or is meant to stay.
    pub(super) fn dismiss(mut self) {
        if let Some(mut stdin) = self.child.stdin.take() {
            // If it is gone already it cannot do harm.
            let _ = stdin.write_all(DISMISSED);
        }
        let _ = self.child.wait();
    }
}

/// What `replab guard <directory>` does: waits until the replab that started it ends, then sweeps, unless it was
/// dismissed. `None` if it was.
pub fn stand(directory: &Path) -> io::Result<Option<Swept>> {
    let mut stdout = io::stdout();
    stdout.write_all(READY.as_bytes())?;
    stdout.flush()?;
    let mut said = Vec::new();
    // An error is an end, too: whoever held the other side is gone.
    let _ = io::stdin().read_to_end(&mut said);
    if said == DISMISSED { Ok(None) } else { Ok(Some(sweep(directory, false))) }
}
