//! Local clusters: real servers, started, killed, left behind.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use replab::history::{Action, Condition, NodeName, StopMode};
use replab::pg::{Conninfo, Host, Session, probe};
use replab::topology::local::{Cluster, Config, StateDir, gc};
use replab::topology::{Category, Role, Standbys, TopologyError};

use crate::shared_memory::SharedMemory;
use crate::support::{
    DEADLINES, Lab, PATIENCE, config, processes_in, replab, require_pg, shown, state_dir, until,
};

fn primary() -> NodeName {
    NodeName::primary()
}

async fn rows(session: &Session) -> usize {
    session.simple_query_rows("SELECT id FROM t").await.unwrap().len()
}

#[tokio::test]
async fn a_cluster_is_durable_private_and_replicates() {
    let Some(lab) = Lab::up(2).await else { return };
    let roles: Vec<_> = lab.cluster.endpoints().iter().map(|e| (e.node.as_str(), e.role)).collect();
    let expected = [("primary", Role::Primary), ("replica-1", Role::Replica), ("replica-2", Role::Replica)];
    assert_eq!(roles, expected);
    let binaries = require_pg().await.unwrap();
    if let Some(named) = std::env::var_os("REPLAB_PG_BIN") {
        assert_eq!(binaries.directory, fs::canonicalize(named).unwrap(), "the tests are of what was named");
    }

    let writer = lab.session(primary()).await;
    writer.batch("CREATE TABLE t (id int); INSERT INTO t VALUES (1)").await.unwrap();
    let written = probe::insert_lsn(&writer).await.unwrap();
    for endpoint in lab.cluster.endpoints() {
        let session = lab.session(endpoint.node).await;
        let names = ["fsync", "full_page_writes", "synchronous_commit", "data_checksums", "hot_standby"];
        let settings = probe::settings(&session, &names).await.unwrap();
        assert!(names.iter().all(|name| settings[*name] == "on"), "{}: {settings:?}", endpoint.node);
        let named = ["cluster_name", "listen_addresses", "server_version"];
        let named = probe::settings(&session, &named).await.unwrap();
        assert_eq!(named["server_version"], binaries.version);
        assert_eq!(named["cluster_name"], endpoint.node.as_str());
        assert_eq!(named["listen_addresses"], "127.0.0.1");
        if endpoint.role == Role::Replica {
            until("it is replayed", async || probe::replay_lsn(&session).await.unwrap() >= written).await;
            assert_eq!(rows(&session).await, 1);
        }
    }
    let slots = "SELECT slot_name FROM pg_replication_slots WHERE active ORDER BY 1";
    let slots: Vec<_> =
        writer.simple_query_rows(slots).await.unwrap().into_iter().flatten().flatten().collect();
    assert_eq!(slots, ["replica_1", "replica_2"]);

    let without = Conninfo::new(
        Host::Tcp("127.0.0.1".to_owned()),
        lab.conninfo(primary()).port(),
        "postgres",
        "postgres",
    );
    assert!(Session::connect(&without, "test", DEADLINES).await.is_err(), "a password is needed");
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(lab.cluster.passfile()), 0o600);
    assert_eq!(mode(lab.directory()), 0o700);
    assert_eq!(mode(lab.cluster.state().socket), 0o700);

    let conninfo = lab.conninfo(primary());
    let password = conninfo.password().unwrap().expose();
    for place in ["cluster.json", "nodes/replica-1/postgresql.auto.conf", "nodes/primary/postgresql.conf"] {
        assert!(!fs::read_to_string(lab.directory().join(place)).unwrap().contains(password), "{place}");
    }
    for endpoint in lab.cluster.endpoints() {
        let log = fs::read_to_string(lab.cluster.log(endpoint.node).unwrap()).unwrap();
        assert!(!log.is_empty() && !log.contains(password) && !log.contains("SCRAM"), "{log}");
    }
    for pid in processes_in(&lab.directory()) {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&arguments).contains(password));
    }
    let (directory, log) = (lab.directory(), lab.cluster.log(primary()).unwrap().to_path_buf());
    lab.down().await;
    assert!(!directory.exists() && processes_in(&directory).is_empty());
    assert!(log.exists(), "logs stay");
}

