//! Servers that replab did not make, as far as it does not matter who did: what one says of itself, and the run's own
//! schema in their database.

mod node;
mod pauses;
mod schema;

use std::time::Duration;

use crate::pg::Deadlines;

#[cfg(feature = "aurora")]
pub(super) use node::for_clients;
pub(super) use node::{Node, Seen};
pub(super) use pauses::Pauses;
pub(super) use schema::Schema;

/// Long enough for a server to replay what it has to.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_secs(60);

/// An attempt to reach a node may last as long, however little time is left.
const LEAST: Duration = Duration::from_millis(20);

/// Between two looks at a server: each is a login with TLS and some queries, and what a report says of how long something
/// took is as fine as this.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// For one attempt to reach a node, and for one answer.
pub(super) const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(10), statement: Duration::from_secs(10) };
