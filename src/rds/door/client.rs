//! The client's end of a connection.

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What can be read and written, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(super) enum Client {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Client {
    pub(super) fn stream(&mut self) -> &mut dyn Stream {
        match self {
            Client::Plain(stream) => stream,
            Client::Encrypted(stream) => stream,
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Client::Plain(stream) => stream,
            Client::Encrypted(stream) => stream.get_ref().0,
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Client::Encrypted(_))
    }

    pub(super) fn address(&self) -> io::Result<IpAddr> {
        Ok(self.tcp().peer_addr()?.ip())
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.stream();
        stream.write_all(bytes).await?;
        stream.flush().await
    }

    /// Ends the connection in order, and says why.
    pub(super) async fn refuse(&mut self, why: &str) -> io::Result<()> {
        self.send(&refusal(why)).await?;
        self.stream().shutdown().await
    }

    /// Has the connection end with a reset: there is no server to say goodbye.
    pub(super) fn abort(&self) {
        // It is dropped in any case.
        let _ = self.tcp().set_zero_linger();
    }
}

/// What PostgreSQL answers whom it does not let in, with `invalid_authorization_specification` (manual, "Error and Notice
/// Message Fields").
fn refusal(why: &str) -> Vec<u8> {
    let fields = ["SFATAL", "VFATAL", "C28000", &format!("M{why}")];
    let body: Vec<u8> = fields.iter().flat_map(|field| field.bytes().chain([0])).chain([0]).collect();
    let length = u32::try_from(body.len() + 4).unwrap_or_default();
    [b"E".as_slice(), &length.to_be_bytes(), &body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_a_message_of_the_protocol() {
        assert_eq!(refusal("no"), b"E\0\0\0\x1eSFATAL\0VFATAL\0C28000\0Mno\0\0");
    }
}
