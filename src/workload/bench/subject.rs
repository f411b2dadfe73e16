//! What is done, and how: the closed set, whose `match` only delegates.

use serde::{Deserialize, Serialize};

use crate::pg::{PgError, Session};
use crate::workload::counter::{self, Method};
use crate::workload::forum;

/// What is done, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// An increment of the one counter.
    Counter(Method),
    /// A task of the forum's users.
    Forum(forum::Method),
}

/// What the tasks have left in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// What they are counted in: each that was done has added 1.
    pub value: i64,
    /// Rows, where each leaves one.
    pub rows: Option<i64>,
}

impl Subject {
    /// What is done, in a word.
    pub fn task(self) -> &'static str {
        match self {
            Subject::Counter(_) => "increment",
            Subject::Forum(method) => method.task(),
        }
    }

    /// The method's name.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Counter(method) => method.name(),
            Subject::Forum(method) => method.name(),
        }
    }

    /// How it is done, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Subject::Counter(method) => method.about(),
            Subject::Forum(method) => method.about(),
        }
    }

    /// Whether tasks that were acknowledged may be lost: the method is there to show it.
    pub fn loses(self) -> bool {
        match self {
            Subject::Counter(method) => method.loses(),
            Subject::Forum(method) => method.loses(),
        }
    }

    /// Whether tasks may leave rows that are not counted; else there are exactly as many as are.
    pub fn orphans(self) -> bool {
        match self {
            Subject::Counter(_) => false,
            Subject::Forum(method) => method.orphans(),
        }
    }

    /// Makes its tables anew, the tasks to be spread over `slots` rows. Answers what a reader of the figures has to know
    /// about them, in a sentence.
    pub async fn set_up(
        self,
        session: &Session,
        slots: u32,
        may_extend: bool,
    ) -> Result<Option<&'static str>, PgError> {
        let slots = i32::try_from(slots).unwrap_or(i32::MAX);
        match self {
            Subject::Counter(_) => counter::set_up_methods(session, slots).await.map(|()| None),
            Subject::Forum(_) => forum::set_up(session, slots, may_extend).await.map(Some),
        }
    }

    /// Reads what the tasks have left.
    pub async fn left(self, session: &Session) -> Result<Left, PgError> {
        match self {
            Subject::Counter(method) => Ok(Left { value: method.total(session).await?, rows: None }),
            Subject::Forum(method) => method.left(session).await,
        }
    }
}
