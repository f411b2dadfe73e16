//! A node's final ledger, put together from the chunks in which it was read.

use crate::history::{History, LEDGER_CHUNK, LedgerLine, NodeName, OrdersOp, OrdersReply, Outcome};

/// The orders of one node after the load, by id; each id once.
pub(super) struct Ledger<'a> {
    chunks: Vec<&'a [LedgerLine]>,
    /// The last id that was read.
    last: i32,
    /// Whether there is nothing above `last`.
    pub(super) complete: bool,
    /// The completions of the reads.
    pub(super) events: Vec<u64>,
}

impl<'a> Ledger<'a> {
    /// The last ledger that was read on `node` after event `load_end`, or why there is none.
    ///
    /// A chunk that does not continue the one before starts over where it asks from the beginning, and is left out
    /// where it does not. Ids that are not above the ones before make the ledger worthless: it is none.
    pub(super) fn read(
        history: &'a History<OrdersOp>,
        node: NodeName,
        load_end: Option<u64>,
    ) -> Result<Ledger<'a>, String> {
        let mut found: Option<Ledger<'a>> = None;
        for call in history.calls().filter(|call| call.node == node && Some(call.invoked) > load_end) {
            let (OrdersOp::Ledger { after }, Outcome::Ok { reply: OrdersReply::Ledger(lines), .. }) =
                (call.op, call.outcome)
            else {
                continue;
            };
            if *after <= 0 {
                found =
                    Some(Ledger { chunks: Vec::new(), last: *after, complete: false, events: Vec::new() });
            }
            let Some(ledger) = found.as_mut().filter(|ledger| !ledger.complete && ledger.last == *after)
            else {
                continue;
            };
            let ascending = std::iter::once(*after)
                .chain(lines.iter().map(|line| line.order))
                .zip(lines)
                .all(|(before, line)| before < line.order);
            if !ascending {
                return Err(format!("the final ledger of {node} is not in the order of its ids"));
            }
            ledger.last = lines.last().map_or(ledger.last, |line| line.order);
            ledger.complete = lines.len() < LEDGER_CHUNK;
            ledger.chunks.push(lines);
            ledger.events.extend(call.completed);
        }
        found.ok_or_else(|| format!("{node} has no final ledger"))
    }

    /// The lines, by id.
    pub(super) fn lines(&self) -> impl Iterator<Item = &'a LedgerLine> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// Whether `order` would be among the lines, if it were there.
    pub(super) fn covers(&self, order: i32) -> bool {
        self.complete || order <= self.last
    }

    /// Why the ledger is not the whole one, if it is not.
    pub(super) fn doubt(&self, node: NodeName) -> Option<String> {
        (!self.complete)
            .then(|| format!("the final ledger of {node} was read only up to order {}", self.last))
    }
}
