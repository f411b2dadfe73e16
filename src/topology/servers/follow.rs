//! Whom a replica follows: told, and seen to be obeyed.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Server, Servers, Standing, primary, query_error};
use crate::history::{Condition, NodeName};
use crate::pg::{PgError, Session, probe};
use crate::topology::local::settings::slot_name;
use crate::topology::{Role, TopologyError};

/// What is expected of a replica that receives is not expected of one that cannot for so long.
const STARVED: Duration = Duration::from_secs(5);

/// What becomes of a replica that was told whom to follow.
enum Seen {
    Follows,
    Diverged,
}

/// Has `node` follow `upstream`, whether it runs or not.
pub(in crate::topology) async fn point<C: Servers>(
    cluster: &C,
    node: &C::Server,
    upstream: &C::Server,
) -> Result<(), TopologyError> {
    cluster.write_upstream(node, upstream).await?;
    let frozen = node.life().receiver.clone();
    if let Some(receiver) = frozen {
        // The server itself would tell it, but perhaps after it has gone on and read what the old upstream had sent.
        node.terminate_receiver(&receiver).await?;
    }
    let mut standing = node.standing();
    *standing = Standing { timeline: standing.timeline, ..Standing::follower(upstream.name()) };
    Ok(())
}

/// Whether what `node` receives comes, through whomever, from `source`.
fn receives_through<C: Servers>(cluster: &C, node: &C::Server, source: NodeName) -> bool {
    let mut upstream = node.standing().upstream;
    // As many steps as there are nodes: a circle would otherwise have no end.
    for _ in cluster.servers() {
        let Some(name) = upstream else { return false };
        if name == source {
            return true;
        }
        let standing = cluster.server(name).ok().map(|node| *node.standing());
        upstream = standing.filter(|standing| !standing.diverged).and_then(|standing| standing.upstream);
    }
    false
}

/// After a failover: lets everybody but `except` receive from the new primary, over whom it did before where that one
/// receives from it too.
pub(super) async fn point_all<C: Servers>(
    cluster: &C,
    primary: &C::Server,
    session: &Session,
    except: NodeName,
) -> Result<(), TopologyError> {
    let others = cluster.servers().iter().filter(|node| ![primary.name(), except].contains(&node.name()));
    for node in others {
        let diverged = node.standing().diverged;
        // Who has diverged would not follow; it comes back by another way.
        if !diverged && !receives_through(cluster, node, primary.name()) {
            ensure_slot(primary, session, node).await?;
            point(cluster, node, primary).await?;
        }
    }
    settle_all(cluster).await
}

/// Makes the slot through which `node` receives from the server of `upstream`, if it is not there.
pub(in crate::topology) async fn ensure_slot<S: Server>(
    upstream: &S,
    session: &Session,
    node: &S,
) -> Result<(), TopologyError> {
    let slot = slot_name(node.name().as_str());
    let sql = format!(
        "SELECT pg_create_physical_replication_slot('{slot}', immediately_reserve => true) \
         WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '{slot}')"
    );
    session.batch(&sql).await.map_err(query_error(upstream, "make a replication slot"))
}

/// Drops the slots on `node` of nodes that do not receive from it any more; they would keep its log for ever. Whatever
/// other slots there are, the lab did not make them.
pub(in crate::topology) async fn drop_stale_slots<C: Servers>(
    cluster: &C,
    node: &C::Server,
    session: &Session,
) -> Result<(), TopologyError> {
    let stale = |other: &&C::Server| other.standing().upstream != Some(node.name());
    let name = |other: &C::Server| slot_name(other.name().as_str());
    let stale: Vec<String> = cluster.servers().iter().filter(stale).map(name).collect();
    let sql = format!(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
         WHERE slot_type = 'physical' AND NOT active AND slot_name = ANY ('{{{}}}')",
        stale.join(",")
    );
    session.batch(&sql).await.map_err(query_error(node, "drop replication slots"))
}

/// Comes to its end when nothing of the log has been able to get to `node` for a while, with why.
pub(super) async fn starves<C: Servers>(cluster: &C, node: &C::Server) -> TopologyError {
    let mut since = Instant::now();
    loop {
        match cluster.obstacle(node) {
            Some((node, condition)) if since.elapsed() >= STARVED => {
                return TopologyError::Impossible { node, condition };
            }
            Some(_) => {}
            None => since = Instant::now(),
        }
        sleep(C::POLL).await;
    }
}

