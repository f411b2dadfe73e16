//! A schedule: what happens to which node, and when.

use std::collections::BTreeSet;

use crate::history::{Action, Condition, Nanos, NodeName};
use crate::suggest::hint;

use super::conditions::Conditions;
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
    /// This kind of cluster cannot do that.
    #[error("{step}: a cluster of this kind cannot do that")]
    Unsupported {
        /// The step, as text.
        step: String,
    },
    /// Something about what is received or replayed, and a node that does neither.
    #[error("{step}: {node} receives and replays nothing; that can only be done to a replica")]
    NotAReplica {
        /// The step, as text.
        step: String,
        /// The node.
        node: NodeName,
    },
    /// A start of a node that is up, and the like.
    #[error("{step}: {node} is not {condition} by then; only {} before it leads to that", beginnings(*.condition))]
    NothingToCure {
        /// The step, as text.
        step: String,
        /// The node.
        node: NodeName,
        /// What the step is there to end.
        condition: Condition,
    },
    /// Something else has to end before.
    #[error("{step}: {node} is already {condition} by then, since {since}; `{}({node})` it first", .condition.cure())]
    Hindered {
        /// The step, as text.
        step: String,
        /// The node.
        node: NodeName,
        /// What is in the way.
        condition: Condition,
        /// The step that began it, as text.
        since: String,
    },
    /// A replica receives nothing while the primary is down.
    #[error("{step}: the primary is down by then, since {since}, so there is no stream to freeze")]
    NothingStreams {
        /// The step, as text.
        step: String,
        /// The step that took the primary down, as text.
        since: String,
    },
}

