//! What was found, as text and numbers.

use schemars::JsonSchema;
use serde::Serialize;

use crate::check::cycle::{Analysis, Found, Model, Order, Stale, Standing, Trouble, Why, Witness, show};
use crate::history::txn::{Status, TxnId, Txns};
use crate::history::{Nanos, NodeName};

/// Where a history came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file.
    pub file: String,
    /// Its format.
    pub format: String,
    /// The strongest order that it tells of.
    pub order: Order,
}

/// Whether the model that was asked for stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, Serialize, JsonSchema)]
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
    /// What could not be judged, and why.
    pub troubles: Vec<String>,
    /// What nobody looked at.
    pub not_checked: Vec<String>,
}

/// One kind of anomaly.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AnomalyReport {
    /// As Elle calls it, where Elle knows it.
    pub name: String,
    /// In one sentence.
    pub meaning: String,
    /// How often: of cycles, how many dependencies close one.
    pub count: u64,
    /// The transactions of the smallest one.
    pub transactions: Vec<Step>,
    /// Why it cannot be, a sentence each.
    pub because: Vec<String>,
    /// Whether no smaller one is there.
    pub is_smallest: bool,
}

/// A transaction of an anomaly.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// `T1`, in the sentences.
    pub name: String,
    /// Its number in the order of invocation.
    pub transaction: u32,
    /// Who ran it.
    pub process: u32,
    /// Where.
    pub node: String,
    /// When it was invoked, in nanoseconds.
    pub start: Nanos,
    /// When it completed.
    pub end: Nanos,
    /// What it did.
    pub operations: Vec<String>,
}

/// Where one model stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct NodeReport {
    /// The node.
    pub name: String,
    /// The weakest models that its readers alone refute.
    pub not: Vec<String>,
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
        let valid = asked.map_or(Valid::Unknown, |(_, standing)| Valid::of(standing));
        let count = |status| txns.all().iter().filter(|txn| txn.status == status).count() as u64;
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
            transactions: txns.len() as u64,
            acknowledged: count(Status::Ok),
            failed: count(Status::Fail),
            unknown: count(Status::Info),
            operations: txns.mops() as u64,
            keys: txns.keys() as u64,
            anomaly_types: anomalies.iter().map(|anomaly| anomaly.name.clone()).collect(),
            anomalies,
            not: names(|one| matches!(one, Standing::Refuted { is_weakest: true, .. })),
            also_not: names(|one| matches!(one, Standing::Refuted { is_weakest: false, .. })),
            models: standings.iter().map(|(model, standing)| ModelReport::new(model, standing)).collect(),
            nodes: alone.iter().map(|(name, analysis)| NodeReport::new(name.as_str(), analysis)).collect(),
            troubles: Transactions::troubles(txns, analysis),
            not_checked: not_checked(source.order),
        }
    }

    /// What of `txns` could not be judged, in a sentence each.
    pub fn troubles(txns: &Txns, analysis: &Analysis) -> Vec<String> {
        analysis.troubles.iter().map(|trouble| words(txns, trouble)).collect()
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
    fn new(model: &Model, standing: &Standing) -> ModelReport {
        let by = match standing {
            Standing::Refuted { by, .. } => Some(by.name()),
            _ => None,
        };
        ModelReport {
            name: model.name.to_owned(),
            meaning: model.meaning.to_owned(),
            valid: Valid::of(standing),
            by,
        }
    }
}

impl AnomalyReport {
    fn new(txns: &Txns, found: &Found) -> AnomalyReport {
        let (ids, because, is_smallest) = match &found.witness {
            None => (Vec::new(), Vec::new(), false),
            Some(Witness::Cycle { steps, is_smallest }) => {
                let name = |place: usize| format!("T{}", place % steps.len() + 1);
                let sentence = |(place, (_, why)): (usize, &(TxnId, Why))| {
                    let (one, other) = (name(place), name(place + 1));
                    format!("{one} < {other}, because {}", why.words(txns, &one, &other))
                };
                let because = steps.iter().enumerate().map(sentence).collect();
                (steps.iter().map(|(txn, _)| *txn).collect(), because, *is_smallest)
            }
            Some(Witness::Case(case)) => {
                let mut ids: Vec<TxnId> = Vec::new();
                let mut because = Vec::new();
                for &mop in &case.mops {
                    let txn = txns.mop(mop).0;
                    let place = ids.iter().position(|&id| id == txn).unwrap_or_else(|| {
                        ids.push(txn);
                        ids.len() - 1
                    });
                    because.push(format!("T{}: {}", place + 1, show(txns, mop)));
                }
                (ids, because, true)
            }
        };
        AnomalyReport {
            name: found.anomaly.name(),
            meaning: found.anomaly.meaning().to_owned(),
            count: found.count,
            transactions: ids.iter().zip(1..).map(|(&txn, number)| Step::new(txns, txn, number)).collect(),
            because,
            is_smallest,
        }
    }
}

impl Step {
    fn new(txns: &Txns, id: TxnId, number: usize) -> Step {
        let txn = txns.txn(id);
        let node = txns.nodes().get(usize::from(txn.node)).map_or("", |node| node.as_str());
        Step {
            name: format!("T{number}"),
            transaction: id,
            process: txn.process,
            node: node.to_owned(),
            start: txn.start,
            end: txn.end,
            operations: txns.mops_of(id).map(|mop| show(txns, mop)).collect(),
        }
    }
}

impl NodeReport {
    fn new(name: &str, analysis: &Analysis) -> NodeReport {
        let weakest = |standing: &Standing| matches!(standing, Standing::Refuted { is_weakest: true, .. });
        let standings = analysis.standings();
        let worst = |of: fn(&Stale) -> u64| analysis.stale.iter().map(of).max().unwrap_or(0);
        NodeReport {
            name: name.to_owned(),
            not: standings
                .iter()
                .filter(|(_, one)| weakest(one))
                .map(|(model, _)| model.name.to_owned())
                .collect(),
            anomalies: analysis.found.iter().map(|found| (found.anomaly.name(), found.count)).collect(),
            stale_reads: analysis.stale.len() as u64,
            stale_versions: worst(|stale| u64::from(stale.versions)) as u32,
            stale_for: Nanos(worst(|stale| stale.age.0)),
        }
    }
}

fn words(txns: &Txns, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Empty => "No transaction was acknowledged, or none of them did anything.".to_owned(),
        Trouble::Twice(one, other) => {
            let (one, other) = (show(txns, *one), txns.mop(*other).0);
            format!("`{one}` is there twice, also in transaction {other}: who read it, does not know whose it is.")
        }
        Trouble::Mixed(key) => format!("{} is used as a list and as a register.", txns.key_name(*key)),
        Trouble::OnlyOrder(Order::Data) => "The history tells of no order of transactions.".to_owned(),
        Trouble::OnlyOrder(_) => {
            "The history tells of each session's order, not of real time: strong models are not judged.".to_owned()
        }
        Trouble::Undecided(_) => {
            "The budget ended before every anti-dependency was known to be the only one of a cycle or not.".to_owned()
        }
        Trouble::Unheard => {
            "The budget ended before it was known of every read whether its transaction had heard of what it missed."
                .to_owned()
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
