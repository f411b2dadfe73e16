//! Networks that are cut, slow, or reset.

use std::num::NonZeroU64;
use std::time::Duration;

use replab::history::{Action, Condition, Cut, Nanos, NodeName, Side, Slowness, Way};
use replab::lsn::Lsn;
use replab::pg::{Deadlines, PgError, Session, probe};
use replab::topology::link::{Direction, Shape};
use replab::topology::local::Config;
use replab::topology::{Category, TopologyError};
use tokio::time::Instant;

use crate::support::{DEADLINES, Lab, PATIENCE, config, until};

/// For calls that are meant to get no answer.
const IMPATIENT: Deadlines =
    Deadlines { connect: Duration::from_millis(300), statement: Duration::from_millis(300) };

fn primary() -> NodeName {
    NodeName::primary()
}

fn replica() -> NodeName {
    NodeName::replica(1)
}

fn linked(replicas: usize) -> Config {
    Config { links: Some(7), ..config(replicas) }
}

fn isolate(side: Side, way: Way) -> Action {
    Action::Isolate(Cut { side, way })
}

/// A session past the links.
async fn direct(lab: &Lab, node: NodeName) -> Session {
    let endpoints = lab.cluster.direct_endpoints();
    let endpoint = endpoints.into_iter().find(|endpoint| endpoint.node == node).unwrap();
    Session::connect(&endpoint.conninfo, "test", DEADLINES).await.unwrap()
}

async fn insert(session: &Session, value: i32) -> Option<Lsn> {
    session.batch(&format!("INSERT INTO t VALUES ({value})")).await.unwrap();
    probe::insert_lsn(session).await.unwrap()
}

async fn rows(session: &Session) -> usize {
    session.simple_query_rows("SELECT id FROM t").await.unwrap().len()
}

async fn received(session: &Session, position: Option<Lsn>) {
    until("the replica receives", async || probe::receive_lsn(session).await.unwrap() >= position).await;
}

async fn with_table(replicas: usize) -> Option<Lab> {
    let lab = Lab::of(linked(replicas)).await?;
    let writer = direct(&lab, primary()).await;
    writer.batch("CREATE TABLE t (id int)").await.unwrap();
    let made = insert(&writer, 1).await;
    for number in 1..=replicas {
        let session = direct(&lab, NodeName::replica(number)).await;
        until("it is replayed", async || probe::replay_lsn(&session).await.unwrap() >= made).await;
    }
    Some(lab)
}

#[track_caller]
fn did_not_hold(error: TopologyError, node: NodeName, expected: Condition) {
    let TopologyError::DidNotHold { node: of, condition, .. } = &error else { panic!("{error}") };
    assert_eq!((*of, *condition, error.category()), (node, expected, Category::Lab), "{error}");
}

#[tokio::test]
async fn clients_that_are_cut_off_get_no_answer_and_what_they_sent_happens_when_they_are_back() {
    let Some(lab) = with_table(1).await else { return };
    let inside = direct(&lab, primary()).await;
    let mut expected = 1;
    for way in Way::ALL {
        let before = lab.session(primary()).await;
        let waiting = Session::connect(&lab.conninfo(primary()), "test", IMPATIENT).await.unwrap();
        let said = lab.cluster.act(primary(), isolate(Side::Clients, way)).await.unwrap();
        assert!(said.starts_with("nothing passes ") && said.ends_with("1 links was held back"), "{said}");
        assert_eq!(lab.cluster.conditions(), [(primary(), Condition::Isolated)]);
        let silence = waiting.batch("INSERT INTO t VALUES (2)").await;
        assert!(matches!(silence, Err(PgError::Deadline(_))), "{way:?}: {silence:?}");
        assert!(Session::connect(&lab.conninfo(primary()), "test", IMPATIENT).await.is_err(), "{way:?}");
        expected += 1;
        if way == Way::Out {
            // It arrives; only its answer does not.
            until("it is done", async || rows(&inside).await == expected).await;
        } else {
            assert_eq!(rows(&inside).await, expected - 1, "{way:?}");
        }
        // Replicas, and the lab itself, are on another side.
        let written = insert(&inside, 3).await;
        expected += 1;
        received(&direct(&lab, replica()).await, written).await;
        lab.session(replica()).await;
        lab.cluster.answer(primary(), PATIENCE).await.unwrap();

        let said = lab.cluster.act(primary(), Action::Reconnect).await.unwrap();
        assert!(said.ends_with("; requests through 1 of 1 links are answered"), "{said}");
        until("what was held back is done", async || rows(&before).await == expected).await;
        assert_eq!(lab.cluster.conditions(), []);
    }
    lab.down().await;
}

