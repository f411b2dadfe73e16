//! Numbers from a seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A source of numbers; the same seed gives the same ones.
#[derive(Debug)]
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `limit`. Written out, so that a new version of the random library cannot change the schedule that a
    /// seed stands for.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(limit)) >> 64) as u64
    }

    /// A number from `low` to `high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// One of `choices`, each as likely as its weight says; none where there is no weight.
    pub(super) fn choose<T: Copy>(&mut self, choices: &[(u64, T)]) -> Option<T> {
        let total: u64 = choices.iter().map(|(weight, _)| weight).sum();
        let mut point = if total == 0 { return None } else { self.below(total) };
        for (weight, choice) in choices {
            match point.checked_sub(*weight) {
                None => return Some(*choice),
                Some(left) => point = left,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_kept() {
        let mut random = Random::new(1);
        let mut drawn = [0; 3];
        for _ in 0..10_000 {
            drawn[random.choose(&[(1, 0), (0, 1), (3, 2)]).unwrap()] += 1;
        }
        assert!(drawn[1] == 0 && (2_300..2_700).contains(&drawn[0]), "{drawn:?}");
        assert_eq!(random.choose::<usize>(&[]), None);
        assert_eq!(random.choose(&[(0, 1)]), None);
        assert!((0..100).all(|_| (5..=7).contains(&random.between(5, 7))));
    }
}
