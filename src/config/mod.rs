//! From what people set to a plan that can be run: built-in defaults < `replab.toml` < environment < flags.
//!
//! All that is wrong is reported together, each problem with the place where it was typed: file and line, variable,
//! or flag. A [`Plan`] that exists is valid.

mod aurora;
mod claims;
mod environment;
mod error;
mod file;
mod layers;
mod long_fork;
mod matrix;
mod overrides;
mod plan;
mod settings;
#[cfg(test)]
mod tests;
mod theory;
mod urls;
mod validate;
mod validate_workloads;
mod words;
mod workloads;

pub use aurora::AuroraPlan;
pub use environment::OTHER_VARIABLES;
pub use error::{ConfigError, Excerpt, Origin, Problem};
pub use layers::{Loaded, SettingOrigin, load, stored};
pub use matrix::{DEFAULT_MATRIX, MatrixCell, MatrixFault, MatrixFlags, MatrixPlan, matrix};
pub use overrides::Overrides;
pub use plan::{
    ChecksPlan, LoadPlan, Plan, ReadersPlan, Switch, SynchronousCommit, TopologyKind, TopologyPlan, UrlsPlan,
};
pub use settings::{DEFAULT_FILE, schema};
pub use theory::Theory;
pub use workloads::{BankPlan, CounterPlan, OrdersPlan, SetPlan, TransactionsPlan, WorkloadPlan};
