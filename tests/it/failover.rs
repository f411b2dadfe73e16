//! Another node becomes the primary, and the old one comes back.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use replab::history::{Action, Condition, NodeName, StopMode};
use replab::lsn::Lsn;
use replab::pg::{PgError, Session, probe};
use replab::topology::local::Config;
use replab::topology::{Cascade, Role, Standbys, TopologyError};

use crate::support::{Lab, PATIENCE, config, until};

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

/// A table on every node.
async fn with_table(replicas: usize, more: Config) -> Option<(Lab, Session)> {
    let lab = Lab::of(Config { replicas, ..more }).await?;
    let writer = lab.session(primary()).await;
    writer.batch("CREATE TABLE t (id int)").await.unwrap();
    let made = insert(&writer, 1).await;
    for number in 1..=replicas {
        let session = lab.session(replica(number)).await;
        replayed(&session, made).await;
    }
    Some((lab, writer))
}

fn role(lab: &Lab, node: NodeName) -> Role {
    lab.cluster.endpoints().into_iter().find(|endpoint| endpoint.node == node).unwrap().role
}

#[tokio::test]
async fn a_frozen_replica_that_is_promoted_has_lost_what_it_did_not_receive() {
    let Some((lab, writer)) = with_table(2, config(2)).await else { return };
    lab.cluster.act(replica(1), Action::Freeze).await.unwrap();
    let last = insert(&writer, 2).await;
    replayed(&lab.session(replica(2)).await, last).await;
    let error = lab.cluster.act(replica(1), Action::Promote).await.unwrap_err();
    assert!(matches!(error, TopologyError::SecondPrimary { .. }), "{error}");
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    assert_eq!(lab.cluster.candidate().await.unwrap(), replica(2), "it has received more");

    let said = lab.cluster.act(replica(1), Action::Promote).await.unwrap();
    assert!(said.ends_with("cannot follow: primary, replica-2"), "{said}");
    assert_eq!([role(&lab, primary()), role(&lab, replica(1))], [Role::Replica, Role::Primary]);
    let behind = [(primary(), Condition::Diverged), (replica(2), Condition::Diverged)];
    assert_eq!(lab.cluster.conditions(), behind);
    let new = lab.session(replica(1)).await;
    assert_eq!(values(&new).await, ["1"], "what it had received, and not what it had in its socket");
    let last = insert(&new, 3).await;

    let error = lab.cluster.act(primary(), Action::Start).await.unwrap_err();
    assert_eq!(error.to_string(), "primary is diverged, so it was left alone");
    for node in [primary(), replica(2)] {
        let said = lab.cluster.act(node, Action::Rejoin).await.unwrap();
        assert!(said.starts_with("rewound; started as") && said.ends_with("follows replica-1"), "{said}");
        let session = lab.session(node).await;
        replayed(&session, last).await;
        assert_eq!(values(&session).await, ["1", "3"], "{node}");
        assert!(slots(&session).await.is_empty(), "{node}");
    }
    // What the lab did not make is not the lab's to drop.
    let own = "SELECT pg_create_physical_replication_slot(name) FROM unnest('{somebodys,replica_1}'::text[]) AS name";
    new.batch(own).await.unwrap();
    lab.cluster.all_follow().await.unwrap();
    assert_eq!(slots(&new).await, ["primary true", "replica_2 true", "somebodys false"]);
    assert_eq!(lab.cluster.conditions(), []);
    let refused = lab.session(primary()).await.batch("INSERT INTO t VALUES (4)").await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some("25006"), "{refused}");
    lab.down().await;
}

#[tokio::test]
async fn a_node_that_cannot_be_rewound_is_copied_anew() {
    let Some((lab, writer)) = with_table(1, config(1)).await else { return };
    drop(writer);
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    lab.cluster.act(replica(1), Action::Promote).await.unwrap();
    let data = lab.directory().join("nodes/primary");
    // Without its control file nobody can tell what it holds.
    std::fs::remove_file(data.join("global/pg_control")).unwrap();
    let said = lab.cluster.act(primary(), Action::Rejoin).await.unwrap();
    assert!(said.starts_with("a new base backup, as it cannot be rewound: pg_rewind: "), "{said}");
    let last = insert(&lab.session(replica(1)).await, 2).await;
    let session = lab.session(primary()).await;
    replayed(&session, last).await;
    assert_eq!(values(&session).await, ["1", "2"]);
    lab.down().await;
}

