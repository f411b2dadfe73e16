//! Servers that replab did not make, as far as it does not matter who did: what one says of itself, and the run's own
//! schema in their database.

mod node;
mod schema;

use std::time::Duration;

use crate::pg::Deadlines;

#[cfg(feature = "aurora")]
pub(super) use node::for_clients;
pub(super) use node::{Node, Seen};
pub(super) use schema::Schema;

/// Long enough for a server to replay what it has to.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_secs(60);

pub(super) const POLL: Duration = Duration::from_millis(20);
/// For one attempt to reach a node, and for one answer.
pub(super) const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(10), statement: Duration::from_secs(10) };
