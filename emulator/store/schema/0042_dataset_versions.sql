-- A version of a dataset: its rows as they were; `item` and `spec` are the `seq` of the same version.
CREATE TABLE dataset_version_items (
    version TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    sha256  TEXT    NOT NULL,
    uri     TEXT    NOT NULL,
    mime    TEXT    NOT NULL,
    labels  TEXT    NOT NULL,
    created TEXT    NOT NULL,
    PRIMARY KEY (version, seq)
) WITHOUT ROWID;
CREATE INDEX dataset_version_items_by_sha256 ON dataset_version_items (sha256);

CREATE TABLE dataset_version_specs (
    version      TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    id           TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    created      TEXT    NOT NULL,
    PRIMARY KEY (version, seq)
) WITHOUT ROWID;

CREATE TABLE dataset_version_annotations (
    version TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    item    INTEGER NOT NULL,
    spec    INTEGER NOT NULL,
    labels  TEXT    NOT NULL,
    created TEXT    NOT NULL,
    PRIMARY KEY (version, seq)
) WITHOUT ROWID;

DROP VIEW blob_references;
CREATE VIEW blob_references AS
    SELECT sha256 FROM objects
    UNION ALL SELECT sha256 FROM data_items
    UNION ALL SELECT sha256 FROM old_objects
    UNION ALL SELECT sha256 FROM multipart_parts
    UNION ALL SELECT sha256 FROM dataset_version_items;
