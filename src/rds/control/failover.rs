//! Another instance becomes the writer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Control;
use crate::history::{Action, NodeName};
use crate::rds::answer;
use crate::rds::chaos::Plant;
use crate::rds::events::Happening;
use crate::rds::fleet::{ClusterStatus, Fleet, InstanceStatus, Member};
use crate::rds::refusal::Refusal;
use crate::rds::request::Params;
use crate::rds::xml::Element;
use crate::topology::local::Cluster;
use crate::topology::{TopologyError, heal};

/// For how long the readers receive nothing before a failover with the planted bug.
const FROZEN: Duration = Duration::from_millis(500);

/// Between two looks who is the writer.
const LOOK: Duration = Duration::from_millis(2);

impl Control {
    /// `FailoverDBCluster`.
    pub(in crate::rds) async fn fail_over(
        self: &Arc<Self>,
        params: &Params,
    ) -> Result<Vec<Element>, Refusal> {
        let old = self.writer().await?;
        let (new, happening, answer) = {
            let mut fleet = self.fleet();
            fleet.check_name(params.required("DBClusterIdentifier")?)?;
            is_available(&fleet)?;
            let heir = target(&fleet, old, params.get("TargetDBInstanceIdentifier"))?;
            let zone = fleet.of_node(old).map(|member| member.zone.clone());
            let (new, to) = (heir.node, heir.name.clone());
            let across_zones = zone.is_some_and(|zone| zone != heir.zone);
            if self.dice.drops_failover() {
                let answer = answer::cluster(&fleet, old);
                drop(fleet);
                self.say(format!("a failover to {to} is accepted, and will not be performed"));
                return Ok(vec![answer]);
            }
            fleet.status = ClusterStatus::FailingOver;
            fleet.set(old, InstanceStatus::Rebooting);
            fleet.set(new, InstanceStatus::Rebooting);
            (new, Happening::FailoverStarted { to, across_zones }, answer::cluster(&fleet, old))
        };
        self.happened(happening);
        let control = Arc::clone(self);
        self.spawn(async move { control.change_writer(old, new).await });
        Ok(vec![answer])
    }

    async fn change_writer(self: Arc<Self>, old: NodeName, new: NodeName) {
        let _turn = self.turn.lock().await;
        self.set(&[old, new], InstanceStatus::Rebooting);
        self.happened_to(old, Happening::Shutdown);
        let mut switched = self.switch(old, new).await;
        if switched.is_err() {
            // Whatever it has left behind; the first error is the one that counts.
            let cluster = self.cluster.read().await;
            let healed = put_right(&cluster).await;
            switched = switched.map_err(|error| match healed {
                Ok(()) => error,
                Err(more) => error.context(format!("it was not put right either: {more}")),
            });
        }
        self.linger().await;
        let writer = self.writer().await.unwrap_or(old);
        let name = self.fleet().of_node(writer).map(|member| member.name.clone()).unwrap_or_default();
        if let Err(error) = &switched {
            self.say(format!("the failover has failed: {error:#}"));
        }
        if writer == new {
            self.arrive(old, new, writer, switched.is_ok()).await;
            self.happened(Happening::FailoverDone { to: name });
        } else {
            self.happened(Happening::FailoverFailed);
            self.happened(Happening::PromotedAgain { to: name });
            self.arrive(old, new, writer, false).await;
        }
        self.count_standbys().await;
        self.fleet().status = ClusterStatus::Available;
    }

    /// Each of the two is what its own server has come to, the writer of them first. If nothing went wrong, commits wait for a
    /// reader all the time; else the other one may not come back, and they do not wait for it before it has.
    async fn arrive(&self, old: NodeName, new: NodeName, writer: NodeName, in_order: bool) {
        let other = if writer == new { old } else { new };
        for node in [writer, other] {
            let settled = self.settled(node).await;
            // The readers have lost the old one, whoever it is that they have now.
            let following =
                if node == writer && settled.is_ok() { self.following(writer).await } else { Vec::new() };
            if writer == new {
                following.into_iter().for_each(|reader| self.happened_to(reader, Happening::Reconnected));
            }
            match settled {
                Ok(()) => {
                    if node == old {
                        self.happened_to(old, Happening::Restarted);
                    }
                    self.set(&[node], InstanceStatus::Available);
                }
                Err(error) => self.lost(node, &error),
            }
            if !in_order {
                self.count_standbys().await;
            }
        }
    }

