//! A node as a client reaches it.

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

/// How a node is reached.
#[derive(Clone, Debug)]
pub enum Access {
    /// Over PostgreSQL's protocol.
    Postgres(Conninfo),
    /// In this process.
    Memory(memory::Handle),
}
