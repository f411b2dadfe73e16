//! Values in, bytes out: one renderer a format, all of the same [`Report`]. No files, no clock, no terminal.

pub mod anomalies;
pub mod bank;
pub mod bench;
mod cloud;
mod html;
mod json;
mod junit;
mod markdown;
pub mod matrix;
mod model;
pub mod objects;
mod outcome;
mod picture;
pub mod shrink;
mod terminal;
pub mod transactions;
mod verdict;
mod words;

pub use html::html;
pub use json::{json, schema};
pub use junit::junit;
pub use markdown::markdown;
pub use model::{ClusterEvent, InstanceFacts, NodeFacts, Report, RunFacts, Setting, Threshold};
pub use terminal::{Look, terminal};

/// The verdict in a word, with its mark: `✓ VALID`.
pub fn headline(report: &Report) -> String {
    let headline = outcome::headline(report);
    format!("{} {}", headline.mark, headline.word)
}
