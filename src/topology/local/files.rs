//! Small files in a node's data directory, by which the lab and a node's own SQL tell each other something.

use std::fs;

use super::Cluster;
use super::node::Node;
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

    /// Takes away the files whose names begin with `prefix`, of those that are complete: they end with a line.
    pub fn take(&self, node: NodeName, prefix: &str) -> Result<Vec<String>, TopologyError> {
        let Ok(node) = self.node(node) else { return Ok(Vec::new()) };
        let taken = taken(node, prefix);
        taken.map_err(TopologyError::io("read", &node.data))
    }
}

fn taken(node: &Node, prefix: &str) -> std::io::Result<Vec<String>> {
    let mut texts = Vec::new();
    // A node that is being made anew has no directory for a moment.
    for entry in fs::read_dir(&node.data).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(prefix) {
            continue;
        }
        let text = fs::read_to_string(entry.path())?;
        if text.ends_with('\n') {
            fs::remove_file(entry.path())?;
            texts.push(text);
        }
    }
    Ok(texts)
}
