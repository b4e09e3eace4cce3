-- What a next release might add: columns, an index, a table. The code of this release knows none of it.
ALTER TABLE users ADD COLUMN city text;
ALTER TABLE posts ADD COLUMN edited boolean NOT NULL DEFAULT false;
CREATE INDEX posts_by_edited ON posts (edited);
CREATE TABLE likes (post bigint NOT NULL, person bigint NOT NULL, PRIMARY KEY (post, person));
