//! Sets that only grow, exactly, in time linear in what was read (but for sorting).
//!
//! Element by element would not be enough: two reads that each see one of two elements are fine for each element and have no
//! order together (a long fork). But of any two reads one has to contain the other, and that orders them; an element is added
//! after the last read that lacks it and before the first that has it, and the same holds for those who asked for it.
//! Where there are several adds of one element, the earliest invoked one can be the first of them, and the others come at any
//! time after the last that lacks it: nobody sees them.
//!
//! So everything has a place in one partial order. Each call gets the earliest moment that its place and its own invocation
//! allow, and there is an order of all if and only if no such moment is after a completion.

use rustc_hash::FxHashMap;

use super::object::Core;
use super::set::Membership;
use super::{Decision, Interval, SetOp};
use crate::history::txn::Value;

/// The earliest moment for what comes next, and whose invocation it is.
type Moment = Option<(i64, usize)>;

/// Who added an element, and who asked for it.
#[derive(Default)]
struct Element {
    /// The first class of reads that has it.
    class: Option<usize>,
    adds: Vec<usize>,
    present: Vec<usize>,
    /// The latest invocation of those who were told that it was not there.
    absent: Moment,
}

/// Reads of the same elements, and the elements that those before them lack.
#[derive(Default)]
struct Class {
    reads: Vec<usize>,
    new: Vec<Value>,
}

pub(super) fn decide(intervals: &[Interval<SetOp<'_>>]) -> Decision {
    let mut growth = Growth { intervals, elements: FxHashMap::default(), classes: Vec::new() };
    growth.collect();
    match growth.classify().or_else(|| growth.conflict()) {
        Some(core) => Decision::Refuted(core),
        None => Decision::Linearizable,
    }
}

struct Growth<'i, 'a> {
    intervals: &'i [Interval<SetOp<'a>>],
    elements: FxHashMap<Value, Element>,
    classes: Vec<Class>,
}

impl Growth<'_, '_> {
    fn collect(&mut self) {
        for (place, interval) in self.intervals.iter().enumerate() {
            match interval.op {
                SetOp::Read(_) => {}
                SetOp::Add(value) => self.element(value).adds.push(place),
                SetOp::Contains(value, Membership::Present) => self.element(value).present.push(place),
                SetOp::Contains(value, Membership::Absent) => {
                    let absent = &mut self.element(value).absent;
                    *absent = (*absent).max(Some((interval.invoked, place)));
                }
            }
        }
    }

    fn element(&mut self, value: Value) -> &mut Element {
        self.elements.entry(value).or_default()
    }

    /// Orders the reads by what they contain; a core if that is impossible.
    fn classify(&mut self) -> Option<Core> {
        let mut reads: Vec<(Vec<Value>, usize)> = Vec::new();
        for (place, interval) in self.intervals.iter().enumerate() {
            if let SetOp::Read(elements) = &interval.op {
                let mut elements = elements.to_vec();
                elements.sort_unstable();
                elements.dedup();
                reads.push((elements, place));
            }
        }
        reads.sort_by_key(|(elements, place)| (elements.len(), *place));
        let mut before: (Vec<Value>, usize) = (Vec::new(), usize::MAX);
        for (elements, place) in reads {
            let is_same = before.1 != usize::MAX && elements.len() == before.0.len();
            let class = self.classes.len() - usize::from(is_same);
            let mut new: Vec<Value> = Vec::new();
            for &value in &elements {
                let known = &mut self.element(value).class;
                if known.is_none() {
                    *known = Some(class);
                    new.push(value);
                }
            }
            if elements.len() - new.len() < before.0.len() {
                let missing = before.0.iter().find(|value| elements.binary_search(value).is_err());
                let parts = missing.into_iter().copied().chain(new.into_iter().take(1)).collect();
                return Some(self.core(vec![before.1, place], parts));
            }
            if !is_same {
                self.classes.push(Class { reads: Vec::new(), new });
            }
            self.classes[class].reads.push(place);
            before = (elements, place);
        }
        None
    }

    /// What is too early for its place.
    fn conflict(&self) -> Option<Core> {
        let mut now: Moment = None;
        for class in &self.classes {
            let begin = now;
            for &value in &class.new {
                match self.added(value, begin) {
                    Ok(moment) => now = now.max(moment),
                    Err(core) => return Some(core),
                }
            }
            if let Err(core) = self.in_time(now, &class.reads) {
                return Some(core);
            }
            let last = class.reads.iter().map(|&read| (self.intervals[read].invoked, read)).max();
            now = now.max(last);
        }
        let mut rest: Vec<Value> = self
            .elements
            .iter()
            .filter(|(_, element)| element.class.is_none())
            .map(|(&value, _)| value)
            .collect();
        rest.sort_unstable();
        rest.into_iter().find_map(|value| self.added(value, now).err())
    }

    /// When `value` can be there at the earliest, if it is not before `begin`.
    fn added(&self, value: Value, begin: Moment) -> Result<Moment, Core> {
        let element = &self.elements[&value];
        let begin = begin.max(element.absent);
        // None of its adds comes before that.
        self.in_time(begin, &element.adds)?;
        let first = element.adds.iter().map(|&add| (self.intervals[add].invoked, add)).min();
        let seen =
            element.class.and_then(|class| self.classes[class].reads.first()).or(element.present.first());
        if let (None, Some(&seen)) = (first, seen) {
            return Err(self.core(vec![seen], vec![value]));
        }
        let moment = begin.max(first);
        self.in_time(moment, &element.present)?;
        Ok(moment)
    }

    /// Whether none of `places` had completed before `moment`.
    fn in_time(&self, moment: Moment, places: &[usize]) -> Result<(), Core> {
        let late = |&place: &usize| Some((self.too_early(moment, place)?, place));
        places.iter().find_map(late).map_or(Ok(()), |(early, late)| Err(self.pair(early, late)))
    }

    /// Whose invocation comes after the completion of `place`.
    fn too_early(&self, moment: Moment, place: usize) -> Option<usize> {
        moment.filter(|&(at, _)| self.intervals[place].completed < at).map(|(_, whose)| whose)
    }

    /// `early` comes before `late`, and was invoked when that had completed.
    fn pair(&self, early: usize, late: usize) -> Core {
        let value = |place: usize| match self.intervals[place].op {
            SetOp::Add(value) | SetOp::Contains(value, _) => Some(value),
            SetOp::Read(_) => None,
        };
        let mut calls = vec![early, late];
        let mut parts: Vec<Value> = [early, late].into_iter().filter_map(value).collect();
        // Between two elements, a read that has the first one only; between two reads, an element that only the last one has.
        let class = |value: Value| self.elements.get(&value).and_then(|element| element.class);
        match (&self.intervals[early].op, &self.intervals[late].op) {
            (SetOp::Read(less), SetOp::Read(more)) => {
                parts.extend(more.iter().find(|value| !less.contains(value)))
            }
            _ => {
                let of_early = value(early).and_then(class).filter(|_| value(early) != value(late));
                calls.extend(of_early.map(|class| self.classes[class].reads[0]));
            }
        }
        self.core(calls, parts)
    }

    /// With all who added `parts`.
    fn core(&self, mut calls: Vec<usize>, parts: Vec<Value>) -> Core {
        let elements = parts.iter().filter_map(|value| self.elements.get(value));
        calls.extend(elements.flat_map(|element| element.adds.iter().copied()));
        Core::new(calls, parts)
    }
}
