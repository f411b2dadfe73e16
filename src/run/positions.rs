//! How far the replicas of somebody else's cluster are, by their own word.
//!
//! `pg_stat_replication` names its replicas as they name themselves, which need not tell them apart, and shows positions
//! only to who may read all statistics. A replica says its own position to everybody.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::history::{Clock, LagSample, LinkState, NodeName};
use crate::lsn::Lsn;
use crate::pg::{Conninfo, Deadlines, PgError, Session, probe};
use crate::topology::{Access, Role, Site};

/// The sampler's sessions, one with each node.
#[derive(Default)]
pub(super) struct Positions {
    sessions: BTreeMap<NodeName, Session>,
}

impl Positions {
    /// One sample of each replica among `sites`. The replicas are asked first and the primary after them, so that no
    /// replica seems nearer than it is; it seems farther by what was written in between, at most the sample's `took`.
    /// What did not answer is unknown.
    pub(super) async fn sample(
        &mut self,
        sites: &[Site],
        clock: &Clock,
        deadlines: Deadlines,
    ) -> Vec<LagSample> {
        let asked = clock.now();
        let (primaries, replicas): (Vec<&Site>, Vec<&Site>) =
            sites.iter().partition(|site| site.role == Role::Primary);
        let names: Vec<NodeName> = replicas.iter().map(|site| site.node).collect();
        let mut sessions = std::mem::take(&mut self.sessions);
        let replicas = replicas.into_iter().map(|site| (site, sessions.remove(&site.node)));
        let replicas: Vec<_> =
            join_all(replicas.map(|(site, session)| ask_replica(site, session, deadlines))).await;
        let mut insert: Option<Lsn> = None;
        if let Some(primary) = primaries.first() {
            let (found, session) = ask_primary(primary, sessions.remove(&primary.node), deadlines).await;
            insert = found;
            self.sessions.extend(session.map(|session| (primary.node, session)));
        }
        let mut samples = probe::LagProbe::unanswered(clock, asked, &names);
        for (sample, (standby, session)) in samples.iter_mut().zip(replicas) {
            self.sessions.extend(session.map(|session| (sample.node, session)));
            sample.insert = insert;
            if let (Some(standby), Some(_)) = (standby, insert) {
                sample.state = standby.state;
                sample.flushed = standby.flushed;
                sample.replayed = standby.replayed;
            } else {
                sample.state = LinkState::Unknown;
            }
        }
        samples
    }
}

/// A node's answer, and the session for the next time, unless it is lost.
type Answered<T> = (Option<T>, Option<Session>);

async fn ask_replica(
    site: &Site,
    session: Option<Session>,
    deadlines: Deadlines,
) -> Answered<probe::Standby> {
    let Ok(session) = open(site, session, deadlines).await else { return (None, None) };
    kept(probe::standby(&session).await.map(Some), session)
}

async fn ask_primary(site: &Site, session: Option<Session>, deadlines: Deadlines) -> Answered<Lsn> {
    let Ok(session) = open(site, session, deadlines).await else { return (None, None) };
    kept(probe::insert_lsn(&session).await, session)
}

async fn open(site: &Site, session: Option<Session>, deadlines: Deadlines) -> Result<Session, PgError> {
    match (session, &site.access) {
        (Some(session), _) => Ok(session),
        (None, Access::Postgres(conninfo)) => connect(conninfo, deadlines).await,
        (None, Access::Memory(_)) => Err(PgError::Mismatch("a node in memory has no position".to_owned())),
    }
}

async fn connect(conninfo: &Conninfo, deadlines: Deadlines) -> Result<Session, PgError> {
    Session::connect(conninfo, "replab sampler", deadlines).await
}

fn kept<T>(answer: Result<Option<T>, PgError>, session: Session) -> Answered<T> {
    match answer {
        Ok(answer) => (answer, Some(session)),
        Err(_) => (None, None),
    }
}
