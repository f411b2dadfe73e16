//! Why acknowledged commits survive a fault, or may not: what claims of durability rest on.

use crate::check::Guarantee;
use crate::fault::{Stage, Target};
use crate::history::{Action, Nanos, NodeName};
use crate::topology::Standbys;

use super::{Plan, SynchronousCommit, TopologyKind};

/// What a step of the schedule does to the commits that were acknowledged before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The step takes nothing from anybody's log.
    Untouched,
    /// The primary is shut down before another node takes its place.
    HandedOver,
    /// The primary dies, and has them on its disk.
    Flushed,
    /// The primary dies, and may not have them on its disk.
    NotFlushed,
    /// Another node takes the primary's place, and no answer of a standby was waited for at this level.
    Unconfirmed(SynchronousCommit),
    /// Another node takes the primary's place, and has them all: of `members` standbys `count` have each.
    Received(SynchronousCommit, usize, usize),
    /// The storage that all nodes share has them, whoever writes to it.
    InVolume,
    /// The same, but the one that takes it may be one of those that have not.
    MayLack(usize, usize),
}

/// What is to be expected of acknowledged commits in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theory {
    /// Whether it is claimed that none is lost.
    pub claimed: bool,
    /// Why, in one sentence without a full stop.
    pub why: String,
}

impl Plan {
    /// What is to be expected of acknowledged commits: the last step that may take them decides, else the last that could.
    pub fn durability(&self) -> Theory {
        let stages = self.faults.stages(&self.topology.nodes());
        let fates: Vec<Fate> = stages.iter().map(|stage| self.fate(stage)).collect();
        let decides = fates
            .iter()
            .rfind(|fate| !fate.keeps())
            .or_else(|| fates.iter().rfind(|fate| **fate != Fate::Untouched));
        let claimed = self.claims().claims(Guarantee::Durability, None);
        Theory { claimed, why: decides.unwrap_or(&Fate::Untouched).why() }
    }

    /// The level of those commits that wait for the fewest: every other one of the long fork waits for nobody.
    fn weakest_level(&self) -> SynchronousCommit {
        match self.topology.synchronous_commit {
            level if level.waits_for_standbys() && self.runs("longfork") => SynchronousCommit::Local,
            level => level,
        }
    }

    /// What `stage` does to the commits that were acknowledged before it.
    pub(super) fn fate(&self, stage: &Stage) -> Fate {
        let level = self.weakest_level();
        let may_be_primary = stage.node.is_none() || stage.writer.is_none() || stage.node == stage.writer;
        if self.topology.kind == TopologyKind::Aurora {
            let action = stage.step.action;
            // Where a failure is simulated, Aurora may start the server anew, or replace it.
            let ends = action.is_abrupt() || action.ends_processes() || action.lasts() > Nanos(0);
            return match level {
                _ if !(ends && may_be_primary || action.moves_primary()) => Fate::Untouched,
                SynchronousCommit::Off => Fate::NotFlushed,
                _ => Fate::InVolume,
            };
        }
        match stage.step.action {
            Action::Promote => self.fate_of_promotion(stage),
            // A shutdown flushes, and waits until whoever receives has everything.
            Action::Switchover => Fate::HandedOver,
            // Whether somebody's restart command shuts the server down or kills it is not for replab to know.
            Action::Restart if self.topology.kind == TopologyKind::Urls => match level {
                SynchronousCommit::Off => Fate::NotFlushed,
                _ => Fate::Flushed,
            },
            // Every value but `off` waits for the primary's own disk (manual, "synchronous_commit"). With `off`, a
            // crash may take acknowledged commits back; a shutdown flushes them. A server whose log finds no room ends as in
            // a crash.
            action if (action.is_abrupt() || action == Action::FillDisk) && may_be_primary => match level {
                SynchronousCommit::Off => Fate::NotFlushed,
                _ => Fate::Flushed,
            },
            _ => Fate::Untouched,
        }
    }

    /// Whether the replica that `stage` promotes has received every commit that was acknowledged.
    ///
    /// Of n replicas whose answers count, each commit has been received by `count`. The best of those that can be
    /// promoted has it if no `count` of them can all be among the others.
    fn fate_of_promotion(&self, stage: &Stage) -> Fate {
        let level = self.weakest_level();
        let standbys = self.topology.standbys();
        let Some(Standbys { count, .. }) = standbys.filter(|_| level.waits_for_standbys()) else {
            return Fate::Unconfirmed(level);
        };
        let Some(writer) = stage.writer else { return Fate::MayLack(count, self.topology.replicas) };
        let members = self.topology.answering(writer);
        let there = members.iter().filter(|member| stage.candidates.contains(member)).count();
        let promoted = if stage.step.target == Target::Best { there } else { 1 };
        let is_member = stage.node.is_none_or(|node| members.contains(&node));
        // Who receives from whom after a failover is for the cluster to say.
        let known = self.topology.cascade.is_empty() || writer == NodeName::primary();
        if is_member && known && count + promoted > members.len() {
            Fate::Received(level, count, members.len())
        } else {
            Fate::MayLack(count, members.len())
        }
    }
}

impl Fate {
    /// Whether every commit that was acknowledged before is there after it.
    pub(super) fn keeps(self) -> bool {
        match self {
            Fate::Untouched | Fate::HandedOver | Fate::Flushed | Fate::InVolume | Fate::Received(..) => true,
            Fate::NotFlushed | Fate::Unconfirmed(_) | Fate::MayLack(..) => false,
        }
    }

    fn why(self) -> String {
        const REST: &str = "what the promoted replica had not received by then is gone";
        match self {
            Fate::Untouched => "no step takes anything from the primary's log".to_owned(),
            Fate::HandedOver => {
                "the primary is shut down in order, and a shutdown waits until the replicas have everything".to_owned()
            }
            Fate::Flushed => {
                "a commit is on the primary's own disk before it is acknowledged, and recovery replays it from there"
                    .to_owned()
            }
            Fate::InVolume => {
                "a commit is in four of the six copies of the cluster's volume before it is acknowledged, and whoever \
                 writes next opens the same volume"
                    .to_owned()
            }
            Fate::NotFlushed => {
                "a commit is acknowledged before it is on disk: a crash takes back what the WAL writer had not flushed, \
                 the end of the log of at most three times `wal_writer_delay`"
                    .to_owned()
            }
            Fate::Unconfirmed(SynchronousCommit::Off) => {
                format!("neither a disk nor a standby is waited for: {REST}")
            }
            Fate::Unconfirmed(SynchronousCommit::Local) => {
                format!("only the primary's own disk is waited for, and another node takes its place: {REST}")
            }
            Fate::Unconfirmed(_) => format!(
                "there is no synchronous standby to wait for, so that PostgreSQL takes the level for `local`, in \
                 silence: {REST}"
            ),
            Fate::Received(level, count, members) => {
                let written = match level {
                    SynchronousCommit::RemoteWrite => {
                        " (written, not flushed: enough while that standby's operating system stays up)"
                    }
                    _ => "",
                };
                format!(
                    "{count} of {members} standbys had received each commit before it was acknowledged{written}, and the one \
                     that is promoted cannot have less than they"
                )
            }
            Fate::MayLack(_, 0) => format!(
                "none of the synchronous standbys is a replica of this primary, so that nobody's answer is known: {REST}"
            ),
            Fate::MayLack(count, members) => format!(
                "{count} of {members} standbys had received each commit before it was acknowledged, and the one that is \
                 promoted may be another: {REST}"
            ),
        }
    }
}
