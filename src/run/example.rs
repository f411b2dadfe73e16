//! The seed's three orders, at the same time, and every replica caught up with them.

use anyhow::{Context, bail};
use futures_util::future::try_join_all;

use super::finale::replayed;
use crate::history::OrdersOp;
use crate::pg::{Deadlines, Session, probe};
use crate::topology::{Access, Endpoint, Role, Site};
use crate::workload::orders::{self, EXAMPLE, FIRST_STOCK, OrdersClient, Stock};
use crate::workload::{Answer, Client};

const DEADLINES: Deadlines =
    Deadlines { connect: std::time::Duration::from_secs(5), statement: std::time::Duration::from_secs(30) };

/// Makes the tables anew, places the orders, each on a connection of its own, and waits for the replicas.
pub async fn place(endpoints: &[Endpoint]) -> anyhow::Result<()> {
    let primary =
        endpoints.iter().find(|endpoint| endpoint.role == Role::Primary).context("there is no primary")?;
    let session =
        Session::connect(&primary.conninfo, "replab", DEADLINES).await.context("connect to the primary")?;
    orders::set_up(&session, Stock { products: FIRST_STOCK.len() as i32, units: None })
        .await
        .context("make the tables")?;
    let access = Access::Postgres(primary.conninfo.clone());
    let site = Site { node: primary.node, role: Role::Primary, access };
    let order = |(user, product, quantity, price): (u32, i32, i32, i64)| {
        let site = &site;
        async move {
            let connected = OrdersClient::connect(site, DEADLINES).await;
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
    if let Some(target) = probe::flush_barrier(&session).await? {
        for replica in endpoints.iter().filter(|endpoint| endpoint.role == Role::Replica) {
            replayed(&replica.conninfo, target).await;
        }
    }
    session.close().await;
    Ok(())
}
