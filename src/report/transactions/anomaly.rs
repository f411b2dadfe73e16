//! An anomaly and its smallest counter-example: its transactions, and which of them came before which.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::cycle::{self, Arrow, Found, Why, Witness, show};
use crate::history::Nanos;
use crate::history::txn::{Key, List, Mop, MopId, Status, TxnId, Txns};
use crate::lsn::Lsn;
use crate::report::picture::shorten;
use crate::report::words::plain;

/// One kind of anomaly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AnomalyReport {
    /// As Elle calls it, where Elle knows it.
    pub name: String,
    /// In one sentence.
    pub meaning: String,
    /// How often: of cycles, how many dependencies close one.
    pub count: u64,
    /// Of cycles: in how many places, which share no cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<u64>,
    /// The transactions of the smallest one.
    pub transactions: Vec<Step>,
    /// Why it cannot be, a sentence each.
    pub because: Vec<String>,
    /// Which of them came before which; of a cycle, all of it.
    pub edges: Vec<Edge>,
    /// Whether no smaller one is there.
    pub is_smallest: bool,
}

/// A transaction of an anomaly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// How it ended.
    pub outcome: Outcome,
    /// What it did.
    pub operations: Vec<String>,
    /// The same as statements, where the history is a run's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sql: Vec<String>,
    /// The places of those operations that show the anomaly.
    pub decisive: Vec<u32>,
    /// The server's number of it, where it wrote and the history has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xid: Option<u64>,
    /// Where the server's log ended just before its last write, where the history has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub lsn: Option<Lsn>,
}

/// What only a run knows of a transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Its operations as statements, one for each.
    pub sql: Vec<String>,
    /// [`Step::xid`].
    pub xid: Option<u64>,
    /// [`Step::lsn`].
    pub lsn: Option<Lsn>,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its commit was acknowledged.
    Acknowledged,
    /// It certainly did not commit.
    Failed,
    /// It may have committed.
    Unknown,
}

/// One transaction of an anomaly came before another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Edge {
    /// The earlier one's place in `transactions`.
    pub from: u32,
    /// The later one's.
    pub to: u32,
    /// Why.
    pub kind: EdgeKind,
    /// Of what key.
    pub key: Option<String>,
    /// What was written first, or read; of a process its number, of real time how long before.
    pub value: Option<String>,
    /// What was written next.
    pub next: Option<String>,
    /// In a sentence.
    pub because: String,
}

/// Why a transaction came before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// It wrote what the other one wrote over.
    Ww,
    /// It wrote what the other one read.
    Wr,
    /// It read, and did not see what the other one wrote.
    Rw,
    /// The same process ran them in this order.
    Process,
    /// It was acknowledged before the other one began.
    Realtime,
    /// Of a kind that the data does not show again.
    Before,
}

impl AnomalyReport {
    pub(super) fn new(txns: &Txns, found: &Found) -> AnomalyReport {
        let ids = found.transactions(txns);
        let (arrows, mut decisive, is_smallest): (Vec<Arrow>, Vec<MopId>, bool) = match &found.witness {
            None => (Vec::new(), Vec::new(), false),
            Some(Witness::Cycle { steps, is_smallest }) => {
                let next = steps.iter().cycle().skip(1);
                let arrow =
                    |(&(from, why), &(to, _)): (&(TxnId, Why), &(TxnId, Why))| Arrow { from, why, to };
                (steps.iter().zip(next).map(arrow).collect(), Vec::new(), *is_smallest)
            }
            Some(Witness::Case(case)) => (cycle::arrows(txns, found.anomaly, case), case.mops.clone(), true),
        };
        decisive.extend(arrows.iter().filter_map(|arrow| arrow.why.mops()).flatten());
        AnomalyReport {
            name: found.anomaly.name(),
            meaning: found.anomaly.meaning().to_owned(),
            count: found.count,
            places: found.places,
            transactions: ids
                .iter()
                .zip(1..)
                .map(|(&txn, number)| Step::new(txns, txn, number, &decisive))
                .collect(),
            because: found.because(txns),
            edges: arrows.iter().filter_map(|arrow| Edge::new(txns, &ids, arrow)).collect(),
            is_smallest,
        }
    }
}

