//! Transactions of a run's own history, event by event: what a run has in memory and what is read of its file become the
//! same ones.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Builder, Refused, Seen, Status, TxnId, Txns, Value, Values};
use crate::history::{
    Event, History, MalformedHistory, Micro, Nanos, NodeName, Observed, Phase, Process, TxnOp, TxnReply,
};

/// Why an event is none of a history of transactions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTransactions {
    /// It does not go on what came before.
    #[error(transparent)]
    Malformed(#[from] MalformedHistory),
    /// There are too many.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Faults are in a history of their own.
    #[error("event {index}: the nemesis runs no transactions")]
    Nemesis {
        /// The event.
        index: u64,
    },
    /// Each read has an answer.
    #[error(
        "event {index} has {answers} answers, but its transaction of event {invoked} reads {reads} times"
    )]
    Answers {
        /// The completion.
        index: u64,
        /// Its answers.
        answers: usize,
        /// Its invocation.
        invoked: u64,
        /// The reads that were asked for.
        reads: usize,
    },
    /// A transaction is answered with what it read, a digest with a digest.
    #[error("event {index} is not an answer to what event {invoked} asked for")]
    Answer {
        /// The completion.
        index: u64,
        /// Its invocation.
        invoked: u64,
    },
}

/// What a client asked for.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// A transaction.
    Transaction(&'a [Micro]),
    /// A table's digest, which is none.
    Digest,
}

/// What its reads saw, in their order.
#[derive(Debug, Default)]
pub struct Answers {
    reads: Vec<Answer>,
    elements: Vec<Value>,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    List(usize, usize),
    Register(Option<Value>),
}

/// What became of what was asked for.
#[derive(Clone, Copy, Debug)]
pub enum Became<'a> {
    /// The transaction is committed.
    Committed(&'a Answers),
    /// A digest was read.
    Digest,
    /// It certainly did not happen.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// Who did something, where and when.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The event's place among all of the history.
    pub index: u64,
    /// When.
    pub time: Nanos,
    /// Who.
    pub process: Process,
    /// Where.
    pub node: NodeName,
}

/// What a process does.
#[derive(Debug)]
enum Call {
    Idle,
    Open(Open),
    /// What it invoked there is of unknown outcome: it does nothing any more.
    Retired(u64),
}

#[derive(Debug)]
struct Open {
    invoked: u64,
    node: NodeName,
    /// `None`: a digest.
    txn: Option<(TxnId, Vec<Micro>)>,
}

/// Takes the events of a history in their order.
#[derive(Debug, Default)]
pub struct Recorded {
    builder: Builder,
    calls: FxHashMap<u32, Call>,
    nodes: BTreeMap<NodeName, u16>,
    events: u64,
    last: Nanos,
    /// Kept, so that nothing is allocated for each transaction.
    spare: Vec<Vec<Micro>>,
}

impl Answers {
    /// None.
    pub fn clear(&mut self) {
        self.reads.clear();
        self.elements.clear();
    }

    /// Another element of the list that is being read.
    #[inline]
    pub fn element(&mut self, element: Value) {
        self.elements.push(element);
    }

    /// How many elements there are of all lists.
    pub fn elements(&self) -> usize {
        self.elements.len()
    }

    /// The elements from the `start`th one on were one list.
    pub fn list(&mut self, start: usize) {
        self.reads.push(Answer::List(start, self.elements.len()));
    }

    /// A register was read.
    pub fn register(&mut self, value: Option<Value>) {
        self.reads.push(Answer::Register(value));
    }

    /// All of these.
    pub fn take(&mut self, reads: &[Observed], values: &mut Values) {
        self.clear();
        for read in reads {
            match read {
                Observed::List(list) => {
                    let start = self.elements();
                    list.iter().for_each(|&element| self.element(values.integer(element)));
                    self.list(start);
                }
                Observed::Register(value) => self.register(value.map(|value| values.integer(value))),
            }
        }
    }
}

impl Recorded {
    /// For the values of answers.
    pub fn values(&mut self) -> &mut Values {
        self.builder.values()
    }

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// A client asks for something.
    ///
    /// # Errors
    /// The event does not go on a history of transactions.
    pub fn invoke(&mut self, moment: Moment, asked: Asked<'_>) -> Result<(), NotTransactions> {
        let Moment { index, time, process, node } = moment;
        let (client, event) = self.next(moment)?;
        let call = self.calls.entry(client).or_insert(Call::Idle);
        match call {
            Call::Idle => {}
            Call::Open(open) => {
                return Err(MalformedHistory::Overlap { index, process, open: open.invoked }.into());
            }
            &mut Call::Retired(open) => return Err(MalformedHistory::Reuse { index, process, open }.into()),
        }
        let mut open = Open { invoked: index, node, txn: None };
        if let Asked::Transaction(micros) = asked {
            let number = match self.nodes.get(&node) {
                Some(&number) => number,
                None if self.nodes.len() > usize::from(u16::MAX) => {
                    return Err(Refused::TooMany(u64::from(u16::MAX) + 1, "nodes").into());
                }
                None => {
                    let number = self.builder.node(node);
                    self.nodes.insert(node, number);
                    number
                }
            };
            let txn = self.builder.invoke(client, number, event, time)?;
            let mut kept = self.spare.pop().unwrap_or_default();
            kept.clear();
            kept.extend_from_slice(micros);
            open.txn = Some((txn, kept));
        }
        *call = Call::Open(open);
        Ok(())
    }

