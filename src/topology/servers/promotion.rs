//! Another node becomes the primary: because the old one has ended, or in good order.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::follow::{catch_up, point, point_all, settle_all};
use super::{Fork, Server, Servers, Standing, drop_stale_slots, ensure_slot, query_error};
use crate::history::{Condition, NodeName};
use crate::lsn::Lsn;
use crate::pg::{PgError, Session, probe};
use crate::topology::{Role, TopologyError};

/// How long a replica may take to replay what it has received, and to open for writes.
const PROMOTION_LIMIT: Duration = Duration::from_secs(60);

/// What is on its way when the primary ends arrives within this time, or its link does not say that it ended.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// How long a replica may take to answer who looks for one to promote. One that was rewound, and has not received all that
/// it needs, does not before somebody sends it.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// The primary.
pub(in crate::topology) fn primary<C: Servers>(cluster: &C) -> Result<&C::Server, TopologyError> {
    let primary = cluster.servers().iter().find(|node| node.standing().role == Role::Primary);
    primary.ok_or_else(|| TopologyError::lab("the cluster has no primary"))
}

/// The node that takes writes, and whether it runs.
pub(in crate::topology) fn writer<C: Servers>(cluster: &C) -> Result<(NodeName, bool), TopologyError> {
    primary(cluster).map(|node| (node.name(), node.is_running()))
}

/// The replica that has received most of the log, of those that could be promoted; the first of several. Ask when the
/// primary has ended: what is still on its way is waited for.
pub(in crate::topology) async fn candidate<C: Servers>(cluster: &C) -> Result<NodeName, TopologyError> {
    let mut best: Option<(Option<Lsn>, NodeName)> = None;
    for node in cluster.servers().iter().filter(|node| is_promotable(cluster, *node)) {
        let session = match cluster.session(node, ANSWER_LIMIT).await {
            Err(TopologyError::NoAnswer { .. }) if node.is_running() => continue,
            session => session?,
        };
        let end = received::<C>(node, &session).await?;
        session.close().await;
        if best.is_none_or(|(most, _)| end > most) {
            best = Some((end, node.name()));
        }
    }
    best.map(|(_, node)| node).ok_or_else(nobody)
}

/// Whether `node`, or any where none is named, could be promoted just now: to be asked before the primary is ended.
pub(in crate::topology) fn check_promotable<C: Servers>(
    cluster: &C,
    node: Option<NodeName>,
) -> Result<(), TopologyError> {
    // Who is to follow the new primary has to write that down; the old one does not, or not yet.
    let old = primary(cluster)?.name();
    let mut others = cluster.servers().iter().filter(|node| node.name() != old);
    if let Some(full) = others.find(|node| node.is_out_of_space()) {
        return Err(TopologyError::Impossible { node: full.name(), condition: Condition::DiskFull });
    }
    match node.map(|name| cluster.server(name)).transpose()? {
        Some(node) if is_promotable(cluster, node) => Ok(()),
        Some(node) => Err(unfit(node)),
        // The best of those that can be asked need not be the best of all.
        None if replicas(cluster).any(|node| node.is_candidate() && !node.is_reachable()) => {
            let out = replicas(cluster).find(|node| !node.is_reachable());
            Err(out.map_or_else(nobody, unfit))
        }
        None if replicas(cluster).any(|node| is_promotable(cluster, node)) => Ok(()),
        None => Err(replicas(cluster).find(|node| !node.conditions().is_empty()).map_or_else(nobody, unfit)),
    }
}

fn replicas<C: Servers>(cluster: &C) -> impl Iterator<Item = &C::Server> {
    cluster.servers().iter().filter(|node| node.standing().role == Role::Replica)
}

/// Whether `node` can be spoken to, and has been seen to follow since the last failover: one that has not would go on with
/// another log of the same timeline, and nobody could tell the two apart any more.
fn is_promotable<C: Servers>(cluster: &C, node: &C::Server) -> bool {
    let last = cluster.fork().map_or(0, |fork| fork.timeline);
    node.is_candidate() && node.is_reachable() && node.standing().timeline >= last
}

fn nobody() -> TopologyError {
    TopologyError::lab("there is no replica that could be promoted")
}

/// Why `node` was left alone.
fn unfit<S: Server>(node: &S) -> TopologyError {
    let (name, conditions) = (node.name(), node.conditions());
    if node.standing().role == Role::Primary {
        return TopologyError::IsPrimary { node: name };
    }
    let diverged = conditions.get(&Condition::Diverged).copied();
    match diverged.or_else(|| conditions.into_iter().next()) {
        Some(condition) => TopologyError::Impossible { node: name, condition },
        None => TopologyError::lab(format!("{name} is no replica that could be promoted")),
    }
}

/// Makes `node` the primary, and lets whoever can follow it do so.
pub(in crate::topology) async fn promote<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<String, TopologyError> {
    let old = primary(cluster)?;
    if old.is_running() {
        return Err(TopologyError::SecondPrimary { node: node.name(), primary: old.name() });
    }
    if !is_promotable(cluster, node) {
        return Err(unfit(node));
    }
    let session = cluster.session(node, C::Server::PATIENCE).await?;
    let end = received::<C>(node, &session).await?;
    let frozen = node.life().receiver.take();
    if let Some(receiver) = frozen {
        node.dismiss(receiver).await?;
        node.life().lasting.remove(&Condition::Frozen);
    }
    let fork = open_for_writes::<C>(node, &session).await?;
    *node.standing() = Standing { timeline: fork.timeline, ..Standing::primary() };
    let timeline = old.standing().timeline;
    *old.standing() = Standing { diverged: true, timeline, ..Standing::follower(node.name()) };
    cluster.add_fork(fork);
    point_all(cluster, node, &session, old.name()).await?;
    session.close().await;
    let diverged: Vec<String> = diverged(cluster).map(|name| name.to_string()).collect();
    let end = end.map_or_else(|| "nothing".to_owned(), |end| end.to_string());
    Ok(format!(
        "timeline {} from {}, of {end} received; cannot follow: {}",
        fork.timeline,
        fork.at,
        diverged.join(", ")
    ))
}

