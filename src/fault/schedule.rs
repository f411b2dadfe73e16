//! A schedule: what happens to which node, and when.

use std::collections::BTreeSet;

use crate::history::{Action, Nanos, NodeName};
use crate::suggest::hint;

use super::format_duration;

/// One thing done to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, since the start of the load.
    pub at: Nanos,
    /// What.
    pub action: Action,
    /// To which node.
    pub node: NodeName,
}

/// Steps in the order of their times; steps of the same time in the order in which they were given.
///
/// As text it is what `--fault` takes: `crash(primary)@8s,restart(replica-1)@14s`, or `none`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    steps: Vec<Step>,
}

/// Why a schedule cannot be carried out on a cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The cluster has no such node.
    #[error("{step}: there is no node `{node}`{hint}; the nodes are {nodes}")]
    UnknownNode {
        /// The step, as text.
        step: String,
        /// The node it names.
        node: NodeName,
        /// ` (did you mean …?)`, or nothing.
        hint: String,
        /// The nodes there are.
        nodes: String,
    },
    /// The load is over by then.
    #[error("{step}: the load ends after {duration}, so a fault must come before that")]
    TooLate {
        /// The step, as text.
        step: String,
        /// How long the load is, as text.
        duration: String,
    },
    /// Start of a node that is up.
    #[error("{step}: {node} is not down by then; only a `kill` or `stop` before it leaves it down")]
    NotDown {
        /// The step, as text.
        step: String,
        /// The node.
        node: NodeName,
    },
    /// Anything but a start of a node that is down.
    #[error("{step}: {node} is already down by then, since {since}; `start({node})` it first")]
    AlreadyDown {
        /// The step, as text.
        step: String,
        /// The node.
        node: NodeName,
        /// The step that took it down, as text.
        since: String,
    },
}

impl Schedule {
    /// A run without faults.
    pub fn none() -> Schedule {
        Schedule::default()
    }

    /// `steps`, put in the order of their times.
    pub fn new(mut steps: Vec<Step>) -> Schedule {
        steps.sort_by_key(|step| step.at);
        Schedule { steps }
    }

    /// The steps, by time.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether nothing happens.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether it can be carried out on a cluster of `nodes`, all of them up at first, within a load of `duration`.
    pub fn validate(&self, nodes: &[NodeName], duration: Nanos) -> Result<(), ScheduleError> {
        for (place, step) in self.steps.iter().enumerate() {
            let Step { at, action, node } = *step;
            let text = || step.to_string();
            if !nodes.contains(&node) {
                let names = || nodes.iter().map(|node| node.as_str());
                return Err(ScheduleError::UnknownNode {
                    step: text(),
                    node,
                    hint: hint(node.as_str(), names()),
                    nodes: names().collect::<Vec<_>>().join(", "),
                });
            }
            if at >= duration {
                return Err(ScheduleError::TooLate { step: text(), duration: format_duration(duration) });
            }
            let before = self.steps[..place].iter().rfind(|before| before.node == node);
            match before.filter(|before| before.action.leaves_down()) {
                None if action == Action::Start => {
                    return Err(ScheduleError::NotDown { step: text(), node });
                }
                Some(since) if action != Action::Start => {
                    return Err(ScheduleError::AlreadyDown { step: text(), node, since: since.to_string() });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What puts things right at the end of the load, at time `end`: a start for every node that is down by then.
    pub fn heal(&self, end: Nanos) -> Vec<Step> {
        let mut down = BTreeSet::new();
        for step in &self.steps {
            if step.action.leaves_down() {
                down.insert(step.node);
            } else {
                down.remove(&step.node);
            }
        }
        down.into_iter().map(|node| Step { at: end, action: Action::Start, node }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let nodes = [NodeName::primary(), NodeName::replica(1)];
        let schedule: Schedule = text.parse().unwrap();
        schedule.validate(&nodes, Nanos::from_millis(20_000)).unwrap_err().to_string()
    }

    #[test]
    fn accepts_what_can_be_carried_out() {
        let nodes = [NodeName::primary(), NodeName::replica(1), NodeName::replica(2)];
        for text in [
            "none",
            "crash(primary)@8s,restart(replica-1)@14s,stop(primary,immediate)@19s,kill(replica-2)@3s,start(replica-2)@9s",
            "kill(replica-1)@1s,start(replica-1)@1s,kill(replica-1)@1s",
        ] {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(schedule.validate(&nodes, Nanos::from_millis(20_000)), Ok(()), "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot() {
        insta::assert_snapshot!(refusal("crash(replica-2)@8s"), @"crash(replica-2)@8s: there is no node `replica-2` (did you mean `replica-1`?); the nodes are primary, replica-1");
        insta::assert_snapshot!(refusal("crash(mars)@8s"), @"crash(mars)@8s: there is no node `mars`; the nodes are primary, replica-1");
        insta::assert_snapshot!(refusal("crash(primary)@20s"), @"crash(primary)@20s: the load ends after 20s, so a fault must come before that");
        insta::assert_snapshot!(refusal("start(primary)@2s"), @"start(primary)@2s: primary is not down by then; only a `kill` or `stop` before it leaves it down");
        insta::assert_snapshot!(refusal("crash(primary)@1s,start(primary)@2s"), @"start(primary)@2s: primary is not down by then; only a `kill` or `stop` before it leaves it down");
        insta::assert_snapshot!(refusal("kill(primary)@1s,crash(primary)@2s"), @"crash(primary)@2s: primary is already down by then, since kill(primary)@1s; `start(primary)` it first");
        insta::assert_snapshot!(refusal("restart(primary)@3s,stop(primary)@2s"), @"restart(primary)@3s: primary is already down by then, since stop(primary,fast)@2s; `start(primary)` it first");
    }

    #[test]
    fn heals_what_stays_down() {
        let schedule: Schedule =
            "kill(replica-1)@1s,stop(primary)@2s,start(replica-1)@3s,kill(replica-2)@4s".parse().unwrap();
        let end = Nanos::from_millis(9_000);
        let healing = Schedule::new(schedule.heal(end));
        assert_eq!(healing.to_string(), "start(primary)@9s,start(replica-2)@9s");
        assert!(Schedule::none().heal(end).is_empty());
    }
}
