//! What is read when the load has ended and every node is up again: the evidence for durability and convergence.

use std::time::Duration;

use super::mark::Mark;
use super::parts::SharedPart;
use crate::config::TopologyKind;
use crate::history::NodeName;
use crate::pg::{Conninfo, Deadlines, PgError, Session, probe};
use crate::topology::{Access, Role, Site, Topology};

/// How long a replica may take to replay what the primary has, with no load at all.
const CATCH_UP_DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);
/// A whole table may be long.
const READ_DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(10), statement: Duration::from_secs(120) };

/// The primary first, then each replica once it has replayed all that the primary had flushed by then; answers the
/// replicas that were left unread, as they are late and nothing of what they show would say so.
pub(super) async fn read_all(
    topology: &Topology,
    kind: TopologyKind,
    parts: &[SharedPart],
) -> Result<Vec<NodeName>, PgError> {
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
    Ok(read_replicas(&replicas, target, parts).await)
}

/// A replica that does not get to `target` is read all the same where the digests carry positions of the log, by which
/// the check knows that it is late. Without them rows that are missing would look like rows that are lost.
async fn read_replicas(sites: &[&Site], target: Option<Mark>, parts: &[SharedPart]) -> Vec<NodeName> {
    let mut unread = Vec::new();
    for site in sites {
        if let (Access::Postgres(conninfo), Some(target)) = (&site.access, target)
            && !replayed(conninfo, target).await
            && !target.is_told_by_reads()
        {
            unread.push(site.node);
            continue;
        }
        read_node(site, parts).await;
    }
    unread
}

/// Why a node was left unread.
pub(super) fn late(node: NodeName) -> String {
    let limit = CATCH_UP_DEADLINE.as_secs();
    format!("{node} did not show within {limit} s what was committed before the last reads, and was not read")
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

/// Waits until the replica has what was there at `target`, or the deadline is over; answers whether it has.
pub(super) async fn replayed(conninfo: &Conninfo, target: Mark) -> bool {
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
    tokio::time::timeout(CATCH_UP_DEADLINE, wait).await.is_ok()
}

async fn connect(conninfo: &Conninfo) -> Result<Session, PgError> {
    Session::connect(conninfo, "replab", READ_DEADLINES).await
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::future::BoxFuture;
    use tokio::task::JoinSet;

    use super::*;
    use crate::history::Clock;
    use crate::lsn::Lsn;
    use crate::pg::Host;
    use crate::run::load::Load;
    use crate::run::parts::Part;

    /// Notes who is read.
    #[derive(Default)]
    struct Reads(Mutex<Vec<NodeName>>);

    impl Part for Reads {
        fn begin(&self, _clock: Clock) {}

        fn is_broken(&self) -> bool {
            false
        }

        fn spawn(&self, _load: &Load, _workers: &mut JoinSet<()>) {}

        fn last_reads<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, ()> {
            Box::pin(async { self.0.lock().unwrap().push(site.node) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_that_is_late_is_read_only_where_its_reads_say_so() {
        // Nobody listens there, so that it never shows anything.
        let closed = Conninfo::new(Host::Tcp("127.0.0.1".to_owned()), 1, "nobody", "none");
        let node = NodeName::replica(1);
        let site = Site { node, role: Role::Replica, access: Access::Postgres(closed) };
        for (target, is_read) in [
            (None, true),
            (Some(Mark::Log(Lsn::parse_optional("0/10").unwrap())), true),
            (Some(Mark::Log(None)), false),
            (Some(Mark::Row(7)), false),
        ] {
            let reads = Arc::new(Reads::default());
            let parts: [SharedPart; 1] = [Arc::clone(&reads) as SharedPart];
            let begun = tokio::time::Instant::now();
            let unread = read_replicas(&[&site], target, &parts).await;
            assert_eq!(*reads.0.lock().unwrap() == [node], is_read, "{target:?}");
            assert_eq!(unread == [node], !is_read, "{target:?}");
            assert!(target.is_none() || begun.elapsed() >= CATCH_UP_DEADLINE, "{target:?}");
        }
    }
}
