//! What a run directory says of its run: enough to judge it again without the cluster.

use std::io;

use serde::{Deserialize, Serialize};

use super::directory::RunDir;
use crate::check::Claims;
use crate::config::TopologyKind;
use crate::history::NodeName;
use crate::isolation::Isolation;
use crate::report::{ClusterEvent, NodeFacts, RunFacts};
use crate::topology::{Category, Identity};

/// The version of `run.json`.
pub(super) const FORMAT: u32 = 1;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// As planned, final reads included.
    Complete,
    /// By Ctrl-C.
    Interrupted,
    /// A node died unasked, a fault did not heal, a disk was full.
    Failed {
        /// The error with its causes, in one line.
        why: String,
        /// Whose failure it was.
        category: Category,
    },
}

/// `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the files of this run.
    pub format: u32,
    /// What was run.
    pub run: RunFacts,
    /// The workloads, by their histories' names.
    pub workloads: Vec<String>,
    /// The level of the transactions of workloads that choose one.
    #[serde(default)]
    pub isolation: Option<Isolation>,
    /// The nodes, the primary first, with the settings asserted on each.
    pub nodes: Vec<NodeFacts>,
    /// What whoever runs the cluster reported of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ClusterEvent>,
    /// Nodes whose last reads were not made, as they were late and no position of a log says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<NodeName>,
    /// What is promised.
    pub claims: Claims,
    /// The limits, as typed.
    pub thresholds: Vec<String>,
    /// What the nodes are.
    pub kind: TopologyKind,
    /// Steps of the schedule.
    pub planned_faults: usize,
    /// Cores of the machine.
    pub cores: u64,
    /// The replab that runs it.
    pub writer: Option<Identity>,
    /// How it ended; `None` while it runs, and for ever when replab was killed.
    pub ended: Option<Ended>,
}

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("read {path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It is not a manifest of this version.
    #[error("{path} is not a run's manifest")]
    Json {
        /// The file.
        path: String,
        /// Why.
        source: serde_json::Error,
    },
    /// It was written by another version.
    #[error("{path} has format {found}, but this program reads {FORMAT}")]
    Format {
        /// The file.
        path: String,
        /// Its version.
        found: u32,
    },
}

impl Manifest {
    /// Reads `run.json` of `dir`.
    pub fn read(dir: &RunDir) -> Result<Manifest, ManifestError> {
        let path = dir.manifest().display().to_string();
        let text = match std::fs::read_to_string(dir.manifest()) {
            Ok(text) => text,
            Err(source) => return Err(ManifestError::Io { path, source }),
        };
        match serde_json::from_str::<Manifest>(&text) {
            Ok(manifest) if manifest.format == FORMAT => Ok(manifest),
            Ok(manifest) => Err(ManifestError::Format { path, found: manifest.format }),
            Err(source) => Err(ManifestError::Json { path, source }),
        }
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, dir: &RunDir) -> io::Result<()> {
        dir.write("run.json", &serde_json::to_string_pretty(self)?)
    }

    /// The nodes' names, the primary first.
    pub fn node_names(&self) -> Vec<NodeName> {
        self.nodes.iter().map(|facts| facts.node).collect()
    }

    /// Whether somebody is still writing to the run's directory.
    pub fn is_running(&self) -> bool {
        self.ended.is_none() && self.writer.as_ref().is_some_and(Identity::is_alive)
    }

    /// Why the run did not come to its end, if it did not.
    pub fn cut(&self) -> Option<String> {
        match &self.ended {
            Some(Ended::Complete) => None,
            Some(Ended::Interrupted) => Some("the run was interrupted".to_owned()),
            Some(Ended::Failed { why, .. }) => Some(format!("the lab failed: {why}")),
            None if self.is_running() => Some("the run has not ended yet".to_owned()),
            None => Some("replab was killed before the run's end".to_owned()),
        }
    }
}
