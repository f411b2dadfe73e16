//! Nodes whose disk is full: what is acknowledged stays, whoever ends of it comes back, and nothing stays mounted.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use replab::history::{Action, Condition, NodeName};
use replab::lsn::Lsn;
use replab::pg::{PgError, Session, probe};
use replab::topology::local::{Config, StateDir, gc};
use replab::topology::{Category, TopologyError};

use crate::lab;
use crate::support::{Lab, PATIENCE, config, processes_in, require_mounts, shown, until};

/// The disk holds fewer megabytes, so that so many rows of one do not fit before it is full, nor after.
const ROWS: usize = 600;

fn primary() -> NodeName {
    NodeName::primary()
}

fn replica() -> NodeName {
    NodeName::replica(1)
}

fn on_small_disks(replicas: usize) -> Config {
    Config { small_disks: true, ..config(replicas) }
}

/// A cluster on small disks with an empty table on every node.
async fn with_table(replicas: usize) -> Option<Lab> {
    require_mounts()?;
    let lab = Lab::of(on_small_disks(replicas)).await?;
    // Incompressible and stored as it is, so that a row takes a megabyte and a little.
    let sql = "CREATE TABLE t (id int, filler text); ALTER TABLE t ALTER filler SET STORAGE EXTERNAL";
    lab.session(primary()).await.batch(sql).await.unwrap();
    for number in 1..=replicas {
        let session = lab.session(NodeName::replica(number)).await;
        until("the table is there", async || shown(&session).await == Some(0)).await;
    }
    Some(lab)
}

/// A row of a megabyte.
async fn write(session: &Session, id: usize) -> Result<(), PgError> {
    session.batch(&format!("INSERT INTO t VALUES ({id}, repeat('x', 1000000))")).await
}

/// Every row that a node shows.
async fn ids(session: &Session) -> Vec<usize> {
    let rows = session.simple_query_rows("SELECT id FROM t ORDER BY id").await.unwrap();
    rows.into_iter().flatten().flatten().map(|id| id.parse().unwrap()).collect()
}

/// Where replab has mounted something below `directory`.
fn mounts(directory: &Path) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let points = table.lines().filter_map(|line| line.split(' ').nth(4)).map(str::to_owned);
    points.filter(|point| Path::new(point).starts_with(directory)).collect()
}

fn disk(lab: &Lab, node: NodeName) -> PathBuf {
    lab.directory().join("nodes").join(node.as_str())
}

/// The end of what the primary has written.
async fn written(lab: &Lab) -> Option<Lsn> {
    probe::flush_barrier(&lab.session(primary()).await).await.unwrap()
}

#[tokio::test]
async fn a_primary_whose_disk_is_full_loses_nothing_that_it_has_acknowledged() {
    let Some(lab) = with_table(1).await else { return };
    let directory = lab.directory();
    assert_eq!(mounts(&directory).len(), 2);
    let session = lab.session(primary()).await;
    write(&session, 0).await.unwrap();
    let said = lab.cluster.act(primary(), Action::FillDisk).await.unwrap();
    assert!(said.starts_with("a file takes the ") && said.ends_with("does not fit (ENOSPC)"), "{said}");
    assert_eq!(lab.cluster.conditions(), [(primary(), Condition::DiskFull)]);

    let (mut acknowledged, mut refused, mut unknown) = (vec![0], Vec::new(), Vec::new());
    for id in 1..ROWS {
        match write(&session, id).await {
            Ok(()) => acknowledged.push(id),
            Err(error) if error.sqlstate() == Some("53100") => refused.push(id),
            Err(error) => {
                unknown.push((id, error.to_string()));
                break;
            }
        }
        if refused.len() > 3 {
            break;
        }
    }
    assert!(!refused.is_empty() || !unknown.is_empty(), "{ROWS} rows found room on a full disk");
    if !unknown.is_empty() {
        until("the server has ended", async || !lab.cluster.is_running(primary()).unwrap()).await;
    }
    assert_eq!((lab.cluster.died_unasked(), lab.cluster.dead()), (None, Vec::new()));

    let was_running = lab.cluster.is_running(primary()).unwrap();
    let said = lab.cluster.act(primary(), Action::FreeDisk).await.unwrap();
    assert!(said.contains("bytes were still taken") && said.contains("it has made a checkpoint"), "{said}");
    assert_eq!(
        said.contains("the server had ended (exit status: 1); started as postmaster "),
        !was_running,
        "{said}"
    );
    assert_eq!((lab.cluster.conditions(), lab.cluster.died_unasked()), (Vec::new(), None));
    let session = lab.session(primary()).await;
    let found = ids(&session).await;
    for id in &acknowledged {
        assert!(found.contains(id), "{id} of {acknowledged:?} is not among {found:?}");
    }
    for id in &refused {
        assert!(!found.contains(id), "{id} was refused (53100), and is there");
    }
    write(&session, ROWS).await.unwrap();
    let (target, reader) = (written(&lab).await, lab.session(replica()).await);
    until("the replica follows", async || probe::replay_lsn(&reader).await.unwrap() >= target).await;
    assert_eq!(ids(&reader).await, ids(&session).await);
    lab.down().await;
    assert_eq!(mounts(&directory), [""; 0]);
}

