//! The forum: users read and write accounts, comments and reactions, and each task is done in several ways.

mod account;
mod call;
mod comment;
mod prepared;
mod reaction;
mod schema;

pub(in crate::workload) use call::Call;
pub(in crate::workload) use prepared::Prepared;
pub use reaction::Reaction;
pub use schema::set_up;

use serde::{Deserialize, Serialize};

use super::bench::Left;
use crate::isolation::Isolation;
use crate::pg::{PgError, Session};

/// What is done in the forum, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// An account is changed.
    Account(Isolation),
    /// A comment is added to the thread and counted.
    Comment(Isolation),
    /// A reaction is added to the thread and counted.
    Reaction(Reaction),
}

impl Method {
    /// What is done, in a word.
    pub fn task(self) -> &'static str {
        match self {
            Method::Account(_) => "update",
            Method::Comment(_) => "comment",
            Method::Reaction(_) => "reaction",
        }
    }

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Method::Account(level) | Method::Comment(level) => level.name(),
            Method::Reaction(reaction) => reaction.name(),
        }
    }

    /// How it is done, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Method::Account(level) => account::about(level),
            Method::Comment(level) => comment::about(level),
            Method::Reaction(reaction) => reaction.about(),
        }
    }

    /// Whether acknowledged tasks may be missing in the total.
    pub fn loses(self) -> bool {
        match self {
            Method::Account(level) | Method::Comment(level) => level.loses_updates(),
            Method::Reaction(_) => false,
        }
    }

    /// Whether rows may be there that the total does not count.
    pub fn orphans(self) -> bool {
        self.loses() || self == Method::Reaction(Reaction::CompareAndSet)
    }

    /// Reads what the tasks have left.
    pub async fn left(self, session: &Session) -> Result<Left, PgError> {
        let sql = match self {
            Method::Account(_) => account::LEFT,
            Method::Comment(_) => comment::LEFT,
            Method::Reaction(_) => reaction::LEFT,
        };
        let found = session.simple_query_rows(sql).await?;
        let number = |column: usize| found.first()?.get(column)?.as_deref()?.parse::<i64>().ok();
        let value = number(0).ok_or_else(|| PgError::Mismatch(format!("`{sql}` answers no number")))?;
        Ok(Left { value, rows: number(1) })
    }
}
