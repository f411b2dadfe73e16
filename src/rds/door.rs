//! The endpoints: each takes connections, ends their TLS, and leads each of them to the server that it stands for at that
//! moment (manual, "Message Flow", for what comes before the session).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::control::Control;
use crate::history::NodeName;

/// Codes in the place of a protocol version.
const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// How long a client may take to say what it wants: PostgreSQL's `authentication_timeout`.
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
            Some(Begun { mut client, opening }) => {
                let served = self.forward(&mut client, &opening).await;
                if served.is_err() {
                    client.abort();
                }
                served
            }
            None => Ok(()),
        }
    }

    /// Everything up to the message that opens a session; `None` where none is wanted, or allowed.
    async fn begin(&self, mut client: TcpStream) -> io::Result<Option<Begun>> {
        let mut first = [0];
        if client.peek(&mut first).await? == 1 && first[0] == HANDSHAKE {
            return self.encrypted(client).await;
        }
        loop {
            let Some((length, code)) = head(&mut client).await? else { return Ok(None) };
            match code {
                SSL_REQUEST => {
                    client.write_all(b"S").await?;
                    return self.encrypted(client).await;
                }
                GSSENC_REQUEST => client.write_all(b"N").await?,
                CANCEL_REQUEST => return self.cancel(&mut client, length).await.map(|()| None),
                _ if self.force_tls => {
                    client.write_all(&no_encryption()).await?;
                    return Ok(None);
                }
                _ => {
                    return Ok(Some(Begun { client: Client::Plain(client), opening: opening(length, code) }));
                }
            }
        }
    }

    async fn encrypted(&self, client: TcpStream) -> io::Result<Option<Begun>> {
        let mut client = Box::new(self.tls.accept(client).await?);
        match head(&mut client).await? {
            Some((length, CANCEL_REQUEST)) => self.cancel(&mut client, length).await.map(|()| None),
            Some((length, code)) => {
                Ok(Some(Begun { client: Client::Encrypted(client), opening: opening(length, code) }))
            }
            None => Ok(None),
        }
    }

    /// A request to cancel goes to every server that the endpoint may have led the session to: the secret in it fits one
    /// only.
    async fn cancel(&self, client: &mut (impl AsyncRead + Unpin), length: u32) -> io::Result<()> {
        let mut secret = vec![0; usize::try_from(length.saturating_sub(8)).unwrap_or(0).min(256)];
        client.read_exact(&mut secret).await?;
        for (_, port) in self.control.servers(self.target).await {
            let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { continue };
            server.write_all(&opening(length, CANCEL_REQUEST)).await?;
            server.write_all(&secret).await?;
            // It answers by hanging up, when it is done.
            let _ = server.read(&mut [0]).await;
        }
        Ok(())
    }

    /// Leads a session to its server until one of them ends it, or the server becomes another one.
    async fn forward(&self, client: &mut Client, opening: &[u8]) -> io::Result<()> {
        let nobody = || io::Error::new(io::ErrorKind::ConnectionRefused, "nobody is there");
        let (node, port) = self.control.lead(self.target).await.ok_or_else(nobody)?;
        let mut cut = self.control.connections_of(node);
        let mut server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        server.set_nodelay(true)?;
        server.write_all(opening).await?;
        let copied = async {
            match client {
                Client::Plain(client) => copy_bidirectional(client, &mut server).await,
                Client::Encrypted(client) => copy_bidirectional(client, &mut server).await,
            }
        };
        tokio::select! {
            copied = copied => copied.map(drop),
            _ = cut.changed() => Err(io::Error::new(io::ErrorKind::ConnectionReset, "it changes its role")),
        }
    }
}

/// A session about to begin.
struct Begun {
    client: Client,
    opening: [u8; 8],
}

enum Client {
    Plain(TcpStream),
    Encrypted(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

impl Client {
    /// Has the connection end with a reset: there is no server to say goodbye.
    fn abort(&self) {
        let stream = match self {
            Client::Plain(stream) => stream,
            Client::Encrypted(stream) => stream.get_ref().0,
        };
        // It is dropped in any case.
        let _ = stream.set_zero_linger();
    }
}

/// The length and the code with which a client begins; `None` where it has only looked whether somebody is there.
async fn head(client: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<Option<(u32, u32)>> {
    let mut bytes = [0; 8];
    match client.read_exact(&mut bytes).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let [a, b, c, d, rest @ ..] = bytes;
    Ok(Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes(rest))))
}

fn opening(length: u32, code: u32) -> [u8; 8] {
    let (mut bytes, (length, code)) = ([0; 8], (length.to_be_bytes(), code.to_be_bytes()));
    bytes[..4].copy_from_slice(&length);
    bytes[4..].copy_from_slice(&code);
    bytes
}

/// What PostgreSQL answers where no rule lets an unencrypted connection in (manual, "Error and Notice Message Fields").
fn no_encryption() -> Vec<u8> {
    let fields = ["SFATAL", "VFATAL", "C28000", "Mno encryption: this cluster takes TLS only (--force-ssl)"];
    let body: Vec<u8> = fields.iter().flat_map(|field| field.bytes().chain([0])).chain([0]).collect();
    let length = u32::try_from(body.len() + 4).unwrap_or_default();
    [b"E".as_slice(), &length.to_be_bytes(), &body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_begins_with_a_length_and_a_code() {
        let mut bytes: &[u8] = &opening(8, SSL_REQUEST);
        let mut duplex = tokio::io::join(&mut bytes, tokio::io::sink());
        assert_eq!(head(&mut duplex).await.unwrap(), Some((8, SSL_REQUEST)));
        assert_eq!(head(&mut duplex).await.unwrap(), None);
    }

    #[test]
    fn the_refusal_is_a_message_of_the_protocol() {
        let message = no_encryption();
        assert_eq!(message[0], b'E');
        assert_eq!(
            usize::try_from(u32::from_be_bytes(message[1..5].try_into().unwrap())).unwrap(),
            message.len() - 1
        );
        assert!(message.ends_with(&[0, 0]));
    }
}
