//! Who reads locks the row; everybody else waits with the read until the transaction has ended (manual, "Row-Level
//! Locks"). No retries; two round trips in which the row is locked.

use super::{Parts, Recipe, SUM, WRITE, lost_update};

pub(super) const PARTS: Parts = Parts {
    name: "row-lock",
    about: "SELECT … FOR UPDATE, add in the client, write",
    recipe: Recipe::ReadWrite {
        begin: "BEGIN",
        lock: None,
        read: "SELECT counter, version FROM user_counter WHERE user_id = 1 FOR UPDATE",
        write: WRITE,
        compares: false,
    },
    unguarded: lost_update::UNSAFE,
    total: SUM,
};
