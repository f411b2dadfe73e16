//! What clients were told about their increments, key by key.

use std::collections::BTreeMap;

use super::tally::Tally;
use crate::check::draft::Draft;
use crate::check::text::{at, count};
use crate::check::walk::{Step, last_write, walk};
use crate::history::{Call, CounterOp, CounterReply, History, Nanos, NodeName, Outcome, Tenures};

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
    /// Whether the server said that nobody else may have it.
    pub(super) warned: bool,
}

/// A read of the primary that showed less than what had been acknowledged when it began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short {
    pub(super) value: i64,
    /// The largest acknowledged value of the key when it began.
    pub(super) known: i64,
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    /// Index of the completion.
    pub(super) event: u64,
}

/// One key.
#[derive(Debug, Default)]
pub(super) struct Key {
    /// In the order of acknowledgement.
    pub(super) acks: Vec<Ack>,
    /// Reads of the primary, by time.
    pub(super) short: Vec<Short>,
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

impl Key {
    fn begin(&mut self, call: &Call<'_, CounterOp>) {
        self.begun += i64::from(!matches!(call.outcome, Outcome::Fail(_)));
        match call.outcome {
            Outcome::Ok { reply: CounterReply::Incremented { .. }, .. } => {
                self.open.insert(call.invoked, self.known);
            }
            // An answer of the wrong kind: something was done, and nobody knows which value it made.
            Outcome::Ok { .. } | Outcome::Info(_) => self.unknown += 1,
            Outcome::Fail(_) => {}
        }
    }

    fn acknowledge(&mut self, key: i32, value: i64, call: &Call<'_, CounterOp>) -> Option<Early> {
        let event = call.completed.unwrap_or(call.invoked);
        let known = self.open.remove(&call.invoked).unwrap_or(0);
        let warned = matches!(call.outcome, Outcome::Ok { warning: Some(_), .. });
        self.acks.push(Ack { value, start: call.start, end: call.end, event, known, warned });
        self.known = self.known.max(value);
        (value > self.begun).then_some(Early { key, value, begun: self.begun, time: call.end, event })
    }
}

/// What a read showed of `key`; `None` if it was not about that key.
fn shown(op: &CounterOp, reply: &CounterReply, key: i32) -> Option<i64> {
    match (op, reply) {
        (CounterOp::ReadOwn { key: own, .. }, CounterReply::Value { value }) => {
            (*own == key).then_some(*value)
        }
        (CounterOp::ReadAll, CounterReply::All(values)) => {
            let place = usize::try_from(key).ok()?.checked_sub(1)?;
            Some(values.get(place).copied().unwrap_or(0))
        }
        _ => None,
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
    pub(super) fn read(history: &History<CounterOp>, primaries: &Tenures) -> Keys {
        let mut read =
            Keys { keys: BTreeMap::new(), early: Vec::new(), warned: 0, read_event: None, doubt: None };
        // For every open read of the primary: what was acknowledged of each key when it began.
        let mut reads: BTreeMap<u64, Vec<(i32, i64)>> = BTreeMap::new();
        for step in walk(history) {
            match step {
                Step::Invoked(call) => match *call.op {
                    CounterOp::Increment { key } => read.keys.entry(key).or_default().begin(&call),
                    // Of a read that shows nothing there is nothing to remember.
                    _ if !primaries.held(call.node, call.start, call.end) => {}
                    _ if !matches!(call.outcome, Outcome::Ok { .. }) => {}
                    CounterOp::ReadOwn { key, .. } => {
                        let known = read.keys.get(&key).map(|of| (key, of.known));
                        reads.insert(call.invoked, known.into_iter().collect());
                    }
                    CounterOp::ReadAll => {
                        let known = |(&key, of): (&i32, &Key)| (key, of.known);
                        reads.insert(call.invoked, read.keys.iter().map(known).collect());
                    }
                    _ => {}
                },
                Step::Acknowledged(call) => match (call.op, &call.outcome) {
                    (CounterOp::Increment { key }, Outcome::Ok { reply, warning }) => {
                        let CounterReply::Incremented { value } = reply else { continue };
                        read.warned += u64::from(warning.is_some());
                        read.early
                            .extend(read.keys.entry(*key).or_default().acknowledge(*key, *value, &call));
                    }
                    (op, Outcome::Ok { reply, .. }) => {
                        for (key, known) in reads.remove(&call.invoked).unwrap_or_default() {
                            let shown = shown(op, reply, key).filter(|&value| value < known);
                            if let (Some(value), Some(of)) = (shown, read.keys.get_mut(&key)) {
                                let event = call.completed.unwrap_or(call.invoked);
                                of.short.push(Short {
                                    value,
                                    known,
                                    start: call.start,
                                    end: call.end,
                                    event,
                                });
                            }
                        }
                    }
                    _ => {}
                },
            }
        }
        read.finish(history, primaries.last());
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
            // Set-up made the row, so one that is missing has lost everything.
            let place = usize::try_from(key).ok().and_then(|key| key.checked_sub(1));
            of.end = place.map(|place| values.get(place).copied().unwrap_or(0));
            if of.end.is_none() {
                self.doubt = Some(format!("there is no counter {key}"));
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
