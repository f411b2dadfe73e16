//! Atomic objects under clients with random delays, and what goes wrong with them. Nothing of the checker is used here.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Call, Counter, CounterOp, List, ListOp, Membership, Object, Register, RegisterOp, Set, SetOp, Swap, check,
};
use crate::check::Verdict;
use crate::history::txn::{Status, Value};

pub(super) type Rng = ChaCha8Rng;

pub(super) fn rng(seed: u64) -> Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Which values operations carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Values {
    /// Each its own; of counters, all the same.
    Unique,
    /// One of a few.
    Few,
}

/// An object that is really there.
pub(super) trait Atomic: Object {
    /// The `number`th operation, not answered yet.
    fn ask(rng: &mut Rng, number: i64, values: Values) -> Self::Op;
    /// Lets it happen, with its answer.
    fn answer(state: &mut Vec<i64>, op: &mut Self::Op);
    /// Another answer; the same for what has none.
    fn lie(rng: &mut Rng, op: &mut Self::Op);
}

/// What clients do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) clients: u32,
    pub(super) calls: u32,
    /// The longest that a call takes, and that a client waits.
    pub(super) delay: u32,
    /// Of a hundred calls, how many certainly did not happen, and how many nobody knows of.
    pub(super) failed: u32,
    pub(super) unknown: u32,
    pub(super) values: Values,
}

pub(super) const LOAD: Load =
    Load { clients: 5, calls: 170, delay: 40, failed: 3, unknown: 5, values: Values::Few };

/// Calls of clients on an object that is atomic, by invocation.
pub(super) fn calls<O: Atomic>(rng: &mut Rng, load: Load) -> Vec<Call<O::Op>> {
    let mut calls: Vec<Call<O::Op>> = Vec::new();
    // When it takes effect.
    let mut points: Vec<(u32, u32, usize)> = Vec::new();
    let mut free: Vec<(u32, u32)> =
        (0..load.clients).map(|client| (rng.random_range(0..=load.delay), client)).collect();
    let mut processes = load.clients;
    for number in 0..load.calls {
        let place = (0..free.len()).min_by_key(|&place| free[place]).unwrap();
        let (invoked, process) = free[place];
        let completed = invoked + rng.random_range(0..=load.delay);
        let status = match rng.random_range(0..100) {
            chance if chance < load.failed => Status::Fail,
            chance if chance < load.failed + load.unknown => Status::Info,
            _ => Status::Ok,
        };
        let late = if status == Status::Info { load.delay * 10 } else { 0 };
        if status == Status::Ok || status == Status::Info && rng.random() {
            points.push((rng.random_range(invoked..=completed + late), rng.random(), calls.len()));
        }
        let op = O::ask(rng, i64::from(number) + 1, load.values);
        calls.push(Call { process, key: 0, invoked, completed: Some(completed), status, op });
        let mut next = process;
        if status == Status::Info {
            // Nobody knows what it is still doing.
            (next, processes) = (processes, processes + 1);
        }
        free[place] = (completed + 1 + rng.random_range(0..=load.delay), next);
    }
    points.sort_unstable();
    let mut state = Vec::new();
    for (_, _, place) in points {
        O::answer(&mut state, &mut calls[place].op);
    }
    calls
}

impl Atomic for Register {
    fn ask(rng: &mut Rng, number: i64, values: Values) -> RegisterOp {
        let mut value = || match values {
            Values::Unique => Value(number),
            Values::Few => Value(rng.random_range(0..4)),
        };
        let (from, to) = (Some(value()), value());
        match rng.random_range(0..if values == Values::Few { 4 } else { 3 }) {
            0 => RegisterOp::Write(to),
            1 | 2 => RegisterOp::Read(None),
            _ => RegisterOp::Cas { from, to, swap: Swap::Unknown },
        }
    }

    fn answer(state: &mut Vec<i64>, op: &mut RegisterOp) {
        let there = state.first().map(|&value| Value(value));
        match op {
            RegisterOp::Write(value) => *state = vec![value.0],
            RegisterOp::Read(value) => *value = there,
            RegisterOp::Cas { from, swap, .. } if *from != there => *swap = Swap::Refused,
            RegisterOp::Cas { to, swap, .. } => (*state, *swap) = (vec![to.0], Swap::Swapped),
        }
    }

    fn lie(rng: &mut Rng, op: &mut RegisterOp) {
        match op {
            RegisterOp::Write(_) => {}
            RegisterOp::Read(value) => {
                let other = Value(rng.random_range(0..6));
                *value = (*value != Some(other)).then_some(other);
            }
            RegisterOp::Cas { swap, .. } => {
                *swap = if *swap == Swap::Refused { Swap::Swapped } else { Swap::Refused };
            }
        }
    }
}

impl Atomic for Counter {
    fn ask(rng: &mut Rng, _: i64, values: Values) -> CounterOp {
        match (rng.random(), values) {
            (true, _) => CounterOp::Read(0),
            (false, Values::Unique) => CounterOp::Add(3),
            (false, Values::Few) => CounterOp::Add(rng.random_range(-1..4)),
        }
    }

