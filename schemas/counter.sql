-- The counter: one row a user. `version` serves the optimistic method.
DROP TABLE IF EXISTS user_counter;

CREATE TABLE user_counter (
    user_id INTEGER PRIMARY KEY,
    counter INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