#[tokio::test]
async fn a_kill_leaves_no_process_and_what_was_acknowledged_survives_every_time() {
    let Some(lab) = Lab::up(0).await else { return };
    lab.session(primary()).await.batch("CREATE TABLE t (id int)").await.unwrap();
    let data = lab.directory().join("nodes/primary");
    let mut seen = BTreeSet::new();
    for round in 1..=10 {
        let session = lab.session(primary()).await;
        session.batch(&format!("INSERT INTO t VALUES ({round})")).await.unwrap();
        assert!(!processes_in(&data).is_empty());
        let said = lab.cluster.act(primary(), Action::Kill).await.unwrap();
        assert!(said.starts_with("killed ") && said.ends_with("none is left"), "{said}");
        assert_eq!(processes_in(&data), [0_u32; 0]);
        assert_eq!(lab.cluster.conditions(), [(primary(), Condition::Down)]);
        let silent = lab.cluster.answer(primary(), PATIENCE).await.unwrap_err();
        assert!(matches!(silent, TopologyError::NoAnswer { .. }), "{silent}");

        lab.cluster.act(primary(), Action::Start).await.unwrap();
        lab.cluster.answer(primary(), PATIENCE).await.unwrap();
        assert_eq!(rows(&lab.session(primary()).await).await, round);
        assert!(
            seen.insert(lab.cluster.state().nodes[0].process.clone().unwrap()),
            "a new process each time"
        );
        assert_eq!(lab.cluster.conditions(), []);
        assert_eq!(lab.cluster.died_unasked(), None);
    }
    lab.down().await;
}

#[tokio::test]
async fn every_action_takes_hold_on_both_roles_and_replication_goes_on() {
    let Some(lab) = Lab::up(1).await else { return };
    lab.session(primary()).await.batch("CREATE TABLE t (id int)").await.unwrap();
    let replica = NodeName::replica(1);
    let down_and_up = |stop| vec![stop, Action::Start];
    let scripts = [
        vec![Action::Crash],
        vec![Action::Restart],
        down_and_up(Action::Stop(StopMode::Fast)),
        down_and_up(Action::Stop(StopMode::Immediate)),
        down_and_up(Action::Kill),
    ];
    let mut written = 0;
    for (node, actions) in scripts.iter().flat_map(|script| [(primary(), script), (replica, script)]) {
        let process = |cluster: &Cluster| {
            cluster.state().nodes.into_iter().find(|n| n.name == node).and_then(|n| n.process)
        };
        let before = process(&lab.cluster);
        for action in actions {
            assert!(Cluster::can(*action));
            lab.cluster.act(node, *action).await.unwrap();
            assert_eq!(lab.cluster.is_running(node).unwrap(), action.begins().is_none(), "{action} {node}");
            if action.begins().is_some() {
                assert_eq!(processes_in(&lab.directory().join("nodes").join(node.as_str())), [0_u32; 0]);
            }
        }
        lab.cluster.answer(node, PATIENCE).await.unwrap();
        assert_ne!(process(&lab.cluster), before);
        let writer = lab.session(primary()).await;
        writer.batch("INSERT INTO t VALUES (1)").await.unwrap();
        written += 1;
        assert_eq!(rows(&writer).await, written);
        let reader = lab.session(replica).await;
        until("the replica follows", async || shown(&reader).await == Some(written)).await;
        assert_eq!(lab.cluster.died_unasked(), None);
    }
    lab.down().await;
}