    async fn switch(&self, old: NodeName, new: NodeName) -> anyhow::Result<()> {
        self.end_failures().await;
        // On Aurora the reader restarts as the writer, and its sessions end.
        self.cut(new);
        let mut change = Box::pin(async {
            match self.plant {
                None | Some(Plant::StaleForwarding) => self.act(new, Action::Switchover).await,
                Some(Plant::LossyFailover) => {
                    let cluster = self.cluster.read().await;
                    lose(&cluster, old, new).await.map_err(Into::into)
                }
            }
        });
        let done = tokio::select! {
            done = &mut change => Some(done),
            () = self.becomes_writer(new) => None,
        };
        // Also those that have come to the reader meanwhile, by its own door; and nobody who comes to the writer.
        self.cut(new);
        match done {
            Some(done) => done?,
            None => change.await?,
        }
        Ok(self.cluster.read().await.all_follow().await?)
    }

    async fn becomes_writer(&self, node: NodeName) {
        while self.writer().await != Ok(node) {
            sleep(LOOK).await;
        }
    }
}

/// A failover that loses what was acknowledged last: nobody had it but the old writer.
async fn lose(cluster: &Cluster, old: NodeName, new: NodeName) -> Result<(), TopologyError> {
    let nodes: Vec<NodeName> = cluster.endpoints().into_iter().map(|endpoint| endpoint.node).collect();
    for node in nodes.into_iter().filter(|node| *node != old) {
        cluster.act(node, Action::Freeze).await?;
    }
    sleep(FROZEN).await;
    cluster.act(old, Action::Kill).await?;
    cluster.act(new, Action::Promote).await?;
    put_right(cluster).await
}

/// Brings back whoever is held up, down or on a log of its own.
async fn put_right(cluster: &Cluster) -> Result<(), TopologyError> {
    // An action takes many steps, and their state much room.
    let cure = |node, action| Box::pin(async move { cluster.act(node, action).await.map(drop) });
    heal(|| cluster.conditions(), cure).await
}

/// The error of a cluster that is doing something else.
pub(super) fn is_available(fleet: &Fleet) -> Result<(), Refusal> {
    if fleet.status == ClusterStatus::Available {
        return Ok(());
    }
    let (name, status) = (&fleet.name, fleet.status.as_str());
    Err(Refusal::cluster_state(format!("DbCluster {name} is not in available state but {status}.")))
}

/// Whom a failover is to promote.
fn target<'a>(fleet: &'a Fleet, writer: NodeName, named: Option<&str>) -> Result<&'a Member, Refusal> {
    let Some(named) = named else {
        return fleet.heir(writer).ok_or_else(|| {
            Refusal::cluster_state(format!("DbCluster {} has no reader that could be promoted.", fleet.name))
        });
    };
    let member = fleet.member(named)?;
    if member.node == writer {
        let message = format!("DB instance {} is the writer already.", member.name);
        return Err(Refusal::instance_state(message));
    }
    is_ready(member)?;
    Ok(member)
}

/// The error of an instance that is doing something else.
pub(super) fn is_ready(member: &Member) -> Result<(), Refusal> {
    if member.is_available() {
        return Ok(());
    }
    let (name, status) = (&member.name, member.status.as_str());
    Err(Refusal::instance_state(format!("Database instance is not in available state: {name} is {status}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rds::fleet::tests::fleet;

    #[test]
    fn who_can_be_promoted() {
        let mut fleet = fleet(&[1, 0]);
        let writer = fleet.members[0].node;
        let name = |named| target(&fleet, writer, named).map(|member| member.name.clone());
        assert_eq!(name(None).unwrap(), "part-4-instance-3");
        assert_eq!(name(Some("PART-4-instance-2")).unwrap(), "part-4-instance-2");
        assert_eq!(name(Some("part-4-instance-1")).unwrap_err().code, "InvalidDBInstanceState");
        assert_eq!(name(Some("other")).unwrap_err().code, "DBInstanceNotFound");
        for node in [fleet.members[1].node, fleet.members[2].node] {
            fleet.set(node, InstanceStatus::Rebooting);
        }
        let name = |named| target(&fleet, writer, named).map(|member| member.name.clone());
        assert_eq!(name(Some("part-4-instance-2")).unwrap_err().code, "InvalidDBInstanceState");
        assert_eq!(name(None).unwrap_err().code, "InvalidDBClusterStateFault");
        assert!(is_available(&fleet).is_ok());
        fleet.status = ClusterStatus::FailingOver;
        assert_eq!(is_available(&fleet).unwrap_err().code, "InvalidDBClusterStateFault");
    }
}
