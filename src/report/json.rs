//! `results.json` and its JSON Schema (draft 2020-12).

use super::Report;

/// The report as one pretty-printed JSON document.
pub fn json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has only string keys");
    text.push('\n');
    text
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/results.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema has only string keys");
    text.push('\n');
    text
}
