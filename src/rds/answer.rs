//! The cluster, its instances and its endpoints in the API's shapes (API reference, "Data Types"): of each shape the fields
//! that mean something here.

use std::collections::BTreeMap;

use super::events::stamp;
use super::fleet::{ClusterStatus, Fleet, Member};
use super::xml::{Element, group, text};
use crate::history::NodeName;

const ENGINE: &str = "aurora-postgresql";

/// The master user, and the database that is there from the beginning.
pub(super) const MASTER: &str = "postgres";

/// `DBCluster`, while `writer` is the writer.
pub(super) fn cluster(fleet: &Fleet, writer: NodeName) -> Element {
    let member = |member: &Member| {
        group(
            "DBClusterMember",
            vec![
                text("DBInstanceIdentifier", &member.name),
                text("IsClusterWriter", member.node == writer),
                text("DBClusterParameterGroupStatus", "in-sync"),
                text("PromotionTier", member.tier),
            ],
        )
    };
    let mut zones: Vec<&str> = fleet.members.iter().map(|member| member.zone.as_str()).collect();
    zones.sort_unstable();
    zones.dedup();
    group(
        "DBCluster",
        vec![
            text("DBClusterIdentifier", &fleet.name),
            text("DBClusterArn", fleet.arn()),
            text("DbClusterResourceId", format!("cluster-{}", fleet.name.to_uppercase())),
            text("Status", fleet.status.as_str()),
            text("Engine", ENGINE),
            text("EngineVersion", &fleet.version),
            text("EngineMode", "provisioned"),
            text("Endpoint", fleet.writer_host()),
            text("ReaderEndpoint", fleet.reader_host()),
            text("Port", fleet.port),
            text("DatabaseName", MASTER),
            text("MasterUsername", MASTER),
            group(
                "MasterUserSecret",
                vec![
                    text("SecretArn", fleet.secret_arn()),
                    text("SecretStatus", "active"),
                    text("KmsKeyId", fleet.secret_key_arn()),
                ],
            ),
            text("MultiAZ", zones.len() > 1),
            group("AvailabilityZones", zones.iter().map(|zone| text("AvailabilityZone", zone)).collect()),
            group("DBClusterMembers", fleet.members.iter().map(member).collect()),
            text("AllocatedStorage", 1),
            text("BackupRetentionPeriod", 1),
            text("StorageEncrypted", false),
            text("IAMDatabaseAuthenticationEnabled", true),
            text("DeletionProtection", false),
            text("HttpEndpointEnabled", false),
            text("LocalWriteForwardingStatus", fleet.forwarding),
            text("ClusterCreateTime", stamp(fleet.created)),
            tags("TagList", &fleet.tags),
        ],
    )
}

/// `DBInstance`.
pub(super) fn instance(fleet: &Fleet, member: &Member) -> Element {
    let address = fleet.member_host(member);
    let endpoint = group("Endpoint", vec![text("Address", address), text("Port", fleet.port)]);
    group(
        "DBInstance",
        vec![
            text("DBInstanceIdentifier", &member.name),
            text("DBInstanceArn", fleet.member_arn(member)),
            text("DbiResourceId", format!("db-{}", member.name.to_uppercase())),
            text("DBClusterIdentifier", &fleet.name),
            text("DBInstanceStatus", member.status.as_str()),
            text("DBInstanceClass", &member.class),
            text("Engine", ENGINE),
            text("EngineVersion", &fleet.version),
            text("MasterUsername", MASTER),
            text("DBName", MASTER),
            endpoint,
            text("AvailabilityZone", &member.zone),
            text("MultiAZ", false),
            text("PromotionTier", member.tier),
            text("AllocatedStorage", 1),
            text("StorageType", "aurora"),
            text("StorageEncrypted", false),
            text("PubliclyAccessible", false),
            text("AutoMinorVersionUpgrade", false),
            text("IAMDatabaseAuthenticationEnabled", true),
            text("DeletionProtection", false),
            text("MonitoringInterval", 0),
            text("InstanceCreateTime", stamp(member.created)),
            tags("TagList", &member.tags),
        ],
    )
}

/// The `DBClusterEndpoint`s that a cluster always has, with their types.
pub(super) fn endpoints(fleet: &Fleet) -> Vec<(&'static str, Element)> {
    let status = match fleet.status {
        ClusterStatus::Stopping | ClusterStatus::Stopped | ClusterStatus::Starting => "inactive",
        ClusterStatus::Available | ClusterStatus::FailingOver => "available",
    };
    let endpoint = |kind: &'static str, host: String| {
        let fields = vec![
            text("DBClusterIdentifier", &fleet.name),
            text("Endpoint", host),
            text("Status", status),
            text("EndpointType", kind),
        ];
        (kind, group("DBClusterEndpointList", fields))
    };
    vec![endpoint("WRITER", fleet.writer_host()), endpoint("READER", fleet.reader_host())]
}

/// A list of tags.
pub(super) fn tags(name: &str, tags: &BTreeMap<String, String>) -> Element {
    let tag = |(key, value): (&String, &String)| group("Tag", vec![text("Key", key), text("Value", value)]);
    group(name, tags.iter().map(tag).collect())
}