#[tokio::test]
async fn a_replica_that_is_cut_off_falls_behind_and_catches_up_whoever_is_isolated() {
    let Some(lab) = with_table(2).await else { return };
    let writer = lab.session(primary()).await;
    let (near, far) = (direct(&lab, NodeName::replica(2)).await, direct(&lab, replica()).await);
    for (node, side, way) in [
        (replica(), Side::Peers, Way::Both),
        (replica(), Side::Peers, Way::In),
        (primary(), Side::Peers, Way::Out),
        (primary(), Side::Peers, Way::Both),
    ] {
        lab.cluster.act(node, isolate(side, way)).await.unwrap();
        let stands = probe::receive_lsn(&far).await.unwrap();
        let written = insert(&writer, 2).await;
        if node == replica() {
            received(&near, written).await;
        } else {
            assert!(probe::receive_lsn(&near).await.unwrap() < written);
        }
        assert_eq!(probe::receive_lsn(&far).await.unwrap(), stands, "{node} {way:?}");
        assert!(stands < written);
        // Clients come and go.
        rows(&lab.session(node).await).await;
        let said = lab.cluster.act(node, Action::Reconnect).await.unwrap();
        let who = if node == replica() { "replica-1" } else { "replica-1, replica-2" };
        assert!(said.ends_with(&format!("has reached {who}")), "{said}");
        assert!(probe::receive_lsn(&far).await.unwrap() >= written);
    }
    // What a replica says is held back, and what it is told is not: it receives, and nobody knows.
    lab.cluster.act(replica(), isolate(Side::Peers, Way::Out)).await.unwrap();
    let written = insert(&writer, 2).await;
    received(&far, written).await;
    assert!(probe::flushed_by(&writer, replica()).await.unwrap() < written);
    lab.cluster.act(replica(), Action::Reconnect).await.unwrap();
    assert!(probe::flushed_by(&writer, replica()).await.unwrap() >= written);
    lab.down().await;
}

#[tokio::test]
async fn a_node_can_be_cut_off_from_everybody_and_killed_meanwhile() {
    let Some(lab) = with_table(2).await else { return };
    let inside = direct(&lab, primary()).await;
    lab.cluster.act(primary(), isolate(Side::Both, Way::Both)).await.unwrap();
    insert(&inside, 2).await;
    assert!(Session::connect(&lab.conninfo(primary()), "test", IMPATIENT).await.is_err());
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    assert_eq!(
        lab.cluster.conditions(),
        [(primary(), Condition::Isolated), (primary(), Condition::Down)],
        "the network outlasts the processes"
    );
    // The new primary is cut off from its peers, too: nobody is seen to follow it before it is reconnected.
    lab.cluster.act(replica(), isolate(Side::Peers, Way::Both)).await.unwrap();
    lab.cluster.act(replica(), Action::Promote).await.unwrap();
    let last = insert(&direct(&lab, replica()).await, 3).await;
    let other = direct(&lab, NodeName::replica(2)).await;
    assert!(probe::receive_lsn(&other).await.unwrap() < last);
    lab.cluster.act(replica(), Action::Reconnect).await.unwrap();
    let said = lab.cluster.act(primary(), Action::Reconnect).await.unwrap();
    assert!(said.contains("requests through 2 of 5 links are answered"), "{said}");
    received(&other, last).await;
    assert_eq!(lab.cluster.conditions(), [(primary(), Condition::Diverged)]);
    lab.cluster.act(primary(), Action::Rejoin).await.unwrap();
    let again = lab.session(primary()).await;
    until("it shows what the new primary has", async || rows(&again).await == 2).await;
    // The way back to the first primary leads through its links as well.
    lab.cluster.act(primary(), Action::Switchover).await.unwrap();
    lab.cluster.act(primary(), isolate(Side::Peers, Way::Both)).await.unwrap();
    let last = insert(&lab.session(primary()).await, 4).await;
    let old = direct(&lab, replica()).await;
    assert!(probe::receive_lsn(&old).await.unwrap() < last);
    lab.cluster.act(primary(), Action::Reconnect).await.unwrap();
    assert!(probe::receive_lsn(&old).await.unwrap() >= last);
    lab.down().await;
}

#[tokio::test]
async fn a_slow_network_takes_its_time_until_it_is_as_before() {
    let Some(lab) = with_table(1).await else { return };
    let session = lab.session(primary()).await;
    let took = async |session: &Session| {
        let begin = Instant::now();
        session.batch("SELECT 1").await.unwrap();
        begin.elapsed()
    };
    let slow = |side| {
        Action::Slow(Slowness {
            side,
            latency: Nanos::from_millis(100),
            jitter: Nanos::from_millis(1),
            bandwidth: NonZeroU64::new(1_000_000),
        })
    };
    let said = lab.cluster.act(primary(), slow(Side::Clients)).await.unwrap();
    assert!(said.starts_with("a request took 2"), "{said}");
    assert_eq!(lab.cluster.conditions(), [(primary(), Condition::Slow)]);
    assert!(took(&session).await >= Duration::from_millis(200));
    let said = lab.cluster.act(primary(), Action::SpeedUp).await.unwrap();
    assert!(said.ends_with("requests through 1 of 1 links are answered"), "{said}");
    // A busy machine may be slow once, and not always.
    until("it is as before", async || took(&session).await < Duration::from_millis(200)).await;

    lab.cluster.act(primary(), slow(Side::Peers)).await.unwrap();
    let inside = direct(&lab, primary()).await;
    // The replica must write it down before its clients hear of it.
    inside.batch("SET synchronous_commit = on").await.unwrap();
    let begin = Instant::now();
    let written = insert(&inside, 2).await;
    until("it is known", async || probe::flushed_by(&inside, replica()).await.unwrap() >= written).await;
    assert!(begin.elapsed() >= Duration::from_millis(200));
    // Somebody who has only just been started does not answer at once.
    lab.cluster.act(primary(), Action::Crash).await.unwrap();
    let said = lab.cluster.act(primary(), Action::SpeedUp).await.unwrap();
    assert!(said.ends_with("requests through 2 of 2 links are answered"), "{said}");
    let shapes = lab.cluster.link_of_clients(primary()).unwrap().state().await.unwrap().shapes;
    assert_eq!((shapes.to_server, shapes.to_client), (Shape::default(), Shape::default()));
    assert_eq!(lab.cluster.conditions(), []);
    lab.down().await;
}

