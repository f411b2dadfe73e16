//! What a matrix found, as the one value that every format renders. Its JSON form is `matrix.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spread::Summary;
use crate::history::{Nanos, NodeName};

/// Settings × faults, each combination measured several times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Matrix {
    /// Version of this structure; readers refuse a higher one.
    pub format: u32,
    /// The worst exit code of its runs; of a matrix that was interrupted 130 at least.
    pub exit_code: u8,
    /// How far it came.
    pub end: End,
    /// The name of its directory.
    pub id: String,
    /// When it was begun, RFC 3339 with offset.
    pub started: String,
    /// replab's version.
    pub version: String,
    /// Operating system, kernel, cores, memory: one line each.
    pub machine: Vec<String>,
    /// The versions that the servers of its runs named themselves.
    pub servers: Vec<String>,
    /// The cluster in a few words: `local, 1 primary + 2 replicas`.
    pub cluster: String,
    /// The workloads in a few words: `orders (8 clients)`.
    pub workloads: String,
    /// Planned length of every load, seconds.
    pub duration_seconds: f64,
    /// How often each cell is to be measured.
    pub repeat: u32,
    /// The seed of the first repetition; each later one has the next number.
    pub seed: u64,
    /// A command that repeats the matrix.
    pub reproduce: String,
    /// The effective description, as TOML.
    pub plan: String,
    /// The levels, in order.
    pub synchronous_commit: Vec<String>,
    /// The standbys, in order.
    pub standbys: Vec<String>,
    /// The faults, in order.
    pub faults: Vec<FaultFacts>,
    /// Every combination: fault by fault, of each the standbys, of these the levels.
    pub cells: Vec<Cell>,
    /// What it did not look at, one sentence each; never empty.
    pub not_checked: Vec<String>,
}

/// How far a matrix came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Not to its end: it goes on, or was killed. It can be resumed.
    Open,
    /// By Ctrl-C. It can be resumed.
    Interrupted,
    /// Every cell was run as often as planned.
    Complete,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FaultFacts {
    /// Its name.
    pub name: String,
    /// What is done when, as `--fault` takes it.
    pub schedule: String,
    /// What happens, and why; may be empty.
    pub explanation: String,
}

/// One combination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// Of every client's session.
    pub synchronous_commit: String,
    /// Which replicas a commit waits for; `none`: nobody.
    pub standbys: String,
    /// The fault's name.
    pub fault: String,
    /// Whether it is claimed that no acknowledged commit is lost. Otherwise some may be.
    pub claimed: bool,
    /// Why, in one sentence without a full stop.
    pub theory: String,
    /// Its runs together.
    pub summary: Summary,
    /// Its runs, in order.
    pub runs: Vec<CellRun>,
}

/// One run of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellRun {
    /// From 1.
    pub repetition: u32,
    /// Its seed.
    pub seed: u64,
    /// The run's directory, below the matrix's own: `replab report` and `replab check` take it.
    pub directory: String,
    /// From its beginning to its report, seconds.
    pub seconds: f64,
    /// The run's own exit code.
    pub exit_code: u8,
    /// What it is worth.
    pub state: State,
    /// Why it is worth no more than that.
    pub why: Option<String>,
    /// The servers' version.
    pub server: Option<String>,
    /// Why its times may be the lab's as much as the cluster's; empty where they are not.
    pub taints: Vec<String>,
    /// Its figures, where they can be told.
    pub measured: Option<Measured>,
}

/// What a run is worth, and the worst of several what a cell is. Each is worse than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There is none.
    NotRun,
    /// It has figures.
    Measured,
    /// Nothing can be said of what it claimed, or of its losses.
    Unknown,
    /// A guarantee that it claimed was violated.
    Violated,
    /// The lab failed.
    Failed,
}

/// A run's figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Commits acknowledged.
    pub acknowledged: u64,
    /// Of these, the lost ones.
    pub lost: u64,
    /// Of these, the ones that the server had warned of: no counter-example to a claim.
    pub forewarned: u64,
    /// Whether there may be more.
    pub at_least: bool,
    /// From the acknowledgement of the first lost one to that of the last; `None` of none.
    pub span: Option<Nanos>,
    /// How long nobody's write was answered, in gaps longer than 100 ms; `None` where nobody wrote.
    pub writes_out: Option<Timed>,
    /// From the step that took the primary, or moved it, to the first commit that was begun after it took hold; `None`
    /// where no step did.
    pub first_commit: Option<Timed>,
    /// How long nobody's read was answered, by node.
    pub reads_out: Vec<ReadsOut>,
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timed {
    /// How long.
    pub time: Nanos,
    /// Whether it was not over when the load was.
    pub at_least: bool,
}

/// How long a node answered no read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadsOut {
    /// The node.
    #[schemars(with = "String")]
    pub node: NodeName,
    /// How long.
    pub out: Timed,
}

impl Matrix {
    /// Brings everything that follows from the runs up to date.
    pub fn settle(&mut self) {
        for cell in &mut self.cells {
            cell.summary = Summary::of(&cell.runs);
        }
        let runs = || self.cells.iter().flat_map(|cell| &cell.runs);
        let mut servers: Vec<String> = runs().filter_map(|run| run.server.clone()).collect();
        servers.sort();
        servers.dedup();
        let interrupted = (self.end == End::Interrupted).then_some(130);
        self.exit_code = worst(runs().map(|run| run.exit_code).chain(interrupted));
        self.servers = servers;
    }

    /// How many runs are planned.
    pub fn planned(&self) -> usize {
        self.cells.len() * self.repeat as usize
    }

    /// How many there are.
    pub fn done(&self) -> usize {
        self.cells.iter().map(|cell| cell.runs.len()).sum()
    }

    /// The cells of a fault.
    pub(super) fn of<'a>(&'a self, fault: &'a FaultFacts) -> impl Iterator<Item = &'a Cell> + 'a {
        self.cells.iter().filter(|cell| cell.fault == fault.name)
    }
}

/// 12 and 11 > 1 > 130 > 3 > 4 > 0.
fn worst(codes: impl Iterator<Item = u8>) -> u8 {
    const ORDER: [u8; 7] = [0, 4, 3, 130, 1, 11, 12];
    // A code that is none of ours is a failure of the lab.
    let rank = |code: u8| ORDER.iter().position(|&known| known == code).unwrap_or(ORDER.len() - 1);
    codes.map(rank).max().map_or(0, |rank| ORDER[rank])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_exit_code_decides() {
        let worst = |codes: &[u8]| worst(codes.iter().copied());
        assert_eq!(worst(&[]), 0);
        assert_eq!(worst(&[0, 3, 0]), 3);
        assert_eq!(worst(&[3, 130]), 130);
        assert_eq!(worst(&[1, 130, 3]), 1);
        assert_eq!(worst(&[1, 12, 11]), 12);
        assert_eq!(worst(&[1, 99]), 12);
    }
}
