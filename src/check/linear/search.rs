//! The search for an order: Wing and Gong, *Testing and Verifying Concurrent Objects*, 1993, with the memory of
//! configurations of Lowe, *Testing for Linearizability*, 2017.
//!
//! A configuration is which calls are linearized and the state that they left. From a configuration, any call can be next
//! that no other one precedes, and that answers here what it answered. Four things keep configurations few:
//!
//! * a call that only observes is linearized as soon as it fits: nothing else depends on it;
//! * of equal operations, the one with the earliest completion goes first: any order that takes another one stays an order
//!   if the two change places;
//! * calls that need not have happened are counted by operation, as equal ones can stand for each other;
//! * a configuration is given up if one like it was seen that had used no more of them.

use rustc_hash::FxHashMap;

use super::window::Window;
use super::{Interval, Object};

/// Configurations that may still be explored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    pub(super) fn new(configurations: u64) -> Budget {
        Budget { left: configurations }
    }

    /// Takes so many of them. False: there are not so many left, and none is from now on.
    pub(super) fn take(&mut self, configurations: u64) -> bool {
        let is_enough = self.left >= configurations;
        self.left = self.left.saturating_sub(configurations);
        is_enough
    }

    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

/// What the search found; places in the intervals that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An order of all calls that happened, and of some that may have.
    Order(Vec<usize>),
    /// There is none. The longest beginning of one, and the calls that would have to be next and cannot.
    Stuck { order: Vec<usize>, next: Vec<usize> },
    /// The budget is spent.
    Spent,
}

/// Looks for an order of `intervals`, which begin one after the other, from `start` on.
pub(super) fn search<O: Object>(
    object: &O,
    start: O::State,
    intervals: &[Interval<O::Op>],
    budget: &mut Budget,
) -> Found {
    let mut search = Search::new(object, intervals);
    let mut next =
        Some(Config { base: 0, window: Window::default(), used: vec![0; search.may.len()], state: start });
    let mut path: Vec<usize> = Vec::new();
    let mut frames: Vec<Frame<O::State>> = Vec::new();
    let mut longest: Option<(usize, Vec<usize>, Vec<usize>)> = None;
    loop {
        if let Some(mut config) = next.take() {
            search.settle(&mut config, &mut path);
            if config.base == search.must.len() {
                return Found::Order(path);
            }
            if search.is_new(&config) {
                if !budget.take(1) {
                    return Found::Spent;
                }
                let steps = search.steps(&config);
                frames.push(Frame { config, steps, depth: path.len() });
            }
        }
        let Some(frame) = frames.last_mut() else {
            let (_, order, next) = longest.unwrap_or_default();
            return Found::Stuck { order, next };
        };
        path.truncate(frame.depth);
        if let Some(step) = frame.steps.pop() {
            next = search.take(&frame.config, step, &mut path);
        } else {
            let placed = frame.config.base + frame.config.window.len();
            if longest.as_ref().is_none_or(|(most, ..)| placed > *most) {
                longest = Some((placed, path.clone(), search.waiting(&frame.config)));
            }
            frames.pop();
        }
    }
}

/// Which calls are linearized, and the state they left.
#[derive(Clone, Debug)]
struct Config<S> {
    /// The calls before this one are.
    base: usize,
    window: Window,
    /// How many of each class of those that may have happened.
    used: Vec<u32>,
    state: S,
}

/// A configuration, and what was not tried yet in it; the last is tried first.
struct Frame<S> {
    config: Config<S>,
    steps: Vec<Step>,
    /// Length of the path to it.
    depth: usize,
}

#[derive(Clone, Copy)]
enum Step {
    /// The call so far from the base.
    Must(usize),
    /// One of a class.
    May(usize),
}

struct Search<'a, O: Object> {
    object: &'a O,
    intervals: &'a [Interval<O::Op>],
    /// Places of the calls that happened.
    must: Vec<usize>,
    /// Places of those that may have, by operation.
    may: Vec<Vec<usize>>,
    /// For each set of calls and state: how many of each class had been used, one row after the other.
    seen: FxHashMap<(usize, Window, O::State), Vec<u32>>,
}

