//! Who was the primary when: what a failover changes for everybody who reads a history.

use super::{FaultOp, History, Nanos, NodeName, Outcome};

/// One node's time as the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    /// Which.
    pub node: NodeName,
    /// From here on it certainly was.
    pub from: Nanos,
    /// Until here it certainly was; it may have been down.
    pub until: Nanos,
}

/// The primaries of a run, one after the other. While one is replaced by the next, nobody certainly is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenures {
    tenures: Vec<Tenure>,
    /// Since when nobody knows: an attempt of unknown outcome to make another node the primary.
    lost_at: Nanos,
}

impl Tenures {
    /// As the faults tell, in a cluster whose primary was `first` when the load began.
    pub fn of(faults: &History<FaultOp>, first: NodeName) -> Tenures {
        let mut tenures = vec![Tenure { node: first, from: Nanos(0), until: Nanos(u64::MAX) }];
        let mut lost_at = Nanos(u64::MAX);
        for call in faults.calls() {
            let FaultOp::Act { action, .. } = call.op else { continue };
            if !action.moves_primary() || matches!(call.outcome, Outcome::Fail(_)) {
                continue;
            }
            if let Some(last) = tenures.last_mut() {
                last.until = last.until.min(call.start);
            }
            match call.outcome {
                Outcome::Ok { .. } => {
                    tenures.push(Tenure { node: call.node, from: call.end, until: Nanos(u64::MAX) });
                }
                _ => lost_at = lost_at.min(call.start),
            }
        }
        Tenures { tenures, lost_at }
    }

    /// By time.
    pub fn iter(&self) -> impl Iterator<Item = &Tenure> {
        self.tenures.iter()
    }

    /// The primary at the start.
    pub fn first(&self) -> NodeName {
        self.tenures[0].node
    }

    /// The primary at the end; `None` where that is not known.
    pub fn last(&self) -> Option<NodeName> {
        let known = self.lost_at == Nanos(u64::MAX);
        self.tenures.last().filter(|_| known).map(|tenure| tenure.node)
    }

    /// Whether there was more than one.
    pub fn moved(&self) -> bool {
        self.tenures.len() > 1 || self.last().is_none()
    }

    /// Whether `node` certainly was the primary all the time from `start` to `end`.
    pub fn held(&self, node: NodeName, start: Nanos, end: Nanos) -> bool {
        self.tenures.iter().any(|one| one.node == node && one.from <= start && end <= one.until)
    }

    /// Whether `node` may have been the primary at some time from `start` to `end`: it was before and after, or is about
    /// to be.
    pub fn may_hold(&self, node: NodeName, start: Nanos, end: Nanos) -> bool {
        let begins =
            |place: usize| place.checked_sub(1).map_or(Nanos(0), |before| self.tenures[before].until);
        let ends = |place: usize| self.tenures.get(place + 1).map_or(Nanos(u64::MAX), |after| after.from);
        let mut places = self.tenures.iter().enumerate().filter(|(_, one)| one.node == node);
        self.lost_at <= end || places.any(|(place, _)| begins(place) <= end && start <= ends(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::notation::history;

    const MS: fn(u64) -> Nanos = Nanos::from_millis;

    #[test]
    fn a_promotion_ends_one_and_begins_another() {
        let (primary, replica) = (NodeName::primary(), NodeName::replica(1));
        let tenures =
            Tenures::of(&history("1-2 nemesis@primary fence-kill; 3-9 nemesis@replica-1 promote"), primary);
        assert_eq!((tenures.first(), tenures.last(), tenures.moved()), (primary, Some(replica), true));
        assert!(tenures.held(primary, MS(0), MS(3)) && !tenures.held(primary, MS(2), MS(4)));
        assert!(tenures.held(replica, MS(9), MS(50)) && !tenures.held(replica, MS(8), MS(50)));
        assert!(tenures.may_hold(primary, MS(8), MS(20)) && !tenures.may_hold(primary, MS(10), MS(20)));
        assert!(tenures.may_hold(replica, MS(1), MS(4)) && !tenures.may_hold(replica, MS(1), MS(2)));
    }

    #[test]
    fn without_one_the_first_stays() {
        let tenures = Tenures::of(
            &history("1-2 nemesis@primary crash; 3-9 nemesis@replica-1 promote !"),
            NodeName::primary(),
        );
        assert_eq!((tenures.last(), tenures.moved()), (Some(NodeName::primary()), false));
        assert!(tenures.held(NodeName::primary(), MS(0), MS(1_000)));
    }

    #[test]
    fn an_unknown_outcome_leaves_nobody() {
        let tenures = Tenures::of(&history("3-9 nemesis@replica-1 promote ?"), NodeName::primary());
        assert_eq!((tenures.last(), tenures.moved()), (None, true));
        assert!(
            !tenures.held(NodeName::primary(), MS(2), MS(5))
                && tenures.may_hold(NodeName::replica(2), MS(5), MS(6))
        );
    }

    #[test]
    fn one_can_come_back() {
        let primary = NodeName::primary();
        let tenures = Tenures::of(
            &history("1-2 nemesis@replica-1 switchover; 5-6 nemesis@primary switchover"),
            primary,
        );
        assert_eq!(tenures.last(), Some(primary));
        assert!(tenures.held(primary, MS(6), MS(7)) && !tenures.held(primary, MS(0), MS(7)));
        assert!(!tenures.may_hold(primary, MS(3), MS(4)) && tenures.may_hold(primary, MS(3), MS(5)));
    }
}
