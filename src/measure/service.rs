//! When each node served somebody: the way back after faults, and for [`gaps`](super::gaps) what it was asked.

use std::collections::BTreeMap;

use super::gaps::gaps;
use super::load::Sample;
use super::{Availability, Outage, Recovery, Window};
use crate::history::{Call, FaultOp, History, Nanos, NodeName, Occasion, Outcome, Tenures};

/// One operation of the load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    node: NodeName,
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    pub(super) is_write: bool,
    ok: bool,
    pub(super) served: bool,
}

/// The load's operations: writes, wherever they were sent, and everything by node.
#[derive(Debug, Default)]
pub(super) struct Service {
    writes: Vec<Asked>,
    by_node: BTreeMap<NodeName, Vec<Asked>>,
}

/// How the reports call the primary, whichever node that is, in a run in which it moved.
const WRITER: &str = "writer";

impl Service {
    pub(super) fn add(&mut self, sample: &Sample<'_>) {
        let asked = Asked {
            node: sample.node,
            start: sample.start,
            end: sample.end,
            is_write: sample.is_write,
            ok: sample.cause.is_none() && sample.is_served(),
            served: sample.is_served(),
        };
        self.by_node.entry(sample.node).or_default().push(asked);
        if sample.is_write {
            self.writes.push(asked);
        }
    }

    /// Call once, after the last [`Service::add`].
    pub(super) fn sort(&mut self) {
        self.by_node.values_mut().for_each(|asked| asked.sort_unstable_by_key(|one| one.end));
        self.writes.sort_unstable_by_key(|one| one.end);
    }

    /// Every act of the nemesis. A replica is recovered by the first read that it answers, the primary by the first
    /// commit, on whichever node: a failover is a way for writes to come back.
    pub(super) fn recoveries(
        &self,
        faults: &History<FaultOp>,
        load: Window,
        primaries: &Tenures,
    ) -> Vec<Recovery> {
        let acts = || faults.calls().filter(|call| matches!(call.op, FaultOp::Act { .. }));
        acts().map(|act| self.recovery(&act, faults, load, primaries)).collect()
    }

    fn recovery(
        &self,
        act: &Call<'_, FaultOp>,
        faults: &History<FaultOp>,
        load: Window,
        primaries: &Tenures,
    ) -> Recovery {
        let healing = matches!(act.op, FaultOp::Act { occasion: Occasion::Healing, .. });
        let (applied, detail) = match &act.outcome {
            Outcome::Ok { reply, .. } => (Some(act.end), (*reply).clone()),
            Outcome::Fail(cause) => (None, format!("did not happen: {}", cause.message)),
            Outcome::Info(Some(cause)) => (None, format!("not verified: {}", cause.message)),
            Outcome::Info(None) => (None, "not verified: the run ended before".to_owned()),
        };
        // What was done to the primary, and what makes another node one, is about writes.
        let silenced = matches!(act.op, FaultOp::Act { action, .. } if action.silences());
        let moves = matches!(act.op, FaultOp::Act { action, .. } if action.moves_primary());
        let of_writes = moves || primaries.may_hold(act.node, act.start, act.start);
        // The way back from a node that was left down goes over the action that cures it; another fault ends it.
        let later = || faults.calls().filter(|call| call.node == act.node && call.invoked > act.invoked);
        let is_fault = |op: &FaultOp| matches!(op, FaultOp::Act { action, .. } if action.cures().is_none() && !action.moves_primary());
        // What did not happen ends nothing, and begins nothing.
        let happened_too = |call: &Call<'_, FaultOp>| !matches!(call.outcome, Outcome::Fail(_));
        let next = later().find(|call| is_fault(call.op) && happened_too(call));
        let next_fault = next.as_ref().map_or(u64::MAX, |call| call.invoked);
        let answered = later()
            .filter(|call| call.invoked < next_fault && *call.op == FaultOp::Answer)
            .find(|call| matches!(call.outcome, Outcome::Ok { .. }))
            .map(|call| call.end);

        let happened = !matches!(act.outcome, Outcome::Fail(_));
        let after = applied.unwrap_or(act.start);
        let of_node = self.by_node.get(&act.node).map(Vec::as_slice).unwrap_or_default();
        let asked = if of_writes { &self.writes[..] } else { of_node };
        let success = |one: &&Asked| one.ok && one.is_write == of_writes;
        let ended = |one: &&Asked| next.as_ref().is_none_or(|next| one.end <= next.start);
        let from = asked.partition_point(|one| one.end < after);
        let first =
            asked[from..].iter().filter(success).take_while(ended).find(|one| happened && one.start >= after);
        // What an earlier fault began and nothing ended is the earlier one's, up to this one.
        let is_earlier = |call: &Call<'_, FaultOp>| call.node == act.node && call.invoked < act.invoked;
        let before =
            faults.calls().filter(|call| is_earlier(call) && is_fault(call.op) && happened_too(call)).last();
        let before = before.filter(|_| is_fault(act.op));
        let begun = |last: Option<&Asked>| match (&before, last) {
            (Some(fault), last) if last.is_none_or(|last| last.end <= fault.start) => Some(act.start),
            (_, last) => last.map(|last| last.end),
        };
        let silence = first.and_then(|first| longest_silence(asked, of_writes, act.start, first, &begun));
        let unavailable = match (silence, first) {
            (Some((since, back)), _) => Some(back.end.since(since)),
            (None, Some(_)) => None,
            // It is a bound only of the time in which somebody asked.
            (None, None) => {
                let until = next.map_or(load.end, |next| next.start.min(load.end));
                let within = asked.partition_point(|one| one.end <= until);
                let since = begun(asked[..within].iter().rfind(success)).unwrap_or(load.start);
                let asked = asked.iter().any(|one| one.is_write == of_writes);
                (happened && asked && act.start < load.end).then(|| until.since(since))
            }
        };
        Recovery {
            action: crate::history::Operation::name(act.op).to_owned(),
            node: act.node,
            healing,
            invoked: act.start,
            applied,
            detail,
            silenced,
            answered: answered.filter(|_| silenced),
            first_success: first.map(|first| first.end),
            unavailable,
            unavailable_is_bound: unavailable.is_some() && first.is_none(),
            resolution: silence.map(|(since, back)| resolution(asked, of_writes, since, back)),
        }
    }

