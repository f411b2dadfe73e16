//! The bank: money is moved between accounts by clients that read two balances, think, and write both back.
//!
//! What all accounts hold together never changes where no update is lost (Jepsen's `bank` workload). At read committed two
//! such transfers can read the same balance, and the later one writes over what the earlier one wrote: the total drifts. At
//! the levels above, the server refuses the later one with 40001, and the client does something else.

mod client;
mod generator;
mod memory;
mod postgres;

pub use client::BankClient;
pub use generator::Transfers;

use crate::history::Table;
use crate::pg::{PgError, Session};
use crate::topology::memory::{self as cluster, Write};

/// The schema, as SQL.
pub const SCHEMA: &str = include_str!("../../../schemas/bank.sql");

/// What there is before the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Accounts, from 1.
    pub accounts: i64,
    /// What each of them holds.
    pub balance: i64,
}

/// Makes the table anew.
pub async fn set_up(session: &Session, opening: Opening) -> Result<(), PgError> {
    session.batch(SCHEMA).await?;
    let insert = session
        .prepare(
            "INSERT INTO bank_account (account, balance) SELECT generate_series(1, $1::bigint), $2::bigint",
        )
        .await?;
    session.execute(&insert, &[&opening.accounts, &opening.balance]).await?;
    Ok(())
}

/// The same in memory.
pub fn set_up_memory(session: &cluster::Session, opening: Opening) {
    let row = |key| Write { table: Table::BankAccount, key, row: Some(vec![opening.balance]) };
    session.commit(|_| Ok(((1..=opening.accounts).map(row).collect(), ())));
}

/// Why a transfer is refused.
const INSUFFICIENT: &str = "insufficient funds";

/// What a transfer leaves in its two accounts; `None` where there is too little in the first.
fn moved(from: i64, to: i64, amount: i64) -> Option<(i64, i64)> {
    let left = from.checked_sub(amount).filter(|left| *left >= 0)?;
    Some((left, to.checked_add(amount)?))
}
