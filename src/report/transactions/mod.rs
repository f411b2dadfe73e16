//! What a history of transactions shows, in every format.

mod anomaly;
mod dot;
mod model;
mod page;
mod picture;
mod sections;
mod terminal;
#[cfg(test)]
mod tests;
mod together;
mod words;

use super::json::{document, written_schema};

pub use anomaly::{AnomalyReport, Edge, EdgeKind, Outcome, Said, Step};
pub use dot::dot;
pub use model::{ModelReport, NodeReport, Source, Transactions, Valid};
pub use page::html;
pub use picture::svg;
pub use sections::section;
pub use terminal::terminal;
pub use together::Together;
pub(in crate::report) use words::summary;

/// What was found as one pretty-printed JSON document. `anomaly-types`, `not` and `also-not` are Elle's.
pub fn json(found: &Transactions) -> String {
    document(found)
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/transactions.schema.json`.
pub fn schema() -> String {
    written_schema::<Transactions>()
}
