//! Lag as a client sees it: from the acknowledgement of an increment to the end of the first read that shows it.
//!
//! One clock, no server statistics, and it works wherever one can connect. The first read is the first *to end* of
//! those of the load that show the value or a larger one; one that ended before the acknowledgement makes a delay of
//! zero (with `remote_apply` a replica can be ahead of the client). A delay includes the time until somebody read, so
//! it is never below the readers' interval. Reads after the load (the final ones) are left out: how soon those come
//! says nothing about the replica. What no read showed has no delay and is counted, on a replica that answered no read
//! as well: there it is everything.

use std::collections::BTreeMap;

use super::load::Load;
use crate::history::{CounterOp, CounterReply, History, Nanos, NodeName, Operation, Outcome, Tenures};

/// Delays on one replica.
#[derive(Clone, Debug, Default)]
pub(super) struct Visibility {
    /// Acknowledged at, and how long until it was seen; by the time of acknowledgement.
    pub(super) delays: Vec<(Nanos, Nanos)>,
    pub(super) never_seen: u64,
}

/// By replica: every one of `nodes`, and every other node that was asked for a read of the load; each for the time in
/// which it certainly was not the primary, so that one that always was is left out.
pub(super) fn visibility(
    history: &History<CounterOp>,
    load: &Load,
    primaries: &Tenures,
    nodes: impl Iterator<Item = NodeName>,
) -> BTreeMap<NodeName, Visibility> {
    let mut acks: BTreeMap<i32, Vec<(i64, Nanos)>> = BTreeMap::new();
    let is_ever_replica =
        |node: NodeName| !primaries.may_hold(node, load.window.start, load.window.start) || primaries.moved();
    let is_replica = |node: NodeName, time: Nanos| !primaries.may_hold(node, time, time);
    let asked =
        history.calls().filter(|call| load.contains(call) && call.op.is_read_only()).map(|call| call.node);
    let mut shown: BTreeMap<NodeName, BTreeMap<i32, Vec<(i64, Nanos)>>> = nodes
        .chain(asked)
        .filter(|&node| is_ever_replica(node))
        .map(|node| (node, BTreeMap::new()))
        .collect();
    for call in history.completed_ok().filter(|call| load.contains(call)) {
        match (call.op, call.outcome) {
            (
                &CounterOp::Increment { key },
                Outcome::Ok { reply: CounterReply::Incremented { value }, .. },
            ) => {
                acks.entry(key).or_default().push((*value, call.end));
            }
            (&CounterOp::ReadOwn { key, .. }, Outcome::Ok { reply: CounterReply::Value { value }, .. })
                if is_replica(call.node, call.end) =>
            {
                raise(shown.entry(call.node).or_default(), key, *value, call.end);
            }
            (_, Outcome::Ok { reply: CounterReply::All(values), .. }) if is_replica(call.node, call.end) => {
                let keys = shown.entry(call.node).or_default();
                (1..).zip(values).for_each(|(key, value)| raise(keys, key, *value, call.end));
            }
            _ => {}
        }
    }
    let delays = |(node, keys): (NodeName, BTreeMap<i32, Vec<(i64, Nanos)>>)| {
        let mut seen = Visibility::default();
        for (key, acks) in &mut acks {
            acks.sort_unstable();
            let shown = keys.get(key).map(Vec::as_slice).unwrap_or_default();
            for (place, &(value, acknowledged)) in acks.iter().enumerate() {
                if !is_replica(node, acknowledged) {
                    continue;
                }
                // Made again: this one was lost, and what a read shows is the other.
                let lost = acks.get(place + 1).is_some_and(|next| next.0 == value);
                match shown.get(shown.partition_point(|&(shown, _)| shown < value)) {
                    Some(&(_, end)) if !lost => seen.delays.push((acknowledged, end.since(acknowledged))),
                    _ => seen.never_seen += 1,
                }
            }
        }
        seen.delays.sort_unstable();
        (node, seen)
    };
    shown.into_iter().map(delays).collect()
}

/// Keeps the ascending values of a key with the time at which each was first reached.
fn raise(keys: &mut BTreeMap<i32, Vec<(i64, Nanos)>>, key: i32, value: i64, time: Nanos) {
    let shown = keys.entry(key).or_default();
    if shown.last().is_none_or(|&(last, _)| last < value) {
        shown.push((value, time));
    }
}