#[tokio::test]
async fn a_log_that_finds_no_room_ends_its_server_and_a_failover_goes_on_without_it() {
    let Some(lab) = with_table(2).await else { return };
    let session = lab.session(primary()).await;
    lab.cluster.act(primary(), Action::FillDisk).await.unwrap();
    // No table has to grow for this: the log alone does.
    for _ in 0..ROWS {
        let sql = "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)), pg_switch_wal()";
        if session.batch(sql).await.is_err() {
            break;
        }
    }
    until("the server has ended", async || !lab.cluster.is_running(primary()).unwrap()).await;
    assert_eq!(lab.cluster.conditions(), [(primary(), Condition::DiskFull)]);
    assert_eq!((lab.cluster.died_unasked(), lab.cluster.dead()), (None, Vec::new()));
    let log = fs::read_to_string(lab.cluster.log(primary()).unwrap()).unwrap();
    assert!(log.contains("PANIC") && log.contains("No space left on device"), "{log}");
    // What fences it finds it gone.
    let said = lab.cluster.act(primary(), Action::Kill).await.unwrap();
    assert!(said.ends_with("had ended by itself; no process is left"), "{said}");
    lab.cluster.act(replica(), Action::Promote).await.unwrap();
    let conditions = [Condition::DiskFull, Condition::Diverged].map(|condition| (primary(), condition));
    assert_eq!(lab.cluster.conditions(), conditions);
    write(&lab.session(replica()).await, 1).await.unwrap();

    let said = lab.cluster.act(primary(), Action::FreeDisk).await.unwrap();
    assert!(said.ends_with("the server stays down"), "{said}");
    lab.cluster.act(primary(), Action::Rejoin).await.unwrap();
    lab.cluster.answer(primary(), PATIENCE).await.unwrap();
    let session = lab.session(primary()).await;
    until("it shows what the new primary has", async || shown(&session).await == Some(1)).await;
    // Where it cannot be rewound it is copied anew, onto what is mounted there.
    lab.cluster.act(primary(), Action::FillDisk).await.unwrap();
    let busy = lab.cluster.check_promotable(Some(NodeName::replica(2))).unwrap_err();
    assert!(matches!(busy, TopologyError::Impossible { condition: Condition::DiskFull, .. }), "{busy}");
    lab.cluster.act(primary(), Action::FreeDisk).await.unwrap();
    assert_eq!(lab.cluster.conditions(), []);
    lab.down().await;
}

#[tokio::test]
async fn a_replica_whose_disk_is_full_falls_behind_and_catches_up() {
    let Some(lab) = with_table(1).await else { return };
    let session = lab.session(primary()).await;
    lab.cluster.act(replica(), Action::FillDisk).await.unwrap();
    let mut count = 0;
    let behind = async || {
        let sql = "SELECT state FROM pg_stat_replication";
        let states = session.simple_query_rows(sql).await.unwrap().into_iter().flatten().flatten();
        states.collect::<Vec<String>>() != ["streaming"] || !lab.cluster.is_running(replica()).unwrap()
    };
    // The primary has room for its own rows and for the log that the replica has not got.
    while count < 100 && !behind().await {
        write(&session, count).await.unwrap();
        count += 1;
    }
    until("the replica does not receive", behind).await;
    write(&session, count).await.unwrap();
    assert_eq!(lab.cluster.conditions(), [(replica(), Condition::DiskFull)]);
    assert_eq!((lab.cluster.died_unasked(), lab.cluster.is_running(primary()).unwrap()), (None, true));
    let said = lab.cluster.act(replica(), Action::FreeDisk).await.unwrap();
    assert!(said.ends_with("all that was written has reached replica-1"), "{said}");
    let (target, reader) = (written(&lab).await, lab.session(replica()).await);
    until("it is replayed", async || probe::replay_lsn(&reader).await.unwrap() >= target).await;
    assert_eq!(ids(&reader).await, (0..=count).collect::<Vec<usize>>());
    lab.down().await;
}

