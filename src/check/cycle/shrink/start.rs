//! Where the search begins: parts that are likely to show the anomaly, the smaller ones first.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::cycle::analysis::{Analysis, Found, Witness};
use crate::history::txn::{Key, List, Mop, MopId, Part, TxnId, Txns};

/// The witness; with what tells the order of its versions; the witnesses of all that was found; everything that was done to
/// their keys. None of them need show the anomaly: [`everything`] does.
pub(super) fn parts<'t>(
    txns: &'t Txns,
    whole: &'t Analysis,
    found: &'t Found,
) -> impl Iterator<Item = Part> + 't {
    let witness = move || all_of(txns, found.witness.iter());
    let every = move || all_of(txns, whole.found.iter().filter_map(|found| found.witness.as_ref()));
    let rungs: [Box<dyn Fn() -> BTreeSet<MopId> + 't>; 4] = [
        Box::new(witness),
        Box::new(move || with_order(txns, witness())),
        Box::new(move || with_order(txns, every())),
        Box::new(move || of_keys(txns, &every())),
    ];
    rungs.into_iter().map(|mops| Part { mops: mops().into_iter().collect(), hidden: BTreeSet::new() })
}

/// Every transaction.
pub(super) fn everything(txns: &Txns) -> Part {
    Part { mops: (0..txns.mops() as MopId).collect(), hidden: BTreeSet::new() }
}

/// Whatever the transactions of `witnesses` did.
fn all_of<'w>(txns: &Txns, witnesses: impl Iterator<Item = &'w Witness>) -> BTreeSet<MopId> {
    let ids: BTreeSet<TxnId> = witnesses
        .flat_map(|witness| match witness {
            Witness::Cycle { steps, .. } => steps.iter().map(|(txn, _)| *txn).collect::<Vec<TxnId>>(),
            Witness::Case(case) => case.mops.iter().map(|&mop| txns.mop(mop).0).collect(),
        })
        .collect();
    ids.into_iter().flat_map(|id| txns.mops_of(id)).collect()
}

/// And of each list that is written, the shortest read that shows the order of those writes, as far as one does.
fn with_order(txns: &Txns, mut mops: BTreeSet<MopId>) -> BTreeSet<MopId> {
    let mut wanted: BTreeMap<Key, u32> = BTreeMap::new();
    for &mop in &mops {
        let (_, key, Mop::Append(value)) = txns.mop(mop) else { continue };
        let place = txns.spine(key).iter().position(|&other| other == value);
        if let Some(place) = place {
            let length = wanted.entry(key).or_default();
            *length = (*length).max(place as u32 + 1);
        }
    }
    let mut shortest: BTreeMap<Key, (u32, MopId)> = BTreeMap::new();
    for mop in 0..txns.mops() as MopId {
        let (_, key, Mop::List(List::Prefix(length))) = txns.mop(mop) else { continue };
        if wanted.get(&key).is_some_and(|&wanted| length >= wanted) {
            let kept = shortest.entry(key).or_insert((length, mop));
            *kept = (*kept).min((length, mop));
        }
    }
    mops.extend(shortest.into_values().map(|(_, mop)| mop));
    mops
}

/// Everything that was done to the keys of `mops`.
fn of_keys(txns: &Txns, mops: &BTreeSet<MopId>) -> BTreeSet<MopId> {
    let keys: BTreeSet<Key> = mops.iter().map(|&mop| txns.mop(mop).1).collect();
    (0..txns.mops() as MopId).filter(|&mop| keys.contains(&txns.mop(mop).1)).collect()
}