#[tokio::test]
async fn what_does_not_fit_is_an_error_and_a_death_is_noticed() {
    let Some(lab) = Lab::up(0).await else { return };
    let act = async |action| lab.cluster.act(primary(), action).await.unwrap_err();
    let error = lab.cluster.act(NodeName::new("replica-7"), Action::Kill).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no node `replica-7`; the nodes are primary");
    assert!(matches!(act(Action::Start).await, TopologyError::NothingToCure { .. }));
    assert_eq!(lab.cluster.died_unasked(), None);

    let postmaster = lab.cluster.state().nodes[0].process.clone().unwrap();
    kill(Pid::from_raw(postmaster.pid), Signal::SIGKILL).unwrap();
    until("its death is noticed", async || lab.cluster.died_unasked().is_some()).await;
    let said = lab.cluster.died_unasked().unwrap();
    assert!(said.contains("primary ended unasked (signal: 9") && said.contains("ready to accept"), "{said}");
    for action in [Action::Kill, Action::Crash, Action::Stop(StopMode::Fast), Action::Restart] {
        let error = act(action).await;
        assert!(matches!(error, TopologyError::NotRunning { .. }), "{action}: {error}");
        assert_eq!(error.category(), Category::Lab);
    }
    assert_eq!(lab.cluster.conditions(), [], "nobody asked for it");
    lab.down().await;
}

#[tokio::test]
async fn remote_apply_shows_every_replica_what_is_acknowledged() {
    let standbys = Some(Standbys::all(2));
    let config = Config { synchronous_commit: "remote_apply".to_owned(), standbys, ..config(2) };
    let Some(lab) = Lab::of(config).await else { return };
    let writer = lab.session(primary()).await;
    writer.batch("CREATE TABLE t (id int)").await.unwrap();
    let readers = [lab.session(NodeName::replica(1)).await, lab.session(NodeName::replica(2)).await];
    for written in 1..=20 {
        writer.batch("INSERT INTO t VALUES (1)").await.unwrap();
        for reader in &readers {
            assert_eq!(rows(reader).await, written);
        }
    }
    lab.down().await;
}

#[tokio::test]
async fn clusters_made_at_once_do_not_meet() {
    let (Some(one), Some(two)) = tokio::join!(Lab::up(1), Lab::up(1)) else { return };
    let ports =
        |lab: &Lab| lab.cluster.endpoints().iter().map(|e| e.conninfo.port()).collect::<BTreeSet<_>>();
    assert!(ports(&one).is_disjoint(&ports(&two)));
    one.session(primary()).await.batch("CREATE TABLE t (id int)").await.unwrap();
    assert!(two.session(primary()).await.simple_query_rows("SELECT id FROM t").await.is_err());
    tokio::join!(one.down(), two.down());
}

#[tokio::test]
async fn a_port_in_use_and_a_full_name_are_errors_of_the_environment() {
    if require_pg().await.is_none() {
        return;
    }
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = Cluster::up(&Config { port: Some(port), ..config(0) }).await.unwrap_err();
    assert!(matches!(error, TopologyError::PortInUse(found) if found == port));
    assert_eq!(error.category(), Category::Environment);
    let error = Cluster::up(&Config { name: "../x".to_owned(), ..config(0) }).await.unwrap_err();
    assert!(matches!(error, TopologyError::Config(_)));
    // A guard that does not stand is no guard.
    let error = Cluster::up(&Config { guard: Some("/bin/true".into()), ..config(0) }).await.unwrap_err();
    assert!(matches!(error, TopologyError::Guard { .. }), "{error}");
}

#[tokio::test]
async fn a_cluster_that_is_dropped_is_gone() {
    let Some(lab) = Lab::up(1).await else { return };
    let directory = lab.directory();
    assert!(processes_in(&directory).len() > 2);
    let memory = SharedMemory::of_nodes(&directory);
    drop(lab);
    assert_eq!(processes_in(&directory), [0_u32; 0]);
    assert!(!directory.exists());
    memory.iter().for_each(SharedMemory::assert_released);
}

#[tokio::test]
async fn nodes_that_were_killed_leave_no_memory_taken() {
    let Some(lab) = Lab::up(1).await else { return };
    let memory = SharedMemory::of_nodes(&lab.directory());
    for node in [primary(), NodeName::replica(1)] {
        lab.cluster.act(node, Action::Kill).await.unwrap();
    }
    memory.iter().for_each(SharedMemory::assert_taken);
    // It would not start with this.
    let spoiled = lab.directory().join("nodes/replica-1/postgresql.conf");
    fs::write(&spoiled, "no_such_setting = 1\nshared_buffers = '900TB'\n").unwrap();
    lab.down().await;
    memory.iter().for_each(SharedMemory::assert_released);
}

