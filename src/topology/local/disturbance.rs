//! What a node's network is in, and what that makes of the links that the node is at an end of.

use crate::history::{Condition, Cut, Side, Slowness, Way};
use crate::topology::link::{Both, Direction, Shape};

/// What actions have left a node's network in. It outlasts the node's processes.
#[derive(Clone, Debug, Default)]
pub(super) struct Disturbance {
    /// Where it is cut.
    pub(super) cut: Option<Cut>,
    /// What every link of the node had forwarded when it was, in the order of the links.
    pub(super) passed: Vec<Both<u64>>,
    /// How it is slow.
    pub(super) slow: Option<Slowness>,
}

/// The end of a link that a node is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its clients connect to it.
    OfClients,
    /// A peer connects to it.
    Upstream,
    /// It connects to a peer.
    Replica,
}

impl End {
    /// Whether `side` means this link.
    pub(super) fn is_of(self, side: Side) -> bool {
        if self == End::OfClients { side.has_clients() } else { side.has_peers() }
    }

    /// The way through the link that leads to the node.
    fn inbound(self) -> Direction {
        if self == End::Replica { Direction::ToClient } else { Direction::ToServer }
    }
}

impl Disturbance {
    /// The conditions by name.
    pub(super) fn conditions(&self) -> impl Iterator<Item = Condition> {
        let isolated = self.cut.map(|_| Condition::Isolated);
        isolated.into_iter().chain(self.slow.map(|_| Condition::Slow))
    }

    /// Whether nothing, or not everything, passes on `side`.
    pub(super) fn cuts(&self, side: Side) -> bool {
        self.cut.is_some_and(|cut| cut.side.meets(side))
    }

    /// Whether the cut lets nothing pass this way through a link that the node is at this end of.
    pub(super) fn blocks(&self, end: End, direction: Direction) -> bool {
        let Some(cut) = self.cut.filter(|cut| end.is_of(cut.side)) else { return false };
        match cut.way {
            Way::Both => true,
            Way::In => direction == end.inbound(),
            Way::Out => direction != end.inbound(),
        }
    }

    /// What becomes of a way that is otherwise of `shape`. Two nodes that are both slow are as far apart as that adds up
    /// to.
    pub(super) fn disturb(&self, shape: Shape, end: End, direction: Direction) -> Shape {
        let blocked = shape.blocked || self.blocks(end, direction);
        let Some(slow) = self.slow.filter(|slow| end.is_of(slow.side)) else {
            return Shape { blocked, ..shape };
        };
        Shape {
            blocked,
            latency: shape.latency + std::time::Duration::from(slow.latency),
            jitter: shape.jitter + std::time::Duration::from(slow.jitter),
            bandwidth: shape.bandwidth.into_iter().chain(slow.bandwidth).min(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;
    use std::time::Duration;

    use super::*;
    use crate::history::Nanos;

    /// The ways that a cut blocks at each end, towards the server first.
    fn blocked(side: Side, way: Way) -> [[bool; 2]; 3] {
        let node = Disturbance { cut: Some(Cut { side, way }), ..Disturbance::default() };
        [End::OfClients, End::Upstream, End::Replica]
            .map(|end| Direction::ALL.map(|direction| node.disturb(Shape::default(), end, direction).blocked))
    }

    #[test]
    fn a_cut_is_where_and_whither_it_says() {
        const OPEN: [bool; 2] = [false, false];
        assert_eq!(blocked(Side::Both, Way::Both), [[true, true]; 3]);
        assert_eq!(blocked(Side::Clients, Way::Both), [[true, true], OPEN, OPEN]);
        assert_eq!(blocked(Side::Clients, Way::In), [[true, false], OPEN, OPEN]);
        assert_eq!(blocked(Side::Clients, Way::Out), [[false, true], OPEN, OPEN]);
        assert_eq!(blocked(Side::Peers, Way::Both), [OPEN, [true, true], [true, true]]);
        // What reaches a replica is what its upstream answers.
        assert_eq!(blocked(Side::Peers, Way::In), [OPEN, [true, false], [false, true]]);
        assert_eq!(blocked(Side::Both, Way::Out), [[false, true], [false, true], [true, false]]);
    }

    #[test]
    fn what_is_slow_at_both_ends_adds_up() {
        let slow = |side, millis, rate| Disturbance {
            slow: Some(Slowness {
                side,
                latency: Nanos::from_millis(millis),
                jitter: Nanos::from_millis(1),
                bandwidth: NonZeroU64::new(rate),
            }),
            ..Disturbance::default()
        };
        let shape = slow(Side::Both, 20, 0).disturb(Shape::default(), End::Upstream, Direction::ToServer);
        let shape = slow(Side::Peers, 5, 700).disturb(shape, End::Replica, Direction::ToServer);
        let millis = Duration::from_millis;
        let both =
            Shape { blocked: false, latency: millis(25), jitter: millis(2), bandwidth: NonZeroU64::new(700) };
        assert_eq!(shape, both);
        let other = slow(Side::Clients, 5, 900).disturb(shape, End::Replica, Direction::ToServer);
        assert_eq!(other, both);
        let thinner = slow(Side::Peers, 0, 900).disturb(shape, End::Replica, Direction::ToServer);
        assert_eq!(thinner.bandwidth, both.bandwidth);
    }
}