/// Shuts the primary down, promotes `node` once it has everything, and starts the old primary as its replica.
pub(in crate::topology) async fn switch_over<C: Servers>(
    cluster: &C,
    node: &C::Server,
) -> Result<String, TopologyError> {
    let old = primary(cluster)?;
    if !is_promotable(cluster, node) {
        return Err(unfit(node));
    }
    // A primary that shuts down would wait for whoever is held up.
    for other in cluster.servers().iter().filter(|other| other.is_running()) {
        if let Some(condition) = other.hindrance() {
            return Err(TopologyError::Impossible { node: other.name(), condition });
        }
    }
    old.is_to_answer()?;
    let out: BTreeSet<NodeName> = diverged(cluster).collect();
    // A primary that shuts down waits for nobody who is not connected.
    let waited = C::Server::PATIENCE;
    let late = |_| TopologyError::NotTaken {
        node: node.name(),
        condition: Condition::Diverged,
        lifted: true,
        waited,
    };
    let upstream = node.standing().upstream;
    let upstream = upstream.map_or(Ok(old), |name| cluster.server(name))?;
    catch_up(cluster, &[(node, upstream)], waited, late).await?;
    // It waits until everybody who streams has everything, its own last checkpoint included.
    let old_end = old.shut_down().await?;
    let shut_down = cluster.shutdown_checkpoint(old).await?;
    let session = cluster.session(node, C::Server::PATIENCE).await?;
    let end = received::<C>(node, &session).await?;
    if end <= Some(shut_down) {
        let why = format!("{} has not received the shutdown of {} at {shut_down}", node.name(), old.name());
        return Err(TopologyError::lab(why));
    }
    let fork = open_for_writes::<C>(node, &session).await?;
    *node.standing() = Standing { timeline: fork.timeline, ..Standing::primary() };
    cluster.add_fork(fork);
    // Nobody receives through it: it was the primary. Whom it follows is written down before it starts, and that it
    // does is seen after.
    let timeline = old.standing().timeline;
    *old.standing() = Standing { diverged: true, timeline, ..Standing::follower(node.name()) };
    point_all(cluster, node, &session, old.name()).await?;
    ensure_slot(node, &session, old).await?;
    point(cluster, old, node).await?;
    session.close().await;
    let started = old.revive().await?;
    settle_all(cluster).await?;
    let follower = cluster.session(old, C::Server::PATIENCE).await?;
    drop_stale_slots(cluster, old, &follower).await?;
    follower.close().await;
    if let Some(lost) = diverged(cluster).find(|name| !out.contains(name)) {
        let why = "it does not follow the new primary".to_owned();
        return Err(cluster.server(lost)?.did_not_hold(Condition::Diverged, why));
    }
    let (name, Fork { timeline, at }) = (old.name(), fork);
    Ok(format!("{name} {old_end}; timeline {timeline} from {at}; {name} follows as {started}"))
}

/// Who cannot follow the primary.
fn diverged<C: Servers>(cluster: &C) -> impl Iterator<Item = NodeName> {
    cluster.servers().iter().filter(|node| node.standing().diverged).map(Server::name)
}

/// Has `node` end its recovery, and waits until it takes writes.
async fn open_for_writes<C: Servers>(node: &C::Server, session: &Session) -> Result<Fork, TopologyError> {
    let promoted = async {
        probe::promote(session).await?;
        while probe::is_in_recovery(session).await? {
            sleep(C::POLL).await;
        }
        loop {
            // The history file is written before the recovery ends; where there is none, nothing was promoted.
            if let Some((timeline, at)) = probe::timeline(session).await? {
                return Ok::<_, PgError>(Fork { timeline, at });
            }
            sleep(C::POLL).await;
        }
    };
    let promoted = timeout(PROMOTION_LIMIT, promoted).await;
    let late = |_| {
        let limit = PROMOTION_LIMIT.as_secs();
        node.no_answer(format!("it is still in recovery {limit} s after its promotion"))
    };
    let fork = promoted.map_err(late)?.map_err(query_error(node, "promote it"))?;
    // A replay that was paused is not any more.
    node.life().lasting.remove(&Condition::ReplayPaused);
    Ok(fork)
}

/// The end of what a replica has received, once nothing more is on its way. What a frozen receiver has not read does
/// not count: it will never be read.
async fn received<C: Servers>(node: &C::Server, session: &Session) -> Result<Option<Lsn>, TopologyError> {
    let is_frozen = node.life().lasting.contains(&Condition::Frozen);
    if !is_frozen {
        let link_ended = async {
            while matches!(probe::wal_receiver(session).await, Ok(Some(_))) {
                sleep(C::POLL).await;
            }
        };
        // A link that was cut does not end.
        drop(timeout(LAST_BYTES, link_ended).await);
    }
    let ends = async {
        // What is written is flushed by a receiver that ends.
        let written = probe::written_lsn(session).await?;
        Ok::<_, PgError>(
            probe::receive_lsn(session).await?.max(probe::replay_lsn(session).await?).max(written),
        )
    };
    ends.await.map_err(query_error(node, "ask what it has received"))
}