/// Not a test of its own: holds a cluster until it is killed, for the tests below, which start this binary again.
#[tokio::test]
async fn holds_a_cluster_for_another_test() {
    let Some(state_dir) = std::env::var_os("REPLAB_TEST_HOLD") else { return };
    let cluster = Cluster::up(&Config { state_dir: Some(state_dir.into()), ..config(1) }).await.unwrap();
    println!("holding {}", cluster.passfile().parent().unwrap().display());
    std::future::pending::<()>().await;
}

/// A state directory of the test's own, reachable for the account that runs PostgreSQL, with the shared cache.
fn own_state_dir() -> tempfile::TempDir {
    let directory =
        tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let cache = state_dir().join("cache");
    fs::create_dir_all(&cache).unwrap();
    std::os::unix::fs::symlink(cache, directory.path().join("cache")).unwrap();
    directory
}

/// A replab that holds a cluster, and the cluster's directory.
fn holder(state_dir: &tempfile::TempDir) -> (std::process::Child, PathBuf) {
    use std::io::BufRead;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "local::holds_a_cluster_for_another_test", "--nocapture"])
        .env("REPLAB_TEST_HOLD", state_dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let directory = lines.find_map(|line| Some(line.split_once("holding ")?.1.to_owned())).expect("it is up");
    (child, directory.into())
}

#[tokio::test]
async fn the_guard_ends_the_cluster_of_a_replab_that_is_killed() {
    if require_pg().await.is_none() {
        return;
    }
    let state_dir = own_state_dir();
    let (mut child, directory) = holder(&state_dir);
    assert!(processes_in(&directory).len() > 2);
    let memory = SharedMemory::of_nodes(&directory);
    child.kill().unwrap();
    child.wait().unwrap();
    until("nothing is left", async || processes_in(&directory).is_empty() && !directory.exists()).await;
    memory.iter().for_each(SharedMemory::assert_released);
}

#[tokio::test]
async fn gc_ends_what_is_left_when_the_guard_is_killed_too() {
    if require_pg().await.is_none() {
        return;
    }
    let own = own_state_dir();
    let state_dir = StateDir::open(Some(own.path())).unwrap();
    let (mut child, directory) = holder(&own);
    assert_eq!(gc(&state_dir, false).unwrap(), [], "a cluster in use is nobody's garbage");

    let memory = SharedMemory::of_nodes(&directory);
    let guard = children_of(child.id()).into_iter().find(|pid| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).any(|argument| argument == b"guard")
    });
    kill(Pid::from_raw(guard.expect("there is a guard")), Signal::SIGKILL).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let left = processes_in(&directory);
    assert!(left.len() > 2);

    let found = gc(&state_dir, true).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].killed.len() > 2 && found[0].removed == [directory.clone()]);
    assert!(directory.exists() && !processes_in(&directory).is_empty(), "a dry run only looks");

    let found = gc(&state_dir, false).unwrap();
    assert_eq!((found.len(), &found[0].failed), (1, &Vec::new()));
    assert_eq!(found[0].name.as_deref(), Some("test"));
    assert_eq!(processes_in(&directory), [0_u32; 0]);
    assert!(!directory.exists());
    memory.iter().for_each(SharedMemory::assert_released);
    assert_eq!(gc(&state_dir, false).unwrap(), []);
}

