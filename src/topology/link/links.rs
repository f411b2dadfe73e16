//! The thread that all links of a cluster run on.

use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::thread::{Builder, JoinHandle};

use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};

use super::serve::{Command, Shared, serve};
use super::{Link, LinkClosed};

/// The links of a cluster, on a thread of their own: neither do they wait for what the rest of the lab does, nor does
/// that wait for them. When this is dropped, every connection is reset, every port closed, and the thread has ended.
#[derive(Debug)]
pub struct Links {
    /// `None` while it is dropped.
    orders: Option<mpsc::UnboundedSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// A link to be opened.
#[derive(Debug)]
struct Order {
    port: u16,
    target: u16,
    seed: u64,
    commands: mpsc::UnboundedReceiver<Command>,
    answer: oneshot::Sender<io::Result<u16>>,
}

impl Links {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system refuses a thread, or what its runtime needs.
    pub fn start() -> io::Result<Links> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, mut received) = mpsc::unbounded_channel();
        let thread = Builder::new().name("links".to_owned()).spawn(move || {
            LocalSet::new().block_on(&runtime, async move {
                while let Some(order) = received.recv().await {
                    open(order).await;
                }
            });
        })?;
        Ok(Links { orders: Some(orders), thread: Some(thread) })
    }

    /// Opens a link from `port` of 127.0.0.1 (0: a free one) to port `target` there, which need not answer yet. `seed`
    /// decides its jitter.
    ///
    /// # Errors
    /// `AddrInUse` when the port is taken, or what else the system says to listening; `BrokenPipe` when the thread has
    /// ended.
    pub async fn open(&self, port: u16, target: u16, seed: u64) -> io::Result<Link> {
        let closed = || io::Error::new(io::ErrorKind::BrokenPipe, LinkClosed);
        let (sender, commands) = mpsc::unbounded_channel();
        let (answer, answered) = oneshot::channel();
        let order = Order { port, target, seed, commands, answer };
        self.orders.as_ref().and_then(|orders| orders.send(order).ok()).ok_or_else(closed)?;
        let port = answered.await.map_err(|_| closed())??;
        Ok(Link::new(port, sender))
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say but a panic, which has been printed.
            let _ = thread.join();
        }
    }
}

async fn open(order: Order) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, order.port)).await;
    let opened = listener.and_then(|listener| {
        let port = listener.local_addr()?.port();
        let link = Rc::new(Shared::new(port, order.target, order.seed));
        spawn_local(serve(listener, link, order.commands));
        Ok(port)
    });
    let _ = order.answer.send(opened);
}
