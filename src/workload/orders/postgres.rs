//! The order system on PostgreSQL.

use tokio::join;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;

use crate::history::{Cause, LEDGER_CHUNK, LedgerLine, OrdersOp, OrdersReply, StockLine, StockSnapshot};
use crate::pg::{self, PgError, Session, Stage, ToSql};
use crate::topology::Role;
use crate::workload::{Answer, digest, warning};

/// The order itself: user, price in hundredths.
pub const INSERT_ORDER: &str = "INSERT INTO Orders (users_id, order_price, order_date) \
     VALUES ($1, $2::bigint / 100.0, CURRENT_DATE) RETURNING orders_id";
/// Its one detail: order, product, quantity, price in hundredths.
pub const INSERT_DETAIL: &str = "INSERT INTO OrderDetails (order_id, product_id, quantity, subtotal) \
     VALUES ($1, $2, $3, $4::bigint / 100.0)";
/// Its stock: quantity, product.
pub const TAKE_STOCK: &str =
    "UPDATE Inventory SET stock_quantity = stock_quantity - $1 WHERE product_id = $2";

/// One statement, and so one snapshot, whatever the isolation level. The first row holds the totals.
const STOCK: &str = "\
    WITH ordered AS (SELECT product_id, sum(quantity) AS quantity, count(*) AS details FROM OrderDetails GROUP BY 1), \
         stock AS (SELECT product_id, sum(stock_quantity) AS units FROM Inventory GROUP BY 1) \
    SELECT NULL::int, (SELECT count(*) FROM Orders), coalesce((SELECT sum(details) FROM ordered), 0)::bigint \
    UNION ALL \
    (SELECT coalesce(stock.product_id, ordered.product_id), coalesce(units, 0)::bigint, coalesce(quantity, 0)::bigint \
       FROM stock FULL JOIN ordered USING (product_id) ORDER BY 1)";

/// The details of one page only are joined: there is no index on them, and a join with all would be made for each page.
const LEDGER: &str = "\
    WITH page AS (SELECT orders_id, users_id FROM Orders WHERE orders_id > $1 ORDER BY orders_id LIMIT $2), \
         detail AS (SELECT order_id FROM OrderDetails \
                     WHERE order_id > $1 AND order_id <= (SELECT max(orders_id) FROM page)) \
    SELECT orders_id, users_id, count(order_id) \
      FROM page LEFT JOIN detail ON order_id = orders_id GROUP BY 1, 2 ORDER BY 1";

/// The statements that place an order.
struct Place {
    order: Statement,
    detail: Statement,
    stock: Statement,
}

/// A session with its statements prepared.
pub(super) struct Orders {
    session: Session,
    role: Role,
    /// A replica refuses to place orders, and readers need none of it.
    place: Option<Place>,
    stock: Option<Statement>,
}

impl Orders {
    pub(super) async fn new(session: Session, role: Role) -> Result<Orders, Cause> {
        Ok(Orders { session, role, place: None, stock: None })
    }

    pub(super) async fn invoke(&mut self, process: u32, op: &OrdersOp) -> Answer<OrdersReply> {
        match *op {
            OrdersOp::Order { product, quantity, price } => {
                self.order(process, product, quantity, price).await
            }
            OrdersOp::Stock => Answer::read(self.stock().await.map(OrdersReply::Stock)),
            OrdersOp::Ledger { after } => Answer::read(self.ledger(after).await.map(OrdersReply::Ledger)),
            OrdersOp::Digest { table } => {
                Answer::read(digest::table(&self.session, self.role, table).await.map(OrdersReply::Digest))
            }
        }
    }

