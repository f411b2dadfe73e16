//! One node: how it is reached, and what it says of itself.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{DEADLINES, LEAST, LONGEST_PAUSE, Pauses};
use crate::history::NodeName;
use crate::pg::{Conninfo, Deadlines, PgError, Session, probe};
use crate::topology::TopologyError;

/// The first version whose servers say by themselves whether they are replicas.
const OLDEST: u32 = 140_000;

/// A node of somebody else's cluster.
#[derive(Debug)]
pub(in crate::topology) struct Node {
    pub(in crate::topology) name: NodeName,
    /// As it was given.
    pub(in crate::topology) conninfo: Conninfo,
    /// With the settings of the run's clients.
    pub(in crate::topology) clients: Conninfo,
    /// When the server started that was last seen, as [`Seen::started`]; `None` where nobody knows any more.
    started: Mutex<Option<String>>,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::topology) struct Seen {
    pub(in crate::topology) in_recovery: bool,
    pub(in crate::topology) started: String,
    version: u32,
    /// The cluster's; `None`: not for everybody to see.
    system: Option<String>,
}

#[cfg(all(test, feature = "aurora"))]
impl Seen {
    /// A reader whose server started then.
    pub(in crate::topology) fn since(started: &str) -> Seen {
        Seen { in_recovery: true, started: started.to_owned(), version: OLDEST, system: None }
    }
}

impl Node {
    /// A node that clients of the run use in `schema`, with `synchronous_commit` as they want it.
    pub(in crate::topology) fn new(
        name: NodeName,
        conninfo: &Conninfo,
        schema: &str,
        synchronous_commit: &str,
    ) -> Node {
        let clients = for_clients(conninfo, schema, synchronous_commit);
        Node { name, conninfo: conninfo.clone(), clients, started: Mutex::new(None) }
    }

    /// A session without the run's settings.
    pub(in crate::topology) async fn session(&self) -> Result<Session, PgError> {
        self.session_within(DEADLINES).await
    }

    async fn session_within(&self, deadlines: Deadlines) -> Result<Session, PgError> {
        Session::connect(&self.conninfo, "replab", deadlines).await
    }

    /// Asks the server what it is.
    pub(in crate::topology) async fn ask(&self, deadlines: Deadlines) -> Result<Seen, PgError> {
        let session = self.session_within(deadlines).await?;
        let version = probe::server_version_num(&session).await?;
        let system = probe::system_identifier(&session).await?;
        let started = probe::postmaster_start(&session).await?;
        let in_recovery = probe::is_in_recovery(&session).await?;
        session.close().await;
        Ok(Seen { in_recovery, started, version, system })
    }

    /// The same of a node that has to answer.
    pub(in crate::topology) async fn look(&self) -> Result<Seen, TopologyError> {
        let unreachable = |error: PgError| TopologyError::Unreachable {
            node: self.name,
            url: self.conninfo.to_string(),
            why: error.to_string(),
        };
        self.ask(DEADLINES).await.map_err(unreachable)
    }

    /// Whether it can be what its place in the configuration says.
    pub(in crate::topology) fn check(&self, seen: &Seen) -> Result<(), TopologyError> {
        let is_writer = self.name == NodeName::primary();
        if seen.version < OLDEST {
            let (major, minor) = (seen.version / 10_000, seen.version % 10_000);
            return Err(self.unfit(format!("it is PostgreSQL {major}.{minor}, and replab needs 14 or newer")));
        }
        match (is_writer, seen.in_recovery) {
            (true, true) => Err(self.unfit("it is a replica, and the writer has to be the primary")),
            (false, false) => Err(self.unfit("it is a primary, and a reader has to be a replica")),
            _ => Ok(()),
        }
    }

    /// Whether it can be a node of the cluster that `other` belongs to.
    pub(in crate::topology) fn check_beside(
        &self,
        seen: &Seen,
        other: NodeName,
        of_other: &Seen,
    ) -> Result<(), TopologyError> {
        if seen.system.is_some() && of_other.system.is_some() && seen.system != of_other.system {
            return Err(self.unfit(format!("it belongs to another cluster than {other}")));
        }
        if seen == of_other {
            return Err(self.unfit(format!("it is the same server as {other}")));
        }
        Ok(())
    }

    /// PostgreSQL takes the levels that wait for replicas for `local`, in silence, where the primary names none.
    pub(in crate::topology) async fn check_standbys(&self, level: &str) -> Result<(), TopologyError> {
        let asked = async {
            let session = self.session().await?;
            probe::settings(&session, &["synchronous_standby_names"]).await
        };
        let mut settings = asked.await.map_err(|error| self.unfit(error.to_string()))?;
        match settings.remove("synchronous_standby_names") {
            Some(names) if names.is_empty() => Err(self.unfit(format!(
                "its synchronous_standby_names is empty, so synchronous_commit = {level} would wait for no replica"
            ))),
            _ => Ok(()),
        }
    }

    /// Waits until it answers and `is_there` says so of the answer; `what` names that state.
    pub(in crate::topology) async fn wait(
        &self,
        limit: Duration,
        what: &str,
        is_there: impl Fn(&Seen) -> bool,
    ) -> Result<Seen, TopologyError> {
        let end = Instant::now() + limit;
        let mut pauses = Pauses::up_to(LONGEST_PAUSE);
        loop {
            let left = end.saturating_duration_since(Instant::now()).max(LEAST);
            let deadlines = Deadlines { connect: left.min(DEADLINES.connect), ..DEADLINES };
            let why = match self.ask(deadlines).await {
                Ok(seen) if is_there(&seen) => return Ok(seen),
                Ok(_) => "it answers, and nothing has changed".to_owned(),
                Err(error) => error.to_string(),
            };
            if Instant::now() >= end {
                let why = format!("it did not {what} within {} ms: {why}", limit.as_millis());
                return Err(TopologyError::NoAnswer { node: self.name, why, log: String::new() });
            }
            pauses.pause().await;
        }
    }

    /// The start of the server that is expected to go on.
    pub(in crate::topology) fn started(&self) -> Option<String> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of the server that is there now.
    pub(in crate::topology) fn remember(&self, seen: Seen) {
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen.started);
    }

    /// The server that started then is expected to go on; `None`: whichever is there next.
    #[cfg(feature = "aurora")]
    pub(in crate::topology) fn expect(&self, started: Option<String>) {
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = started;
    }

    /// A command may have restarted it, or may still do.
    pub(in crate::topology) fn forget(&self) {
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// It cannot be used.
    pub(in crate::topology) fn unfit(&self, why: impl Into<String>) -> TopologyError {
        TopologyError::Unfit { node: self.name, why: why.into() }
    }
}

/// `conninfo` with the settings of the run's clients.
pub(in crate::topology) fn for_clients(
    conninfo: &Conninfo,
    schema: &str,
    synchronous_commit: &str,
) -> Conninfo {
    conninfo
        .clone()
        .with_setting("search_path", schema)
        .with_setting("synchronous_commit", synchronous_commit)
        .with_setting("default_transaction_isolation", "read committed")
}
