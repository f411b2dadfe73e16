-- The forum: accounts write threads, comments and reactions. `version` serves whoever compares and sets.
-- Where the type citext is not to be had, replab makes `citext UNIQUE` a text, and its index one over lower().
DROP TABLE IF EXISTS reaction, comment, thread, account;

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    username citext UNIQUE,
    phone_number citext UNIQUE,
    email citext UNIQUE,
    hashed_password TEXT NOT NULL,
    is_deleted BOOLEAN NOT NULL DEFAULT FALSE,
    created_on TIMESTAMPTZ NOT NULL,
    updated_on TIMESTAMPTZ,
    version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE thread (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    total_comment BIGINT NOT NULL DEFAULT 0,
    total_reaction BIGINT NOT NULL DEFAULT 0,
    created_by TEXT NOT NULL REFERENCES account ON DELETE CASCADE,
    created_on TIMESTAMPTZ NOT NULL,
    updated_by TEXT REFERENCES account ON DELETE CASCADE,
    updated_on TIMESTAMPTZ,
    is_deleted BOOLEAN NOT NULL DEFAULT FALSE,
    version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE comment (
    id TEXT PRIMARY KEY,
    thread_id TEXT NOT NULL REFERENCES thread ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES account ON DELETE CASCADE,
    reply_to TEXT REFERENCES comment ON DELETE CASCADE,
    content TEXT NOT NULL,
    total_reply BIGINT NOT NULL DEFAULT 0,
    total_reaction BIGINT NOT NULL DEFAULT 0,
    created_on TIMESTAMPTZ NOT NULL,
    updated_on TIMESTAMPTZ,
    is_deleted BOOLEAN NOT NULL DEFAULT FALSE,
    version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE reaction (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account ON DELETE CASCADE,
    thread_id TEXT REFERENCES thread ON DELETE CASCADE,
    comment_id TEXT REFERENCES comment ON DELETE CASCADE,
    content VARCHAR(100) NOT NULL,
    created_on TIMESTAMPTZ NOT NULL,
    updated_on TIMESTAMPTZ,
    version BIGINT NOT NULL DEFAULT 1
);