    fn answer(state: &mut Vec<i64>, op: &mut CounterOp) {
        match op {
            CounterOp::Add(amount) => state.push(*amount),
            CounterOp::Read(value) => *value = state.iter().sum(),
        }
    }

    fn lie(rng: &mut Rng, op: &mut CounterOp) {
        if let CounterOp::Read(value) = op {
            *value += rng.random_range(1..4) * if rng.random() { 1 } else { -1 };
        }
    }
}

impl Atomic for List<'static> {
    fn ask(rng: &mut Rng, number: i64, values: Values) -> ListOp<'static> {
        match (rng.random(), values) {
            (true, _) => ListOp::Read(Vec::new().into()),
            (false, Values::Unique) => ListOp::Append(Value(number)),
            (false, Values::Few) => ListOp::Append(Value(rng.random_range(1..4))),
        }
    }

    fn answer(state: &mut Vec<i64>, op: &mut ListOp<'static>) {
        match op {
            ListOp::Append(value) => state.push(value.0),
            ListOp::Read(list) => *list = state.iter().map(|&value| Value(value)).collect(),
        }
    }

    fn lie(rng: &mut Rng, op: &mut ListOp<'static>) {
        if let ListOp::Read(list) = op {
            distort(rng, list.to_mut());
        }
    }
}

impl Atomic for Set<'static> {
    fn ask(rng: &mut Rng, number: i64, values: Values) -> SetOp<'static> {
        let value = match values {
            Values::Unique => Value(number),
            Values::Few => Value(rng.random_range(1..5)),
        };
        match rng.random_range(0..4) {
            0 | 1 => SetOp::Add(value),
            2 => SetOp::Read(Vec::new().into()),
            _ => SetOp::Contains(Value(rng.random_range(1..=value.0)), Membership::Absent),
        }
    }

    fn answer(state: &mut Vec<i64>, op: &mut SetOp<'static>) {
        match op {
            SetOp::Add(value) if state.contains(&value.0) => {}
            SetOp::Add(value) => {
                state.push(value.0);
                state.sort_unstable();
            }
            SetOp::Read(elements) => *elements = state.iter().map(|&value| Value(value)).collect(),
            SetOp::Contains(value, membership) => {
                let is_there = state.contains(&value.0);
                *membership = if is_there { Membership::Present } else { Membership::Absent };
            }
        }
    }

    fn lie(rng: &mut Rng, op: &mut SetOp<'static>) {
        match op {
            SetOp::Add(_) => {}
            SetOp::Read(elements) => {
                let elements = elements.to_mut();
                distort(rng, elements);
                elements.sort_unstable();
                elements.dedup();
            }
            SetOp::Contains(_, membership) if *membership == Membership::Present => {
                *membership = Membership::Absent
            }
            SetOp::Contains(_, membership) => *membership = Membership::Present,
        }
    }
}

fn distort(rng: &mut Rng, list: &mut Vec<Value>) {
    match rng.random_range(0..4) {
        0 => list.push(Value(rng.random_range(1..5))),
        1 if list.len() > 1 => list.swap(0, 1),
        2 if !list.is_empty() => {
            list.remove(rng.random_range(0..list.len()));
        }
        _ => {
            list.pop();
        }
    }
}

const BUDGET: u64 = 1_000_000;

fn verdict<O: Object>(calls: &[Call<O::Op>]) -> Verdict {
    check::<O>(calls, BUDGET).unwrap().verdict()
}

fn always_linearizable<O: Atomic>(loads: &[Load]) {
    for (seed, load) in (0..).zip(loads) {
        let calls = calls::<O>(&mut rng(seed), *load);
        assert_eq!(verdict::<O>(&calls), Verdict::Pass, "{load:?}");
    }
}

#[test]
fn atomic_objects_are_linearizable() {
    let unique = Load { values: Values::Unique, ..LOAD };
    let mut loads = vec![LOAD; 25];
    loads.extend([unique; 25]);
    loads.push(Load { clients: 20, calls: 3_000, ..unique });
    always_linearizable::<Register>(&loads);
    always_linearizable::<List<'_>>(&loads);
    always_linearizable::<Set<'_>>(&loads);
    always_linearizable::<Counter>(&loads[25..]);
    // With amounts of both signs the search has more to do.
    always_linearizable::<Counter>(&[Load { calls: 60, clients: 4, ..LOAD }; 25]);
}

#[test]
fn a_hundred_histories_of_a_register_with_swaps() {
    let mut explored = 0;
    for seed in 0..100 {
        let judged = check::<Register>(&calls::<Register>(&mut rng(seed), LOAD), BUDGET).unwrap();
        assert_eq!(judged.verdict(), Verdict::Pass);
        explored += judged.explored;
    }
    assert!(explored < 100_000, "{explored} configurations");
}

