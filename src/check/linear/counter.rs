//! A counter: added to, and read.

use super::object::Core;
use super::{Decision, Interval, Object, slots};

/// An operation on a counter, which begins at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CounterOp {
    /// Added so much, which may be negative.
    Add(i64),
    /// Read it, and it was so much.
    Read(i64),
}

/// A counter.
#[derive(Clone, Copy, Debug)]
pub struct Counter;

impl Object for Counter {
    type Op = CounterOp;
    /// Wide enough for any sum of as many as there can be.
    type State = i128;

    fn new(_: &[Interval<CounterOp>]) -> Counter {
        Counter
    }

    fn init(&self) -> i128 {
        0
    }

    fn step(&self, state: &i128, op: &CounterOp) -> Option<i128> {
        match *op {
            CounterOp::Add(amount) => Some(state + i128::from(amount)),
            CounterOp::Read(value) => (*state == i128::from(value)).then_some(*state),
        }
    }

    fn unanswered(op: &CounterOp) -> Option<CounterOp> {
        matches!(op, CounterOp::Add(_)).then_some(*op)
    }

    const COMMUTES: bool = true;

    /// Bounds refute at once what they can. They are necessary and not sufficient: of amounts 2 and 3, a read of 4 is within
    /// them and impossible; and three reads can each be within theirs and not all be. Where all amounts are equal, the
    /// assignment of adds to the gaps between reads decides. Different amounts make a subset sum of it (NP-complete; Gibbons
    /// and Korach), and the search decides.
    fn decide(intervals: &[Interval<CounterOp>]) -> Decision {
        match out_of_bounds(intervals).or_else(|| out_of_order(intervals)) {
            Some(reads) => {
                let adds =
                    (0..intervals.len()).filter(|&place| matches!(intervals[place].op, CounterOp::Add(_)));
                Decision::Refuted(Core::new(adds.chain(reads).collect(), Vec::new()))
            }
            None => slots::decide(intervals),
        }
    }
}

/// A read below what had certainly been added before its invocation, together with all losses that there can have been, or
/// above it with all gains.
fn out_of_bounds(intervals: &[Interval<CounterOp>]) -> Option<Vec<usize>> {
    let sums = |end: fn(&Interval<CounterOp>) -> i64, is_gain: bool| {
        let of_kind = intervals.iter().filter_map(|interval| match interval.op {
            CounterOp::Add(amount) if (amount > 0) == is_gain => Some((end(interval), i128::from(amount))),
            CounterOp::Add(_) | CounterOp::Read(_) => None,
        });
        Sums::new(of_kind.collect())
    };
    let [certain_gains, certain_losses] = [true, false].map(|is_gain| sums(|add| add.completed, is_gain));
    let [possible_gains, possible_losses] = [true, false].map(|is_gain| sums(|add| add.invoked, is_gain));
    let is_out = |place: &usize| match intervals[*place] {
        Interval { invoked, completed, op: CounterOp::Read(value), .. } => {
            let least = certain_gains.before(invoked) + possible_losses.before(completed + 1);
            let most = certain_losses.before(invoked) + possible_gains.before(completed + 1);
            !(least..=most).contains(&i128::from(value))
        }
        _ => false,
    };
    (0..intervals.len()).find(is_out).map(|place| vec![place])
}

/// Where nothing is ever taken away: a read of less than another one that had completed before it was invoked.
fn out_of_order(intervals: &[Interval<CounterOp>]) -> Option<Vec<usize>> {
    if intervals.iter().any(|interval| matches!(interval.op, CounterOp::Add(amount) if amount < 0)) {
        return None;
    }
    let mut completed: Vec<(i64, i64, usize)> = Vec::new();
    for (place, interval) in intervals.iter().enumerate() {
        if let CounterOp::Read(value) = interval.op {
            completed.push((interval.completed, value, place));
        }
    }
    completed.sort_unstable();
    let mut completed = completed.into_iter().peekable();
    let mut most: Option<(i64, usize)> = None;
    for (place, interval) in intervals.iter().enumerate() {
        let CounterOp::Read(value) = interval.op else { continue };
        while let Some((_, before, whose)) = completed.next_if(|&(end, ..)| end < interval.invoked) {
            most = most.max(Some((before, whose)));
        }
        if let Some((_, other)) = most.filter(|&(most, _)| most > value) {
            return Some(vec![other, place]);
        }
    }
    None
}

/// Amounts by their moments, each with the sum up to it.
struct Sums(Vec<(i64, i128)>);

impl Sums {
    fn new(mut amounts: Vec<(i64, i128)>) -> Sums {
        amounts.sort_unstable();
        let mut sum = 0;
        for (_, amount) in &mut amounts {
            sum += *amount;
            *amount = sum;
        }
        Sums(amounts)
    }

    /// The sum of those before `moment`.
    fn before(&self, moment: i64) -> i128 {
        let count = self.0.partition_point(|&(at, _)| at < moment);
        count.checked_sub(1).map_or(0, |last| self.0[last].1)
    }
}
