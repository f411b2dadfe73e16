//! What a server says first to whoever opens a session (manual, "Start-up", and "Message Formats").

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// `AuthenticationCleartextPassword`.
pub(super) const CLEARTEXT_PASSWORD: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];

/// The first byte of a message on authentication, and of one on the protocol's version, which may come before it.
const AUTHENTICATION: u8 = b'R';
const NEGOTIATE: u8 = b'v';

/// The longest message on the version: it names options of the client's.
const LONGEST: u64 = 10_000;

/// The beginning of it, up to the first bytes by which members of the group can be told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// As it came; less than a message where the server has hung up.
    pub(super) bytes: Vec<u8>,
    /// So many of these are about the protocol's version.
    negotiation: usize,
    /// Whether it asks for a password in clear, which it does of members only.
    pub(super) is_for_member: bool,
}

impl Greeting {
    pub(super) async fn read(server: &mut (impl AsyncRead + Unpin)) -> io::Result<Greeting> {
        let mut greeting = Greeting { bytes: Vec::new(), negotiation: 0, is_for_member: false };
        while greeting.more(server, 5).await? {
            let &[kind, a, b, c, d] = greeting.rest() else { break };
            match (kind, u64::from(u32::from_be_bytes([a, b, c, d]))) {
                (NEGOTIATE, length @ 4..=LONGEST) => {
                    if !greeting.more(server, length - 4).await? {
                        break;
                    }
                    greeting.negotiation = greeting.bytes.len();
                }
                (AUTHENTICATION, 8..) => {
                    greeting.more(server, 4).await?;
                    greeting.is_for_member = greeting.rest() == CLEARTEXT_PASSWORD;
                    break;
                }
                _ => break,
            }
        }
        Ok(greeting)
    }

    /// Whether so many more bytes came.
    async fn more(&mut self, server: &mut (impl AsyncRead + Unpin), count: u64) -> io::Result<bool> {
        let read = server.take(count).read_to_end(&mut self.bytes).await?;
        Ok(u64::try_from(read) == Ok(count))
    }

    /// What is about the protocol's version.
    pub(super) fn negotiation(&self) -> &[u8] {
        &self.bytes[..self.negotiation]
    }

    /// What comes after that.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.negotiation..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SASL: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";
    const OK: &[u8] = b"R\0\0\0\x08\0\0\0\0";
    const VERSION: &[u8] = b"v\0\0\0\x0c\0\x03\0\0\0\0\0\0";

    async fn read(mut server: &[u8]) -> (Greeting, usize) {
        let greeting = Greeting::read(&mut server).await.unwrap();
        (greeting, server.len())
    }

    #[tokio::test]
    async fn members_are_asked_in_clear() {
        let (greeting, left) = read(&CLEARTEXT_PASSWORD).await;
        assert!(greeting.is_for_member && greeting.negotiation().is_empty() && left == 0);
        let (greeting, _) = read(&[VERSION, &CLEARTEXT_PASSWORD].concat()).await;
        assert!(greeting.is_for_member);
        assert_eq!((greeting.negotiation(), greeting.rest()), (VERSION, CLEARTEXT_PASSWORD.as_slice()));
    }

    #[tokio::test]
    async fn of_everything_else_the_beginning_is_kept() {
        for (server, kept) in
            [(SASL, 9), (OK, 9), (b"E\0\0\0\x20SFATAL", 5), (b"EFATAL:  old", 5), (b"R\0", 2)]
        {
            let (greeting, left) = read(server).await;
            assert!(!greeting.is_for_member);
            assert_eq!((greeting.bytes.as_slice(), left), (&server[..kept], server.len() - kept));
        }
        let (greeting, _) = read(&[VERSION, SASL].concat()).await;
        assert_eq!(greeting.bytes, [VERSION, &SASL[..9]].concat());
        let (greeting, _) = read(&VERSION[..8]).await;
        assert_eq!((greeting.bytes.len(), greeting.rest().len()), (8, 8), "it has hung up");
        let (greeting, _) = read(b"v\xff\xff\xff\xff\0\0").await;
        assert_eq!(greeting.bytes.len(), 5, "longer than any");
    }
}
