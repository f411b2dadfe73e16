//! An AWS Aurora PostgreSQL cluster, by its identifier.
//!
//! Who its instances are, and who of them writes, is asked of the RDS API; what they are, of the servers themselves. A
//! writer is the lab's primary, a reader a replica. An instance is rebooted and failed over through the API, which accepts
//! what it may not do: so an action is done when the member's role has changed, the instances are available again, the
//! servers show it, and the cluster's endpoint leads there.
//!
//! Types of AWS's SDK stay in here.

mod access;
#[cfg(feature = "aurora")]
mod account;
#[cfg(feature = "aurora")]
mod api;
mod asked;
mod calls;
#[cfg(feature = "aurora")]
mod cluster;
#[cfg(feature = "aurora")]
mod discovery;
#[cfg(feature = "aurora")]
mod events;
mod facts;
#[cfg(feature = "aurora")]
mod failover;
#[cfg(feature = "aurora")]
mod faults;
#[cfg(feature = "aurora")]
mod lag;
mod patience;
mod problem;
#[cfg(feature = "aurora")]
mod reboot;
#[cfg(feature = "aurora")]
mod seat;
#[cfg(feature = "aurora")]
mod secret;
mod survey;
#[cfg(feature = "aurora")]
#[cfg(test)]
mod tests;
#[cfg(feature = "aurora")]
mod token;

pub use access::{Access, Auth, Consistency, Tls};
pub use asked::Asked;
pub use calls::{CALLS, can, is_call, rehearse};
#[cfg(feature = "aurora")]
pub use cluster::{Cluster, Config};
#[cfg(feature = "aurora")]
pub use discovery::survey;
pub use facts::{ClusterEvent, InstanceFacts};
pub use patience::Patience;
pub use problem::Problem;
pub use survey::{CustomEndpoint, Member, Survey, TAG};

/// Without the feature nobody can be asked.
#[cfg(not(feature = "aurora"))]
pub async fn survey(_access: &Access) -> Result<Survey, super::TopologyError> {
    Err(super::TopologyError::Config("this replab was built without the feature `aurora`".to_owned()))
}
