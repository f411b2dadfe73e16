//! `results.json` and its JSON Schema (draft 2020-12).

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::Report;

/// The report as one pretty-printed JSON document.
pub fn json(report: &Report) -> String {
    document(report)
}

/// The JSON Schema that every [`json`] is valid against; checked in as `schemas/results.schema.json`.
pub fn schema() -> String {
    read_schema::<Report>()
}

/// Any of the results as one pretty-printed JSON document, ending in a line break.
pub(super) fn document(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("results have only string keys");
    text.push('\n');
    text
}

/// The schema of what is read again, too: what has a default may be missing.
pub(super) fn read_schema<T: JsonSchema>() -> String {
    document(&schemars::schema_for!(T))
}

/// The schema of what is only written.
pub(super) fn written_schema<T: JsonSchema>() -> String {
    document(&SchemaSettings::default().for_serialize().into_generator().into_root_schema_for::<T>())
}
