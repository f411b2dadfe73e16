//! The increment that loses: two clients read the same value, and both write it plus one (P4 in Berenson et al., "A
//! Critique of ANSI SQL Isolation Levels"). Read committed lets it happen.

use super::{Parts, READ, Recipe, SUM, WRITE};

pub(super) const UNSAFE: Recipe =
    Recipe::ReadWrite { begin: "BEGIN", lock: None, read: READ, write: WRITE, compares: false };

pub(super) const PARTS: Parts = Parts {
    name: "lost-update",
    about: "read, add in the client, write, at read committed",
    recipe: UNSAFE,
    unguarded: UNSAFE,
    total: SUM,
};
