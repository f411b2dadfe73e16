//! What a matrix found, in every format.

mod found;
mod markdown;
mod model;
mod page;
mod spread;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

use super::json::{document, read_schema};

pub use found::Turn;
pub use markdown::markdown;
pub use model::{Cell, CellRun, End, FaultFacts, Matrix, Measured, ReadsOut, State, Timed};
pub use page::html;
pub use spread::{NodeSpread, Spread, Summary};
pub use terminal::terminal;

/// The matrix as one pretty-printed JSON document: `matrix.json`.
pub fn json(matrix: &Matrix) -> String {
    document(matrix)
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/matrix.schema.json`.
pub fn schema() -> String {
    read_schema::<Matrix>()
}
