//! Whether a server runs, and whether it should.

use std::collections::BTreeSet;

use crate::history::Condition;
use crate::topology::process::Process;

/// A server's process, or whatever ends when the server does, and what has been done to it. `R` is how a WAL receiver is
/// known.
#[derive(Debug)]
pub(in crate::topology) struct Life<R> {
    pub(in crate::topology) process: Option<Process>,
    /// Somebody asked for its end.
    pub(in crate::topology) asked: bool,
    /// What actions have left the running server in.
    pub(in crate::topology) lasting: BTreeSet<Condition>,
    /// The WAL receiver that is frozen.
    pub(in crate::topology) receiver: Option<R>,
}

impl<R> Life<R> {
    /// It has just been started, or found.
    pub(in crate::topology) fn begun(process: Option<Process>) -> Life<R> {
        Life { process, asked: false, lasting: BTreeSet::new(), receiver: None }
    }

    /// It was asked to end, it has, and with it whatever it was in.
    pub(in crate::topology) fn gone() -> Life<R> {
        Life { asked: true, ..Life::begun(None) }
    }

    pub(in crate::topology) fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.ended().is_none())
    }
}
