//! What a run does: every field already valid.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::check::Guarantee;
use crate::fault::{Schedule, format_duration};
use crate::history::{Action, Nanos, NodeName};
use crate::pg::Conninfo;
use crate::topology::{Cascade, Standbys, Wanted, aurora, compose, local, memory, urls};

use super::aurora::AuroraPlan;
use super::settings::{
    ChecksSettings, DEFAULTS, FaultsSettings, LoadSettings, OutputSettings, ReadersSettings, Settings,
    TopologySettings,
};
use super::words::words;
use super::workloads::{OrdersPlan, WorkloadPlan};

/// A run, before it starts. As TOML it is a `replab.toml` with every default spelled out, so that `plan.toml` of a
/// stored run is also a configuration file that repeats it. It holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Settings", try_from = "Settings")]
pub struct Plan {
    /// The cluster.
    pub topology: TopologyPlan,
    /// The load.
    pub load: LoadPlan,
    /// What clients do, at least one of a kind each, in the order of [`WorkloadPlan::NAMES`].
    pub workloads: Vec<WorkloadPlan>,
    /// The readers of every node.
    pub readers: ReadersPlan,
    /// The faults; valid for the nodes of this plan and within its duration.
    pub faults: Schedule,
    /// What is asked of the result.
    pub checks: ChecksPlan,
    /// Where the runs are kept.
    pub runs: PathBuf,
}

/// What the nodes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TopologyKind {
    /// PostgreSQL servers on this machine.
    Local,
    /// PostgreSQL servers in containers.
    Compose,
    /// A stand-in without PostgreSQL.
    Memory,
    /// Servers that somebody else runs.
    Urls,
    /// A cluster of AWS's.
    Aurora,
}

/// PostgreSQL's setting of the same name, without its synonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynchronousCommit {
    /// Acknowledge before the commit is on disk.
    Off,
    /// Acknowledge when it is on the primary's disk.
    Local,
    /// And has been written by every replica.
    RemoteWrite,
    /// When it is on the primary's disk, as nothing here makes a replica a synchronous standby for this value.
    On,
    /// And is visible on every replica.
    RemoteApply,
}

/// The cluster: a primary and its replicas.
#[derive(Clone, Debug, PartialEq)]
pub struct TopologyPlan {
    /// What the nodes are.
    pub kind: TopologyKind,
    /// How many replicas.
    pub replicas: usize,
    /// The folder of PostgreSQL's programs; `None`: look for it.
    pub pg_bin: Option<PathBuf>,
    /// The image of the containers.
    pub image: String,
    /// The primary's port, with room after it for the replicas'; `None`: free ones.
    pub port: Option<u16>,
    /// Of every client's session.
    pub synchronous_commit: SynchronousCommit,
    /// Which replicas a commit waits for at the levels that wait for any; `None`: see [`TopologyPlan::standbys`].
    pub synchronous_standbys: Option<Wanted>,
    /// Replicas behind replicas.
    pub cascade: Vec<Cascade>,
    /// PostgreSQL's setting of the same name.
    pub hot_standby_feedback: Switch,
    /// PostgreSQL's setting of the same name, on every replica.
    pub recovery_min_apply_delay: Nanos,
    /// The servers; of [`TopologyKind::Urls`], and of no other kind.
    pub urls: Option<UrlsPlan>,
    /// The cluster; of [`TopologyKind::Aurora`], and of no other kind.
    pub aurora: Option<AuroraPlan>,
}

/// Servers that somebody else runs.
#[derive(Clone, Debug, PartialEq)]
pub struct UrlsPlan {
    /// The primary; with the password where one was given, which no text of the plan holds.
    pub writer: Conninfo,
    /// The replicas, as many as [`TopologyPlan::replicas`].
    pub readers: Vec<Conninfo>,
    /// Restarts a node.
    pub restart_command: Option<String>,
    /// Makes a node the primary.
    pub failover_command: Option<String>,
    /// Whether the run's schema stays.
    pub keep: Switch,
}

/// PostgreSQL's word for a truth value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// The load.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadPlan {
    /// How long.
    pub duration: Nanos,
    /// The most writes of all workloads together.
    pub operations: Option<u64>,
    /// Decides operations and default faults; below 2^63, so that TOML can hold it.
    pub seed: u64,
    /// For every statement.
    pub statement_deadline: Nanos,
    /// For every attempt to connect.
    pub connect_deadline: Nanos,
}

