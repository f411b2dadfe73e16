//! Settings as they are written: numbers, words and lists, not yet looked at for sense.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The commented file of defaults: the lowest layer, and what `replab config init` prints.
pub const DEFAULT_FILE: &str = include_str!("default.toml");

/// `replab.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) topology: TopologySettings,
    pub(super) aurora: AuroraSettings,
    pub(super) load: LoadSettings,
    pub(super) orders: OrdersSettings,
    pub(super) counter: CounterSettings,
    pub(super) counters: CountersSettings,
    pub(super) transactions: TransactionsSettings,
    pub(super) bank: BankSettings,
    pub(super) set: SetSettings,
    pub(super) readers: ReadersSettings,
    pub(super) faults: FaultsSettings,
    pub(super) checks: ChecksSettings,
    pub(super) output: OutputSettings,
}

/// The cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct TopologySettings {
    /// `local`: PostgreSQL servers on this machine; `compose`: in containers; `memory`: a stand-in that needs none; `urls`:
    /// servers that somebody else runs; `aurora`: a cluster of AWS's.
    pub(super) kind: String,
    /// Streaming replicas, 0 to 16.
    pub(super) replicas: i64,
    /// The folder of PostgreSQL's programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pg_bin: Option<String>,
    /// The image of the containers: any `postgres` from 14 on.
    pub(super) image: String,
    /// The primary's port; the replicas use the ports after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<i64>,
    /// `off`, `local`, `remote_write`, `on` or `remote_apply`.
    pub(super) synchronous_commit: String,
    /// Which replicas a commit waits for: `none`, `ANY 1`, `FIRST 2 (replica-1, replica-2, replica-3)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) synchronous_standbys: Option<String>,
    /// Replicas that receive from another replica: `replica-2<-replica-1`.
    pub(super) cascade: Vec<String>,
    /// `on` or `off`: whether replicas keep the primary from removing what their queries still need.
    pub(super) hot_standby_feedback: String,
    /// How long replicas wait before they replay a commit.
    pub(super) recovery_min_apply_delay: String,
    /// The primary's URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) writer: Option<String>,
    /// The replicas' URLs.
    pub(super) readers: Vec<String>,
    /// Restarts the node `$REPLAB_NODE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restart_command: Option<String>,
    /// Makes the node `$REPLAB_NODE` the primary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failover_command: Option<String>,
    /// `on` or `off`: whether the run's schema stays in the database.
    pub(super) keep: String,
}

/// A cluster of AWS's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct AuroraSettings {
    /// Its identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cluster: Option<String>,
    /// The region; without it, what AWS's own settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    /// The profile of AWS's configuration files; without it, what AWS's own settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<String>,
    /// Another address of the RDS API than the region's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) endpoint_url: Option<String>,
    /// The database in which the run makes its schema.
    pub(super) database: String,
    /// The database's user.
    pub(super) user: String,
    /// `password`, `secret` or `iam`.
    pub(super) auth: String,
    /// `verify-full`, `verify-ca`, or `disable` on loopback addresses.
    pub(super) sslmode: String,
    /// The PEM certificates of who signs the servers'; without it, this machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ca_bundle: Option<String>,
    /// With local write forwarding, how much a query on a reader waits for: `eventual`, `session` or `global`; without it, as the
    /// cluster's parameters say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consistency_mode: Option<String>,
}

/// The load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct LoadSettings {
    /// `orders`, `counter`, `counters`, `append`, `register`, `longfork`, `bank`, `set`.
    pub(super) workloads: Vec<String>,
    /// How long.
    pub(super) duration: String,
    /// Stop sooner, after this many writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operations: Option<i64>,
    /// Decides the operations of each client and the times of the default faults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<i64>,
    /// After this long a statement counts as lost.
    pub(super) statement_deadline: String,
    /// After this long an attempt to connect counts as failed.
    pub(super) connect_deadline: String,
}

/// The order system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct OrdersSettings {
    /// How many clients place orders.
    pub(super) clients: i64,
    /// How many products they order.
    pub(super) products: i64,
    /// Units of each product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stock: Option<i64>,
}

/// The counters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct CounterSettings {
    /// How many clients increment counters.
    pub(super) clients: i64,
    /// How many counters they share.
    pub(super) keys: i64,
}

/// Counters that belong to one client each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct CountersSettings {
    /// How many clients, and so how many counters.
    pub(super) clients: i64,
}

/// Transactions on lists (`append`) and registers (`register`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct TransactionsSettings {
    /// How many clients read and write.
    pub(super) clients: i64,
    /// Keys in use at the same time.
    pub(super) keys: i64,
    /// About how many writes a key gets before another takes its place.
    pub(super) writes_per_key: i64,
    /// The most reads and writes of a transaction.
    pub(super) length: i64,
    /// `read-committed`, `repeatable-read` or `serializable`.
    pub(super) isolation: String,
}

