//! What a client does next: a function of the seed and the client's number.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Holds;
use crate::history::{Micro, TxnOp};

/// Keys of a last read: few enough for one statement each in one round trip.
const LAST: usize = 100;

/// Which keys are in use, and how they follow each other. Each client moves on to the next ones after so many writes of its
/// own, without asking the others: clients that are as fast as each other use the same keys at about the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// At the same time.
    pub in_use: u32,
    /// Writes that each key gets from all clients together, about.
    pub writes: u32,
    /// Clients that write.
    pub clients: u32,
}

impl Keys {
    /// A client's own writes before every key in use has been replaced.
    fn span(self) -> u64 {
        (u64::from(self.in_use) * u64::from(self.writes) / u64::from(self.clients.max(1))).max(1)
    }

    /// The key in `place` of those in use, for a client that has written `written` times. They are replaced one after the
    /// other, so that there are always old and new ones.
    fn key(self, place: u32, written: u64) -> i64 {
        let in_use = u64::from(self.in_use);
        let shifted = written + u64::from(place) * self.span() / in_use;
        (shifted / self.span() * in_use + u64::from(place)) as i64
    }
}

/// Transactions of one to `length` reads and writes each.
#[derive(Debug)]
pub struct Mix {
    random: ChaCha8Rng,
    holds: Holds,
    keys: Keys,
    length: u32,
    thread: u32,
    written: u64,
}

impl Mix {
    /// Those of client `thread`.
    pub fn new(seed: u64, thread: u32, holds: Holds, keys: Keys, length: u32) -> Mix {
        Mix { random: random(seed, thread), holds, keys, length, thread, written: 0 }
    }

    fn micro(&mut self) -> Micro {
        let place = self.random.random_range(0..self.keys.in_use);
        let key = self.keys.key(place, self.written);
        if self.random.random_bool(0.5) {
            return Micro::Read(key);
        }
        // No other client, and this one never again, writes this number.
        let value = self.written * u64::from(self.keys.clients) + u64::from(self.thread) + 1;
        self.written += 1;
        self.holds.write(key, value as i64)
    }
}

impl Iterator for Mix {
    type Item = TxnOp;

    fn next(&mut self) -> Option<TxnOp> {
        let length = self.random.random_range(1..=self.length);
        let mut micros: Vec<Micro> = (0..length).map(|_| self.micro()).collect();
        // Key by key: transactions that lock the same keys in different orders would wait for each other in a circle, and
        // for a second each time until the server notices.
        micros.sort_by_key(Micro::key);
        Some(TxnOp::Transaction(micros))
    }
}

/// Transactions that read several of the keys that are in use. Who only reads does not know how far the writers are: it
/// reads what `progress` says.
#[derive(Debug)]
pub struct ReadOnly<P> {
    random: ChaCha8Rng,
    keys: Keys,
    length: u32,
    progress: P,
}

impl<P: Fn() -> u64> ReadOnly<P> {
    /// Those of client `thread`; `progress` is how often all clients together have written.
    pub fn new(seed: u64, thread: u32, keys: Keys, length: u32, progress: P) -> ReadOnly<P> {
        ReadOnly { random: random(seed, thread), keys, length, progress }
    }
}

impl<P: Fn() -> u64> Iterator for ReadOnly<P> {
    type Item = TxnOp;

    fn next(&mut self) -> Option<TxnOp> {
        let written = (self.progress)() / u64::from(self.keys.clients.max(1));
        let length = self.random.random_range(1..=self.length.max(2));
        let mut places: Vec<u32> =
            (0..length).map(|_| self.random.random_range(0..self.keys.in_use)).collect();
        // The same key twice in one snapshot tells nothing new.
        places.sort_unstable();
        places.dedup();
        let read = |place: u32| Micro::Read(self.keys.key(place, written));
        Some(TxnOp::Transaction(places.into_iter().map(read).collect()))
    }
}

/// Reads of every one of `keys`, in as few transactions as may be.
pub fn last_reads(keys: &[i64]) -> Vec<TxnOp> {
    keys.chunks(LAST).map(|chunk| TxnOp::Last(chunk.iter().map(|&key| Micro::Read(key)).collect())).collect()
}

fn random(seed: u64, thread: u32) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(thread));
    random
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::history::Operation;

    const KEYS: Keys = Keys { in_use: 4, writes: 20, clients: 3 };

    fn mix(seed: u64, thread: u32) -> Vec<TxnOp> {
        Mix::new(seed, thread, Holds::List, KEYS, 4).take(500).collect()
    }

    #[test]
    fn same_seed_same_transactions_and_every_client_its_own() {
        assert_eq!(mix(7, 1), mix(7, 1));
        assert_ne!(mix(7, 1), mix(7, 2));
        assert_ne!(mix(7, 1), mix(8, 1));
    }

    #[test]
    fn nothing_is_written_twice_and_keys_get_about_as_many_writes_as_they_should() {
        let mut values = BTreeSet::new();
        let mut writes: BTreeMap<i64, u32> = BTreeMap::new();
        for op in (0..3).flat_map(|thread| mix(1, thread)) {
            for micro in op.micros() {
                let Micro::Append(key, value) = *micro else { continue };
                assert!(values.insert(value), "{value} twice");
                *writes.entry(key).or_default() += 1;
            }
        }
        assert!(writes.len() > 40, "keys are replaced: {}", writes.len());
        assert!(writes.values().all(|&writes| writes <= 2 * KEYS.writes), "{writes:?}");
    }

    #[test]
    fn as_many_keys_are_in_use_as_were_asked_for() {
        for written in 0..200 {
            let keys: BTreeSet<i64> = (0..KEYS.in_use).map(|place| KEYS.key(place, written)).collect();
            assert_eq!(keys.len(), 4, "{keys:?}");
        }
    }

    #[test]
    fn readers_read_and_follow_the_writers() {
        let keys = |progress: u64| -> BTreeSet<i64> {
            let ops = ReadOnly::new(3, 5, KEYS, 4, move || progress).take(100);
            let ops: Vec<TxnOp> = ops.collect();
            assert!(ops.iter().all(Operation::is_read_only));
            ops.iter()
                .flat_map(|op| op.micros().to_vec())
                .map(|micro| match micro {
                    Micro::Read(key) => key,
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        assert_eq!(keys(0), (0..4).collect());
        assert!(keys(3000).iter().all(|&key| key > 20));
        assert_eq!(last_reads(&(0..250).collect::<Vec<i64>>()).len(), 3);
    }
}
