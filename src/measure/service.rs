//! When each node served somebody: recoveries after faults, and times without an answer.

use std::collections::BTreeMap;

use super::load::Sample;
use super::{Availability, Recovery, Window};
use crate::history::{Action, Call, FaultOp, History, Nanos, NodeName, Outcome};

/// The shortest time without an answer that counts.
const LEAST_GAP: Nanos = Nanos::from_millis(100);

/// One operation of the load.
#[derive(Clone, Copy, Debug)]
struct Asked {
    start: Nanos,
    end: Nanos,
    is_write: bool,
    ok: bool,
    served: bool,
}

/// The load's operations by node.
#[derive(Debug, Default)]
pub(super) struct Service {
    by_node: BTreeMap<NodeName, Vec<Asked>>,
}

impl Service {
    pub(super) fn add(&mut self, sample: &Sample<'_>) {
        self.by_node.entry(sample.node).or_default().push(Asked {
            start: sample.start,
            end: sample.end,
            is_write: sample.is_write,
            ok: sample.cause.is_none() && sample.is_served(),
            served: sample.is_served(),
        });
    }

    /// Call once, after the last [`Service::add`].
    pub(super) fn sort(&mut self) {
        self.by_node.values_mut().for_each(|asked| asked.sort_unstable_by_key(|one| one.end));
    }

    /// Every act of the nemesis. The node is recovered by the first success of what it is there for: a commit on the
    /// primary, a read on a replica.
    pub(super) fn recoveries(
        &self,
        faults: &History<FaultOp>,
        load: Window,
        primary: NodeName,
    ) -> Vec<Recovery> {
        let acts = || faults.calls().filter(|call| matches!(call.op, FaultOp::Act { .. }));
        acts().map(|act| self.recovery(&act, faults, load, primary)).collect()
    }

    fn recovery(
        &self,
        act: &Call<'_, FaultOp>,
        faults: &History<FaultOp>,
        load: Window,
        primary: NodeName,
    ) -> Recovery {
        let healing = matches!(act.op, FaultOp::Act { healing: true, .. });
        let (applied, detail) = match &act.outcome {
            Outcome::Ok { reply, .. } => (Some(act.end), (*reply).clone()),
            Outcome::Fail(cause) => (None, format!("did not happen: {}", cause.message)),
            Outcome::Info(Some(cause)) => (None, format!("not verified: {}", cause.message)),
            Outcome::Info(None) => (None, "not verified: the run ended before".to_owned()),
        };
        // The way back from a node that was left down goes over the start that follows; another fault ends it.
        let later = || faults.calls().filter(|call| call.node == act.node && call.invoked > act.invoked);
        let is_fault = |op: &FaultOp| matches!(op, FaultOp::Act { action, .. } if *action != Action::Start);
        let next = later().find(|call| is_fault(call.op));
        let next_fault = next.as_ref().map_or(u64::MAX, |call| call.invoked);
        let answered = later()
            .filter(|call| call.invoked < next_fault && *call.op == FaultOp::Answer)
            .find(|call| matches!(call.outcome, Outcome::Ok { .. }))
            .map(|call| call.end);

        let happened = !matches!(act.outcome, Outcome::Fail(_));
        let after = applied.unwrap_or(act.start);
        let asked = self.by_node.get(&act.node).map(Vec::as_slice).unwrap_or_default();
        let success = |one: &&Asked| one.ok && one.is_write == (act.node == primary);
        let ended = |one: &&Asked| next.as_ref().is_none_or(|next| one.end <= next.start);
        let first = asked.iter().filter(success).filter(ended).find(|one| happened && one.start >= after);
        let until = first.map_or_else(|| next.map_or(load.end, |next| next.start), |first| first.end);
        let earlier =
            asked.partition_point(|one| if first.is_some() { one.end < until } else { one.end <= until });
        let last = asked[..earlier].iter().rfind(success).map(|one| one.end);
        // What an earlier fault began and nothing ended is the earlier one's, up to this one.
        let is_earlier = |call: &Call<'_, FaultOp>| call.node == act.node && call.invoked < act.invoked;
        let before = faults.calls().filter(|call| is_earlier(call) && is_fault(call.op)).last();
        let taken_over =
            before.is_some_and(|fault| is_fault(act.op) && last.is_none_or(|last| last <= fault.start));
        let since = if taken_over { Some(act.start) } else { last };
        let unavailable = match first {
            Some(first) => since.map(|since| first.end.since(since)),
            // It is a bound only of the time in which somebody asked.
            None => {
                let asked = asked.iter().any(|one| one.is_write == (act.node == primary));
                (happened && asked && act.start < load.end).then(|| until.since(since.unwrap_or(load.start)))
            }
        };
        Recovery {
            action: crate::history::Operation::name(act.op).to_owned(),
            node: act.node,
            healing,
            invoked: act.start,
            applied,
            detail,
            answered,
            first_success: first.map(|first| first.end),
            unavailable,
            unavailable_is_bound: unavailable.is_some() && first.is_none(),
        }
    }

    /// Times without an answer on each node that the load spoke to, from the load's start to its end.
    pub(super) fn availability(&self, load: Window, primary: NodeName) -> Vec<Availability> {
        let mut nodes: Vec<Availability> = self
            .by_node
            .iter()
            .map(|(&node, asked)| Availability { node, gaps: gaps(&serving(asked, node == primary), load) })
            .collect();
        nodes.sort_by_key(|of| (of.node != primary, of.node));
        nodes
    }
}

/// What the node is there for: writes on the primary, reads on a replica. Where nobody asked for that, whatever was
/// asked.
fn serving(asked: &[Asked], is_primary: bool) -> Vec<Asked> {
    let of_its_own: Vec<Asked> = asked.iter().filter(|one| one.is_write == is_primary).copied().collect();
    if of_its_own.is_empty() { asked.to_vec() } else { of_its_own }
}

/// Windows between answers in which an operation that got none began or ended, or one waited for its own; `asked` is
/// sorted by `end`.
fn gaps(asked: &[Asked], load: Window) -> Vec<Window> {
    let mut unserved: Vec<Nanos> =
        asked.iter().filter(|one| !one.served).flat_map(|one| [one.start, one.end]).collect();
    unserved.sort_unstable();
    // For every operation, when the first of those was invoked that ended no earlier: what is waited for at its end.
    let mut waited: Vec<Nanos> = asked.iter().map(|one| one.start).collect();
    for place in (1..waited.len()).rev() {
        waited[place - 1] = waited[place - 1].min(waited[place]);
    }
    let within = asked.partition_point(|one| one.end < load.end);
    let answers = asked[..within].iter().enumerate().filter(|(_, one)| one.served);
    let answers = answers.map(|(place, one)| (place, one.end)).chain([(within, load.end)]);
    let mut gaps = Vec::new();
    let mut start = load.start;
    for (place, end) in answers {
        let first = unserved.partition_point(|&time| time < start);
        let failed = unserved.get(first).is_some_and(|&time| time <= end);
        // Without a failure nobody was refused anything before the one that waited came.
        let asked_at = if failed { start } else { waited.get(place).map_or(end, |&at| at.max(start)) };
        if end.since(asked_at) > LEAST_GAP {
            gaps.push(Window { start: asked_at, end });
        }
        start = start.max(end);
    }
    gaps
}
