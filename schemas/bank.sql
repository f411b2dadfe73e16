-- The bank: accounts among which money is moved. What they hold together never changes.
DROP TABLE IF EXISTS bank_account;

CREATE TABLE bank_account (
    account BIGINT PRIMARY KEY,
    balance BIGINT NOT NULL
);
