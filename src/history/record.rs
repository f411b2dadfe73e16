//! An accepted history: well-formed, immutable, with each operation's events paired.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Cause, Event, Nanos, NodeName, Operation, Phase, Process};

/// What a history's file says of itself in its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Whose operations these are: `orders`, `counter`, `nemesis`.
    pub workload: String,
    /// Client threads of the run. Thread t uses the process ids t, t + concurrency, t + 2 × concurrency, …
    pub concurrency: u32,
}

impl Header {
    /// The client thread that process id `process` belongs to.
    pub fn thread(&self, process: u32) -> u32 {
        process % self.concurrency.max(1)
    }
}

/// Why a sequence of events is not a history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedHistory {
    /// Events are numbered 0, 1, 2, …
    #[error("event {expected} is numbered {found}")]
    Index {
        /// The place in the sequence.
        expected: u64,
        /// The number found there.
        found: u64,
    },
    /// Time never goes back.
    #[error("event {index} is earlier ({time}) than the event before it ({before})")]
    Time {
        /// Which event.
        index: u64,
        /// Its time.
        time: Nanos,
        /// The time of the event before.
        before: Nanos,
    },
    /// A process has one operation at a time.
    #[error(
        "event {index}: {process:?} invokes an operation while its operation of event {open} is still open"
    )]
    Overlap {
        /// The second invocation.
        index: u64,
        /// Who.
        process: Process,
        /// The first invocation.
        open: u64,
    },
    /// Every completion completes something.
    #[error("event {index}: {process:?} completes an operation on {node} that it has not invoked there")]
    Orphan {
        /// The completion.
        index: u64,
        /// Who.
        process: Process,
        /// Where.
        node: NodeName,
    },
    /// After an `Info` a process id is retired.
    #[error(
        "event {index}: {process:?} is used again, though the outcome of its operation of event {open} is unknown"
    )]
    Reuse {
        /// The event.
        index: u64,
        /// Who.
        process: Process,
        /// The invocation whose outcome is unknown.
        open: u64,
    },
}

impl MalformedHistory {
    /// The event that does not go on a history: its place, from 0.
    pub fn event(&self) -> u64 {
        match *self {
            MalformedHistory::Index { expected, .. } => expected,
            MalformedHistory::Time { index, .. }
            | MalformedHistory::Overlap { index, .. }
            | MalformedHistory::Orphan { index, .. }
            | MalformedHistory::Reuse { index, .. } => index,
        }
    }
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<'a, R> {
    /// It happened.
    Ok {
        /// The answer.
        reply: &'a R,
        /// A warning that came with it.
        warning: Option<&'a str>,
    },
    /// It certainly did not happen.
    Fail(&'a Cause),
    /// It may or may not have happened. `None`: the history ends before its completion.
    Info(Option<&'a Cause>),
}

/// One operation: its invocation with its completion.
#[derive(Clone, Debug, PartialEq)]
pub struct Call<'a, O: Operation> {
    /// Index of the invocation.
    pub invoked: u64,
    /// When it was invoked.
    pub start: Nanos,
    /// Index of the completion, if there is one.
    pub completed: Option<u64>,
    /// When it completed; for an operation without completion, the time of the last event.
    pub end: Nanos,
    /// Who.
    pub process: Process,
    /// Where.
    pub node: NodeName,
    /// What.
    pub op: &'a O,
    /// How it went.
    pub outcome: Outcome<'a, O::Reply>,
}

/// Events that were found well-formed.
#[derive(Clone, Debug, PartialEq)]
pub struct History<O: Operation> {
    header: Header,
    events: Vec<Event<O>>,
    /// For every event: the index of the other half of its operation. An invocation without completion, itself.
    partner: Vec<u32>,
}

impl<O: Operation> History<O> {
    /// Accepts `events`, or says why they are not a history.
    pub fn new(header: Header, events: Vec<Event<O>>) -> Result<History<O>, MalformedHistory> {
        let mut partner: Vec<u32> = Vec::with_capacity(events.len());
        let mut open: BTreeMap<(Process, Option<NodeName>), u64> = BTreeMap::new();
        let mut retired: BTreeMap<Process, u64> = BTreeMap::new();
        let mut before = Nanos(0);
        for (expected, event) in (0u64..).zip(&events) {
            let Event { index, time, process, node, .. } = *event;
            if index != expected {
                return Err(MalformedHistory::Index { expected, found: index });
            }
            if time < before {
                return Err(MalformedHistory::Time { index, time, before });
            }
            before = time;
            if let Some(&open) = retired.get(&process) {
                return Err(MalformedHistory::Reuse { index, process, open });
            }
            // The nemesis waits for one node to answer while it acts on another: one operation a node.
            let slot = (process, (process == Process::Nemesis).then_some(node));
            partner.push(index as u32);
            if let Phase::Invoke { .. } = event.phase {
                if let Some(open) = open.insert(slot, index) {
                    return Err(MalformedHistory::Overlap { index, process, open });
                }
                continue;
            }
            let invoked = open
                .remove(&slot)
                .filter(|&invoked| events[invoked as usize].node == node)
                .ok_or(MalformedHistory::Orphan { index, process, node })?;
            partner[invoked as usize] = index as u32;
            partner[index as usize] = invoked as u32;
            if matches!(event.phase, Phase::Info { .. }) && process != Process::Nemesis {
                retired.insert(process, invoked);
            }
        }
        Ok(History { header, events, partner })
    }

