-- Access controls as JSON (NULL: none of its own) and how the bytes are encrypted (NULL: not).
ALTER TABLE objects ADD COLUMN acl TEXT;
ALTER TABLE objects ADD COLUMN secret TEXT;

-- Generations that are no longer live: noncurrent ones of a versioned bucket (soft = 0), and those
-- that can still be restored until `expires` (soft = 1).
CREATE TABLE old_objects (
    bucket            TEXT NOT NULL,
    bucket_generation INTEGER NOT NULL,
    name              TEXT NOT NULL,
    generation        INTEGER NOT NULL,
    metageneration    INTEGER NOT NULL,
    sha256            TEXT NOT NULL,
    md5               TEXT NOT NULL,
    crc32c            TEXT NOT NULL,
    size_bytes        INTEGER NOT NULL,
    created           TEXT NOT NULL,
    updated           TEXT NOT NULL,
    body              TEXT NOT NULL,
    acl               TEXT,
    secret            TEXT,
    soft              INTEGER NOT NULL,
    deleted           TEXT NOT NULL,
    expires           TEXT,
    PRIMARY KEY (bucket, soft, name, generation, bucket_generation)
) WITHOUT ROWID;
CREATE INDEX old_objects_by_sha256 ON old_objects (sha256);
CREATE INDEX old_objects_by_expiry ON old_objects (expires) WHERE expires IS NOT NULL;

-- Deleted buckets that can still be restored until `expires`.
CREATE TABLE old_buckets (
    name           TEXT NOT NULL,
    generation     INTEGER NOT NULL,
    project_id     TEXT NOT NULL,
    metageneration INTEGER NOT NULL,
    body           TEXT NOT NULL,
    policy         TEXT,
    deleted        TEXT NOT NULL,
    expires        TEXT NOT NULL,
    PRIMARY KEY (name, generation)
) WITHOUT ROWID;
CREATE INDEX old_buckets_by_project ON old_buckets (project_id, name);

-- Folders of buckets: managed ones (kind = 'managed') and those of a hierarchical namespace.
CREATE TABLE folders (
    bucket         TEXT NOT NULL,
    kind           TEXT NOT NULL,
    name           TEXT NOT NULL,
    metageneration INTEGER NOT NULL,
    created        TEXT NOT NULL,
    updated        TEXT NOT NULL,
    policy         TEXT,
    PRIMARY KEY (bucket, kind, name)
) WITHOUT ROWID;

-- Uploads in parts of the XML API; a part's bytes are a blob.
CREATE TABLE multipart_uploads (
    id      TEXT PRIMARY KEY,
    bucket  TEXT NOT NULL,
    name    TEXT NOT NULL,
    request TEXT NOT NULL,
    created TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX multipart_uploads_by_name ON multipart_uploads (bucket, name, id);
CREATE TABLE multipart_parts (
    upload     TEXT NOT NULL REFERENCES multipart_uploads (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    md5        TEXT NOT NULL,
    crc32c     TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    created    TEXT NOT NULL,
    secret     TEXT,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE INDEX multipart_parts_by_sha256 ON multipart_parts (sha256);

DROP VIEW blob_references;
CREATE VIEW blob_references AS
    SELECT sha256 FROM objects
    UNION ALL SELECT sha256 FROM data_items
    UNION ALL SELECT sha256 FROM old_objects
    UNION ALL SELECT sha256 FROM multipart_parts;

-- Unfinished uploads are counted when another is begun.
CREATE INDEX open_uploads ON uploads (bucket) WHERE answer IS NULL;
