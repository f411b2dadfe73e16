//! In place, and the client learns the value that it made: no second statement, and no value is handed out twice.

use super::{Parts, Recipe, SUM, lost_update};

pub(super) const PARTS: Parts = Parts {
    name: "returning",
    about: "in place, and the new value is answered",
    recipe: Recipe::Statement {
        sql: "UPDATE user_counter SET counter = counter + 1 WHERE user_id = 1 RETURNING counter",
        has_slot: false,
    },
    unguarded: lost_update::UNSAFE,
    total: SUM,
};
