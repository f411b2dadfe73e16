//! The seed's three orders, at the same time, and every replica caught up with them.

use anyhow::{Context, bail};
use futures_util::future::try_join_all;

use super::finale::replayed;
use super::mark::Mark;
use crate::history::{OrdersOp, Table};
use crate::pg::{Deadlines, PgError, Session, probe};
use crate::topology::{Access, Endpoint, Role, Site};
use crate::workload::orders::{self, EXAMPLE, FIRST_STOCK, OrdersClient, Stock};
use crate::workload::{Answer, Client};

const TABLES: [Table; 3] = [Table::Orders, Table::OrderDetails, Table::Inventory];
const DEADLINES: Deadlines =
    Deadlines { connect: std::time::Duration::from_secs(5), statement: std::time::Duration::from_secs(30) };

/// What the example's tables say of themselves, so that they are known as its own when it is placed again.
const MARK: &str = "made by replab run orders --example";

/// Why there is no example.
#[derive(Debug, thiserror::Error)]
pub enum ExampleError {
    /// It would drop what is not its own.
    #[error("the cluster has tables of the example's names that hold what the example did not make: {}", .0.join(", "))]
    Taken(Vec<String>),
    /// The cluster did not do what it should.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

/// Makes the tables anew, places the orders, each on a connection of its own, and waits for the replicas.
///
/// # Errors
/// [`ExampleError::Taken`], and nothing is touched, where the tables or rows in them are somebody else's.
pub async fn place(endpoints: &[Endpoint]) -> Result<(), ExampleError> {
    let primary =
        endpoints.iter().find(|endpoint| endpoint.role == Role::Primary).context("there is no primary")?;
    let session =
        Session::connect(&primary.conninfo, "replab", DEADLINES).await.context("connect to the primary")?;
    let taken = taken(&session).await.context("look for the tables")?;
    if !taken.is_empty() {
        return Err(ExampleError::Taken(taken));
    }
    orders::set_up(&session, Stock { products: FIRST_STOCK.len() as i32, units: None })
        .await
        .context("make the tables")?;
    let mark = TABLES.map(|table| format!("COMMENT ON TABLE {} IS '{MARK}';", table.name())).concat();
    session.batch(&mark).await.context("mark the tables")?;
    let access = Access::Postgres(primary.conninfo.clone());
    let site = Site { node: primary.node, role: Role::Primary, access };
    let order = |(user, product, quantity, price): (u32, i32, i32, i64)| {
        let site = &site;
        async move {
            let connected = OrdersClient::connect(site, &(), DEADLINES).await;
            let mut client = connected
                .map_err(|cause| anyhow::anyhow!(cause.message))
                .context("connect to the primary")?;
            match client.invoke(user, &OrdersOp::Order { product, quantity, price }).await {
                Answer::Ok { .. } => Ok(()),
                Answer::Fail(cause) | Answer::Info(cause) => bail!("an order failed: {}", cause.message),
            }
        }
    };
    try_join_all(EXAMPLE.map(order)).await?;
    if let Some(target) = probe::flush_barrier(&session).await.context("ask the primary how far it is")? {
        for replica in endpoints.iter().filter(|endpoint| endpoint.role == Role::Replica) {
            // Whoever is later than that has had its time, and the orders are placed.
            let _is_there = replayed(&replica.conninfo, Mark::Log(Some(target))).await;
        }
    }
    session.close().await;
    Ok(())
}

/// The tables of these names that the example did not make, or that hold more rows than it leaves.
async fn taken(session: &Session) -> Result<Vec<String>, PgError> {
    let mut taken = Vec::new();
    for table in TABLES {
        let name = table.name();
        let sql = format!(
            "SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE oid = to_regclass('{name}')"
        );
        let is_taken = match session.simple_query_rows(&sql).await?.first() {
            None => false,
            Some(mark) if *mark == [Some(MARK.to_owned())] => {
                let sql = format!("SELECT count(*) > {} FROM {name}", EXAMPLE.len());
                session.simple_query_rows(&sql).await? == [[Some("t".to_owned())]]
            }
            Some(_) => true,
        };
        if is_taken {
            taken.push(name.to_owned());
        }
    }
    Ok(taken)
}
