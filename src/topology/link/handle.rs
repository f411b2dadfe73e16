//! The handle of a link.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::serve::Command;
use super::{Both, Direction, Shape};

/// How often a probe asks whether its request is held back.
const LOOK: Duration = Duration::from_millis(2);

/// A port of 127.0.0.1 that leads to another. What a method did is in force when it answers. When the handle is dropped,
/// the port is closed and every connection reset, very soon.
#[derive(Debug)]
pub struct Link {
    port: u16,
    commands: mpsc::UnboundedSender<Command>,
}

/// The thread of the links has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the link is closed")]
pub struct LinkClosed;

/// What a link is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Where it listens.
    pub port: u16,
    /// Where it leads.
    pub target: u16,
    /// What it does to the bytes each way.
    pub shapes: Both<Shape>,
    /// Connections that reach the target.
    pub established: usize,
    /// Connections that do not reach it yet: the link is blocked, or the target has not answered.
    pub waiting: usize,
    /// Connections ever made.
    pub accepted: u64,
    /// Connections that the target refused.
    pub refused: u64,
    /// Bytes of open connections that were taken from their sender and not handed over: blocked, under way, or not
    /// taken by the receiver.
    pub held: Both<u64>,
    /// Bytes ever handed over.
    pub forwarded: Both<u64>,
}

/// What became of a request through a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Something came back.
    Answered {
        /// How long that took, the making of the connection included.
        after: Duration,
    },
    /// The link is blocked, and holds back the whole request: a proof, not the end of a patience.
    Held,
    /// The connection was refused, closed or reset.
    Closed,
    /// Nothing came back in time, and the link does not hold the request back.
    Silent,
}

impl Link {
    pub(super) fn new(port: u16, commands: mpsc::UnboundedSender<Command>) -> Link {
        Link { port, commands }
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What `direction` is like from now on, for established connections and new ones.
    ///
    /// # Errors
    /// When the links are gone; so with all that follow.
    pub async fn shape(&self, direction: Direction, shape: Shape) -> Result<(), LinkClosed> {
        self.ask(|answer| Command::Shape(direction, shape, answer)).await
    }

    /// Where connections that are made from now on lead. Established ones stay as they are.
    pub async fn set_target(&self, target: u16) -> Result<(), LinkClosed> {
        self.ask(|answer| Command::Target(target, answer)).await
    }

    /// Resets every connection, on both sides and however the link is shaped, also those that wait; answers how many.
    pub async fn reset(&self) -> Result<usize, LinkClosed> {
        self.ask(Command::Reset).await
    }

    /// What it is now. Between two connections and two bytes, never within one.
    pub async fn state(&self) -> Result<State, LinkClosed> {
        self.ask(Command::State).await
    }

    /// Sends `request` over a new connection and waits for the first byte of an answer, or for the proof that there
    /// cannot be one; at most as long as `patience`. For PostgreSQL, an `SSLRequest` (`[0, 0, 0, 8, 4, 210, 22, 47]`)
    /// is answered without a login.
    pub async fn probe(&self, request: &[u8], patience: Duration) -> Result<Probe, LinkClosed> {
        let begin = Instant::now();
        timeout(patience, self.attempt(request, begin)).await.unwrap_or(Ok(Probe::Silent))
    }

    async fn attempt(&self, request: &[u8], begin: Instant) -> Result<Probe, LinkClosed> {
        let Ok((mut stream, own)) = dial(self.port, request).await else { return Ok(Probe::Closed) };
        let mut answer = [0];
        loop {
            tokio::select! {
                biased;
                read = stream.read(&mut answer) => return Ok(match read {
                    Ok(1..) => Probe::Answered { after: begin.elapsed() },
                    Ok(0) | Err(_) => Probe::Closed,
                }),
                () = sleep(LOOK) => {}
            }
            if self.ask(|answer| Command::Holds(own, request.len(), answer)).await? {
                return Ok(Probe::Held);
            }
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, LinkClosed> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).map_err(|_| LinkClosed)?;
        answered.await.map_err(|_| LinkClosed)
    }
}

async fn dial(port: u16, request: &[u8]) -> std::io::Result<(TcpStream, SocketAddr)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let own = stream.local_addr()?;
    stream.write_all(request).await?;
    Ok((stream, own))
}
