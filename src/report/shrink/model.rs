//! The part and how to play it, as text and numbers.

use schemars::JsonSchema;
use serde::Serialize;

use crate::anomaly::replay::{Deed, Fidelity, Replay, Turn};
use crate::anomaly::{Case, Seen};
use crate::check::cycle::{Analysis, Anomaly, Smallest, Witness, show};
use crate::history::Nanos;
use crate::history::txn::{Status, TxnId, Txns};
use crate::isolation::Isolation;

/// Which history a part is of.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// Its format.
    pub format: String,
    /// Its transactions.
    pub transactions: u64,
    /// What they did.
    pub operations: u64,
    /// How often it shows the anomaly.
    pub count: u64,
}

/// The smallest part of a history that shows an anomaly.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Shrunk {
    /// The file.
    pub file: String,
    /// Its format.
    pub format: String,
    /// As Elle calls it, where Elle knows it.
    pub anomaly: String,
    /// In one sentence.
    pub meaning: String,
    /// How often the whole history shows it.
    pub count: u64,
    /// Transactions of the whole history.
    pub of_transactions: u64,
    /// Reads and writes of the whole history.
    pub of_operations: u64,
    /// Whether nothing can be left out: no transaction, and no read or write (with what saw it).
    pub is_minimal: bool,
    /// How many parts were judged.
    pub judged: u64,
    /// The transactions of the part, in the order of their invocation.
    pub transactions: Vec<Transaction>,
    /// Their reads and writes.
    pub operations: u64,
    /// Why it cannot be, a sentence each.
    pub because: Vec<String>,
    /// What else the part shows; the whole shows all of it, too.
    pub also_shows: Vec<String>,
    /// What a playing of the statements is worth.
    pub worth: Worth,
    /// The isolation level of the statements.
    pub level: Isolation,
    /// The levels at which an order was looked for in which a server gives what was read.
    pub tried_levels: Vec<Isolation>,
    /// Who sends them.
    pub sessions: Vec<Player>,
    /// Keys and values that are no numbers in the history.
    pub numbers: Vec<Number>,
    /// Statements that make the tables.
    pub setup: Vec<String>,
    /// The statements, in the order in which they are sent.
    pub script: Vec<Line>,
    /// The same as a case to be played.
    #[serde(skip)]
    pub case: Case,
}

/// A transaction of the part.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Transaction {
    /// `T1`, in the sentences.
    pub name: String,
    /// Its number in the whole history, in the order of invocation.
    pub transaction: u32,
    /// Who ran it.
    pub process: u32,
    /// Where.
    pub node: String,
    /// How it ended: `acknowledged`, `failed`, `unknown`.
    pub ended: String,
    /// When it was invoked, in nanoseconds.
    pub start: Nanos,
    /// When it completed.
    pub end: Nanos,
    /// What of it is needed.
    pub operations: Vec<String>,
}

/// What a playing of the statements is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Worth {
    /// One PostgreSQL server gives what was read, as far as its rules of visibility were played in memory.
    OneServer,
    /// It rests on when each of several nodes showed what.
    SeveralNodes,
    /// No order was found in which a PostgreSQL server would give what was read.
    NoServer,
    /// Nothing was played in memory.
    Unplayed,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Player {
    /// `s1`, in the script.
    pub name: String,
    /// The process of the history.
    pub process: u32,
    /// Where it ran.
    pub node: String,
}

/// A key or a value as a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Number {
    /// `key` or `value`.
    pub what: String,
    /// What it is called in the history.
    pub text: String,
    /// The number that stands for it.
    pub number: i64,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    /// The session that sends it.
    pub session: String,
    /// The transaction that it belongs to.
    pub transaction: String,
    /// What is sent.
    pub sql: String,
    /// The rows that the history saw, a value each; `null` where it saw none or nobody knows.
    pub saw: Option<Vec<String>>,
}