    /// What the history says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// All events, in order.
    pub fn events(&self) -> &[Event<O>] {
        &self.events
    }

    /// The time of the last event; zero for an empty history.
    pub fn end(&self) -> Nanos {
        self.events.last().map_or(Nanos(0), |event| event.time)
    }

    /// Every operation, in the order of invocation.
    pub fn calls(&self) -> impl Iterator<Item = Call<'_, O>> {
        self.events.iter().filter_map(|event| self.call(event))
    }

    /// Every operation that completed with `Ok`, in the order of completion.
    pub fn completed_ok(&self) -> impl Iterator<Item = Call<'_, O>> {
        self.events
            .iter()
            .filter(|event| matches!(event.phase, Phase::Ok { .. }))
            .filter_map(|event| self.call(&self.events[self.partner[event.index as usize] as usize]))
    }

    fn call<'a>(&'a self, event: &'a Event<O>) -> Option<Call<'a, O>> {
        let Phase::Invoke { op } = &event.phase else { return None };
        let completion = &self.events[self.partner[event.index as usize] as usize];
        let outcome = match &completion.phase {
            Phase::Invoke { .. } => Outcome::Info(None),
            Phase::Ok { reply, warning } => Outcome::Ok { reply, warning: warning.as_deref() },
            Phase::Fail { cause } => Outcome::Fail(cause),
            Phase::Info { cause } => Outcome::Info(Some(cause)),
        };
        let completed = (completion.index != event.index).then_some(completion.index);
        Some(Call {
            invoked: event.index,
            start: event.time,
            completed,
            end: if completed.is_some() { completion.time } else { self.end() },
            process: event.process,
            node: event.node,
            op,
            outcome,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{CauseClass, CounterOp, CounterReply};

    fn event(index: u64, process: u32, phase: Phase<CounterOp, CounterReply>) -> Event<CounterOp> {
        Event {
            index,
            time: Nanos(index),
            process: Process::Client(process),
            node: NodeName::primary(),
            phase,
        }
    }

    fn invoke() -> Phase<CounterOp, CounterReply> {
        Phase::Invoke { op: CounterOp::Increment { key: 1 } }
    }

    fn ok() -> Phase<CounterOp, CounterReply> {
        Phase::Ok { reply: CounterReply::Incremented { value: 1 }, warning: None }
    }

    fn info() -> Phase<CounterOp, CounterReply> {
        Phase::Info {
            cause: Box::new(Cause { class: CauseClass::Deadline, sqlstate: None, message: String::new() }),
        }
    }

    fn build(
        phases: Vec<(u32, Phase<CounterOp, CounterReply>)>,
    ) -> Result<History<CounterOp>, MalformedHistory> {
        let header = Header { workload: "counter".to_owned(), concurrency: 2 };
        let events =
            (0..).zip(phases).map(|(index, (process, phase))| event(index, process, phase)).collect();
        History::new(header, events)
    }

    #[test]
    fn pairs_invocations_with_completions() {
        let history = build(vec![(0, invoke()), (1, invoke()), (0, ok()), (0, invoke())]).unwrap();
        let pairs: Vec<_> = history.calls().map(|call| (call.invoked, call.completed)).collect();
        assert_eq!(pairs, [(0, Some(2)), (1, None), (3, None)]);
        assert_eq!(history.completed_ok().map(|call| call.invoked).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn refuses_what_is_not_a_history() {
        let process = Process::Client(0);
        assert_eq!(
            build(vec![(0, invoke()), (0, invoke())]).unwrap_err(),
            MalformedHistory::Overlap { index: 1, process, open: 0 }
        );
        assert_eq!(
            build(vec![(0, ok())]).unwrap_err(),
            MalformedHistory::Orphan { index: 0, process, node: NodeName::primary() }
        );
        assert_eq!(
            build(vec![(0, invoke()), (0, info()), (0, invoke())]).unwrap_err(),
            MalformedHistory::Reuse { index: 2, process, open: 0 }
        );
        let header = Header { workload: "counter".to_owned(), concurrency: 1 };
        assert_eq!(
            History::new(header.clone(), vec![event(1, 0, invoke())]).unwrap_err(),
            MalformedHistory::Index { expected: 0, found: 1 }
        );
        let mut late = event(0, 0, invoke());
        late.time = Nanos(9);
        assert!(matches!(
            History::new(header, vec![late, event(1, 1, invoke())]),
            Err(MalformedHistory::Time { index: 1, .. })
        ));
    }
}
