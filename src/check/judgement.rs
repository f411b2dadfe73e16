//! What a checker is given and what it answers.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::{FaultOp, History, LagSample, Nanos, NodeName, Operation, Tenures};

/// The most findings that one judgement carries; [`Judgement::violations`] counts them all.
pub const MAX_FINDINGS: usize = 25;

/// Three values; the worst one wins, and `Fail` is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No counter-example in what was observed.
    Pass,
    /// Nothing can be said, and the judgement says why.
    Unknown,
    /// There is a counter-example, and the findings show it.
    Fail,
}

/// What can be promised, and is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Guarantee {
    /// An acknowledged commit is still there at the end.
    Durability,
    /// Nothing is applied twice, and nothing that nobody asked for.
    ExactlyOnce,
    /// A transaction shows whole or not at all: stock taken equals quantities ordered, one detail an order.
    Atomicity,
    /// A reader sees what its own writer was told is committed.
    ReadYourWrites,
    /// A reader never goes back to an older value.
    MonotonicReads,
    /// Once the load has ended, every node holds the same rows.
    Convergence,
    /// Each node by itself gives the consistency that the isolation level promises.
    Isolation,
    /// Of any two snapshots, on whatever nodes, one contains the other (no long fork).
    SnapshotOrder,
}

impl Guarantee {
    /// All of them, in the order of reports.
    pub const ALL: [Guarantee; 8] = [
        Guarantee::Durability,
        Guarantee::ExactlyOnce,
        Guarantee::Atomicity,
        Guarantee::ReadYourWrites,
        Guarantee::MonotonicReads,
        Guarantee::Convergence,
        Guarantee::Isolation,
        Guarantee::SnapshotOrder,
    ];

    /// The name that `--require` takes.
    pub fn name(self) -> &'static str {
        match self {
            Guarantee::Durability => "durability",
            Guarantee::ExactlyOnce => "exactly-once",
            Guarantee::Atomicity => "atomicity",
            Guarantee::ReadYourWrites => "read-your-writes",
            Guarantee::MonotonicReads => "monotonic-reads",
            Guarantee::Convergence => "convergence",
            Guarantee::Isolation => "isolation",
            Guarantee::SnapshotOrder => "snapshot-order",
        }
    }

    /// One sentence for someone who has never heard of it.
    pub fn meaning(self) -> &'static str {
        match self {
            Guarantee::Durability => {
                "A commit that was acknowledged to a client is still there at the end of the run."
            }
            Guarantee::ExactlyOnce => {
                "Nothing is applied twice, and nothing is there that no client asked for."
            }
            Guarantee::Atomicity => {
                "Every snapshot shows each order whole or not at all: the stock taken equals the quantities ordered, and each order has one detail."
            }
            Guarantee::ReadYourWrites => "A reader sees at least what its own writer was told is committed.",
            Guarantee::MonotonicReads => "A reader never sees an older value than one it has already seen.",
            Guarantee::Convergence => {
                "After the load has ended, every table holds the same rows on every node, at the same position of the log."
            }
            Guarantee::Isolation => {
                "What is read on one node, by itself, keeps to the consistency model that the transactions' isolation level promises."
            }
            Guarantee::SnapshotOrder => {
                "Of any two snapshots, on whatever nodes, one contains the other. A pair that contradicts each other is a long fork."
            }
        }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Guarantee {
    type Err = String;

    fn from_str(text: &str) -> Result<Guarantee, String> {
        Guarantee::ALL.into_iter().find(|guarantee| guarantee.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Guarantee::ALL.iter().map(|guarantee| guarantee.name()).collect();
            format!("`{text}` is not a guarantee; known are {}", names.join(", "))
        })
    }
}

/// Which guarantees a run claims, and on which nodes: a violated claim makes the run invalid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claims {
    /// Claimed for every node and for the cluster as a whole.
    pub everywhere: BTreeSet<Guarantee>,
    /// Claimed for reads of the primary only.
    pub on_primary: BTreeSet<Guarantee>,
    /// Name of the primary at the start.
    #[schemars(with = "String")]
    pub primary: Option<NodeName>,
}

