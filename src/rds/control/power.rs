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
        self.set(&[node], InstanceStatus::Rebooting);
        let restarted = async {
            self.wait_for_standbys().await?;
            self.happened_to(node, Happening::Shutdown);
            let is_running = self.cluster.read().await.is_running(node)?;
            self.act(node, if is_running { action } else { Action::Start }).await?;
            self.settled(node).await
        };
        let restarted = restarted.await;
        self.linger().await;
        self.back(node, restarted).await;
    }

    /// An instance that was down is there again, or is not.
    pub(super) async fn back(&self, node: NodeName, restarted: anyhow::Result<()>) {
        match restarted {
            Ok(()) => {
                self.happened_to(node, Happening::Restarted);
                if self.writer().await == Ok(node) {
                    self.reconnected(node).await;
                }
                self.set(&[node], InstanceStatus::Available);
            }
            Err(error) => {
                self.say(format!("{node} did not come back: {error:#}"));
                self.set(&[node], InstanceStatus::Failed);
            }
        }
        if let Err(error) = self.wait_for_standbys().await {
            self.say(format!("whom commits wait for is not set: {error:#}"));
        }
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
        self.spawn(async move { control.stop_all(writer).await });
        Ok(vec![answer])
    }

    /// The writer first: it waits until the readers have everything.
    async fn stop_all(&self, writer: NodeName) {
        let _turn = self.turn.lock().await;
        self.end_failures().await;
        for node in self.writer_first(writer) {
            if let Err(error) = self.act(node, Action::Stop(StopMode::Fast)).await {
                self.say(format!("{node} was not stopped in order: {error:#}"));
            }
        }
        self.linger().await;
        for node in self.writer_first(writer) {
            self.set(&[node], InstanceStatus::Stopped);
            self.happened_to(node, Happening::Stopped);
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
        self.spawn(async move { control.start_all(writer).await });
        Ok(vec![answer])
    }

    async fn start_all(&self, writer: NodeName) {
        let _turn = self.turn.lock().await;
        let nodes = self.writer_first(writer);
        let started = async {
            for node in &nodes {
                self.act(*node, Action::Start).await?;
            }
            for node in &nodes {
                self.settled(*node).await?;
            }
            anyhow::Ok(())
        };
        let started = started.await;
        self.linger().await;
        match started {
            Ok(()) => {
                self.set(&nodes, InstanceStatus::Available);
                nodes.iter().for_each(|node| self.happened_to(*node, Happening::Started));
                self.happened(Happening::ClusterStarted);
            }
            Err(error) => {
                self.say(format!("the cluster was not started: {error:#}"));
                self.set(&nodes, InstanceStatus::Failed);
            }
        }
        if let Err(error) = self.wait_for_standbys().await {
            self.say(format!("whom commits wait for is not set: {error:#}"));
        }
        self.fleet().status = ClusterStatus::Available;
    }

    fn writer_first(&self, writer: NodeName) -> Vec<NodeName> {
        let mut nodes: Vec<NodeName> = self.fleet().members.iter().map(|member| member.node).collect();
        nodes.sort_by_key(|node| *node != writer);
        nodes
    }
}
