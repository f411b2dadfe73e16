//! Another container becomes the primary, and the old one comes back.

use replab::history::{Action, Condition, NodeName, StopMode};
use replab::lsn::Lsn;
use replab::pg::{Session, probe};
use replab::topology::compose::Config;
use replab::topology::{Role, Standbys, TopologyError};

use crate::compose::{Containers, docker};
use crate::support::until;

fn primary() -> NodeName {
    NodeName::primary()
}

fn replica(number: usize) -> NodeName {
    NodeName::replica(number)
}

async fn insert(session: &Session, value: i32) -> Option<Lsn> {
    session.batch(&format!("INSERT INTO t VALUES ({value})")).await.unwrap();
    probe::insert_lsn(session).await.unwrap()
}

async fn column(session: &Session, sql: &str) -> Vec<String> {
    let rows = session.simple_query_rows(sql).await.unwrap();
    rows.into_iter().flatten().flatten().collect()
}

async fn values(session: &Session) -> Vec<String> {
    column(session, "SELECT id FROM t ORDER BY id").await
}

/// The slots of a node, and whether somebody receives through each.
async fn slots(session: &Session) -> Vec<String> {
    column(session, "SELECT slot_name || ' ' || active FROM pg_replication_slots ORDER BY 1").await
}

async fn replayed(session: &Session, position: Option<Lsn>) {
    until("the replica replays", async || probe::replay_lsn(session).await.unwrap() >= position).await;
}

/// A primary and two replicas with a table on every node.
async fn with_table(config: Config) -> Option<(Containers, Session)> {
    let lab = Containers::of(Config { replicas: 2, ..config }).await?;
    let writer = lab.session(primary()).await;
    writer.batch("CREATE TABLE t (id int)").await.unwrap();
    let made = insert(&writer, 1).await;
    for number in [1, 2] {
        replayed(&lab.session(replica(number)).await, made).await;
    }
    Some((lab, writer))
}

fn roles(lab: &Containers) -> Vec<(NodeName, Role)> {
    lab.cluster.endpoints().into_iter().map(|endpoint| (endpoint.node, endpoint.role)).collect()
}

#[tokio::test]
async fn a_frozen_container_that_is_promoted_has_lost_what_it_did_not_receive() {
    let Some((lab, writer)) = with_table(Config::default()).await else { return };
    let cluster = &lab.cluster;
    lab.act(replica(1), Action::Freeze).await;
    let last = insert(&writer, 2).await;
    replayed(&lab.session(replica(2)).await, last).await;
    let error = cluster.act(replica(1), Action::Promote).await.unwrap_err();
    assert!(matches!(error, TopologyError::SecondPrimary { .. }), "{error}");
    lab.act(primary(), Action::Kill).await;
    assert_eq!(cluster.candidate().await.unwrap(), replica(2), "it has received more");

    let said = lab.act(replica(1), Action::Promote).await;
    assert!(said.ends_with("cannot follow: primary, replica-2"), "{said}");
    let expected = [(primary(), Role::Replica), (replica(1), Role::Primary), (replica(2), Role::Replica)];
    assert_eq!((roles(&lab), cluster.writer().unwrap()), (expected.into(), (replica(1), true)));
    let behind = [(primary(), Condition::Diverged), (replica(2), Condition::Diverged)];
    assert_eq!(cluster.conditions(), behind);
    let new = lab.session(replica(1)).await;
    assert_eq!(values(&new).await, ["1"], "what it had received, and not what it had in its socket");
    let last = insert(&new, 3).await;

    let error = cluster.act(primary(), Action::Start).await.unwrap_err();
    assert_eq!(error.to_string(), "primary is diverged, so it was left alone");
    assert!(!cluster.is_running(primary()).unwrap());
    let error = cluster.check_promotable(None).unwrap_err();
    assert!(matches!(error, TopologyError::Impossible { condition: Condition::Diverged, .. }), "{error}");
    for node in [primary(), replica(2)] {
        let said = lab.act(node, Action::Rejoin).await;
        assert!(
            said.starts_with("rewound; started as process ") && said.ends_with("follows replica-1"),
            "{said}"
        );
        let session = lab.session(node).await;
        replayed(&session, last).await;
        assert_eq!(values(&session).await, ["1", "3"], "{node}");
        assert!(slots(&session).await.is_empty(), "{node}");
    }
    cluster.all_follow().await.unwrap();
    assert_eq!(slots(&new).await, ["primary true", "replica_2 true"]);
    assert_eq!(cluster.conditions(), []);
    let refused = lab.session(primary()).await.batch("INSERT INTO t VALUES (4)").await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some("25006"), "{refused}");

    // Without its control file nobody can tell what it holds.
    let remove =
        ["exec", cluster.container(replica(1)).unwrap(), "rm", "/var/lib/replab/data/global/pg_control"];
    assert!(docker(&remove).status.success());
    lab.act(replica(1), Action::Kill).await;
    lab.act(primary(), Action::Promote).await;
    let said = lab.act(replica(1), Action::Rejoin).await;
    assert!(said.starts_with("a new base backup, as it cannot be rewound: docker: exit status: 1"), "{said}");
    let last = insert(&lab.session(primary()).await, 5).await;
    for node in [replica(1), replica(2)] {
        let session = lab.session(node).await;
        replayed(&session, last).await;
        assert_eq!(values(&session).await, ["1", "3", "5"], "{node}");
    }
    lab.down().await;
}

