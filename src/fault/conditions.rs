//! What a schedule has done to the nodes, by some step of it.

use std::collections::BTreeMap;

use crate::history::{Action, Condition, NodeName};

use super::{ScheduleError, Stage, Step, Target};

/// Who is the primary, and which conditions nodes are in, each with the step that began it.
///
/// Where the cluster decides (which of several replicas is the best) nobody knows beforehand who the primary is; what
/// then depends on it is not refused here, and is verified when it is done.
#[derive(Debug)]
pub(super) struct Conditions<'a> {
    nodes: &'a [NodeName],
    /// [`Target::Writer`]: one of several.
    writer: Target,
    since: BTreeMap<(Target, Condition), Step>,
    /// The last step that made another node the primary.
    moved: Option<Step>,
}

impl<'a> Conditions<'a> {
    /// All of `nodes` are up, and the first is the primary.
    pub(super) fn new(nodes: &'a [NodeName]) -> Conditions<'a> {
        let writer = nodes.first().map_or(Target::Writer, |&node| Target::Node(node));
        Conditions { nodes, writer, since: BTreeMap::new(), moved: None }
    }

    /// The primary, where it is known.
    pub(super) fn writer(&self) -> Option<NodeName> {
        self.writer.node()
    }

    /// Whether `step` can be done now.
    pub(super) fn allow(&self, step: Step) -> Result<(), ScheduleError> {
        let (action, target, text) = (step.action, self.resolve(step.target), step.to_string());
        if action.needs_replica() && target == self.writer {
            return Err(ScheduleError::NotAReplica { step: text, node: target });
        }
        if step.target == Target::Best && self.candidates().next().is_none() {
            return Err(ScheduleError::NobodyToPromote { step: text });
        }
        if action == Action::Rejoin && self.moved.is_none_or(|moved| moved.action.leaves_behind().is_none()) {
            let condition = Condition::Diverged;
            return Err(ScheduleError::NothingToCure { step: text, node: target, condition });
        }
        let cures = action.cures().filter(|&condition| condition != Condition::Diverged);
        if let Some(condition) = cures.filter(|&condition| self.since(target, condition).is_none()) {
            return Err(ScheduleError::NothingToCure { step: text, node: target, condition });
        }
        let hinders = |&condition: &Condition| condition.cure() != action && condition.hinders(action);
        if let Some((condition, since)) = self.of(target).find(|(condition, _)| hinders(condition)) {
            let since = since.to_string();
            return Err(ScheduleError::Hindered { step: text, node: target, condition, since });
        }
        match action {
            Action::Freeze => match self.since(self.writer, Condition::Down) {
                Some(since) => Err(ScheduleError::NothingStreams { step: text, since: since.to_string() }),
                None => Ok(()),
            },
            Action::Switchover => match self.in_the_way_of_a_switchover() {
                Some((&(node, condition), since)) => {
                    Err(ScheduleError::Hindered { step: text, node, condition, since: since.to_string() })
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// What is known before `step`.
    pub(super) fn stage(&self, step: Step) -> Stage {
        let writer = self.writer.node();
        // Of an unknown primary's replicas nobody knows which they are.
        let candidates = writer.map(|_| self.candidates().collect()).unwrap_or_default();
        Stage { step, node: self.resolve(step.target).node(), writer, candidates }
    }

    /// A primary that is shut down waits for everybody who streams from it, and so for whoever is held up.
    fn in_the_way_of_a_switchover(&self) -> Option<(&(Target, Condition), &Step)> {
        let held_up = |condition| matches!(condition, Condition::Paused | Condition::Frozen);
        self.since.iter().find(|((node, condition), _)| {
            held_up(*condition) || (*node == self.writer && *condition == Condition::Down)
        })
    }

    /// Takes note of a step that is done.
    pub(super) fn apply(&mut self, step: Step) {
        let (action, target) = (step.action, self.resolve(step.target));
        if action.ends_processes() {
            self.since.retain(|(of, _), _| *of != target);
        }
        if let Some(condition) = action.cures() {
            self.since.remove(&(target, condition));
        }
        if let Some(condition) = action.begins() {
            self.since.insert((target, condition), step);
        }
        if action.moves_primary() {
            let old = std::mem::replace(&mut self.writer, target.node().map_or(Target::Writer, Target::Node));
            self.since.retain(|(of, _), _| *of != old);
            if let (Some(condition), Target::Node(_)) = (action.leaves_behind(), old) {
                self.since.insert((old, condition), step);
            }
            // Whose log arrives is another's now; replay that was paused is ended by the promotion.
            self.since.retain(|(of, condition), _| *of != target || *condition == Condition::Diverged);
            self.moved = Some(step);
        }
    }

    /// Who is meant, as far as that can be known.
    fn resolve(&self, target: Target) -> Target {
        match target {
            Target::Node(_) => target,
            Target::Writer => self.writer,
            Target::Best => {
                let mut candidates = self.candidates();
                match (self.writer, candidates.next(), candidates.next()) {
                    (Target::Node(_), Some(only), None) => Target::Node(only),
                    _ => Target::Best,
                }
            }
        }
    }

    /// The replicas that could be promoted.
    fn candidates(&self) -> impl Iterator<Item = NodeName> {
        let is_out = |node| self.of(node).any(|(condition, _)| condition.hinders(Action::Promote));
        let others = self.nodes.iter().copied().filter(|&node| Target::Node(node) != self.writer);
        others.filter(move |&node| !is_out(Target::Node(node)))
    }

    fn since(&self, target: Target, condition: Condition) -> Option<&Step> {
        self.since.get(&(target, condition))
    }

    fn of(&self, target: Target) -> impl Iterator<Item = (Condition, &Step)> {
        Condition::ALL
            .into_iter()
            .filter_map(move |condition| Some((condition, self.since(target, condition)?)))
    }
}
