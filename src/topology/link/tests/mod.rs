//! Links between real sockets, and pumps under a clock that stands still.

use std::future::Future;
use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::Direction::{ToClient, ToServer};
use super::{Direction, Link, Links, Probe, Shape, State};

mod endings;
mod intact;
mod leaks;
mod partition;
mod shaped;

/// Runs a test, for so long at most.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(120), test).await.expect("the test ends") })
}

/// A target, and a link to it.
struct Bench {
    links: Links,
    link: Link,
    target: TcpListener,
}

/// Waits for a state of the link.
async fn until(link: &Link, reached: impl Fn(&State) -> bool) -> State {
    let mut state = link.state().await.unwrap();
    for _ in 0..10_000 {
        if reached(&state) {
            return state;
        }
        sleep(Duration::from_millis(2)).await;
        state = link.state().await.unwrap();
    }
    panic!("never reached: {state:?}");
}

impl Bench {
    async fn new() -> Bench {
        let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let links = Links::start().unwrap();
        let link = links.open(0, target.local_addr().unwrap().port(), 1).await.unwrap();
        Bench { links, link, target }
    }

    /// Both ends of a new connection through the link.
    async fn pair(&self) -> (TcpStream, TcpStream) {
        let client = connect(&self.link).await;
        let (server, _) = self.target.accept().await.unwrap();
        // The link knows that its target took the connection only a moment after the target does.
        let _ = self.until(|state| state.waiting == 0).await;
        (client, server)
    }

    /// The end that sends in this direction, and the one that receives.
    async fn ends(&self, way: Direction) -> (TcpStream, TcpStream) {
        let (client, server) = self.pair().await;
        if way == ToServer { (client, server) } else { (server, client) }
    }

    async fn block(&self, way: Direction) {
        self.link.shape(way, Shape::BLOCKED).await.unwrap();
    }

    async fn open(&self, way: Direction) {
        self.link.shape(way, Shape::default()).await.unwrap();
    }

    async fn until(&self, reached: impl Fn(&State) -> bool) -> State {
        until(&self.link, reached).await
    }

    /// A byte by another way to the target and back: whatever would have arrived before has had its chance.
    async fn marker(&self) {
        let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let other = self.links.open(0, target.local_addr().unwrap().port(), 1).await.unwrap();
        let mut client = connect(&other).await;
        let (mut server, _) = target.accept().await.unwrap();
        client.write_all(b"?").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'?');
        server.write_all(b"!").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'!');
    }
}

async fn connect(link: &Link) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, link.port())).await.unwrap()
}

/// Asks the system itself that there is nothing to read: no byte, no end and no error.
fn silent(stream: TcpStream) -> TcpStream {
    let stream = stream.into_std().unwrap();
    let peeked = stream.peek(&mut [0]);
    assert_eq!(peeked.unwrap_err().kind(), ErrorKind::WouldBlock);
    TcpStream::from_std(stream).unwrap()
}

/// Bytes that show where they belong.
fn pattern(from: usize, count: usize) -> Vec<u8> {
    (from..from + count).map(|at| (at * 31 + at / 251) as u8).collect()
}

async fn receive(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

async fn receive_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// Reads up to the reset; answers what came before.
async fn reset_after(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    bytes
}
