//! What a counter's client does next.

use crate::history::CounterOp;

/// The counter that client `thread` increments, of `keys`. With fewer keys than writers, writers share one.
pub fn key_of(thread: u32, keys: i32) -> i32 {
    let keys = u32::try_from(keys).unwrap_or(1).max(1);
    i32::try_from(thread % keys).unwrap_or(0) + 1
}

/// A writer: its own counter, again and again.
#[derive(Debug)]
pub struct Increments {
    key: i32,
}

impl Increments {
    /// The increments of client `thread`.
    pub fn new(thread: u32, keys: i32) -> Increments {
        Increments { key: key_of(thread, keys) }
    }
}

impl Iterator for Increments {
    type Item = CounterOp;

    fn next(&mut self) -> Option<CounterOp> {
        Some(CounterOp::Increment { key: self.key })
    }
}

/// A reader that belongs to one writer: that writer's counter, then all of them, in turn.
#[derive(Debug)]
pub struct Reads {
    writer: u32,
    key: i32,
    all: bool,
}

impl Reads {
    /// The reads of the reader that belongs to client thread `writer`.
    pub fn new(writer: u32, keys: i32) -> Reads {
        Reads { writer, key: key_of(writer, keys), all: false }
    }
}

impl Iterator for Reads {
    type Item = CounterOp;

    fn next(&mut self) -> Option<CounterOp> {
        self.all = !self.all;
        Some(if self.all {
            CounterOp::ReadOwn { key: self.key, writer: self.writer }
        } else {
            CounterOp::ReadAll
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_reads_what_its_writer_increments() {
        let written = Increments::new(5, 4).next();
        assert_eq!(written, Some(CounterOp::Increment { key: 2 }));
        let read: Vec<_> = Reads::new(5, 4).take(3).collect();
        let own = CounterOp::ReadOwn { key: 2, writer: 5 };
        assert_eq!(read, [own.clone(), CounterOp::ReadAll, own]);
    }
}
