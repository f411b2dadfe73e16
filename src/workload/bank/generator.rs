//! What a client of the bank does next: a function of the seed and the client's number.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::history::BankOp;

/// The most that one transfer moves.
const MOST: i64 = 5;

/// Transfers between two different accounts.
#[derive(Debug)]
pub struct Transfers {
    random: ChaCha8Rng,
    accounts: i64,
}

impl Transfers {
    /// Those of client `thread`, between accounts 1 to `accounts`, at least two.
    pub fn new(seed: u64, thread: u32, accounts: i64) -> Transfers {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::from(thread));
        Transfers { random, accounts: accounts.max(2) }
    }
}

impl Iterator for Transfers {
    type Item = BankOp;

    fn next(&mut self) -> Option<BankOp> {
        let from = self.random.random_range(1..=self.accounts);
        // Any of the others.
        let other = self.random.random_range(1..self.accounts);
        let to = if other < from { other } else { other + 1 };
        Some(BankOp::Transfer { from, to, amount: self.random.random_range(1..=MOST) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn same_seed_same_transfers_and_every_client_its_own() {
        let of = |seed, thread| Transfers::new(seed, thread, 4).take(200).collect::<Vec<BankOp>>();
        assert_eq!(of(7, 1), of(7, 1));
        assert_ne!(of(7, 1), of(7, 2));
        assert_ne!(of(7, 1), of(8, 1));
    }

    #[test]
    fn every_pair_of_different_accounts_comes_up() {
        let pairs: BTreeSet<(i64, i64)> = Transfers::new(1, 0, 3)
            .take(500)
            .map(|op| match op {
                BankOp::Transfer { from, to, amount } if (1..=MOST).contains(&amount) => (from, to),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(pairs, BTreeSet::from([(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)]));
    }
}
