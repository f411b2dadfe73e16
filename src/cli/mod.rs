//! The command line: as-typed arguments in, an exit code out. The only place that prints.

mod clusters;
pub mod down;
mod exit;
pub mod gc;
pub mod guard;
pub mod logs;
pub mod psql;
pub mod status;
pub mod up;

pub use exit::{Exit, Failure};
