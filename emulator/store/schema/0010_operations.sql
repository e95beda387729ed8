-- Long-running operations of every API; ids are unique over all services, since several poll
-- /v1/operations/ID. `work` names what takes an unfinished one up after a restart.
CREATE TABLE operations (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL UNIQUE,
    parent  TEXT NOT NULL,
    done    INTEGER NOT NULL,
    work    TEXT NOT NULL DEFAULT '',
    payload TEXT NOT NULL DEFAULT '{}',
    body    TEXT NOT NULL
);
CREATE INDEX operations_by_parent ON operations (parent, seq);
CREATE INDEX operations_unfinished ON operations (done) WHERE done = 0;

-- What Google would bill: a span of use of one resource; `ended` is NULL while it goes on.
CREATE TABLE usage (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    resource TEXT NOT NULL,
    kind     TEXT NOT NULL,
    sku      TEXT NOT NULL,
    started  TEXT NOT NULL,
    ended    TEXT,
    quantity REAL,
    labels   TEXT NOT NULL DEFAULT '{}',
    UNIQUE (resource, kind, started)
);
