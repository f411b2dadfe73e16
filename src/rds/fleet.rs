//! The cluster and its instances as the API shows them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use chrono::{DateTime, Utc};

use super::refusal::Refusal;
use super::secret::MasterSecret;
use crate::history::NodeName;

/// Whose everything is: the account of AWS's own examples.
pub(super) const ACCOUNT: &str = "123456789012";

/// What a cluster is doing (Aurora user guide, "Viewing DB cluster status").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClusterStatus {
    Available,
    FailingOver,
    Stopping,
    Stopped,
    Starting,
}

/// What an instance is doing (Aurora user guide, "Viewing DB instance status").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InstanceStatus {
    Available,
    Creating,
    Deleting,
    Failed,
    Rebooting,
    Stopping,
    Stopped,
    Starting,
}

/// An instance.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its identifier, in lower case.
    pub(super) name: String,
    /// The server behind it.
    pub(super) node: NodeName,
    pub(super) status: InstanceStatus,
    /// Who is promoted first, 0 to 15.
    pub(super) tier: u8,
    pub(super) class: String,
    pub(super) zone: String,
    /// Its endpoint, which stays.
    pub(super) address: Ipv4Addr,
    pub(super) created: DateTime<Utc>,
    /// What `aurora_replica_status()` calls a reader.
    pub(super) session: String,
    pub(super) tags: BTreeMap<String, String>,
}

/// The cluster.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    /// Its identifier, in lower case.
    pub(super) name: String,
    pub(super) region: String,
    pub(super) status: ClusterStatus,
    /// The version of the engine: 15.18.
    pub(super) version: String,
    /// Of every endpoint.
    pub(super) port: u16,
    /// Where the endpoints have names; else they are known by their addresses.
    pub(super) domain: Option<String>,
    /// `LocalWriteForwardingStatus`: writes are forwarded nowhere, so that it is only said to be enabled where that is a bug.
    pub(super) forwarding: &'static str,
    /// The cluster endpoint.
    pub(super) writer: Ipv4Addr,
    /// The reader endpoint.
    pub(super) reader: Ipv4Addr,
    pub(super) created: DateTime<Utc>,
    pub(super) members: Vec<Member>,
    pub(super) tags: BTreeMap<String, String>,
    /// The master user's password.
    pub(super) secret: MasterSecret,
}

impl ClusterStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            ClusterStatus::Available => "available",
            ClusterStatus::FailingOver => "failing-over",
            ClusterStatus::Stopping => "stopping",
            ClusterStatus::Stopped => "stopped",
            ClusterStatus::Starting => "starting",
        }
    }
}

impl InstanceStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            InstanceStatus::Available => "available",
            InstanceStatus::Creating => "creating",
            InstanceStatus::Deleting => "deleting",
            InstanceStatus::Failed => "failed",
            InstanceStatus::Rebooting => "rebooting",
            InstanceStatus::Stopping => "stopping",
            InstanceStatus::Stopped => "stopped",
            InstanceStatus::Starting => "starting",
        }
    }
}

impl Member {
    pub(super) fn is_available(&self) -> bool {
        self.status == InstanceStatus::Available
    }
}

impl Fleet {
    /// The resource name of the cluster.
    pub(super) fn arn(&self) -> String {
        format!("arn:aws:rds:{}:{ACCOUNT}:cluster:{}", self.region, self.name)
    }

    /// The resource name of an instance.
    pub(super) fn member_arn(&self, member: &Member) -> String {
        format!("arn:aws:rds:{}:{ACCOUNT}:db:{}", self.region, member.name)
    }

    /// The zone of the `index`th instance: they are spread over three.
    pub(super) fn zone(&self, index: usize) -> String {
        format!("{}{}", self.region, ['a', 'b', 'c'][index % 3])
    }

    /// Whether `id` means the cluster; identifiers are not case-sensitive.
    pub(super) fn is_called(&self, id: &str) -> bool {
        self.name.eq_ignore_ascii_case(id) || self.arn() == id
    }

    /// The error of another cluster's identifier.
    pub(super) fn check_name(&self, id: &str) -> Result<(), Refusal> {
        if self.is_called(id) { Ok(()) } else { Err(Refusal::cluster_not_found(id)) }
    }

    /// The instance that `id` means.
    pub(super) fn member(&self, id: &str) -> Result<&Member, Refusal> {
        let mut members = self.members.iter();
        let found = members.find(|one| one.name.eq_ignore_ascii_case(id) || self.member_arn(one) == id);
        found.ok_or_else(|| Refusal::instance_not_found(id))
    }

    /// The instance whose server is `node`.
    pub(super) fn of_node(&self, node: NodeName) -> Option<&Member> {
        self.members.iter().find(|member| member.node == node)
    }

    /// Whether the server of `node` is to run now, or why not: a change that waits for its turn ends it, or will start it.
    pub(super) fn is_to_run(&self, node: NodeName) -> Result<(), String> {
        match self.status {
            ClusterStatus::Available | ClusterStatus::FailingOver => {}
            ClusterStatus::Stopping | ClusterStatus::Stopped | ClusterStatus::Starting => {
                return Err(format!("the cluster is {}", self.status.as_str()));
            }
        }
        match self.of_node(node).map(|member| member.status) {
            Some(InstanceStatus::Deleting) => Err("it is being deleted".to_owned()),
            Some(_) => Ok(()),
            None => Err("it belongs to no instance".to_owned()),
        }
    }

