//! Which versions of a register follow which by real time: who writes after somebody was told of a version, replaces it or
//! one that came later. That a reader sees the newest version is not assumed: a stale read is found, not taken for an order.

use super::register::RegisterKey;
use crate::history::txn::Status;

/// What happens to the register, in the order of events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// An access begins that writes.
    Begins,
    /// An access was acknowledged.
    Ends,
}

/// Pairs of versions, in as many as there are accesses times how many overlap.
pub(super) fn follows(register: &RegisterKey<'_>) -> Vec<(u32, u32)> {
    let mut events: Vec<(u32, Happening, u32)> = Vec::new();
    for (number, access) in (0u32..).zip(&register.accesses) {
        let txn = register.txns.txn(access.txn);
        if access.write.is_some() {
            events.push((txn.invoked, Happening::Begins, number));
        }
        if txn.status == Status::Ok {
            events.push((txn.completed, Happening::Ends, number));
        }
    }
    events.sort_unstable();
    // Versions that somebody was told of, and when first. Those that a later one is known to follow are left out.
    let mut told: Vec<(u32, u32)> = Vec::new();
    let mut was_told = vec![false; register.versions.len()];
    let mut follows = Vec::new();
    for (event, happening, number) in events {
        let access = register.accesses[number as usize];
        match (happening, access.write) {
            (Happening::Begins, Some((_, version))) => {
                let before = told.iter().filter(|(known, _)| *known != version);
                follows.extend(before.map(|&(known, _)| (known, version)));
            }
            (Happening::Begins, None) => {}
            (Happening::Ends, write) => {
                if let Some((_, version)) = write {
                    let begun = register.txns.txn(access.txn).invoked;
                    told.retain(|&(known, since)| known != version && since > begun);
                    tell(version, event, &mut told, &mut was_told);
                } else if let Some((_, version)) = access.read {
                    tell(version, event, &mut told, &mut was_told);
                }
            }
        }
    }
    follows
}

fn tell(version: u32, event: u32, told: &mut Vec<(u32, u32)>, was_told: &mut [bool]) {
    if !std::mem::replace(&mut was_told[version as usize], true) {
        told.push((version, event));
    }
}
