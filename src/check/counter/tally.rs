//! One key's account: which acknowledged increments cannot be in the final value, and which values nobody explains.

use std::collections::BTreeSet;

use super::keys::{Ack, Key, Short};
use crate::check::restarts::{Window, between};
use crate::check::text::{at, plural};
use crate::history::Nanos;

/// The account of one key.
pub(super) struct Tally<'a> {
    pub(super) key: i32,
    pub(super) end: Option<i64>,
    pub(super) losses: Vec<Loss<'a>>,
    unknown: u64,
    /// Values of 1 to the final one that no acknowledgement carries.
    unexplained: Option<u64>,
}

/// One acknowledged increment that is not there.
pub(super) struct Loss<'a> {
    ack: &'a Ack,
    why: Why<'a>,
}

enum Why<'a> {
    /// The value was made again.
    Again(&'a Ack),
    /// The final value is smaller.
    Above(i64),
    /// A later increment began after this acknowledgement and made no larger value.
    Overtaken(&'a Ack),
    /// The primary showed a smaller value to a read that began after this acknowledgement.
    Unread(&'a Short),
}

impl<'a> Tally<'a> {
    pub(super) fn of(key: i32, of: &'a Key) -> Tally<'a> {
        let mut by_value: Vec<&Ack> = of.acks.iter().collect();
        by_value.sort_unstable_by_key(|ack| (ack.value, ack.end, ack.event));
        let mut losses: Vec<Loss<'_>> = Vec::new();
        let mut explained = 0u64;
        for (place, &ack) in by_value.iter().enumerate() {
            let again = by_value.get(place + 1).filter(|next| next.value == ack.value);
            match (again, of.end) {
                (Some(again), _) => losses.push(Loss { ack, why: Why::Again(again) }),
                (None, Some(end)) if ack.value > end => losses.push(Loss { ack, why: Why::Above(end) }),
                (None, _) => explained += u64::from(ack.value >= 1),
            }
        }
        let mut lost: BTreeSet<u64> = losses.iter().map(|loss| loss.ack.event).collect();
        for loss in overtaken(of, &by_value).chain(unread(of, &by_value)) {
            if lost.insert(loss.ack.event) {
                explained = explained.saturating_sub(u64::from(loss.ack.value >= 1));
                losses.push(loss);
            }
        }
        losses.sort_unstable_by_key(|loss| loss.ack.event);
        let unexplained = of.end.map(|end| u64::try_from(end).unwrap_or(0).saturating_sub(explained));
        Tally { key, end: of.end, losses, unknown: of.unknown, unexplained }
    }

    /// Increments in the final value that neither an acknowledgement nor an unknown outcome explains.
    pub(super) fn surplus(&self) -> u64 {
        self.unexplained.unwrap_or(0).saturating_sub(self.unknown)
    }

    pub(super) fn unknown_applied(&self) -> Option<u64> {
        self.unexplained.map(|unexplained| unexplained.min(self.unknown))
    }

    pub(super) fn explain_surplus(&self) -> String {
        format!(
            "key {} ends at {}, of which {} acknowledged and at most {} of unknown outcome account for all but {}: applied twice, or although reported as failed",
            self.key,
            self.end.unwrap_or(0),
            self.end.unwrap_or(0).max(0) as u64 - self.unexplained.unwrap_or(0),
            self.unknown,
            plural(self.surplus(), "increment")
        )
    }
}

/// Increments that a later one shows to be lost though the value was reached again.
fn overtaken<'a>(of: &'a Key, by_value: &[&'a Ack]) -> impl Iterator<Item = Loss<'a>> {
    let later = of.acks.iter().filter(|later| later.value <= later.known);
    later.filter_map(|later| {
        Some(Loss { ack: first_from(by_value, later.known)?, why: Why::Overtaken(later) })
    })
}

/// Increments that the primary did not show: for every read, the largest.
fn unread<'a>(of: &'a Key, by_value: &[&'a Ack]) -> impl Iterator<Item = Loss<'a>> {
    let short = of.short.iter();
    short.filter_map(|short| Some(Loss { ack: first_from(by_value, short.known)?, why: Why::Unread(short) }))
}

fn first_from<'a>(by_value: &[&'a Ack], value: i64) -> Option<&'a Ack> {
    by_value.get(by_value.partition_point(|ack| ack.value < value)).copied()
}

impl Loss<'_> {
    /// Whether it was acknowledged with a warning.
    pub(super) fn was_warned(&self) -> bool {
        self.ack.warned
    }

    /// Whether it was acknowledged with a warning that nobody else may have it, and one of `failovers` came after.
    pub(super) fn was_forewarned(&self, failovers: &[Window]) -> bool {
        self.ack.warned && between(failovers, self.ack.start, Nanos(u64::MAX))
    }

    /// When it was acknowledged.
    pub(super) fn end(&self) -> Nanos {
        self.ack.end
    }

    /// The events that show it; `read` is the final read.
    pub(super) fn events(&self, read: Option<u64>) -> Vec<u64> {
        let witness = match self.why {
            Why::Again(ack) | Why::Overtaken(ack) => Some(ack.event),
            Why::Above(_) => read,
            Why::Unread(short) => Some(short.event),
        };
        std::iter::once(self.ack.event).chain(witness).collect()
    }

    pub(super) fn explain(&self, key: i32, restarts: &[Window]) -> String {
        let Ack { value, start, end, .. } = *self.ack;
        let told = format!("the increment of key {key} to {value}, acknowledged at {}, is lost", at(end));
        let blame = |later: &Ack| {
            if between(restarts, start, later.end) {
                "after a forced restart or failover of the primary"
            } else {
                "with no forced restart or failover of the primary in between, so this is a lost update or a log that lost its middle"
            }
        };
        match self.why {
            Why::Again(later) => format!(
                "{told}: another increment, begun at {}, made the same value at {}, {}",
                at(later.start),
                at(later.end),
                blame(later)
            ),
            Why::Overtaken(later) => format!(
                "{told}: another increment, begun at {}, made only {} at {}, {}",
                at(later.start),
                later.value,
                at(later.end),
                blame(later)
            ),
            Why::Above(last) => format!("{told}: the final value is {last}"),
            Why::Unread(short) => format!(
                "{told}: the primary, read from {} to {}, showed {}",
                at(short.start),
                at(short.end),
                short.value
            ),
        }
    }
}
