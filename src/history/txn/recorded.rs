//! Transactions of a history that was recorded here, in columns.

use super::{Builder, Refused, Seen, Status, Txns, Value};
use crate::history::{History, Micro, NodeName, Observed, Outcome, Process, TxnOp, TxnReply};

impl Txns {
    /// The transactions of `history`, those read after the load among them. Places of events are those of `history`; the
    /// nodes are `nodes`, in that order, and whichever else it names.
    pub fn recorded(history: &History<TxnOp>, nodes: &[NodeName]) -> Result<Txns, Refused> {
        let mut builder = Builder::default();
        for &node in nodes {
            builder.node(node);
        }
        for call in history.calls() {
            let (Process::Client(process), micros) = (call.process, call.op.micros()) else { continue };
            if micros.is_empty() {
                continue;
            }
            let node = builder.node(call.node);
            let event = |index: u64| u32::try_from(index).map_err(|_| Refused::TooMany(1 << 32, "events"));
            let id = builder.invoke(process, node, event(call.invoked)?, call.start)?;
            let (status, reads) = match &call.outcome {
                Outcome::Ok { reply: TxnReply::Committed(committed), .. } => {
                    (Status::Ok, committed.reads.as_slice())
                }
                Outcome::Ok { reply: TxnReply::Digest(_), .. } | Outcome::Info(_) => (Status::Info, &[][..]),
                Outcome::Fail(_) => (Status::Fail, &[][..]),
            };
            if let Some(completed) = call.completed {
                builder.complete(id, status, event(completed)?, call.end);
            }
            fill(&mut builder, id, micros, reads)?;
        }
        Ok(builder.finish())
    }
}

/// Reads take their answers in turn; one that has none is unread.
fn fill(builder: &mut Builder, id: u32, micros: &[Micro], reads: &[Observed]) -> Result<(), Refused> {
    let lists: Vec<Vec<Value>> = reads
        .iter()
        .map(|read| match read {
            Observed::List(elements) => elements.iter().map(|&n| builder.values().integer(n)).collect(),
            Observed::Register(_) => Vec::new(),
        })
        .collect();
    let mut answers = reads.iter().zip(&lists);
    let mops: Vec<(Value, Seen<'_>)> = micros
        .iter()
        .map(|micro| {
            let mut value = |number: i64| builder.values().integer(number);
            match *micro {
                Micro::Append(key, element) => (value(key), Seen::Append(value(element))),
                Micro::Write(key, content) => (value(key), Seen::Write(value(content))),
                Micro::Read(key) => {
                    let seen = match answers.next() {
                        Some((Observed::List(_), list)) => Seen::List(list),
                        Some((Observed::Register(content), _)) => Seen::Read(content.map(&mut value)),
                        None => Seen::Unread,
                    };
                    (value(key), seen)
                }
            }
        })
        .collect();
    builder.mops(id, mops)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::txn::{List, Mop};
    use crate::history::{Committed, Event, Header, Nanos, Phase};

    #[test]
    fn what_was_recorded_is_there() {
        let header = Header { workload: "append".to_owned(), concurrency: 3 };
        let event = |index, process, phase| Event {
            index,
            time: Nanos(index * 10),
            process: Process::Client(process),
            node: NodeName::primary(),
            phase,
        };
        let txn = |micros| Phase::Invoke { op: TxnOp::Transaction(micros) };
        let reads = vec![Observed::List(vec![7])];
        let reply = TxnReply::Committed(Committed { reads, ..Committed::default() });
        let events = vec![
            event(0, 0, txn(vec![Micro::Append(1, 7)])),
            event(1, 1, txn(vec![Micro::Read(1), Micro::Append(1, 8)])),
            event(2, 1, Phase::Ok { reply, warning: None }),
        ];
        let history = History::new(header, events).unwrap();
        let txns = Txns::recorded(&history, &[NodeName::primary(), NodeName::replica(1)]).unwrap();
        assert_eq!(txns.nodes().len(), 2, "a node without transactions is a node");
        let all: Vec<(Status, u32, u32)> =
            txns.all().iter().map(|txn| (txn.status, txn.invoked, txn.completed)).collect();
        assert_eq!(all, [(Status::Info, 0, u32::MAX), (Status::Ok, 1, 2)]);
        let did: Vec<Mop> = (0..3).map(|mop| txns.mop(mop).2).collect();
        assert_eq!(did, [Mop::Append(Value(7)), Mop::List(List::Prefix(1)), Mop::Append(Value(8))]);
    }
}
