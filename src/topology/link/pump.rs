//! One direction of a connection: from one socket, through a line, to the other.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::entry::Meter;
use super::lane::Lane;
use super::line::{End, Line};

/// How much is read at once.
const READ: usize = 64 * 1024;

/// Moves bytes. It keeps what it holds when a poll of it is dropped.
#[derive(Debug)]
pub(super) struct Pump {
    line: Line,
    lane: Rc<Lane>,
    meter: Rc<Meter>,
    timer: Option<Pin<Box<Sleep>>>,
    /// The sender has reset the connection, so that the end of its stream is no orderly one.
    source_reset: bool,
    /// The receiver has: what is still read goes nowhere.
    target_reset: bool,
    /// The end of the stream has been delivered.
    done: bool,
}

impl Pump {
    pub(super) fn new(line: Line, lane: Rc<Lane>, meter: Rc<Meter>) -> Pump {
        Pump { line, lane, meter, timer: None, source_reset: false, target_reset: false, done: false }
    }

    /// Whether the stream has ended and its receiver knows.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Whether the receiver turned out to have reset the connection.
    pub(super) fn target_is_reset(&self) -> bool {
        self.target_reset
    }

    /// The sender has reset the connection; `false` if that was known. What it had sent before is still delivered.
    pub(super) fn source_is_reset(&mut self) -> bool {
        if self.source_reset {
            return false;
        }
        self.source_reset = true;
        if self.line.end() == Some(End::Fin) {
            self.line.finish(End::Reset);
            self.done = false;
        }
        true
    }

    /// Reads what there is, and holds it: for a sender that has nobody to talk to yet. Ready when it has given up.
    pub(super) fn poll_fill<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
    ) -> Poll<End> {
        loop {
            if let Some(end) = self.line.end() {
                return Poll::Ready(end);
            }
            ready!(self.poll_read(cx, reader));
        }
    }

    /// Reads, waits and writes as far as that goes. Ready when the receiver knows how the stream ended: an answer of
    /// `Reset` asks the caller to reset it.
    pub(super) fn poll<R, W>(&mut self, cx: &mut Context<'_>, reader: &mut R, writer: &mut W) -> Poll<End>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            if self.done {
                return Poll::Ready(End::Fin);
            }
            let mut progress = self.poll_read(cx, reader).is_ready();
            let now = Instant::now();
            self.line.advance(now, &self.lane);
            progress |= self.poll_write(cx, writer);
            match self.line.ended(now) {
                Some(End::Reset) => return Poll::Ready(End::Reset),
                Some(End::Fin) => {
                    // A receiver that is gone will say so where it is read from.
                    let _ = ready!(Pin::new(&mut *writer).poll_shutdown(cx));
                    self.done = true;
                }
                None if progress => {}
                None => ready!(self.poll_timer(cx, now)),
            }
        }
    }

    /// Reads once. Pending too where there is no room, or nothing more to come.
    fn poll_read<R: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, reader: &mut R) -> Poll<()> {
        let room = self.line.room().min(READ);
        if room == 0 {
            return Poll::Pending;
        }
        let mut space = [MaybeUninit::uninit(); READ];
        let mut space = ReadBuf::uninit(&mut space[..room]);
        match ready!(Pin::new(reader).poll_read(cx, &mut space)) {
            Ok(()) if !space.filled().is_empty() => self.line.push(space.filled()),
            Ok(()) if !self.source_reset => self.line.finish(End::Fin),
            Ok(()) | Err(_) => self.line.finish(End::Reset),
        }
        self.meter.held.set(self.line.len());
        Poll::Ready(())
    }

    /// Writes what is due; answers whether anything was.
    fn poll_write<W: AsyncWrite + Unpin>(&mut self, cx: &mut Context<'_>, writer: &mut W) -> bool {
        let mut progress = false;
        while !self.line.ready().is_empty() {
            let ready = self.line.ready();
            let count = match self.target_reset {
                true => ready.len(),
                false => match Pin::new(&mut *writer).poll_write(cx, ready) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(count)) if count > 0 => {
                        self.meter.forwarded.set(self.meter.forwarded.get() + count as u64);
                        count
                    }
                    Poll::Ready(_) => {
                        self.target_reset = true;
                        0
                    }
                },
            };
            self.line.delivered(count);
            progress = true;
        }
        self.meter.held.set(self.line.len());
        progress
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        let Some(at) = self.line.next(now, &self.lane) else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx)
    }
}