/// The verbs that lead to `condition`: `kill` or `stop`.
fn beginnings(condition: Condition) -> String {
    let begins = |action: &&Action| action.begins() == Some(condition);
    let verbs: BTreeSet<&str> =
        Action::ALL.iter().filter(begins).filter_map(|action| action.verb().split(' ').next()).collect();
    verbs.into_iter().map(|verb| format!("`{verb}`")).collect::<Vec<_>>().join(" or ")
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

    /// Whether it can be carried out on a cluster of `nodes`, all of them up at first, that `can` do its actions, within
    /// a load of `duration`.
    pub fn validate(
        &self,
        nodes: &[NodeName],
        can: impl Fn(Action) -> bool,
        duration: Nanos,
    ) -> Result<(), ScheduleError> {
        let mut conditions = Conditions::default();
        for step in &self.steps {
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
            if !can(action) {
                return Err(ScheduleError::Unsupported { step: text() });
            }
            conditions.allow(*step)?;
            conditions.apply(*step);
        }
        Ok(())
    }

    /// What puts things right at the end of the load, at time `end`: a start for every node that is down by then, and
    /// the cure of everything else that lasts.
    pub fn heal(&self, end: Nanos) -> Vec<Step> {
        let mut conditions = Conditions::default();
        for step in &self.steps {
            conditions.apply(*step);
        }
        let cure =
            |(node, condition): (NodeName, Condition)| Step { at: end, action: condition.cure(), node };
        conditions.left().map(cure).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let nodes = [NodeName::primary(), NodeName::replica(1)];
        let schedule: Schedule = text.parse().unwrap();
        schedule.validate(&nodes, |_| true, Nanos::from_millis(20_000)).unwrap_err().to_string()
    }

    #[test]
    fn accepts_what_can_be_carried_out() {
        let nodes = [NodeName::primary(), NodeName::replica(1), NodeName::replica(2)];
        for text in [
            "none",
            "crash(primary)@8s,restart(replica-1)@14s,stop(primary,immediate)@19s,kill(replica-2)@3s,start(replica-2)@9s",
            "kill(replica-1)@1s,start(replica-1)@1s,kill(replica-1)@1s",
            "pause(primary)@1s,resume(primary)@2s,pause(primary)@3s,crash(primary)@4s,restart(primary)@5s",
            "freeze(replica-1)@1s,pause-replay(replica-1)@2s,kill(primary)@3s,thaw(replica-1)@4s,restart(replica-1)@5s",
            "pause-replay(replica-1)@1s,restart(replica-1)@2s,pause-replay(replica-1)@3s,resume-replay(replica-1)@4s",
        ] {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(schedule.validate(&nodes, |_| true, Nanos::from_millis(20_000)), Ok(()), "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot() {
        insta::assert_snapshot!(refusal("crash(replica-2)@8s"), @"crash(replica-2)@8s: there is no node `replica-2` (did you mean `replica-1`?); the nodes are primary, replica-1");
        insta::assert_snapshot!(refusal("crash(mars)@8s"), @"crash(mars)@8s: there is no node `mars`; the nodes are primary, replica-1");
        insta::assert_snapshot!(refusal("crash(primary)@20s"), @"crash(primary)@20s: the load ends after 20s, so a fault must come before that");
        insta::assert_snapshot!(refusal("start(primary)@2s"), @"start(primary)@2s: primary is not down by then; only `kill` or `stop` before it leads to that");
        insta::assert_snapshot!(refusal("crash(primary)@1s,start(primary)@2s"), @"start(primary)@2s: primary is not down by then; only `kill` or `stop` before it leads to that");
        insta::assert_snapshot!(refusal("kill(primary)@1s,crash(primary)@2s"), @"crash(primary)@2s: primary is already down by then, since kill(primary)@1s; `start(primary)` it first");
        insta::assert_snapshot!(refusal("restart(primary)@3s,stop(primary)@2s"), @"restart(primary)@3s: primary is already down by then, since stop(primary,fast)@2s; `start(primary)` it first");
        insta::assert_snapshot!(refusal("resume(primary)@2s"), @"resume(primary)@2s: primary is not paused by then; only `pause` before it leads to that");
        insta::assert_snapshot!(refusal("pause(replica-1)@1s,stop(replica-1)@2s"), @"stop(replica-1,fast)@2s: replica-1 is already paused by then, since pause(replica-1)@1s; `resume(replica-1)` it first");
        insta::assert_snapshot!(refusal("freeze(replica-1)@1s,freeze(replica-1)@2s"), @"freeze(replica-1)@2s: replica-1 is already frozen by then, since freeze(replica-1)@1s; `thaw(replica-1)` it first");
        insta::assert_snapshot!(refusal("freeze(replica-1)@1s,restart(replica-1)@2s"), @"restart(replica-1)@2s: replica-1 is already frozen by then, since freeze(replica-1)@1s; `thaw(replica-1)` it first");
        insta::assert_snapshot!(refusal("pause-replay(replica-1)@1s,crash(replica-1)@2s,resume-replay(replica-1)@3s"), @"resume-replay(replica-1)@3s: replica-1 is not paused in its replay by then; only `pause-replay` before it leads to that");
        insta::assert_snapshot!(refusal("freeze(primary)@2s"), @"freeze(primary)@2s: primary receives and replays nothing; that can only be done to a replica");
        insta::assert_snapshot!(refusal("pause-replay(primary)@2s"), @"pause-replay(primary)@2s: primary receives and replays nothing; that can only be done to a replica");
        insta::assert_snapshot!(refusal("kill(primary)@1s,freeze(replica-1)@2s"), @"freeze(replica-1)@2s: the primary is down by then, since kill(primary)@1s, so there is no stream to freeze");
    }

    #[test]
    fn refuses_what_the_cluster_cannot_do() {
        let schedule: Schedule = "crash(primary)@1s,pause(primary)@2s".parse().unwrap();
        let can = |action| action != Action::Pause;
        let error = schedule.validate(&[NodeName::primary()], can, Nanos::from_millis(9_000)).unwrap_err();
        insta::assert_snapshot!(error, @"pause(primary)@2s: a cluster of this kind cannot do that");
    }

    #[test]
    fn heals_what_stays_down() {
        let schedule: Schedule =
            "kill(replica-1)@1s,stop(primary)@2s,start(replica-1)@3s,kill(replica-2)@4s".parse().unwrap();
        let end = Nanos::from_millis(9_000);
        let healing = Schedule::new(schedule.heal(end));
        assert_eq!(healing.to_string(), "start(primary)@9s,start(replica-2)@9s");
        assert!(Schedule::none().heal(end).is_empty());
        let lasting: Schedule =
            "pause-replay(replica-1)@1s,freeze(replica-1)@2s,pause(primary)@3s,freeze(replica-2)@4s,kill(replica-2)@5s"
                .parse()
                .unwrap();
        let healing = Schedule::new(lasting.heal(end));
        assert_eq!(
            healing.to_string(),
            "resume(primary)@9s,thaw(replica-1)@9s,resume-replay(replica-1)@9s,start(replica-2)@9s"
        );
    }
}
