-- Every shard has every table. A row lies on the shard of its user, whose id is the first column of the key;
-- names lie on the directory shard.

CREATE TABLE names (
    key text COLLATE "C" PRIMARY KEY,
    user_id bigint NOT NULL
);

CREATE TABLE users (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE credentials (
    user_id bigint PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    password_hash text NOT NULL
);

CREATE TABLE counts (
    user_id bigint PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    posts bigint NOT NULL DEFAULT 0 CHECK (posts >= 0),
    following bigint NOT NULL DEFAULT 0 CHECK (following >= 0),
    followers bigint NOT NULL DEFAULT 0 CHECK (followers >= 0)
);
