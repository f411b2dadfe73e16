//! Values in, bytes out: one renderer a format, all of the same [`Report`]. No files, no clock, no terminal.

mod html;
mod json;
mod junit;
mod markdown;
mod model;
mod terminal;
mod verdict;
mod words;

pub use html::html;
pub use json::{json, schema};
pub use junit::junit;
pub use markdown::markdown;
pub use model::{NodeFacts, Report, RunFacts, Setting, Threshold};
pub use terminal::{Look, terminal};
