//! The addition is done by the server, which locks the row and reads it anew before it adds: nothing can come in between.

use super::{Parts, Recipe, SUM, lost_update};

pub(super) const PARTS: Parts = Parts {
    name: "in-place",
    about: "SET counter = counter + 1",
    recipe: Recipe::Statement {
        sql: "UPDATE user_counter SET counter = counter + 1 WHERE user_id = 1",
        has_slot: false,
    },
    // The value is the client's, as where an object is loaded, changed and saved.
    unguarded: lost_update::UNSAFE,
    total: SUM,
};
