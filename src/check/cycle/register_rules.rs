//! What a key's register shows: dependencies between transactions, and what is wrong by itself.

use super::anomaly::Anomaly;
use super::graph::{Kind, Kinds};
use super::list::NOBODY;
use super::list_stale::Stale;
use super::register::{NOTHING, RegisterKey, SURE, TIMED};
use super::sessions::sessions;
use super::sink::Sink;
use crate::history::txn::{MopId, Status, TxnId};

const ONLY_TIMED: Kinds = TIMED.without(Kind::Ww);
/// How many versions a stale read is said to have missed at most.
const MISSED: u32 = 1_000;

/// All of it.
pub(super) fn rules(register: &RegisterKey<'_>, stale: &mut Vec<Stale>, sink: &mut Sink) {
    if register.is_cyclic {
        let mops = register.accesses.iter().filter_map(|access| access.write).map(|(mop, _)| mop);
        sink.found(Anomaly::CyclicVersions, register.versions.len() as u32, || {
            (register.key, mops.take(8).collect())
        });
    }
    let readers = readers(register);
    edges(register, &readers, sink);
    whose_values(register, sink);
    lost_updates(register, &readers, sink);
    stale_reads(register, stale, sink);
    sessions(
        register.txns,
        register.key,
        &register.touches,
        |one, other| register.is_before(one, other),
        sink,
    );
}

/// Who read each version, and whether it also wrote.
fn readers(register: &RegisterKey<'_>) -> Vec<Vec<(TxnId, MopId, bool)>> {
    let mut readers = vec![Vec::new(); register.versions.len()];
    for access in &register.accesses {
        if let Some((mop, version)) = access.read {
            readers[version as usize].push((access.txn, mop, access.write.is_some()));
        }
    }
    readers
}

fn edges(register: &RegisterKey<'_>, readers: &[Vec<(TxnId, MopId, bool)>], sink: &mut Sink) {
    let writer = |version: u32| register.writer(version).filter(|&txn| register.txns.is_possible(txn));
    for (version, of_it) in (0u32..).zip(readers) {
        let wrote = writer(version);
        for &(reader, ..) in of_it {
            wrote.inspect(|&writer| sink.edge(writer, reader, Kind::Wr));
        }
        for (which, ww, rw) in [(SURE, Kind::Ww, Kind::Rw), (ONLY_TIMED, Kind::TimedWw, Kind::TimedRw)] {
            let mut next: Vec<TxnId> = register.next(version, which).filter_map(writer).collect();
            next.sort_unstable();
            next.dedup();
            if next.is_empty() {
                continue;
            }
            let mut from: Vec<(TxnId, Kind)> = of_it.iter().map(|&(reader, ..)| (reader, rw)).collect();
            from.extend(wrote.map(|writer| (writer, ww)));
            sink.each_to_each(&from, &next);
        }
    }
}

/// Values of aborted transactions (G1a), of nobody (garbage), and those that their writer had replaced (G1b); and whether
/// each transaction sees what it has itself read and written.
fn whose_values(register: &RegisterKey<'_>, sink: &mut Sink) {
    let key = register.key;
    for of_one in register.touches.chunk_by(|a, b| a.txn == b.txn) {
        let mut known: Option<u32> = None;
        for (place, touch) in of_one.iter().enumerate() {
            if touch.is_write {
                known = Some(touch.version);
                continue;
            }
            if let Some(known) = known.filter(|&known| known != touch.version) {
                let before = of_one[..place].iter().rev().find(|before| before.version == known);
                let mops = std::iter::once(touch).chain(before).map(|touch| touch.mop).collect();
                sink.found(Anomaly::Internal, of_one.len() as u32, || (key, mops));
            }
            known = Some(touch.version);
            let version = register.versions[touch.version as usize];
            if touch.version == NOTHING {
                continue;
            }
            if version.writer == NOBODY {
                sink.found(Anomaly::GarbageRead, 1, || (key, vec![touch.mop]));
                continue;
            }
            let (writer, ..) = register.txns.mop(version.writer);
            if writer == touch.txn {
                if version.writer > touch.mop {
                    sink.found(Anomaly::FutureRead, 1, || (key, vec![touch.mop, version.writer]));
                }
            } else if register.txns.txn(writer).status == Status::Fail {
                sink.found(Anomaly::G1a, 1, || (key, vec![touch.mop, version.writer]));
            } else if version.is_intermediate {
                sink.found(Anomaly::G1b, 1, || (key, vec![touch.mop, version.writer]));
            }
        }
    }
}

fn lost_updates(register: &RegisterKey<'_>, readers: &[Vec<(TxnId, MopId, bool)>], sink: &mut Sink) {
    for of_version in readers {
        let committed = |txn: TxnId| register.txns.txn(txn).status == Status::Ok;
        let wrote = of_version.iter().filter(|&&(txn, _, wrote)| wrote && committed(txn));
        let wrote: Vec<MopId> = wrote.map(|&(_, mop, _)| mop).collect();
        for pair in wrote.windows(2) {
            sink.found(Anomaly::LostUpdate, 2, || (register.key, pair.to_vec()));
        }
    }
}

/// Reads of a version that an acknowledged one is known to follow.
fn stale_reads(register: &RegisterKey<'_>, all: &mut Vec<Stale>, sink: &mut Sink) {
    let count = register.versions.len();
    let acknowledged = |version: u32| {
        let txn = register.writer(version).map(|txn| register.txns.txn(txn));
        txn.filter(|txn| txn.status == Status::Ok).map_or(u32::MAX, |txn| txn.completed)
    };
    // The first of all that follow, and when it was acknowledged: from the last versions to the first.
    let mut earliest = vec![(u32::MAX, NOTHING); count];
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.sort_unstable_by_key(|&version| std::cmp::Reverse(register.order.of(version)));
    for version in order {
        let of_next = register
            .next(version, TIMED)
            .flat_map(|next| [(acknowledged(next), next), earliest[next as usize]]);
        earliest[version as usize] = of_next.min().unwrap_or((u32::MAX, NOTHING));
    }
    for access in &register.accesses {
        let txn = register.txns.txn(access.txn);
        let Some((read, version)) = access.read else { continue };
        let (when, first) = earliest[version as usize];
        if when >= txn.invoked {
            continue;
        }
        let mut after: Vec<u32> = vec![version];
        let mut place = 0;
        let mut missed = 0;
        while place < after.len() && missed < MISSED {
            let next = register
                .next(after[place], TIMED)
                .filter(|&next| earliest[next as usize].0 < txn.invoked || acknowledged(next) < txn.invoked);
            for next in next.collect::<Vec<u32>>() {
                if !after.contains(&next) {
                    after.push(next);
                    missed += u32::from(acknowledged(next) < txn.invoked);
                }
            }
            place += 1;
        }
        let wrote = register.versions[first as usize].writer;
        let age = txn.start.since(register.txns.txn(register.txns.mop(wrote).0).end);
        all.push(Stale { node: txn.node, versions: missed, age });
        sink.found(Anomaly::StaleRead, u32::MAX - missed, || (register.key, vec![read, wrote]));
    }
}
