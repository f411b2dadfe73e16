//! Where readers read.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// Where the sessions of a case that only read are connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Every session is on the primary.
    Primary,
    /// Those that only read are on a replica.
    Replica,
}

impl Placement {
    /// As files and flags have it.
    pub fn name(self) -> &'static str {
        match self {
            Placement::Primary => "primary",
            Placement::Replica => "replica",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
