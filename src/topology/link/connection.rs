//! One connection through a link, from the client's arrival to the end of both its streams.

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::Direction::{ToClient, ToServer};
use super::entry::Place;
use super::line::{End, Line};
use super::pump::Pump;
use super::serve::Shared;

/// A socket that resets its connection unless it was told that all went well: no peer shall take a stream that was cut
/// off for a whole one.
#[derive(Debug)]
struct Side {
    stream: TcpStream,
    orderly: bool,
}

impl Side {
    fn new(stream: TcpStream) -> Side {
        // Small packets are not held up; an error means that the peer is gone, which reading will tell.
        let _ = stream.set_nodelay(true);
        Side { stream, orderly: false }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if !self.orderly {
            let _ = self.stream.set_zero_linger();
        }
    }
}

/// Serves `client` until both streams have ended or one side is reset. Both sockets are reset when this is dropped.
pub(super) async fn run(client: TcpStream, link: Rc<Shared>, place: Place) {
    let pump = |way, stream| {
        let line = Line::new(link.seed, place.number * 2 + stream);
        Pump::new(line, Rc::clone(link.lanes.get(way)), Rc::clone(place.entry.meters.get(way)))
    };
    let (mut up, mut down) = (pump(ToServer, 0), pump(ToClient, 1));
    let mut client = Side::new(client);
    let Some(server) = handshake(&mut client.stream, &mut up, &link).await else { return };
    let mut server = Side::new(server);
    place.entry.established.set(true);

    let mut changed = link.changed.subscribe();
    let (mut from_client, mut to_client) = client.stream.split();
    let (mut from_server, mut to_server) = server.stream.split();
    let end = loop {
        let both = poll_fn(|cx| {
            let mut client = (&mut from_client, &mut to_client);
            let mut server = (&mut from_server, &mut to_server);
            poll_both(cx, (&mut up, &mut down), &mut client, &mut server)
        });
        tokio::select! {
            end = both => break end,
            // The pumps look at the shape themselves, whenever they are polled.
            _ = changed.changed() => {}
        }
    };
    (client.orderly, server.orderly) = (end == End::Fin, end == End::Fin);
}

/// Connects to the target, which takes a packet each way: while one way is blocked, the client waits. `None` when it has
/// given up, as one that never got an answer to its SYN, or when the target refuses.
async fn handshake(client: &mut TcpStream, up: &mut Pump, link: &Shared) -> Option<TcpStream> {
    let mut changed = link.changed.subscribe();
    loop {
        changed.mark_unchanged();
        if link.is_blocked() {
            tokio::select! {
                _ = poll_fn(|cx| up.poll_fill(cx, client)) => return None,
                _ = changed.changed() => continue,
            }
        }
        let mut connecting = std::pin::pin!(TcpStream::connect((Ipv4Addr::LOCALHOST, link.target.get())));
        while !link.is_blocked() {
            tokio::select! {
                connected = &mut connecting => {
                    let server = connected.ok().filter(|server| !is_its_own_peer(server));
                    link.refused.set(link.refused.get() + u64::from(server.is_none()));
                    return server;
                }
                _ = changed.changed() => {}
            }
        }
    }
}

/// Whether a socket is connected to itself: who connects from a free port to one that nobody listens on may get that very
/// port, and then finds itself there.
pub(super) fn is_its_own_peer(stream: &TcpStream) -> bool {
    stream.local_addr().is_ok_and(|own| stream.peer_addr().is_ok_and(|peer| own == peer))
}

type Halves<'a, 'b> = (&'a mut ReadHalf<'b>, &'a mut WriteHalf<'b>);

/// Polls the pumps towards the server and towards the client. Ready when both streams have ended, or one was reset.
fn poll_both(
    cx: &mut Context<'_>,
    (up, down): (&mut Pump, &mut Pump),
    client: &mut Halves<'_, '_>,
    server: &mut Halves<'_, '_>,
) -> Poll<End> {
    loop {
        // A peer that refuses what it is sent has reset the connection. The other one learns it by the way that leads
        // to it, after all that was sent before. The refusal takes the error with it: who reads next is told of an
        // orderly end, so the pump that reads has to know first.
        if up.poll(cx, client.0, server.1) == Poll::Ready(End::Reset) {
            return Poll::Ready(End::Reset);
        }
        let server_is_gone = up.target_is_reset() && down.source_is_reset();
        if down.poll(cx, server.0, client.1) == Poll::Ready(End::Reset) {
            return Poll::Ready(End::Reset);
        }
        let client_is_gone = down.target_is_reset() && up.source_is_reset();
        if up.is_done() && down.is_done() {
            return Poll::Ready(End::Fin);
        }
        if !server_is_gone && !client_is_gone {
            return Poll::Pending;
        }
    }
}