impl Step {
    fn new(txns: &Txns, id: TxnId, number: usize, decisive: &[MopId]) -> Step {
        let txn = txns.txn(id);
        let node = txns.nodes().get(usize::from(txn.node)).map_or("", |node| node.as_str());
        let places = (0..).zip(txns.mops_of(id)).filter(|(_, mop)| decisive.contains(mop));
        Step {
            name: format!("T{number}"),
            transaction: id,
            process: txn.process,
            node: node.to_owned(),
            start: txn.start,
            end: txn.end,
            outcome: match txn.status {
                Status::Ok => Outcome::Acknowledged,
                Status::Fail => Outcome::Failed,
                Status::Info => Outcome::Unknown,
            },
            operations: txns.mops_of(id).map(|mop| show(txns, mop)).collect(),
            decisive: places.map(|(place, _)| place).collect(),
            sql: Vec::new(),
            xid: None,
            lsn: None,
        }
    }
}

impl Edge {
    fn new(txns: &Txns, ids: &[TxnId], arrow: &Arrow) -> Option<Edge> {
        let place = |txn: TxnId| ids.iter().position(|&id| id == txn);
        let (from, to) = (place(arrow.from)?, place(arrow.to)?);
        let value = |mop: MopId| match txns.mop(mop) {
            (_, _, Mop::Append(value) | Mop::Write(value)) => Some(txns.show(value).into_owned()),
            (_, key, Mop::List(list)) => Some(newest(txns, key, list)),
            (_, _, Mop::Read(seen)) => {
                Some(seen.map_or("nothing".into(), |seen| txns.show(seen)).into_owned())
            }
            (_, _, Mop::Unread) => None,
        };
        let (kind, key, values) = match arrow.why {
            Why::Ww { key, earlier, later } => (EdgeKind::Ww, Some(key), [Some(earlier), Some(later)]),
            Why::Wr { key, write, .. } => (EdgeKind::Wr, Some(key), [Some(write), None]),
            Why::Rw { key, read, write } => (EdgeKind::Rw, Some(key), [Some(read), Some(write)]),
            Why::Session { .. } => (EdgeKind::Process, None, [None; 2]),
            Why::RealTime { .. } => (EdgeKind::Realtime, None, [None; 2]),
            Why::Unexplained => (EdgeKind::Before, None, [None; 2]),
        };
        let [first, next] = values.map(|mop| mop.and_then(value));
        let first = match arrow.why {
            Why::Session { process } => Some(process.to_string()),
            Why::RealTime { by } => Some(by.to_string()),
            _ => first,
        };
        let because = arrow.why.words(txns, &format!("T{}", from + 1), &format!("T{}", to + 1));
        Some(Edge {
            from: from as u32,
            to: to as u32,
            kind,
            key: key.map(|key| txns.key_name(key).into_owned()),
            value: first,
            next,
            because,
        })
    }

    /// In a few letters: `rw x 1→2`. Names and values are as they were written.
    pub(super) fn label(&self) -> String {
        let short = |text: &Option<String>, most| text.as_deref().map(|text| shorten(&plain(text), most));
        let mut label = match self.kind {
            EdgeKind::Ww => "ww",
            EdgeKind::Wr => "wr",
            EdgeKind::Rw => "rw",
            EdgeKind::Process => "process",
            EdgeKind::Realtime => "realtime",
            EdgeKind::Before => "before",
        }
        .to_owned();
        for (before, part) in
            [(" ", short(&self.key, 12)), (" ", short(&self.value, 7)), ("→", short(&self.next, 6))]
        {
            label.extend(part.map(|part| format!("{before}{part}")));
        }
        label
    }
}

/// The last element of a list, by which its version is known; `[]` of an empty one.
fn newest(txns: &Txns, key: Key, list: List) -> String {
    let last = txns.list(key, list).last();
    last.map_or("[]".to_owned(), |&last| txns.show(last).into_owned())
}
