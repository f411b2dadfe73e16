//! What one direction of a connection holds: bytes that wait, bytes under way, and how they end.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::time::Instant;

use super::lane::Lane;

/// The most bytes that a line holds; then the sender has to wait, as with a window of this size.
pub(super) const HELD: usize = 1024 * 1024;
/// The most pieces under way, so that many small ones take little memory as well.
const PIECES: usize = 4096;
/// How far ahead of its wire a connection may be: long enough that the wire stays busy while this thread waits for a
/// processor, short enough that a connection with much to send does not keep the others from it.
const LEAD: Duration = Duration::from_millis(50);

/// How a stream of bytes ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The sender has no more to say.
    Fin,
    /// The sender is gone.
    Reset,
}

/// A queue in three parts, the oldest first: arrived, under way, and not yet sent. It has no clock and no socket: time is
/// what its caller says.
#[derive(Debug)]
pub(super) struct Line {
    bytes: VecDeque<u8>,
    arrived: usize,
    under_way: VecDeque<Piece>,
    unsent: usize,
    end: Option<(End, Option<Instant>)>,
    /// When the wire has taken all that is sent.
    sent: Option<Instant>,
    /// When the last of it arrives: nothing arrives before.
    last: Option<Instant>,
    version: u64,
    jitter: ChaCha8Rng,
}

#[derive(Debug)]
struct Piece {
    bytes: usize,
    due: Instant,
}

impl Line {
    /// The jitter of line `number` of the link: the same seed and number draw the same.
    pub(super) fn new(seed: u64, number: u64) -> Line {
        let mut jitter = ChaCha8Rng::seed_from_u64(seed);
        jitter.set_stream(number);
        Line {
            bytes: VecDeque::new(),
            arrived: 0,
            under_way: VecDeque::new(),
            unsent: 0,
            end: None,
            sent: None,
            last: None,
            version: 0,
            jitter,
        }
    }

    /// How many bytes it holds.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many more it can hold; none after the end.
    pub(super) fn room(&self) -> usize {
        if self.end.is_some() { 0 } else { HELD.saturating_sub(self.len()) }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.unsent += bytes.len();
    }

    /// The stream ends after what the line holds. An end that is already on its way is overtaken by a worse one only.
    pub(super) fn finish(&mut self, end: End) {
        if self.end.is_none_or(|(known, _)| known == End::Fin && end == End::Reset) {
            self.end = Some((end, None));
        }
    }

    /// How the stream ends, if its end is known.
    pub(super) fn end(&self) -> Option<End> {
        self.end.map(|(end, _)| end)
    }

    /// Brings the line to `now`: obeys a new shape, sends what the wire takes, lets arrive what is due.
    pub(super) fn advance(&mut self, now: Instant, lane: &Lane) {
        if self.version != lane.version() {
            self.version = lane.version();
            self.reshape(now, lane);
        }
        self.send(now, lane);
        while self.under_way.front().is_some_and(|piece| piece.due <= now) {
            self.arrived += self.under_way.pop_front().map_or(0, |piece| piece.bytes);
        }
    }

    /// A block loses what is under way, and its sender sends it again afterwards. Anything else arrives when the old
    /// shape or the new one lets it, whichever is earlier: a fault that is lifted is lifted at once.
    fn reshape(&mut self, now: Instant, lane: &Lane) {
        (self.sent, self.last) = (None, None);
        if lane.shape().blocked {
            (self.arrived, self.unsent) = (0, self.bytes.len());
            self.under_way.clear();
            if let Some((_, due)) = &mut self.end {
                *due = None;
            }
            return;
        }
        for at in 0..self.under_way.len() {
            let Piece { bytes, due } = self.under_way[at];
            let due = due.min(self.schedule(now, bytes, lane));
            self.under_way[at].due = due;
            self.last = Some(due);
        }
        if let Some((end, Some(due))) = self.end {
            self.end = Some((end, Some(due.min(self.schedule(now, 0, lane)))));
        }
    }

