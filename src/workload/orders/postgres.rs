//! The order system on PostgreSQL.

use tokio::join;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;

use crate::history::{Cause, LEDGER_CHUNK, LedgerLine, OrdersOp, OrdersReply, StockLine, StockSnapshot};
use crate::pg::{self, Failed, PgError, Session, Stage};
use crate::topology::Role;
use crate::workload::{Answer, digest, warning};

/// The order itself: user, price in hundredths.
pub const INSERT_ORDER: &str = "INSERT INTO Orders (users_id, order_price, order_date) \
     VALUES ($1, $2::bigint / 100.0, CURRENT_DATE) RETURNING orders_id";
/// The one detail of the order that this session just inserted: product, quantity, price in hundredths.
pub const INSERT_DETAIL: &str = "INSERT INTO OrderDetails (order_id, product_id, quantity, subtotal) \
     VALUES (currval('orders_orders_id_seq'), $1, $2, $3::bigint / 100.0)";
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
    WITH page AS (SELECT orders_id, users_id, order_price FROM Orders WHERE orders_id > $1 ORDER BY orders_id LIMIT $2), \
         detail AS (SELECT order_id, product_id, quantity, subtotal FROM OrderDetails \
                     WHERE order_id > $1 AND order_id <= (SELECT max(orders_id) FROM page)) \
    SELECT orders_id, users_id, count(order_id), coalesce(min(product_id), 0), coalesce(sum(quantity), 0), \
           (order_price * 100)::bigint, coalesce(sum(subtotal) * 100, 0)::bigint \
      FROM page LEFT JOIN detail ON order_id = orders_id GROUP BY 1, 2, order_price ORDER BY 1";

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

    pub(super) fn session(&self) -> &Session {
        &self.session
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

    /// One transaction in one round trip: the detail learns the order's id on the server.
    async fn order(&mut self, process: u32, product: i32, quantity: i32, price: i64) -> Answer<OrdersReply> {
        let place = match &self.place {
            Some(place) => place,
            None => match prepare(&self.session).await {
                Ok(place) => self.place.insert(place),
                Err(error) => return Answer::error(Stage::BeforeCommit, &error),
            },
        };
        let user = i32::try_from(process).unwrap_or(i32::MAX);
        let placed = self
            .session
            .transaction([
                (&place.order, &[&user, &price]),
                (&place.detail, &[&product, &quantity, &price]),
                (&place.stock, &[&quantity, &product]),
            ])
            .await;
        let said = warning(self.session.take_warnings());
        let [ordered, _, taken] = match placed {
            Ok(done) => done,
            Err(Failed { stage: Stage::BeforeCommit, error }) => return refusal(&error),
            Err(Failed { stage, error }) => return Answer::error(stage, &error),
        };
        let Some(row) = ordered.rows.first() else {
            return Answer::error(Stage::CommitSent, &PgError::Mismatch("an order without an id".to_owned()));
        };
        let warning = match taken.affected {
            1 => said,
            rows => Some(format!("the stock of {rows} rows was taken, not of one").into()),
        };
        Answer::Ok { reply: OrdersReply::Ordered { order: row.get(0) }, warning }
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
            product: row.get(3),
            quantity: i32::try_from(row.get::<_, i64>(4)).unwrap_or(i32::MAX),
            price: row.get(5),
            subtotal: row.get(6),
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
