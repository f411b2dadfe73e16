//! The command line: as-typed arguments in, an exit code out. The only place that prints.

mod exit;

pub use exit::{Exit, Failure};
