CREATE TABLE batch_requests (
    provider TEXT NOT NULL,
    id       TEXT NOT NULL,
    day      INTEGER NOT NULL,
    PRIMARY KEY (provider, id)
) WITHOUT ROWID;
CREATE INDEX batch_requests_by_day ON batch_requests (day);

CREATE TABLE recounted (
    task INTEGER PRIMARY KEY
);

ALTER TABLE tasks ADD COLUMN parent BLOB;
ALTER TABLE tasks ADD COLUMN interrupted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tasks_by_parent ON tasks (parent) WHERE parent IS NOT NULL;