    /// One transaction in two round trips: what needs no answer travels together. Every statement's own answer is
    /// looked at, and the commit is the honest one, so pipelining hides nothing.
    async fn order(&mut self, process: u32, product: i32, quantity: i32, price: i64) -> Answer<OrdersReply> {
        let place = match &self.place {
            Some(place) => place,
            None => match prepare(&self.session).await {
                Ok(place) => self.place.insert(place),
                Err(error) => return Answer::error(Stage::BeforeCommit, &error),
            },
        };
        let session = &self.session;
        let user = i32::try_from(process).unwrap_or(i32::MAX);
        let head: [&(dyn ToSql + Sync); 2] = [&user, &price];
        let (begun, inserted) = join!(session.batch("BEGIN"), session.query_one(&place.order, &head));
        let inserted_alone = begun.is_err() && inserted.is_ok();
        let order: i32 = match begun.and(inserted) {
            Ok(row) => row.get(0),
            // `BEGIN` failed and the insert behind it did not: it was a transaction of its own.
            Err(error) if inserted_alone => return Answer::Info(pg::cause(&error)),
            Err(error) => {
                self.roll_back().await;
                return Answer::error(Stage::BeforeCommit, &error);
            }
        };
        let line: [&(dyn ToSql + Sync); 4] = [&order, &product, &quantity, &price];
        let take: [&(dyn ToSql + Sync); 2] = [&quantity, &product];
        let (detail, taken, committed) = join!(
            session.execute(&place.detail, &line),
            session.execute(&place.stock, &take),
            session.commit()
        );
        let rows = match detail.and(taken) {
            Ok(rows) => rows,
            // The server answered a statement of the transaction with an error and still speaks to us: what follows
            // in the same transaction, the commit too, is void.
            Err(error @ PgError::Sql { .. }) if committed.is_err() => {
                self.roll_back().await;
                return refusal(&error);
            }
            // Success after a failed statement cannot be; if it is, nothing is certain.
            Err(error) if committed.is_ok() => return Answer::Info(pg::cause(&error)),
            Err(error) => return Answer::error(Stage::CommitSent, &error),
        };
        match committed {
            Ok(()) => {
                let mut warning = warning(session.take_warnings());
                if rows != 1 {
                    warning = Some(format!("the stock of {rows} rows was taken, not of one").into());
                }
                Answer::Ok { reply: OrdersReply::Ordered { order }, warning }
            }
            Err(error) => Answer::error(Stage::CommitSent, &error),
        }
    }

    /// Leaves no transaction open; where that fails the session is over, and the next call says so.
    async fn roll_back(&self) {
        drop(self.session.batch("ROLLBACK").await);
        self.session.take_warnings();
    }

    async fn stock(&mut self) -> Result<StockSnapshot, PgError> {
        let statement = match &self.stock {
            Some(statement) => statement,
            None => self.stock.insert(self.session.prepare(STOCK).await?),
        };
        let rows = self.session.query(statement, &[]).await?;
        let mut snapshot = StockSnapshot::default();
        for row in &rows {
            let (left, right) = (row.get(1), row.get(2));
            match row.get::<_, Option<i32>>(0) {
                None => (snapshot.orders, snapshot.details) = (left, right),
                Some(product) => snapshot.lines.push(StockLine { product, stock: left, ordered: right }),
            }
        }
        snapshot.lines.sort_by_key(|line| line.product);
        Ok(snapshot)
    }

    async fn ledger(&self, after: i32) -> Result<Vec<LedgerLine>, PgError> {
        let statement = self.session.prepare(LEDGER).await?;
        let rows = self.session.query(&statement, &[&after, &(LEDGER_CHUNK as i64)]).await?;
        let line = |row: &tokio_postgres::Row| LedgerLine {
            order: row.get(0),
            user: u32::try_from(row.get::<_, i32>(1)).unwrap_or(u32::MAX),
            details: u32::try_from(row.get::<_, i64>(2)).unwrap_or(u32::MAX),
        };
        Ok(rows.iter().map(line).collect())
    }
}

async fn prepare(session: &Session) -> Result<Place, PgError> {
    let (order, detail, stock) =
        join!(session.prepare(INSERT_ORDER), session.prepare(INSERT_DETAIL), session.prepare(TAKE_STOCK));
    Ok(Place { order: order?, detail: detail?, stock: stock? })
}

/// The check `stock_quantity >= 0` is the shop's own rule, not a failure of the database.
fn refusal(error: &PgError) -> Answer<OrdersReply> {
    match error {
        PgError::Sql { sqlstate, .. } if sqlstate.as_str() == SqlState::CHECK_VIOLATION.code() => {
            Answer::refused(Some(sqlstate), "out of stock")
        }
        _ => Answer::Fail(pg::cause(error)),
    }
}
