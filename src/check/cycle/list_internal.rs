//! Whether each transaction sees what it has itself read and appended.

use super::anomaly::Anomaly;
use super::list::ListKey;
use super::sink::Sink;
use crate::history::txn::{List, Mop, MopId, Value};

/// What a transaction knows of the list.
enum Known {
    Nothing,
    /// All of it: this list, and these after it.
    List(List, Vec<Value>),
    /// Only how it ends.
    Tail(Vec<Value>),
}

/// Goes through one transaction's micro-operations on the key.
pub(super) fn internal(list: &ListKey<'_>, mops: &[MopId], sink: &mut Sink) {
    let [first, .., _] = *mops else { return };
    let mut known = Known::Nothing;
    let own: Vec<Value> = mops.iter().filter_map(|&mop| appended(list, mop)).collect();
    let mut appends = 0;
    for &mop in mops {
        match list.txns.mop(mop).2 {
            Mop::Append(value) => {
                appends += 1;
                match &mut known {
                    Known::List(_, tail) | Known::Tail(tail) => tail.push(value),
                    Known::Nothing => known = Known::Tail(vec![value]),
                }
            }
            Mop::List(seen) => {
                let elements = list.txns.list(list.key, seen);
                let fits = match &known {
                    Known::Nothing => true,
                    Known::Tail(tail) => elements.ends_with(tail),
                    Known::List(before, tail) => {
                        let before = list.txns.list(list.key, *before);
                        elements.len() == before.len() + tail.len()
                            && elements.starts_with(before)
                            && elements.ends_with(tail)
                    }
                };
                if !fits {
                    sink.found(Anomaly::Internal, elements.len() as u32, || (list.key, vec![mop, first]));
                }
                if elements.iter().any(|value| own[appends..].contains(value)) {
                    sink.found(Anomaly::FutureRead, elements.len() as u32, || (list.key, vec![mop]));
                }
                known = Known::List(seen, Vec::new());
            }
            _ => {}
        }
    }
}

fn appended(list: &ListKey<'_>, mop: MopId) -> Option<Value> {
    match list.txns.mop(mop).2 {
        Mop::Append(value) => Some(value),
        _ => None,
    }
}
