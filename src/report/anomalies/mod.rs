//! What playing cases found, in every format.

mod markdown;
mod model;
mod page;
mod show;
mod terminal;
#[cfg(test)]
mod tests;
mod words;

pub use markdown::{markdown, table as expected_table};
pub use model::{Anomalies, CaseReport, Cell, Result, State, Times, Tried};
pub use page::html;
pub use show::show;
pub use terminal::terminal;

/// What was found as one pretty-printed JSON document.
pub fn json(found: &Anomalies) -> String {
    let mut text = serde_json::to_string_pretty(found).expect("what was found has only string keys");
    text.push('\n');
    text
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/anomalies.schema.json`.
pub fn schema() -> String {
    let schema = schemars::generate::SchemaSettings::default().for_serialize().into_generator();
    let schema = schema.into_root_schema_for::<Anomalies>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema has only string keys");
    text.push('\n');
    text
}
