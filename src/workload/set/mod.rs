//! The set: clients insert numbers that nobody else inserts, and readers read all of it (Jepsen's `set-full` workload).

mod client;
mod generator;
mod memory;
mod postgres;

pub use client::SetClient;
pub use generator::Inserts;

use crate::pg::{PgError, Session};

/// The schema, as SQL.
pub const SCHEMA: &str = include_str!("../../../schemas/set.sql");

/// Makes the table anew, empty.
pub async fn set_up(session: &Session) -> Result<(), PgError> {
    session.batch(SCHEMA).await
}
