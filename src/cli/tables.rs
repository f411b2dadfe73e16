//! `replab tables`: the order system's tables on every node, side by side with what they should be.

use std::time::Duration;

use comfy_table::{Table as Grid, presets};
use serde_json::json;

use super::args::TablesArgs;
use super::console::Console;
use super::{Exit, Failure};
use crate::history::{NodeName, Table};
use crate::pg::{Deadlines, PgError, Session};
use crate::topology::Endpoint;
use crate::workload::tables::{Listing, listing};

const TABLES: [Table; 3] = [Table::Orders, Table::OrderDetails, Table::Inventory];
const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(5), statement: Duration::from_secs(30) };

/// Prints the tables of every node of the cluster that is meant.
pub(super) async fn tables(args: &TablesArgs, console: &Console) -> Result<Exit, Failure> {
    let cluster = args.which.attach()?;
    let result = show(cluster.endpoints(), args.limit, console).await;
    result.map(|()| Exit::Valid)
}

/// Reads all first, so that a node that does not answer leaves no half of a document.
pub(super) async fn show(endpoints: Vec<Endpoint>, limit: u32, console: &Console) -> Result<(), Failure> {
    let mut nodes: Vec<(NodeName, Vec<Listing>)> = Vec::new();
    for Endpoint { node, conninfo, .. } in endpoints {
        let read = async {
            let session = Session::connect(&conninfo, "replab", DEADLINES).await?;
            let mut listings = Vec::new();
            for table in TABLES {
                listings.push(listing(&session, table, i64::from(limit)).await?);
            }
            session.close().await;
            Ok(listings)
        };
        nodes.push((node, read.await.map_err(|error| unreadable(node, error))?));
    }
    if console.is_json() {
        let document: Vec<_> =
            nodes.iter().map(|(node, tables)| json!({ "node": node, "tables": rows(tables) })).collect();
        console.json(&document);
        return Ok(());
    }
    for (node, listings) in &nodes {
        console.result(&format!("{node}\n"));
        for listing in listings {
            console.result(&format!("{}\n\n", text(listing)));
        }
    }
    Ok(())
}

fn unreadable(node: NodeName, error: PgError) -> Failure {
    let missing = error.sqlstate() == Some("42P01");
    let failure = Failure::new(
        Exit::Environment,
        anyhow::Error::new(error).context(format!("read the tables of {node}")),
    );
    let help = if missing {
        "replab run orders --example makes and fills them"
    } else {
        "replab status shows which nodes answer"
    };
    failure.help(help)
}

/// A heading with the number of rows, and the newest of them.
fn text(listing: &Listing) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners());
    grid.set_header(&listing.columns);
    for row in &listing.rows {
        grid.add_row(row.iter().map(|value| value.as_deref().unwrap_or("NULL")));
    }
    let shown = listing.rows.len() as i64;
    let rest = if shown < listing.total {
        format!(", the newest {shown} of {} rows", listing.total)
    } else {
        String::new()
    };
    format!("{}{rest}\n{grid}", listing.table.name())
}

fn rows(listings: &[Listing]) -> serde_json::Value {
    let table = |listing: &Listing| {
        let row = |row: &Vec<Option<String>>| -> serde_json::Map<String, serde_json::Value> {
            listing.columns.iter().cloned().zip(row.iter().map(|value| json!(value))).collect()
        };
        json!({
            "table": listing.table.name(),
            "total": listing.total,
            "rows": listing.rows.iter().map(row).collect::<Vec<_>>(),
        })
    };
    listings.iter().map(table).collect()
}
