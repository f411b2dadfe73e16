//! The history of a workload as a run left it, and what it shows.

use super::directory::RunDir;
use super::judge::{JudgeError, is_missing};
use crate::check::cycle::Order;
use crate::check::{self, Analyses, Claims, Evidence, Judgement};
use crate::config::WorkloadPlan;
use crate::history::file::{self, ReadError, Stored};
use crate::history::txn::Txn;
use crate::history::{
    BankOp, CounterOp, FaultOp, Header, History, LagSample, NodeName, Operation, OrdersOp, Phase, SetOp,
    TxnOp, TxnReply,
};
use crate::isolation::Isolation;
use crate::measure::Recorded;
use crate::report::transactions::{Said, Source, Transactions};
use crate::workload::transactions::Holds;

/// One workload's history.
pub(super) enum Kept {
    Orders(Stored<OrdersOp>),
    Counter(Stored<CounterOp>),
    Counters(Stored<CounterOp>),
    Append(Stored<TxnOp>),
    Register(Stored<TxnOp>),
    LongFork(Stored<TxnOp>),
    Bank(Stored<BankOp>),
    Set(Stored<SetOp>),
}

/// What every workload's evidence has in common.
pub(super) struct Stage<'a> {
    pub(super) faults: &'a History<FaultOp>,
    pub(super) lag: &'a [LagSample],
    pub(super) nodes: &'a [NodeName],
    /// Whether the servers are somebody else's.
    pub(super) foreign: bool,
    pub(super) cut: Option<&'a str>,
    /// The level of the clients that write several keys in one transaction.
    pub(super) isolation: Isolation,
}

/// What a history shows.
pub(super) struct Judged {
    pub(super) judgements: Vec<Judgement>,
    /// Of transactions on lists or registers: what they amount to.
    pub(super) transactions: Option<(String, Transactions)>,
}

impl Kept {
    /// Reads the history of `workload`. That of a run which was `cut` may be missing: it is empty then, and was cut.
    pub(super) fn read(dir: &RunDir, workload: &str, cut: bool) -> Result<Kept, JudgeError> {
        Ok(match workload {
            "orders" => Kept::Orders(read_history(dir, workload, cut)?),
            "counter" => Kept::Counter(read_history(dir, workload, cut)?),
            "counters" => Kept::Counters(read_history(dir, workload, cut)?),
            "append" => Kept::Append(read_history(dir, workload, cut)?),
            "register" => Kept::Register(read_history(dir, workload, cut)?),
            "longfork" => Kept::LongFork(read_history(dir, workload, cut)?),
            "bank" => Kept::Bank(read_history(dir, workload, cut)?),
            "set" => Kept::Set(read_history(dir, workload, cut)?),
            _ => return Err(JudgeError::Workload(workload.to_owned())),
        })
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Kept::Orders(stored) => &stored.history.header().workload,
            Kept::Counter(stored) | Kept::Counters(stored) => &stored.history.header().workload,
            Kept::Append(stored) | Kept::Register(stored) | Kept::LongFork(stored) => {
                &stored.history.header().workload
            }
            Kept::Bank(stored) => &stored.history.header().workload,
            Kept::Set(stored) => &stored.history.header().workload,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        match self {
            Kept::Orders(stored) => stored.complete,
            Kept::Counter(stored) | Kept::Counters(stored) => stored.complete,
            Kept::Append(stored) | Kept::Register(stored) | Kept::LongFork(stored) => stored.complete,
            Kept::Bank(stored) => stored.complete,
            Kept::Set(stored) => stored.complete,
        }
    }

    pub(super) fn recorded(&self) -> Recorded<'_> {
        match self {
            Kept::Orders(stored) => Recorded::Orders(&stored.history),
            Kept::Counter(stored) | Kept::Counters(stored) => Recorded::Counter(&stored.history),
            Kept::Append(stored) | Kept::Register(stored) | Kept::LongFork(stored) => {
                Recorded::Transactions(&stored.history)
            }
            Kept::Bank(stored) => Recorded::Bank(&stored.history),
            Kept::Set(stored) => Recorded::Set(&stored.history),
        }
    }

    pub(super) fn judge(&self, stage: &Stage<'_>, claims: &Claims) -> Judged {
        let plain = |judgements| Judged { judgements, transactions: None };
        match self {
            Kept::Orders(stored) => plain(check::orders(&stage.evidence(&stored.history), claims)),
            Kept::Counter(stored) => plain(check::counter(&stage.evidence(&stored.history), claims)),
            Kept::Counters(stored) => plain(check::counters(&stage.evidence(&stored.history), claims)),
            Kept::Append(stored) => {
                let found = check::append(&stage.evidence(&stored.history), claims, stage.isolation);
                of_transactions(stored, Holds::List, found)
            }
            Kept::Register(stored) => {
                let found = check::register(&stage.evidence(&stored.history), claims, stage.isolation);
                of_transactions(stored, Holds::Register, found)
            }
            // Whatever the other workloads' level is.
            Kept::LongFork(stored) => {
                let level = WorkloadPlan::LONG_FORK_ISOLATION;
                let found = check::append(&stage.evidence(&stored.history), claims, level);
                of_transactions(stored, Holds::List, found)
            }
            Kept::Bank(stored) => plain(check::bank(&stage.evidence(&stored.history), claims)),
            Kept::Set(stored) => plain(check::set(&stage.evidence(&stored.history), claims)),
        }
    }
}

fn of_transactions(stored: &Stored<TxnOp>, holds: Holds, found: check::Transactions) -> Judged {
    let workload = &stored.history.header().workload;
    let transactions = found.analyses.map(|Analyses { txns, model, whole, alone }| {
        let file = format!("history/{workload}.jsonl.zst");
        let is_cut = !stored.complete;
        let source = Source { file, format: "replab".to_owned(), order: Order::RealTime, is_cut };
        let mut found = Transactions::new(&txns, &source, model, &whole, &alone);
        found.annotate(|id| said(&stored.history, holds, txns.txn(id)));
        (workload.clone(), found)
    });
    Judged { judgements: found.judgements, transactions }
}

/// What was said to the server of a transaction, and by it.
fn said(history: &History<TxnOp>, holds: Holds, txn: &Txn) -> Said {
    let phase = |event: u32| history.events().get(event as usize).map(|event| &event.phase);
    let sql = match phase(txn.invoked) {
        Some(Phase::Invoke { op }) => op.micros().iter().map(|micro| holds.sql(micro)).collect(),
        _ => Vec::new(),
    };
    let (xid, lsn) = match phase(txn.completed) {
        Some(Phase::Ok { reply: TxnReply::Committed(committed), .. }) => (committed.xid, committed.lsn),
        _ => (None, None),
    };
    Said { sql, xid, lsn }
}

impl<'a> Stage<'a> {
    fn evidence<O: Operation>(&self, history: &'a History<O>) -> Evidence<'a, O> {
        let &Stage { faults, lag, nodes, foreign, cut, .. } = self;
        Evidence { history, faults, lag, nodes, foreign, cut }
    }
}

/// A run that ended before its load has no histories yet: they are empty, and were cut.
pub(super) fn read_history<O: Operation>(
    dir: &RunDir,
    workload: &str,
    cut: bool,
) -> Result<Stored<O>, ReadError> {
    let path = dir.history(workload);
    if cut && is_missing(&path) {
        let header = Header { workload: workload.to_owned(), concurrency: 1 };
        let history = History::new(header, Vec::new());
        let history =
            history.map_err(|source| ReadError::Malformed { path: path.display().to_string(), source })?;
        return Ok(Stored { history, complete: false });
    }
    file::read(&path)
}
