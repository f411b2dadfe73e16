//! What a client orders next: a function of the seed and the client's number.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::history::OrdersOp;

/// The three orders of the document that the lab grew out of: user, product, quantity, price in hundredths.
pub const EXAMPLE: [(u32, i32, i32, i64); 3] = [(1, 2, 1, 10_000), (2, 1, 2, 20_000), (1, 1, 1, 15_000)];

/// An endless sequence of orders.
#[derive(Debug)]
pub struct Orders {
    random: ChaCha8Rng,
    products: i32,
}

impl Orders {
    /// The orders of client `thread` among `products` products.
    pub fn new(seed: u64, thread: u32, products: i32) -> Orders {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::from(thread));
        Orders { random, products }
    }
}

impl Iterator for Orders {
    type Item = OrdersOp;

    fn next(&mut self) -> Option<OrdersOp> {
        let product = self.random.random_range(1..=self.products);
        let quantity = self.random.random_range(1..=3);
        let unit_price = 999 + 50 * i64::from(product % 100);
        Some(OrdersOp::Order { product, quantity, price: unit_price * i64::from(quantity) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_orders_and_every_client_its_own() {
        let take = |seed, thread| Orders::new(seed, thread, 30).take(50).collect::<Vec<_>>();
        assert_eq!(take(7, 1), take(7, 1));
        assert_ne!(take(7, 1), take(7, 2));
        assert_ne!(take(7, 1), take(8, 1));
    }

    #[test]
    fn stays_within_the_products() {
        let all_within = Orders::new(1, 0, 3)
            .take(500)
            .all(|op| matches!(op, OrdersOp::Order { product: 1..=3, quantity: 1..=3, price: 1.. }));
        assert!(all_within);
    }
}
