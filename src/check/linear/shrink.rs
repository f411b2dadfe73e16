//! From a history without an order to the few calls that show it.
//!
//! Only such steps are taken after which the rest proves as much as the whole: cutting the end off (what began before the cut
//! stays, with an open end); leaving out a call that only observed; and leaving out all traces of a value.

use super::search::{Budget, Found, search};
use super::{Decision, Interval, OPEN, Object};
use crate::check::fewest::fewest;

/// Intervals that are tried again and again, with what that may still cost.
pub(super) struct Shrink {
    /// Configurations of searches.
    pub(super) budget: Budget,
    /// Intervals that were judged.
    pub(super) work: Budget,
}

impl Shrink {
    /// Whether `intervals` certainly have no order. What is too much to find out counts as having one.
    pub(super) fn fails<O: Object>(&mut self, intervals: &[Interval<O::Op>]) -> bool {
        if !self.work.take(intervals.len() as u64) {
            return false;
        }
        match O::decide(intervals) {
            Decision::Linearizable => false,
            Decision::Refuted(_) => true,
            Decision::Undecided => {
                let object = O::new(intervals);
                matches!(search(&object, object.init(), intervals, &mut self.budget), Found::Stuck { .. })
            }
        }
    }

    /// A smallest part of `intervals`, which have no order, that has none either; as far as the budget goes.
    pub(super) fn smallest<O: Object>(&mut self, intervals: Vec<Interval<O::Op>>) -> Vec<Interval<O::Op>> {
        let mut smallest = self.shortest::<O>(intervals);
        loop {
            let before = (smallest.len(), O::parts(&smallest).len());
            smallest = self.fewest_observations::<O>(smallest);
            smallest = self.fewest_parts::<O>(smallest);
            if (smallest.len(), O::parts(&smallest).len()) == before {
                return smallest;
            }
        }
    }

    /// The shortest beginning. A beginning of what has an order has one, too.
    fn shortest<O: Object>(&mut self, intervals: Vec<Interval<O::Op>>) -> Vec<Interval<O::Op>> {
        let mut ends: Vec<i64> = intervals
            .iter()
            .filter(|interval| !interval.is_open())
            .map(|interval| interval.completed)
            .collect();
        ends.sort_unstable();
        ends.dedup();
        let (mut low, mut high) = (0, ends.len());
        let mut shortest = intervals;
        while low < high {
            let middle = low.midpoint(high);
            let beginning = cut::<O>(&shortest, ends[middle]);
            if self.fails::<O>(&beginning) {
                (shortest, high) = (beginning, middle);
            } else {
                low = middle + 1;
            }
        }
        shortest
    }

    fn fewest_observations<O: Object>(&mut self, intervals: Vec<Interval<O::Op>>) -> Vec<Interval<O::Op>> {
        let observations: Vec<u32> =
            intervals.iter().filter(|one| O::observes(&one.op)).map(|interval| interval.call).collect();
        let without = |kept: &[u32]| -> Vec<Interval<O::Op>> {
            let stays =
                |one: &&Interval<O::Op>| !O::observes(&one.op) || kept.binary_search(&one.call).is_ok();
            intervals.iter().filter(stays).cloned().collect()
        };
        let mut sorted = observations;
        sorted.sort_unstable();
        let kept = fewest(sorted, |kept| self.fails::<O>(&without(kept)));
        without(&kept)
    }

    fn fewest_parts<O: Object>(&mut self, intervals: Vec<Interval<O::Op>>) -> Vec<Interval<O::Op>> {
        let parts = O::parts(&intervals);
        if parts.is_empty() {
            return intervals;
        }
        let kept = fewest(parts, |kept| self.fails::<O>(&O::restrict(&intervals, kept)));
        O::restrict(&intervals, &kept)
    }
}

/// What was known of `intervals` at event `end`.
fn cut<O: Object>(intervals: &[Interval<O::Op>], end: i64) -> Vec<Interval<O::Op>> {
    let known = |interval: &Interval<O::Op>| {
        if interval.completed <= end {
            return Some(interval.clone());
        }
        Some(Interval { completed: OPEN, op: O::unanswered(&interval.op)?, ..*interval })
    };
    intervals.iter().filter(|interval| interval.invoked <= end).filter_map(known).collect()
}
