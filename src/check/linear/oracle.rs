//! The checker against brute force, on histories small enough for it, and what needs no search against the search.

use proptest::prelude::*;
use rand::RngExt;

use super::call::intervals;
use super::search::{Budget, Found, search};
use super::simulated::{Atomic, Load, Values, calls, rng};
use super::{Call, Counter, Decision, Linearity, List, Register, Set, check};
use crate::history::txn::Status;

/// Whether some order of all that happened, and of some that may have, answers as was answered: all orders are tried.
fn is_linearizable<O: Atomic>(calls: &[Call<O::Op>], placed: &mut Vec<usize>, state: &[i64]) -> bool {
    let is_left = |place: &usize| !placed.contains(place) && calls[*place].status != Status::Fail;
    let left: Vec<usize> = (0..calls.len()).filter(is_left).collect();
    if left.iter().all(|&place| calls[place].status == Status::Info) {
        return true;
    }
    left.iter().any(|&place| {
        let call = &calls[place];
        let is_preceded = left.iter().any(|&other| {
            calls[other].status == Status::Ok && calls[other].completed.is_some_and(|end| end < call.invoked)
        });
        let (mut state, mut op) = (state.to_vec(), call.op.clone());
        O::answer(&mut state, &mut op);
        if is_preceded || call.status == Status::Ok && op != call.op {
            return false;
        }
        placed.push(place);
        let is_possible = is_linearizable::<O>(calls, placed, &state);
        placed.pop();
        is_possible
    })
}

fn searched<O: Atomic>(calls: &[Call<O::Op>]) -> Option<bool> {
    let Some((_, intervals)) = intervals::<O>(calls).pop() else { return Some(true) };
    let object = O::new(&intervals);
    match search(&object, object.init(), &intervals, &mut Budget::new(1_000_000)) {
        Found::Order(_) => Some(true),
        Found::Stuck { .. } => Some(false),
        Found::Spent => None,
    }
}

/// Calls on an object, some of whose answers are not its own.
fn doubtful<O: Atomic>(seed: u64, most: u32) -> Vec<Call<O::Op>> {
    let mut rng = rng(seed);
    let load = Load {
        clients: rng.random_range(1..=4),
        calls: rng.random_range(1..=most),
        delay: rng.random_range(1..12),
        failed: 8,
        unknown: 15,
        values: if rng.random() { Values::Unique } else { Values::Few },
    };
    let mut calls = calls::<O>(&mut rng, load);
    for _ in 0..rng.random_range(0..3) {
        let place = rng.random_range(0..calls.len());
        O::lie(&mut rng, &mut calls[place].op);
    }
    calls
}

fn agrees_with_brute_force<O: Atomic>(seed: u64) -> Result<(), TestCaseError> {
    let calls = doubtful::<O>(seed, 6);
    let expected = is_linearizable::<O>(&calls, &mut Vec::new(), &[]);
    prop_assert_eq!(searched::<O>(&calls), Some(expected), "search");
    let judged = check::<O>(&calls, 1_000_000).unwrap();
    let Linearity::NotLinearizable(evidence) = &judged.keys[0].1 else {
        prop_assert_eq!((&judged.keys[0].1, expected), (&Linearity::Linearizable, true));
        return Ok(());
    };
    prop_assert!(!expected, "refuted");
    // The evidence is a history that has no order either; there are calls that cannot follow.
    let shown = [&evidence.before[..], &evidence.window].concat();
    let shown: Vec<Call<O::Op>> = shown.iter().map(|&call| calls[call as usize].clone()).collect();
    prop_assert!(!is_linearizable::<O>(&shown, &mut Vec::new(), &[]), "{:?}", evidence);
    prop_assert!(
        !evidence.stuck.is_empty() && evidence.stuck.iter().all(|call| evidence.window.contains(call))
    );
    prop_assert!(evidence.order.iter().all(|call| evidence.window.contains(call)));
    Ok(())
}

/// Whether theory had a verdict; it is the search's.
fn agrees_with_search<O: Atomic>(seed: u64) -> Result<bool, TestCaseError> {
    let calls = doubtful::<O>(seed, 24);
    let Some((_, intervals)) = intervals::<O>(&calls).pop() else { return Ok(false) };
    let decided = match O::decide(&intervals) {
        Decision::Undecided => return Ok(false),
        Decision::Linearizable => true,
        Decision::Refuted(core) => {
            // The part that it names is enough to see it.
            let part: Vec<_> = core.calls.iter().map(|&place| intervals[place].clone()).collect();
            let part = if core.parts.is_empty() { part } else { O::restrict(&part, &core.parts) };
            let object = O::new(&part);
            let found = search(&object, object.init(), &part, &mut Budget::new(1_000_000));
            prop_assert!(matches!(found, Found::Stuck { .. } | Found::Spent), "{:?} of {:?}", core, calls);
            false
        }
    };
    if let Some(expected) = searched::<O>(&calls) {
        prop_assert_eq!(decided, expected, "{:?}", calls);
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn registers_by_brute_force(seed: u64) {
        agrees_with_brute_force::<Register>(seed)?;
    }

    #[test]
    fn counters_by_brute_force(seed: u64) {
        agrees_with_brute_force::<Counter>(seed)?;
    }

    #[test]
    fn lists_by_brute_force(seed: u64) {
        agrees_with_brute_force::<List<'_>>(seed)?;
    }

    #[test]
    fn sets_by_brute_force(seed: u64) {
        agrees_with_brute_force::<Set<'_>>(seed)?;
    }

    #[test]
    fn what_needs_no_search_by_search(seed: u64) {
        agrees_with_search::<Register>(seed)?;
        agrees_with_search::<Counter>(seed)?;
        agrees_with_search::<List<'_>>(seed)?;
        agrees_with_search::<Set<'_>>(seed)?;
    }
}

/// The properties above would hold of nothing if nothing was decided, or always the same.
#[test]
fn both_verdicts_are_common() {
    fn counts<O: Atomic>() -> [usize; 3] {
        let mut counts = [0; 3];
        for seed in 0..400 {
            let calls = doubtful::<O>(seed, 6);
            counts[usize::from(is_linearizable::<O>(&calls, &mut Vec::new(), &[]))] += 1;
            counts[2] += usize::from(agrees_with_search::<O>(seed).unwrap());
        }
        counts
    }
    for counts in [counts::<Register>(), counts::<Counter>(), counts::<List<'_>>(), counts::<Set<'_>>()] {
        assert!(counts.iter().all(|&count| count > 40), "{counts:?}");
    }
}
