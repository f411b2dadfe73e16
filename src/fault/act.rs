//! What is done at once, to a cluster as it is just now.

use crate::history::{Action, Condition, NodeName};

use super::conditions::Conditions;
use super::{ScheduleError, Target};

/// A step without its time. As text it is what `replab fault inject` takes: `pause(replica-1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub action: Action,
    /// To whom.
    pub target: Target,
}

/// What a cluster's nodes are in just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Every node.
    pub nodes: Vec<NodeName>,
    /// The primary, whether it runs or not.
    pub writer: NodeName,
    /// What nodes are in; one that does not run for whatever reason is [`Condition::Down`].
    pub conditions: Vec<(NodeName, Condition)>,
}

impl Present {
    /// Whether `acts` can be carried out one after the other on a cluster that `can` do such actions.
    ///
    /// # Errors
    /// The first that cannot; the acts before it are taken to succeed.
    pub fn allow(&self, acts: &[Act], can: impl Fn(Action) -> bool) -> Result<(), ScheduleError> {
        let mut conditions = Conditions::present(self).on(&can);
        acts.iter().try_for_each(|act| conditions.admit(*act, &act.to_string(), &can))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(
        writer: NodeName,
        conditions: &[(NodeName, Condition)],
        text: &str,
    ) -> Result<(), ScheduleError> {
        let nodes = vec![NodeName::primary(), NodeName::replica(1), NodeName::replica(2)];
        let present = Present { nodes, writer, conditions: conditions.to_vec() };
        present.allow(&Act::several(text).unwrap(), |_| true)
    }

    #[test]
    fn what_nodes_are_in_decides_what_can_be_done() {
        let [primary, one, two] = [NodeName::primary(), NodeName::replica(1), NodeName::replica(2)];
        for (writer, conditions, text) in [
            (primary, &[][..], "pause(replica-1),resume(replica-1),kill(writer),promote(best)"),
            (primary, &[(one, Condition::Paused)], "resume(replica-1),freeze(replica-1)"),
            (primary, &[(one, Condition::Paused)], "crash(replica-1),pause(replica-1)"),
            (primary, &[(primary, Condition::Down)], "promote(replica-2),rejoin(primary)"),
            (primary, &[(primary, Condition::Down)], "start(writer),switchover(best)"),
            (one, &[(primary, Condition::Diverged)], "rejoin(primary),freeze(primary)"),
            (one, &[], "pause-replay(primary),crash(replica-1)"),
            (
                primary,
                &[],
                "fill-disk(writer),kill(primary),promote(best),free-disk(primary),rejoin(primary)",
            ),
            (primary, &[], "fill-disk(replica-1),stop(primary),start(primary),free-disk(replica-1)"),
            (
                primary,
                &[(one, Condition::Isolated)],
                "fill-disk(replica-1),free-disk(replica-1),reconnect(replica-1)",
            ),
            (primary, &[(one, Condition::Frozen), (two, Condition::ReplayPaused)], "promote(replica-1)"),
        ] {
            assert_eq!(judge(writer, conditions, text), Ok(()), "{text}");
        }
        let say = |writer, conditions: &[(NodeName, Condition)], text: &str| {
            judge(writer, conditions, text).unwrap_err().to_string()
        };
        insta::assert_snapshot!(say(primary, &[], "resume(replica-1)"), @"resume(replica-1): replica-1 is not paused; only `pause` before it leads to that");
        insta::assert_snapshot!(say(primary, &[], "rejoin(replica-1)"), @"rejoin(replica-1): replica-1 is not diverged; only `promote` before it leads to that");
        insta::assert_snapshot!(say(primary, &[(one, Condition::Down)], "crash(replica-1)"), @"crash(replica-1): replica-1 is already down; `start(replica-1)` it first");
        insta::assert_snapshot!(say(primary, &[], "kill(replica-1),crash(replica-1)"), @"crash(replica-1): replica-1 is already down by then, since kill(replica-1); `start(replica-1)` it first");
        insta::assert_snapshot!(say(primary, &[(one, Condition::Paused)], "kill(replica-2),promote(best)"), @"promote(best): there is no replica that could be promoted by then");
        insta::assert_snapshot!(say(primary, &[(one, Condition::Paused), (two, Condition::Down)], "switchover(best)"), @"switchover(best): there is no replica that could be promoted");
        insta::assert_snapshot!(say(primary, &[(primary, Condition::Down)], "freeze(replica-1)"), @"freeze(replica-1): the primary is down, so there is no stream to freeze");
        insta::assert_snapshot!(say(primary, &[(two, Condition::Frozen)], "switchover(replica-1)"), @"switchover(replica-1): replica-2 is already frozen; `thaw(replica-2)` it first");
        insta::assert_snapshot!(say(primary, &[(primary, Condition::Paused), (one, Condition::Diverged)], "rejoin(replica-1)"), @"rejoin(replica-1): primary is already paused; `resume(primary)` it first");
        insta::assert_snapshot!(say(one, &[], "freeze(replica-1)"), @"freeze(replica-1): replica-1 is the primary; that can only be done to a replica");
        insta::assert_snapshot!(say(one, &[(primary, Condition::Diverged)], "start(primary)"), @"start(primary): primary is already diverged; `rejoin(primary)` it first");
        insta::assert_snapshot!(say(primary, &[], "pause(replica-3)"), @"pause(replica-3): there is no node `replica-3` (did you mean `replica-2`?); the nodes are primary, replica-1, replica-2");
        let full = [(one, Condition::DiskFull)];
        for fault in ["crash", "start", "pause", "isolate", "fill-disk", "promote", "terminate", "freeze"] {
            let said = say(primary, &full, &format!("{fault}(replica-1)"));
            assert!(
                said.ends_with("is already out of disk space; `free-disk(replica-1)` it first"),
                "{said}"
            );
        }
        insta::assert_snapshot!(say(primary, &full, "promote(replica-2)"), @"promote(replica-2): replica-1 is already out of disk space; `free-disk(replica-1)` it first");
        insta::assert_snapshot!(say(one, &[(one, Condition::DiskFull), (primary, Condition::Diverged)], "rejoin(primary)"), @"rejoin(primary): replica-1 is already out of disk space; `free-disk(replica-1)` it first");
        insta::assert_snapshot!(say(primary, &[(primary, Condition::DiskFull)], "switchover(replica-2)"), @"switchover(replica-2): primary is already out of disk space; `free-disk(primary)` it first");
        insta::assert_snapshot!(say(primary, &[(primary, Condition::DiskFull)], "freeze(replica-2)"), @"freeze(replica-2): primary is already out of disk space; `free-disk(primary)` it first");
        insta::assert_snapshot!(say(primary, &[(one, Condition::Frozen)], "fill-disk(replica-1)"), @"fill-disk(replica-1): replica-1 is already frozen; `thaw(replica-1)` it first");
        insta::assert_snapshot!(say(primary, &[], "free-disk(primary)"), @"free-disk(primary): primary is not out of disk space; only `fill-disk` before it leads to that");
        let present = Present { nodes: vec![primary], writer: primary, conditions: Vec::new() };
        let error = present
            .allow(&Act::several("pause(primary)").unwrap(), |action| action == Action::Crash)
            .unwrap_err();
        insta::assert_snapshot!(error, @"pause(primary): a cluster of this kind cannot do that; it can crash");
    }
}
