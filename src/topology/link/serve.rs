//! The task of a link: it accepts connections and obeys its handle.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use super::entry::Book;
use super::lane::Lane;
use super::{Both, Direction, Shape, State, connection};

/// How long to leave alone a system that has no descriptor left.
const BREATH: Duration = Duration::from_millis(20);

/// What the connections of a link have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) port: u16,
    pub(super) target: Cell<u16>,
    pub(super) seed: u64,
    pub(super) lanes: Both<Rc<Lane>>,
    /// Tells every connection that a shape is another one now.
    pub(super) changed: watch::Sender<()>,
    pub(super) refused: Cell<u64>,
    book: Rc<Book>,
}

/// What a handle asks for. It is done when the answer comes; nobody may be waiting for it.
#[derive(Debug)]
pub(super) enum Command {
    Shape(Direction, Shape, oneshot::Sender<()>),
    Target(u16, oneshot::Sender<()>),
    Reset(oneshot::Sender<usize>),
    State(oneshot::Sender<State>),
    /// Whether all `bytes` that this client has sent are held back.
    Holds(SocketAddr, usize, oneshot::Sender<bool>),
}

impl Shared {
    pub(super) fn new(port: u16, target: u16, seed: u64) -> Shared {
        Shared {
            port,
            target: Cell::new(target),
            seed,
            lanes: Both::new(|_| Rc::default()),
            changed: watch::channel(()).0,
            refused: Cell::new(0),
            book: Rc::default(),
        }
    }

    /// Whether a packet and its answer cannot get through.
    pub(super) fn is_blocked(&self) -> bool {
        Direction::ALL.into_iter().any(|way| self.lanes.get(way).shape().blocked)
    }

    fn state(&self) -> State {
        let (established, waiting) = self.book.count();
        State {
            port: self.port,
            target: self.target.get(),
            shapes: Both::new(|way| self.lanes.get(way).shape()),
            established,
            waiting,
            accepted: self.book.opened(),
            refused: self.refused.get(),
            held: self.book.held(),
            forwarded: self.book.forwarded(),
        }
    }

    fn holds(&self, client: SocketAddr, bytes: usize) -> bool {
        let entry = self.book.find(client);
        self.is_blocked() && entry.is_some_and(|entry| entry.meters.to_server.held.get() == bytes)
    }
}

/// Serves the link until its handle is gone; then all its connections are reset.
pub(super) async fn serve(
    listener: TcpListener,
    link: Rc<Shared>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let mut connections = JoinSet::new();
    let mut failed = false;
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                Some(command) => obey(command, &link, &mut connections).await,
                None => return,
            },
            Some(ended) = connections.join_next() => {
                was_cut(ended);
            }
            accepted = accept(&listener, failed) => {
                failed = accepted.is_err();
                if let Ok((client, address)) = accepted {
                    let place = link.book.enter(address);
                    connections.spawn_local(connection::run(client, Rc::clone(&link), place));
                }
            }
        }
    }
}

async fn accept(listener: &TcpListener, failed: bool) -> io::Result<(TcpStream, SocketAddr)> {
    if failed {
        sleep(BREATH).await;
    }
    listener.accept().await
}

/// Whether a connection was still alive when it was told to end. One that panicked takes the link with it, so that the
/// next who asks the link for anything learns of it.
fn was_cut(ended: Result<(), JoinError>) -> bool {
    match ended {
        Ok(()) => false,
        Err(error) if error.is_cancelled() => true,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn obey(command: Command, link: &Shared, connections: &mut JoinSet<()>) {
    match command {
        Command::Shape(way, shape, answer) => {
            link.lanes.get(way).set(shape);
            link.changed.send_replace(());
            let _ = answer.send(());
        }
        Command::Target(target, answer) => {
            link.target.set(target);
            let _ = answer.send(());
        }
        Command::Reset(answer) => {
            connections.abort_all();
            let mut count = 0;
            while let Some(ended) = connections.join_next().await {
                count += usize::from(was_cut(ended));
            }
            let _ = answer.send(count);
        }
        Command::State(answer) => drop(answer.send(link.state())),
        Command::Holds(client, bytes, answer) => drop(answer.send(link.holds(client, bytes))),
    }
}