impl Claims {
    /// Whether `guarantee` is claimed for `node`, or for the cluster as a whole (`None`).
    pub fn claims(&self, guarantee: Guarantee, node: Option<NodeName>) -> bool {
        self.claims_of(guarantee, node.is_some() && node == self.primary)
    }

    /// Whether `guarantee` is claimed for reads of the primary, or of any other node.
    pub fn claims_of(&self, guarantee: Guarantee, on_primary: bool) -> bool {
        self.everywhere.contains(&guarantee) || (on_primary && self.on_primary.contains(&guarantee))
    }
}

/// What a checker looks at.
#[derive(Debug)]
pub struct Evidence<'a, O: Operation> {
    /// One workload's history.
    pub history: &'a History<O>,
    /// What the nemesis did.
    pub faults: &'a History<FaultOp>,
    /// The lag samples.
    pub lag: &'a [LagSample],
    /// Every node of the cluster, the primary first.
    pub nodes: &'a [NodeName],
    /// Whether the servers are somebody else's, who restarts and replaces them at the lab's request: nobody knows that they
    /// have had the chance to write before.
    pub foreign: bool,
    /// Why the run did not come to its end, when it did not (killed, interrupted, cluster lost). Final reads are then
    /// missing, and what rests on them is unknown.
    pub cut: Option<&'a str>,
}

impl<O: Operation> Evidence<'_, O> {
    /// Who was the primary when.
    pub fn primaries(&self) -> Tenures {
        Tenures::of(self.faults, self.nodes.first().copied().unwrap_or_else(NodeName::primary))
    }
}

/// One event in one workload's history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct EventRef {
    /// `orders`, `counter`, `append`, …, `nemesis`.
    pub workload: String,
    /// [`Event::index`](crate::history::Event::index).
    pub index: u64,
}

/// One counter-example, or one reason why nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// In words, with the numbers.
    pub message: String,
    /// The events it rests on.
    pub events: Vec<EventRef>,
}

/// A figure that goes with a judgement: `("acknowledged and absent", 3)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// What is counted.
    pub name: String,
    /// How many.
    pub value: u64,
}

/// The acknowledged commits that were lost: how many, and the time that their acknowledgements span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lost {
    /// How many.
    pub commits: u64,
    /// Of these, acknowledged with a warning that nobody else may have them, and lost in a failover.
    pub forewarned: u64,
    /// Whether there may be more: not everything was looked for, or an unknown outcome may hide one.
    pub at_least: bool,
    /// When the first of them was acknowledged, since the load's start.
    pub first: Nanos,
    /// When the last of them was.
    pub last: Nanos,
}

/// A checker's answer for one guarantee.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// The checker's name: `durability`, `conservation`, `counter`, `session`, `convergence`, `long-fork`.
    pub check: String,
    /// Whose history it looked at.
    pub workload: String,
    /// What was judged.
    pub guarantee: Guarantee,
    /// The node, where the judgement is about one node's readers.
    #[schemars(with = "Option<String>")]
    pub node: Option<NodeName>,
    /// Whether the run claimed it. An unclaimed violation is shown, counted and explained, and does not fail the run.
    pub claimed: bool,
    /// The answer.
    pub verdict: Verdict,
    /// One line: what was looked at and what was found, never "passed".
    pub summary: String,
    /// The figures behind the summary.
    pub counts: Vec<Count>,
    /// Of durability, what was lost, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// How many counter-examples there are.
    pub violations: u64,
    /// The first [`MAX_FINDINGS`] of them; for `Unknown`, the reasons.
    pub findings: Vec<Finding>,
}

/// A pure judgement over one workload's history.
pub trait Checker<O: Operation>: Sync {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// The guarantees it answers for; a checker that panics leaves each of them `Unknown`.
    fn guarantees(&self) -> &'static [Guarantee];

    /// The answers: at least one for each of its guarantees.
    fn check(&self, evidence: &Evidence<'_, O>, claims: &Claims) -> Vec<Judgement>;
}

/// The verdict of a run: the worst of what was claimed. With no claimed judgement at all, nothing is known.
pub fn overall(judgements: &[Judgement]) -> Verdict {
    judgements
        .iter()
        .filter(|judgement| judgement.claimed)
        .map(|judgement| judgement.verdict)
        .max()
        .unwrap_or(Verdict::Unknown)
}
