//! Clusters of containers, on a real engine.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use replab::history::{Action, Condition, Cut, NodeName, Side, StopMode, Way};
use replab::lsn::Lsn;
use replab::pg::{Conninfo, Deadlines, PgError, Session, probe};
use replab::topology::compose::{Cluster, Config};
use replab::topology::{Category, TopologyError};
use tokio::sync::SemaphorePermit;

use crate::lab::{self, Lab};
use crate::support::{CLUSTERS, DEADLINES, PATIENCE, require_docker, state_dir, until};

/// For calls that are meant to get no answer.
const IMPATIENT: Deadlines =
    Deadlines { connect: Duration::from_millis(500), statement: Duration::from_millis(500) };

fn primary() -> NodeName {
    NodeName::primary()
}

fn replica() -> NodeName {
    NodeName::replica(1)
}

pub(crate) fn docker(args: &[&str]) -> Output {
    Command::new("docker").args(args).output().unwrap()
}

/// What `docker <args>` lists.
#[track_caller]
fn listed(args: &[&str]) -> Vec<String> {
    let output = docker(args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Every container, network and volume with the label of cluster `id`.
fn labelled(id: &str) -> Vec<String> {
    let filter = format!("label=replab.cluster={id}");
    let list = |noun, more: &[&str]| listed(&[&[noun, "ls", "-q", "--filter", &filter], more].concat());
    [list("container", &["--all"]), list("network", &[]), list("volume", &[])].concat()
}

/// Containers for one test.
pub(crate) struct Containers {
    pub(crate) cluster: Cluster,
    permit: SemaphorePermit<'static>,
}

impl Containers {
    /// A primary and `replicas` replicas; `None` where there is no docker.
    async fn up(replicas: usize) -> Option<Containers> {
        Containers::of(Config { replicas, ..Config::default() }).await
    }

    /// The cluster that `config` describes, of the image that there is.
    pub(crate) async fn of(config: Config) -> Option<Containers> {
        let image = require_docker()?;
        let permit = CLUSTERS.acquire().await.unwrap();
        let (name, state_dir) = ("test".to_owned(), Some(state_dir()));
        let config = Config { image, name, state_dir, ..config };
        Some(Containers { cluster: Cluster::up(&config).await.unwrap(), permit })
    }

    fn conninfo(&self, node: NodeName) -> Conninfo {
        let endpoints = self.cluster.endpoints();
        endpoints.into_iter().find(|endpoint| endpoint.node == node).unwrap().conninfo
    }

    pub(crate) async fn session(&self, node: NodeName) -> Session {
        Session::connect(&self.conninfo(node), "test", DEADLINES).await.unwrap()
    }

    pub(crate) async fn act(&self, node: NodeName, action: Action) -> String {
        let done = self.cluster.act(node, action).await.unwrap_or_else(|error| panic!("{action}: {error}"));
        if action.brings_back() {
            self.cluster.answer(node, PATIENCE).await.unwrap();
        }
        done
    }

    /// Nothing of it is left but its logs.
    pub(crate) async fn down(self) {
        let (id, log) = (self.cluster.id().to_owned(), self.cluster.log(primary()).unwrap().to_owned());
        let nodes: Vec<NodeName> = self.cluster.endpoints().iter().map(|endpoint| endpoint.node).collect();
        assert_eq!(labelled(&id).len(), 2 * nodes.len() + 2, "containers, volumes and networks");
        // Those that an image declares by itself carry no label.
        let mounts = "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}}\n{{end}}{{end}}";
        let of = |node: &NodeName| {
            listed(&["inspect", "--format", mounts, self.cluster.container(*node).unwrap()])
        };
        let volumes: Vec<String> = nodes.iter().flat_map(of).filter(|name| !name.is_empty()).collect();
        assert!(volumes.len() >= nodes.len(), "{volumes:?}");
        self.cluster.down().await.unwrap();
        assert_eq!(labelled(&id), [""; 0]);
        let left = listed(&["volume", "ls", "-q"]);
        assert!(!left.iter().any(|name| volumes.contains(name)), "{left:?}");
        assert!(fs::read_to_string(log).unwrap().contains("database system is ready to accept connections"));
        drop(self.permit);
    }
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
fn did_not_hold(error: TopologyError, expected: Condition) {
    let TopologyError::DidNotHold { condition, .. } = &error else { panic!("{error}") };
    assert_eq!((*condition, error.category()), (expected, Category::Lab), "{error}");
}

#[tokio::test]
async fn a_server_in_a_container_is_killed_stopped_and_started_and_keeps_what_it_acknowledged() {
    let Some(lab) = Containers::up(1).await else { return };
    let writer = lab.session(primary()).await;
    writer.batch("CREATE TABLE t (id int); INSERT INTO t VALUES (1)").await.unwrap();
    let settings = probe::settings(&writer, &["fsync", "data_checksums", "cluster_name"]).await.unwrap();
    let settings: Vec<&str> = settings.values().map(String::as_str).collect();
    assert_eq!(settings, ["primary", "on", "on"]);

    let said = lab.act(primary(), Action::Crash).await;
    assert!(said.contains("it has ended (exit code 137); started container "), "{said}");
    let writer = lab.session(primary()).await;
    assert_eq!(rows(&writer).await, 1, "the crash lost nothing");
    let recovered = fs_log(&lab, primary()).contains("was not properly shut down");
    assert!(recovered, "it was a crash: {}", fs_log(&lab, primary()));

    lab.act(primary(), Action::Stop(StopMode::Fast)).await;
    assert_eq!(lab.cluster.conditions(), [(primary(), Condition::Down)]);
    assert!(!lab.cluster.is_running(primary()).unwrap());
    assert!(Session::connect(&lab.conninfo(primary()), "test", IMPATIENT).await.is_err());
    for action in [Action::Kill, Action::Stop(StopMode::Immediate), Action::Pause] {
        let error = lab.cluster.act(primary(), action).await.unwrap_err();
        assert_eq!(error.to_string(), "primary is down, so it was left alone");
    }
    lab.act(primary(), Action::Start).await;
    assert!(fs_log(&lab, primary()).contains("database system was shut down at"), "it was a clean end");
    let twice = lab.cluster.act(primary(), Action::Start).await.unwrap_err();
    assert!(matches!(twice, TopologyError::NothingToCure { .. }), "{twice}");

    lab.act(replica(), Action::Stop(StopMode::Immediate)).await;
    assert_eq!(lab.cluster.conditions(), [(replica(), Condition::Down)]);
    assert!(fs_log(&lab, replica()).contains("received immediate shutdown request"));
    lab.act(replica(), Action::Start).await;
    let said = lab.act(replica(), Action::Restart).await;
    assert!(said.contains(" stopped (exit code 0); started container "), "{said}");
    let written = write(&lab.session(primary()).await).await;
    let reader = lab.session(replica()).await;
    until("the log streams again", async || probe::replay_lsn(&reader).await.unwrap() >= written).await;
    assert_eq!((rows(&reader).await, lab.cluster.conditions()), (2, vec![]));

    assert_eq!(lab.cluster.died_unasked(), None);
    docker(&["kill", lab.cluster.container(replica()).unwrap()]);
    until("it is noticed", async || lab.cluster.died_unasked().is_some()).await;
    let why = lab.cluster.died_unasked().unwrap();
    assert!(
        why.starts_with("replica-1 ended unasked; its log ends with:\n") && why.contains("LOG:"),
        "{why}"
    );
    lab.down().await;
}

/// What a server has said so far.
fn fs_log(lab: &Containers, node: NodeName) -> String {
    let output = docker(&["logs", lab.cluster.container(node).unwrap()]);
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_container_is_held_up_and_let_go() {
    let Some(lab) = Containers::up(1).await else { return };
    let act = async |action| lab.cluster.act(replica(), action).await;
    let writer = lab.session(primary()).await;
    writer.batch("CREATE TABLE t (id int)").await.unwrap();
    let mut written = write(&writer).await;
    let reader = lab.session(replica()).await;
    until("it is replayed", async || probe::replay_lsn(&reader).await.unwrap() >= written).await;
    for action in [Action::Resume, Action::Thaw, Action::ResumeReplay] {
        let error = act(action).await.unwrap_err();
        assert!(matches!(error, TopologyError::NothingToCure { .. }), "{error}");
    }

    let waiting = Session::connect(&lab.conninfo(replica()), "test", IMPATIENT).await.unwrap();
    act(Action::Pause).await.unwrap();
    assert_eq!(lab.cluster.conditions(), [(replica(), Condition::Paused)]);
    let silence = waiting.batch("SELECT 1").await;
    assert!(matches!(silence, Err(PgError::Deadline(_))), "{silence:?}");
    assert!(Session::connect(&lab.conninfo(replica()), "test", IMPATIENT).await.is_err());
    assert_eq!((lab.cluster.is_running(replica()).unwrap(), lab.cluster.died_unasked()), (true, None));
    lab.act(replica(), Action::Resume).await;
    assert_eq!(rows(&reader).await, 1, "a session of before goes on");

    act(Action::Freeze).await.unwrap();
    assert_eq!(lab.cluster.conditions(), [(replica(), Condition::Frozen)]);
    written = write(&writer).await;
    let sent = async || {
        let rows = writer.simple_query_rows("SELECT sent_lsn FROM pg_stat_replication").await.unwrap();
        rows.into_iter().flatten().flatten().next().map(|lsn| lsn.parse::<Lsn>().unwrap())
    };
    until("it is sent", async || sent().await >= written).await;
    assert!(probe::receive_lsn(&reader).await.unwrap() < written);
    act(Action::Thaw).await.unwrap();
    until("it is replayed", async || probe::replay_lsn(&reader).await.unwrap() >= written).await;

    act(Action::PauseReplay).await.unwrap();
    written = write(&writer).await;
    until("it is received", async || probe::receive_lsn(&reader).await.unwrap() >= written).await;
    assert_eq!(rows(&reader).await, 2);
    act(Action::ResumeReplay).await.unwrap();
    until("it is shown", async || rows(&reader).await == 3).await;
    assert_eq!(lab.cluster.conditions(), []);

    let container = lab.cluster.container(replica()).unwrap();
    act(Action::Pause).await.unwrap();
    docker(&["unpause", container]);
    did_not_hold(act(Action::Resume).await.unwrap_err(), Condition::Paused);
    lab.act(replica(), Action::Crash).await;
    act(Action::Freeze).await.unwrap();
    let session = lab.session(replica()).await;
    let receiver = probe::wal_receiver(&session).await.unwrap().unwrap();
    docker(&["exec", container, "sh", "-c", &format!("kill -s CONT {receiver}")]);
    did_not_hold(act(Action::Thaw).await.unwrap_err(), Condition::Frozen);
    lab.act(replica(), Action::Crash).await;

    act(Action::Pause).await.unwrap();
    act(Action::Kill).await.unwrap();
    assert_eq!(lab.cluster.conditions(), [(replica(), Condition::Down)], "and no longer paused");
    lab.act(replica(), Action::Start).await;
    lab.act(primary(), Action::Pause).await;
    lab.down().await;
}

#[tokio::test]
async fn a_node_is_cut_off_from_its_clients_or_from_the_others() {
    let Some(lab) = Containers::up(1).await else { return };
    let writer = lab.session(primary()).await;
    writer.batch("CREATE TABLE t (id int)").await.unwrap();
    let cluster = &lab.cluster;
    let isolate = |side| Action::Isolate(Cut { side, way: Way::Both });
    let isolated = [(replica(), Condition::Isolated)];

    let inside = lab.session(replica()).await;
    lab.act(replica(), isolate(Side::Clients)).await;
    assert_eq!(cluster.conditions(), isolated);
    let refused = async || Session::connect(&lab.conninfo(replica()), "test", IMPATIENT).await.is_err();
    assert!(refused().await, "no client gets in");
    let written = write(&writer).await;
    let replayed = "SELECT replay_lsn FROM pg_stat_replication";
    let streams_on = async || {
        until("the log streams on", async || {
            let rows = writer.simple_query_rows(replayed).await.unwrap();
            let lsn = rows.into_iter().flatten().flatten().next().map(|lsn| lsn.parse::<Lsn>().unwrap());
            lsn >= written
        })
        .await;
    };
    streams_on().await;
    assert!(refused().await, "and its port does not come back by another way");
    assert!(cluster.check_promotable(None).is_err(), "nobody knows what it has");
    for action in [Action::Freeze, Action::Terminate, Action::PauseReplay, Action::Switchover] {
        let error = cluster.act(replica(), action).await.unwrap_err();
        assert_eq!(error.to_string(), "replica-1 is isolated, so it was left alone", "{action}");
    }
    // The network is no process's.
    lab.act(replica(), Action::Crash).await;
    assert_eq!(cluster.conditions(), isolated);
    streams_on().await;
    let said = lab.act(replica(), Action::Reconnect).await;
    assert!(said.contains(" had stayed off the network of its clients, and is on again"), "{said}");
    cluster.answer(replica(), PATIENCE).await.unwrap();
    let error = cluster.act(replica(), Action::Reconnect).await.unwrap_err();
    assert!(matches!(error, TopologyError::NothingToCure { .. }), "{error}");
    drop(inside);

    let reader = lab.session(replica()).await;
    lab.act(replica(), isolate(Side::Peers)).await;
    let written = write(&writer).await;
    cluster.answer(replica(), PATIENCE).await.unwrap();
    assert!(probe::replay_lsn(&reader).await.unwrap() < written, "nothing of the log arrives");
    let said = lab.act(replica(), Action::Reconnect).await;
    assert!(said.ends_with("; all that was written has reached replica-1"), "{said}");
    until("it is replayed", async || probe::replay_lsn(&reader).await.unwrap() >= written).await;

    lab.act(replica(), isolate(Side::Both)).await;
    lab.act(replica(), Action::Crash).await;
    let container = cluster.container(replica()).unwrap();
    let networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}";
    assert_eq!(listed(&["container", "inspect", "--format", networks, container]), [""], "it is on none");
    write(&writer).await;
    lab.act(replica(), Action::Reconnect).await;
    assert_eq!(rows(&lab.session(replica()).await).await, 3);

    lab.act(primary(), isolate(Side::Peers)).await;
    let network = listed(&[
        "network",
        "ls",
        "--filter",
        &format!("label=replab.cluster={}", cluster.id()),
        "--format",
        "{{.Name}}",
    ]);
    let peers = network.iter().find(|name| name.ends_with("_peers")).unwrap();
    assert!(docker(&["network", "connect", peers, cluster.container(primary()).unwrap()]).status.success());
    did_not_hold(cluster.act(primary(), Action::Reconnect).await.unwrap_err(), Condition::Isolated);
    assert_eq!(cluster.died_unasked(), None);
    lab.down().await;
}

/// The clusters that a state directory knows of.
fn entered(lab: &Lab) -> Vec<String> {
    let entries = fs::read_dir(lab.state().join("compose")).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn what_a_killed_replab_leaves_is_found_and_removed() {
    let Some((lab, image)) = Lab::with_docker() else { return };
    let args = ["run", "-t", "compose", "--image", &image, "--duration", "10m", "--no-faults", "--quiet"];
    let mut child = lab.replab(&args).stdout(Stdio::null()).spawn().unwrap();
    let containers = |id: &str| {
        let filter = format!("label=replab.cluster={id}");
        listed(&["ps", "-q", "--filter", &filter]).len()
    };
    lab::until("both nodes run", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        entered(&lab).first().is_some_and(|id| containers(id) == 2)
    });
    let id = entered(&lab).remove(0);
    assert_eq!(lab.run(&["gc"]).exits(0).stdout, "nothing was left behind\n", "its owner runs");
    assert_eq!(containers(&id), 2);
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGKILL).unwrap();
    child.wait().unwrap();

    let would = lab.run(&["gc", "--dry-run"]).exits(0).stdout;
    assert!(would.contains("container ") && would.contains(" would be removed\n"), "{would}");
    assert_eq!(containers(&id), 2, "that was a dry run");
    // Without the directory, too: the labels alone say whose they are.
    fs::remove_dir_all(lab.state().join("compose").join(&id)).unwrap();
    let found = lab.run(&["gc", "--json"]).exits(0).json();
    let discarded = found["found"][0]["discarded"].as_array().unwrap();
    assert_eq!(discarded.len(), 6, "two containers, networks and volumes: {found}");
    assert_eq!(labelled(&id), [""; 0]);
    assert_eq!(lab.run(&["gc"]).exits(0).stdout, "nothing was left behind\n");
    lab.assert_nothing_left();
}

#[test]
fn ctrl_c_while_containers_start_leaves_nothing() {
    let Some((lab, image)) = Lab::with_docker() else { return };
    let args = ["run", "-t", "compose", "--image", &image, "--replicas", "2", "--quiet"];
    let mut child = lab.replab(&args).stdout(Stdio::null()).spawn().unwrap();
    lab::until("something is made", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        entered(&lab).first().is_some_and(|id| !labelled(id).is_empty())
    });
    let id = entered(&lab).remove(0);
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(labelled(&id), [""; 0]);
    lab.assert_nothing_left();
}

#[test]
fn methods_are_raced_in_containers_too() {
    let Some((lab, image)) = Lab::with_docker() else { return };
    let args = [
        "bench",
        "counter",
        "-t",
        "compose",
        "--image",
        &image,
        "--replicas",
        "0",
        "--repeat",
        "1",
        "--json",
    ];
    let size = ["--clients", "3", "--increments", "10", "--method", "in-place,optimistic"];
    let bench = lab.run(&[&args[..], &size].concat()).exits(0).json();
    let rows = bench["groups"][0]["rows"].as_array().unwrap();
    assert!(rows.len() == 2 && rows.iter().all(|row| row["laps"][0]["increments"]["found"] == 30), "{bench}");
    lab.assert_nothing_left();
}

#[test]
fn what_the_machine_lacks_is_said_with_what_to_do() {
    let Some((lab, image)) = Lab::with_docker() else { return };
    let run = |image: &str, host: Option<&str>| {
        let mut command = lab.replab(&["run", "-t", "compose", "--image", image]);
        command.envs(host.map(|host| ("DOCKER_HOST", host)));
        lab::Done::from(command.output().unwrap()).exits(11)
    };
    run("replab-nobody/has-this:1", None).explains(&[
        "the image `replab-nobody/has-this:1` is not on this machine",
        "docker pull replab-nobody/has-this:1",
        "compose/offline-image.sh",
    ]);
    let nowhere = format!("unix://{}/docker.sock", lab.path().display());
    run(&image, Some(&nowhere)).explains(&["the docker engine does not answer", "DOCKER_HOST"]);
    lab.run(&["run", "-t", "compose", "--image", "--privileged"]).exits(2);
    lab.run(&["run", "-t", "compose", "--image", "a b"]).exits(2).explains(&["not the name of an image"]);
    lab.assert_nothing_left();
}

#[test]
fn the_file_starts_a_primary_and_two_replicas_by_hand() {
    let Some((lab, image)) = Lab::with_docker() else { return };
    let plugin = docker(&["compose", "version"]).status.success();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("compose/compose.yaml");
    let project = format!("byhand{}", std::process::id());
    let compose = |args: &[&str]| {
        let mut command = Command::new(if plugin { "docker" } else { "docker-compose" });
        command.args(plugin.then_some("compose")).args(["-p", &project, "-f"]).arg(&file).args(args);
        command.env("REPLAB_PASSWORD", "only-for-this-test").env("REPLAB_IMAGE", &image);
        // Free ones, not to be in anybody's way.
        for (number, name) in ["PRIMARY", "REPLICA_1", "REPLICA_2"].iter().enumerate() {
            command.env(format!("REPLAB_PORT_{name}"), (lab_port() + number).to_string());
        }
        command.output().unwrap()
    };
    let up = compose(&["up", "-d"]);
    let project_label = format!("label=com.docker.compose.project={project}");
    let healthy = || listed(&["ps", "-q", "--filter", &project_label, "--filter", "health=healthy"]).len();
    let well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        assert!(up.status.success(), "{up:?}");
        lab::until("all three are healthy", || healthy() == 3);
        let psql = "psql -X -A -t -h /var/lib/replab -U postgres -c \
                    \"SELECT application_name FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1\"";
        let primary = listed(&[
            "ps",
            "-q",
            "--filter",
            &project_label,
            "--filter",
            "label=com.docker.compose.service=primary",
        ]);
        lab::until("both replicas stream", || {
            listed(&["exec", &primary[0], "sh", "-c", psql]) == ["replica-1", "replica-2"]
        });
        assert_eq!(lab.run(&["gc"]).exits(0).stdout, "nothing was left behind\n", "it has no owner");
        assert_eq!(healthy(), 3);
    }));
    let down = compose(&["down", "--volumes"]);
    assert!(down.status.success(), "{down:?}");
    well.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    assert_eq!(listed(&["ps", "-aq", "--filter", &project_label]), [""; 0]);
    assert_eq!(listed(&["volume", "ls", "-q", "--filter", &project_label]), [""; 0]);
}

/// The first of three ports that are free at this moment.
fn lab_port() -> usize {
    static PORT: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let is_free = |port: usize| {
        let port = u16::try_from(port).unwrap();
        std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
    };
    *PORT.get_or_init(|| (21_000..31_000).find(|port| (*port..port + 3).all(is_free)).unwrap())
}