/// The readers.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadersPlan {
    /// For each node and workload.
    pub per_node: u32,
    /// Between two reads of a counter.
    pub interval: Nanos,
    /// Between two snapshots of the stock.
    pub stock_interval: Nanos,
}

/// What is asked of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct ChecksPlan {
    /// Claimed whatever the settings promise.
    pub require: BTreeSet<Guarantee>,
    /// As typed; `measure` reads them.
    pub thresholds: Vec<String>,
}

impl Plan {
    /// Whether one of the workloads is called so.
    pub fn runs(&self, name: &str) -> bool {
        self.workloads.iter().any(|workload| workload.name() == name)
    }

    /// The order system, if it runs.
    pub fn orders(&self) -> Option<&OrdersPlan> {
        self.workloads.iter().find_map(|workload| match workload {
            WorkloadPlan::Orders(plan) => Some(plan),
            _ => None,
        })
    }

    /// The plan as the text of a configuration file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers below 2^63, texts and lists of texts always make TOML")
    }
}

impl From<Plan> for Settings {
    fn from(plan: Plan) -> Settings {
        let Plan { topology, load, workloads, readers, faults, checks, runs } = plan;
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let (urls, keep) = (topology.urls.as_ref(), topology.keep().to_string());
        let mut settings = Settings {
            topology: TopologySettings {
                kind: topology.kind.to_string(),
                replicas: topology.replicas as i64,
                pg_bin: topology.pg_bin.map(text),
                image: topology.image,
                port: topology.port.map(i64::from),
                synchronous_commit: topology.synchronous_commit.to_string(),
                synchronous_standbys: topology.synchronous_standbys.map(|wanted| wanted.to_string()),
                cascade: topology.cascade.iter().map(Cascade::to_string).collect(),
                hot_standby_feedback: topology.hot_standby_feedback.to_string(),
                recovery_min_apply_delay: format_duration(topology.recovery_min_apply_delay),
                writer: urls.map(|urls| urls.writer.to_string()),
                readers: urls.iter().flat_map(|urls| &urls.readers).map(Conninfo::to_string).collect(),
                restart_command: urls.and_then(|urls| urls.restart_command.clone()),
                failover_command: urls.and_then(|urls| urls.failover_command.clone()),
                keep,
            },
            aurora: topology.aurora.as_ref().map_or_else(|| DEFAULTS.aurora.clone(), AuroraPlan::settings),
            load: LoadSettings {
                workloads: workloads.iter().map(|workload| workload.name().to_owned()).collect(),
                duration: format_duration(load.duration),
                operations: load.operations.map(|cap| cap as i64),
                seed: Some(load.seed as i64),
                statement_deadline: format_duration(load.statement_deadline),
                connect_deadline: format_duration(load.connect_deadline),
            },
            readers: ReadersSettings {
                per_node: readers.per_node.into(),
                interval: format_duration(readers.interval),
                stock_interval: format_duration(readers.stock_interval),
            },
            faults: FaultsSettings { schedule: faults.to_string() },
            checks: ChecksSettings {
                require: checks.require.iter().map(Guarantee::to_string).collect(),
                thresholds: checks.thresholds,
            },
            output: OutputSettings { runs: text(runs) },
            ..DEFAULTS.clone()
        };
        workloads.iter().for_each(|workload| workload.write(&mut settings));
        settings
    }
}

impl TopologyPlan {
    /// Whether such a cluster can have `action` done to its nodes.
    pub fn can(&self, action: Action) -> bool {
        match self.kind {
            TopologyKind::Local => local::Cluster::can(action),
            TopologyKind::Compose => compose::Cluster::can(action),
            TopologyKind::Memory => memory::Cluster::can(action),
            TopologyKind::Urls => self.urls.as_ref().is_some_and(|urls| urls.command(action).is_some()),
            TopologyKind::Aurora => aurora::can(action),
        }
    }

    /// Whether somebody else made the cluster, so that nothing of it is set, and nothing in it broken without leave.
    pub fn is_foreign(&self) -> bool {
        self.kind.is_foreign()
    }

    /// Whether the run's schema stays, in a cluster that somebody else made.
    pub fn keep(&self) -> Switch {
        let urls = self.urls.as_ref().map(|urls| urls.keep);
        urls.or(self.aurora.as_ref().map(|aurora| aurora.keep)).unwrap_or(Switch::Off)
    }

    /// Every node, the primary first.
    pub fn nodes(&self) -> Vec<NodeName> {
        std::iter::once(NodeName::primary()).chain((1..=self.replicas).map(NodeName::replica)).collect()
    }

