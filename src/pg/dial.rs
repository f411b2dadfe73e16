//! From a connection string to a connection: the name resolved anew, the socket, TLS, and the login.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls};

use super::{Conninfo, Host, Lost};

/// Bytes to a server and back. Whether they are encrypted, the driver does not know.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A login that succeeded.
pub(super) struct Dialled {
    pub(super) client: Client,
    pub(super) connection: Connection<Box<dyn Wire>, NoTlsStream>,
    /// Where the server is; `None` for a socket of this machine.
    pub(super) peer: Option<SocketAddr>,
}

/// Connects to the first address of the host that takes the login; of several errors the last address's. A minted password
/// is asked for once.
pub(super) async fn dial(conninfo: &Conninfo, application_name: &str) -> Result<Dialled, Lost> {
    let password = conninfo.mint_password().await.map_err(Lost::because)?;
    let config = conninfo.driver_config(application_name, password.as_ref());
    let port = conninfo.port();
    match conninfo.host() {
        // TLS is for what leaves the machine; libpq ignores `sslmode` here as well.
        Host::Unix(directory) => {
            let stream = open(open_unix(directory, port), conninfo.connect_timeout()).await?;
            login(Box::new(stream), None, &config).await
        }
        Host::Tcp(host) => {
            let mut failed = Lost::because("the host has no address");
            for address in lookup_host((&**host, port)).await.map_err(cannot_reach)? {
                match dial_address(conninfo, host, address, &config).await {
                    Ok(dialled) => return Ok(dialled),
                    Err(error) => failed = error,
                }
            }
            Err(failed)
        }
    }
}

async fn dial_address(
    conninfo: &Conninfo,
    host: &str,
    address: SocketAddr,
    config: &Config,
) -> Result<Dialled, Lost> {
    let stream = open(open_tcp(address), conninfo.connect_timeout()).await?;
    match conninfo.tls() {
        None => login(Box::new(stream), Some(address), config).await,
        Some(tls) => login(Box::new(tls.handshake(host, stream).await?), Some(address), config).await,
    }
}

async fn login(stream: Box<dyn Wire>, peer: Option<SocketAddr>, config: &Config) -> Result<Dialled, Lost> {
    let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(|error| Lost::of(&error))?;
    Ok(Dialled { client, connection, peer })
}

/// libpq's `connect_timeout` is for each address.
async fn open<T>(opening: impl Future<Output = io::Result<T>>, limit: Option<Duration>) -> Result<T, Lost> {
    let opened = match limit {
        None => opening.await,
        Some(limit) => timeout(limit, opening).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
    };
    opened.map_err(cannot_reach)
}

async fn open_tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_keepalive(true)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn open_unix(directory: &Path, port: u16) -> io::Result<UnixStream> {
    UnixStream::connect(directory.join(format!(".s.PGSQL.{port}"))).await
}

fn cannot_reach(error: io::Error) -> Lost {
    Lost::because(format!("error connecting to server: {error}"))
}