impl Shrunk {
    /// `smallest` of `origin` shows `anomaly`, and `replay` plays it.
    pub fn new(origin: &Origin, anomaly: Anomaly, smallest: &Smallest, replay: Replay) -> Shrunk {
        let txns = &smallest.txns;
        let others = smallest.analysis.found.iter().map(|found| found.anomaly);
        let Replay { case, turns, level, tried, fidelity, clients, numbered } = replay;
        let player = |client: crate::anomaly::replay::Client| Player {
            name: client.name,
            process: client.process,
            node: client.node.as_str().to_owned(),
        };
        let number = |one: crate::anomaly::replay::Numbered| Number {
            what: if one.is_key { "key" } else { "value" }.to_owned(),
            text: one.text,
            number: one.number,
        };
        Shrunk {
            file: origin.file.clone(),
            format: origin.format.clone(),
            anomaly: anomaly.name(),
            meaning: anomaly.meaning().to_owned(),
            count: origin.count,
            of_transactions: origin.transactions,
            of_operations: origin.operations,
            is_minimal: smallest.is_minimal,
            judged: smallest.judged,
            transactions: (0..)
                .zip(&smallest.whose)
                .map(|(id, &whose)| transaction(txns, id, whose))
                .collect(),
            operations: txns.mops() as u64,
            because: because(txns, &smallest.analysis, anomaly),
            also_shows: others.filter(|&other| other != anomaly).map(Anomaly::name).collect(),
            worth: Worth::of(fidelity),
            level,
            tried_levels: tried,
            sessions: clients.into_iter().map(player).collect(),
            numbers: numbered.into_iter().map(number).collect(),
            setup: case.setup.clone(),
            script: script(&case, &turns, level),
            case,
        }
    }
}

impl Worth {
    fn of(fidelity: Fidelity) -> Worth {
        match fidelity {
            Fidelity::OneServer => Worth::OneServer,
            Fidelity::SeveralNodes => Worth::SeveralNodes,
            Fidelity::NoServer => Worth::NoServer,
            Fidelity::Unplayed => Worth::Unplayed,
        }
    }

    /// In a sentence.
    pub(super) fn words(self, level: Isolation, tried: &[Isolation]) -> String {
        match self {
            Worth::OneServer => format!("In this order, one PostgreSQL server at {level} gives what was read."),
            Worth::SeveralNodes => {
                "The sessions are on several nodes: whether what was read is seen again rests on when each node shows \
                 which commit, and no order of statements decides that."
                    .to_owned()
            }
            Worth::NoServer => {
                let tried: Vec<&str> = tried.iter().map(|level| level.sql()).collect();
                let tried = tried.join(" or ");
                format!(
                    "No order was found in which a PostgreSQL server at {tried} gives what was read: where its answers \
                     differ is the fault."
                )
            }
            Worth::Unplayed => {
                format!("The order is as the history has it; at {level}, a server may refuse a step.")
            }
        }
    }
}

fn name(id: TxnId) -> String {
    format!("T{}", id + 1)
}

fn transaction(txns: &Txns, id: TxnId, whose: TxnId) -> Transaction {
    let txn = txns.txn(id);
    let ended = match txn.status {
        Status::Ok => "acknowledged",
        Status::Fail => "failed",
        Status::Info => "unknown",
    };
    Transaction {
        name: name(id),
        transaction: whose,
        process: txn.process,
        node: txns.nodes()[usize::from(txn.node)].as_str().to_owned(),
        ended: ended.to_owned(),
        start: txn.start,
        end: txn.end,
        operations: txns.mops_of(id).map(|mop| show(txns, mop)).collect(),
    }
}

fn because(txns: &Txns, analysis: &Analysis, anomaly: Anomaly) -> Vec<String> {
    let found = analysis.found.iter().find(|found| found.anomaly == anomaly);
    match found.and_then(|found| found.witness.as_ref()) {
        None => Vec::new(),
        Some(Witness::Cycle { steps, .. }) => {
            let next = steps.iter().cycle().skip(1);
            let sentence = |((one, why), (other, _)): (&(TxnId, _), &(TxnId, _))| {
                let (one, other) = (name(*one), name(*other));
                let why: &crate::check::cycle::Why = why;
                format!("{one} < {other}, because {}", why.words(txns, &one, &other))
            };
            steps.iter().zip(next).map(sentence).collect()
        }
        Some(Witness::Case(case)) => {
            case.mops.iter().map(|&mop| format!("{}: {}", name(txns.mop(mop).0), show(txns, mop))).collect()
        }
    }
}

fn script(case: &Case, turns: &[Turn], level: Isolation) -> Vec<Line> {
    let line = |(step, turn): (&crate::anomaly::Step, &Turn)| {
        let sight = case.happens.iter().find(|sight| sight.step == step.label);
        let saw = match sight.map(|sight| &sight.seen) {
            Some(Seen::Rows(rows)) => Some(rows.iter().flatten().cloned().collect()),
            _ => None,
        };
        let sql = match turn.what {
            Deed::Begin => level.begin().to_owned(),
            Deed::Mop(_) | Deed::End => step.action.text().to_owned(),
        };
        Line { session: step.session.clone(), transaction: name(turn.txn), sql, saw }
    };
    case.steps.iter().zip(turns).map(line).collect()
}
