//! Transactions' micro-operations, key by key.

use std::ops::Range;

use crate::history::txn::{Key, MopId, Txns};

/// Which transactions a judgement is about, and what of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Whole,
    /// What was read on one node (by [`Txn::node`](crate::history::txn::Txn::node)); of the others, what they wrote.
    Node(u16),
}

impl Scope {
    /// Whether what transaction `node` read counts.
    pub(super) fn reads(self, node: u16) -> bool {
        match self {
            Scope::Whole => true,
            Scope::Node(only) => only == node,
        }
    }
}

/// The micro-operations of each key, side by side and in their order.
#[derive(Debug)]
pub(super) struct Keyed {
    first: Vec<u32>,
    mops: Vec<MopId>,
}

impl Keyed {
    pub(super) fn new(txns: &Txns) -> Keyed {
        let mut first = vec![0u32; txns.keys() + 1];
        for mop in 0..txns.mops() as MopId {
            first[txns.mop(mop).1 as usize + 1] += 1;
        }
        for key in 0..txns.keys() {
            first[key + 1] += first[key];
        }
        let mut place = first.clone();
        let mut mops = vec![0; txns.mops()];
        // Micro-operations are stored as transactions completed; a key's are wanted as transactions were invoked.
        for txn in 0..txns.len() as u32 {
            for mop in txns.mops_of(txn) {
                let at = &mut place[txns.mop(mop).1 as usize];
                mops[*at as usize] = mop;
                *at += 1;
            }
        }
        Keyed { first, mops }
    }

    /// Those of one key; those of a transaction follow each other.
    pub(super) fn of(&self, key: Key) -> &[MopId] {
        &self.mops[self.first[key as usize] as usize..self.first[key as usize + 1] as usize]
    }

    /// The keys in `parts` ranges of about the same work.
    pub(super) fn parts(&self, parts: usize) -> Vec<Range<Key>> {
        let keys = self.first.len() - 1;
        let mut cuts: Vec<Key> = vec![0];
        for part in 1..parts {
            let wanted = (self.mops.len() * part / parts) as u32;
            let cut = self.first.partition_point(|&first| first < wanted).min(keys) as Key;
            cuts.push(cut.max(*cuts.last().unwrap_or(&0)));
        }
        cuts.push(keys as Key);
        cuts.windows(2).map(|cut| cut[0]..cut[1]).collect()
    }
}