    /// Puts the instance of `node` into a state.
    pub(super) fn set(&mut self, node: NodeName, status: InstanceStatus) {
        for member in self.members.iter_mut().filter(|member| member.node == node) {
            member.status = status;
        }
    }

    /// The readers that take connections, while `writer` is the writer.
    pub(super) fn readers(&self, writer: NodeName) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.node != writer && member.is_available())
    }

    /// The reader that a failover without a target promotes: of the lowest tier, and of these the first by name. The
    /// documentation says "the largest, then any" where the tiers are equal.
    pub(super) fn heir(&self, writer: NodeName) -> Option<&Member> {
        self.readers(writer).min_by_key(|member| (member.tier, &member.name))
    }

    /// The tags of what `arn` names.
    pub(super) fn tags(&mut self, arn: &str) -> Result<&mut BTreeMap<String, String>, Refusal> {
        if arn == self.arn() {
            return Ok(&mut self.tags);
        }
        let name = self.members.iter().find(|member| self.member_arn(member) == arn);
        let Some(name) = name.map(|member| member.name.clone()) else {
            return Err(match arn.split(':').nth(5) {
                Some("cluster") => Refusal::cluster_not_found(arn),
                Some("db") => Refusal::instance_not_found(arn),
                _ => Refusal::value(format!("{arn} is no resource name of a cluster or an instance.")),
            });
        };
        let member = self.members.iter_mut().find(|member| member.name == name);
        member.map(|member| &mut member.tags).ok_or_else(|| Refusal::instance_not_found(arn))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::pg::Secret;

    /// A writer of tier 1 and readers of the given tiers.
    pub(in crate::rds) fn fleet(tiers: &[u8]) -> Fleet {
        let mut fleet = Fleet {
            name: "part-4".to_owned(),
            region: "us-east-1".to_owned(),
            status: ClusterStatus::Available,
            version: "15.18".to_owned(),
            port: 5433,
            domain: None,
            forwarding: "disabled",
            writer: Ipv4Addr::new(127, 0, 0, 2),
            reader: Ipv4Addr::new(127, 0, 0, 3),
            created: DateTime::UNIX_EPOCH,
            members: Vec::new(),
            tags: BTreeMap::new(),
            secret: MasterSecret {
                id: "11112222-3333-4444-5555-666677778888".to_owned(),
                version: "1111".to_owned(),
                key: "2222".to_owned(),
                password: Secret::new("hunter2"),
            },
        };
        for (number, tier) in (1..).zip([1].iter().chain(tiers)) {
            fleet.members.push(Member {
                name: format!("part-4-instance-{number}"),
                node: NodeName::new(&format!("node-{number}")),
                status: InstanceStatus::Available,
                tier: *tier,
                class: "db.r6g.large".to_owned(),
                zone: fleet.zone(usize::from(number) - 1),
                address: Ipv4Addr::new(127, 0, 0, 10 + number),
                created: DateTime::UNIX_EPOCH,
                session: format!("session-{number}"),
                tags: BTreeMap::new(),
            });
        }
        fleet
    }

    fn heir(fleet: &Fleet) -> Option<&str> {
        fleet.heir(NodeName::new("node-1")).map(|member| member.name.as_str())
    }

    #[test]
    fn the_lowest_tier_is_promoted_and_then_the_first_name() {
        assert_eq!(heir(&fleet(&[2, 1, 1])), Some("part-4-instance-3"));
        assert_eq!(heir(&fleet(&[0, 15])), Some("part-4-instance-2"));
        assert_eq!(heir(&fleet(&[])), None);
        let mut busy = fleet(&[0, 15]);
        busy.set(NodeName::new("node-2"), InstanceStatus::Rebooting);
        assert_eq!(heir(&busy), Some("part-4-instance-3"));
    }

    #[test]
    fn identifiers_are_not_case_sensitive_and_may_be_resource_names() {
        let mut fleet = fleet(&[1]);
        let arn = fleet.member_arn(&fleet.members[1]);
        assert_eq!(arn, "arn:aws:rds:us-east-1:123456789012:db:part-4-instance-2");
        for id in ["PART-4-Instance-2", &arn] {
            assert_eq!(fleet.member(id).unwrap().name, "part-4-instance-2");
        }
        assert!(fleet.check_name("Part-4").is_ok() && fleet.check_name(&fleet.arn()).is_ok());
        assert_eq!(fleet.check_name("part-5").unwrap_err().code, "DBClusterNotFoundFault");
        fleet.tags(&arn).unwrap().insert("a".to_owned(), "b".to_owned());
        assert_eq!(fleet.members[1].tags.len(), 1);
        assert_eq!(fleet.tags(&arn.replace("-2", "-9")).unwrap_err().code, "DBInstanceNotFound");
        assert_eq!(fleet.tags("x").unwrap_err().code, "InvalidParameterValue");
    }
}
