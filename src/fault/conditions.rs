//! What a schedule, or somebody, has done to the nodes by some step.

use std::collections::BTreeMap;

use crate::history::{Action, Condition, NodeName, Side, StopMode};
use crate::suggest::hint;

use super::{Act, Present, ScheduleError, Stage, Step, Target};

/// What began a condition; nothing where it was so from the start.
#[derive(Clone, Debug, Default)]
struct Since {
    /// As text.
    step: Option<String>,
    action: Option<Action>,
}

/// Who is the primary, and which conditions nodes are in, each with the step that began it, or without one where it was
/// so from the start.
///
/// Where the cluster decides (which of several replicas is the best) nobody knows beforehand who the primary is; what
/// then depends on it is not refused here, and is verified when it is done.
#[derive(Debug)]
pub(super) struct Conditions<'a> {
    nodes: &'a [NodeName],
    /// [`Target::Writer`]: one of several.
    writer: Target,
    since: BTreeMap<(Target, Condition), Since>,
    /// What made another node the primary, the last time that something did.
    moved: Option<Action>,
    /// Whether what is said is about a moment to come.
    later: bool,
    /// Whether a primary that another node takes the place of becomes its replica by itself.
    returns: bool,
}

impl<'a> Conditions<'a> {
    /// All of `nodes` are up, and the first is the primary.
    pub(super) fn new(nodes: &'a [NodeName]) -> Conditions<'a> {
        let writer = nodes.first().map_or(Target::Writer, |&node| Target::Node(node));
        Conditions { nodes, writer, since: BTreeMap::new(), moved: None, later: true, returns: false }
    }

    /// The primary, where it is known.
    pub(super) fn writer(&self) -> Option<NodeName> {
        self.writer.node()
    }

    /// As a cluster is just now.
    pub(super) fn present(present: &'a Present) -> Conditions<'a> {
        let since =
            present.conditions.iter().map(|&(node, condition)| ((node.into(), condition), Since::default()));
        let writer = present.writer.into();
        let since = since.collect();
        Conditions { nodes: &present.nodes, writer, since, moved: None, later: false, returns: false }
    }

    /// The same on a cluster that `can` do these actions. One that switches over and knows no rejoin puts the old primary
    /// right itself.
    pub(super) fn on(self, can: impl Fn(Action) -> bool) -> Conditions<'a> {
        Conditions { returns: can(Action::Switchover) && !can(Action::Rejoin), ..self }
    }

    /// Takes note of `act`, which is called `text`, on a cluster that `can` do its actions; an error if it cannot be
    /// done by then.
    pub(super) fn admit(
        &mut self,
        act: Act,
        text: &str,
        can: impl Fn(Action) -> bool,
    ) -> Result<(), ScheduleError> {
        if let Some(node) = act.target.node().filter(|node| !self.nodes.contains(node)) {
            let names = || self.nodes.iter().map(|node| node.as_str());
            return Err(ScheduleError::UnknownNode {
                step: text.to_owned(),
                node,
                hint: hint(node.as_str(), names()),
                nodes: names().collect::<Vec<_>>().join(", "),
            });
        }
        if !can(act.action) {
            // How it is stopped is a setting of `stop`.
            let named = |action: &Action| can(*action) && *action != Action::Stop(StopMode::Immediate);
            let possible: Vec<&str> = Action::ALL.into_iter().filter(named).map(Action::verb).collect();
            return Err(ScheduleError::Unsupported { step: text.to_owned(), possible: possible.join(", ") });
        }
        self.allow(act, text)?;
        self.apply(act, text);
        Ok(())
    }

    /// Whether `act` can be done now.
    pub(super) fn allow(&self, act: Act, text: &str) -> Result<(), ScheduleError> {
        let (action, target, text, later) =
            (act.action, self.resolve(act.target), text.to_owned(), self.later);
        if action.needs_replica() && target == self.writer {
            return Err(ScheduleError::NotAReplica { step: text, node: target, later });
        }
        if act.target == Target::Best && self.candidates().next().is_none() {
            return Err(ScheduleError::NobodyToPromote { step: text, later });
        }
        if self.nodes.len() == 1 && action.side() == Some(Side::Peers) {
            return Err(ScheduleError::NoPeers { step: text });
        }
        // Whom a failover leaves behind is only seen when it is done.
        let may_have_diverged = self.moved.is_some_and(|action| action.leaves_behind().is_some())
            || self.since(target, Condition::Diverged).is_some();
        if action == Action::Rejoin && !may_have_diverged {
            let condition = Condition::Diverged;
            return Err(ScheduleError::NothingToCure { step: text, node: target, condition, later });
        }
        let hinders = |&condition: &Condition| condition.cure() != action && condition.hinders(action);
        if let Some((condition, since)) = self.of(target).find(|(condition, _)| hinders(condition)) {
            let since = since.step.clone();
            return Err(ScheduleError::Hindered { step: text, node: target, condition, since });
        }
        let cures = action.cures().filter(|&condition| condition != Condition::Diverged);
        if let Some(condition) = cures.filter(|&condition| self.since(target, condition).is_none()) {
            return Err(ScheduleError::NothingToCure { step: text, node: target, condition, later });
        }
        if let Some((&(node, condition), since)) = self.in_the_way(action, target) {
            return Err(ScheduleError::Hindered { step: text, node, condition, since: since.step.clone() });
        }
        match self.since(self.writer, Condition::Down) {
            Some(since) if action == Action::Freeze => {
                Err(ScheduleError::NothingStreams { step: text, since: since.step.clone() })
            }
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

    /// What another node is in, or the way to it, that `action` on `target` cannot be done under. A primary that is shut
    /// down waits for everybody who streams from it, and so for whoever is held up or cut off. What needs a stream needs
    /// both its ends, and what needs the primary's help, its answer.
    fn in_the_way(&self, action: Action, target: Target) -> Option<(&(Target, Condition), &Since)> {
        let shuts_down = matches!(action, Action::Stop(StopMode::Fast) | Action::Restart);
        let waits = action == Action::Switchover || shuts_down && target == self.writer;
        let streams = matches!(action, Action::Freeze | Action::Rejoin);
        let asks = matches!(action, Action::Switchover | Action::Rejoin);
        // Of several that it could be, every one.
        let may_be_writer =
            |node: Target| node == self.writer || self.writer == Target::Writer && node != target;
        self.since.iter().find(|&(&(node, condition), since)| match condition {
            // Who is told whom to follow writes it down. Only an old primary that is left behind is told nothing, and where
            // nobody knows who that is, it is seen when it is done.
            Condition::DiskFull if action == Action::Promote => {
                self.writer.node().is_some() && node != self.writer
            }
            Condition::DiskFull if streams || asks => may_be_writer(node) || action == Action::Switchover,
            Condition::Paused if asks && may_be_writer(node) => true,
            Condition::Paused | Condition::Frozen => waits && node != target,
            Condition::Down => asks && may_be_writer(node),
            Condition::Isolated if since.action.and_then(Action::side).is_some_and(Side::has_peers) => {
                waits || streams && (node == target || may_be_writer(node))
            }
            _ => false,
        })
    }

    /// Takes note of what is done, and is called `text`.
    pub(super) fn apply(&mut self, act: Act, text: &str) {
        let (action, target) = (act.action, self.resolve(act.target));
        let since = || Since { step: Some(text.to_owned()), action: Some(action) };
        self.later = true;
        if action.ends_processes() {
            self.since.retain(|(of, condition), _| *of != target || condition.outlasts_processes());
        }
        if let Some(condition) = action.cures() {
            self.since.remove(&(target, condition));
        }
        if let Some(condition) = action.begins() {
            self.since.insert((target, condition), since());
        }
        if action.moves_primary() {
            let old = std::mem::replace(&mut self.writer, target.node().map_or(Target::Writer, Target::Node));
            self.since.retain(|(of, condition), _| *of != old || condition.outlasts_processes());
            if !self.returns
                && let (Some(condition), Target::Node(_)) = (action.leaves_behind(), old)
            {
                self.since.insert((old, condition), since());
            }
            // Whose log arrives is another's now; replay that was paused is ended by the promotion.
            let stays =
                |condition: Condition| condition.outlasts_processes() || condition == Condition::Diverged;
            self.since.retain(|(of, condition), _| *of != target || stays(*condition));
            self.moved = Some(action);
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
    pub(super) fn candidates(&self) -> impl Iterator<Item = NodeName> {
        let is_out = |node| self.of(node).any(|(condition, _)| condition.hinders(Action::Promote));
        let others = self.nodes.iter().copied().filter(|&node| Target::Node(node) != self.writer);
        others.filter(move |&node| !is_out(Target::Node(node)))
    }

    fn since(&self, target: Target, condition: Condition) -> Option<&Since> {
        self.since.get(&(target, condition))
    }

    fn of(&self, target: Target) -> impl Iterator<Item = (Condition, &Since)> {
        Condition::ALL
            .into_iter()
            .filter_map(move |condition| Some((condition, self.since(target, condition)?)))
    }
}
