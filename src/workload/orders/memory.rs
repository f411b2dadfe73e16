//! The order system in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::history::{LEDGER_CHUNK, LedgerLine, OrdersOp, OrdersReply, StockLine, StockSnapshot, Table};
use crate::topology::memory::{Row, Session, Snapshot, Store, Write};
use crate::workload::{Answer, digest, lost_connection};

/// How long an answer is under way: the window in which a crash leaves the outcome unknown.
const ANSWER: Duration = Duration::from_millis(1);

pub(super) struct Orders {
    session: Session,
}

impl Orders {
    pub(super) fn new(session: Session) -> Orders {
        Orders { session }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn invoke(&mut self, process: u32, op: &OrdersOp) -> Answer<OrdersReply> {
        if let OrdersOp::Order { product, quantity, price } = *op {
            let done = self.session.commit(|store| place(store, process, product, quantity, price));
            tokio::time::sleep(ANSWER).await;
            return match done {
                None => Answer::Fail(lost_connection()),
                Some(Err(reason)) => Answer::refused(None, &reason),
                Some(Ok(_)) if !self.session.is_open() => Answer::Info(lost_connection()),
                Some(Ok(order)) => Answer::ok(OrdersReply::Ordered { order }),
            };
        }
        tokio::time::sleep(ANSWER).await;
        self.read(op).map_or_else(|| Answer::Fail(lost_connection()), Answer::ok)
    }

    fn read(&self, op: &OrdersOp) -> Option<OrdersReply> {
        let tables = [Table::Orders, Table::OrderDetails, Table::Inventory];
        Some(match *op {
            OrdersOp::Order { .. } => return None,
            OrdersOp::Stock => OrdersReply::Stock(stock(&self.session.scan(&tables)?)),
            OrdersOp::Ledger { after } => OrdersReply::Ledger(ledger(&self.session.scan(&tables)?, after)),
            OrdersOp::Digest { table } => {
                OrdersReply::Digest(digest::memory(&self.session.scan(&[table])?, table))
            }
        })
    }
}

/// Orders are (user, price), details (order, product, quantity, price), stock (product, units); the stock is written last.
fn place(
    store: &Store,
    user: u32,
    product: i32,
    quantity: i32,
    price: i64,
) -> Result<(Vec<Write>, i32), String> {
    let (product, quantity) = (i64::from(product), i64::from(quantity));
    let units = store.get(Table::Inventory, product).and_then(|row| row.get(1)).copied().unwrap_or(0);
    if units < quantity {
        return Err("out of stock".to_owned());
    }
    let (order, detail) = (store.next_key(Table::Orders), store.next_key(Table::OrderDetails));
    let put = |table, key, row: Row| Write { table, key, row: Some(row) };
    let writes = vec![
        put(Table::Orders, order, vec![i64::from(user), price]),
        put(Table::OrderDetails, detail, vec![order, product, quantity, price]),
        put(Table::Inventory, product, vec![product, units - quantity]),
    ];
    Ok((writes, i32::try_from(order).unwrap_or(i32::MAX)))
}

fn stock(shown: &Snapshot) -> StockSnapshot {
    let mut lines: BTreeMap<i64, StockLine> = BTreeMap::new();
    for row in shown[&Table::Inventory].values() {
        let product = i32::try_from(row[0]).unwrap_or(i32::MAX);
        lines.insert(row[0], StockLine { product, stock: row[1], ordered: 0 });
    }
    for row in shown[&Table::OrderDetails].values() {
        if let Some(line) = lines.get_mut(&row[1]) {
            line.ordered += row[2];
        }
    }
    let count = |table| shown[&table].len() as i64;
    StockSnapshot {
        lines: lines.into_values().collect(),
        orders: count(Table::Orders),
        details: count(Table::OrderDetails),
    }
}

fn ledger(shown: &Snapshot, after: i32) -> Vec<LedgerLine> {
    let mut details: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
    for row in shown[&Table::OrderDetails].values() {
        details.entry(row[0]).or_default().push(row);
    }
    let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    let page = shown[&Table::Orders].range(i64::from(after) + 1..).take(LEDGER_CHUNK);
    page.map(|(order, row)| {
        let details = details.get(order).map(Vec::as_slice).unwrap_or_default();
        let sum = |column: usize| details.iter().map(|row| row[column]).sum::<i64>();
        LedgerLine {
            order: small(*order),
            user: u32::try_from(row[0]).unwrap_or(u32::MAX),
            details: u32::try_from(details.len()).unwrap_or(u32::MAX),
            product: small(details.iter().map(|row| row[1]).min().unwrap_or(0)),
            quantity: small(sum(2)),
            price: row[1],
            subtotal: sum(3),
        }
    })
    .collect()
}
