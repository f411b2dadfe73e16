//! How far the readers' page caches are behind, as Aurora itself reports it.

use super::cluster::Cluster;
use crate::history::{Clock, LagSample, LinkState, Nanos, NodeName};
use crate::pg::aurora::{ReplicaStatus, replica_status};
use crate::pg::probe::LagProbe;
use crate::pg::{Deadlines, Session};

/// A row that is older says nothing about now.
const STALE: Nanos = Nanos(300_000_000_000);

impl Cluster {
    /// One sample of each reader, by the writer's `aurora_replica_status()`, over `session`, which is opened where there is
    /// none and dropped where it is of no use any more. `replay_lag` is `replica_lag_in_msec`; there are no positions.
    pub async fn sample_lag(
        &self,
        session: &mut Option<(NodeName, Session)>,
        clock: &Clock,
        deadlines: Deadlines,
    ) -> Vec<LagSample> {
        let asked = clock.now();
        let writer = *self.primary();
        session.take_if(|(node, _)| *node != writer);
        let status = async {
            let (_, open) = match session {
                Some(open) => open,
                None => {
                    let conninfo = &self.seat(writer).ok()?.node.conninfo;
                    let open = Session::connect(conninfo, "replab sampler", deadlines).await.ok()?;
                    session.insert((writer, open))
                }
            };
            replica_status(open).await.ok()
        };
        let status = status.await;
        if status.is_none() {
            *session = None;
        }
        let readers = self.seats.iter().filter(|seat| seat.node.name != writer);
        let readers: Vec<(NodeName, &str)> = readers.map(|seat| (seat.node.name, &*seat.instance)).collect();
        let names: Vec<NodeName> = readers.iter().map(|(name, _)| *name).collect();
        let mut samples = LagProbe::unanswered(clock, asked, &names);
        for (sample, (_, instance)) in samples.iter_mut().zip(readers) {
            if let Some(rows) = &status {
                let row = rows.iter().find(|row| row.server_id == instance);
                (sample.state, sample.replay_lag) = of_row(row);
            }
        }
        samples
    }
}

fn of_row(row: Option<&ReplicaStatus>) -> (LinkState, Option<Nanos>) {
    match row {
        None => (LinkState::Disconnected, None),
        Some(row) if row.age.is_some_and(|age| age > STALE) => (LinkState::Unknown, None),
        Some(row) if row.lag.is_none() => (LinkState::Unknown, None),
        Some(row) => (LinkState::Streaming, row.lag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_old_or_empty_says_nothing() {
        let row = |lag, age| ReplicaStatus { server_id: "lab-2".to_owned(), is_writer: false, lag, age };
        let lag = Some(Nanos::from_millis(17));
        assert_eq!(of_row(Some(&row(lag, None))), (LinkState::Streaming, lag));
        assert_eq!(of_row(Some(&row(lag, Some(Nanos(STALE.0 + 1))))), (LinkState::Unknown, None));
        assert_eq!(of_row(Some(&row(None, None))), (LinkState::Unknown, None));
        assert_eq!(of_row(None), (LinkState::Disconnected, None));
    }
}
