//! How far a reader is behind, in time: when the writer was where the reader is now.

use std::collections::VecDeque;

use crate::history::Nanos;
use crate::lsn::Lsn;

/// How many of the writer's positions are kept: several minutes of them.
const KEPT: usize = 4_096;

/// Where the writer was at which time, oldest first.
#[derive(Debug, Default)]
pub(super) struct Positions(VecDeque<(Nanos, Lsn)>);

impl Positions {
    /// The writer is at `lsn`. After a failover it may be behind where the old one was.
    pub(super) fn add(&mut self, time: Nanos, lsn: Lsn) {
        while self.0.back().is_some_and(|(_, last)| *last > lsn) {
            self.0.pop_back();
        }
        // Of an idle writer only the last time counts at which it was there, and the first.
        let last_two = self.0.iter().rev().take(2).all(|(_, last)| *last == lsn);
        if self.0.len() >= 2 && last_two {
            self.0.pop_back();
        }
        self.0.push_back((time, lsn));
        while self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// How long ago the writer went on from what a reader at `lsn` shows; zero where it has not. The truth is less by at most
    /// the time between two looks at the writer.
    pub(super) fn behind(&self, lsn: Lsn) -> Nanos {
        let Some((now, last)) = self.0.back() else { return Nanos(0) };
        if lsn >= *last {
            return Nanos(0);
        }
        // The last moment at which the writer had nothing that the reader has not.
        let seen = self.0.iter().rev().find(|(_, at)| *at <= lsn).or(self.0.front());
        seen.map_or(Nanos(0), |(then, _)| now.since(*then))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lsn(bytes: u64) -> Lsn {
        Lsn::new(bytes).unwrap()
    }

    #[test]
    fn a_reader_is_behind_since_the_writer_went_on() {
        let mut positions = Positions::default();
        assert_eq!(positions.behind(lsn(1)), Nanos(0));
        for (time, at) in [(10, 100), (20, 200), (30, 200), (40, 200), (50, 300)] {
            positions.add(Nanos(time), lsn(at));
        }
        assert_eq!(positions.behind(lsn(300)), Nanos(0));
        assert_eq!(positions.behind(lsn(250)), Nanos(10), "it went on between 40 and 50");
        assert_eq!(positions.behind(lsn(199)), Nanos(40));
        assert_eq!(positions.behind(lsn(50)), Nanos(40), "longer ago than anybody looked");
        positions.add(Nanos(60), lsn(250));
        assert_eq!(positions.behind(lsn(250)), Nanos(0), "what an old writer had beyond that is gone");
    }
}
