//! Ways to increment a counter that other clients increment at the same time, each increment a transaction of its own.
//!
//! A method is data: the statements and where the client thinks in between ([`Recipe`]). How they are sent, and what is
//! done again when somebody else was faster, is the same for all.

mod advisory_lock;
mod in_place;
mod ledger;
mod lost_update;
mod optimistic;
mod prepared;
mod repeatable_read;
mod returning;
mod row_lock;
mod serializable;
mod sharded;

pub(in crate::workload) use prepared::Prepared;

use crate::pg::{PgError, Session};

/// How a counter is incremented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Read, add in the client, write, at read committed: the one that is wrong.
    LostUpdate,
    /// `SET counter = counter + 1`.
    InPlace,
    /// `SELECT … FOR UPDATE`, add in the client, write.
    RowLock,
    /// Read with a version, write if the version is still the same, else again.
    Optimistic,
    /// Read and write at repeatable read; again after 40001.
    RepeatableRead,
    /// Read and write at serializable; again after 40001.
    Serializable,
    /// An advisory lock around read and write.
    AdvisoryLock,
    /// In place, and the new value is answered.
    Returning,
    /// One of several rows in place; the counter is their sum.
    Sharded,
    /// A row an increment; the counter is their sum.
    Ledger,
}

/// What a method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// One statement, which is a transaction of its own. Its only parameter, if it has one, is the slot.
    Statement {
        /// The statement.
        sql: &'static str,
        /// Whether it takes a slot.
        has_slot: bool,
    },
    /// A transaction in which the client reads, thinks, and writes: two round trips.
    ReadWrite {
        /// Begins the transaction.
        begin: &'static str,
        /// What is waited for before the read, if anything.
        lock: Option<&'static str>,
        /// Answers the counter and its version.
        read: &'static str,
        /// Takes the new counter; and the version that was read, where it compares that.
        write: &'static str,
        /// Whether the write compares the version, and touches no row where it is another.
        compares: bool,
    },
}

/// A mistake that people make with the methods, to see its verdict catch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Mistake {
    /// Every tenth increment is done once more although it was acknowledged, as by a client that retries after a timeout.
    DoubleApply,
    /// The method without what makes it safe: no lock, no comparison, a lower isolation level, a sum of too few rows.
    Unguarded,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Mistake::DoubleApply => "double-apply, every tenth increment is done twice",
            Mistake::Unguarded => "unguarded, what makes the method safe is left out",
        })
    }
}

const READ: &str = "SELECT counter, version FROM user_counter WHERE user_id = 1";
const WRITE: &str = "UPDATE user_counter SET counter = $1 WHERE user_id = 1";
const SUM: &str = "SELECT counter::bigint FROM user_counter WHERE user_id = 1";

/// What a method is made of.
struct Parts {
    name: &'static str,
    /// What it does, in a few words.
    about: &'static str,
    recipe: Recipe,
    /// The same without what makes it safe.
    unguarded: Recipe,
    /// Answers the counter.
    total: &'static str,
}

impl Method {
    /// All of them, those of the seed document first.
    pub const ALL: [Method; 10] = [
        Method::LostUpdate,
        Method::InPlace,
        Method::RowLock,
        Method::Optimistic,
        Method::RepeatableRead,
        Method::Serializable,
        Method::AdvisoryLock,
        Method::Returning,
        Method::Sharded,
        Method::Ledger,
    ];

    fn parts(self) -> &'static Parts {
        match self {
            Method::LostUpdate => &lost_update::PARTS,
            Method::InPlace => &in_place::PARTS,
            Method::RowLock => &row_lock::PARTS,
            Method::Optimistic => &optimistic::PARTS,
            Method::RepeatableRead => &repeatable_read::PARTS,
            Method::Serializable => &serializable::PARTS,
            Method::AdvisoryLock => &advisory_lock::PARTS,
            Method::Returning => &returning::PARTS,
            Method::Sharded => &sharded::PARTS,
            Method::Ledger => &ledger::PARTS,
        }
    }

    /// The name that `--method` takes.
    pub fn name(self) -> &'static str {
        self.parts().name
    }

    /// What it does, in a few words.
    pub fn about(self) -> &'static str {
        self.parts().about
    }

    /// Whether increments may be lost: of one method they are meant to be.
    pub fn loses(self) -> bool {
        self == Method::LostUpdate
    }

    /// What it does; with `mistake` planted, what somebody does who makes it.
    pub fn recipe(self, mistake: Option<Mistake>) -> Recipe {
        match mistake {
            Some(Mistake::Unguarded) => self.parts().unguarded,
            Some(Mistake::DoubleApply) | None => self.parts().recipe,
        }
    }

    /// Reads the counter.
    pub async fn total(self, session: &Session) -> Result<i64, PgError> {
        let rows = session.simple_query_rows(self.parts().total).await?;
        let value = rows.first().and_then(|row| row.first()?.as_deref()?.parse().ok());
        value.ok_or_else(|| PgError::Mismatch(format!("`{}` answers no number", self.parts().total)))
    }
}

/// Makes the tables of all methods anew, the counter at zero, with `slots` slots.
pub async fn set_up(session: &Session, slots: i32) -> Result<(), PgError> {
    super::set_up(session, 1).await?;
    session.batch(include_str!("../../../../schemas/counter_methods.sql")).await?;
    let insert = session
        .prepare("INSERT INTO user_counter_slot (user_id, slot) SELECT 1, generate_series(1, $1::int)")
        .await?;
    session.execute(&insert, &[&slots]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_a_name_of_its_own_and_a_mistake_that_changes_it() {
        let names: std::collections::BTreeSet<&str> =
            Method::ALL.iter().map(|method| method.name()).collect();
        assert_eq!(names.len(), Method::ALL.len());
        for method in Method::ALL.into_iter().filter(|method| !method.loses()) {
            assert_ne!(method.recipe(None), method.recipe(Some(Mistake::Unguarded)), "{}", method.name());
        }
    }
}
