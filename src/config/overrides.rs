//! What was set on the command line.

use std::path::PathBuf;

use super::error::{Origin, Problem};
use super::layers::{Entry, Raw};
use super::settings::key;

/// The flags of a run that stand for settings; `None` and empty lists leave the lower layers as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// `orders`, `counter`, …
    pub workloads: Vec<String>,
    /// `--topology`.
    pub topology: Option<String>,
    /// `--replicas`.
    pub replicas: Option<i64>,
    /// `--pg-bin`.
    pub pg_bin: Option<PathBuf>,
    /// `--image`.
    pub image: Option<String>,
    /// `--port`.
    pub port: Option<i64>,
    /// `--synchronous-commit`.
    pub synchronous_commit: Option<String>,
    /// `--sync-standbys`.
    pub synchronous_standbys: Option<String>,
    /// `--cascade`.
    pub cascade: Vec<String>,
    /// `--hot-standby-feedback`.
    pub hot_standby_feedback: Option<String>,
    /// `--apply-delay`.
    pub recovery_min_apply_delay: Option<String>,
    /// `--writer`; without `--topology` it means `urls`.
    pub writer: Option<String>,
    /// `--reader`: instead of those of the lower layers.
    pub readers: Vec<String>,
    /// `--keep`.
    pub keep: bool,
    /// `--cluster`; without `--topology` it means `aurora`.
    pub cluster: Option<String>,
    /// `--region`.
    pub region: Option<String>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--endpoint-url`.
    pub endpoint_url: Option<String>,
    /// `--database`.
    pub database: Option<String>,
    /// `--db-user`.
    pub db_user: Option<String>,
    /// `--auth`.
    pub auth: Option<String>,
    /// `--sslmode`.
    pub sslmode: Option<String>,
    /// `--ca-bundle`.
    pub ca_bundle: Option<PathBuf>,
    /// `--consistency-mode`.
    pub consistency_mode: Option<String>,
    /// `--allow-faults`; no lower layer can say it.
    pub allow_faults: bool,
    /// `--duration`.
    pub duration: Option<String>,
    /// `--operations`.
    pub operations: Option<i64>,
    /// `--seed`.
    pub seed: Option<i64>,
    /// `--clients`: of every workload.
    pub clients: Option<i64>,
    /// `--products`.
    pub products: Option<i64>,
    /// `--stock`.
    pub stock: Option<i64>,
    /// `--keys`: of every workload that has some to choose.
    pub keys: Option<i64>,
    /// `--isolation`.
    pub isolation: Option<String>,
    /// `--fault`; `--no-faults` is `none`.
    pub schedule: Option<String>,
    /// `--require`: added to what the lower layers require.
    pub require: Vec<String>,
    /// `--threshold`: added to those of the lower layers.
    pub thresholds: Vec<String>,
    /// `--runs`.
    pub runs: Option<PathBuf>,
}

/// The settings of `flags`, on top of the lists that `lower` layers hold.
pub(super) fn entries(flags: &Overrides, lower: &[Entry], problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |path: &str, flag: &str, value: Raw| {
        if let Some(key) = key(path) {
            let origin = Origin::Flag { flag: flag.to_owned() };
            entries.push(Entry { key, value, origin, excerpt: None });
        }
    };
    for (path, flag, number) in [
        ("topology.replicas", "--replicas", flags.replicas),
        ("topology.port", "--port", flags.port),
        ("load.operations", "--operations", flags.operations),
        ("load.seed", "--seed", flags.seed),
        ("orders.clients", "--clients", flags.clients),
        ("counter.clients", "--clients", flags.clients),
        ("counters.clients", "--clients", flags.clients),
        ("transactions.clients", "--clients", flags.clients),
        ("bank.clients", "--clients", flags.clients),
        ("set.clients", "--clients", flags.clients),
        ("orders.products", "--products", flags.products),
        ("orders.stock", "--stock", flags.stock),
        ("counter.keys", "--keys", flags.keys),
        ("transactions.keys", "--keys", flags.keys),
        ("bank.accounts", "--keys", flags.keys),
    ] {
        if let Some(number) = number {
            add(path, flag, Raw::Number(number));
        }
    }
    for (path, flag, text) in [
        ("topology.kind", "--topology", &flags.topology),
        ("topology.image", "--image", &flags.image),
        ("topology.synchronous_commit", "--synchronous-commit", &flags.synchronous_commit),
        ("topology.synchronous_standbys", "--sync-standbys", &flags.synchronous_standbys),
        ("topology.hot_standby_feedback", "--hot-standby-feedback", &flags.hot_standby_feedback),
        ("topology.recovery_min_apply_delay", "--apply-delay", &flags.recovery_min_apply_delay),
        ("topology.writer", "--writer", &flags.writer),
        ("aurora.cluster", "--cluster", &flags.cluster),
        ("aurora.region", "--region", &flags.region),
        ("aurora.profile", "--profile", &flags.profile),
        ("aurora.endpoint_url", "--endpoint-url", &flags.endpoint_url),
        ("aurora.database", "--database", &flags.database),
        ("aurora.user", "--db-user", &flags.db_user),
        ("aurora.auth", "--auth", &flags.auth),
        ("aurora.sslmode", "--sslmode", &flags.sslmode),
        ("aurora.consistency_mode", "--consistency-mode", &flags.consistency_mode),
        ("load.duration", "--duration", &flags.duration),
        ("transactions.isolation", "--isolation", &flags.isolation),
        ("bank.isolation", "--isolation", &flags.isolation),
        ("faults.schedule", "--fault", &flags.schedule),
    ] {
        if let Some(text) = text {
            add(path, flag, Raw::Text(text.clone()));
        }
    }
    for (path, flag, file) in [
        ("topology.pg_bin", "--pg-bin", &flags.pg_bin),
        ("aurora.ca_bundle", "--ca-bundle", &flags.ca_bundle),
        ("output.runs", "--runs", &flags.runs),
    ] {
        match file.as_ref().map(|file| (file, file.to_str())) {
            None => {}
            Some((_, Some(text))) => add(path, flag, Raw::Text(text.to_owned())),
            Some((file, None)) => problems.push(Problem {
                place: flag.to_owned(),
                message: format!("{} is not UTF-8", file.display()),
                excerpt: None,
                is_usage: true,
            }),
        }
    }
    if flags.writer.is_some() && flags.topology.is_none() {
        add("topology.kind", "--writer", Raw::Text("urls".to_owned()));
    }
    if flags.cluster.is_some() && flags.topology.is_none() {
        add("topology.kind", "--cluster", Raw::Text("aurora".to_owned()));
    }
    if flags.keep {
        add("topology.keep", "--keep", Raw::Text("on".to_owned()));
    }
    if !flags.readers.is_empty() {
        add("topology.readers", "--reader", Raw::List(flags.readers.clone()));
    }
    if !flags.cascade.is_empty() {
        add("topology.cascade", "--cascade", Raw::List(flags.cascade.clone()));
    }
    if !flags.workloads.is_empty() {
        add("load.workloads", "WORKLOAD", Raw::List(flags.workloads.clone()));
    }
    for (path, flag, more) in [
        ("checks.require", "--require", &flags.require),
        ("checks.thresholds", "--threshold", &flags.thresholds),
    ] {
        if !more.is_empty() {
            let below = lower.iter().rfind(|entry| entry.key.path() == path);
            let mut list = match below.map(|entry| &entry.value) {
                Some(Raw::List(list)) => list.clone(),
                _ => Vec::new(),
            };
            list.extend(more.iter().cloned());
            add(path, flag, Raw::List(list));
        }
    }
    entries
}