#[tokio::test]
async fn a_reset_ends_every_session_and_none_of_the_other_side() {
    let Some(lab) = with_table(1).await else { return };
    let nothing = lab.cluster.act(replica(), Action::Reset(Side::Clients)).await.unwrap_err();
    assert!(matches!(nothing, TopologyError::NoEffect { .. }), "{nothing}");
    let (session, inside) = (lab.session(primary()).await, direct(&lab, replica()).await);
    let receiver = probe::wal_receiver(&inside).await.unwrap();
    let said = lab.cluster.act(primary(), Action::Reset(Side::Clients)).await.unwrap();
    assert_eq!(said, "reset 1 connections; none of them is left");
    let lost = session.batch("SELECT 1").await.unwrap_err();
    assert!(!matches!(lost, PgError::Deadline(_)), "{lost}");
    assert_eq!(probe::wal_receiver(&inside).await.unwrap(), receiver);
    let session = lab.session(primary()).await;
    let said = lab.cluster.act(replica(), Action::Reset(Side::Peers)).await.unwrap();
    assert_eq!(said, "reset 1 connections; none of them is left; all that was written has reached replica-1");
    assert_ne!(probe::wal_receiver(&inside).await.unwrap(), receiver, "it is another one");
    session.batch("SELECT 1").await.unwrap();
    assert_eq!(lab.cluster.conditions(), []);
    lab.down().await;
}

#[tokio::test]
async fn a_network_that_somebody_else_put_right_is_an_error() {
    let Some(lab) = with_table(1).await else { return };
    let act = async |action| lab.cluster.act(primary(), action).await;
    for (action, condition) in [(Action::Reconnect, Condition::Isolated), (Action::SpeedUp, Condition::Slow)]
    {
        let error = act(action).await.unwrap_err();
        assert_eq!(error.to_string(), format!("primary is not {condition}"));
    }
    let link = lab.cluster.link_of_clients(primary()).unwrap();
    act(Action::Slow(Slowness::EXAMPLE)).await.unwrap();
    link.shape(Direction::ToClient, Shape::default()).await.unwrap();
    did_not_hold(act(Action::SpeedUp).await.unwrap_err(), primary(), Condition::Slow);
    link.shape(Direction::ToClient, Shape { latency: Duration::from_millis(20), ..Shape::default() })
        .await
        .unwrap();
    act(Action::SpeedUp).await.unwrap();

    let session = lab.session(primary()).await;
    act(isolate(Side::Clients, Way::Both)).await.unwrap();
    link.shape(Direction::ToServer, Shape::default()).await.unwrap();
    did_not_hold(act(Action::Reconnect).await.unwrap_err(), primary(), Condition::Isolated);
    // Cut again before anybody looked: what has passed meanwhile tells.
    let rows = async || rows(&direct(&lab, primary()).await).await;
    let (_, ()) = tokio::join!(session.batch("INSERT INTO t VALUES (9)"), async {
        until("it is done", async || rows().await == 2).await;
        link.shape(Direction::ToServer, Shape::BLOCKED).await.unwrap();
        let error = act(Action::Reconnect).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "primary did not stay isolated: something passed from clients to primary"
        );
        did_not_hold(error, primary(), Condition::Isolated);
        link.reset().await.unwrap();
    });
    lab.down().await;
}

#[tokio::test]
async fn without_links_there_is_no_network_to_disturb() {
    let Some(lab) = Lab::up(1).await else { return };
    let ports = |endpoints: Vec<replab::topology::Endpoint>| {
        endpoints.into_iter().map(|endpoint| endpoint.conninfo.port()).collect::<Vec<_>>()
    };
    assert_eq!(ports(lab.cluster.endpoints()), ports(lab.cluster.direct_endpoints()));
    assert!(lab.cluster.link_of_clients(primary()).is_none());
    for action in [isolate(Side::Both, Way::Both), Action::Slow(Slowness::EXAMPLE), Action::Reset(Side::Both)]
    {
        let error = lab.cluster.act(primary(), action).await.unwrap_err();
        assert!(error.to_string().contains("was made without links"), "{error}");
    }
    assert_eq!(lab.cluster.conditions(), []);
    lab.down().await;
}
