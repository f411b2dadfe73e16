//! A node as a client reaches it, and what leads to one of several.

use std::collections::BTreeMap;

use super::{Role, memory};
use crate::history::NodeName;
use crate::pg::Conninfo;

/// One node to connect to.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name.
    pub node: NodeName,
    /// What it is.
    pub role: Role,
    /// How to get there.
    pub access: Access,
}

/// An endpoint that leads each new connection to one of several nodes, which says itself which one it is.
#[derive(Clone, Debug)]
pub struct ReaderEndpoint {
    /// How to get there, with the settings of the run's clients.
    pub conninfo: Conninfo,
    /// The nodes, by what they call themselves.
    pub instances: BTreeMap<String, NodeName>,
}

/// How a node is reached.
#[derive(Clone, Debug)]
pub enum Access {
    /// Over PostgreSQL's protocol.
    Postgres(Conninfo),
    /// In this process.
    Memory(memory::Handle),
}
