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
    pub(super) fn recoveries(&self, faults: &History<FaultOp>, primary: NodeName) -> Vec<Recovery> {
        let acts = || faults.calls().filter(|call| matches!(call.op, FaultOp::Act { .. }));
        acts().map(|act| self.recovery(&act, faults, primary)).collect()
    }

    fn recovery(&self, act: &Call<'_, FaultOp>, faults: &History<FaultOp>, primary: NodeName) -> Recovery {
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
        let next_fault = later().find(|call| is_fault(call.op)).map_or(u64::MAX, |call| call.invoked);
        let answered = later()
            .filter(|call| call.invoked < next_fault && *call.op == FaultOp::Answer)
            .find(|call| matches!(call.outcome, Outcome::Ok { .. }))
            .map(|call| call.end);

        let happened = !matches!(act.outcome, Outcome::Fail(_));
        let after = applied.unwrap_or(act.start);
        let asked = self.by_node.get(&act.node).map(Vec::as_slice).unwrap_or_default();
        let success = |one: &&Asked| one.ok && one.is_write == (act.node == primary);
        let first = happened.then(|| asked.iter().filter(success).find(|one| one.start >= after)).flatten();
        let before = first.and_then(|first| {
            let earlier = asked.partition_point(|one| one.end < first.end);
            asked[..earlier].iter().rfind(success)
        });
        Recovery {
            action: crate::history::Operation::name(act.op).to_owned(),
            node: act.node,
            healing,
            invoked: act.start,
            applied,
            detail,
            answered,
            first_success: first.map(|first| first.end),
            unavailable: first.zip(before).map(|(first, before)| first.end.since(before.end)),
        }
    }

    /// Times without an answer on each node that the load spoke to, from the load's start to its end.
    pub(super) fn availability(&self, load: Window, primary: NodeName) -> Vec<Availability> {
        let mut nodes: Vec<Availability> = self
            .by_node
            .iter()
            .map(|(&node, asked)| Availability { node, gaps: gaps(asked, load) })
            .collect();
        nodes.sort_by_key(|of| (of.node != primary, of.node));
        nodes
    }
}

/// Windows between answers in which an operation that got none began or ended.
fn gaps(asked: &[Asked], load: Window) -> Vec<Window> {
    let mut unserved: Vec<Nanos> =
        asked.iter().filter(|one| !one.served).flat_map(|one| [one.start, one.end]).collect();
    unserved.sort_unstable();
    let answers = asked.iter().filter(|one| one.served).map(|one| one.end).chain([load.end]);
    let mut gaps = Vec::new();
    let mut start = load.start;
    for end in answers {
        let first = unserved.partition_point(|&time| time < start);
        if end.since(start) > LEAST_GAP && unserved.get(first).is_some_and(|&time| time <= end) {
            gaps.push(Window { start, end });
        }
        start = start.max(end);
    }
    gaps
}
