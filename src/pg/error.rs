//! What can go wrong between a client and the server, told apart by what the client may conclude from it.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use tokio_postgres::error::{DbError, Severity};

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// PostgreSQL's error code, where the server said one before it hung up.
    pub sqlstate: Option<String>,
    /// The server's or the system's own words.
    pub message: String,
}

/// A call that did not succeed. No variant carries a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PgError {
    /// The server answered with an error; the connection still stands.
    #[error("{severity}: {message} ({sqlstate})")]
    Sql {
        /// Five characters (manual, appendix "PostgreSQL Error Codes").
        sqlstate: String,
        /// `ERROR`; or `WARNING` where a warning is as bad (see [`Session::commit`](super::Session::commit)).
        severity: String,
        /// The primary message.
        message: String,
        /// The secondary message.
        detail: Option<String>,
    },
    /// The connection broke, or the server ended it. The session is over.
    #[error("the connection is lost: {}", .0.message)]
    ConnectionLost(Lost),
    /// No connection could be made; nothing was sent.
    #[error("cannot connect: {}", .0.message)]
    CannotConnect(Lost),
    /// No answer within the deadline. The session is given up.
    #[error("no answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// The driver refused the call or the answer: a parameter of another type, no row where one is due.
    #[error("the call and the server's answer do not fit: {0}")]
    Mismatch(String),
}

impl PgError {
    /// PostgreSQL's error code, where the server sent one.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            PgError::Sql { sqlstate, .. } => Some(sqlstate),
            PgError::ConnectionLost(lost) | PgError::CannotConnect(lost) => lost.sqlstate.as_deref(),
            PgError::Deadline(_) | PgError::Mismatch(_) => None,
        }
    }

    /// Whether the session cannot be used again.
    pub fn ends_session(&self) -> bool {
        matches!(self, PgError::ConnectionLost(_) | PgError::CannotConnect(_) | PgError::Deadline(_))
    }

    /// An error of a call on an established connection.
    pub(super) fn of_call(error: &tokio_postgres::Error) -> PgError {
        let Some(db) = error.as_db_error() else {
            return if is_of_connection(error) {
                PgError::ConnectionLost(Lost::of(error))
            } else {
                PgError::Mismatch(chain(error))
            };
        };
        if ends_connection(db) {
            return PgError::ConnectionLost(Lost::of(error));
        }
        PgError::Sql {
            sqlstate: db.code().code().to_owned(),
            severity: db.severity().to_owned(),
            message: db.message().to_owned(),
            detail: db.detail().map(str::to_owned),
        }
    }
}

impl Lost {
    /// The lab's own reason.
    pub(super) fn because(message: impl Into<String>) -> Lost {
        Lost { sqlstate: None, message: message.into() }
    }

    /// What the driver's error says about a connection that is over or never was.
    pub(super) fn of(error: &tokio_postgres::Error) -> Lost {
        match error.as_db_error() {
            Some(db) => {
                Lost { sqlstate: Some(db.code().code().to_owned()), message: db.message().to_owned() }
            }
            None => Lost { sqlstate: None, message: chain(error) },
        }
    }
}

/// Whether the server hangs up after this error.
///
/// Severity decides first: a recovery conflict is 40001 both when it cancels a statement (`ERROR`) and when it ends
/// the connection (`FATAL`). The codes of a shutdown are listed too, for poolers that send them as `ERROR` and hang up.
fn ends_connection(db: &DbError) -> bool {
    matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
        || matches!(db.severity(), "FATAL" | "PANIC")
        || matches!(db.code().code(), "57P01" | "57P02" | "57P03" | "57P04" | "57P05")
}

fn is_of_connection(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.source().is_some_and(|source| source.is::<io::Error>())
}

/// The error with its causes, in one line.
fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