    fn send(&mut self, now: Instant, lane: &Lane) {
        let shape = lane.shape();
        if shape.blocked {
            return;
        }
        while self.unsent > 0
            && self.under_way.len() < PIECES
            && self.sent.is_none_or(|sent| sent <= now + LEAD)
        {
            let bytes = self.unsent.min(shape.piece());
            let due = self.schedule(now, bytes, lane);
            self.under_way.push_back(Piece { bytes, due });
            self.unsent -= bytes;
        }
        if let (0, Some((end, None))) = (self.unsent, self.end) {
            self.end = Some((end, Some(self.schedule(now, 0, lane))));
        }
    }

    /// When a piece arrives that is sent now.
    fn schedule(&mut self, now: Instant, bytes: usize, lane: &Lane) -> Instant {
        let (latency, jitter) = lane.shape().delays();
        let sent = lane.take(now, bytes);
        self.sent = Some(sent);
        let due = sent + latency + self.up_to(jitter);
        let due = self.last.map_or(due, |last| last.max(due));
        self.last = Some(due);
        due
    }

    /// A duration between nothing and `most`. Written out, so that a new version of the random library cannot change
    /// what a seed stands for.
    fn up_to(&mut self, most: Duration) -> Duration {
        if most.is_zero() {
            return most;
        }
        let values = most.as_nanos() + 1;
        Duration::from_nanos(((u128::from(self.jitter.next_u64()) * values) >> 64) as u64)
    }

    /// Bytes to deliver now; more may follow.
    pub(super) fn ready(&self) -> &[u8] {
        let (front, _) = self.bytes.as_slices();
        &front[..front.len().min(self.arrived)]
    }

    /// `count` of the bytes that were ready are delivered.
    pub(super) fn delivered(&mut self, count: usize) {
        self.bytes.drain(..count);
        self.arrived -= count;
        if self.bytes.is_empty() {
            self.bytes.shrink_to(self.bytes.capacity().min(64 * 1024));
        }
    }

    /// The end that is to be delivered now. A reset does not wait for a receiver that takes nothing.
    pub(super) fn ended(&self, now: Instant) -> Option<End> {
        let (end, due) = self.end?;
        (due? <= now && (end == End::Reset || self.bytes.is_empty())).then_some(end)
    }

