//! The snapshots of a history, each in its epoch.

use std::cmp::Ordering;

use crate::check::restarts::Window;
use crate::history::{Call, CounterOp, CounterReply, History, Nanos, NodeName, Outcome, Tenures};

/// All counters, as one read saw them. Borrows the values from the history.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot<'a> {
    sum: i64,
    pub(super) values: &'a [i64],
    pub(super) node: NodeName,
    pub(super) end: Nanos,
    /// Index of the completion.
    pub(super) event: u64,
    /// How many forced restarts of the primary lie before it; `None`: one overlaps it.
    pub(super) epoch: Option<usize>,
}

impl Snapshot<'_> {
    /// By sum, equal vectors side by side; among those by node and time, so that the answer is always the same.
    pub(super) fn by_sum(&self, other: &Snapshot<'_>) -> Ordering {
        let vectors = self.sum.cmp(&other.sum).then_with(|| self.values.cmp(other.values));
        vectors.then_with(|| (self.node, self.event).cmp(&(other.node, other.event)))
    }

    /// Whether no counter is larger than in `other`.
    pub(super) fn is_within(&self, other: &Snapshot<'_>) -> bool {
        self.values.iter().zip(other.values).all(|(mine, theirs)| mine <= theirs)
    }
}

/// What was read.
pub(super) struct Snapshots<'a> {
    pub(super) all: Vec<Snapshot<'a>>,
    /// Snapshots that have another number of counters than the first, and are left out.
    pub(super) odd: u64,
}

impl<'a> Snapshots<'a> {
    pub(super) fn read(
        history: &'a History<CounterOp>,
        primaries: &Tenures,
        restarts: &[Window],
    ) -> Snapshots<'a> {
        let mut read = Snapshots { all: Vec::new(), odd: 0 };
        for call in history.completed_ok() {
            let Outcome::Ok { reply: CounterReply::All(values), .. } = call.outcome else { continue };
            if read.all.first().is_some_and(|first| first.values.len() != values.len()) {
                read.odd += 1;
                continue;
            }
            read.all.push(Snapshot {
                sum: values.iter().fold(0, |sum, value| sum.saturating_add(*value)),
                values,
                node: call.node,
                end: call.end,
                event: call.completed.unwrap_or(call.invoked),
                epoch: epoch(&call, primaries, restarts),
            });
        }
        read
    }
}

fn epoch(call: &Call<'_, CounterOp>, primaries: &Tenures, restarts: &[Window]) -> Option<usize> {
    let overlaps = |window: &Window| window.start < call.end && call.start < window.end;
    let may_be_primary = primaries.may_hold(call.node, call.start, call.end);
    if may_be_primary && restarts.iter().any(overlaps) {
        return None;
    }
    let first = primaries.iter().next().map_or(Nanos(0), |first| first.until);
    if call.end > first && !primaries.held(call.node, call.start, call.end) {
        return None;
    }
    Some(restarts.iter().filter(|window| window.start < call.end).count())
}
