//! The order system: thousands of orders against a stock, each one transaction.

mod client;
mod generator;
mod memory;
mod postgres;

pub use client::OrdersClient;
pub use generator::{EXAMPLE, Orders};
pub use postgres::{INSERT_DETAIL, INSERT_ORDER, TAKE_STOCK};

use crate::history::Table;
use crate::pg::{PgError, Session};
use crate::topology::memory::{self as cluster, Write};

/// The schema, as SQL.
pub const SCHEMA: &str = include_str!("../../../schemas/orders.sql");

/// Units of the first three products, as in the document that the lab grew out of.
pub const FIRST_STOCK: [i64; 3] = [100, 150, 200];
/// Units of every other product, unless told otherwise: enough for any run.
pub const AMPLE_STOCK: i64 = 1_000_000;

/// What is in stock before the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// Products, numbered from 1.
    pub products: i32,
    /// Units of each product; `None`: [`FIRST_STOCK`], which runs out, then [`AMPLE_STOCK`].
    pub units: Option<i32>,
}

impl Stock {
    /// The units of `product` at the start.
    pub fn of(&self, product: i32) -> i64 {
        let first = usize::try_from(product - 1).ok().and_then(|index| FIRST_STOCK.get(index));
        self.units.map_or_else(|| first.copied().unwrap_or(AMPLE_STOCK), i64::from)
    }

    /// The first two of every three products lie in the main warehouse, the third in the second.
    pub fn warehouse(product: i32) -> &'static str {
        if product % 3 == 0 { "Secondary Warehouse" } else { "Main Warehouse" }
    }
}

/// Makes the tables anew, with their start data.
pub async fn set_up(session: &Session, stock: Stock) -> Result<(), PgError> {
    session.batch(SCHEMA).await?;
    let insert = session
        .prepare("INSERT INTO Inventory (product_id, warehouse_name, stock_quantity) SELECT * FROM unnest($1::int[], $2::text[], $3::int[])")
        .await?;
    let products: Vec<i32> = (1..=stock.products).collect();
    let warehouses: Vec<&str> = products.iter().map(|&product| Stock::warehouse(product)).collect();
    let units: Vec<i32> =
        products.iter().map(|&product| i32::try_from(stock.of(product)).unwrap_or(i32::MAX)).collect();
    session.execute(&insert, &[&products, &warehouses, &units]).await?;
    Ok(())
}

/// The same in memory.
pub fn set_up_memory(session: &cluster::Session, stock: Stock) {
    let row = |product| Write {
        table: Table::Inventory,
        key: i64::from(product),
        row: Some(vec![i64::from(product), stock.of(product)]),
    };
    session.commit(|_| Ok(((1..=stock.products).map(row).collect(), ())));
}
