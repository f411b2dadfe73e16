//! Restarting an instance; stopping and starting all of them.

use std::sync::Arc;

use super::Control;
use super::failover::{is_available, is_ready};
use crate::history::{Action, NodeName, StopMode};
use crate::rds::answer;
use crate::rds::events::Happening;
use crate::rds::fleet::{ClusterStatus, InstanceStatus};
use crate::rds::refusal::Refusal;
use crate::rds::request::Params;
use crate::rds::xml::Element;

impl Control {
    /// `RebootDBInstance`.
    pub(in crate::rds) async fn reboot(self: &Arc<Self>, params: &Params) -> Result<Vec<Element>, Refusal> {
        if params.flag("ForceFailover")? {
            return Err(Refusal::combination(
                "ForceFailover cannot be specified for an instance that is not configured for Multi-AZ.",
            ));
        }
        let (node, answer) = {
            let mut fleet = self.fleet();
            let member = fleet.member(params.required("DBInstanceIdentifier")?)?;
            // Of one that has failed it is the way back.
            if member.status != InstanceStatus::Failed {
                is_ready(member)?;
            }
            let (node, name) = (member.node, member.name.clone());
            is_available(&fleet).map_err(|refusal| Refusal::instance_state(refusal.message))?;
            fleet.set(node, InstanceStatus::Rebooting);
            (node, answer::instance(&fleet, fleet.member(&name)?))
        };
        let control = Arc::clone(self);
        self.spawn(async move { control.restart(node, Action::Restart).await });
        Ok(vec![answer])
    }

    /// Ends a server as `action` says, and brings it back.
    pub(super) async fn restart(&self, node: NodeName, action: Action) {
        let _turn = self.turn.lock().await;
        let is_to_run = self.fleet().is_to_run(node);
        if let Err(why) = is_to_run {
            return self.say(format!("{node} is left alone: {why}"));
        }
        self.set(&[node], InstanceStatus::Rebooting);
        self.count_standbys().await;
        self.happened_to(node, Happening::Shutdown);
        let restarted = async {
            let missing = self.missing(node).await?;
            self.act(node, missing.unwrap_or(action)).await?;
            self.settled(node).await
        };
        let restarted = restarted.await;
        self.linger().await;
        self.back(node, restarted).await;
        self.count_standbys().await;
    }

    /// `StopDBCluster`.
    pub(in crate::rds) async fn stop(self: &Arc<Self>, params: &Params) -> Result<Vec<Element>, Refusal> {
        let writer = self.writer().await?;
        let answer = {
            let mut fleet = self.fleet();
            fleet.check_name(params.required("DBClusterIdentifier")?)?;
            is_available(&fleet)?;
            fleet.members.iter().try_for_each(is_ready)?;
            fleet.status = ClusterStatus::Stopping;
            fleet.members.iter_mut().for_each(|member| member.status = InstanceStatus::Stopping);
            answer::cluster(&fleet, writer)
        };
        let control = Arc::clone(self);
        self.spawn(async move { control.stop_all().await });
        Ok(vec![answer])
    }

    /// The writer first: it waits until the readers have everything.
    async fn stop_all(&self) {
        let _turn = self.turn.lock().await;
        self.end_failures().await;
        let nodes = self.writer_first(&self.nodes()).await;
        for &node in &nodes {
            if let Err(error) = self.act(node, Action::Stop(StopMode::Fast)).await {
                self.say(format!("{node} was not stopped in order: {error:#}"));
            }
        }
        self.linger().await;
        for node in nodes {
            // One that had ended before, or was killed, does not run either.
            if self.cluster.read().await.is_running(node).unwrap_or(false) {
                self.say(format!("{node} still runs"));
                self.set(&[node], InstanceStatus::Failed);
            } else {
                self.set(&[node], InstanceStatus::Stopped);
                self.happened_to(node, Happening::Stopped);
            }
        }
        self.fleet().status = ClusterStatus::Stopped;
        self.happened(Happening::ClusterStopped);
    }

    /// `StartDBCluster`.
    pub(in crate::rds) async fn start(self: &Arc<Self>, params: &Params) -> Result<Vec<Element>, Refusal> {
        let writer = self.writer().await?;
        let answer = {
            let mut fleet = self.fleet();
            fleet.check_name(params.required("DBClusterIdentifier")?)?;
            if fleet.status != ClusterStatus::Stopped {
                let (name, status) = (&fleet.name, fleet.status.as_str());
                let message = format!("DbCluster {name} is not in stopped state but {status}.");
                return Err(Refusal::cluster_state(message));
            }
            fleet.status = ClusterStatus::Starting;
            fleet.members.iter_mut().for_each(|member| member.status = InstanceStatus::Starting);
            answer::cluster(&fleet, writer)
        };
        let control = Arc::clone(self);
        self.spawn(async move { control.start_all().await });
        Ok(vec![answer])
    }

    /// Each instance is what its own server has come to; the cluster is there when the writer is.
    async fn start_all(&self) {
        let _turn = self.turn.lock().await;
        let nodes = self.nodes();
        let started = self.bring_up(&nodes).await;
        self.linger().await;
        for (node, started) in started {
            match started {
                Ok(()) => {
                    self.set(&[node], InstanceStatus::Available);
                    self.happened_to(node, Happening::Started);
                }
                Err(error) => self.lost(node, &error),
            }
        }
        self.count_standbys().await;
        self.fleet().status = ClusterStatus::Available;
        let writer = self.writer().await;
        if writer.is_ok_and(|writer| self.status(writer) == Some(InstanceStatus::Available)) {
            self.happened(Happening::ClusterStarted);
        }
    }

    fn nodes(&self) -> Vec<NodeName> {
        self.fleet().members.iter().map(|member| member.node).collect()
    }
}