#[tokio::test]
async fn room_that_somebody_else_made_is_an_error() {
    let Some(lab) = with_table(0).await else { return };
    let act = async |action| lab.cluster.act(primary(), action).await;
    let error = act(Action::FreeDisk).await.unwrap_err();
    assert_eq!(error.to_string(), "primary is not out of disk space");
    let refused = async |why: &str| {
        let error = act(Action::FreeDisk).await.unwrap_err();
        let TopologyError::DidNotHold { node, condition, .. } = &error else { panic!("{error}") };
        assert_eq!((*node, *condition, error.category()), (primary(), Condition::DiskFull, Category::Lab));
        assert!(error.to_string().contains(why), "{error}");
    };
    act(Action::FillDisk).await.unwrap();
    let ballast = disk(&lab, primary()).join("ballast");
    // Put back in its place it is not what it was: nobody knows what was written meanwhile.
    let file = fs::OpenOptions::new().write(true).open(&ballast).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length / 2).unwrap();
    file.set_len(length).unwrap();
    refused("the file that filled its disk is another by now").await;
    fs::remove_file(&ballast).unwrap();
    refused("No such file or directory").await;
    lab.down().await;

    let Some(lab) = with_table(0).await else { return };
    lab.cluster.act(primary(), Action::FillDisk).await.unwrap();
    let resize = |size: &str| {
        use nix::mount::{MsFlags, mount};
        let nothing: Option<&str> = None;
        mount(nothing, &disk(&lab, primary()), nothing, MsFlags::MS_REMOUNT, Some(size)).unwrap();
    };
    resize("size=600m");
    let error = lab.cluster.act(primary(), Action::FreeDisk).await.unwrap_err();
    assert!(error.to_string().contains("its disk holds 629145600 bytes by now"), "{error}");
    resize("size=512m");
    lab.cluster.act(primary(), Action::FreeDisk).await.unwrap();
    lab.down().await;
}

#[tokio::test]
async fn without_small_disks_there_is_none_to_fill() {
    let Some(lab) = Lab::up(0).await else { return };
    let error = lab.cluster.act(primary(), Action::FillDisk).await.unwrap_err();
    assert!(error.to_string().contains("was made without small disks"), "{error}");
    assert_eq!((lab.cluster.conditions(), mounts(&lab.directory())), (Vec::new(), Vec::new()));
    lab.down().await;
}

#[tokio::test]
async fn what_nobody_ended_is_unmounted_by_whoever_sweeps() {
    let Some(lab) = with_table(1).await else { return };
    lab.cluster.act(replica(), Action::FillDisk).await.unwrap();
    let directory = lab.directory();
    assert_eq!(mounts(&directory).len(), 2);
    // As after a panic.
    drop(lab);
    assert_eq!((mounts(&directory), processes_in(&directory)), (Vec::new(), Vec::new()));
    assert!(!directory.exists());

    // Of a cluster that is half there, and of somebody else's below it.
    let root = tempfile::tempdir().unwrap();
    let state = StateDir::open(Some(root.path())).unwrap();
    let place = state.path().join("clusters/x-1/nodes/primary");
    let other = state.path().join("other");
    for path in [&place, &other] {
        use nix::mount::{MsFlags, mount};
        fs::create_dir_all(path).unwrap();
        mount(Some("replab"), path, Some("tmpfs"), MsFlags::empty(), Some("size=64k")).unwrap();
    }
    let found = gc(&state, false).unwrap();
    assert_eq!(found[0].removed, [state.path().join("clusters/x-1")], "{found:?}");
    assert_eq!(mounts(state.path()), [other.display().to_string()]);
    nix::mount::umount(&other).unwrap();
}

#[test]
fn a_run_on_full_disks_is_valid_and_leaves_nothing_mounted() {
    let Some(lab) = on_machine_that_mounts() else { return };
    let faults = "fill-disk(writer)@1s,free-disk(writer)@2s,fill-disk(replica-1)@2500ms";
    let done = lab.run(&["run", "--duration", "4s", "--fault", faults, "--json"]).exits(0);
    let report = done.json();
    assert_eq!((&report["verdict"], &report["cut"]), (&"pass".into(), &serde_json::Value::Null));
    let topology = report["run"]["topology"].as_str().unwrap();
    assert!(topology.contains("each on a small disk in memory"), "{topology}");
    let recoveries = report["figures"]["recoveries"].as_array().unwrap();
    let mut said: Vec<String> = recoveries
        .iter()
        .map(|one| format!("{} {} {}", one["node"], one["action"], one["healing"]).replace('"', ""))
        .collect();
    said.sort();
    let healed = [
        "primary fill-disk false",
        "primary free-disk false",
        "replica-1 fill-disk false",
        "replica-1 free-disk true",
    ];
    assert_eq!(said, healed, "{recoveries:#?}");
    lab.assert_nothing_left();
    assert_eq!(mounts(lab.path()), [""; 0]);
}

