//! What is done to nodes, told as it happens and kept for the document.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::super::console::Console;
use crate::history::{Action, FaultOp, NodeName, Occasion};
use crate::run::Witness;
use crate::topology::TopologyError;

/// The witness of a command.
pub(super) struct Told {
    console: Console,
    done: Mutex<Vec<Value>>,
}

impl Told {
    pub(super) fn new(console: Console) -> Told {
        Told { console, done: Mutex::default() }
    }

    /// Every action that took hold, in the order in which they did.
    pub(super) fn done(&self) -> Vec<Value> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The result, unless that is a document.
    fn tell(&self, line: &str) {
        if self.console.is_json() {
            self.console.note(line);
        } else {
            self.console.result(&format!("{line}\n"));
        }
    }
}

impl Witness for Told {
    fn begins(&self, _node: NodeName, _op: &FaultOp) {}

    fn ends(&self, node: NodeName, op: &FaultOp, how: &Result<String, TopologyError>) {
        // What did not take hold is the command's error; an answer is told below.
        let (FaultOp::Act { action, occasion }, Ok(detail)) = (op, how) else { return };
        let why = match occasion {
            Occasion::Fencing => " (so that there is one primary)",
            Occasion::Planned | Occasion::Healing => "",
        };
        self.tell(&format!("{action} {node}{why}: {detail}"));
        let done = json!({ "node": node, "action": action.verb(), "occasion": occasion, "detail": detail });
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(done);
    }

    fn answers_again(&self, node: NodeName, _action: Action) {
        self.tell(&format!("{node} answers again"));
    }

    /// Somebody asked for it, and is told that it was not done.
    fn tolerates(&self, _error: &TopologyError) -> bool {
        false
    }
}
