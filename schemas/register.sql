-- Registers: transactions write them and read them. A value is written into a key by one transaction only.
DROP TABLE IF EXISTS txn_register;

CREATE TABLE txn_register (
    key BIGINT PRIMARY KEY,
    value BIGINT NOT NULL
);
