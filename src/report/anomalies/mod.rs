//! What playing cases found, in every format.

mod markdown;
mod model;
mod page;
mod show;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

use super::json::{document, written_schema};

pub use markdown::{markdown, table as expected_table};
pub use model::{Anomalies, CaseReport, Cell, Result, State, Times, Tried};
pub use page::html;
pub use show::show;
pub use terminal::terminal;

/// What was found as one pretty-printed JSON document.
pub fn json(found: &Anomalies) -> String {
    document(found)
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/anomalies.schema.json`.
pub fn schema() -> String {
    written_schema::<Anomalies>()
}
