//! What clients do: operations sent to one node through one session, and the sequences of them that a seed gives.
//!
//! A workload is three things: the schema with its start data, generators (what a client does next, a pure function
//! of the seed), and clients (how one operation is done on one node, and how certain its outcome is).

pub mod bank;
pub mod bench;
pub mod counter;
mod digest;
pub mod forum;
pub mod long_fork;
pub mod orders;
pub mod set;
pub mod tables;
pub mod transactions;

use std::future::Future;

use tokio_postgres::Statement;

use crate::history::{Cause, CauseClass, Operation};
use crate::pg::{self, Certainty, Deadlines, Notice, PgError, Session, Stage};
use crate::topology::{Role, Site, memory};

/// How an operation ended, as the client that sent it knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<R> {
    /// It happened.
    Ok {
        /// The reply.
        reply: R,
        /// A warning that came with it.
        warning: Option<Box<str>>,
    },
    /// It certainly did not happen.
    Fail(Cause),
    /// It may or may not have happened.
    Info(Cause),
}

impl<R> Answer<R> {
    /// A success without warning.
    pub fn ok(reply: R) -> Answer<R> {
        Answer::Ok { reply, warning: None }
    }

    /// What an error at `stage` means for the operation.
    fn error(stage: Stage, error: &PgError) -> Answer<R> {
        match pg::certainty(stage, error) {
            Certainty::Fail => Answer::Fail(pg::cause(error)),
            Certainty::Info => Answer::Info(pg::cause(error)),
        }
    }

    /// A read: it changes nothing, so whatever went wrong, it certainly did not happen.
    fn read(result: Result<R, PgError>) -> Answer<R> {
        match result {
            Ok(reply) => Answer::ok(reply),
            Err(error) => Answer::Fail(pg::cause(&error)),
        }
    }

    /// The application's own rule said no.
    fn refused(sqlstate: Option<&str>, message: &str) -> Answer<R> {
        let sqlstate = sqlstate.map(str::to_owned);
        Answer::Fail(Cause { class: CauseClass::Refused, sqlstate, message: message.to_owned() })
    }
}

/// One session of one logical process on one node.
pub trait Client: Sized + Send {
    /// What it can be asked.
    type Op: Operation;

    /// What it has to know beside the node.
    type Terms: Clone + Send + Sync + 'static;

    /// Opens the session. An error means that nothing was sent.
    fn connect(
        site: &Site,
        terms: &Self::Terms,
        deadlines: Deadlines,
    ) -> impl Future<Output = Result<Self, Cause>> + Send;

    /// What it talks over.
    fn live(&self) -> Live<'_>;

    /// Whether the node does now what `role` is there for. An error means that it does not; that of a replica which is asked
    /// for a primary leaves the session as it is.
    fn admits(&mut self, role: Role) -> impl Future<Output = Result<(), Cause>> + Send {
        async move { self.live().admits(role).await }
    }

    /// Does one operation on behalf of process id `process`.
    fn invoke(
        &mut self,
        process: u32,
        op: &Self::Op,
    ) -> impl Future<Output = Answer<<Self::Op as Operation>::Reply>> + Send;
}

/// The session of a client.
#[derive(Clone, Copy, Debug)]
pub enum Live<'a> {
    /// Over PostgreSQL's protocol.
    Postgres(&'a Session),
    /// In this process.
    Memory(&'a memory::Session),
}

impl Live<'_> {
    /// As libpq does for `target_session_attrs=primary`, it asks before it writes: a write to a replica that dies would have
    /// an unknown outcome.
    async fn admits(self, role: Role) -> Result<(), Cause> {
        if role == Role::Replica {
            return Ok(());
        }
        match self {
            Live::Postgres(session) => match pg::probe::is_in_recovery(session).await {
                Ok(false) => Ok(()),
                Ok(true) => Err(not_the_primary()),
                Err(error) => Err(pg::cause(&error)),
            },
            Live::Memory(session) if session.is_primary() => Ok(()),
            Live::Memory(_) => Err(not_the_primary()),
        }
    }
}

/// Opens a PostgreSQL session under the name that the server's views and logs show.
async fn session(conninfo: &pg::Conninfo, deadlines: Deadlines) -> Result<Session, Cause> {
    Session::connect(conninfo, "replab", deadlines).await.map_err(|error| pg::cause(&error))
}

/// The statement in `slot`, prepared when it is first needed.
async fn prepared<'a>(
    session: &Session,
    slot: &'a mut Option<Statement>,
    sql: &str,
) -> Result<&'a Statement, PgError> {
    match slot {
        Some(statement) => Ok(statement),
        None => Ok(slot.insert(session.prepare(sql).await?)),
    }
}

/// Opens a session on a node in memory.
fn memory_session(handle: &memory::Handle) -> Result<memory::Session, Cause> {
    handle.connect().ok_or_else(refused_connection)
}

fn not_the_primary() -> Cause {
    let message = "this server is a replica, and the client needs the primary".to_owned();
    Cause { class: CauseClass::Server, sqlstate: Some("25006".to_owned()), message }
}

/// The warnings of the last call in one line.
fn warning(notices: Vec<Notice>) -> Option<Box<str>> {
    if notices.is_empty() {
        return None;
    }
    let lines: Vec<String> =
        notices.iter().map(|n| format!("{} {}: {}", n.severity, n.sqlstate, n.message)).collect();
    Some(lines.join("; ").into())
}

/// A node of the in-memory topology that is down answers as a closed port does.
fn refused_connection() -> Cause {
    Cause { class: CauseClass::CannotConnect, sqlstate: None, message: "connection refused".to_owned() }
}

/// The session ended under the client's hands.
fn lost_connection() -> Cause {
    Cause { class: CauseClass::ConnectionLost, sqlstate: None, message: "connection closed".to_owned() }
}