    /// What it asked for is over.
    ///
    /// # Errors
    /// As [`Recorded::invoke`].
    pub fn complete(&mut self, moment: Moment, became: Became<'_>) -> Result<(), NotTransactions> {
        let Moment { index, time, process, node } = moment;
        let (client, event) = self.next(moment)?;
        let orphan = MalformedHistory::Orphan { index, process, node };
        let Some(call) = self.calls.get_mut(&client) else { return Err(orphan.into()) };
        let open = match std::mem::replace(call, Call::Idle) {
            Call::Open(open) if open.node == node => open,
            Call::Retired(open) => return Err(MalformedHistory::Reuse { index, process, open }.into()),
            Call::Open(_) | Call::Idle => return Err(orphan.into()),
        };
        let invoked = open.invoked;
        if matches!(became, Became::Unknown) {
            *call = Call::Retired(invoked);
        }
        let (status, answers) = match (became, &open.txn) {
            (Became::Committed(answers), Some((_, micros))) => {
                let reads = micros.iter().filter(|micro| micro.is_read()).count();
                if answers.reads.len() != reads {
                    let answers = answers.reads.len();
                    return Err(NotTransactions::Answers { index, answers, invoked, reads });
                }
                (Status::Ok, Some(answers))
            }
            (Became::Committed(_), None) | (Became::Digest, Some(_)) => {
                return Err(NotTransactions::Answer { index, invoked });
            }
            (Became::Failed, _) => (Status::Fail, None),
            (Became::Unknown, _) => (Status::Info, None),
            (Became::Digest, None) => return Ok(()),
        };
        if let Some((txn, micros)) = open.txn {
            self.builder.complete(txn, status, event, time);
            add(&mut self.builder, txn, &micros, answers)?;
            self.spare.push(micros);
        }
        Ok(())
    }

    /// No more events.
    ///
    /// # Errors
    /// There are more operations than can be numbered.
    pub fn finish(mut self) -> Result<Txns, NotTransactions> {
        let open = self.calls.into_values().filter_map(|call| match call {
            Call::Open(open) => open.txn,
            Call::Idle | Call::Retired(_) => None,
        });
        let mut open: Vec<(TxnId, Vec<Micro>)> = open.collect();
        open.sort_unstable_by_key(|(txn, _)| *txn);
        for (txn, micros) in &open {
            add(&mut self.builder, *txn, micros, None)?;
        }
        Ok(self.builder.finish())
    }

    /// Whether an event goes on the history, as [`History::new`] has it: its client, and its number.
    fn next(&mut self, moment: Moment) -> Result<(u32, u32), NotTransactions> {
        let Moment { index, time, process, .. } = moment;
        let expected = self.events;
        if index != expected {
            return Err(MalformedHistory::Index { expected, found: index }.into());
        }
        if time < self.last {
            return Err(MalformedHistory::Time { index, time, before: self.last }.into());
        }
        let Process::Client(client) = process else { return Err(NotTransactions::Nemesis { index }) };
        // The greatest number stands for an event that is not there.
        let Some(event) = u32::try_from(index).ok().filter(|&event| event < u32::MAX) else {
            return Err(Refused::TooMany(u64::from(u32::MAX), "events").into());
        };
        self.events += 1;
        self.last = time;
        Ok((client, event))
    }
}

fn add(
    builder: &mut Builder,
    txn: TxnId,
    micros: &[Micro],
    answers: Option<&Answers>,
) -> Result<(), Refused> {
    let mut reads = answers.map_or(&[][..], |answers| &answers.reads).iter();
    let mut value = |integer: i64| builder.values().integer(integer);
    // Nearly always an integer is its own value, and nothing has to be remembered of it.
    let mops: Vec<(Value, Seen<'_>)> = micros
        .iter()
        .map(|micro| match *micro {
            Micro::Append(key, element) => (value(key), Seen::Append(value(element))),
            Micro::Write(key, written) => (value(key), Seen::Write(value(written))),
            Micro::Read(key) => {
                let seen = match (reads.next(), answers) {
                    (Some(&Answer::List(start, end)), Some(answers)) => {
                        Seen::List(&answers.elements[start..end])
                    }
                    (Some(&Answer::Register(value)), _) => Seen::Read(value),
                    _ => Seen::Unread,
                };
                (value(key), seen)
            }
        })
        .collect();
    builder.mops(txn, mops)
}

/// The transactions of a whole history. A table's digest is none; what was read last is.
///
/// # Errors
/// An event is none of a history of transactions.
pub fn transactions(history: &History<TxnOp>) -> Result<Txns, NotTransactions> {
    let mut recorded = Recorded::default();
    let mut answers = Answers::default();
    for event in history.events() {
        take(&mut recorded, event, &mut answers)?;
    }
    recorded.finish()
}

/// Takes one event; `answers` is for its reads.
///
/// # Errors
/// As [`Recorded::invoke`].
pub fn take(
    recorded: &mut Recorded,
    event: &Event<TxnOp>,
    answers: &mut Answers,
) -> Result<(), NotTransactions> {
    let &Event { index, time, process, node, ref phase } = event;
    let moment = Moment { index, time, process, node };
    match phase {
        Phase::Invoke { op: TxnOp::Digest { .. } } => recorded.invoke(moment, Asked::Digest),
        Phase::Invoke { op } => recorded.invoke(moment, Asked::Transaction(op.micros())),
        Phase::Ok { reply: TxnReply::Committed(committed), .. } => {
            answers.take(&committed.reads, recorded.values());
            recorded.complete(moment, Became::Committed(answers))
        }
        Phase::Ok { reply: TxnReply::Digest(_), .. } => recorded.complete(moment, Became::Digest),
        Phase::Fail { .. } => recorded.complete(moment, Became::Failed),
        Phase::Info { .. } => recorded.complete(moment, Became::Unknown),
    }
}
