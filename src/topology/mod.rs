//! The nodes of a lab and what can be done to them.
//!
//! A topology is asked what it can do, it is never assumed. What it does, it verifies before it says so: an action
//! that answers `Ok` has taken hold.

mod any;
mod attached;
pub mod aurora;
mod blame;
mod cascade;
pub mod compose;
mod error;
mod heal;
pub mod link;
pub mod local;
pub mod memory;
mod process;
mod servers;
mod site;
mod standbys;
pub mod urls;

pub use any::Topology;
pub use cascade::Cascade;
pub use error::{Category, TopologyError};
pub use heal::heal;
pub use process::{Identity, replace_with_psql};
pub use site::{Access, ReaderEndpoint, Site};
pub use standbys::{Method, Standbys, Wanted};

use serde::{Deserialize, Serialize};

use crate::history::NodeName;
use crate::pg::Conninfo;

/// What a node is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It takes writes.
    Primary,
    /// It replays the primary's log and answers reads.
    Replica,
}

/// A node as a client reaches it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its name.
    pub node: NodeName,
    /// What it is for.
    pub role: Role,
    /// How to connect, password included.
    pub conninfo: Conninfo,
}
