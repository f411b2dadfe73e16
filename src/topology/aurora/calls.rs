//! What is asked of AWS, and of the servers: the closed list that a policy has to allow, and what a run would do.

use super::{Auth, Survey};
use crate::history::{Action, NodeName};
use crate::pg;

/// Every action of IAM's that the lab uses, and no other.
pub const CALLS: &[&str] = &[
    "rds:DescribeDBClusterEndpoints",
    "rds:DescribeDBClusters",
    "rds:DescribeDBInstances",
    "rds:DescribeEvents",
    "rds:FailoverDBCluster",
    "rds:ListTagsForResource",
    "rds:RebootDBInstance",
    "rds-db:connect",
    "secretsmanager:GetSecretValue",
];

/// What can be done to an instance.
pub fn can(action: Action) -> bool {
    use Action::{Crash, InjectDiskCongestion, InjectDiskFailure, InjectReplicaFailure};
    let is_simulated =
        matches!(action, InjectReplicaFailure(_) | InjectDiskFailure(_) | InjectDiskCongestion(_));
    is_simulated || matches!(action, Action::Restart | Crash | Action::Promote | Action::Switchover)
}

/// Whether it is done by a call of the API's, which is made again where nothing comes of it; a statement is sent once.
pub fn is_call(action: Action) -> bool {
    matches!(action, Action::Restart | Action::Promote | Action::Switchover)
}

/// The call or the statement that does `action` to `node`, or to whoever it is by then; `None`: nothing does.
pub fn rehearse(survey: &Survey, action: Action, node: Option<NodeName>) -> Option<String> {
    let named = survey.named();
    let instance = named.iter().find(|(name, _)| Some(*name) == node);
    let instance = instance.map_or("INSTANCE", |(_, member)| &*member.instance);
    let cluster = &survey.cluster;
    Some(match action {
        Action::Restart => format!("rds:RebootDBInstance DBInstanceIdentifier={instance}"),
        Action::Promote | Action::Switchover => format!(
            "rds:FailoverDBCluster DBClusterIdentifier={cluster} TargetDBInstanceIdentifier={instance}"
        ),
        Action::Crash => format!("on {instance}: {}", pg::aurora::CRASH),
        Action::InjectReplicaFailure(failure) => {
            format!("on the writer: {}", pg::aurora::replica_failure(failure, instance))
        }
        Action::InjectDiskFailure(failure) => format!("on {instance}: {}", pg::aurora::disk_failure(failure)),
        Action::InjectDiskCongestion(how) => format!("on {instance}: {}", pg::aurora::disk_congestion(how)),
        _ => return None,
    })
}

impl Auth {
    /// The action of IAM's that a login needs.
    pub fn call(self) -> Option<&'static str> {
        match self {
            Auth::Password => None,
            Auth::Secret => Some("secretsmanager:GetSecretValue"),
            Auth::Iam => Some("rds-db:connect"),
        }
    }
}
