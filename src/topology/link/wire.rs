//! The bandwidth of a link, shared by its connections.

use std::num::NonZeroU64;
use std::time::Duration;

use tokio::time::Instant;

const NANOS: u128 = 1_000_000_000;

/// A wire that takes bytes one after the other. Its time is counted from the beginning of a busy period, not from piece
/// to piece: what a division cuts off is never added up.
#[derive(Debug, Default)]
pub(super) struct Wire {
    busy: Option<Busy>,
}

#[derive(Debug)]
struct Busy {
    since: Instant,
    taken: u64,
    free: Instant,
}

impl Wire {
    /// Puts `bytes` on the wire; answers when it has taken the last of them.
    pub(super) fn take(&mut self, now: Instant, bytes: usize, bandwidth: Option<NonZeroU64>) -> Instant {
        let Some(rate) = bandwidth else { return now };
        let busy = match &mut self.busy {
            Some(busy) if busy.free > now => busy,
            idle => idle.insert(Busy { since: now, taken: 0, free: now }),
        };
        busy.taken += bytes as u64;
        let nanos = u128::from(busy.taken) * NANOS / u128::from(rate.get());
        busy.free = busy.since + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        busy.free
    }

    /// Forgets what it had taken: it is under way at another rate now, or lost.
    pub(super) fn clear(&mut self) {
        self.busy = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(bytes: u64) -> Option<NonZeroU64> {
        NonZeroU64::new(bytes)
    }

    #[test]
    fn does_not_drift() {
        // Three bytes a second: no piece takes a whole number of nanoseconds.
        let (mut wire, begin) = (Wire::default(), Instant::now());
        let mut free = begin;
        for _ in 0..3_000_000 {
            free = wire.take(begin, 1, rate(3));
        }
        assert_eq!(free - begin, Duration::from_secs(1_000_000));
    }

    #[test]
    fn an_idle_wire_saves_nothing_up() {
        let (mut wire, begin) = (Wire::default(), Instant::now());
        assert_eq!(wire.take(begin, 500, rate(1000)) - begin, Duration::from_millis(500));
        let later = begin + Duration::from_secs(60);
        assert_eq!(wire.take(later, 500, rate(1000)) - later, Duration::from_millis(500));
        assert_eq!(wire.take(later, 500, rate(1000)) - later, Duration::from_secs(1));
        wire.clear();
        assert_eq!(wire.take(later, 500, rate(1000)) - later, Duration::from_millis(500));
        assert_eq!(wire.take(later, 500, None), later);
    }
}