    /// The writes' outage, then that of each node's reads, the first primary before the replicas.
    pub(super) fn outages(&self, load: Window, primaries: &Tenures) -> Vec<Outage> {
        let of = |node, asked: &[Asked], is_write| {
            let gaps = if asked.is_empty() { Vec::new() } else { gaps(asked, load, is_write) };
            let total = gaps.iter().fold(Nanos(0), |sum, gap| sum + gap.end.since(gap.start));
            let unended = gaps.last().is_some_and(|gap| gap.end >= load.end);
            Outage { node, gaps, total, unended }
        };
        let mut nodes: Vec<&NodeName> = self.by_node.keys().collect();
        nodes.sort_by_key(|&&node| (node != primaries.first(), node));
        let reads = nodes.into_iter().filter_map(|node| {
            let reads: Vec<Asked> = self.by_node[node].iter().filter(|one| !one.is_write).copied().collect();
            (!reads.is_empty()).then(|| of(Some(*node), &reads, false))
        });
        let reads: Vec<Outage> = reads.collect();
        let writes = (!self.writes.is_empty()).then(|| of(None, &self.writes, true));
        writes.into_iter().chain(reads).collect()
    }

    /// Times without an answer on each node that the load spoke to, from the load's start to its end. Where the primary
    /// moved, the first is that of the writes, and every node's own is that of its reads.
    pub(super) fn availability(&self, load: Window, primaries: &Tenures) -> Vec<Availability> {
        let (moved, first) = (primaries.moved(), primaries.first());
        let of = |(&node, asked): (&NodeName, &Vec<Asked>)| Availability {
            node,
            gaps: gaps(asked, load, !moved && node == first),
        };
        let mut nodes: Vec<Availability> = self.by_node.iter().map(of).collect();
        nodes.sort_by_key(|of| (of.node != first, of.node));
        if moved {
            let gaps = gaps(&self.writes, load, true);
            nodes.insert(0, Availability { node: NodeName::new(WRITER), gaps });
        }
        nodes
    }
}

/// The longest time between two successes in a row that ends after `start`, no later than `first`: since when, as `begun`
/// has it of the earlier one, and the later one. Before a fault was seen to have taken hold some were still served, and who
/// hung on the node is told when it goes on.
fn longest_silence<'a>(
    asked: &'a [Asked],
    of_writes: bool,
    start: Nanos,
    first: &Asked,
    begun: &impl Fn(Option<&Asked>) -> Option<Nanos>,
) -> Option<(Nanos, &'a Asked)> {
    let success = |one: &&Asked| one.ok && one.is_write == of_writes;
    let (before, after) = asked.split_at(asked.partition_point(|one| one.end <= start));
    let mut last = before.iter().rfind(success);
    let served = after.iter().filter(success).take_while(|one| one.end <= first.end);
    let silences = served.filter_map(|one| Some((begun(last.replace(one))?, one)));
    silences.max_by_key(|(since, one)| one.end.since(*since))
}

/// How long nobody asked after `since`, and nobody the node of `first` before `first`. Who hangs on a node that does not
/// answer asks nothing: what counts before `first` is who was refused, or waited as it did and got the same.
fn resolution(asked: &[Asked], of_writes: bool, since: Nanos, first: &Asked) -> Nanos {
    let from = asked.partition_point(|one| one.end <= since);
    let tries = || asked[from..].iter().filter(|one| one.is_write == of_writes);
    let begun = tries().map(|one| one.start.max(since)).min().unwrap_or(first.start);
    let told = tries().filter(|one| one.node == first.node && one.start < first.start);
    let told = told.filter_map(|one| match (one.ok, one.served) {
        (true, _) => Some(first.start),
        (false, false) => (one.end <= first.start).then_some(one.end),
        (false, true) => None,
    });
    let blind = begun.since(since) + first.start.since(told.max().unwrap_or(since).max(since));
    blind.min(first.start.since(since))
}