impl<'a, O: Object> Search<'a, O> {
    fn new(object: &'a O, intervals: &'a [Interval<O::Op>]) -> Search<'a, O> {
        let (mut must, mut may) = (Vec::new(), Vec::new());
        let mut classes: FxHashMap<&O::Op, usize> = FxHashMap::default();
        for (place, interval) in intervals.iter().enumerate() {
            if !interval.is_open() {
                must.push(place);
                continue;
            }
            let class = *classes.entry(&interval.op).or_insert(may.len());
            if class == may.len() {
                may.push(Vec::new());
            }
            may[class].push(place);
        }
        Search { object, intervals, must, may, seen: FxHashMap::default() }
    }

    /// Whether nothing was tried yet that is at least as good. From then on, something was.
    fn is_new(&mut self, config: &Config<O::State>) -> bool {
        let key = (config.base, config.window.clone(), config.state.clone());
        let Some(rows) = self.seen.get_mut(&key) else {
            self.seen.insert(key, config.used.clone());
            return true;
        };
        let is_no_more = |row: &[u32]| row.iter().zip(&config.used).all(|(seen, used)| seen <= used);
        if self.may.is_empty() || rows.chunks(self.may.len()).any(is_no_more) {
            return false;
        }
        rows.extend(&config.used);
        true
    }

    /// Calls that happened, are not linearized, and can be next, by their distance from the base. As they begin one after
    /// the other, none is preceded by a later one.
    fn enabled(
        &self,
        config: &Config<O::State>,
        mut visit: impl FnMut(usize, &'a Interval<O::Op>) -> Taken,
    ) -> i64 {
        let intervals = self.intervals;
        let mut bound = i64::MAX;
        for (offset, &place) in self.must[config.base..].iter().enumerate() {
            let interval = &intervals[place];
            if interval.invoked > bound {
                break;
            }
            if !config.window.has(offset) && visit(offset, interval) == Taken::No {
                bound = bound.min(interval.completed);
            }
        }
        bound
    }

    /// Linearizes what only observes, and observes this.
    fn settle(&self, config: &mut Config<O::State>, path: &mut Vec<usize>) {
        let mut settled: Vec<usize> = Vec::new();
        self.enabled(config, |offset, interval| {
            if !O::observes(&interval.op) || self.object.step(&config.state, &interval.op).is_none() {
                return Taken::No;
            }
            settled.push(offset);
            Taken::Yes
        });
        for offset in settled {
            path.push(self.must[config.base + offset]);
            config.window.insert(offset);
        }
        config.base += config.window.advance();
    }

    /// What can be next, with the most urgent at the end.
    fn steps(&self, config: &Config<O::State>) -> Vec<Step> {
        let mut urgent: Vec<(i64, usize, &'a Interval<O::Op>)> = Vec::new();
        let bound = self.enabled(config, |offset, interval| {
            urgent.push((interval.completed, offset, interval));
            Taken::No
        });
        urgent.sort_by_key(|&(completed, offset, _)| (completed, offset));
        let mut first: Vec<(usize, &O::Op)> = Vec::new();
        for (_, offset, interval) in urgent {
            if first.iter().all(|(_, op)| **op != interval.op) {
                first.push((offset, &interval.op));
            }
        }
        let classes = self.may.iter().zip(&config.used).enumerate().filter(|(_, (class, used))| {
            let next = class.get(**used as usize).map(|&place| &self.intervals[place]);
            next.is_some_and(|next| next.invoked <= bound && first.iter().all(|(_, op)| **op != next.op))
        });
        let may = classes.map(|(class, _)| Step::May(class));
        may.chain(first.iter().rev().map(|&(offset, _)| Step::Must(offset))).collect()
    }

    /// The configuration after `step`, if it is possible.
    fn take(&self, config: &Config<O::State>, step: Step, path: &mut Vec<usize>) -> Option<Config<O::State>> {
        let place = match step {
            Step::Must(offset) => self.must[config.base + offset],
            Step::May(class) => self.may[class][config.used[class] as usize],
        };
        let state = self.object.step(&config.state, &self.intervals[place].op)?;
        let mut next = Config { state, ..config.clone() };
        match step {
            Step::Must(offset) => next.window.insert(offset),
            Step::May(class) => next.used[class] += 1,
        }
        next.base += next.window.advance();
        path.push(place);
        Some(next)
    }

    /// Places of the calls that can be next by their time.
    fn waiting(&self, config: &Config<O::State>) -> Vec<usize> {
        let mut waiting = Vec::new();
        self.enabled(config, |offset, _| {
            waiting.push(self.must[config.base + offset]);
            Taken::No
        });
        waiting
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Taken {
    Yes,
    No,
}
