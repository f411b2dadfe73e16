//! What clients were told about their orders, matched with what is there.

use std::collections::BTreeMap;

use crate::check::ledger::Ledger;
use crate::check::walk::client;
use crate::history::{History, LedgerLine, Nanos, OrdersOp, OrdersReply, Outcome};

/// One acknowledged order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ack<'a> {
    /// What was asked for.
    pub(super) op: &'a OrdersOp,
    pub(super) order: i32,
    pub(super) user: u32,
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    /// Index of the completion.
    pub(super) event: u64,
    pub(super) warned: bool,
    pub(super) fate: Fate,
}

/// Where an acknowledged order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Present,
    Absent,
    /// The ledger was not read that far, or not at all.
    Unread,
}

/// What else a process was told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest<'a> {
    /// Definite failures.
    pub(super) failed: u64,
    /// The operation whose outcome is unknown; a process has at most one, its last.
    pub(super) unknown: Option<&'a OrdersOp>,
}

impl Rest<'_> {
    /// Whether the last of the lines that its process was not told of is the operation of unknown outcome, which is
    /// the process's last.
    pub(super) fn explains(&self, lines: &[&LedgerLine]) -> bool {
        self.unknown.zip(lines.last()).is_some_and(|(op, line)| line.holds(op))
    }
}

/// Everything that was told, and the ledger's lines that no acknowledgement accounts for.
pub(super) struct Acks<'a> {
    /// By order id, then by time.
    pub(super) acks: Vec<Ack<'a>>,
    /// By process, every one that ever placed an order.
    pub(super) rest: BTreeMap<u32, Rest<'a>>,
    /// By process, each by id.
    pub(super) unclaimed: BTreeMap<u32, Vec<&'a LedgerLine>>,
    /// Acknowledged orders that are there, and hold something else.
    pub(super) altered: Vec<(Ack<'a>, &'a LedgerLine)>,
    /// Orders that were there before the load.
    pub(super) earlier: u64,
}

impl<'a> Acks<'a> {
    pub(super) fn read(history: &'a History<OrdersOp>, ledger: Option<&Ledger<'a>>) -> Acks<'a> {
        let mut acks = Vec::new();
        let mut rest: BTreeMap<u32, Rest<'a>> = BTreeMap::new();
        let mut before_load = None;
        for call in history.calls() {
            if let (OrdersOp::Stock, Outcome::Ok { reply: OrdersReply::Stock(snapshot), .. }) =
                (call.op, &call.outcome)
                && rest.is_empty()
            {
                before_load.get_or_insert(snapshot.orders);
            }
            let (OrdersOp::Order { .. }, Some(user)) = (call.op, client(call.process)) else { continue };
            match call.outcome {
                Outcome::Ok { reply: OrdersReply::Ordered { order }, warning } => {
                    rest.entry(user).or_default();
                    acks.push(Ack {
                        op: call.op,
                        order: *order,
                        user,
                        start: call.start,
                        end: call.end,
                        event: call.completed.unwrap_or(call.invoked),
                        warned: warning.is_some(),
                        fate: Fate::Unread,
                    });
                }
                // An answer of the wrong kind: something was done, and nobody knows which order it is.
                Outcome::Ok { .. } | Outcome::Info(_) => {
                    rest.entry(user).or_default().unknown = Some(call.op);
                }
                Outcome::Fail(_) => rest.entry(user).or_default().failed += 1,
            }
        }
        acks.sort_unstable_by_key(|ack| (ack.order, ack.end, ack.event));
        let mut read = Acks { acks, rest, unclaimed: BTreeMap::new(), altered: Vec::new(), earlier: 0 };
        if let Some(ledger) = ledger {
            read.settle(ledger, before_load.unwrap_or(0).try_into().unwrap_or(0));
        }
        read
    }

    /// Of several acknowledgements of one id by one process, the last is the one that is there: an id is handed out
    /// again only after the order that had it was lost. The first `before_load` lines that nobody was told of were
    /// there before the load.
    fn settle(&mut self, ledger: &Ledger<'a>, before_load: usize) {
        for ack in &mut self.acks {
            ack.fate = if ledger.covers(ack.order) { Fate::Absent } else { Fate::Unread };
        }
        let mut from = 0;
        for (place, line) in ledger.lines().enumerate() {
            from += self.acks[from..].partition_point(|ack| ack.order < line.order);
            let same = self.acks[from..].iter_mut().take_while(|ack| ack.order == line.order);
            match same.filter(|ack| ack.user == line.user).last() {
                Some(ack) => {
                    ack.fate = Fate::Present;
                    if !line.holds(ack.op) {
                        self.altered.push((*ack, line));
                    }
                }
                None if place < before_load => self.earlier += 1,
                None => self.unclaimed.entry(line.user).or_default().push(line),
            }
        }
    }

    /// Operations whose outcome is unknown.
    pub(super) fn unknown(&self) -> u64 {
        self.rest.values().filter(|rest| rest.unknown.is_some()).count() as u64
    }

    /// Of those, the ones that are there.
    pub(super) fn unknown_present(&self) -> u64 {
        let there = |(user, lines): &(&u32, &Vec<&LedgerLine>)| {
            self.rest.get(user).is_some_and(|rest| rest.explains(lines))
        };
        self.unclaimed.iter().filter(there).count() as u64
    }
}
