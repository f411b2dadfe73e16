//! A schedule: what happens to which node, and when.

use std::collections::BTreeSet;

use crate::history::{Action, Condition, Nanos, NodeName};

use super::conditions::Conditions;
use super::{Act, Target, format_duration};

/// One thing done to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, since the start of the load.
    pub at: Nanos,
    /// What.
    pub action: Action,
    /// To whom.
    pub target: Target,
}

impl Step {
    /// What is done, whenever that is.
    pub fn act(self) -> Act {
        Act { action: self.action, target: self.target }
    }
}

/// A step, and what is known when it is due. Where the cluster decides who is promoted, that may be nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What is done.
    pub step: Step,
    /// To which node.
    pub node: Option<NodeName>,
    /// The primary.
    pub writer: Option<NodeName>,
    /// The replicas that could be promoted.
    pub candidates: Vec<NodeName>,
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
    #[error("{step}: a cluster of this kind cannot do that; it can {possible}")]
    Unsupported {
        /// The step, as text.
        step: String,
        /// What it can do: verbs.
        possible: String,
    },
    /// Something about what is received or replayed, and a node that does neither.
    #[error("{step}: {node} is the primary{}; that can only be done to a replica", by_then(*.later))]
    NotAReplica {
        /// The step, as text.
        step: String,
        /// The node.
        node: Target,
        /// Whether other steps come before.
        later: bool,
    },
    /// A failover needs somebody to fail over to.
    #[error("{step}: there is no replica that could be promoted{}", by_then(*.later))]
    NobodyToPromote {
        /// The step, as text.
        step: String,
        /// Whether other steps come before.
        later: bool,
    },
    /// A primary without replicas has nobody but clients.
    #[error("{step}: the cluster has one node, and so no peers")]
    NoPeers {
        /// The step, as text.
        step: String,
    },
    /// A start of a node that is up, and the like.
    #[error("{step}: {node} is not {condition}{}; only {} before it leads to that", by_then(*.later), beginnings(*.condition))]
    NothingToCure {
        /// The step, as text.
        step: String,
        /// The node.
        node: Target,
        /// What the step is there to end.
        condition: Condition,
        /// Whether other steps come before.
        later: bool,
    },
    /// Something else has to end before.
    #[error("{step}: {node} is already {condition}{}; `{}({node})` it first", by_then_since(.since), .condition.cure())]
    Hindered {
        /// The step, as text.
        step: String,
        /// The node.
        node: Target,
        /// What is in the way.
        condition: Condition,
        /// The step that began it, as text; `None`: it was so from the start.
        since: Option<String>,
    },
    /// A replica receives nothing while the primary is down.
    #[error("{step}: the primary is down{}, so there is no stream to freeze", by_then_since(.since))]
    NothingStreams {
        /// The step, as text.
        step: String,
        /// The step that took the primary down, as text; `None`: it was so from the start.
        since: Option<String>,
    },
}

/// What follows the description of a moment to come.
fn by_then(later: bool) -> &'static str {
    if later { " by then" } else { "" }
}

/// The same with the step that led to it.
fn by_then_since(step: &Option<String>) -> String {
    step.as_ref().map(|step| format!(" by then, since {step}")).unwrap_or_default()
}

