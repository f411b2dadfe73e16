//! The order system's operations: the seed's `process_order`, and the reads that judge it.

use serde::{Deserialize, Serialize};

use super::{Operation, Reply, Table, TableDigest};

/// A price in hundredths; the schema's `NUMERIC(10, 2)`.
pub type Cents = i64;

/// The most orders that one [`OrdersOp::Ledger`] returns.
pub const LEDGER_CHUNK: usize = 10_000;

/// What a client of the order system does. `users_id` of an order is the id of the process that placed it, so the
/// orders of a process whose acknowledgement never came can be told from those of any other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrdersOp {
    /// One transaction: insert the order, insert its detail, take the stock.
    Order {
        /// Which product, from 1.
        product: i32,
        /// How many.
        quantity: i32,
        /// The order's price.
        price: Cents,
    },
    /// A snapshot of the whole stock and of what was ordered, in one statement.
    Stock,
    /// Final read: the orders with an id above `after`, by id, at most [`LEDGER_CHUNK`] of them.
    Ledger {
        /// The last id that is already known.
        after: i32,
    },
    /// Final read: one table, row for row, as digests.
    Digest {
        /// Which one.
        table: Table,
    },
}

/// The answers, in the order of the operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrdersReply {
    /// The order's id.
    Ordered {
        /// `orders_id`.
        order: i32,
    },
    /// The snapshot.
    Stock(StockSnapshot),
    /// Orders by id.
    Ledger(Vec<LedgerLine>),
    /// A table.
    Digest(TableDigest),
}

/// What one statement saw of stock and orders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StockSnapshot {
    /// One line a product, by product.
    pub lines: Vec<StockLine>,
    /// Rows of `Orders`.
    pub orders: i64,
    /// Rows of `OrderDetails`.
    pub details: i64,
}

/// One product in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockLine {
    /// `product_id`.
    pub product: i32,
    /// `stock_quantity`, over all warehouses.
    pub stock: i64,
    /// The sum of `quantity` in `OrderDetails`.
    pub ordered: i64,
}

/// One order in the final ledger, joined with its details.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// `orders_id`.
    pub order: i32,
    /// `users_id`: the process that placed it.
    pub user: u32,
    /// How many rows of `OrderDetails` name it; one, when all is well.
    pub details: u32,
    /// `product_id` of its detail; 0 without one.
    pub product: i32,
    /// `quantity`, over all its details.
    pub quantity: i32,
    /// `order_price`.
    pub price: Cents,
    /// `subtotal`, over all its details.
    pub subtotal: Cents,
}

impl LedgerLine {
    /// Whether it holds what `op` asked for. Of an order that has not one detail only the price can be compared.
    pub fn holds(&self, op: &OrdersOp) -> bool {
        let OrdersOp::Order { product, quantity, price } = *op else { return false };
        let whole = (self.product, self.quantity, self.subtotal) == (product, quantity, price);
        self.price == price && (whole || self.details != 1)
    }
}

impl Operation for OrdersOp {
    type Reply = OrdersReply;

    fn is_read_only(&self) -> bool {
        !matches!(self, OrdersOp::Order { .. })
    }

    fn name(&self) -> &'static str {
        match self {
            OrdersOp::Order { .. } => "order",
            OrdersOp::Stock => "read stock",
            OrdersOp::Ledger { .. } => "read ledger",
            OrdersOp::Digest { .. } => "digest",
        }
    }

    fn is_load(&self) -> bool {
        matches!(self, OrdersOp::Order { .. } | OrdersOp::Stock)
    }
}

impl Reply for OrdersReply {
    fn digest(&self) -> Option<&TableDigest> {
        match self {
            OrdersReply::Digest(digest) => Some(digest),
            OrdersReply::Ordered { .. } | OrdersReply::Stock(_) | OrdersReply::Ledger(_) => None,
        }
    }
}
