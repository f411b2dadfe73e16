//! One event of a history: who did what, where, when, and how it went.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Nanos, NodeName, TableDigest};

/// What a client can be asked to do, and what it answers.
pub trait Operation:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The answer of a successful call.
    type Reply: Reply;

    /// Whether the operation cannot change the database, so that a failed one certainly did nothing.
    fn is_read_only(&self) -> bool;

    /// The operation's name in reports and errors, such as `order` or `read counters`.
    fn name(&self) -> &'static str;

    /// Whether the operation belongs to the load, and so to its latencies and rates. Set-up and final reads do not.
    fn is_load(&self) -> bool {
        true
    }
}

/// What every answer can be asked.
pub trait Reply: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The digest of a whole table, where the answer is one (final reads only).
    fn digest(&self) -> Option<&TableDigest> {
        None
    }
}

impl Reply for String {}

/// Who acts. After an `Info` a client's process id is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Process {
    /// The one that injects faults: one operation at a time *per node*.
    Nemesis,
    /// A logical process of the load: one session, one operation at a time.
    #[serde(untagged)]
    Client(u32),
}

/// The state of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase<O, R> {
    /// It is about to be sent.
    Invoke {
        /// What is asked.
        op: O,
    },
    /// It happened, and this is the answer.
    Ok {
        /// The answer.
        reply: R,
        /// A warning that came with the success, as PostgreSQL sends for a commit whose wait for a standby was
        /// cancelled (`01000`).
        warning: Option<Box<str>>,
    },
    /// It certainly did not happen.
    Fail {
        /// Why.
        cause: Box<Cause>,
    },
    /// It may or may not have happened, and may still happen later.
    Info {
        /// Why nothing better is known.
        cause: Box<Cause>,
    },
}

/// Why an operation did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What kind of thing went wrong.
    pub class: CauseClass,
    /// PostgreSQL's error code, where the server sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqlstate: Option<String>,
    /// The error's own words.
    pub message: String,
}

/// The kinds of failure that a reader of the history tells apart.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CauseClass {
    /// The application's own rule said no: out of stock. Expected, and definite.
    Refused,
    /// The server answered with an error; the connection still stands.
    Server,
    /// The connection broke, or the server ended it. The session is over.
    ConnectionLost,
    /// No connection could be made; nothing was sent.
    CannotConnect,
    /// No answer within the deadline. The session is given up.
    Deadline,
}

impl CauseClass {
    /// Whether the process's session ended with it: what it saw before and after are different connections.
    pub fn ends_session(self) -> bool {
        matches!(self, CauseClass::ConnectionLost | CauseClass::CannotConnect | CauseClass::Deadline)
    }
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<O: Operation> {
    /// Its place: 0, 1, 2, …
    pub index: u64,
    /// When it was recorded; never less than the event before.
    pub time: Nanos,
    /// Who acts.
    pub process: Process,
    /// Which node the process speaks to, or the fault is done to.
    pub node: NodeName,
    /// What, or how it went.
    pub phase: Phase<O, O::Reply>,
}
