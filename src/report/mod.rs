//! Values in, bytes out: one renderer a format, all of the same [`Report`].

mod model;

pub use model::{NodeFacts, Report, RunFacts, Setting, Threshold};
