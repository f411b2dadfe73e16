//! What a bench found, in every format.

mod charts;
mod columns;
mod markdown;
mod model;
mod page;
mod summary;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

use super::json::{document, read_schema};

pub use markdown::markdown;
pub use model::{Bench, Group, Lap, Original, Row};
pub use page::html;
pub use summary::{Latency, Summary};
pub use terminal::terminal;

/// The bench as one pretty-printed JSON document: `bench.json`.
pub fn json(bench: &Bench) -> String {
    document(bench)
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/bench.schema.json`.
pub fn schema() -> String {
    read_schema::<Bench>()
}
