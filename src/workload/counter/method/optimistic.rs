//! Nobody waits with the read; the write counts only if the version is still the one that was read, else all begins anew
//! (Kung and Robinson, "On Optimistic Methods for Concurrency Control").

use super::{Parts, READ, Recipe, SUM};

const WRITE: &str =
    "UPDATE user_counter SET counter = $1, version = version + 1 WHERE user_id = 1 AND version = $2";

pub(super) const PARTS: Parts = Parts {
    name: "optimistic",
    about: "read with a version, write if it is still the same, else again",
    recipe: Recipe::ReadWrite { begin: "BEGIN", lock: None, read: READ, write: WRITE, compares: true },
    // The version is written and not compared.
    unguarded: Recipe::ReadWrite {
        begin: "BEGIN",
        lock: None,
        read: READ,
        write: "UPDATE user_counter SET counter = $1, version = version + 1 WHERE user_id = 1",
        compares: false,
    },
    total: SUM,
};