const SAFE: Load = Load { clients: 5, calls: 400, delay: 20, failed: 0, unknown: 0, values: Values::Unique };

/// Calls of which one had completed before `call` began.
fn before<'c, Op>(calls: &'c [Call<Op>], call: &Call<Op>) -> impl Iterator<Item = &'c Call<Op>> {
    let invoked = call.invoked;
    calls.iter().filter(move |other| other.completed.unwrap() < invoked)
}

#[test]
fn stale_reads_of_registers_are_found() {
    for seed in 0..30 {
        let mut all = calls::<Register>(&mut rng(seed), SAFE);
        let read = (200..400).find(|&place| matches!(all[place].op, RegisterOp::Read(_))).unwrap();
        let writes = before(&all, &all[read]).filter(|call| matches!(call.op, RegisterOp::Write(_)));
        let mut writes: Vec<&Call<RegisterOp>> = writes.collect();
        writes.sort_by_key(|call| call.completed);
        // One that had completed before the last one began.
        let last = writes.pop().unwrap();
        let RegisterOp::Write(stale) =
            before(&all, last).find(|call| call.op != last.op && writes.contains(call)).unwrap().op
        else {
            panic!("a write")
        };
        all[read].op = RegisterOp::Read(Some(stale));
        let judged = check::<Register>(&all, BUDGET).unwrap();
        let super::Linearity::NotLinearizable(evidence) = &judged.keys[0].1 else { panic!("seed {seed}") };
        assert!((3..=5).contains(&evidence.window.len()), "{evidence:?}");
        assert!(evidence.window.contains(&(read as u32)), "{evidence:?}");
    }
}

#[test]
fn lost_and_doubled_adds_are_found() {
    for (seed, by) in (0..30).zip([-3, 3].into_iter().cycle()) {
        let mut all = calls::<Counter>(&mut rng(seed), SAFE);
        // From a moment on, one is missing or was counted twice; at the end that is certain.
        for call in &mut all[200..] {
            if let CounterOp::Read(value) = &mut call.op {
                *value += by;
            }
        }
        let end = all.iter().filter_map(|call| call.completed).max().unwrap();
        let sum: i64 =
            all.iter().map(|call| if let CounterOp::Add(amount) = call.op { amount } else { 0 }).sum();
        all.push(Call {
            process: 99,
            key: 0,
            invoked: end + 1,
            completed: Some(end + 2),
            status: Status::Ok,
            op: CounterOp::Read(sum + by),
        });
        let judged = check::<Counter>(&all, BUDGET).unwrap();
        let super::Linearity::NotLinearizable(evidence) = &judged.keys[0].1 else { panic!("seed {seed}") };
        assert!(evidence.window.len() < 20, "{evidence:?}");
    }
}

#[test]
fn lost_and_doubled_elements_are_found() {
    for seed in 0..30 {
        let sound = calls::<List<'_>>(&mut rng(seed), SAFE);
        let append = (50..).find(|&place| matches!(sound[place].op, ListOp::Append(_))).unwrap();
        let ListOp::Append(value) = sound[append].op else { panic!("an append") };
        let change = |edit: fn(&mut Vec<Value>, usize)| {
            let mut all = sound.clone();
            for call in &mut all {
                let ListOp::Read(list) = &mut call.op else { continue };
                if let Some(at) = list.iter().position(|&element| element == value) {
                    edit(list.to_mut(), at);
                }
            }
            check::<List<'_>>(&all, BUDGET).unwrap()
        };
        let lost = change(|list, at| {
            list.remove(at);
        });
        let doubled = change(|list, at| list.insert(at, list[at]));
        for judged in [lost, doubled] {
            let super::Linearity::NotLinearizable(evidence) = &judged.keys[0].1 else {
                panic!("seed {seed}")
            };
            assert!(evidence.window.contains(&(append as u32)) && evidence.window.len() <= 3, "{evidence:?}");
        }
    }
}

#[test]
fn lost_elements_of_sets_are_found() {
    for seed in 0..30 {
        let mut all = calls::<Set<'_>>(&mut rng(seed), SAFE);
        let add = (50..).find(|&place| matches!(all[place].op, SetOp::Add(_))).unwrap();
        let SetOp::Add(value) = all[add].op else { panic!("an add") };
        for call in &mut all {
            match &mut call.op {
                SetOp::Read(elements) => elements.to_mut().retain(|&element| element != value),
                SetOp::Contains(of, membership) if *of == value => *membership = Membership::Absent,
                SetOp::Add(_) | SetOp::Contains(..) => {}
            }
        }
        let judged = check::<Set<'_>>(&all, BUDGET).unwrap();
        let super::Linearity::NotLinearizable(evidence) = &judged.keys[0].1 else { panic!("seed {seed}") };
        assert_eq!((&evidence.before[..], evidence.window.len()), (&[add as u32][..], 1), "{evidence:?}");
    }
}