fn children_of(parent: u32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).unwrap().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    children
        .flat_map(|text| text.split_whitespace().filter_map(|p| p.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[tokio::test]
async fn a_cluster_left_running_is_found_used_and_ended_by_other_processes() {
    if require_pg().await.is_none() {
        return;
    }
    let own = own_state_dir();
    let run = |args: &[&str]| {
        let output = Command::new(replab())
            .args(args)
            .env("REPLAB_STATE_DIR", own.path())
            .env_remove("PGPASSWORD")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, _, error) = run(&["psql"]);
    assert_eq!(code, Some(11), "{error}");
    let (code, up, error) = run(&["up", "--json"]);
    assert_eq!((code, &*error), (Some(0), ""));
    let up: serde_json::Value = serde_json::from_str(&up).unwrap();
    assert_eq!(up["nodes"][1]["node"], "replica-1");
    let (code, _, error) = run(&["up"]);
    assert!(code == Some(11) && error.contains("already up"), "{error}");
    assert_eq!(run(&["gc"]).1, "nothing was left behind\n");

    let state_dir = StateDir::open(Some(own.path())).unwrap();
    let state = state_dir.find(None).unwrap();
    assert_eq!((state.owner.is_none(), state.is_running()), (true, true));
    let cluster = Cluster::attach(&state_dir, state).unwrap();
    let password = cluster.endpoints()[0].conninfo.password().unwrap().expose().to_owned();
    cluster.act(primary(), Action::Crash).await.unwrap();
    cluster.answer(primary(), Duration::from_secs(60)).await.unwrap();
    drop(cluster);

    let (code, status, _) = run(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!((code, &status["clusters"][0]["nodes"][0]["answers"]), (Some(0), &true.into()));
    let (code, table, _) = run(&["status"]);
    assert!(code == Some(0) && table.contains("takes writes") && table.contains("replays"), "{table}");
    assert!(!table.contains(&password) && !status.to_string().contains(&password));
    let (_, env, _) = run(&["status", "--env", "replica-1"]);
    assert!(env.contains(&format!("export PGPASSWORD='{password}'")));
    let (code, said, error) = run(&["psql", "replica-1", "--", "-Atc", "SHOW cluster_name"]);
    assert_eq!((code, &*said), (Some(0), "replica-1\n"), "{error}");
    let (code, log, _) = run(&["logs", "replica-1"]);
    assert!(code == Some(0) && log.contains("started streaming WAL"), "{log}");
    let (code, _, error) = run(&["logs", "replica-8"]);
    assert!(code == Some(2) && error.contains("there is no node `replica-8`"), "{error}");

    let (code, said, error) = run(&["down"]);
    assert!(code == Some(0) && said.contains("is down"), "{error}");
    assert_eq!(processes_in(own.path()), [0_u32; 0]);
    assert_eq!(state_dir.clusters().unwrap(), []);
}

#[tokio::test]
async fn a_replica_is_forgotten_when_nobody_keeps_the_log_for_it_any_more() {
    let Some(mut lab) = Lab::up(2).await else { return };
    let slots = "SELECT slot_name FROM pg_replication_slots ORDER BY 1";
    lab.cluster.act(primary(), Action::Kill).await.unwrap();
    let error = lab.cluster.retire_replica(NodeName::replica(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "primary does not run, and keeps the log for replica-1");
    assert_eq!(lab.cluster.endpoints().len(), 3, "it can be tried again");
    lab.cluster.act(primary(), Action::Start).await.unwrap();
    let runs = lab.cluster.forget_replica(NodeName::replica(2)).unwrap_err();
    assert_eq!(runs.to_string(), "replica-2 runs");
    lab.cluster.retire_replica(NodeName::replica(1)).await.unwrap();
    lab.cluster.forget_replica(NodeName::replica(1)).unwrap();
    let left = lab.session(primary()).await.simple_query_rows(slots).await.unwrap();
    assert_eq!(left.into_iter().flatten().flatten().collect::<Vec<_>>(), ["replica_2"]);
    assert!(!lab.directory().join("nodes/replica-1").exists());
    assert_eq!(lab.cluster.endpoints().len(), 2);
    for step in [lab.cluster.retire_replica(primary()).await, lab.cluster.forget_replica(primary())] {
        assert_eq!(step.unwrap_err().to_string(), "primary is the primary, and stays");
    }
    lab.down().await;
}
