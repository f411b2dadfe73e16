-- Lists: transactions append to them and read them. An element is appended to a key by one transaction only.
DROP TABLE IF EXISTS txn_list;

CREATE TABLE txn_list (
    key BIGINT PRIMARY KEY,
    elements BIGINT[] NOT NULL
);
