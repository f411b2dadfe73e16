//! What is found of calls.

use super::call::{intervals, verify};
use super::search::{Budget, Found, search};
use super::shrink::Shrink;
use super::{Call, Core, Decision, Interval, Malformed, Object};
use crate::check::Verdict;
use crate::history::txn::Status;

/// Why a key could not be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// After so many configurations, neither an order was found nor that there is none.
    Budget(u64),
    /// So many transactions have more than one operation on it, and were left out.
    LeftOut(u32),
    /// It was used as a list and as a register.
    Mixed,
}

/// Whether a key's calls can be ordered, so that each takes effect between its invocation and its completion (Herlihy and
/// Wing, *Linearizability: A Correctness Condition for Concurrent Objects*, TOPLAS 12(3), 1990).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linearity {
    /// They can.
    Linearizable,
    /// They cannot.
    NotLinearizable(Evidence),
    /// Nothing can be said.
    Unknown(Doubt),
}

/// What shows that a key's calls have no order. All numbers are places of calls among those that were judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The smallest part of the history that was found without an order, by invocation. Other values than those of this
    /// part may be in its answers; they do not matter.
    pub window: Vec<u32>,
    /// Calls before the window, in no particular order: they make the state in which it begins.
    pub before: Vec<u32>,
    /// The longest beginning of an order of the window.
    pub order: Vec<u32>,
    /// The calls of the window of which one would have to be next. None can be.
    pub stuck: Vec<u32>,
}

/// What was found of each key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linear {
    /// By key; every key that was called has one.
    pub keys: Vec<(u32, Linearity)>,
    /// How many calls were acknowledged: without any, nothing was seen.
    pub acknowledged: u64,
    /// Configurations that searches looked at, without those that made evidence small.
    pub explored: u64,
}

impl Linear {
    /// One verdict of all keys.
    pub fn verdict(&self) -> Verdict {
        let worst = self.keys.iter().map(|(_, linearity)| linearity.verdict()).max();
        match worst {
            Some(Verdict::Pass) if self.acknowledged == 0 => Verdict::Unknown,
            worst => worst.unwrap_or(Verdict::Unknown),
        }
    }
}

impl Linearity {
    /// As a checker's.
    pub fn verdict(&self) -> Verdict {
        match self {
            Linearity::Linearizable => Verdict::Pass,
            Linearity::Unknown(_) => Verdict::Unknown,
            Linearity::NotLinearizable(_) => Verdict::Fail,
        }
    }
}

/// Judges each key by itself: a history of several objects is linearizable if each object's is (Herlihy and Wing, theorem 1;
/// Horn and Kroening, *Faster Linearizability Checking via P-Compositionality*, FORTE 2015). A search explores at most `budget`
/// configurations of a key; so much again may be spent on making its evidence small.
pub fn check<O: Object>(calls: &[Call<O::Op>], budget: u64) -> Result<Linear, Malformed> {
    verify(calls)?;
    let acknowledged = calls.iter().filter(|call| call.status == Status::Ok).count() as u64;
    let mut linear = Linear { acknowledged, ..Linear::default() };
    for (key, intervals) in intervals::<O>(calls) {
        let (linearity, explored) = judged::<O>(&intervals, budget);
        linear.explored += explored;
        linear.keys.push((key, linearity));
    }
    Ok(linear)
}

/// What is found of one key, whose intervals begin one after the other, and how many configurations were explored.
pub(super) fn judged<O: Object>(intervals: &[Interval<O::Op>], budget: u64) -> (Linearity, u64) {
    let mut left = Budget::new(budget);
    let linearity = judge::<O>(intervals, &mut left, budget);
    (linearity, budget - left.left())
}

fn judge<O: Object>(intervals: &[Interval<O::Op>], left: &mut Budget, budget: u64) -> Linearity {
    let core = match O::decide(intervals) {
        Decision::Linearizable => return Linearity::Linearizable,
        Decision::Refuted(core) => Some(core),
        Decision::Undecided => {
            let object = O::new(intervals);
            match search(&object, object.init(), intervals, left) {
                Found::Order(_) => return Linearity::Linearizable,
                Found::Spent => return Linearity::Unknown(Doubt::Budget(budget)),
                Found::Stuck { .. } => None,
            }
        }
    };
    Linearity::NotLinearizable(evidence::<O>(intervals, core, budget))
}

/// How often each interval may be judged while the evidence is made small, and all of them at least.
const WORK: (u64, u64) = (100, 1 << 20);

fn evidence<O: Object>(intervals: &[Interval<O::Op>], core: Option<Core>, budget: u64) -> Evidence {
    let work = (intervals.len() as u64).saturating_mul(WORK.0).max(WORK.1);
    let mut shrink = Shrink { budget: Budget::new(budget), work: Budget::new(work) };
    let core = core.map(|core| part::<O>(intervals, &core)).filter(|part| shrink.fails::<O>(part));
    let window = shrink.smallest::<O>(core.unwrap_or_else(|| intervals.to_vec()));
    let (before, window) = split::<O>(window);
    let object = O::new(&window);
    let start = before.iter().fold(object.init(), |state, one| object.step(&state, &one.op).unwrap_or(state));
    let calls = |of: &[Interval<O::Op>]| of.iter().map(|interval| interval.call).collect();
    let mut evidence = Evidence { window: calls(&window), before: calls(&before), ..Evidence::default() };
    if let Found::Stuck { order, next } = search(&object, start, &window, &mut Budget::new(budget)) {
        let calls = |places: Vec<usize>| places.into_iter().map(|place| window[place].call).collect();
        (evidence.order, evidence.stuck) = (calls(order), calls(next));
    }
    evidence
}

/// The intervals of `core`, as far as its values go.
fn part<O: Object>(intervals: &[Interval<O::Op>], core: &Core) -> Vec<Interval<O::Op>> {
    let calls: Vec<Interval<O::Op>> = core.calls.iter().map(|&place| intervals[place].clone()).collect();
    if core.parts.is_empty() { calls } else { O::restrict(&calls, &core.parts) }
}

type Intervals<O> = Vec<Interval<<O as Object>::Op>>;

/// What certainly comes before every observation, where that can come in any order; and the rest.
fn split<O: Object>(intervals: Intervals<O>) -> (Intervals<O>, Intervals<O>) {
    let observed = intervals.iter().filter(|one| O::observes(&one.op)).map(|one| one.invoked).min();
    let is_before =
        |one: &Interval<O::Op>| O::COMMUTES && observed.is_some_and(|first| one.completed < first);
    intervals.into_iter().partition(is_before)
}
