//! How much work a search may do before it says that it does not know.

/// Edges that may still be looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    pub(super) fn new(edges: u64) -> Budget {
        Budget { left: edges }
    }

    /// Takes `edges` of it. False: there is not so much left, and nothing may be done any more.
    pub(super) fn take(&mut self, edges: u64) -> bool {
        let is_enough = self.left >= edges;
        self.left = self.left.saturating_sub(edges);
        is_enough
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }
}
