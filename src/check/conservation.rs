//! Orders, node by node: does every snapshot show each order whole or not at all?
//!
//! Every order takes from the stock what it writes into its detail, in one transaction. So in any snapshot, of any
//! node and however old, stock plus ordered quantity is what it was before the load, and there are as many details
//! as orders; a difference is half of an order.

use std::collections::BTreeMap;

use crate::history::{Call, NodeName, OrdersOp, OrdersReply, Outcome, StockSnapshot};

use super::draft::Draft;
use super::ledger::Ledger;
use super::text::{at, count, plural};
use super::walk::last_write;
use super::{Checker, Claims, Evidence, Guarantee, Judgement};

/// Judges every stock snapshot, and the final ledger of every node.
pub(super) struct Conservation;

impl Checker<OrdersOp> for Conservation {
    fn name(&self) -> &'static str {
        "conservation"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Atomicity]
    }

    fn check(&self, evidence: &Evidence<'_, OrdersOp>, claims: &Claims) -> Vec<Judgement> {
        let baseline = Baseline::read(evidence);
        let load_end = last_write(evidence.history);
        let primaries = evidence.primaries();
        let mut nodes: BTreeMap<NodeName, Node> = BTreeMap::new();
        for &node in evidence.nodes {
            let draft = Draft::new(self.name(), Guarantee::Atomicity, Some(node), evidence, claims);
            nodes.insert(node, Node { draft, snapshots: 0, early: 0 });
        }
        for call in evidence.history.completed_ok() {
            if let Outcome::Ok { reply: OrdersReply::Stock(snapshot), .. } = call.outcome {
                let node = nodes.entry(call.node).or_insert_with(|| Node {
                    draft: Draft::new(self.name(), Guarantee::Atomicity, Some(call.node), evidence, claims),
                    snapshots: 0,
                    early: 0,
                });
                // A replica may open before it has replayed the start data; the primary is never without it.
                let on_primary = primaries.held(call.node, call.start, call.end);
                let may_be_early = !on_primary && Some(call.invoked) < load_end;
                node.judge(&call, snapshot, baseline.as_ref(), may_be_early);
            }
        }
        let order = evidence.nodes.iter().copied();
        let judged =
            order.filter_map(|name| nodes.remove(&name).map(|node| (name, node))).collect::<Vec<_>>();
        let finish = |(name, node): (NodeName, Node)| {
            node.finish(baseline.is_some(), name, Ledger::read(evidence.history, name, load_end))
        };
        judged.into_iter().chain(nodes).map(finish).collect()
    }
}

/// Stock plus ordered quantity by product, before the load.
struct Baseline(BTreeMap<i32, i128>);

impl Baseline {
    fn read(evidence: &Evidence<'_, OrdersOp>) -> Option<Baseline> {
        let primary = *evidence.nodes.first()?;
        let before_load =
            evidence.history.calls().take_while(|call| !matches!(call.op, OrdersOp::Order { .. }));
        before_load.filter(|call| call.node == primary).find_map(|call| match call.outcome {
            Outcome::Ok { reply: OrdersReply::Stock(snapshot), .. } => Some(Baseline(
                snapshot
                    .lines
                    .iter()
                    .map(|line| (line.product, i128::from(line.stock) + i128::from(line.ordered)))
                    .collect(),
            )),
            _ => None,
        })
    }

    /// How `snapshot` differs from it.
    fn difference(&self, snapshot: &StockSnapshot) -> Option<String> {
        let mut missing: usize = self.0.len();
        for line in &snapshot.lines {
            let Some(&expected) = self.0.get(&line.product) else {
                return Some(format!("product {} was not there before the load", line.product));
            };
            missing = missing.saturating_sub(1);
            let found = i128::from(line.stock) + i128::from(line.ordered);
            if found != expected {
                return Some(format!(
                    "product {} has {} in stock and {} ordered, {found} together, and had {expected} before the load",
                    line.product, line.stock, line.ordered
                ));
            }
        }
        (missing > 0).then(|| format!("{} missing", plural(missing as u64, "product")))
    }
}

struct Node {
    draft: Draft,
    snapshots: u64,
    /// Snapshots of a replica from before the start data.
    early: u64,
}

impl Node {
    fn judge(
        &mut self,
        call: &Call<'_, OrdersOp>,
        snapshot: &StockSnapshot,
        baseline: Option<&Baseline>,
        may_be_early: bool,
    ) {
        if may_be_early && snapshot.lines.is_empty() && snapshot.orders == 0 && snapshot.details == 0 {
            self.early += 1;
            return;
        }
        self.snapshots += 1;
        let negative = snapshot.lines.iter().find(|line| line.stock < 0);
        let wrong = if let Some(line) = negative {
            Some(format!("product {} has a stock of {}", line.product, line.stock))
        } else if snapshot.orders != snapshot.details {
            Some(format!("{} orders have {} details", snapshot.orders, snapshot.details))
        } else {
            baseline.and_then(|baseline| baseline.difference(snapshot))
        };
        if let Some(wrong) = wrong {
            self.draft.violation(&[call.completed.unwrap_or(call.invoked)], || {
                format!("a snapshot of {}, read at {}: {wrong}", call.node, at(call.end))
            });
        }
    }

    fn finish(mut self, has_baseline: bool, name: NodeName, ledger: Result<Ledger<'_>, String>) -> Judgement {
        let torn_snapshots = self.draft.violations();
        let mut lines = 0u64;
        match ledger {
            Err(reason) => self.draft.doubt(reason),
            Ok(ledger) => {
                ledger.doubt(name).into_iter().for_each(|reason| self.draft.doubt(reason));
                for line in ledger.lines() {
                    lines += 1;
                    if line.details != 1 {
                        self.draft.violation(&ledger.events, || {
                            format!("order {} on {name} has {} details at the end", line.order, line.details)
                        });
                    }
                }
            }
        }
        if self.snapshots == 0 {
            self.draft.doubt(format!("no snapshot of {name} was read"));
        }
        if !has_baseline {
            self.draft.doubt("the stock before the load was not read");
        }
        let torn_orders = self.draft.violations() - torn_snapshots;
        self.draft.count("snapshots judged", self.snapshots);
        self.draft.count("snapshots from before the start data", self.early);
        self.draft.count("snapshots with half an order", torn_snapshots);
        self.draft.count("orders in the final ledger", lines);
        self.draft.count("orders without exactly one detail", torn_orders);
        self.draft.finish(format!(
            "{} judged, {} with half an order; {} at the end, {} without exactly one detail",
            plural(self.snapshots, "snapshot"),
            count(torn_snapshots),
            plural(lines, "order"),
            count(torn_orders)
        ))
    }
}

#[cfg(test)]
mod tests;
