//! The smallest part of a history that still shows an anomaly.
//!
//! A part is what some of the transactions did, or some of what they did ([`crate::history::txn::Part`]). Every part that is
//! tried is judged as any history is, so whatever is answered does show the anomaly. It shows no anomaly that the whole does
//! not show: what a cut itself seems to make wrong is no evidence. It begins with the whole's witness and what the inference
//! needs besides, and goes on by leaving out, transactions first.

mod start;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::BTreeSet;

use super::analysis::{Analysis, analyze};
use super::anomaly::{Anomaly, Order};
use super::keyed::Scope;
use crate::check::fewest::fewest;
use crate::history::txn::{Key, List, Mop, MopId, Part, Parts, TxnId, Txns, Value};
use trial::Trial;

/// A part that shows an anomaly.
#[derive(Clone, Debug)]
pub struct Smallest {
    /// The part, as a history of its own.
    pub txns: Txns,
    /// Which transaction of the whole each of them is.
    pub whose: Vec<TxnId>,
    /// What is found in it.
    pub analysis: Analysis,
    /// Whether it no longer shows the anomaly if any one transaction, or any one micro-operation, is left out of it (of a
    /// write, together with its traces). False: the budget ended before that was known.
    pub is_minimal: bool,
    /// How many parts were judged.
    pub judged: u64,
}

/// Micro-operations that may be judged while `txns` is made smaller, all parts together: enough for a few dependent
/// transactions anywhere in it.
pub fn budget(txns: &Txns) -> u64 {
    5_000_000 + 60 * txns.mops() as u64
}

/// The smallest part of `txns` in which `anomaly` is found with `order`; `whole` is what [`analyze`] says of all of it. At most
/// so many micro-operations as `budget` are judged, all parts together. `None`: the whole does not show it.
pub fn shrink(
    txns: &Txns,
    order: Order,
    anomaly: Anomaly,
    whole: &Analysis,
    budget: u64,
) -> Option<Smallest> {
    let found = whole.found.iter().find(|found| found.anomaly == anomaly)?;
    let parts = Parts::of(txns);
    let mut trial = Trial::new(&parts, order, anomaly, whole, budget);
    let mut part = start::parts(txns, whole, found)
        .map(|part| parts.closed(part))
        .find(|part| trial.shows(part))
        .unwrap_or_else(|| start::everything(txns));
    let is_minimal = loop {
        let before = part.clone();
        part = fewest_transactions(txns, &parts, &mut trial, part);
        part = fewest_mops(&parts, &mut trial, part);
        part = least_garbage(txns, &parts, &mut trial, part);
        if part == before {
            // Nothing can be left out, as far as it was tried.
            break !trial.is_spent();
        }
    };
    let whose = part.txns(txns);
    let txns = parts.cut(&part);
    let analysis = analyze(&txns, Scope::Whole, order);
    Some(Smallest { txns, whose, analysis, is_minimal, judged: trial.judged() })
}

fn fewest_transactions(txns: &Txns, parts: &Parts<'_>, trial: &mut Trial<'_>, part: Part) -> Part {
    let only = |kept: &[TxnId]| {
        let stays = |&mop: &MopId| kept.binary_search(&txns.mop(mop).0).is_ok();
        parts.closed(Part { mops: part.mops.iter().copied().filter(stays).collect(), ..part.clone() })
    };
    let kept = fewest(part.txns(txns), |kept| trial.shows(&only(kept)));
    only(&kept)
}

fn fewest_mops(parts: &Parts<'_>, trial: &mut Trial<'_>, part: Part) -> Part {
    let only = |kept: &[MopId]| parts.closed(Part { mops: kept.to_vec(), ..part.clone() });
    let kept = fewest(part.mops.clone(), |kept| trial.shows(&only(kept)));
    only(&kept)
}

/// Hides what nobody wrote from the lists, where that is not what is shown.
fn least_garbage(txns: &Txns, parts: &Parts<'_>, trial: &mut Trial<'_>, part: Part) -> Part {
    let mut garbage: BTreeSet<(Key, Value)> = BTreeSet::new();
    for &mop in &part.mops {
        if let (_, key, Mop::List(list)) = txns.mop(mop) {
            garbage.extend(garbage_of(txns, parts, key, list).map(|value| (key, value)));
        }
    }
    let shown: Vec<(Key, Value)> = garbage.difference(&part.hidden).copied().collect();
    if shown.is_empty() {
        return part;
    }
    let only = |kept: &[(Key, Value)]| {
        let hidden = shown.iter().filter(|one| kept.binary_search(one).is_err());
        let hidden = part.hidden.iter().chain(hidden).copied().collect();
        Part { mops: part.mops.clone(), hidden }
    };
    let kept = fewest(shown.clone(), |kept| trial.shows(&only(kept)));
    only(&kept)
}

fn garbage_of(txns: &Txns, parts: &Parts<'_>, key: Key, list: List) -> impl Iterator<Item = Value> {
    txns.list(key, list).iter().copied().filter(move |&value| parts.is_garbage(key, value))
}
