//! In which order the writes of each key took effect: a list's as reads tell, a register's in any order that fits.

use std::collections::BTreeMap;

use crate::history::txn::{Key, Mop, MopId, Status, TxnId, Txns, Value};

/// The writes of one key, in their order, and which of them were seen or are known to come before others.
#[derive(Clone, Debug, Default)]
pub(super) struct Versions {
    /// By their order.
    pub(super) writes: Vec<MopId>,
    /// So many of them have an order that the history tells.
    pub(super) known: usize,
}

/// The most orders of one register's versions, and of all registers' together, that are tried.
const ORDERS: (usize, usize) = (24, 200);

impl Versions {
    /// Those of every key, by its number; several where the history does not tell the order of a register's versions.
    pub(super) fn of(txns: &Txns) -> Vec<Vec<Versions>> {
        let mut of_keys: Vec<Vec<MopId>> = vec![Vec::new(); txns.keys()];
        let mut ids: Vec<TxnId> = (0..txns.len() as TxnId).collect();
        ids.sort_by_key(|&id| (txns.txn(id).completed, txns.txn(id).invoked));
        for mop in ids.iter().flat_map(|&id| txns.mops_of(id)) {
            if let (_, key, Mop::Append(_) | Mop::Write(_)) = txns.mop(mop) {
                of_keys[key as usize].push(mop);
            }
        }
        let mut all: Vec<Vec<Versions>> = vec![Vec::new()];
        for (key, writes) in (0..).zip(of_keys) {
            let of_key = arranged(txns, key, writes);
            let longer = |before: &Vec<Versions>| {
                let before = before.clone();
                of_key.clone().into_iter().map(move |one| [before.clone(), vec![one]].concat())
            };
            all = all.iter().flat_map(longer).take(ORDERS.1).collect();
        }
        all
    }

    /// The writes that a read saw, oldest first; `None` where there is no such write for something that it saw.
    pub(super) fn seen(&self, txns: &Txns, key: Key, what: Mop) -> Option<Vec<MopId>> {
        let of = |value: Value| self.writes.iter().position(|&mop| written(txns, mop) == Some(value));
        match what {
            Mop::List(list) => {
                txns.list(key, list).iter().map(|&value| of(value).map(|at| self.writes[at])).collect()
            }
            Mop::Read(Some(value)) => of(value).map(|at| {
                // What did not commit was never there for others, and what it saw itself is its own affair.
                self.writes[..=at].to_vec()
            }),
            _ => Some(Vec::new()),
        }
    }
}

fn written(txns: &Txns, mop: MopId) -> Option<Value> {
    match txns.mop(mop).2 {
        Mop::Append(value) | Mop::Write(value) => Some(value),
        _ => None,
    }
}

/// `writes` come in the order in which they were acknowledged.
fn arranged(txns: &Txns, key: Key, writes: Vec<MopId>) -> Vec<Versions> {
    let is_register = writes.iter().any(|&mop| matches!(txns.mop(mop).2, Mop::Write(_)));
    if is_register {
        let known = writes.len();
        return registers(txns, key, writes).into_iter().map(|writes| Versions { writes, known }).collect();
    }
    let place = |mop: &MopId| txns.spine(key).iter().position(|&value| Some(value) == written(txns, *mop));
    let (mut seen, unseen): (Vec<MopId>, Vec<MopId>) = writes.iter().partition(|mop| place(mop).is_some());
    seen.sort_by_key(place);
    let known = seen.len();
    seen.extend(unseen);
    vec![Versions { writes: seen, known }]
}

/// Orders of a register's writes in which each follows what its transaction had last read or written before; those that did
/// not commit stand last.
fn registers(txns: &Txns, key: Key, mut writes: Vec<MopId>) -> Vec<Vec<MopId>> {
    let mut base: BTreeMap<MopId, MopId> = BTreeMap::new();
    for &write in &writes {
        let before = txns.mops_of(txns.mop(write).0).take_while(|&mop| mop < write);
        let last = before.filter(|&mop| txns.mop(mop).1 == key).filter_map(|mop| match txns.mop(mop).2 {
            Mop::Read(Some(value)) => {
                writes.iter().copied().find(|&other| written(txns, other) == Some(value))
            }
            Mop::Write(_) => Some(mop),
            _ => None,
        });
        if let Some(last) = last.last() {
            base.insert(write, last);
        }
    }
    writes.sort_by_key(|&mop| txns.txn(txns.mop(mop).0).status == Status::Fail);
    let mut orders = Vec::new();
    extend(&base, &mut Vec::new(), &writes, &mut orders);
    if orders.is_empty() {
        // Versions that follow each other in a circle have no order.
        orders.push(writes);
    }
    orders
}

fn extend(
    base: &BTreeMap<MopId, MopId>,
    order: &mut Vec<MopId>,
    left: &[MopId],
    orders: &mut Vec<Vec<MopId>>,
) {
    if orders.len() >= ORDERS.0 {
        return;
    }
    if left.is_empty() {
        orders.push(order.clone());
        return;
    }
    for &next in left.iter().filter(|mop| base.get(mop).is_none_or(|base| !left.contains(base))) {
        let rest: Vec<MopId> = left.iter().copied().filter(|&mop| mop != next).collect();
        order.push(next);
        extend(base, order, &rest, orders);
        order.pop();
    }
}
