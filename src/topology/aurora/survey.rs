//! A cluster as the RDS API describes it: plain values, and whether a run can use them.

use std::collections::BTreeMap;

use super::{Consistency, Problem};
use crate::history::NodeName;

/// A cluster that carries it may be broken.
pub const TAG: (&str, &str) = ("replab:faults", "allowed");

/// What instances and clusters are when nothing is being done to them.
pub(super) const AVAILABLE: &str = "available";

const ENGINE: &str = "aurora-postgresql";

/// An instance of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// `DBInstanceIdentifier`.
    pub instance: String,
    /// Whether it is the writer.
    pub is_writer: bool,
    /// The lowest is promoted first; 0 to 15.
    pub tier: i32,
    /// `db.r6g.large`, `db.serverless`.
    pub class: Option<String>,
    /// `us-east-1b`.
    pub zone: Option<String>,
    /// `available`, `rebooting`, …
    pub status: String,
    /// Where it listens; `None` while it is being made.
    pub address: Option<(String, u16)>,
}

/// An endpoint that somebody added to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomEndpoint {
    /// Its name.
    pub name: String,
    /// `READER`, `ANY`.
    pub kind: String,
    /// Where it leads.
    pub host: String,
}

/// A cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// `DBClusterIdentifier`.
    pub cluster: String,
    /// Its resource name.
    pub arn: String,
    /// Where it is.
    pub region: String,
    /// `available`, `failing-over`, …
    pub status: String,
    /// `aurora-postgresql`.
    pub engine: String,
    /// `16.4`.
    pub version: String,
    /// Where its writer is reached, whoever that is.
    pub writer_endpoint: Option<(String, u16)>,
    /// Where any of its readers is reached.
    pub reader_endpoint: Option<(String, u16)>,
    /// What else leads to some of its instances; `None`: the API does not say.
    pub custom_endpoints: Option<Vec<CustomEndpoint>>,
    /// The instances.
    pub members: Vec<Member>,
    /// `LocalWriteForwardingStatus`.
    pub write_forwarding: Option<String>,
    /// Whether tokens of IAM's are taken.
    pub takes_iam: bool,
    /// Where RDS keeps the master user's password, if it does.
    pub secret: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Survey {
    /// Whether a run can use it, with readers that wait as `consistency` says.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check(&self, consistency: Option<Consistency>) -> Result<(), Problem> {
        let cluster = || self.cluster.clone();
        if self.engine != ENGINE {
            return Err(Problem::OtherEngine { cluster: cluster(), engine: self.engine.clone() });
        }
        if self.status != AVAILABLE {
            return Err(Problem::ClusterNotAvailable { cluster: cluster(), status: self.status.clone() });
        }
        // The servers would take the parameter, and it would mean nothing.
        if consistency.is_some() && self.write_forwarding.as_deref() != Some("enabled") {
            let status = self.write_forwarding.clone().unwrap_or_else(|| "not known".to_owned());
            return Err(Problem::NoForwarding { cluster: cluster(), status });
        }
        self.writer().ok_or_else(|| Problem::NoWriter(cluster()))?;
        for Member { instance, status, address, .. } in &self.members {
            let instance = instance.clone();
            if status != AVAILABLE {
                return Err(Problem::MemberNotAvailable { instance, status: status.clone() });
            }
            if address.is_none() {
                return Err(Problem::NoAddress(instance));
            }
        }
        Ok(())
    }

    /// Whether something in it may be broken: it says so, or whoever runs the lab does.
    ///
    /// # Errors
    /// [`Problem::NotAllowed`].
    pub fn check_faults(&self, allowed: bool) -> Result<(), Problem> {
        let (key, value) = TAG;
        if allowed || self.tags.get(key).is_some_and(|found| found == value) {
            return Ok(());
        }
        Err(Problem::NotAllowed { cluster: self.cluster.clone(), arn: self.arn.clone() })
    }

    /// The writer.
    pub fn writer(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.is_writer)
    }

    /// The readers, in the order in which Aurora promotes them where they are alike: by tier, then by name.
    pub fn readers(&self) -> Vec<&Member> {
        let mut readers: Vec<&Member> = self.members.iter().filter(|member| !member.is_writer).collect();
        readers.sort_by_key(|member| (member.tier, &member.instance));
        readers
    }

    /// The members by the lab's names: the writer is the primary, the readers are the replicas.
    pub fn named(&self) -> Vec<(NodeName, &Member)> {
        let writer = self.writer().map(|writer| (NodeName::primary(), writer));
        let readers = (1..).map(NodeName::replica).zip(self.readers());
        writer.into_iter().chain(readers).collect()
    }

    /// The member of that identifier.
    #[cfg(feature = "aurora")]
    pub(super) fn member(&self, instance: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.instance == instance)
    }
}
