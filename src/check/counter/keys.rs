//! What clients were told about their increments, key by key.

use std::collections::BTreeMap;

use super::tally::Tally;
use crate::check::draft::Draft;
use crate::check::text::{at, count};
use crate::check::walk::{Step, last_write, walk};
use crate::history::{CounterOp, CounterReply, History, Nanos, NodeName, Outcome};

/// One acknowledged increment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ack {
    pub(super) value: i64,
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    /// Index of the completion.
    pub(super) event: u64,
    /// The largest value of the key that had been acknowledged when this one began.
    pub(super) known: i64,
}

/// One key.
#[derive(Debug, Default)]
pub(super) struct Key {
    /// In the order of acknowledgement.
    pub(super) acks: Vec<Ack>,
    pub(super) unknown: u64,
    /// Increments begun so far that did not certainly fail.
    begun: i64,
    /// The largest acknowledged value so far.
    known: i64,
    /// For every open increment: the process, and `known` when it began.
    open: BTreeMap<u64, i64>,
    /// The final value.
    pub(super) end: Option<i64>,
}

/// A value that came too early: more than had been asked for.
pub(super) struct Early {
    key: i32,
    value: i64,
    begun: i64,
    time: Nanos,
    pub(super) event: u64,
}

impl Early {
    pub(super) fn explain(&self) -> String {
        format!(
            "key {} was {} at {}, when only {} had begun that did not certainly fail",
            self.key,
            count(self.value.max(0) as u64),
            at(self.time),
            crate::check::text::plural(self.begun.max(0) as u64, "increment")
        )
    }
}

/// All keys.
pub(super) struct Keys {
    pub(super) keys: BTreeMap<i32, Key>,
    pub(super) early: Vec<Early>,
    pub(super) warned: u64,
    /// The final read's completion.
    pub(super) read_event: Option<u64>,
    /// Why there is no final read, or what is wrong with it.
    doubt: Option<String>,
}

impl Keys {
    pub(super) fn read(history: &History<CounterOp>, primary: Option<NodeName>) -> Keys {
        let mut keys: BTreeMap<i32, Key> = BTreeMap::new();
        let (mut early, mut warned) = (Vec::new(), 0);
        for step in walk(history) {
            match step {
                Step::Invoked(call) => {
                    let CounterOp::Increment { key } = *call.op else { continue };
                    let of = keys.entry(key).or_default();
                    of.begun += i64::from(!matches!(call.outcome, Outcome::Fail(_)));
                    match call.outcome {
                        Outcome::Ok { reply: CounterReply::Incremented { .. }, .. } => {
                            of.open.insert(call.invoked, of.known);
                        }
                        // An answer of the wrong kind: something was done, and nobody knows which value it made.
                        Outcome::Ok { .. } | Outcome::Info(_) => of.unknown += 1,
                        Outcome::Fail(_) => {}
                    }
                }
                Step::Acknowledged(call) => {
                    let (
                        CounterOp::Increment { key },
                        Outcome::Ok { reply: CounterReply::Incremented { value }, warning },
                    ) = (call.op, call.outcome)
                    else {
                        continue;
                    };
                    let (value, event) = (*value, call.completed.unwrap_or(call.invoked));
                    let of = keys.entry(*key).or_default();
                    let known = of.open.remove(&call.invoked).unwrap_or(0);
                    of.acks.push(Ack { value, start: call.start, end: call.end, event, known });
                    of.known = of.known.max(value);
                    warned += u64::from(warning.is_some());
                    if value > of.begun {
                        early.push(Early { key: *key, value, begun: of.begun, time: call.end, event });
                    }
                }
            }
        }
        let mut read = Keys { keys, early, warned, read_event: None, doubt: None };
        read.finish(history, primary);
        read
    }

    /// Takes the final values from the last read of the primary that began after the last write.
    fn finish(&mut self, history: &History<CounterOp>, primary: Option<NodeName>) {
        let load_end = last_write(history);
        let reads =
            history.calls().filter(|call| Some(call.invoked) > load_end && Some(call.node) == primary);
        let last = reads
            .filter_map(|call| match call.outcome {
                Outcome::Ok { reply: CounterReply::All(values), .. } => Some((values, call.completed)),
                _ => None,
            })
            .last();
        let Some((values, event)) = last else {
            self.doubt = Some("the primary's counters were not read after the load".to_owned());
            return;
        };
        self.read_event = event;
        for (&key, of) in &mut self.keys {
            of.end = usize::try_from(key).ok().and_then(|key| values.get(key.checked_sub(1)?).copied());
            if of.end.is_none() {
                self.doubt = Some(format!("key {key} is missing in the final read of the primary"));
            }
        }
        for (index, &value) in values.iter().enumerate() {
            // A key that nobody incremented is 0, or somebody did.
            if let Ok(key) = i32::try_from(index + 1)
                && value != 0
            {
                self.keys.entry(key).or_insert_with(|| Key { end: Some(value), ..Key::default() });
            }
        }
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.keys.values().map(|key| key.acks.len() as u64).sum()
    }

    pub(super) fn unknown(&self) -> u64 {
        self.keys.values().map(|key| key.unknown).sum()
    }

    /// How many increments of unknown outcome are in the final values; `None` without them.
    pub(super) fn unknown_applied(&self, tallies: &[Tally<'_>]) -> Option<u64> {
        let applied = tallies.iter().map(Tally::unknown_applied).sum::<Option<u64>>()?;
        self.read_event.map(|_| applied)
    }

    pub(super) fn doubts(&self, draft: &mut Draft) {
        if let Some(doubt) = &self.doubt {
            draft.doubt(doubt.clone());
        }
        if self.acknowledged() == 0 {
            draft.doubt("nothing was acknowledged, so nothing can be said");
        }
    }
}
