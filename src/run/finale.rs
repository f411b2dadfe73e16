//! What is read when the load has ended and every node is up again: the evidence for durability and convergence.

use std::time::Duration;

use super::record::Recorder;
use crate::history::{CounterOp, LEDGER_CHUNK, Operation, OrdersOp, OrdersReply, Process, Table};
use crate::lsn::Lsn;
use crate::pg::{Conninfo, Deadlines, PgError, Session, probe};
use crate::topology::{Access, Role, Site, Topology};
use crate::workload::counter::CounterClient;
use crate::workload::orders::OrdersClient;
use crate::workload::{Answer, Client};

/// How long a replica may take to replay what the primary has, with no load at all.
const CATCH_UP_DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);
/// A whole table may be long.
const READ_DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(10), statement: Duration::from_secs(120) };

/// Reads on behalf of the control thread of one workload.
pub(super) struct Reader<O: Operation> {
    pub(super) recorder: Recorder<O>,
    /// The process id of the control thread.
    pub(super) process: u32,
}

impl<O: Operation> Reader<O> {
    /// One operation, recorded whatever becomes of it.
    pub(super) async fn read<C: Client<Op = O>>(&self, site: &Site, op: O) -> Option<O::Reply> {
        let (process, node) = (Process::Client(self.process), site.node);
        self.recorder.invoke(process, node, op.clone());
        let session = async {
            let mut client = C::connect(site, READ_DEADLINES).await?;
            client.admits(site.role).await.map(|()| client)
        };
        let answer = match session.await {
            Ok(mut client) => client.invoke(self.process, &op).await,
            Err(cause) => Answer::Fail(cause),
        };
        let reply = match &answer {
            Answer::Ok { reply, .. } => Some(reply.clone()),
            Answer::Fail(_) | Answer::Info(_) => None,
        };
        self.recorder.complete(process, node, answer);
        reply
    }
}

impl Reader<OrdersOp> {
    /// Stock, ledger and every table of one node.
    pub(super) async fn all(&self, site: &Site) {
        self.read::<OrdersClient>(site, OrdersOp::Stock).await;
        let mut after = 0;
        while let Some(OrdersReply::Ledger(lines)) =
            self.read::<OrdersClient>(site, OrdersOp::Ledger { after }).await
        {
            match lines.last() {
                Some(last) if lines.len() == LEDGER_CHUNK => after = last.order,
                _ => break,
            }
        }
        for table in [Table::Orders, Table::OrderDetails, Table::Inventory] {
            self.read::<OrdersClient>(site, OrdersOp::Digest { table }).await;
        }
    }
}

impl Reader<CounterOp> {
    /// Every counter, and the table, of one node.
    pub(super) async fn all(&self, site: &Site) {
        self.read::<CounterClient>(site, CounterOp::ReadAll).await;
        self.read::<CounterClient>(site, CounterOp::Digest { table: Table::UserCounter }).await;
    }
}

/// The primary first, then each replica once it has replayed all that the primary had flushed by then. A replica that
/// does not get there is read all the same: the digests carry their positions, and the check says what it sees.
pub(super) async fn read_all(
    topology: &Topology,
    orders: Option<&Reader<OrdersOp>>,
    counter: Option<&Reader<CounterOp>>,
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
            probe::flush_barrier(&connect(conninfo).await?).await?;
        }
        read_node(site, orders, counter).await;
        if let Access::Postgres(conninfo) = &site.access {
            target = probe::flush_barrier(&connect(conninfo).await?).await?;
        }
    }
    for site in replicas {
        if let (Access::Postgres(conninfo), Some(target)) = (&site.access, target) {
            replayed(conninfo, target).await;
        }
        read_node(site, orders, counter).await;
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

async fn read_node(site: &Site, orders: Option<&Reader<OrdersOp>>, counter: Option<&Reader<CounterOp>>) {
    if let Some(reader) = orders {
        reader.all(site).await;
    }
    if let Some(reader) = counter {
        reader.all(site).await;
    }
}

/// Waits until the replica has replayed up to `target`, or the deadline is over.
pub(super) async fn replayed(conninfo: &Conninfo, target: Lsn) {
    let wait = async {
        loop {
            if let Ok(session) = connect(conninfo).await {
                while let Ok(replayed) = probe::replay_lsn(&session).await {
                    if replayed >= Some(target) {
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
