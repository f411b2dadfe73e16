//! Nodes that are held up and not ended: paused, frozen, paused in their replay.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use replab::history::{Action, Condition, NodeName};
use replab::lsn::Lsn;
use replab::pg::{Deadlines, PgError, Session, probe};
use replab::topology::{Category, TopologyError};

use crate::support::{Lab, PATIENCE, processes_in, shown, until};

/// For calls that are meant to get no answer.
const IMPATIENT: Deadlines =
    Deadlines { connect: Duration::from_millis(300), statement: Duration::from_millis(300) };

fn primary() -> NodeName {
    NodeName::primary()
}

fn replica() -> NodeName {
    NodeName::replica(1)
}

fn wake(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGCONT).unwrap();
}

/// The state letter of a process: `T` while a signal has stopped it.
fn letter(pid: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

async fn rows(session: &Session) -> usize {
    session.simple_query_rows("SELECT id FROM t").await.unwrap().len()
}

/// Commits a row; answers where the log ends with it.
async fn write(writer: &Session) -> Option<Lsn> {
    writer.batch("INSERT INTO t VALUES (1)").await.unwrap();
    probe::insert_lsn(writer).await.unwrap()
}

#[track_caller]
fn did_not_hold(error: TopologyError, node: NodeName, expected: Condition) {
    let TopologyError::DidNotHold { node: of, condition, .. } = &error else { panic!("{error}") };
    assert_eq!((*of, *condition, error.category()), (node, expected, Category::Lab), "{error}");
}

#[tokio::test]
async fn a_paused_node_answers_nobody_and_has_forgotten_nothing() {
    let Some(lab) = Lab::up(1).await else { return };
    let data = |node: NodeName| lab.directory().join("nodes").join(node.as_str());
    lab.session(primary()).await.batch("CREATE TABLE t (id int); INSERT INTO t VALUES (1)").await.unwrap();
    for node in [primary(), replica()] {
        let before = lab.session(node).await;
        let waiting = Session::connect(&lab.conninfo(node), "test", IMPATIENT).await.unwrap();
        let said = lab.cluster.act(node, Action::Pause).await.unwrap();
        assert!(said.starts_with("stopped ") && said.ends_with("none runs"), "{said}");
        assert_eq!(lab.cluster.conditions(), [(node, Condition::Paused)]);
        assert!(processes_in(&data(node)).into_iter().all(|pid| letter(pid) == 'T'));
        let silence = waiting.batch("SELECT 1").await;
        assert!(matches!(silence, Err(PgError::Deadline(_))), "{silence:?}");
        assert!(Session::connect(&lab.conninfo(node), "test", IMPATIENT).await.is_err());
        assert_eq!((lab.cluster.is_running(node).unwrap(), lab.cluster.died_unasked()), (true, None));

        let said = lab.cluster.act(node, Action::Resume).await.unwrap();
        assert!(said.ends_with("go on; all had stayed stopped"), "{said}");
        lab.cluster.answer(node, PATIENCE).await.unwrap();
        until("it shows its row, to a session of before too", async || shown(&before).await == Some(1)).await;
        assert_eq!(lab.cluster.conditions(), []);
    }
    lab.down().await;
}

#[tokio::test]
async fn a_frozen_replica_receives_nothing_and_one_that_is_paused_in_its_replay_shows_nothing() {
    let Some(lab) = Lab::up(1).await else { return };
    let writer = lab.session(primary()).await;
    writer.batch("CREATE TABLE t (id int)").await.unwrap();
    let mut written = write(&writer).await;
    let reader = lab.session(replica()).await;
    until("it is replayed", async || probe::replay_lsn(&reader).await.unwrap() >= written).await;

    lab.cluster.act(replica(), Action::Freeze).await.unwrap();
    assert_eq!(lab.cluster.conditions(), [(replica(), Condition::Frozen)]);
    written = write(&writer).await;
    let sent = "SELECT sent_lsn FROM pg_stat_replication";
    let sent = async || {
        let rows = writer.simple_query_rows(sent).await.unwrap();
        rows.into_iter().flatten().flatten().next().map(|lsn| lsn.parse::<Lsn>().unwrap())
    };
    until("it is sent", async || sent().await >= written).await;
    assert!(probe::receive_lsn(&reader).await.unwrap() < written);
    assert_eq!(rows(&reader).await, 1, "and it still answers");
    lab.cluster.act(replica(), Action::Thaw).await.unwrap();
    until("it is replayed", async || probe::replay_lsn(&reader).await.unwrap() >= written).await;
    assert_eq!(rows(&reader).await, 2);

    let said = lab.cluster.act(replica(), Action::PauseReplay).await.unwrap();
    assert!(said.starts_with("replay is paused at 0/"), "{said}");
    assert_eq!(lab.cluster.conditions(), [(replica(), Condition::ReplayPaused)]);
    written = write(&writer).await;
    until("it is received", async || probe::receive_lsn(&reader).await.unwrap() >= written).await;
    assert!(probe::replay_lsn(&reader).await.unwrap() < written);
    assert_eq!(rows(&reader).await, 2);
    lab.cluster.act(replica(), Action::ResumeReplay).await.unwrap();
    until("it is shown", async || rows(&reader).await == 3).await;
    assert_eq!(lab.cluster.conditions(), []);
    lab.down().await;
}

#[tokio::test]
async fn a_fault_that_somebody_else_lifted_is_an_error() {
    let Some(lab) = Lab::up(1).await else { return };
    let act = async |action| lab.cluster.act(replica(), action).await;
    for (action, condition) in [
        (Action::Resume, Condition::Paused),
        (Action::Thaw, Condition::Frozen),
        (Action::ResumeReplay, Condition::ReplayPaused),
    ] {
        let error = act(action).await.unwrap_err();
        assert_eq!(error.to_string(), format!("replica-1 is not {condition}"));
    }
    act(Action::Pause).await.unwrap();
    let nodes = lab.cluster.state().nodes;
    wake(nodes.iter().find(|node| node.name == replica()).unwrap().process.as_ref().unwrap().pid);
    did_not_hold(act(Action::Resume).await.unwrap_err(), replica(), Condition::Paused);
    act(Action::Crash).await.unwrap();

    lab.cluster.answer(replica(), PATIENCE).await.unwrap();
    act(Action::Freeze).await.unwrap();
    let session = lab.session(replica()).await;
    wake(probe::wal_receiver(&session).await.unwrap().unwrap());
    did_not_hold(act(Action::Thaw).await.unwrap_err(), replica(), Condition::Frozen);
    act(Action::PauseReplay).await.unwrap();
    probe::pause_replay(&session, false).await.unwrap();
    until("it goes on", async || !probe::is_replay_paused(&session).await.unwrap()).await;
    did_not_hold(act(Action::ResumeReplay).await.unwrap_err(), replica(), Condition::ReplayPaused);
    lab.down().await;
}

#[tokio::test]
async fn what_ends_the_processes_ends_what_they_were_in() {
    let Some(lab) = Lab::up(1).await else { return };
    let replica_in = async |actions: &[Action]| {
        for action in actions {
            lab.cluster.act(replica(), *action).await.unwrap();
        }
        lab.cluster.conditions().into_iter().map(|(_, condition)| condition).collect::<Vec<_>>()
    };
    use Action::{Crash, Freeze, Kill, Pause, PauseReplay, Restart, Start};
    assert_eq!(replica_in(&[PauseReplay, Freeze]).await, [Condition::Frozen, Condition::ReplayPaused]);
    assert_eq!(replica_in(&[Crash]).await, []);
    lab.cluster.answer(replica(), PATIENCE).await.unwrap();
    assert_eq!(replica_in(&[PauseReplay, Restart]).await, []);
    lab.cluster.answer(replica(), PATIENCE).await.unwrap();
    assert_eq!(replica_in(&[Pause, Kill]).await, [Condition::Down]);
    assert_eq!(replica_in(&[Start]).await, []);
    lab.cluster.answer(replica(), PATIENCE).await.unwrap();
    assert_eq!(replica_in(&[Freeze]).await, [Condition::Frozen]);
    lab.cluster.act(primary(), Pause).await.unwrap();
    let directory = lab.directory();
    lab.down().await;
    assert_eq!(processes_in(&directory), [0_u32; 0], "a cluster that is held up goes down all the same");
}

#[tokio::test]
async fn where_nothing_streams_there_is_nothing_to_freeze() {
    let Some(lab) = Lab::up(1).await else { return };
    lab.cluster.act(primary(), Action::Pause).await.unwrap();
    lab.cluster.act(replica(), Action::Crash).await.unwrap();
    let error = lab.cluster.act(replica(), Action::Freeze).await.unwrap_err();
    assert_eq!(error.to_string(), "primary is paused, so it was left alone");
    lab.cluster.act(primary(), Action::Resume).await.unwrap();
    lab.cluster.act(replica(), Action::Freeze).await.unwrap();
    let error = lab.cluster.act(primary(), Action::Freeze).await.unwrap_err();
    assert_eq!(error.to_string(), "primary is the primary, so it was left alone");
    lab.down().await;
}
