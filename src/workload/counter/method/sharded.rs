//! Several rows share the increments, so that fewer clients meet at one; who reads pays with a sum.

use super::{Parts, Recipe};

pub(super) const PARTS: Parts = Parts {
    name: "sharded",
    about: "one of several rows in place; the counter is their sum",
    recipe: Recipe::Statement {
        sql: "UPDATE user_counter_slot SET counter = counter + 1 WHERE user_id = 1 AND slot = $1",
        has_slot: true,
    },
    // One slot more is asked for than there are: the statement touches no row, and nobody looks at how many it touched.
    unguarded: Recipe::Statement {
        sql: "UPDATE user_counter_slot SET counter = counter + 1 WHERE user_id = 1 AND slot = $1 + 1",
        has_slot: true,
    },
    total: "SELECT coalesce(sum(counter), 0)::bigint FROM user_counter_slot WHERE user_id = 1",
};
