//! What is read when the load has ended and every node is up again: the evidence for durability and convergence.

use std::time::Duration;

use super::mark::Mark;
use super::parts::SharedPart;
use crate::config::TopologyKind;
use crate::pg::{Conninfo, Deadlines, PgError, Session, probe};
use crate::topology::{Access, Role, Site, Topology};

/// How long a replica may take to replay what the primary has, with no load at all.
const CATCH_UP_DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);
/// A whole table may be long.
const READ_DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(10), statement: Duration::from_secs(120) };

/// The primary first, then each replica once it has replayed all that the primary had flushed by then. A replica that
/// does not get there is read all the same: the digests carry their positions, and the check says what it sees.
pub(super) async fn read_all(
    topology: &Topology,
    kind: TopologyKind,
    parts: &[SharedPart],
) -> Result<(), PgError> {
    let sites = topology.sites();
    let (primaries, replicas): (Vec<&Site>, Vec<&Site>) =
        sites.iter().partition(|site| site.role == Role::Primary);
    if let Topology::Memory(cluster) = topology {
        cluster.catch_up();
    }
    let mut target = None;
    for site in primaries {
        if let Access::Postgres(conninfo) = &site.access {
            settled(conninfo).await;
            // Whatever was committed without waiting for the disk is on it after this.
            Mark::set(&connect(conninfo).await?, kind).await?;
        }
        read_node(site, parts).await;
        if let Access::Postgres(conninfo) = &site.access {
            target = Some(Mark::set(&connect(conninfo).await?, kind).await?);
        }
    }
    for site in replicas {
        if let (Access::Postgres(conninfo), Some(target)) = (&site.access, target) {
            replayed(conninfo, target).await;
        }
        read_node(site, parts).await;
    }
    Ok(())
}

/// Waits until the server is done with what clients have given up on, or the deadline is over. A commit that waits for
/// a replica outlives its client, and would come between two of the last reads.
pub(super) async fn settled(conninfo: &Conninfo) {
    let wait = async {
        loop {
            // All connections may be taken, by just those sessions.
            if let Ok(session) = connect(conninfo).await {
                while let Ok(busy) = probe::busy_sessions(&session, "replab").await {
                    if busy == 0 {
                        return;
                    }
                    tokio::time::sleep(POLL).await;
                }
            }
            tokio::time::sleep(POLL).await;
        }
    };
    drop(tokio::time::timeout(CATCH_UP_DEADLINE, wait).await);
}

async fn read_node(site: &Site, parts: &[SharedPart]) {
    for part in parts {
        part.last_reads(site).await;
    }
}

/// Waits until the replica has what was there at `target`, or the deadline is over.
pub(super) async fn replayed(conninfo: &Conninfo, target: Mark) {
    let wait = async {
        loop {
            if let Ok(session) = connect(conninfo).await {
                while let Ok(is_shown) = target.is_shown(&session).await {
                    if is_shown {
                        return;
                    }
                    tokio::time::sleep(POLL).await;
                }
            }
            tokio::time::sleep(POLL).await;
        }
    };
    drop(tokio::time::timeout(CATCH_UP_DEADLINE, wait).await);
}

async fn connect(conninfo: &Conninfo) -> Result<Session, PgError> {
    Session::connect(conninfo, "replab", READ_DEADLINES).await
}
