//! What a link knows of its connections.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use super::Both;

/// What passed one direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Bytes read and not delivered.
    pub(super) held: Cell<usize>,
    /// Bytes delivered.
    pub(super) forwarded: Cell<u64>,
}

/// A connection that somebody has made to the link.
#[derive(Debug)]
pub(super) struct Entry {
    /// Who.
    pub(super) client: SocketAddr,
    /// Whether it reached the target.
    pub(super) established: Cell<bool>,
    /// What passed.
    pub(super) meters: Both<Rc<Meter>>,
}

/// The connections that are open, and what those that ended have forwarded.
#[derive(Debug, Default)]
pub(super) struct Book {
    open: RefCell<BTreeMap<u64, Rc<Entry>>>,
    ended: Both<Cell<u64>>,
    opened: Cell<u64>,
}

/// The place of an open connection in the book; it is struck out when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) entry: Rc<Entry>,
    book: Rc<Book>,
}

impl Book {
    pub(super) fn enter(self: &Rc<Book>, client: SocketAddr) -> Place {
        let number = self.opened.get();
        self.opened.set(number + 1);
        let entry =
            Rc::new(Entry { client, established: Cell::new(false), meters: Both::new(|_| Rc::default()) });
        self.open.borrow_mut().insert(number, Rc::clone(&entry));
        Place { number, entry, book: Rc::clone(self) }
    }

    /// How many connections were ever made.
    pub(super) fn opened(&self) -> u64 {
        self.opened.get()
    }

    /// The connections that reached the target, and those that wait.
    pub(super) fn count(&self) -> (usize, usize) {
        let open = self.open.borrow();
        let established = open.values().filter(|entry| entry.established.get()).count();
        (established, open.len() - established)
    }

    pub(super) fn find(&self, client: SocketAddr) -> Option<Rc<Entry>> {
        self.open.borrow().values().find(|entry| entry.client == client).cloned()
    }

    pub(super) fn held(&self) -> Both<u64> {
        let open = self.open.borrow();
        Both::new(|way| open.values().map(|entry| entry.meters.get(way).held.get() as u64).sum())
    }

    pub(super) fn forwarded(&self) -> Both<u64> {
        let open = self.open.borrow();
        let of_open = |way| open.values().map(|entry| entry.meters.get(way).forwarded.get()).sum::<u64>();
        Both::new(|way| self.ended.get(way).get() + of_open(way))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.book.open.borrow_mut().remove(&self.number);
        for way in super::Direction::ALL {
            let ended = self.book.ended.get(way);
            ended.set(ended.get() + self.entry.meters.get(way).forwarded.get());
        }
    }
}
