//! What was seen when a case was played.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Placement, Seen, Sight};

/// One playing of a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Transcript {
    /// The sessions, in the order in which they appear.
    pub sessions: Vec<Seat>,
    /// The steps, in the order in which they were sent.
    pub steps: Vec<Played>,
}

/// A session that took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Seat {
    /// Its name.
    pub name: String,
    /// Where it was connected to.
    pub on: Placement,
}

/// One step as it was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Played {
    /// The step's name.
    pub label: String,
    /// Whose it was.
    pub session: String,
    /// What was sent, or what was done.
    pub sql: String,
    /// From 1; 2 where its transaction was begun anew.
    pub attempt: u32,
    /// The sessions that it was seen waiting for; `a standby` where it was a commit that waited for one.
    pub waited_for: Vec<String>,
    /// The place, among the steps, of the last one that had been sent when the answer came.
    pub answered_after: usize,
    /// What came of it.
    pub answer: Answer,
    /// What the server warned of.
    pub warnings: Vec<Warning>,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Answer {
    /// It read.
    Rows {
        /// In order, as text; `NULL` for what is null.
        rows: Vec<Vec<String>>,
    },
    /// It wrote.
    Affected {
        /// So many rows.
        rows: u64,
    },
    /// It succeeded, and has nothing to say.
    Done,
    /// The server refused it.
    Refused {
        /// PostgreSQL's code.
        sqlstate: String,
        /// The server's words.
        message: String,
    },
    /// The end of a transaction that had been refused before: nothing of it stays.
    RolledBack,
    /// Not sent: its transaction had been refused before.
    Skipped,
    /// Not sent: the application had not seen what it needs to go on.
    NotSent,
}

/// A warning of the server's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Warning {
    /// PostgreSQL's code.
    pub sqlstate: String,
    /// The server's words.
    pub message: String,
}

impl Transcript {
    /// The step of that name, the last attempt of several.
    pub fn step(&self, label: &str) -> Option<&Played> {
        self.steps.iter().rev().find(|played| played.label == label)
    }

    /// Whether `sight` was seen. What was not sent was not seen.
    pub fn shows(&self, sight: &Sight) -> bool {
        let Some(played) = self.step(&sight.step) else { return false };
        match (&sight.seen, &played.answer) {
            (Seen::Rows(wanted), Answer::Rows { rows }) => wanted == rows,
            (Seen::Affected(wanted), Answer::Affected { rows }) => wanted == rows,
            (Seen::Warning(code), Answer::Rows { .. } | Answer::Affected { .. } | Answer::Done) => {
                played.warnings.iter().any(|warning| warning.sqlstate == *code)
            }
            (Seen::Ok, answer) => answer.is_ok(),
            (Seen::Waited(_), Answer::Skipped | Answer::NotSent) => false,
            (Seen::Waited(wanted), _) => *wanted != played.waited_for.is_empty(),
            _ => false,
        }
    }

    /// The first value that a step read.
    pub fn first_value(&self, label: &str) -> Option<&str> {
        match &self.step(label)?.answer {
            Answer::Rows { rows } => rows.first()?.first().map(String::as_str),
            _ => None,
        }
    }
}

impl Answer {
    /// Whether it was done.
    pub fn is_ok(&self) -> bool {
        matches!(self, Answer::Rows { .. } | Answer::Affected { .. } | Answer::Done)
    }
}
