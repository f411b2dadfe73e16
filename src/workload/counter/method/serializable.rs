//! The same at serializable (Ports and Grittner, "Serializable Snapshot Isolation in PostgreSQL"): the server also looks
//! for dangerous structures among readers, which costs something and here finds nothing more.

use super::{Parts, READ, Recipe, SUM, WRITE, lost_update};

pub(super) const PARTS: Parts = Parts {
    name: "serializable",
    about: "read and write at serializable, again after 40001",
    recipe: Recipe::ReadWrite {
        begin: "BEGIN ISOLATION LEVEL SERIALIZABLE",
        lock: None,
        read: READ,
        write: WRITE,
        compares: false,
    },
    unguarded: lost_update::UNSAFE,
    total: SUM,
};
