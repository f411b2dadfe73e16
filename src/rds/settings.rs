//! What is to be served, what clients need to know of it, and why it is not.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::address::AddressError;
use super::chaos::{Chaos, Plant};
use super::signature::Keys;
use super::tls::TlsError;
use crate::pg::{PgError, Secret};
use crate::topology::TopologyError;

/// What to serve.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cluster's identifier.
    pub name: String,
    /// The region that it is said to be in.
    pub region: String,
    /// Readers beside the writer, 0 to 15.
    pub readers: usize,
    /// Where the API listens.
    pub bind: IpAddr,
    /// The API's port; `None`: a free one.
    pub port: Option<u16>,
    /// The port of the endpoints; `None`: a free one.
    pub database_port: Option<u16>,
    /// Where the API says that the endpoints are, in [`Facts::hosts`]; `None`: it says their addresses.
    pub domain: Option<String>,
    /// What requests have to be signed with.
    pub keys: Keys,
    /// Whether connections without TLS are refused.
    pub force_tls: bool,
    /// How badly the control plane behaves.
    pub chaos: Chaos,
    /// A bug of the data plane.
    pub plant: Option<Plant>,
    /// Where the server's programs are; `None`: see [`Binaries::discover`](crate::topology::local::Binaries::discover).
    pub pg_bin: Option<PathBuf>,
    /// The lab's files; `None`: see [`StateDir::open`](crate::topology::local::StateDir::open).
    pub state_dir: Option<PathBuf>,
}

/// What clients need to know.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The cluster's identifier.
    pub name: String,
    /// Its region.
    pub region: String,
    /// The version of PostgreSQL.
    pub version: String,
    /// Where the API is.
    pub api: SocketAddr,
    /// The port of every endpoint.
    pub port: u16,
    /// The cluster endpoint.
    pub writer: Ipv4Addr,
    /// The reader endpoint.
    pub reader: Ipv4Addr,
    /// The instances and their endpoints, the writer of the beginning first.
    pub instances: Vec<(String, Ipv4Addr)>,
    /// The master user, and the database that is there.
    pub user: &'static str,
    /// Its password.
    pub password: Secret,
    /// The same in a file of libpq's format.
    pub passfile: PathBuf,
    /// The certificate of the authority that clients have to trust.
    pub authority: PathBuf,
    /// Where the endpoints' names lead, in the format of `/etc/hosts`, if they have names.
    pub hosts: Option<PathBuf>,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Settings that make no sense.
    #[error("{0}")]
    Settings(String),
    /// The servers.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// An endpoint.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The API.
    #[error("listen on {address}: {source}")]
    Api {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What the control plane asks its own servers.
    #[error("prepare the servers: {0:#}")]
    Prepare(anyhow::Error),
}

impl From<PgError> for ServeError {
    fn from(error: PgError) -> ServeError {
        ServeError::Prepare(error.into())
    }
}
