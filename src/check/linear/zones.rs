//! Registers whose every written value is unique, in `O(n log n)`: Gibbons and Korach, *Testing Shared Memories*, SIAM
//! Journal on Computing 26(4), 1997.
//!
//! A write and the reads of its value are a cluster: nothing of another cluster comes between them. With `f` the earliest
//! completion in a cluster and `s` its latest invocation, cluster A has to come before cluster B if `f(A) < s(B)`: something
//! of A had completed before something of B was invoked. If no two clusters each have to come before the other, there is an
//! order of all. For in a longer cycle, let M be the cluster with the least `f` and P the one before it: `f(P) < s(M)`, and
//! `f(M) <= f(the one before P) < s(P)`, so M and P were already such a pair.
//!
//! A cluster is forward if `f < s`, else backward. No two backward ones are such a pair; two forward ones are if they
//! overlap, and a backward one is with the forward one that contains it.
//!
//! This is exact for reads and writes, also for writes of unknown outcome: one that was read happened, at some time after its
//! invocation; one that was not read need not have. With a compare-and-set, or a value written twice, the search decides.

use rustc_hash::FxHashMap;

use super::object::Core;
use super::{Decision, Interval, OPEN, RegisterOp};
use crate::history::txn::Value;

/// A moment, and whose it is.
type Moment = (i64, usize);

struct Cluster {
    /// Nothing for what was there at the beginning.
    value: Option<Value>,
    write: Option<usize>,
    /// The earliest completion.
    first: Moment,
    /// The latest invocation.
    last: Moment,
}

impl Cluster {
    fn is_forward(&self) -> bool {
        self.first.0 < self.last.0
    }

    fn comes_before(&self, other: &Cluster) -> bool {
        self.first.0 < other.last.0
    }
}

/// Who completed before all events.
const NOBODY: usize = usize::MAX;
const BEGINNING: i64 = -1;

pub(super) fn decide(intervals: &[Interval<RegisterOp>]) -> Decision {
    let start = (BEGINNING, NOBODY);
    let mut clusters = vec![Cluster { value: None, write: None, first: start, last: start }];
    let mut of_value: FxHashMap<Option<Value>, usize> = FxHashMap::default();
    of_value.insert(None, 0);
    for (place, interval) in intervals.iter().enumerate() {
        match interval.op {
            RegisterOp::Read(_) => {}
            RegisterOp::Cas { .. } => return Decision::Undecided,
            RegisterOp::Write(value) => {
                if of_value.insert(Some(value), clusters.len()).is_some() {
                    return Decision::Undecided;
                }
                let (first, last) = ((interval.completed, place), (interval.invoked, place));
                clusters.push(Cluster { value: Some(value), write: Some(place), first, last });
            }
        }
    }
    for (place, interval) in intervals.iter().enumerate() {
        let RegisterOp::Read(value) = interval.op else { continue };
        let Some(cluster) = of_value.get(&value).map(|&number| &mut clusters[number]) else {
            return Decision::Refuted(Core::new(vec![place], value.into_iter().collect()));
        };
        if let Some(write) = cluster.write.filter(|&write| interval.completed < intervals[write].invoked) {
            return Decision::Refuted(Core::new(vec![place, write], value.into_iter().collect()));
        }
        cluster.first = cluster.first.min((interval.completed, place));
        cluster.last = cluster.last.max((interval.invoked, place));
    }
    // Nobody read it, and it need not have happened.
    clusters.retain(|cluster| cluster.first.0 != OPEN);
    conflict(&clusters).map_or(Decision::Linearizable, Decision::Refuted)
}

/// Two clusters that each have to come before the other; of several such pairs, one that few calls show.
fn conflict(clusters: &[Cluster]) -> Option<Core> {
    let (mut forward, backward): (Vec<&Cluster>, Vec<&Cluster>) =
        clusters.iter().partition(|cluster| cluster.is_forward());
    forward.sort_by_key(|cluster| cluster.first);
    let overlaps = forward.windows(2).map(|pair| (pair[0], pair[1]));
    // Forward clusters that do not overlap: the last that begins before a backward one is the only one that can contain it.
    let contained = backward.into_iter().filter_map(|inner| {
        let before = forward.partition_point(|outer| outer.comes_before(inner));
        Some((*forward.get(before.checked_sub(1)?)?, inner))
    });
    let pairs = overlaps.chain(contained).filter(|(one, other)| other.comes_before(one));
    pairs.map(|(one, other)| core(one, other)).min_by_key(|core| core.calls.len())
}

/// The four calls that show it, and the writes.
fn core(one: &Cluster, other: &Cluster) -> Core {
    let ends =
        [one.first.1, one.last.1, other.first.1, other.last.1].into_iter().filter(|&place| place != NOBODY);
    let calls = ends.chain(one.write).chain(other.write).collect();
    Core::new(calls, [one.value, other.value].into_iter().flatten().collect())
}
