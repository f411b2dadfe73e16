-- What the counter's methods need besides user_counter, whose row 1 they all increment.
DROP TABLE IF EXISTS user_counter_slot, user_counter_entry;

-- `sharded`: the counter is the sum of its slots.
CREATE TABLE user_counter_slot (
    user_id INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    counter INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, slot)
) WITH (fillfactor = 50);

-- `ledger`: the counter is the sum of its entries.
CREATE TABLE user_counter_entry (
    entry_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id INTEGER NOT NULL,
    amount INTEGER NOT NULL
);
