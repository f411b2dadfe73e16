//! The flags that stand for settings, and so for lines of the configuration file.

use clap::{ArgAction, Args};

use super::args::Place;
use super::cluster::ClusterArgs;
use crate::config::Overrides;

/// The flags that stand for settings.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct SettingArgs {
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,

    /// How long the load is: 500ms, 20s, 2m [default: 20s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Load")]
    duration: Option<String>,
    /// Stop sooner, after this many writes
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Load")]
    operations: Option<i64>,
    /// Clients of each workload [default: 8]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Load")]
    clients: Option<i64>,
    /// Products that are ordered [default: 30]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Load")]
    products: Option<i64>,
    /// Units of each product [default: the seed document's for the first three, plenty of each other]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Load")]
    stock: Option<i64>,
    /// Counters, lists or registers [default: 4 counters; 8 lists or registers at a time]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Load")]
    keys: Option<i64>,
    /// Of append and register: read-committed, repeatable-read or serializable [default: serializable]
    #[arg(long, value_name = "LEVEL", help_heading = "Load")]
    isolation: Option<String>,
    /// Decides the operations and the default faults [default: random, and printed]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Load")]
    seed: Option<i64>,

    /// What to break when, such as 'crash(primary)@8s,restart(replica-1)@14s', or a profile [default: from the seed]
    #[arg(long, value_name = "SCHEDULE", help_heading = "Faults")]
    fault: Option<String>,
    /// Break nothing
    #[arg(long, conflicts_with = "fault", help_heading = "Faults")]
    no_faults: bool,

    /// A guarantee that must hold even where the settings do not promise it; can be repeated
    #[arg(long, value_name = "GUARANTEE", action = ArgAction::Append, help_heading = "Result")]
    require: Vec<String>,
    /// A limit on what is measured, such as 'lag.p99<500ms'; can be repeated
    #[arg(long, value_name = "LIMIT", action = ArgAction::Append, help_heading = "Result")]
    threshold: Vec<String>,
}

impl SettingArgs {
    /// As the highest layer of the configuration.
    pub(super) fn overrides(&self, workloads: &[String], place: &Place) -> Overrides {
        let flags = self.clone();
        Overrides {
            workloads: workloads.to_vec(),
            duration: flags.duration,
            operations: flags.operations,
            seed: flags.seed,
            clients: flags.clients,
            products: flags.products,
            stock: flags.stock,
            keys: flags.keys,
            isolation: flags.isolation,
            schedule: if flags.no_faults { Some("none".to_owned()) } else { flags.fault },
            require: flags.require,
            thresholds: flags.threshold,
            runs: place.runs.clone(),
            ..flags.cluster.overrides()
        }
    }
}
