//! What each process may rely on from one of its transactions to the next (Terry et al., *Session Guarantees for Weakly
//! Consistent Replicated Data*, PDIS 1994), key by key.

use rustc_hash::FxHashMap;

use super::anomaly::Anomaly;
use super::sink::Sink;
use crate::history::txn::{Key, MopId, Status, TxnId, Txns};

/// A read or a write of one version of the key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    pub(super) txn: TxnId,
    pub(super) mop: MopId,
    pub(super) version: u32,
    pub(super) is_write: bool,
}

/// The newest versions that a process has read and written.
#[derive(Clone, Copy, Default)]
struct Past {
    read: Option<Touch>,
    written: Option<Touch>,
}

/// Goes through the acknowledged ones of `touches`, which are in the order of invocation: that is each process's own.
pub(super) fn sessions(
    txns: &Txns,
    key: Key,
    touches: &[Touch],
    is_before: impl Fn(u32, u32) -> bool,
    sink: &mut Sink,
) {
    let mut processes: FxHashMap<u32, Past> = FxHashMap::default();
    for &touch in touches {
        let txn = txns.txn(touch.txn);
        if txn.status != Status::Ok {
            continue;
        }
        let past = processes.entry(txn.process).or_default();
        let (after_read, after_write) = if touch.is_write {
            (Anomaly::WritesFollowReads, Anomaly::MonotonicWrites)
        } else {
            (Anomaly::MonotonicReads, Anomaly::ReadYourWrites)
        };
        for (before, anomaly) in [(past.read, after_read), (past.written, after_write)] {
            // Within a transaction, that is another rule's.
            let Some(before) = before.filter(|before| before.txn != touch.txn) else { continue };
            // What was read is not written again.
            let is_same = touch.is_write && !before.is_write && before.version == touch.version;
            if is_same || is_before(touch.version, before.version) {
                sink.found(anomaly, touch.txn - before.txn, || (key, vec![touch.mop, before.mop]));
            }
        }
        let newest = if touch.is_write { &mut past.written } else { &mut past.read };
        if newest.is_none_or(|newest| !is_before(touch.version, newest.version)) {
            *newest = Some(touch);
        }
    }
}
