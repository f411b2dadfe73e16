//! The endpoints: each takes connections, ends their TLS, and leads each of them to the server that it stands for at that
//! moment (manual, "Message Flow", for what comes before the session). Whoever signs in with a token of IAM's is looked at
//! here; everybody else shows the server a password.

mod client;
mod greeting;
mod member;
mod startup;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::control::Control;
use crate::history::NodeName;
use client::Client;
use greeting::Greeting;
use startup::{Head, Startup, head};

/// Codes in the place of a protocol version.
const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// How long a client may take to say what it wants, and who it is: PostgreSQL's `authentication_timeout`. And how long a
/// server may take to answer that.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an endpoint leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Writer,
    Readers,
    Instance(NodeName),
}

/// An endpoint.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) target: Target,
    pub(super) tls: TlsAcceptor,
    /// Whether a connection has to be encrypted.
    pub(super) force_tls: bool,
    pub(super) control: Arc<Control>,
}

impl Door {
    /// Takes connections until it is dropped, and with it the connections.
    pub(super) async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((client, _)) => {
                        let door = self.clone();
                        // An error is the client's end, or the server's: the other side has been told.
                        connections.spawn(async move { door.lead(client).await.unwrap_or_default() });
                    }
                    // Out of file descriptors: some are free later.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn lead(&self, client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let Ok(begun) = timeout(PATIENCE, self.begin(client)).await else { return Ok(()) };
        match begun? {
            Some((mut client, startup)) => {
                let served = self.forward(&mut client, &startup).await;
                if served.is_err() {
                    client.abort();
                }
                served
            }
            None => Ok(()),
        }
    }

    /// Everything up to the message that opens a session, and that; `None` where none is wanted, or allowed.
    async fn begin(&self, mut client: TcpStream) -> io::Result<Option<(Client, Startup)>> {
        let mut first = [0];
        if client.peek(&mut first).await? == 1 && first[0] == HANDSHAKE {
            return self.encrypted(client).await;
        }
        loop {
            let Some(head) = head(&mut client).await? else { return Ok(None) };
            match head.code {
                SSL_REQUEST => {
                    client.write_all(b"S").await?;
                    return self.encrypted(client).await;
                }
                GSSENC_REQUEST => client.write_all(b"N").await?,
                CANCEL_REQUEST => return self.cancel(&mut client, head).await.map(|()| None),
                _ => {
                    let startup = Startup::read(head, &mut client).await?;
                    let mut client = Client::Plain(client);
                    if self.force_tls {
                        let why = "no encryption: this cluster takes TLS only (--force-ssl)";
                        return client.refuse(why).await.map(|()| None);
                    }
                    return Ok(Some((client, startup)));
                }
            }
        }
    }

    async fn encrypted(&self, client: TcpStream) -> io::Result<Option<(Client, Startup)>> {
        let mut client = Box::new(self.tls.accept(client).await?);
        match head(&mut client).await? {
            Some(head) if head.code == CANCEL_REQUEST => self.cancel(&mut client, head).await.map(|()| None),
            Some(head) => {
                let startup = Startup::read(head, &mut client).await?;
                Ok(Some((Client::Encrypted(client), startup)))
            }
            None => Ok(None),
        }
    }

    /// A request to cancel goes to every server that the endpoint may have led the session to: the secret in it fits one
    /// only.
    async fn cancel(&self, client: &mut (impl AsyncRead + Unpin), head: Head) -> io::Result<()> {
        let mut secret = vec![0; usize::try_from(head.length.saturating_sub(8)).unwrap_or(0).min(256)];
        client.read_exact(&mut secret).await?;
        for (_, port) in self.control.servers(self.target).await {
            let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { continue };
            server.write_all(&head.bytes()).await?;
            server.write_all(&secret).await?;
            // It answers by hanging up, when it is done.
            let _ = server.read(&mut [0]).await;
        }
        Ok(())
    }

    /// Leads a session to its server until one of them ends it, or the server becomes another one.
    async fn forward(&self, client: &mut Client, startup: &Startup) -> io::Result<()> {
        let nobody = || io::Error::new(io::ErrorKind::ConnectionRefused, "nobody is there");
        let (node, port) = self.control.lead(self.target).await.ok_or_else(nobody)?;
        let mut cut = self.control.connections_of(node);
        let served = async {
            let mut server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
            server.set_nodelay(true)?;
            server.write_all(&startup.bytes).await?;
            // One that is paused takes connections, and says nothing.
            let greeting = timeout(PATIENCE, Greeting::read(&mut server)).await??;
            if greeting.is_for_member {
                // It has said whom it takes the client for, and that was all that it was asked for.
                drop(server);
                return self.admit(client, startup, &greeting, node).await;
            }
            client.send(&greeting.bytes).await?;
            copy_bidirectional(client.stream(), &mut server).await.map(drop)
        };
        tokio::select! {
            served = served => served,
            _ = cut.changed() => Err(io::Error::new(io::ErrorKind::ConnectionReset, "it changes its role")),
        }
    }
}