#[tokio::test]
async fn a_switchover_loses_nothing_and_can_go_back() {
    let asynchronous = Config { synchronous_commit: "off".to_owned(), ..config(2) };
    let Some((lab, writer)) = with_table(2, asynchronous).await else { return };
    insert(&writer, 2).await;
    let said = lab.cluster.act(replica(2), Action::Switchover).await.unwrap();
    assert!(said.contains("timeline 2 from") && said.contains("primary follows as postmaster"), "{said}");
    let new = lab.session(replica(2)).await;
    assert_eq!(values(&new).await, ["1", "2"]);
    let last = insert(&new, 3).await;
    for node in [primary(), replica(1)] {
        let session = lab.session(node).await;
        replayed(&session, last).await;
        assert_eq!(values(&session).await, ["1", "2", "3"], "{node}");
        assert!(slots(&session).await.is_empty(), "{node}");
    }
    // Nobody is connected yet to a primary that has only just come back.
    lab.cluster.act(replica(2), Action::Crash).await.unwrap();
    lab.cluster.answer(replica(2), PATIENCE).await.unwrap();
    lab.cluster.act(primary(), Action::Switchover).await.unwrap();
    let last = insert(&lab.session(primary()).await, 4).await;
    for node in [replica(1), replica(2)] {
        let session = lab.session(node).await;
        replayed(&session, last).await;
        assert_eq!(values(&session).await, ["1", "2", "3", "4"], "{node}");
    }
    assert_eq!(lab.cluster.conditions(), []);
    lab.cluster.all_follow().await.unwrap();
    lab.down().await;
}

#[tokio::test]
async fn a_replica_that_was_away_during_a_failover_shows_whether_it_can_follow() {
    let Some((lab, writer)) = with_table(3, config(3)).await else { return };
    lab.cluster.act(replica(2), Action::Stop(StopMode::Fast)).await.unwrap();
    let last = insert(&writer, 2).await;
    replayed(&lab.session(replica(1)).await, last).await;
    replayed(&lab.session(replica(3)).await, last).await;
    lab.cluster.act(replica(3), Action::Pause).await.unwrap();
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    lab.cluster.act(replica(1), Action::Promote).await.unwrap();
    let last = insert(&lab.session(replica(1)).await, 3).await;
    lab.cluster.act(replica(2), Action::Start).await.unwrap();
    lab.cluster.act(replica(3), Action::Resume).await.unwrap();
    assert_eq!(lab.cluster.conditions(), [(primary(), Condition::Diverged)]);
    for node in [replica(2), replica(3)] {
        let session = lab.session(node).await;
        replayed(&session, last).await;
        assert_eq!(values(&session).await, ["1", "2", "3"], "{node}");
    }
    lab.down().await;
}

#[tokio::test]
async fn replicas_behind_replicas_follow_through_them() {
    let cascade = vec!["replica-2<-replica-1".parse::<Cascade>().unwrap()];
    let Some((lab, writer)) = with_table(2, Config { cascade, ..config(2) }).await else { return };
    let names = async |node| {
        column(&lab.session(node).await, "SELECT application_name FROM pg_stat_replication").await
    };
    assert_eq!(names(primary()).await, ["replica-1"]);
    assert_eq!(names(replica(1)).await, ["replica-2"]);
    assert_eq!(slots(&writer).await, ["replica_1 true"], "none that nobody uses");
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    // The one in the middle: who received from it goes on to.
    lab.cluster.act(replica(1), Action::Promote).await.unwrap();
    let last = insert(&lab.session(replica(1)).await, 2).await;
    replayed(&lab.session(replica(2)).await, last).await;
    lab.cluster.act(primary(), Action::Rejoin).await.unwrap();
    // The one at the end: the others receive from it, as nobody else has what it writes.
    lab.cluster.act(replica(1), Action::Kill).await.unwrap();
    lab.cluster.act(replica(2), Action::Promote).await.unwrap();
    lab.cluster.act(replica(1), Action::Rejoin).await.unwrap();
    let last = insert(&lab.session(replica(2)).await, 3).await;
    for node in [primary(), replica(1)] {
        replayed(&lab.session(node).await, last).await;
    }
    assert_eq!(lab.cluster.conditions(), []);
    lab.down().await;
}

