//! The counter: in-place increments, each a transaction of its own.

mod client;
mod generator;
mod memory;
mod method;
mod postgres;

pub use client::CounterClient;
pub use generator::{Increments, Reads, key_of};
pub(in crate::workload) use method::Prepared;
pub use method::{Method, Mistake, Recipe, set_up as set_up_methods};
pub use postgres::INCREMENT;

use crate::history::Table;
use crate::pg::{PgError, Session};
use crate::topology::memory::{self as cluster, Write};

/// The schema, as SQL.
pub const SCHEMA: &str = include_str!("../../../schemas/counter.sql");

/// Makes the table anew, with `keys` counters at zero.
pub async fn set_up(session: &Session, keys: i32) -> Result<(), PgError> {
    session.batch(SCHEMA).await?;
    let insert =
        session.prepare("INSERT INTO user_counter (user_id) SELECT generate_series(1, $1::int)").await?;
    session.execute(&insert, &[&keys]).await?;
    Ok(())
}

/// The same in memory.
pub fn set_up_memory(session: &cluster::Session, keys: i32) {
    let row = |key| Write { table: Table::UserCounter, key: i64::from(key), row: Some(vec![0]) };
    session.commit(|_| Ok(((1..=keys).map(row).collect(), ())));
}
