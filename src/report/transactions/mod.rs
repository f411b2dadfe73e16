//! What a history of transactions shows, in every format.

mod model;
mod terminal;
#[cfg(test)]
mod tests;

pub use model::{AnomalyReport, ModelReport, NodeReport, Source, Step, Transactions, Valid};
pub use terminal::terminal;

/// What was found as one pretty-printed JSON document. `anomaly-types`, `not` and `also-not` are Elle's.
pub fn json(found: &Transactions) -> String {
    let mut text = serde_json::to_string_pretty(found).expect("what was found has only string keys");
    text.push('\n');
    text
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/transactions.schema.json`.
pub fn schema() -> String {
    let schema = schemars::generate::SchemaSettings::default().for_serialize().into_generator();
    let schema = schema.into_root_schema_for::<Transactions>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema has only string keys");
    text.push('\n');
    text
}