#[test]
fn room_that_somebody_else_made_fails_the_run() {
    let Some(lab) = on_machine_that_mounts() else { return };
    let mut child = running(&lab, "fill-disk(primary)@300ms,free-disk(primary)@4s");
    // Again and again: while the disk is still being filled, it is made to hold.
    lab::until("the lab has noticed", || {
        for mount in mounts(lab.path()) {
            drop(fs::remove_file(Path::new(&mount).join("ballast")));
        }
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().code(), Some(12));
    lab.assert_nothing_left();
    assert_eq!(mounts(lab.path()), [""; 0]);
}

#[test]
fn a_killed_replab_leaves_nothing_mounted() {
    let Some(lab) = on_machine_that_mounts() else { return };
    // Its guard sees to it; where that is killed too, whoever looks for what was left behind.
    for with_guard in [true, false] {
        let mut child = running(&lab, "fill-disk(primary)@200ms");
        lab::until("the disk is full", || {
            mounts(lab.path()).iter().any(|mount| Path::new(mount).join("ballast").exists())
        });
        let pid = |child: u32| Pid::from_raw(i32::try_from(child).unwrap());
        if !with_guard {
            let processes = lab.processes();
            let (guard, _) = processes.iter().find(|(_, line)| line.contains(" guard ")).unwrap();
            kill(Pid::from_raw(*guard), Signal::SIGKILL).unwrap();
        }
        kill(pid(child.id()), Signal::SIGKILL).unwrap();
        child.wait().unwrap();
        if with_guard {
            lab::until("nothing is mounted", || mounts(lab.path()).is_empty());
            lab::until("no process is left", || lab.processes().is_empty());
        } else {
            assert_eq!(mounts(lab.path()).len(), 2);
            lab.run(&["gc"]).exits(0);
        }
        lab::until("nothing is left", || {
            fs::read_dir(lab.state().join("clusters")).unwrap().next().is_none()
        });
        assert_eq!(mounts(lab.path()), [""; 0]);
        lab.assert_nothing_left();
    }
}

#[test]
fn whoever_may_not_mount_is_told_before_anything_starts() {
    let Some(lab) = on_machine_that_mounts() else { return };
    // Root without the privilege, as in most containers.
    let mut command = lab.program("setpriv");
    let replab = crate::support::replab();
    command.args(["--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]).arg(replab);
    command.args(["run", "--fault", "fill-disk(primary)@1s"]);
    let done = lab::Done::from(command.output().unwrap()).exits(11);
    done.explains(&[
        "each node would need a small disk of its own",
        "without CAP_SYS_ADMIN",
        "no other fault",
    ]);
    assert!(!lab.state().join("clusters").exists() && !lab.runs().join("latest").exists());
    lab.assert_nothing_left();
}

#[test]
fn other_clusters_have_no_disks_to_fill() {
    let lab = lab::Lab::new();
    for kind in ["compose", "memory"] {
        let done = lab.run(&["run", "-t", kind, "--fault", "fill-disk(primary)@1s"]).exits(2);
        done.explains(&["fill-disk(primary)@1s: a cluster of this kind cannot do that"]);
    }
    let list = lab.run(&["fault", "list"]).exits(0).stdout;
    let line = list.lines().find(|line| line.contains("fill-disk(NODE)")).unwrap();
    assert!(line.contains("needs root") && line.ends_with("; in a run only"), "{line}");
}

/// A lab on a machine with PostgreSQL where replab may mount; `None`, and a line that says why, elsewhere.
fn on_machine_that_mounts() -> Option<lab::Lab> {
    require_mounts()?;
    lab::Lab::real()
}

/// A run in the background.
fn running(lab: &lab::Lab, faults: &str) -> std::process::Child {
    let mut command = lab.replab(&["run", "--duration", "10m", "--fault", faults]);
    let nothing = || std::process::Stdio::null();
    command.stdin(nothing()).stdout(nothing()).stderr(nothing()).spawn().unwrap()
}
