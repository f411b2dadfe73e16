//! Whether a part shows the anomaly, and what that may still cost.

use std::collections::BTreeSet;

use crate::check::cycle::analysis::{Analysis, Trouble, analyze};
use crate::check::cycle::anomaly::{Anomaly, Order};
use crate::check::cycle::keyed::Scope;
use crate::history::txn::{Part, Parts};

/// What judging costs besides each micro-operation, in micro-operations.
const FIXED: u64 = 20;

/// Judges parts of one history.
pub(super) struct Trial<'t> {
    parts: &'t Parts<'t>,
    order: Order,
    anomaly: Anomaly,
    /// What the whole shows.
    allowed: BTreeSet<Anomaly>,
    /// What of the whole could not be judged.
    troubles: Vec<Trouble>,
    left: u64,
    is_spent: bool,
    judged: u64,
}

impl<'t> Trial<'t> {
    pub(super) fn new(
        parts: &'t Parts<'t>,
        order: Order,
        anomaly: Anomaly,
        whole: &Analysis,
        budget: u64,
    ) -> Trial<'t> {
        let allowed = whole.found.iter().map(|found| found.anomaly).collect();
        let troubles = whole.troubles.clone();
        Trial { parts, order, anomaly, allowed, troubles, left: budget, is_spent: false, judged: 0 }
    }

    /// Whether the anomaly is found in `part`, and none that the whole does not show. False where the budget has ended.
    pub(super) fn shows(&mut self, part: &Part) -> bool {
        let cost = FIXED + part.mops.len() as u64;
        self.is_spent |= cost > self.left;
        if self.is_spent {
            return false;
        }
        self.left -= cost;
        self.judged += 1;
        let analysis = analyze(&self.parts.cut(part), Scope::Whole, self.order);
        analysis.count(self.anomaly) > 0
            && analysis.found.iter().all(|found| self.allowed.contains(&found.anomaly))
            && analysis.troubles.iter().all(|trouble| self.troubles.contains(trouble))
    }

    /// Whether something was not tried that should have been.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
    }

    pub(super) fn judged(&self) -> u64 {
        self.judged
    }
}
