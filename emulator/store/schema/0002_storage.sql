-- Buckets; body is what Cloud Storage answers, less what is computed for each answer.
CREATE TABLE buckets (
    name           TEXT PRIMARY KEY,
    project_id     TEXT NOT NULL,
    metageneration INTEGER NOT NULL,
    body           TEXT NOT NULL,
    policy         TEXT
) WITHOUT ROWID;
CREATE INDEX buckets_by_project ON buckets (project_id, name);

-- Live objects; body holds the fields that a client may set (contentType, metadata, ...).
CREATE TABLE objects (
    bucket          TEXT NOT NULL REFERENCES buckets (name),
    name            TEXT NOT NULL,
    generation      INTEGER NOT NULL,
    metageneration  INTEGER NOT NULL,
    sha256          TEXT NOT NULL,
    md5             TEXT NOT NULL,
    crc32c          TEXT NOT NULL,
    size_bytes      INTEGER NOT NULL,
    created         TEXT NOT NULL,
    updated         TEXT NOT NULL,
    body            TEXT NOT NULL,
    PRIMARY KEY (bucket, name)
) WITHOUT ROWID;
CREATE INDEX objects_by_sha256 ON objects (sha256);

-- Resumable uploads; their bytes lie in uploads/<id>, whose length is what has arrived.
CREATE TABLE uploads (
    id         TEXT PRIMARY KEY,
    bucket     TEXT NOT NULL,
    name       TEXT NOT NULL,
    request    TEXT NOT NULL,
    created    TEXT NOT NULL,
    answer     TEXT
) WITHOUT ROWID;

-- The last generation given out; generations never go back, whatever the clock does.
CREATE TABLE generations (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
);
