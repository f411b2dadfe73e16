//! Readers come and go.

use std::sync::Arc;

use chrono::Utc;

use super::failover::{is_available, is_ready};
use super::{Control, lock};
use crate::history::{Action, NodeName, StopMode};
use crate::rds::door::Target;
use crate::rds::events::Happening;
use crate::rds::fleet::{Fleet, InstanceStatus, Member};
use crate::rds::refusal::Refusal;
use crate::rds::request::Params;
use crate::rds::xml::Element;
use crate::rds::{address, answer, identifier, sampler};

/// The highest promotion tier.
const LAST_TIER: u8 = 15;

impl Control {
    /// `CreateDBInstance`, of a reader.
    pub(in crate::rds) async fn create(self: &Arc<Self>, params: &Params) -> Result<Vec<Element>, Refusal> {
        let (node, answer) = {
            let mut fleet = self.fleet();
            let member = new_member(&fleet, params)?;
            let answer = answer::instance(&fleet, &member);
            let node = member.node;
            fleet.members.push(member);
            (node, answer)
        };
        let control = Arc::clone(self);
        self.spawn(async move { control.make(node).await });
        Ok(vec![answer])
    }

    async fn make(self: Arc<Self>, node: NodeName) {
        let _turn = self.turn.lock().await;
        let made = self.make_reader(node).await;
        self.linger().await;
        match made {
            Ok(()) => {
                self.set(&[node], InstanceStatus::Available);
                self.happened_to(node, Happening::Created);
            }
            Err(error) => {
                self.say(format!("{node} was not made: {error:#}"));
                self.set(&[node], InstanceStatus::Failed);
            }
        }
        self.count_standbys().await;
    }

    async fn make_reader(self: &Arc<Self>, node: NodeName) -> anyhow::Result<()> {
        let place = {
            let fleet = self.fleet();
            fleet.of_node(node).map(|member| (member.address, fleet.port))
        };
        let (address, port) = place.ok_or_else(|| anyhow::anyhow!("{node} belongs to no instance"))?;
        let listener = address::listen(address, port).await?;
        self.cluster.write().await.add_replica(node)?;
        self.name_hosts()?;
        self.open(Target::Instance(node), listener);
        // Copies the writer into it.
        self.act(node, Action::Rejoin).await?;
        self.settled(node).await?;
        sampler::tell(self).await
    }

    /// `DeleteDBInstance`, of a reader.
    pub(in crate::rds) async fn delete(self: &Arc<Self>, params: &Params) -> Result<Vec<Element>, Refusal> {
        let writer = self.writer().await?;
        let (node, answer) = {
            let mut fleet = self.fleet();
            if params.get("FinalDBSnapshotIdentifier").is_some() {
                return Err(Refusal::combination(
                    "FinalDBSnapshotIdentifier can not be specified when deleting a cluster instance",
                ));
            }
            let member = fleet.member(params.required("DBInstanceIdentifier")?)?;
            let (node, name) = (member.node, member.name.clone());
            if node == writer {
                let message =
                    format!("{name} is the writer; here only readers can be deleted. Fail over first.");
                return Err(Refusal::instance_state(message));
            }
            if member.status != InstanceStatus::Failed {
                is_ready(member)?;
            }
            is_available(&fleet)?;
            fleet.set(node, InstanceStatus::Deleting);
            (node, answer::instance(&fleet, fleet.member(&name)?))
        };
        let control = Arc::clone(self);
        self.spawn(async move { control.remove(node).await });
        Ok(vec![answer])
    }

    async fn remove(&self, node: NodeName) {
        let _turn = self.turn.lock().await;
        self.end_failures().await;
        // It does not count any more.
        self.count_standbys().await;
        let removed = self.remove_reader(node).await;
        self.linger().await;
        match removed {
            Ok(()) => {
                self.close(node);
                lock(&self.connections).remove(&node);
                self.happened_to(node, Happening::Deleted);
                self.fleet().members.retain(|member| member.node != node);
                if let Err(error) = self.name_hosts() {
                    self.say(format!("its name still leads to {node}: {error}"));
                }
            }
            Err(error) => {
                self.say(format!("{node} was not removed: {error:#}"));
                self.set(&[node], InstanceStatus::Failed);
            }
        }
    }

