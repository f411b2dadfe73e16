//! A session of a case: what it still has to do, and what it waits for.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::script::Verb;
use super::stage::PATIENCE;
use super::{PlayError, Slip, Stage};
use crate::anomaly::{Actor as Role, Case, Place, Placement, Step};
use crate::isolation::Isolation;
use crate::pg::{Deadlines, PgError, Said, Session};

/// A session that plays.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) name: String,
    pub(super) on: Placement,
    pub(super) session: Arc<Session>,
    /// Steps whose turn has come while an earlier one was not answered.
    pub(super) queue: VecDeque<(Step, u32)>,
    pub(super) pending: Option<Pending>,
    pub(super) in_transaction: bool,
    /// Whether its transaction was refused.
    pub(super) failed: bool,
}

/// A step that was sent.
#[derive(Debug)]
pub(super) struct Pending {
    /// Its place in the transcript.
    pub(super) place: usize,
    pub(super) verb: Verb,
    pub(super) task: JoinHandle<Result<Said, PgError>>,
}

impl Actor {
    /// Sends `sql`; the answer comes when it comes.
    pub(super) fn send(&mut self, place: usize, verb: Verb, sql: String) {
        let session = Arc::clone(&self.session);
        let task = tokio::spawn(async move {
            if verb == Verb::Commit {
                return session.commit().await.map(|()| Said { rows: None, count: 0 });
            }
            session.say(&sql).await
        });
        self.pending = Some(Pending { place, verb, task });
    }
}

impl Stage {
    /// Connects the sessions of `case`, all at once, and one more that reads in the end.
    pub(super) async fn cast(
        &self,
        case: &Case,
        on: Placement,
        level: Isolation,
    ) -> (Vec<Actor>, Result<(), PlayError>) {
        let after = Role {
            name: "after".to_owned(),
            place: Place::Primary,
            isolation: Some(Isolation::ReadCommitted),
        };
        let roles = case.sessions.iter().chain((!case.after.is_empty()).then_some(&after));
        let connected =
            futures_util::future::join_all(roles.map(|role| self.actor(case, role, on, level))).await;
        let mut cast = Vec::new();
        let mut failed = Ok(());
        for actor in connected {
            match actor {
                Ok(actor) => cast.push(actor),
                Err(error) => failed = Err(error),
            }
        }
        (cast, failed)
    }

    async fn actor(
        &self,
        case: &Case,
        role: &Role,
        on: Placement,
        level: Isolation,
    ) -> Result<Actor, PlayError> {
        let wants_replica = match role.place {
            Place::Replica => true,
            Place::Either => on == Placement::Replica,
            Place::Primary | Place::Admin => false,
        };
        let wants_replica = wants_replica && self.rules.slip != Some(Slip::ReplicaIsPrimary);
        let (on, conninfo) = match &self.replica {
            Some(replica) if wants_replica => (Placement::Replica, replica),
            _ => (Placement::Primary, &self.primary),
        };
        let level = match role.place {
            Place::Admin => Isolation::ReadCommitted,
            _ => self.level(role.isolation.unwrap_or(level)),
        };
        let deadlines = Deadlines { connect: PATIENCE, statement: self.rules.deadline };
        let connect = async {
            let session = Session::connect(conninfo, "replab anomalies", deadlines).await?;
            let schema = &self.rules.schema;
            let set = format!(
                "SET search_path = {schema}, public; SET statement_timeout = 0; SET lock_timeout = 0; \
                 SET idle_in_transaction_session_timeout = 0; SET default_transaction_read_only = off; \
                 SET default_transaction_deferrable = off; SET default_transaction_isolation = '{level}'"
            );
            session.batch(&set).await?;
            Ok(session)
        };
        let session: Result<Session, PgError> = connect.await;
        let session = session.map_err(|source| PlayError::Connect {
            case: case.name.clone(),
            session: role.name.clone(),
            source,
        })?;
        Ok(Actor {
            name: role.name.clone(),
            on,
            session: Arc::new(session),
            queue: VecDeque::new(),
            pending: None,
            in_transaction: false,
            failed: false,
        })
    }
}
