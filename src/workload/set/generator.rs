//! What a client of the set does next.

use crate::history::SetOp;

/// Numbers that each client has for itself. As many of these as there can be clients are within an `i64`.
const BLOCK: i64 = 1 << 31;

/// One number after the other, so that what all clients have inserted is a few ranges, whoever is faster.
#[derive(Debug)]
pub struct Inserts {
    next: i64,
}

impl Inserts {
    /// Those of client `thread`.
    pub fn new(thread: u32) -> Inserts {
        Inserts { next: i64::from(thread) * BLOCK + 1 }
    }
}

impl Iterator for Inserts {
    type Item = SetOp;

    fn next(&mut self) -> Option<SetOp> {
        let element = self.next;
        self.next += 1;
        Some(SetOp::Insert { element })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_inserts_what_another_client_does() {
        let first = |thread| match Inserts::new(thread).next() {
            Some(SetOp::Insert { element }) => element,
            other => panic!("{other:?}"),
        };
        assert_eq!([first(0), first(1), first(2)], [1, BLOCK + 1, 2 * BLOCK + 1]);
        let own: Vec<SetOp> = Inserts::new(1).take(2).collect();
        assert_eq!(own[1], SetOp::Insert { element: BLOCK + 2 });
    }
}
