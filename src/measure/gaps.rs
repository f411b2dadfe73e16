//! When a node served nobody, though somebody asked.
//!
//! It serves by what it is there for: commits on the primary, reads on a replica. Who waits for an answer is not served.

use super::Window;
use super::service::Asked;
use crate::history::Nanos;

/// The shortest time without an answer that counts.
const LEAST_GAP: Nanos = Nanos::from_millis(100);

/// Windows between answers in which an operation that got none began or ended, or one waited for its own; `asked` is
/// sorted by `end`.
pub(super) fn gaps(asked: &[Asked], load: Window, is_primary: bool) -> Vec<Window> {
    let asked = serving(asked, is_primary);
    let mut unserved: Vec<Nanos> =
        asked.iter().filter(|one| !one.served).flat_map(|one| [one.start, one.end]).collect();
    unserved.sort_unstable();
    // For every operation, when the first of those was invoked that ended no earlier: what is waited for at its end.
    let mut waited: Vec<Nanos> = asked.iter().map(|one| one.start).collect();
    for place in (1..waited.len()).rev() {
        waited[place - 1] = waited[place - 1].min(waited[place]);
    }
    let within = asked.partition_point(|one| one.end < load.end);
    let answers = asked[..within].iter().enumerate().filter(|(_, one)| one.served);
    let answers = answers.map(|(place, one)| (place, one.end)).chain([(within, load.end)]);
    let mut gaps = Vec::new();
    let mut start = load.start;
    for (place, end) in answers {
        let first = unserved.partition_point(|&time| time < start);
        let failed = unserved.get(first).is_some_and(|&time| time <= end);
        // Without a failure nobody was refused anything before the one that waited came.
        let asked_at = if failed { start } else { waited.get(place).map_or(end, |&at| at.max(start)) };
        if end.since(asked_at) > LEAST_GAP {
            gaps.push(Window { start: asked_at, end });
        }
        start = start.max(end);
    }
    gaps
}

/// What the node is there for; where nobody asked for that, whatever was asked.
fn serving(asked: &[Asked], is_primary: bool) -> Vec<Asked> {
    let of_its_own: Vec<Asked> = asked.iter().filter(|one| one.is_write == is_primary).copied().collect();
    if of_its_own.is_empty() { asked.to_vec() } else { of_its_own }
}
