//! Of two that have read the same total, the second writer is refused with 40001 (manual, "Repeatable Read Isolation
//! Level"); its reaction is rolled back with the rest.

use super::{READ, Recipe};

pub(super) const RECIPE: Recipe = Recipe {
    about: "read, insert, write the total; one transaction at repeatable read, again after 40001",
    begin: "BEGIN ISOLATION LEVEL REPEATABLE READ",
    read: READ,
};
