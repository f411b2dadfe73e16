//! What a link does to the bytes that cross it.

use std::num::NonZeroU64;
use std::time::Duration;

/// A way through a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From whoever connected to the link's port, towards the target.
    ToServer,
    /// From the target, towards whoever connected.
    ToClient,
}

/// Something for each way through a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Both<T> {
    /// For [`Direction::ToServer`].
    pub to_server: T,
    /// For [`Direction::ToClient`].
    pub to_client: T,
}

/// What one way through a link is like; the default lets everything through as it comes. Shared by all connections of
/// the link, as a cable would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Nothing is delivered, and nothing refused: a partition that drops packets.
    pub blocked: bool,
    /// How long a byte is under way at least. A day at most; more counts as a day.
    pub latency: Duration,
    /// How much longer it may take: uniform between nothing and this, drawn for each piece that was sent at once. A
    /// piece never overtakes an earlier one.
    pub jitter: Duration,
    /// Bytes a second, all connections together; `None` is as fast as this machine.
    pub bandwidth: Option<NonZeroU64>,
}

/// The most that is put on the wire at once, in bytes.
const LARGEST_PIECE: u64 = 64 * 1024;
/// The least where bandwidth is scarce: what a packet on an Ethernet holds.
const PACKET: u64 = 1448;
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Shape {
    /// A partition.
    pub const BLOCKED: Shape =
        Shape { blocked: true, latency: Duration::ZERO, jitter: Duration::ZERO, bandwidth: None };

    /// How many bytes are put on the wire at once: with a bandwidth, about as many as it takes in 10 ms.
    pub(super) fn piece(&self) -> usize {
        let piece =
            self.bandwidth.map_or(LARGEST_PIECE, |rate| (rate.get() / 100).clamp(PACKET, LARGEST_PIECE));
        piece as usize
    }

    /// The time under way without its random part, and the most that this part can be.
    pub(super) fn delays(&self) -> (Duration, Duration) {
        (self.latency.min(LONGEST), self.jitter.min(LONGEST))
    }
}

impl Direction {
    /// Both of them.
    pub const ALL: [Direction; 2] = [Direction::ToServer, Direction::ToClient];
}

impl<T> Both<T> {
    /// One for each way.
    pub fn new(mut of: impl FnMut(Direction) -> T) -> Both<T> {
        Both { to_server: of(Direction::ToServer), to_client: of(Direction::ToClient) }
    }

    /// The one for `direction`.
    pub fn get(&self, direction: Direction) -> &T {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}
