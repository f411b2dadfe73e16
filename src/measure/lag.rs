//! Lag of each replica, three ways: in bytes, in time, and as a client sees it.

use std::collections::BTreeMap;

use super::distribution::Distribution;
use super::visibility::Visibility;
use super::{LagFigures, LagPoint};
use crate::history::{LagSample, LinkState, Nanos, NodeName};
use crate::lsn::Lsn;

/// The most points that a chart gets.
const MOST_POINTS: usize = 2_000;

/// By replica, by name.
pub(super) fn lag(samples: &[LagSample], mut visibility: BTreeMap<NodeName, Visibility>) -> Vec<LagFigures> {
    let mut by_node: BTreeMap<NodeName, Vec<&LagSample>> = BTreeMap::new();
    for sample in samples {
        by_node.entry(sample.node).or_default().push(sample);
    }
    for &node in visibility.keys() {
        by_node.entry(node).or_default();
    }
    let of = |(node, samples): (NodeName, Vec<&LagSample>)| replica(node, &samples, visibility.remove(&node));
    by_node.into_iter().map(of).collect()
}

fn replica(node: NodeName, samples: &[&LagSample], visibility: Option<Visibility>) -> LagFigures {
    let state = |state| samples.iter().filter(|sample| sample.state == state).count() as u64;
    let mut replay_time = Distribution::new();
    let linked = samples.iter().filter(|sample| is_linked(sample));
    linked.filter_map(|sample| sample.replay_lag).for_each(|lag| replay_time.add(lag));
    let mut seen = Distribution::new();
    visibility.iter().flat_map(|of| &of.delays).for_each(|&(_, delay)| seen.add(delay));
    let never_seen = visibility.as_ref().map(|of| of.never_seen);
    seen.add_endless(never_seen.unwrap_or(0));
    let (apart, unmeasured) = apart(samples);
    let points: Vec<LagPoint> = samples.iter().map(|sample| point(sample)).collect();
    LagFigures {
        node,
        samples: samples.len() as u64,
        disconnected: state(LinkState::Disconnected),
        unknown: state(LinkState::Unknown),
        max_replay_bytes: points.iter().filter_map(|point| point.replayed).chain(apart).max(),
        unmeasured,
        replay_time: replay_time.percentiles(),
        visibility: seen.percentiles(),
        never_seen,
        points: with_visibility(thin(points), &visibility.unwrap_or_default().delays),
    }
}

fn is_linked(sample: &LagSample) -> bool {
    matches!(sample.state, LinkState::Streaming | LinkState::Catchup)
}

/// The largest distance while there was no connection, and the number of samples without one that have none.
///
/// The primary goes on and the replica gets nothing of it, so the distance to the last replay position that was heard of
/// is what it is behind, but for what it still replays of what it had received.
fn apart(samples: &[&LagSample]) -> (Option<u64>, u64) {
    let (mut last, mut largest, mut unmeasured) = (None, None, 0);
    for sample in samples {
        if is_linked(sample) {
            last = sample.replayed.or(last);
        } else if sample.state == LinkState::Disconnected {
            match sample.insert.zip(last) {
                Some((insert, last)) => largest = largest.max(Some(distance(insert, last))),
                None => unmeasured += 1,
            }
        }
    }
    (largest, unmeasured)
}

/// How far `position` is behind `insert`; zero where it is ahead, which a sample's two moments allow.
fn distance(insert: Lsn, position: Lsn) -> u64 {
    u64::try_from(insert.distance_from(position)).unwrap_or(0)
}

/// A replica without a connection has no point in a chart, whatever the sample carries: nothing is not zero.
fn point(sample: &LagSample) -> LagPoint {
    let linked = is_linked(sample);
    let behind = |position: Option<Lsn>| {
        let (insert, position) = (sample.insert?, position?);
        linked.then(|| distance(insert, position))
    };
    let lag = |lag: Option<Nanos>| lag.filter(|_| linked);
    LagPoint {
        time: sample.time,
        state: sample.state,
        sent: behind(sample.sent),
        written: behind(sample.written),
        flushed: behind(sample.flushed),
        replayed: behind(sample.replayed),
        write_lag: lag(sample.write_lag),
        flush_lag: lag(sample.flush_lag),
        replay_lag: lag(sample.replay_lag),
        visibility: None,
    }
}

/// At most [`MOST_POINTS`], each with the worst of those it stands for, at the time of the last of them.
fn thin(points: Vec<LagPoint>) -> Vec<LagPoint> {
    let each = points.len().div_ceil(MOST_POINTS).max(1);
    points.chunks(each).filter_map(|chunk| chunk.iter().copied().reduce(worst)).collect()
}

fn worst(a: LagPoint, b: LagPoint) -> LagPoint {
    // Without a connection is worse than not known: it is a fact about the replica.
    let rank = |state| match state {
        LinkState::Streaming => 0,
        LinkState::Catchup => 1,
        LinkState::Unknown => 2,
        LinkState::Disconnected => 3,
    };
    LagPoint {
        time: b.time,
        state: if rank(a.state) >= rank(b.state) { a.state } else { b.state },
        sent: a.sent.max(b.sent),
        written: a.written.max(b.written),
        flushed: a.flushed.max(b.flushed),
        replayed: a.replayed.max(b.replayed),
        write_lag: a.write_lag.max(b.write_lag),
        flush_lag: a.flush_lag.max(b.flush_lag),
        replay_lag: a.replay_lag.max(b.replay_lag),
        visibility: a.visibility.max(b.visibility),
    }
}

/// Gives every point the worst delay of what was acknowledged since the point before; the last one, the rest too.
fn with_visibility(mut points: Vec<LagPoint>, delays: &[(Nanos, Nanos)]) -> Vec<LagPoint> {
    let mut rest = delays;
    let last = points.len().saturating_sub(1);
    for (place, point) in points.iter_mut().enumerate() {
        let until = delays_until(rest, (place < last).then_some(point.time));
        point.visibility = rest[..until].iter().map(|&(_, delay)| delay).max();
        rest = &rest[until..];
    }
    points
}

fn delays_until(delays: &[(Nanos, Nanos)], time: Option<Nanos>) -> usize {
    time.map_or(delays.len(), |time| delays.partition_point(|&(acknowledged, _)| acknowledged <= time))
}