#[tokio::test]
async fn a_commit_waits_for_as_many_standbys_as_it_is_told_also_after_a_failover() {
    let standbys = Some("ANY 1".parse::<Standbys>().unwrap());
    let Some((lab, writer)) = with_table(2, Config { standbys, ..config(2) }).await else { return };
    for node in [replica(1), replica(2)] {
        lab.cluster.act(node, Action::Freeze).await.unwrap();
    }
    let waits = async |session: &Session| {
        until("the commit waits", async || {
            !column(session, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'").await.is_empty()
        })
        .await;
    };
    let other = lab.session(primary()).await;
    let (waited, ()) = tokio::join!(writer.batch("INSERT INTO t VALUES (2)"), async {
        waits(&other).await;
        lab.cluster.act(replica(2), Action::Thaw).await.unwrap();
    });
    waited.unwrap();
    lab.cluster.act(replica(1), Action::Thaw).await.unwrap();
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    lab.cluster.act(replica(2), Action::Promote).await.unwrap();
    let new = lab.session(replica(2)).await;
    assert_eq!(values(&new).await, ["1", "2"]);
    insert(&new, 3).await;
    lab.cluster.act(replica(1), Action::Kill).await.unwrap();
    let other = lab.session(replica(2)).await;
    let (waited, ()) = tokio::join!(new.batch("INSERT INTO t VALUES (4)"), async {
        waits(&other).await;
        // Whoever was the primary counts as well as anybody else.
        lab.cluster.act(primary(), Action::Rejoin).await.unwrap();
    });
    waited.unwrap();
    lab.down().await;
}

#[tokio::test]
async fn what_cannot_be_promoted_is_refused() {
    let Some((lab, writer)) = with_table(1, config(1)).await else { return };
    drop(writer);
    lab.cluster.act(replica(1), Action::Pause).await.unwrap();
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    let refused = lab.cluster.act(replica(1), Action::Promote).await.unwrap_err();
    assert_eq!(refused.to_string(), "replica-1 is paused, so it was left alone");
    assert!(lab.cluster.candidate().await.is_err());
    lab.cluster.act(replica(1), Action::Resume).await.unwrap();
    let refused = lab.cluster.act(replica(1), Action::Switchover).await.unwrap_err();
    assert_eq!(refused.to_string(), "primary is down, so it was left alone");
    let stays: Result<bool, PgError> = probe::is_in_recovery(&lab.session(replica(1)).await).await;
    assert!(stays.unwrap());
    lab.down().await;
}

#[tokio::test]
async fn a_frozen_replica_never_reads_what_its_old_primary_had_sent() {
    let Some((lab, writer)) = with_table(2, config(2)).await else { return };
    lab.cluster.act(replica(2), Action::Freeze).await.unwrap();
    let last = insert(&writer, 2).await;
    replayed(&lab.session(replica(1)).await, last).await;
    // What tells the receiver to end is the startup process, which a busy machine may keep from that for long.
    let session = lab.session(replica(2)).await;
    let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'startup'";
    let startup = Pid::from_raw(column(&session, sql).await[0].parse().unwrap());
    kill(startup, Signal::SIGSTOP).unwrap();
    lab.cluster.act(replica(1), Action::Freeze).await.unwrap();
    insert(&writer, 3).await;
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    lab.cluster.act(replica(1), Action::Promote).await.unwrap();

    let before = probe::written_lsn(&session).await.unwrap();
    let (thawed, ()) = tokio::join!(lab.cluster.act(replica(2), Action::Thaw), async {
        until("the receiver does something", async || {
            let ended = probe::wal_receiver(&session).await.unwrap().is_none();
            ended || probe::written_lsn(&session).await.unwrap() > before
        })
        .await;
        kill(startup, Signal::SIGCONT).unwrap();
    });
    thawed.unwrap();
    assert_eq!(lab.cluster.conditions(), [(primary(), Condition::Diverged)]);
    let last = insert(&lab.session(replica(1)).await, 4).await;
    replayed(&session, last).await;
    assert_eq!(values(&session).await, ["1", "2", "4"]);
    lab.down().await;
}

#[tokio::test]
async fn who_has_not_seen_the_last_failover_is_not_promoted() {
    let Some((lab, writer)) = with_table(2, config(2)).await else { return };
    insert(&writer, 2).await;
    lab.cluster.act(replica(2), Action::PauseReplay).await.unwrap();
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    lab.cluster.act(replica(1), Action::Promote).await.unwrap();
    // It would make a second timeline of the same number.
    let error = lab.cluster.check_promotable(Some(replica(2))).unwrap_err();
    assert_eq!(error.to_string(), "replica-2 is paused in its replay, so it was left alone");
    let error = lab.cluster.check_promotable(Some(replica(1))).unwrap_err();
    assert_eq!(error.to_string(), "replica-1 is the primary, so it was left alone");
    lab.cluster.act(replica(1), Action::Kill).await.unwrap();
    assert!(lab.cluster.candidate().await.is_err());
    lab.cluster.act(replica(2), Action::Promote).await.unwrap_err();
    lab.cluster.act(replica(1), Action::Start).await.unwrap();
    lab.cluster.answer(replica(1), PATIENCE).await.unwrap();
    lab.cluster.act(replica(2), Action::ResumeReplay).await.unwrap();
    lab.cluster.act(replica(1), Action::Kill).await.unwrap();
    lab.cluster.act(replica(2), Action::Promote).await.unwrap();
    lab.down().await;
}

#[tokio::test]
async fn who_answers_nobody_is_no_candidate() {
    let Some((lab, writer)) = with_table(2, config(2)).await else { return };
    let session = lab.session(replica(1)).await;
    session.batch("ALTER SYSTEM SET hot_standby = off").await.unwrap();
    drop((session, writer));
    lab.cluster.act(replica(1), Action::Crash).await.unwrap();
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    assert!(lab.cluster.is_running(replica(1)).unwrap());
    assert_eq!(lab.cluster.candidate().await.unwrap(), replica(2));
    lab.down().await;
}

#[tokio::test]
async fn a_node_that_has_missed_two_failovers_is_known_by_the_first() {
    let Some((lab, writer)) = with_table(2, config(2)).await else { return };
    // Both failovers leave the first primary behind, and the second one must not forget it.
    lab.cluster.act(replica(1), Action::Freeze).await.unwrap();
    lab.cluster.act(replica(2), Action::Freeze).await.unwrap();
    insert(&writer, 2).await;
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    lab.cluster.act(replica(1), Action::Promote).await.unwrap();
    lab.cluster.act(replica(2), Action::Thaw).await.unwrap();
    let last = insert(&lab.session(replica(1)).await, 3).await;
    replayed(&lab.session(replica(2)).await, last).await;
    lab.cluster.act(replica(1), Action::Kill).await.unwrap();
    lab.cluster.act(replica(2), Action::Promote).await.unwrap();
    let behind = [(primary(), Condition::Diverged), (replica(1), Condition::Diverged)];
    assert_eq!(lab.cluster.conditions(), behind);
    let last = insert(&lab.session(replica(2)).await, 4).await;
    lab.cluster.act(replica(2), Action::Pause).await.unwrap();
    let error = lab.cluster.act(primary(), Action::Rejoin).await.unwrap_err();
    assert_eq!(error.to_string(), "replica-2 is paused, so it was left alone");
    lab.cluster.act(replica(2), Action::Resume).await.unwrap();
    for node in [primary(), replica(1)] {
        lab.cluster.act(node, Action::Rejoin).await.unwrap();
        if node == primary() {
            // Who was out before is none that it has lost.
            lab.cluster.act(node, Action::Switchover).await.unwrap();
            assert_eq!(lab.cluster.conditions(), [(replica(1), Condition::Diverged)]);
        }
        let session = lab.session(node).await;
        if node != primary() {
            replayed(&session, last).await;
        }
        assert_eq!(values(&session).await, ["1", "3", "4"], "{node}");
    }
    lab.cluster.all_follow().await.unwrap();
    lab.down().await;
}

#[tokio::test]
async fn a_replica_that_was_down_for_two_failovers_and_had_received_more_has_diverged() {
    let Some((lab, writer)) = with_table(3, config(3)).await else { return };
    lab.cluster.act(replica(1), Action::Freeze).await.unwrap();
    lab.cluster.act(replica(2), Action::Freeze).await.unwrap();
    let last = insert(&writer, 2).await;
    replayed(&lab.session(replica(3)).await, last).await;
    lab.cluster.act(replica(3), Action::Kill).await.unwrap();
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    lab.cluster.act(replica(1), Action::Promote).await.unwrap();
    lab.cluster.act(replica(2), Action::Thaw).await.unwrap();
    // So much that the second fork lies behind everything that the replica has.
    let new = lab.session(replica(1)).await;
    new.batch("INSERT INTO t SELECT 3 FROM generate_series(1, 10000)").await.unwrap();
    let last = insert(&new, 4).await;
    replayed(&lab.session(replica(2)).await, last).await;
    lab.cluster.act(replica(1), Action::Kill).await.unwrap();
    lab.cluster.act(replica(2), Action::Promote).await.unwrap();
    lab.cluster.act(replica(3), Action::Start).await.unwrap();
    assert!(lab.cluster.conditions().contains(&(replica(3), Condition::Diverged)));
    lab.cluster.act(replica(3), Action::Rejoin).await.unwrap();
    replayed(
        &lab.session(replica(3)).await,
        probe::insert_lsn(&lab.session(replica(2)).await).await.unwrap(),
    )
    .await;
    lab.down().await;
}
