//! Nothing is changed, only added: no two clients ever wait for each other, and the counter is what a sum says.

use super::{Parts, Recipe};

const TOTAL: &str = "SELECT coalesce(sum(amount), 0)::bigint FROM user_counter_entry WHERE user_id = 1";

pub(super) const PARTS: Parts = Parts {
    name: "ledger",
    about: "a row an increment; the counter is their sum",
    recipe: Recipe::Statement {
        sql: "INSERT INTO user_counter_entry (user_id, amount) VALUES (1, 1)",
        has_slot: false,
    },
    // Numbered by the client from a read that may be old: of two that choose the same number one goes under.
    unguarded: Recipe::Statement {
        sql: "INSERT INTO user_counter_entry (entry_id, user_id, amount) OVERRIDING SYSTEM VALUE \
              SELECT coalesce(max(entry_id), 0) + 1, 1, 1 FROM user_counter_entry ON CONFLICT DO NOTHING",
        has_slot: false,
    },
    total: TOTAL,
};