    /// The cluster as processes of this machine.
    pub fn local(&self) -> local::Config {
        local::Config {
            pg_bin: self.pg_bin.clone(),
            replicas: self.replicas,
            synchronous_commit: self.synchronous_commit.to_string(),
            standbys: self.standbys(),
            cascade: self.cascade.clone(),
            hot_standby_feedback: self.hot_standby_feedback == Switch::On,
            recovery_min_apply_delay: self.recovery_min_apply_delay,
            port: self.port,
            ..local::Config::default()
        }
    }

    /// The cluster in containers, whose replicas all receive from the primary.
    pub fn compose(&self) -> compose::Config {
        compose::Config {
            image: self.image.clone(),
            replicas: self.replicas,
            synchronous_commit: self.synchronous_commit.to_string(),
            standbys: self.standbys(),
            hot_standby_feedback: self.hot_standby_feedback == Switch::On,
            recovery_min_apply_delay: self.recovery_min_apply_delay,
            port: self.port,
            ..compose::Config::default()
        }
    }

    /// Which replicas a commit waits for; `None`: for nobody.
    ///
    /// Without any, as with `none`, PostgreSQL takes `remote_write` and `remote_apply` to mean `local`, in silence. So
    /// where nothing is set they get all replicas, and not any one of them, because `remote_apply` is there to make
    /// reads at *every* replica see the commit; the price is that commits wait while one is down.
    ///
    /// What somebody else's primary names are application names, and which node calls itself so is not certain: `None`.
    pub fn standbys(&self) -> Option<Standbys> {
        if self.is_foreign() {
            return None;
        }
        let all = || {
            let direct = self.nodes().into_iter().skip(1);
            let direct = direct.filter(|node| Cascade::upstream(&self.cascade, *node).is_none());
            Standbys::all(direct.count())
        };
        let named = || self.synchronous_commit.names_replicas().then(all);
        match &self.synchronous_standbys {
            Some(Wanted::Nobody) => None,
            Some(Wanted::These(standbys)) => Some(standbys.clone()),
            None => named(),
        }
    }

    /// Whether a commit ever waits for a replica.
    pub fn waits_for_standbys(&self) -> bool {
        self.synchronous_commit.waits_for_standbys() && self.standbys().is_some()
    }

    /// Which of them can give an answer: those that receive from the primary itself.
    pub fn answering(&self, primary: NodeName) -> Vec<NodeName> {
        let behind =
            |node: &NodeName| Cascade::upstream(&self.cascade, *node).is_some_and(|up| up != primary);
        let of = |standbys: Standbys| standbys.of(&self.nodes(), primary);
        self.standbys().map(of).unwrap_or_default().into_iter().filter(|node| !behind(node)).collect()
    }
}

impl UrlsPlan {
    /// The command that does `action`; the same rule as [`urls::Cluster::can`].
    fn command(&self, action: Action) -> Option<&str> {
        urls::command(action, self.restart_command.as_deref(), self.failover_command.as_deref())
    }

    /// Whether a URL came with a password, which the stored plan does not hold.
    pub fn has_password(&self) -> bool {
        std::iter::once(&self.writer).chain(&self.readers).any(Conninfo::has_password)
    }
}

impl SynchronousCommit {
    /// Whether a commit waits for the synchronous standbys, where there are any.
    pub fn waits_for_standbys(self) -> bool {
        !matches!(self, SynchronousCommit::Off | SynchronousCommit::Local)
    }

    /// Whether a commit waits for replicas, so that there has to be one.
    pub fn names_replicas(self) -> bool {
        matches!(self, SynchronousCommit::RemoteWrite | SynchronousCommit::RemoteApply)
    }
}

impl TopologyKind {
    /// Whether somebody else makes such clusters, and restarts and replaces their servers.
    pub fn is_foreign(self) -> bool {
        matches!(self, TopologyKind::Urls | TopologyKind::Aurora)
    }
}

words!(TopologyKind, "a kind of cluster", { "local" => Local, "compose" => Compose, "memory" => Memory, "urls" => Urls, "aurora" => Aurora });
words!(Switch, "on or off", { "on" => On, "off" => Off });
words!(SynchronousCommit, "a value of synchronous_commit", {
    "off" => Off,
    "local" => Local,
    "remote_write" => RemoteWrite,
    "on" => On,
    "remote_apply" => RemoteApply,
});