    async fn remove_reader(&self, node: NodeName) -> anyhow::Result<()> {
        if self.cluster.read().await.is_running(node).unwrap_or(false) {
            self.act(node, Action::Stop(StopMode::Fast)).await?;
        }
        // One that was never made is not there either.
        if self.endpoint(node).await.is_some() {
            // What takes long is done while others look at the cluster, too.
            self.cluster.read().await.retire_replica(node).await?;
            self.cluster.write().await.forget_replica(node)?;
        }
        Ok(())
    }
}

/// The instance that is asked for, which does not exist yet.
fn new_member(fleet: &Fleet, params: &Params) -> Result<Member, Refusal> {
    let Some(cluster) = params.get("DBClusterIdentifier") else {
        return Err(Refusal::combination(
            "Here instances are readers of the cluster: name DBClusterIdentifier.",
        ));
    };
    fleet.check_name(cluster)?;
    let name = params.required("DBInstanceIdentifier")?.to_ascii_lowercase();
    identifier::check(&name)?;
    let class = params.required("DBInstanceClass")?.to_owned();
    let engine = params.required("Engine")?;
    if engine != "aurora-postgresql" {
        return Err(Refusal::combination(format!(
            "The engine of the cluster is aurora-postgresql, not {engine}."
        )));
    }
    let tier = params.number("PromotionTier")?.unwrap_or(1);
    if tier > LAST_TIER {
        return Err(Refusal::value(format!("PromotionTier must be from 0 to {LAST_TIER}, not {tier}.")));
    }
    if fleet.members.iter().any(|member| member.name == name) {
        return Err(Refusal::new(
            400,
            "DBInstanceAlreadyExists",
            format!("DB instance {name} already exists"),
        ));
    }
    is_available(fleet)?;
    let is_free =
        |number: &usize| fleet.members.iter().all(|member| member.address != address::instance(*number));
    let Some(number) = (1..=address::INSTANCES).find(is_free) else {
        let message = format!("A cluster has at most {} instances.", address::INSTANCES);
        return Err(Refusal::new(400, "InstanceQuotaExceeded", message));
    };
    let node = (1..).map(NodeName::replica).find(|node| fleet.of_node(*node).is_none());
    let zone = params.get("AvailabilityZone").map_or_else(|| fleet.zone(number - 1), str::to_owned);
    Ok(Member {
        name,
        node: node.unwrap_or_else(|| NodeName::replica(number)),
        status: InstanceStatus::Creating,
        tier,
        class,
        zone,
        address: address::instance(number),
        created: Utc::now(),
        session: identifier::unique()?,
        tags: params.tags(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rds::fleet::tests::fleet;

    fn asked(more: &str) -> Result<Member, &'static str> {
        let query = format!(
            "DBClusterIdentifier=part-4&DBInstanceIdentifier=New&DBInstanceClass=db.r6g.large\
             &Engine=aurora-postgresql&{more}"
        );
        new_member(&fleet(&[1]), &Params::parse(&query, b"")).map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_new_reader_gets_what_is_free() {
        let member = asked("PromotionTier=3&Tags.Tag.1.Key=a&Tags.Tag.1.Value=b").unwrap();
        assert_eq!((member.name.as_str(), member.tier), ("new", 3));
        assert_eq!(member.address, address::instance(3));
        assert_eq!((member.zone.as_str(), member.node), ("us-east-1c", NodeName::replica(1)));
        assert_eq!(member.tags.len(), 1);
        assert_eq!(member.session.len(), 36);
    }

    #[test]
    fn what_cannot_be_a_reader_is_refused() {
        let code = |more| asked(more).unwrap_err();
        assert_eq!(code("PromotionTier=16"), "InvalidParameterValue");
        assert_eq!(code("Engine=postgres"), "InvalidParameterCombination");
        assert_eq!(code("DBClusterIdentifier="), "InvalidParameterCombination");
        assert_eq!(code("DBClusterIdentifier=other"), "DBClusterNotFoundFault");
        assert_eq!(code("DBInstanceIdentifier=part-4-instance-2"), "DBInstanceAlreadyExists");
        assert_eq!(code("DBInstanceIdentifier=a_b"), "InvalidParameterValue");
        let mut full = fleet(&[1; 15]);
        let query =
            "DBClusterIdentifier=part-4&DBInstanceIdentifier=x&DBInstanceClass=c&Engine=aurora-postgresql";
        let refused = new_member(&full, &Params::parse(query, b"")).unwrap_err();
        assert_eq!(refused.code, "InstanceQuotaExceeded");
        full.members.remove(4);
        assert_eq!(new_member(&full, &Params::parse(query, b"")).unwrap().address, address::instance(5));
    }
}