/// Waits until the replicas of `streams`, each with its upstream, have flushed what the primary writes now, and the
/// upstreams know, for `limit` each. Answers that they have.
pub(in crate::topology) async fn catch_up<C: Servers>(
    cluster: &C,
    streams: &[(&C::Server, &C::Server)],
    limit: Duration,
    late: impl Fn(NodeName) -> TopologyError,
) -> Result<String, TopologyError> {
    if streams.is_empty() {
        return Ok(String::new());
    }
    let primary = primary(cluster)?;
    let session = cluster.session(primary, C::Server::PATIENCE).await?;
    let written = probe::flush_barrier(&session).await.map_err(query_error(primary, "write a marker"))?;
    session.close().await;
    for &(replica, upstream) in streams {
        let session = cluster.session(upstream, C::Server::PATIENCE).await?;
        let received = async {
            while probe::flushed_by(&session, replica.name()).await? < written {
                sleep(C::POLL).await;
            }
            Ok::<_, PgError>(())
        };
        let received = timeout(limit, received).await.map_err(|_| late(replica.name()))?;
        received.map_err(query_error(upstream, "ask for its replicas"))?;
        session.close().await;
    }
    let names: Vec<String> = streams.iter().map(|(replica, _)| replica.name().to_string()).collect();
    Ok(format!("; all that was written has reached {}", names.join(", ")))
}

/// After a failover: waits until `node` follows, or is seen to have diverged, and takes note of which. One that is
/// down or held up, or whose upstream is down, is looked at when that has ended.
pub(in crate::topology) async fn settle<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<(), TopologyError> {
    let standing = *node.standing();
    let (Some(last), Some(_)) = (cluster.fork(), cluster.fork_after(standing.timeline)) else {
        return Ok(());
    };
    let upstream = standing.upstream.map(|name| cluster.server(name)).transpose()?;
    let is_held_up = !node.is_free() || !upstream.is_some_and(Server::is_free) || !cluster.is_fed(node);
    if standing.diverged || is_held_up {
        return Ok(());
    }
    let session = cluster.session(node, C::Server::PATIENCE).await?;
    let look = async {
        loop {
            let receives = probe::receives_timeline(&session).await?;
            let held = probe::held_timelines(&session).await?;
            if receives >= Some(last.timeline) || held.contains(&last.timeline) {
                return Ok(Seen::Follows);
            }
            // Of a timeline that it has a part of it holds no more than what is common to all.
            let missed = cluster.fork_after(latest(&held, standing.timeline)).unwrap_or(last);
            if receives.is_none()
                && probe::replay_lsn(&session).await? > Some(missed.at)
                && !probe::held_timelines(&session).await?.contains(&missed.timeline)
            {
                return Ok(Seen::Diverged);
            }
            sleep(C::POLL).await;
        }
    };
    let seen: Result<Seen, PgError> = tokio::select! {
        seen = node.within(look, Condition::Diverged, true) => seen?,
        _ = starves(cluster, node) => return Ok(()),
    };
    session.close().await;
    match seen.map_err(query_error(node, "look whom it follows"))? {
        Seen::Follows => node.standing().timeline = last.timeline,
        Seen::Diverged => node.standing().diverged = true,
    }
    Ok(())
}

/// The last of the timelines that a server holds one after the other from `since`, which its log may have lost by now.
fn latest(held: &BTreeSet<u32>, since: u32) -> u32 {
    (since..).take_while(|timeline| *timeline == since || held.contains(timeline)).last().unwrap_or(since)
}

/// [`settle`] for every node.
pub(in crate::topology) async fn settle_all<C: Servers>(cluster: &C) -> Result<(), TopologyError> {
    for node in cluster.servers() {
        settle(cluster, node).await?;
    }
    Ok(())
}

/// Waits until `node` receives what the primary writes, unless it is the primary, or down or held up.
pub(in crate::topology) async fn follows<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<(), TopologyError> {
    if node.standing().role == Role::Primary || !node.is_free() {
        return Ok(());
    }
    let timeline = cluster.fork().map(|fork| fork.timeline);
    let session = cluster.session(node, C::Server::PATIENCE).await?;
    let follows = async {
        loop {
            let received = probe::receives_timeline(&session).await?;
            if received.is_some() && received >= timeline {
                return Ok(());
            }
            sleep(C::POLL).await;
        }
    };
    let follows: Result<(), PgError> = node.within(follows, Condition::Diverged, true).await?;
    follows.map_err(query_error(node, "look whom it follows"))?;
    session.close().await;
    Ok(())
}

/// [`follows`] for every node.
pub(in crate::topology) async fn all_follow<C: Servers>(cluster: &C) -> Result<(), TopologyError> {
    for node in cluster.servers() {
        follows(cluster, node).await?;
    }
    // A replica that now receives from somebody else leaves a slot behind, which would keep its log for ever.
    for node in cluster.servers().iter().filter(|node| node.is_free()) {
        let session = cluster.session(node, C::Server::PATIENCE).await?;
        drop_stale_slots(cluster, node, &session).await?;
        session.close().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_holds_begins_where_it_was_last_seen_to_follow() {
        let held = |timelines: &[u32]| timelines.iter().copied().collect::<BTreeSet<u32>>();
        assert_eq!(latest(&held(&[1, 2, 3, 5]), 1), 3);
        assert_eq!(latest(&held(&[]), 1), 1);
        // Of an old log nothing is left of the first timelines.
        assert_eq!(latest(&held(&[68, 69, 70]), 69), 70);
        assert_eq!(latest(&held(&[68, 69, 71]), 69), 69);
    }
}
