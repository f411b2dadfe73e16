//! The smallest part of a history that shows an anomaly, in every format.

mod isolationtester;
mod model;
mod psql;
mod terminal;
#[cfg(test)]
mod tests;

use super::json::{document, written_schema};

pub use isolationtester::{NotOneServer, isolationtester};
pub use model::{Line, Number, Origin, Player, Shrunk, Transaction, Worth};
pub use psql::psql;
pub use terminal::terminal;

/// What was found as one pretty-printed JSON document.
pub fn json(found: &Shrunk) -> String {
    document(found)
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/shrink.schema.json`.
pub fn schema() -> String {
    written_schema::<Shrunk>()
}
