//! Who reads the thread locks it; everybody else waits with the read (manual, "Row-Level Locks"). Nobody has to try again.

use super::Recipe;

pub(super) const RECIPE: Recipe = Recipe {
    about: "SELECT … FOR UPDATE of the thread, insert, write the total; one transaction at read committed",
    begin: "BEGIN ISOLATION LEVEL READ COMMITTED",
    read: "SELECT total_reaction, version FROM thread WHERE id = 'thread-1' FOR UPDATE",
};
