//! Small files in a node's data directory, by which the lab and a node's own SQL tell each other something.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;

use super::Cluster;
use super::state::give;
use crate::history::NodeName;
use crate::topology::TopologyError;
use crate::topology::servers::Server as _;

impl Cluster {
    /// Puts `contents` into the file `name`; a reader sees the old or the new. Answers whether: not into a node that is down
    /// or may be made anew just now.
    pub fn put(&self, node: NodeName, name: &str, contents: &[u8]) -> Result<bool, TopologyError> {
        let Ok(node) = self.node(node) else { return Ok(false) };
        if !node.is_running() || node.standing().diverged {
            return Ok(false);
        }
        let (path, unfinished) = (node.data.join(name), node.data.join(format!("{name}.new")));
        fs::write(&unfinished, contents).map_err(TopologyError::io("write", &unfinished))?;
        give(&unfinished, node.account.as_ref())?;
        fs::rename(&unfinished, &path).map_err(TopologyError::io("write", &path))?;
        Ok(true)
    }

    /// Takes away the files whose names begin with `prefix`, of those that are complete: they end with a line. Of each its
    /// text, or why it cannot be read; it is away all the same.
    pub fn take(&self, node: NodeName, prefix: &str) -> Vec<Result<String, TopologyError>> {
        self.node(node).map_or_else(|_| Vec::new(), |node| taken(&node.data, prefix))
    }
}

fn taken(directory: &Path, prefix: &str) -> Vec<Result<String, TopologyError>> {
    // A node that is being made anew has no directory for a moment.
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let asked = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    asked.filter_map(|entry| take(&entry.path()).transpose()).collect()
}

/// The text of a file, which is gone then; `None` while it is being written.
fn take(path: &Path) -> Result<Option<String>, TopologyError> {
    let bytes = match fs::read(path) {
        Ok(bytes) if !bytes.ends_with(b"\n") => return Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read,
    };
    remove(path).map_err(TopologyError::io("remove", path))?;
    let text = |bytes| String::from_utf8(bytes).map_err(|error| Error::new(ErrorKind::InvalidData, error));
    bytes.and_then(text).map(Some).map_err(TopologyError::io("read", path))
}

/// Removes a file, or a directory with all that is in it.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_by_itself_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, bytes) in [
            ("ask.1", "one\n".as_bytes()),
            ("ask.2", b"\xff\n"),
            ("ask.4", b"half \xc3"),
            ("ask.5", b"five\n"),
        ] {
            fs::write(path(name), bytes).unwrap();
        }
        fs::create_dir(path("ask.3")).unwrap();
        fs::write(path("other"), "other\n").unwrap();
        let (texts, errors): (Vec<_>, Vec<_>) =
            taken(folder.path(), "ask.").into_iter().partition(Result::is_ok);
        let mut texts: Vec<String> = texts.into_iter().map(Result::unwrap).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["five\n", "one\n"]);
        let mut errors: Vec<String> =
            errors.into_iter().map(|error| error.unwrap_err().to_string()).collect();
        errors.sort_unstable();
        assert!(errors[0].contains("ask.2") && errors[1].contains("ask.3"), "{errors:?}");
        assert_eq!(errors.len(), 2);
        let left = ["ask.1", "ask.2", "ask.3", "ask.4", "ask.5", "other"].map(|name| path(name).exists());
        assert_eq!(left, [false, false, false, true, false, true]);
        assert!(taken(folder.path(), "ask.").is_empty(), "nothing twice");
    }
}