/// The bank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct BankSettings {
    /// How many clients move money at the same time.
    pub(super) clients: i64,
    /// How many accounts.
    pub(super) accounts: i64,
    /// What each of them holds at first.
    pub(super) balance: i64,
    /// `read-committed`, `repeatable-read` or `serializable`.
    pub(super) isolation: String,
}

/// The set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct SetSettings {
    /// How many clients insert at the same time.
    pub(super) clients: i64,
}

/// The readers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct ReadersSettings {
    /// How many readers each node has, for each workload.
    pub(super) per_node: i64,
    /// Pause between two reads of a counter.
    pub(super) interval: String,
    /// Pause between two snapshots of the whole stock.
    pub(super) stock_interval: String,
}

/// The faults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct FaultsSettings {
    /// `default`, `none`, or `crash(primary)@8s,restart(replica-1)@14s`.
    pub(super) schedule: String,
}

/// The checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct ChecksSettings {
    /// Guarantees that must hold even where the settings do not promise them.
    pub(super) require: Vec<String>,
    /// Limits on what is measured, such as `lag.p99<500ms`.
    pub(super) thresholds: Vec<String>,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(super) struct OutputSettings {
    /// Where the runs are kept.
    pub(super) runs: String,
}

/// What the default file says.
pub(super) static DEFAULTS: LazyLock<Settings> = LazyLock::new(|| {
    toml::from_str(DEFAULT_FILE).expect("the built-in file holds every key that is not optional")
});

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    List,
}

impl Kind {
    /// As it is called in error messages.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Number => "a whole number",
            Kind::Text => "a text in quotes",
            Kind::List => "a list of texts in quotes",
        }
    }
}

/// A key of the configuration.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) section: String,
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Key {
    /// `load.duration`.
    pub(super) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// `REPLAB_LOAD__DURATION`.
    pub(super) fn variable(&self) -> String {
        format!("REPLAB_{}__{}", self.section, self.name).to_ascii_uppercase()
    }
}

/// Every key there is, read off [`Settings`].
pub(super) static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let schema = schema();
    let mut keys = Vec::new();
    for (section, body) in schema["properties"].as_object().into_iter().flatten() {
        for (name, value) in body["properties"].as_object().into_iter().flatten() {
            let kinds = value["type"].as_str().or_else(|| value["type"][0].as_str());
            let kind = match kinds {
                Some("integer") => Kind::Number,
                Some("array") => Kind::List,
                _ => Kind::Text,
            };
            keys.push(Key { section: section.clone(), name: name.clone(), kind });
        }
    }
    keys
});

/// The key called `path` (`load.duration`).
pub(super) fn key(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| path.split_once('.') == Some((&key.section, &key.name)))
}

/// JSON Schema of `replab.toml`, for editors. Every key may be left out.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    let root = &mut schema;
    if let Some(root) = root.as_object_mut() {
        root.remove("required");
        root.insert("title".to_owned(), "replab.toml".into());
    }
    for section in root["properties"].as_object_mut().into_iter().flatten() {
        if let Some(section) = section.1.as_object_mut() {
            section.remove("required");
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `section.key` of every line of the default file that sets a key, commented out or not, in order.
    fn written() -> Vec<String> {
        let mut section = "";
        let mut found = Vec::new();
        for line in DEFAULT_FILE.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name;
            } else if let Some((name, _)) = line.trim_start_matches("# ").split_once(" = ") {
                found.push(format!("{section}.{name}"));
            }
        }
        found
    }

    #[test]
    fn the_default_file_names_every_key_and_no_other() {
        let mut written = written();
        written.sort();
        let mut known: Vec<String> = KEYS.iter().map(Key::path).collect();
        known.sort();
        assert_eq!(written, known);
        assert_eq!(KEYS.len(), 54);
    }

    #[test]
    fn what_the_default_file_shows_commented_out_can_be_switched_on() {
        let all: String = DEFAULT_FILE
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line))
            .flat_map(|line| [line, "\n"])
            .collect();
        let settings: Settings = toml::from_str(&all).unwrap();
        assert!(settings.topology.pg_bin.is_some() && settings.topology.port.is_some());
        assert!(settings.load.operations.is_some() && settings.load.seed.is_some());
        assert!(settings.orders.stock.is_some());
    }

    #[test]
    fn keys_have_the_kinds_of_their_fields() {
        let kind = |path: &str| key(path).unwrap().kind;
        assert_eq!(kind("topology.replicas"), Kind::Number);
        assert_eq!(kind("topology.port"), Kind::Number);
        assert_eq!(kind("topology.pg_bin"), Kind::Text);
        assert_eq!(kind("load.workloads"), Kind::List);
        assert_eq!(key("load.duration").unwrap().variable(), "REPLAB_LOAD__DURATION");
        assert!(key("load").is_none() && key("load.").is_none() && key("nope.x").is_none());
    }
}
