//! Servers that end although nobody asked for it are started again, as on Aurora; and an instance that has failed is available
//! again as soon as its server works.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::Control;
use crate::history::NodeName;
use crate::rds::events::Happening;
use crate::rds::fleet::{Fleet, InstanceStatus};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Before the next attempt with the same server.
const REST: Duration = Duration::from_secs(5);

/// How long a server that runs, and whose instance has failed, may take to show that it works.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// Servers that are to work and do not.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fallen {
    /// They do not run.
    dead: Vec<NodeName>,
    /// They run, and their instances have failed.
    failed: Vec<NodeName>,
}

impl Control {
    /// Looks for such servers for ever.
    pub(in crate::rds) async fn watch(self: Arc<Self>) {
        let mut resting = BTreeMap::new();
        loop {
            sleep(LOOK).await;
            resting.retain(|_, end| *end > Instant::now());
            if self.fallen(&resting).await.is_none() {
                continue;
            }
            // What a change has left is its own to put right, when it is done.
            let turn = self.turn.lock().await;
            let Some(fallen) = self.fallen(&resting).await else { continue };
            let left = self.revive(&fallen).await;
            // During the rest others have their turn: one that cannot start can be deleted.
            drop(turn);
            resting.extend(left.into_iter().map(|node| (node, Instant::now() + REST)));
        }
    }

    async fn fallen(&self, resting: &BTreeMap<NodeName, Instant>) -> Option<Fallen> {
        let cluster = self.cluster.read().await;
        let dead: BTreeSet<NodeName> = cluster.dead().into_iter().collect();
        let runs = |node| cluster.is_running(node).ok();
        let fallen = Fallen::of(&self.fleet(), &dead, runs, |node| resting.contains_key(&node));
        (fallen != Fallen::default()).then_some(fallen)
    }

    /// Brings them back, and answers those that are not. Whose instance has failed stays so until an attempt works.
    async fn revive(&self, fallen: &Fallen) -> Vec<NodeName> {
        for node in fallen.dead.iter().filter(|node| self.status(**node) != Some(InstanceStatus::Failed)) {
            if let Some(how) = self.cluster.read().await.how_it_died(*node) {
                self.say(how);
            }
            self.set(&[*node], InstanceStatus::Rebooting);
            self.happened_to(*node, Happening::RecoveryStarted);
        }
        let all = fallen.dead.iter().chain(&fallen.failed);
        let before: BTreeMap<NodeName, _> = all.map(|node| (*node, self.status(*node))).collect();
        let mut tried = self.bring_up(&fallen.dead).await;
        tried.extend(self.look_again(&fallen.failed).await);
        self.linger().await;
        let mut left = Vec::new();
        for (node, works) in tried {
            if works.is_err() {
                left.push(node);
            }
            // Somebody may have asked for its end or its restart meanwhile, and waits for the turn.
            if before.get(&node) != Some(&self.status(node)) {
                continue;
            }
            match works {
                Ok(()) => {
                    self.happened_to(node, Happening::RecoveryDone);
                    self.back(node, Ok(())).await;
                }
                // That it does not work is known of the others.
                Err(error) if fallen.dead.contains(&node) => self.lost(node, &error),
                Err(_) => {}
            }
        }
        self.count_standbys().await;
        left
    }

    /// Of servers that run, whether they work by now.
    async fn look_again(&self, nodes: &[NodeName]) -> Vec<(NodeName, anyhow::Result<()>)> {
        let looks = self.writer_first(nodes).await.into_iter().map(async |node| {
            let works = timeout(SECOND_LOOK, self.settled(node)).await.context("it does not answer in time");
            (node, works.and_then(|works| works))
        });
        join_all(looks).await
    }
}

impl Fallen {
    /// Of the servers of `fleet`: of those that ended unasked, that run (`None`: there is no such server), and that rest.
    fn of(
        fleet: &Fleet,
        dead: &BTreeSet<NodeName>,
        runs: impl Fn(NodeName) -> Option<bool>,
        rests: impl Fn(NodeName) -> bool,
    ) -> Fallen {
        let mut fallen = Fallen::default();
        for member in &fleet.members {
            let node = member.node;
            if fleet.is_to_run(node).is_err() || rests(node) {
                continue;
            }
            let runs = runs(node).filter(|_| member.status == InstanceStatus::Failed);
            // A change that was to end it and start it again may have failed in between: that, nobody else puts right.
            if dead.contains(&node) || runs == Some(false) {
                fallen.dead.push(node);
            } else if runs == Some(true) {
                fallen.failed.push(node);
            }
        }
        fallen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rds::fleet::ClusterStatus;
    use crate::rds::fleet::tests::fleet;

    #[test]
    fn who_is_brought_back() {
        let mut fleet = fleet(&[1, 1, 1, 1, 1]);
        let [writer, first, second, third, ended, nowhere] =
            [0, 1, 2, 3, 4, 5].map(|at| fleet.members[at].node);
        let dead = BTreeSet::from([writer, first]);
        fleet.set(second, InstanceStatus::Failed);
        let fallen = |fleet: &Fleet, resting: &[NodeName]| {
            let runs = |node| (node != nowhere).then(|| node != ended && !dead.contains(&node));
            let fallen = Fallen::of(fleet, &dead, runs, |node| resting.contains(&node));
            (fallen.dead, fallen.failed)
        };
        assert_eq!(fallen(&fleet, &[]), (vec![writer, first], vec![second]));
        assert_eq!(fallen(&fleet, &[first, third]), (vec![writer], vec![second]));
        // What was ended by a change comes back with it, and has failed otherwise; what was never made is not there.
        fleet.set(nowhere, InstanceStatus::Failed);
        assert_eq!(fallen(&fleet, &[]), (vec![writer, first], vec![second]));
        fleet.set(ended, InstanceStatus::Failed);
        assert_eq!(fallen(&fleet, &[]), (vec![writer, first, ended], vec![second]));
        assert_eq!(fallen(&fleet, &[ended]), (vec![writer, first], vec![second]));
        fleet.set(ended, InstanceStatus::Available);
        // What has failed is tried again; what is about to be deleted is left alone.
        fleet.set(first, InstanceStatus::Failed);
        fleet.set(second, InstanceStatus::Deleting);
        assert_eq!(fallen(&fleet, &[]), (vec![writer, first], vec![]));
        for status in [ClusterStatus::Stopping, ClusterStatus::Stopped, ClusterStatus::Starting] {
            fleet.status = status;
            assert_eq!(fallen(&fleet, &[]), (vec![], vec![]), "{status:?}");
        }
        fleet.status = ClusterStatus::FailingOver;
        assert_eq!(fallen(&fleet, &[]), (vec![writer, first], vec![]));
    }
}
