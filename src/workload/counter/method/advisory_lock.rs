//! A lock that stands for the counter and belongs to no row (manual, "Advisory Locks"). It is taken by a statement of its
//! own: the snapshot of the statement that waits for it is older than the wait, so that a read in the same statement
//! would be stale.

use super::{Parts, READ, Recipe, SUM, WRITE, lost_update};

pub(super) const PARTS: Parts = Parts {
    name: "advisory-lock",
    about: "pg_advisory_xact_lock around read and write",
    recipe: Recipe::ReadWrite {
        begin: "BEGIN",
        lock: Some("SELECT pg_advisory_xact_lock(1)"),
        read: READ,
        write: WRITE,
        compares: false,
    },
    unguarded: lost_update::UNSAFE,
    total: SUM,
};
