//! The lab's own sessions with a server.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::POLL;
use super::node::Node;
use crate::pg::{Conninfo, Deadlines, Session};
use crate::topology::TopologyError;
use crate::topology::servers::Server;

/// Connects until it works, or the node ends, or `deadline` is over.
pub(super) async fn connect(
    node: &Node,
    conninfo: &Conninfo,
    deadline: Duration,
) -> Result<Session, TopologyError> {
    let end = Instant::now() + deadline;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let deadlines = Deadlines { connect: left, statement: deadline };
        let error = match Session::connect(conninfo, "replab", deadlines).await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        if !node.is_running() {
            return Err(node.no_answer("it has ended".to_owned()));
        }
        if Instant::now() >= end {
            let waited = format!(
                "no query was answered within {} ms; the last attempt: {error}",
                deadline.as_millis()
            );
            return Err(node.no_answer(waited));
        }
        sleep(POLL).await;
    }
}
