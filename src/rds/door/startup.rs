//! The message that opens a session, and the requests that may come instead of it (manual, "Message Formats").

use std::borrow::Cow;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest one: its length, and PostgreSQL's own `MAX_STARTUP_PACKET_LENGTH`.
const LONGEST: usize = 4 + 10_000;

/// What every one of them begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Of the whole message, in bytes.
    pub(super) length: u32,
    /// The version of the protocol, or what is asked for instead.
    pub(super) code: u32,
}

impl Head {
    pub(super) fn bytes(self) -> [u8; 8] {
        let (mut bytes, (length, code)) = ([0; 8], (self.length.to_be_bytes(), self.code.to_be_bytes()));
        bytes[..4].copy_from_slice(&length);
        bytes[4..].copy_from_slice(&code);
        bytes
    }
}

/// With what a client begins; `None` where it has only looked whether somebody is there.
pub(super) async fn head(client: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Head>> {
    let mut bytes = [0; 8];
    match client.read_exact(&mut bytes).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let [a, b, c, d, rest @ ..] = bytes;
    Ok(Some(Head { length: u32::from_be_bytes([a, b, c, d]), code: u32::from_be_bytes(rest) }))
}

/// The message that opens a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Startup {
    /// As it came.
    pub(super) bytes: Vec<u8>,
}

impl Startup {
    /// The one that begins with `head`, of which the rest comes now.
    pub(super) async fn read(head: Head, client: &mut (impl AsyncRead + Unpin)) -> io::Result<Startup> {
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        if !(8..=LONGEST).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no message is that long"));
        }
        let mut bytes = vec![0; length];
        bytes[..8].copy_from_slice(&head.bytes());
        client.read_exact(&mut bytes[8..]).await?;
        Ok(Startup { bytes })
    }

    /// The last one of that name: so PostgreSQL takes it.
    fn parameter(&self, name: &[u8]) -> Option<&[u8]> {
        let mut texts = self.bytes.get(8..)?.split(|byte| *byte == 0);
        let mut found = None;
        while let (Some(key), Some(value)) = (texts.next().filter(|key| !key.is_empty()), texts.next()) {
            if key == name {
                found = Some(value);
            }
        }
        found
    }

    /// Who it is.
    pub(super) fn user(&self) -> &[u8] {
        self.parameter(b"user").unwrap_or_default()
    }

    /// The same for people, and of the database, which is called like the user where no other is named.
    pub(super) fn names(&self) -> (Cow<'_, str>, Cow<'_, str>) {
        let database = self.parameter(b"database").filter(|name| !name.is_empty());
        (
            String::from_utf8_lossy(self.user()),
            String::from_utf8_lossy(database.unwrap_or_else(|| self.user())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::SSL_REQUEST;
    use super::*;

    fn message(body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(8 + body.len()).unwrap();
        [&Head { length, code: 196_608 }.bytes()[..], body].concat()
    }

    async fn read(bytes: &[u8]) -> io::Result<Startup> {
        let mut rest = bytes;
        let head = head(&mut rest).await?.unwrap();
        Startup::read(head, &mut rest).await
    }

    #[tokio::test]
    async fn a_client_begins_with_a_length_and_a_code() {
        let request = Head { length: 8, code: SSL_REQUEST };
        let bytes = request.bytes();
        let mut rest: &[u8] = &bytes;
        assert_eq!(head(&mut rest).await.unwrap(), Some(request));
        assert_eq!(head(&mut rest).await.unwrap(), None);
    }

    #[tokio::test]
    async fn who_it_is_and_what_it_wants() {
        let named = message(b"user\0alice\0database\0shop\0\0");
        let startup = read(&named).await.unwrap();
        assert_eq!(startup.bytes, named);
        assert_eq!((startup.user(), startup.names().1.as_ref()), (b"alice".as_slice(), "shop"));
        let startup = read(&message(b"user\0alice\0database\0\0\0")).await.unwrap();
        assert_eq!(startup.names(), ("alice".into(), "alice".into()));
        let twice = read(&message(b"user\0alice\0options\0user\0user\0bob\0\0user\0eve\0\0")).await.unwrap();
        assert_eq!(twice.user(), b"bob", "the last one before the end, and no value");
        assert_eq!(read(&message(b"")).await.unwrap().user(), b"");
        assert_eq!(read(&message(b"user")).await.unwrap().user(), b"");
    }

    #[tokio::test]
    async fn what_is_too_long_or_too_short_is_no_message() {
        for length in [0, 7, 10_005, u32::MAX] {
            let head = Head { length, code: 196_608 };
            let refused = Startup::read(head, &mut tokio::io::repeat(0)).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "{length}");
        }
        let longest = Head { length: 10_004, code: 196_608 };
        assert_eq!(Startup::read(longest, &mut tokio::io::repeat(0)).await.unwrap().bytes.len(), 10_004);
        assert!(read(&message(b"user\0a\0\0")[..12]).await.is_err(), "it is cut");
    }
}
