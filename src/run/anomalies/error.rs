//! Why a case could not be played to its end.

use std::time::Duration;

use crate::pg::PgError;

/// A failure of the lab: it says nothing about the case.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The cluster has no node over PostgreSQL's protocol.
    #[error("a case needs PostgreSQL, and the in-memory cluster has none")]
    Memory,
    /// A node cannot be asked what it is.
    #[error("connect to the {node} to play cases")]
    Open {
        /// Primary or replica.
        node: &'static str,
        /// Why.
        source: PgError,
    },
    /// The tables cannot be made.
    #[error("`{case}`: make its tables")]
    SetUp {
        /// The case.
        case: String,
        /// Why.
        source: PgError,
    },
    /// A session cannot be had.
    #[error("`{case}`: connect its session {session}")]
    Connect {
        /// The case.
        case: String,
        /// The session.
        session: String,
        /// Why.
        source: PgError,
    },
    /// A step that was neither answered nor ended by the server.
    #[error("`{case}`: the step `{step}` was not answered within {}{}", seconds(*.deadline), waiting(.waits_for))]
    Deadline {
        /// The case.
        case: String,
        /// The step.
        step: String,
        /// The sessions that it was last seen waiting for.
        waits_for: Vec<String>,
        /// How long it was waited for.
        deadline: Duration,
    },
    /// A session that broke.
    #[error("`{case}`: the session of the step `{step}` is lost")]
    Lost {
        /// The case.
        case: String,
        /// The step.
        step: String,
        /// Why.
        source: PgError,
    },
    /// What the lab itself asks between the steps.
    #[error("`{case}`: {what}")]
    Ask {
        /// The case.
        case: String,
        /// What was asked.
        what: &'static str,
        /// Why it was not answered.
        source: PgError,
    },
    /// A state that never came.
    #[error("`{case}`: not within {}: {what}", seconds(*.deadline))]
    Never {
        /// The case.
        case: String,
        /// What was waited for.
        what: &'static str,
        /// For how long.
        deadline: Duration,
    },
}

fn seconds(time: Duration) -> String {
    if time.as_secs() == 0 { format!("{} ms", time.as_millis()) } else { format!("{} s", time.as_secs()) }
}

fn waiting(sessions: &[String]) -> String {
    if sessions.is_empty() { String::new() } else { format!("; it waits for {}", sessions.join(" and ")) }
}
