//! What is wrong with a key's list by itself, without any cycle.

use super::anomaly::Anomaly;
use super::list::{Append, ListKey, NOBODY, Read, UNSEEN};
use super::sink::Sink;
use crate::history::txn::{List, Mop, MopId, Status, Value};

/// All of it.
pub(super) fn rules(list: &ListKey<'_>, sink: &mut Sink) {
    whose_elements(list, sink);
    dirty_updates(list, sink);
    lost_updates(list, sink);
    lost_writes(list, sink);
    odd_lists(list, sink);
}

/// Elements of aborted transactions (G1a), of nobody (garbage), twice, and those that their writer had replaced (G1b).
fn whose_elements(list: &ListKey<'_>, sink: &mut Sink) {
    let of = |mop: MopId| list.txns.mop(mop).0;
    // Where an element repeats, its writer stands at its first place.
    let is_garbage =
        |place: usize| list.writers[place] == NOBODY && list.place(list.spine[place]) == Some(place as u32);
    let is_aborted = |mop: MopId| mop != NOBODY && list.txn(of(mop)).status == Status::Fail;
    let garbage = (0..list.spine.len()).find(|&place| is_garbage(place));
    let aborted = list.writers.iter().position(|&mop| is_aborted(mop));
    for read in &list.reads {
        let List::Prefix(length) = read.list else { continue };
        let sees = |place: Option<usize>| place.filter(|&place| place < length as usize);
        if let Some(place) = sees(garbage) {
            sink.found(Anomaly::GarbageRead, place as u32, || (list.key, vec![read.mop]));
        }
        if let Some(place) = sees(aborted).filter(|&place| of(list.writers[place]) != read.txn) {
            sink.found(Anomaly::G1a, place as u32, || (list.key, vec![read.mop, list.writers[place]]));
        }
        if let Some(repeats) = sees(list.repeats.map(|place| place as usize)) {
            sink.found(Anomaly::DuplicateElements, repeats as u32, || (list.key, vec![read.mop]));
        }
        let Some(last) = (length as usize).checked_sub(1) else { continue };
        if list.intermediate[last] && of(list.writers[last]) != read.txn {
            sink.found(Anomaly::G1b, length, || (list.key, vec![read.mop, list.writers[last]]));
        }
    }
}

/// A committed append right on top of one that did not commit; those of unknown outcome may be either.
fn dirty_updates(list: &ListKey<'_>, sink: &mut Sink) {
    let mut aborted = None;
    for (place, &mop) in (0u32..).zip(&list.writers) {
        if mop == NOBODY {
            continue;
        }
        match list.txn(list.txns.mop(mop).0).status {
            Status::Fail => aborted = Some(mop),
            Status::Info => {}
            Status::Ok => {
                if let Some(aborted) = aborted.take() {
                    sink.found(Anomaly::DirtyUpdate, place, || (list.key, vec![mop, aborted]));
                }
            }
        }
    }
}

/// Transactions that read the same version before their first append.
fn lost_updates(list: &ListKey<'_>, sink: &mut Sink) {
    let mut read: Vec<(u32, MopId)> = Vec::new();
    let mut appends = list.appends.iter().peekable();
    let mut reads = list.reads.iter().peekable();
    while let Some(append) = appends.next() {
        let is_committed = list.txn(append.txn).status == Status::Ok;
        while reads.next_if(|read| read.txn < append.txn).is_some() {}
        if let Some(&&Read { mop, list: List::Prefix(version), txn }) = reads.peek()
            && txn == append.txn
            && mop < append.mop
            && is_committed
        {
            read.push((version, mop));
        }
        while appends.next_if(|more| more.txn == append.txn).is_some() {}
    }
    read.sort_unstable();
    for same in read.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        for pair in same.windows(2) {
            sink.found(Anomaly::LostUpdate, same[0].0, || (list.key, vec![pair[0].1, pair[1].1]));
        }
    }
}

/// An acknowledged append that nobody saw, though an element is there whose append began only afterwards.
fn lost_writes(list: &ListKey<'_>, sink: &mut Sink) {
    let unseen = |append: &&Append| append.version == UNSEEN && list.txn(append.txn).status == Status::Ok;
    let mut lost = list.appends.iter().filter(unseen).peekable();
    if lost.peek().is_none() {
        return;
    }
    let invoked = |mop: MopId| list.txn(list.txns.mop(mop).0).invoked;
    let seen = list.writers.iter().copied().filter(|&mop| mop != NOBODY);
    let Some(latest) = seen.max_by_key(|&mop| invoked(mop)) else { return };
    for append in lost.filter(|append| list.txn(append.txn).completed < invoked(latest)) {
        sink.found(Anomaly::LostWrite, append.txn, || (list.key, vec![append.mop, latest]));
    }
}

/// Lists that are not the beginning of the longest one.
fn odd_lists(list: &ListKey<'_>, sink: &mut Sink) {
    for read in &list.reads {
        let List::Odd(_) = read.list else { continue };
        let elements = list.txns.list(list.key, read.list);
        let weight = elements.len() as u32;
        if let Some(place) = repeated(elements) {
            sink.found(Anomaly::DuplicateElements, place, || (list.key, vec![read.mop]));
        }
        let common =
            elements.iter().zip(list.spine).take_while(|(mine, longest)| mine == longest).count() as u32;
        let other =
            list.reads.iter().find(|other| matches!(other.list, List::Prefix(length) if length > common));
        if let Some(other) = other {
            sink.found(Anomaly::IncompatibleOrder, weight, || (list.key, vec![read.mop, other.mop]));
        }
        let writer = |value: Value| {
            let wrote = |append: &&Append| list.txns.mop(append.mop).2 == Mop::Append(value);
            list.place(value)
                .map(|place| list.writers[place as usize])
                .filter(|&mop| mop != NOBODY)
                .or_else(|| list.appends.iter().find(wrote).map(|append| append.mop))
        };
        for &value in elements {
            match writer(value) {
                None => sink.found(Anomaly::GarbageRead, weight, || (list.key, vec![read.mop])),
                Some(mop) if list.txn(list.txns.mop(mop).0).status == Status::Fail => {
                    sink.found(Anomaly::G1a, weight, || (list.key, vec![read.mop, mop]));
                }
                Some(_) => {}
            }
        }
    }
}

/// The place of the first element that was there before.
fn repeated(elements: &[Value]) -> Option<u32> {
    let mut seen = rustc_hash::FxHashSet::default();
    elements.iter().position(|&value| !seen.insert(value)).map(|place| place as u32)
}
