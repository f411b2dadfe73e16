//! Transactions of single operations.

use std::borrow::Cow;

use super::call::verify;
use super::verdict::judged;
use super::{
    Call, Doubt, Interval, Linear, Linearity, List, ListOp, Malformed, OPEN, Object, Register, RegisterOp,
};
use crate::history::txn::{Key, Mop, MopId, Status, Txn, TxnId, Txns};

/// What was found of transactions. Keys are [`Txns`]' keys, and calls are transactions' numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxnLinear {
    /// Key by key.
    pub linear: Linear,
    /// Transactions that may have committed and have more than one operation on a key, with the key, in this order. A
    /// single object's operation is one read or one write: what they did to the key is left out, and the key is unknown.
    pub left_out: Vec<(TxnId, Key)>,
}

/// What a key is used as.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    List,
    Register,
}

/// An operation, by its key.
type Of = (Key, TxnId, MopId);

/// Judges each key of `txns` by itself, list or register: whether each transaction's operation on it took effect at one moment
/// between its invocation and its completion. A transaction on several keys is one operation on each: that they happen at the
/// same moment is not judged here. A search explores at most `budget` configurations of a key.
pub fn of_txns(txns: &Txns, budget: u64) -> Result<TxnLinear, Malformed> {
    verify(&txns.all().iter().map(call).collect::<Vec<Call<()>>>())?;
    let mut found = TxnLinear::default();
    found.linear.acknowledged = txns.all().iter().filter(|txn| txn.status == Status::Ok).count() as u64;
    let mut mops: Vec<Of> = Vec::with_capacity(txns.mops());
    for mop in 0..txns.mops() as MopId {
        let (txn, key, _) = txns.mop(mop);
        mops.push((key, txn, mop));
    }
    mops.sort_unstable();
    for of_key in mops.chunk_by(|one, other| one.0 == other.0) {
        let key = of_key[0].0;
        let possible: Vec<Of> = of_key.iter().copied().filter(|&(_, txn, _)| txns.is_possible(txn)).collect();
        let several = possible.chunk_by(|one, other| one.1 == other.1).filter(|of_txn| of_txn.len() > 1);
        let several: Vec<(TxnId, Key)> = several.map(|of_txn| (of_txn[0].1, key)).collect();
        let (linearity, explored) = match kind(txns, &possible) {
            None => (Linearity::Unknown(Doubt::Mixed), 0),
            Some(_) if !several.is_empty() => (Linearity::Unknown(Doubt::LeftOut(several.len() as u32)), 0),
            Some(Kind::List) => judged::<List<'_>>(&lists(txns, &possible), budget),
            Some(Kind::Register) => judged::<Register>(&registers(txns, &possible), budget),
        };
        found.left_out.extend(several);
        found.linear.explored += explored;
        found.linear.keys.push((key, linearity));
    }
    found.left_out.sort_unstable();
    Ok(found)
}

fn call(txn: &Txn) -> Call<()> {
    let completed = (txn.completed != u32::MAX).then_some(txn.completed);
    Call { process: txn.process, key: 0, invoked: txn.invoked, completed, status: txn.status, op: () }
}

/// What a key is used as; `None`: as both.
fn kind(txns: &Txns, mops: &[Of]) -> Option<Kind> {
    let is_register = |&(_, _, mop): &Of| match txns.mop(mop).2 {
        Mop::Write(_) | Mop::Read(_) => Some(true),
        Mop::Append(_) | Mop::List(_) => Some(false),
        Mop::Unread => None,
    };
    let mut kinds = mops.iter().filter_map(is_register);
    match kinds.next() {
        Some(true) => kinds.all(|is_register| is_register).then_some(Kind::Register),
        Some(false) | None => (!kinds.any(|is_register| is_register)).then_some(Kind::List),
    }
}

fn lists<'t>(txns: &'t Txns, mops: &[Of]) -> Vec<Interval<ListOp<'t>>> {
    intervals::<List<'t>>(txns, mops, |key, mop| match mop {
        Mop::Append(value) => Some(ListOp::Append(value)),
        Mop::List(list) => Some(ListOp::Read(Cow::Borrowed(txns.list(key, list)))),
        Mop::Write(_) | Mop::Read(_) | Mop::Unread => None,
    })
}

fn registers(txns: &Txns, mops: &[Of]) -> Vec<Interval<RegisterOp>> {
    intervals::<Register>(txns, mops, |_, mop| match mop {
        Mop::Write(value) => Some(RegisterOp::Write(value)),
        Mop::Read(value) => Some(RegisterOp::Read(value)),
        Mop::Append(_) | Mop::List(_) | Mop::Unread => None,
    })
}

/// The intervals of `mops`, which are of transactions that may have committed.
fn intervals<O: Object>(
    txns: &Txns,
    mops: &[Of],
    op: impl Fn(Key, Mop) -> Option<O::Op>,
) -> Vec<Interval<O::Op>> {
    let interval = |&(key, id, mop): &Of| {
        let txn = txns.txn(id);
        let op = op(key, txns.mop(mop).2)?;
        let (completed, op) = match txn.status {
            Status::Ok => (i64::from(txn.completed), op),
            Status::Info | Status::Fail => (OPEN, O::unanswered(&op)?),
        };
        Some(Interval { call: id, invoked: i64::from(txn.invoked), completed, op })
    };
    // Transactions are numbered in the order of their invocation.
    mops.iter().filter_map(interval).collect()
}
