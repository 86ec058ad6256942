CREATE TABLE events (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    id   BLOB NOT NULL,
    task INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX events_by_task ON events (task, id);

CREATE TABLE spans (
    second    INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    PRIMARY KEY (second, first_seq)
) WITHOUT ROWID;

CREATE TABLE tasks (
    task       INTEGER PRIMARY KEY AUTOINCREMENT,
    id         BLOB NOT NULL,
    who        INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    owner      INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    body       BLOB
);
CREATE UNIQUE INDEX tasks_by_id ON tasks (id);
CREATE INDEX tasks_by_status ON tasks (status, started_at);
CREATE INDEX tasks_by_who ON tasks (who, status, started_at);

CREATE TABLE whos (
    who      INTEGER PRIMARY KEY AUTOINCREMENT,
    customer TEXT,
    project  TEXT,
    type     TEXT
);
CREATE INDEX whos_by_name ON whos (customer, project, type);

CREATE TABLE whats (
    what     INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT,
    model    TEXT,
    service  TEXT
);
CREATE INDEX whats_by_name ON whats (provider, model, service);

CREATE TABLE rollups (
    day  INTEGER NOT NULL,
    who  INTEGER NOT NULL,
    what INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (day, who, what)
) WITHOUT ROWID;

CREATE TABLE owners (
    owner     INTEGER PRIMARY KEY AUTOINCREMENT,
    token     TEXT NOT NULL UNIQUE,
    process   INTEGER NOT NULL,
    opened_at INTEGER NOT NULL
);

CREATE TABLE outbox (
    entry    INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    revision INTEGER NOT NULL
);

CREATE TABLE losses (
    kind   TEXT NOT NULL,
    reason TEXT NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (kind, reason)
) WITHOUT ROWID;

CREATE TABLE departed (
    kind   TEXT NOT NULL,
    reason TEXT NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (kind, reason)
) WITHOUT ROWID;

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
