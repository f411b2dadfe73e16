//! Where a run stands, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::history::{CauseClass, Nanos, Operation};
use crate::workload::Answer;

/// Outcomes so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    write_ok: AtomicU64,
    write_refused: AtomicU64,
    write_fail: AtomicU64,
    write_info: AtomicU64,
    read_ok: AtomicU64,
    read_fail: AtomicU64,
}

/// What was counted so far, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Writes acknowledged.
    pub write_ok: u64,
    /// Writes the application refused.
    pub write_refused: u64,
    /// Writes that certainly did not happen.
    pub write_fail: u64,
    /// Writes whose outcome is unknown.
    pub write_info: u64,
    /// Reads answered.
    pub read_ok: u64,
    /// Reads not answered.
    pub read_fail: u64,
}

/// What a run tells its watcher.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// It has entered a stage, described in a few words.
    Stage(String),
    /// The load runs.
    Load {
        /// Since the load's start.
        elapsed: Nanos,
        /// Planned.
        total: Nanos,
        /// So far.
        outcomes: Outcomes,
    },
    /// Something was done to a node, or it came back.
    Fault(String),
}

impl Tally {
    pub(super) fn count<O: Operation>(&self, op: &O, answer: &Answer<O::Reply>) {
        let counter = match (op.is_read_only(), answer) {
            (true, Answer::Ok { .. }) => &self.read_ok,
            (true, _) => &self.read_fail,
            (false, Answer::Ok { .. }) => &self.write_ok,
            (false, Answer::Fail(cause)) if cause.class == CauseClass::Refused => &self.write_refused,
            (false, Answer::Fail(_)) => &self.write_fail,
            (false, Answer::Info(_)) => &self.write_info,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn outcomes(&self) -> Outcomes {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Outcomes {
            write_ok: read(&self.write_ok),
            write_refused: read(&self.write_refused),
            write_fail: read(&self.write_fail),
            write_info: read(&self.write_info),
            read_ok: read(&self.read_ok),
            read_fail: read(&self.read_fail),
        }
    }
}