#[tokio::test]
async fn a_synchronous_container_that_is_promoted_has_lost_nothing_and_can_hand_back() {
    let standbys = Some("ANY 1".parse::<Standbys>().unwrap());
    let Some((lab, writer)) = with_table(Config { standbys, ..Config::default() }).await else { return };
    let cluster = &lab.cluster;
    // What one acknowledges, the other has not.
    lab.act(replica(1), Action::Freeze).await;
    let expected: Vec<String> = (1..=50).map(|value| value.to_string()).collect();
    for value in 2..=50 {
        insert(&writer, value).await;
    }
    lab.act(replica(1), Action::Kill).await;
    lab.act(primary(), Action::Kill).await;
    let best = cluster.candidate().await.unwrap();
    assert_eq!(best, replica(2), "it has acknowledged");
    lab.act(best, Action::Promote).await;
    let new = lab.session(best).await;
    assert_eq!(values(&new).await, expected, "of what was acknowledged");
    // Down during the failover, and told all the same.
    lab.act(replica(1), Action::Start).await;
    assert_eq!(cluster.conditions(), [(primary(), Condition::Diverged)]);
    insert(&new, 51).await;

    // A commit waits when nobody can acknowledge it, and does not when it is told so.
    lab.act(replica(1), Action::Freeze).await;
    let other = lab.session(best).await;
    let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let (waited, said) = tokio::join!(new.batch("INSERT INTO t VALUES (52)"), async {
        until("the commit waits", async || !column(&other, waits).await.is_empty()).await;
        lab.act(best, Action::CancelSyncWait).await
    });
    waited.unwrap();
    assert_eq!(said, "cancelled the wait of 1 commits");
    lab.act(replica(1), Action::Thaw).await;
    let said = lab.act(best, Action::Terminate).await;
    assert_eq!(said, "ended 2 sessions; none of them is left");
    let ended = new.batch("SELECT 1").await.unwrap_err();
    assert!(ended.sqlstate().is_none_or(|code| code == "57P01"), "{ended}");
    lab.act(primary(), Action::Rejoin).await;

    let last = insert(&lab.session(best).await, 53).await;
    let said = lab.act(primary(), Action::Switchover).await;
    assert!(said.contains("timeline 3 from") && said.contains("; replica-2 follows as process "), "{said}");
    assert_eq!(cluster.writer().unwrap(), (primary(), true));
    let last = insert(&lab.session(primary()).await, 54).await.max(last);
    for number in [1, 2] {
        let session = lab.session(replica(number)).await;
        replayed(&session, last).await;
        assert_eq!(values(&session).await.len(), 54, "replica-{number}");
        assert!(slots(&session).await.is_empty(), "replica-{number}");
    }
    assert_eq!((cluster.conditions(), cluster.died_unasked()), (vec![], None));
    lab.down().await;
}

#[tokio::test]
async fn a_container_that_was_held_up_during_a_failover_follows_when_it_goes_on() {
    let Some((lab, writer)) = with_table(Config::default()).await else { return };
    let cluster = &lab.cluster;
    lab.act(replica(2), Action::Pause).await;
    let refused = cluster.act(replica(2), Action::Switchover).await.unwrap_err();
    assert!(refused.to_string().contains("replica-2 is paused, so it was left alone"), "{refused}");
    assert_eq!(cluster.writer().unwrap(), (primary(), true), "nothing was done");
    drop(writer);
    lab.act(primary(), Action::Stop(StopMode::Immediate)).await;
    let refused = cluster.act(replica(2), Action::Promote).await.unwrap_err();
    assert!(refused.to_string().contains("replica-2 is paused, so it was left alone"), "{refused}");
    lab.act(replica(1), Action::Promote).await;
    let last = insert(&lab.session(replica(1)).await, 2).await;
    lab.act(replica(2), Action::Resume).await;
    assert_eq!(cluster.conditions(), [(primary(), Condition::Diverged)]);
    let session = lab.session(replica(2)).await;
    replayed(&session, last).await;
    assert_eq!(values(&session).await, ["1", "2"]);
    lab.down().await;
}
