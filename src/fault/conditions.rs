//! What a schedule has done to the nodes, by some step of it.

use std::collections::BTreeMap;

use crate::history::{Action, Condition, NodeName};

use super::{ScheduleError, Step};

/// The conditions that nodes are in, each with the step that began it.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    since: BTreeMap<(NodeName, Condition), Step>,
}

impl Conditions {
    /// Whether `step` can be done now.
    pub(super) fn allow(&self, step: Step) -> Result<(), ScheduleError> {
        let Step { action, node, .. } = step;
        if action.needs_replica() && node == NodeName::primary() {
            return Err(ScheduleError::NotAReplica { step: step.to_string(), node });
        }
        if let Some(condition) = action.cures().filter(|&condition| self.since(node, condition).is_none()) {
            return Err(ScheduleError::NothingToCure { step: step.to_string(), node, condition });
        }
        let hinders = |&condition: &Condition| condition.cure() != action && condition.hinders(action);
        if let Some((condition, since)) = self.of(node).find(|(condition, _)| hinders(condition)) {
            let (step, since) = (step.to_string(), since.to_string());
            return Err(ScheduleError::Hindered { step, node, condition, since });
        }
        match self.since(NodeName::primary(), Condition::Down) {
            Some(since) if action == Action::Freeze => {
                Err(ScheduleError::NothingStreams { step: step.to_string(), since: since.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Takes note of a step that is done.
    pub(super) fn apply(&mut self, step: Step) {
        let Step { action, node, .. } = step;
        if action.ends_processes() {
            self.since.retain(|(of, _), _| *of != node);
        }
        if let Some(condition) = action.cures() {
            self.since.remove(&(node, condition));
        }
        if let Some(condition) = action.begins() {
            self.since.insert((node, condition), step);
        }
    }

    /// What is left to be put right, in an order in which that is possible.
    pub(super) fn left(&self) -> impl Iterator<Item = (NodeName, Condition)> {
        self.since.keys().copied()
    }

    fn since(&self, node: NodeName, condition: Condition) -> Option<&Step> {
        self.since.get(&(node, condition))
    }

    fn of(&self, node: NodeName) -> impl Iterator<Item = (Condition, &Step)> {
        Condition::ALL
            .into_iter()
            .filter_map(move |condition| Some((condition, self.since(node, condition)?)))
    }
}