    /// When there is something to do again, if only time is needed for it.
    pub(super) fn next(&self, now: Instant, lane: &Lane) -> Option<Instant> {
        let arrival = self.under_way.front().map(|piece| piece.due);
        let end = self.end.and_then(|(_, due)| due);
        let waits = self.unsent > 0 && self.under_way.len() < PIECES && !lane.shape().blocked;
        let sending = self.sent.filter(|_| waits).and_then(|sent| sent.checked_sub(LEAD));
        [arrival, end, sending].into_iter().flatten().filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;
    use crate::topology::link::Shape;

    const MS: Duration = Duration::from_millis(1);

    fn slow(latency: Duration) -> Shape {
        Shape { latency, ..Shape::default() }
    }

    /// A line that holds 10 bytes, sent at the beginning.
    fn sent(shape: Shape) -> (Lane, Line, Instant) {
        let (lane, mut line, begin) = (Lane::default(), Line::new(1, 0), Instant::now());
        lane.set(shape);
        line.push(b"0123456789");
        line.advance(begin, &lane);
        (lane, line, begin)
    }

    #[test]
    fn a_block_loses_what_is_under_way_and_what_has_arrived() {
        for (latency, ready) in [(50 * MS, 0), (20 * MS, 10)] {
            let (lane, mut line, begin) = sent(slow(latency));
            line.finish(End::Fin);
            line.advance(begin + 20 * MS, &lane);
            assert_eq!(line.ready().len(), ready);
            lane.set(Shape::BLOCKED);
            for ms in 21..1000 {
                line.advance(begin + ms * MS, &lane);
                assert_eq!((line.ready(), line.ended(begin + ms * MS)), (&b""[..], None));
            }
            lane.set(slow(latency));
            let lifted = begin + 1000 * MS;
            line.advance(lifted, &lane);
            assert_eq!((line.ready(), line.next(lifted, &lane)), (&b""[..], Some(lifted + latency)));
            line.advance(lifted + latency, &lane);
            assert_eq!(line.ready(), b"0123456789");
            line.delivered(10);
            assert_eq!(line.ended(lifted + latency), Some(End::Fin));
        }
    }

    #[test]
    fn another_latency_makes_nothing_later_and_nothing_overtakes() {
        let (lane, mut line, begin) = sent(slow(50 * MS));
        lane.set(slow(500 * MS));
        line.push(b"later");
        line.advance(begin + 10 * MS, &lane);
        assert_eq!(line.next(begin + 10 * MS, &lane), Some(begin + 50 * MS));
        line.advance(begin + 50 * MS, &lane);
        assert_eq!(line.ready(), b"0123456789");
        assert_eq!(line.next(begin + 50 * MS, &lane), Some(begin + 510 * MS));
        lane.set(slow(5 * MS));
        line.advance(begin + 60 * MS, &lane);
        assert_eq!(line.next(begin + 60 * MS, &lane), Some(begin + 65 * MS));
        line.advance(begin + 65 * MS, &lane);
        assert_eq!(line.ready(), b"0123456789later");
    }

    #[test]
    fn another_bandwidth_is_that_of_what_is_under_way() {
        let (lane, mut line, begin) = sent(Shape { bandwidth: NonZeroU64::new(10), ..Shape::default() });
        assert_eq!(line.next(begin, &lane), Some(begin + 1000 * MS));
        lane.set(Shape { bandwidth: NonZeroU64::new(100), ..Shape::default() });
        line.advance(begin + 200 * MS, &lane);
        assert_eq!(line.next(begin + 200 * MS, &lane), Some(begin + 300 * MS));
    }

    #[test]
    fn a_reset_does_not_wait_for_a_receiver_and_replaces_an_end() {
        let (lane, mut line, begin) = sent(slow(5 * MS));
        line.finish(End::Fin);
        line.advance(begin + 5 * MS, &lane);
        assert_eq!((line.ready().len(), line.ended(begin + 5 * MS)), (10, None));
        line.finish(End::Reset);
        line.finish(End::Fin);
        line.advance(begin + 6 * MS, &lane);
        assert_eq!(line.ended(begin + 10 * MS), None);
        assert_eq!(line.ended(begin + 11 * MS), Some(End::Reset));
    }

    #[test]
    fn a_reset_overtakes_nothing_whatever_its_jitter() {
        for seed in 0..20 {
            let (lane, mut line, mut now) = (Lane::default(), Line::new(seed, 0), Instant::now());
            lane.set(Shape { jitter: 100 * MS, ..Shape::default() });
            line.push(b"0123456789");
            line.advance(now, &lane);
            line.finish(End::Reset);
            line.advance(now, &lane);
            while line.ended(now).is_none() {
                now = line.next(now, &lane).unwrap();
                line.advance(now, &lane);
            }
            assert_eq!(line.ready(), b"0123456789");
        }
    }

    #[test]
    fn many_small_pieces_take_little_memory() {
        let (lane, mut line, begin) = sent(slow(1000 * MS));
        for number in 1..=20_000_u32 {
            line.push(b"x");
            line.advance(begin + number * Duration::from_micros(10), &lane);
            assert!(line.under_way.len() <= 4096);
        }
        let mut now = begin;
        let mut count = 0;
        while line.len() > 0 {
            now = line.next(now, &lane).unwrap();
            line.advance(now, &lane);
            while !line.ready().is_empty() {
                count += line.ready().len();
                line.delivered(line.ready().len());
            }
        }
        assert_eq!((count, line.room()), (20_010, HELD));
        assert!(now < begin + 2100 * MS, "{:?}", now - begin);
        assert!(line.bytes.capacity() <= 64 * 1024);
    }
}
