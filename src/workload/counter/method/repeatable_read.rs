//! Snapshot isolation refuses the second of two writers of a row with 40001 (manual, "Repeatable Read Isolation Level"),
//! and the client begins anew.

use super::{Parts, READ, Recipe, SUM, WRITE, lost_update};

pub(super) const PARTS: Parts = Parts {
    name: "repeatable-read",
    about: "read and write at repeatable read, again after 40001",
    recipe: Recipe::ReadWrite {
        begin: "BEGIN ISOLATION LEVEL REPEATABLE READ",
        lock: None,
        read: READ,
        write: WRITE,
        compares: false,
    },
    unguarded: lost_update::UNSAFE,
    total: SUM,
};
