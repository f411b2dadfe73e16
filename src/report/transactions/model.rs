//! What was found, as text and numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::anomaly::{AnomalyReport, Said};
use super::together::Together;
use crate::check::cycle::{Analysis, Model, Order, Stale, Standing};
use crate::history::txn::{Status, Txns};
use crate::history::{Nanos, NodeName};
use crate::report::words::CUT;

/// Where a history came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file.
    pub file: String,
    /// Its format.
    pub format: String,
    /// The strongest order that it tells of.
    pub order: Order,
    /// Whether it is known to have been cut.
    pub is_cut: bool,
}

/// Whether the model that was asked for stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Valid {
    /// Nothing in this history refutes it.
    NotRefuted,
    /// This history does not tell.
    Unknown,
    /// An anomaly refutes it.
    Refuted,
}

/// What a history of transactions shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Transactions {
    /// The file.
    pub file: String,
    /// Its format.
    pub format: String,
    /// The model that was asked for.
    pub model: String,
    /// Whether it stands.
    pub valid: Valid,
    /// As a process ends: 0 not refuted, 1 refuted, 3 unknown.
    pub exit_code: u8,
    /// Whether the history tells when its transactions began and ended; where not, all times are zero.
    pub is_timed: bool,
    /// Transactions that were invoked.
    pub transactions: u64,
    /// Of these, acknowledged.
    pub acknowledged: u64,
    /// Certainly not committed.
    pub failed: u64,
    /// Of unknown outcome.
    pub unknown: u64,
    /// Reads and writes of all of them.
    pub operations: u64,
    /// Keys.
    pub keys: u64,
    /// The names of the anomalies that are there.
    pub anomaly_types: Vec<String>,
    /// The same, with how often each is there and the smallest one.
    pub anomalies: Vec<AnomalyReport>,
    /// The weakest models that are refuted.
    pub not: Vec<String>,
    /// The models that contain one of them.
    pub also_not: Vec<String>,
    /// Every model.
    pub models: Vec<ModelReport>,
    /// Each node's readers alone, where there is more than one node.
    pub nodes: Vec<NodeReport>,
    /// A model that none of them refutes alone, and all of them together do.
    pub together: Option<Together>,
    /// What could not be judged, and why.
    pub troubles: Vec<String>,
    /// What nobody looked at.
    pub not_checked: Vec<String>,
}

/// Where one model stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModelReport {
    /// Its name.
    pub name: String,
    /// In one sentence.
    pub meaning: String,
    /// Whether it stands.
    pub valid: Valid,
    /// The anomaly that refutes it.
    pub by: Option<String>,
}

/// What one node's readers saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct NodeReport {
    /// The node.
    pub name: String,
    /// The weakest models that its readers alone refute.
    pub not: Vec<String>,
    /// The models that its readers alone do not refute.
    pub not_refuted: Vec<String>,
    /// Anomalies, and how often.
    pub anomalies: Vec<(String, u64)>,
    /// Reads that were stale.
    pub stale_reads: u64,
    /// The most acknowledged versions that one of them missed.
    pub stale_versions: u32,
    /// The longest time for which one of them had been stale.
    pub stale_for: Nanos,
}

