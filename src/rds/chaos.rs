//! What makes the control plane behave as badly as the real one sometimes does, and which bug is planted in it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How badly it behaves; the default is not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chaos {
    /// Of the failovers that are accepted, the part that is not performed, 0 to 1.
    pub drop_failover: f64,
    /// Of all requests, the part that is answered with `Throttling`, 0 to 1.
    pub throttle: f64,
    /// How much longer a state in between lasts than what is done in it.
    pub slow_states: Duration,
    /// What the dice begin with.
    pub seed: u64,
}

/// A bug of the data plane, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// Commits wait for nobody, and the readers stop receiving half a second before a failover.
    LossyFailover,
    /// Local write forwarding is said to be enabled, and no reader knows of its modes of consistency.
    StaleForwarding,
}

/// Decides, one draw after the other.
#[derive(Debug)]
pub(super) struct Dice {
    chaos: Chaos,
    random: Mutex<ChaCha8Rng>,
}

impl Dice {
    pub(super) fn new(chaos: Chaos) -> Dice {
        Dice { chaos, random: Mutex::new(ChaCha8Rng::seed_from_u64(chaos.seed)) }
    }

    /// Whether this failover is accepted and forgotten.
    pub(super) fn drops_failover(&self) -> bool {
        self.falls(self.chaos.drop_failover)
    }

    /// Whether this request is one too many.
    pub(super) fn throttles(&self) -> bool {
        self.falls(self.chaos.throttle)
    }

    /// How much longer a state in between is to last.
    pub(super) fn delay(&self) -> Duration {
        self.chaos.slow_states
    }

    fn falls(&self, probability: f64) -> bool {
        // What is switched off draws nothing, so that it does not change what the others draw.
        probability > 0.0
            && self.random.lock().unwrap_or_else(PoisonError::into_inner).random_bool(probability.min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(chaos: Chaos) -> Vec<bool> {
        let dice = Dice::new(chaos);
        (0..200).map(|_| dice.drops_failover()).collect()
    }

    #[test]
    fn a_seed_stands_for_the_same_draws_and_a_part_for_that_part() {
        let chaos = Chaos { drop_failover: 0.3, seed: 7, ..Chaos::default() };
        assert_eq!(draws(chaos), draws(chaos));
        assert_ne!(draws(chaos), draws(Chaos { seed: 8, ..chaos }));
        let dropped = draws(chaos).iter().filter(|dropped| **dropped).count();
        assert!((40..80).contains(&dropped), "{dropped}");
        assert!(draws(Chaos { drop_failover: 1.0, ..chaos }).iter().all(|dropped| *dropped));
        assert!(!draws(Chaos::default()).iter().any(|dropped| *dropped));
    }
}