/// The verbs that lead to `condition`: `kill` or `stop`.
fn beginnings(condition: Condition) -> String {
    let begins = |action: &&Action| action.begins().or(action.leaves_behind()) == Some(condition);
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

    /// Whether it can be carried out on a cluster of `nodes`, the primary first and all of them up at first, that `can`
    /// do its actions, within a load of `duration`.
    pub fn validate(
        &self,
        nodes: &[NodeName],
        can: impl Fn(Action) -> bool,
        duration: Nanos,
    ) -> Result<(), ScheduleError> {
        let mut conditions = Conditions::new(nodes).on(&can);
        for step in &self.steps {
            let text = step.to_string();
            if step.at >= duration {
                return Err(ScheduleError::TooLate { step: text, duration: format_duration(duration) });
            }
            conditions.admit(step.act(), &text, &can)?;
        }
        Ok(())
    }

    /// The steps on a cluster of `nodes`, the primary first, each with what is known of that moment.
    pub fn stages(&self, nodes: &[NodeName]) -> Vec<Stage> {
        let mut conditions = Conditions::new(nodes);
        let stage = |step: &Step| {
            let stage = conditions.stage(*step);
            conditions.apply(step.act(), &step.to_string());
            stage
        };
        self.steps.iter().map(stage).collect()
    }

    /// Whether some step is done to connections, so that they have to go through links.
    pub fn needs_links(&self) -> bool {
        self.steps.iter().any(|step| step.action.side().is_some())
    }

    /// Whether some step is done to a disk, so that each node has to have one of its own, which can be filled.
    pub fn needs_small_disks(&self) -> bool {
        self.steps.iter().any(|step| step.action.is_of_disk())
    }

    /// Whether some step makes another node the primary.
    pub fn moves_primary(&self) -> bool {
        self.steps.iter().any(|step| step.action.moves_primary())
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
        insta::assert_snapshot!(refusal("freeze(primary)@2s"), @"freeze(primary)@2s: primary is the primary by then; that can only be done to a replica");
        insta::assert_snapshot!(refusal("pause-replay(primary)@2s"), @"pause-replay(primary)@2s: primary is the primary by then; that can only be done to a replica");
        insta::assert_snapshot!(refusal("kill(primary)@1s,freeze(replica-1)@2s"), @"freeze(replica-1)@2s: the primary is down by then, since kill(primary)@1s, so there is no stream to freeze");
    }

    #[test]
    fn refuses_what_the_cluster_cannot_do() {
        let schedule: Schedule = "crash(primary)@1s,pause(primary)@2s".parse().unwrap();
        let can = |action| matches!(action, Action::Crash | Action::Kill);
        let error = schedule.validate(&[NodeName::primary()], can, Nanos::from_millis(9_000)).unwrap_err();
        insta::assert_snapshot!(error, @"pause(primary)@2s: a cluster of this kind cannot do that; it can crash, kill");
    }

    #[test]
    fn what_is_cut_off_stays_so_until_it_is_reconnected() {
        let nodes = [NodeName::primary(), NodeName::replica(1), NodeName::replica(2)];
        let judge = |text: &str, nodes: &[NodeName]| {
            text.parse::<Schedule>().unwrap().validate(nodes, |_| true, Nanos::from_millis(20_000))
        };
        for text in [
            "isolate(primary)@1s,reconnect(primary)@2s,isolate(primary,peers,in)@3s,slow(replica-1,latency=1ms)@4s,speed-up(replica-1)@5s",
            "isolate(replica-1,peers)@1s,kill(writer)@2s,promote(replica-1)@2s,reconnect(replica-1)@3s,rejoin(primary)@4s",
            "isolate(primary)@1s,promote(replica-1)@2s,reconnect(primary)@3s,rejoin(primary)@4s",
            "isolate(primary)@1s,kill(primary)@2s,reconnect(primary)@3s,start(primary)@4s",
            "isolate(primary)@1s,crash(primary)@2s,reconnect(primary)@3s,reset(primary)@4s",
            "isolate(primary,clients)@1s,restart(primary)@2s,switchover(replica-1)@3s",
            "slow(primary,latency=1ms)@1s,isolate(primary)@2s,reconnect(primary)@3s,reset(replica-1)@4s",
            "pause(replica-1)@1s,isolate(replica-1)@2s,resume(replica-1)@3s",
        ] {
            assert_eq!(judge(text, &nodes), Ok(()), "{text}");
        }
        let say = |text: &str| judge(text, &nodes).unwrap_err().to_string();
        insta::assert_snapshot!(say("isolate(primary)@1s,isolate(primary,clients)@2s"), @"isolate(primary,clients)@2s: primary is already isolated by then, since isolate(primary)@1s; `reconnect(primary)` it first");
        insta::assert_snapshot!(say("isolate(primary)@1s,crash(primary)@2s,slow(primary,latency=1ms)@3s"), @"slow(primary,latency=1ms)@3s: primary is already isolated by then, since isolate(primary)@1s; `reconnect(primary)` it first");
        insta::assert_snapshot!(say("slow(primary,latency=1ms)@1s,slow(primary,latency=2ms)@3s"), @"slow(primary,latency=2ms)@3s: primary is already slow by then, since slow(primary,latency=1ms)@1s; `speed-up(primary)` it first");
        insta::assert_snapshot!(say("isolate(primary)@1s,reset(primary)@3s"), @"reset(primary)@3s: primary is already isolated by then, since isolate(primary)@1s; `reconnect(primary)` it first");
        insta::assert_snapshot!(say("reconnect(primary)@1s"), @"reconnect(primary)@1s: primary is not isolated by then; only `isolate` before it leads to that");
        insta::assert_snapshot!(say("speed-up(primary)@1s"), @"speed-up(primary)@1s: primary is not slow by then; only `slow` before it leads to that");
        insta::assert_snapshot!(say("kill(primary)@1s,isolate(primary)@2s"), @"isolate(primary)@2s: primary is already down by then, since kill(primary)@1s; `start(primary)` it first");
        insta::assert_snapshot!(say("isolate(replica-1,peers,out)@1s,stop(primary)@2s"), @"stop(primary,fast)@2s: replica-1 is already isolated by then, since isolate(replica-1,peers,out)@1s; `reconnect(replica-1)` it first");
        insta::assert_snapshot!(say("freeze(replica-1)@1s,restart(primary)@2s"), @"restart(primary)@2s: replica-1 is already frozen by then, since freeze(replica-1)@1s; `thaw(replica-1)` it first");
        insta::assert_snapshot!(say("isolate(replica-2)@1s,switchover(replica-1)@2s"), @"switchover(replica-1)@2s: replica-2 is already isolated by then, since isolate(replica-2)@1s; `reconnect(replica-2)` it first");
        insta::assert_snapshot!(say("isolate(primary)@1s,freeze(replica-1)@2s"), @"freeze(replica-1)@2s: primary is already isolated by then, since isolate(primary)@1s; `reconnect(primary)` it first");
        insta::assert_snapshot!(say("isolate(primary)@1s,promote(replica-1)@2s,rejoin(primary)@3s"), @"rejoin(primary)@3s: primary is already isolated by then, since isolate(primary)@1s; `reconnect(primary)` it first");
        let alone = judge("isolate(primary,peers)@1s", &nodes[..1]).unwrap_err().to_string();
        insta::assert_snapshot!(alone, @"isolate(primary,peers)@1s: the cluster has one node, and so no peers");
        assert_eq!(judge("isolate(primary)@1s", &nodes[..1]), Ok(()));
    }

    #[test]
    fn a_failover_moves_the_primary() {
        let nodes = [NodeName::primary(), NodeName::replica(1), NodeName::replica(2)];
        let judge = |text: &str, nodes: &[NodeName]| {
            text.parse::<Schedule>().unwrap().validate(nodes, |_| true, Nanos::from_millis(20_000))
        };
        for text in [
            "promote(best)@1s,crash(writer)@2s,rejoin(primary)@3s,restart(primary)@4s",
            "kill(primary)@1s,promote(replica-2)@2s,rejoin(primary)@3s,promote(primary)@4s,rejoin(replica-2)@5s",
            "pause(primary)@1s,promote(replica-1)@2s,pause-replay(replica-2)@3s,rejoin(replica-2)@4s",
            "switchover(replica-1)@1s,pause-replay(primary)@2s,switchover(best)@3s",
            "freeze(replica-1)@1s,freeze(replica-2)@1s,kill(writer)@2s,promote(best)@3s",
            "kill(writer)@1s,start(writer)@2s,kill(replica-1)@3s,promote(best)@4s,start(replica-1)@5s",
        ] {
            assert_eq!(judge(text, &nodes), Ok(()), "{text}");
        }
        let say = |text: &str| judge(text, &nodes).unwrap_err().to_string();
        insta::assert_snapshot!(say("promote(primary)@1s"), @"promote(primary)@1s: primary is the primary by then; that can only be done to a replica");
        insta::assert_snapshot!(say("promote(replica-1)@1s,freeze(replica-1)@2s"), @"freeze(replica-1)@2s: replica-1 is the primary by then; that can only be done to a replica");
        insta::assert_snapshot!(say("promote(replica-1)@1s,start(primary)@2s"), @"start(primary)@2s: primary is already diverged by then, since promote(replica-1)@1s; `rejoin(primary)` it first");
        insta::assert_snapshot!(say("promote(replica-1)@1s,restart(primary)@2s"), @"restart(primary)@2s: primary is already diverged by then, since promote(replica-1)@1s; `rejoin(primary)` it first");
        insta::assert_snapshot!(say("rejoin(replica-1)@1s"), @"rejoin(replica-1)@1s: replica-1 is not diverged by then; only `promote` before it leads to that");
        insta::assert_snapshot!(say("freeze(replica-2)@1s,switchover(replica-1)@2s"), @"switchover(replica-1)@2s: replica-2 is already frozen by then, since freeze(replica-2)@1s; `thaw(replica-2)` it first");
        insta::assert_snapshot!(say("kill(writer)@1s,switchover(replica-1)@2s"), @"switchover(replica-1)@2s: primary is already down by then, since kill(writer)@1s; `start(primary)` it first");
        insta::assert_snapshot!(say("kill(replica-1)@1s,kill(replica-2)@1s,promote(best)@2s"), @"promote(best)@2s: there is no replica that could be promoted by then");
        insta::assert_snapshot!(say("pause(replica-1)@1s,promote(replica-1)@2s"), @"promote(replica-1)@2s: replica-1 is already paused by then, since pause(replica-1)@1s; `resume(replica-1)` it first");
        let alone = judge("promote(best)@1s", &nodes[..1]).unwrap_err().to_string();
        insta::assert_snapshot!(alone, @"promote(best)@1s: there is no replica that could be promoted by then");
    }
}
