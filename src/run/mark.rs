//! What a replica has to have to be read: all that the primary had when it was asked.

use crate::config::TopologyKind;
use crate::lsn::Lsn;
use crate::pg::{PgError, Session, probe};

/// A place in what the primary has committed, with everything before it on disk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    /// A position of its log.
    Log(Option<Lsn>),
    /// A row. Aurora's readers have no position that could be compared: who shows the row has what was there before it.
    Row(i64),
}

impl Mark {
    /// Sets one, over a session with the primary whose `search_path` is the run's.
    pub(super) async fn set(session: &Session, kind: TopologyKind) -> Result<Mark, PgError> {
        match kind {
            TopologyKind::Aurora => probe::add_mark(session).await.map(Mark::Row),
            TopologyKind::Local | TopologyKind::Compose | TopologyKind::Memory | TopologyKind::Urls => {
                probe::flush_barrier(session).await.map(Mark::Log)
            }
        }
    }

    /// Whether the replica of this session is there.
    pub(super) async fn is_shown(&self, session: &Session) -> Result<bool, PgError> {
        match self {
            Mark::Log(target) => Ok(probe::replay_lsn(session).await? >= *target),
            Mark::Row(number) => probe::shows_mark(session, *number).await,
        }
    }

    /// Whether what is read of a replica that is not there tells as much: digests carry the position of the log at which
    /// they were read, where there is one.
    pub(super) fn is_told_by_reads(&self) -> bool {
        matches!(self, Mark::Log(Some(_)))
    }
}