impl Transactions {
    /// What `analysis` of `txns` says of `model`, and those of each node's readers alone.
    pub fn new(
        txns: &Txns,
        source: &Source,
        model: &Model,
        analysis: &Analysis,
        alone: &[(NodeName, Analysis)],
    ) -> Transactions {
        let standings = analysis.standings();
        let names = |is: fn(&Standing) -> bool| {
            standings.iter().filter(|(_, one)| is(one)).map(|(model, _)| model.name.to_owned()).collect()
        };
        let asked = standings.iter().find(|(one, _)| one.name == model.name);
        let valid_of = |standing: &Standing| match Valid::of(standing) {
            // As far as it goes.
            Valid::NotRefuted if source.is_cut => Valid::Unknown,
            valid => valid,
        };
        let valid = asked.map_or(Valid::Unknown, |(_, standing)| valid_of(standing));
        let mut troubles: Vec<String> = analysis.troubles.iter().map(|trouble| trouble.words(txns)).collect();
        if source.is_cut {
            troubles.push(CUT.to_owned());
        }
        let count = |status| txns.all().iter().filter(|txn| txn.status == status).count() as u64;
        let models: Vec<ModelReport> = standings
            .iter()
            .map(|(model, standing)| ModelReport::new(model, standing, valid_of(standing)))
            .collect();
        let nodes: Vec<NodeReport> =
            alone.iter().map(|(name, analysis)| NodeReport::new(name.as_str(), analysis)).collect();
        let anomalies: Vec<AnomalyReport> =
            analysis.found.iter().map(|found| AnomalyReport::new(txns, found)).collect();
        Transactions {
            file: source.file.clone(),
            format: source.format.clone(),
            model: model.name.to_owned(),
            valid,
            exit_code: match valid {
                Valid::NotRefuted => 0,
                Valid::Refuted => 1,
                Valid::Unknown => 3,
            },
            is_timed: source.order == Order::RealTime,
            transactions: txns.len() as u64,
            acknowledged: count(Status::Ok),
            failed: count(Status::Fail),
            unknown: count(Status::Info),
            operations: txns.mops() as u64,
            keys: txns.keys() as u64,
            anomaly_types: anomalies.iter().map(|anomaly| anomaly.name.clone()).collect(),
            together: Together::of(&models, &nodes, &anomalies),
            anomalies,
            not: names(|one| matches!(one, Standing::Refuted { is_weakest: true, .. })),
            also_not: names(|one| matches!(one, Standing::Refuted { is_weakest: false, .. })),
            models,
            nodes,
            troubles,
            not_checked: not_checked(source.order),
        }
    }
}

impl Transactions {
    /// Adds what only a run knows of transactions, of each by its number.
    pub fn annotate(&mut self, of: impl Fn(u32) -> Said) {
        for step in self.anomalies.iter_mut().flat_map(|anomaly| &mut anomaly.transactions) {
            let Said { sql, xid, lsn } = of(step.transaction);
            (step.sql, step.xid, step.lsn) = (sql, xid, lsn);
        }
    }
}

impl Valid {
    fn of(standing: &Standing) -> Valid {
        match standing {
            Standing::Refuted { .. } => Valid::Refuted,
            Standing::NotRefuted => Valid::NotRefuted,
            Standing::NotCheckable => Valid::Unknown,
        }
    }
}

impl ModelReport {
    fn new(model: &Model, standing: &Standing, valid: Valid) -> ModelReport {
        let by = match standing {
            Standing::Refuted { by, .. } => Some(by.name()),
            _ => None,
        };
        ModelReport { name: model.name.to_owned(), meaning: model.meaning.to_owned(), valid, by }
    }
}

impl NodeReport {
    fn new(name: &str, analysis: &Analysis) -> NodeReport {
        let standings = analysis.standings();
        let names = |is: fn(&Standing) -> bool| -> Vec<String> {
            standings.iter().filter(|(_, one)| is(one)).map(|(model, _)| model.name.to_owned()).collect()
        };
        let worst = |of: fn(&Stale) -> u64| analysis.stale.iter().map(of).max().unwrap_or(0);
        NodeReport {
            name: name.to_owned(),
            not: names(|one| matches!(one, Standing::Refuted { is_weakest: true, .. })),
            not_refuted: names(|one| *one == Standing::NotRefuted),
            anomalies: analysis.found.iter().map(|found| (found.anomaly.name(), found.count)).collect(),
            stale_reads: analysis.stale.len() as u64,
            stale_versions: worst(|stale| u64::from(stale.versions)) as u32,
            stale_for: Nanos(worst(|stale| stale.age.0)),
        }
    }
}

fn not_checked(order: Order) -> Vec<String> {
    let mut all = vec![
        "Reads by a condition (predicates): only keys are compared, so phantoms do not show.".to_owned(),
        "What transactions saw that were not acknowledged: they may have been aborted.".to_owned(),
    ];
    if order == Order::RealTime {
        all.push("Clocks: real time is the order of the history's events.".to_owned());
    }
    all
}
