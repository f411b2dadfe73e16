//! What a local cluster is made from.

use std::path::PathBuf;

use crate::history::Nanos;
use crate::topology::{Cascade, Standbys};

/// What cluster to make.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server's programs are; `None`: see [`Binaries::discover`](super::Binaries::discover).
    pub pg_bin: Option<PathBuf>,
    /// Streaming replicas beside the primary.
    pub replicas: usize,
    /// Replicas that there is to be room for, see [`Cluster::add_replica`](super::Cluster::add_replica); at least those
    /// that there are from the beginning.
    pub room: usize,
    /// `off`, `local`, `remote_write`, `on`, `remote_apply`.
    pub synchronous_commit: String,
    /// Which replicas commits wait for at the levels that wait for any; `None`: for nobody.
    pub standbys: Option<Standbys>,
    /// Replicas that receive from another replica.
    pub cascade: Vec<Cascade>,
    /// PostgreSQL's setting of the same name.
    pub hot_standby_feedback: bool,
    /// PostgreSQL's setting of the same name, in nanoseconds, on every replica.
    pub recovery_min_apply_delay: Nanos,
    /// The primary's port; the replicas have the following ones. `None`: free ones.
    pub port: Option<u16>,
    /// Clients that will connect to one node at the same time.
    pub clients: u32,
    /// The lab's files; `None`: see [`StateDir::open`](super::StateDir::open).
    pub state_dir: Option<PathBuf>,
    /// Where to write `<node>.log`; `None`: in the state directory.
    pub logs_dir: Option<PathBuf>,
    /// What the user calls the cluster; letters, digits, `-` and `_`.
    pub name: String,
    /// The program that is started as `<program> guard <directory>`; `None`: this one.
    pub guard: Option<PathBuf>,
    /// The seed of the jitter on links that all connections of clients and replicas go through, so that the network can
    /// be disturbed; `None`: they connect directly, and it cannot.
    pub links: Option<u64>,
    /// A role whose members come in through the private socket, without a password, and over TCP with their password only:
    /// who leads them to the socket has seen who they are.
    pub socket_group: Option<&'static str>,
    /// Whether each node has a file system of its own, which can be filled; that needs root.
    pub small_disks: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            pg_bin: None,
            replicas: 1,
            room: 0,
            synchronous_commit: "on".to_owned(),
            standbys: None,
            cascade: Vec::new(),
            hot_standby_feedback: false,
            recovery_min_apply_delay: Nanos(0),
            port: None,
            clients: 50,
            state_dir: None,
            logs_dir: None,
            name: "lab".to_owned(),
            guard: None,
            links: None,
            socket_group: None,
            small_disks: false,
        }
    }
}
