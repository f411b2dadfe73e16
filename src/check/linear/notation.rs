//! Calls as text, for tests: `0-5 w1; 2-3 r0; 4-9 w2 ?`.
//!
//! One call a `;`: `[start-end] [process:] operation [ending]`. Without times it is concurrent with all that have none;
//! without a process it has one of its own. Endings: none (acknowledged), `!` (certainly did not happen), `?` (unknown), `...`
//! (never completed). An operation is, of the key `k` if a `k/` is before it and else of key 0:
//!
//! | object | operations |
//! |---|---|
//! | register | `w1`, `r1`, `r` (nothing was there), `c1>2` (swapped), `c1>2x` (refused), `c>2` (expected nothing) |
//! | counter | `+2`, `+-2`, `=5` |
//! | list, of one-digit elements | `a1`, `r12`, `r` |
//! | set, of one-digit elements | `a1`, `r12`, `r`, `in1`, `out1` |

use super::{Call, CounterOp, ListOp, Membership, RegisterOp, SetOp, Swap};
use crate::history::txn::{Status, Value};

/// Events of calls without times.
const ALWAYS: (u32, u32) = (0, 1_000_000);

/// The calls that `text` describes, in its order.
pub(super) fn calls<Op>(text: &str, op: fn(&str) -> Op) -> Vec<Call<Op>> {
    let lines = text.split([';', '\n']).map(str::trim).filter(|line| !line.is_empty());
    (1000..).zip(lines).map(|(free, line)| call(line, free, op)).collect()
}

fn call<Op>(line: &str, free: u32, op: fn(&str) -> Op) -> Call<Op> {
    let (mut times, mut process, mut key, mut what) = (ALWAYS, free, 0, None);
    let (mut status, mut is_completed) = (Status::Ok, true);
    for word in line.split_whitespace() {
        let range = word.split_once('-').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match word {
            "!" => status = Status::Fail,
            "?" => status = Status::Info,
            "..." => (status, is_completed) = (Status::Info, false),
            _ if range.is_some() => times = range.unwrap(),
            _ if word.ends_with(':') => process = word[..word.len() - 1].parse().unwrap(),
            _ => {
                let (of, operation) = word.split_once('/').unwrap_or(("0", word));
                (key, what) = (of.parse().unwrap(), Some(op(operation)));
            }
        }
    }
    let completed = is_completed.then_some(times.1);
    Call { process, key, invoked: times.0, completed, status, op: what.expect("an operation") }
}

fn value(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value(text.parse().unwrap()))
}

pub(super) fn register(word: &str) -> RegisterOp {
    match word.split_at(1) {
        ("w", rest) => RegisterOp::Write(value(rest).expect("a value")),
        ("r", rest) => RegisterOp::Read(value(rest)),
        ("c", rest) => {
            let (from, to) = rest.split_once('>').expect("c1>2");
            let swap = if to.ends_with('x') { Swap::Refused } else { Swap::Swapped };
            let to = value(to.trim_end_matches('x')).expect("a value");
            RegisterOp::Cas { from: value(from), to, swap }
        }
        other => panic!("no operation {other:?}"),
    }
}

pub(super) fn counter(word: &str) -> CounterOp {
    match word.split_at(1) {
        ("+", rest) => CounterOp::Add(rest.parse().unwrap()),
        ("=", rest) => CounterOp::Read(rest.parse().unwrap()),
        other => panic!("no operation {other:?}"),
    }
}

fn elements(digits: &str) -> Vec<Value> {
    digits.chars().map(|digit| Value(i64::from(digit.to_digit(10).unwrap()))).collect()
}

pub(super) fn list(word: &str) -> ListOp<'static> {
    match word.split_at(1) {
        ("a", rest) => ListOp::Append(value(rest).expect("an element")),
        ("r", rest) => ListOp::Read(elements(rest).into()),
        other => panic!("no operation {other:?}"),
    }
}

pub(super) fn set(word: &str) -> SetOp<'static> {
    if let Some(rest) = word.strip_prefix("in") {
        return SetOp::Contains(value(rest).expect("an element"), Membership::Present);
    }
    if let Some(rest) = word.strip_prefix("out") {
        return SetOp::Contains(value(rest).expect("an element"), Membership::Absent);
    }
    match word.split_at(1) {
        ("a", rest) => SetOp::Add(value(rest).expect("an element")),
        ("r", rest) => SetOp::Read(elements(rest).into()),
        other => panic!("no operation {other:?}"),
    }
}
