-- A data item is one photo of one dataset, known by its bytes; the bytes are kept as they were
-- imported, whatever becomes of the object.
CREATE TABLE data_items (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset TEXT NOT NULL,
    id      TEXT NOT NULL,
    sha256  TEXT NOT NULL,
    uri     TEXT NOT NULL,
    mime    TEXT NOT NULL,
    labels  TEXT NOT NULL,
    created TEXT NOT NULL,
    UNIQUE (dataset, sha256)
);
CREATE INDEX data_items_by_sha256 ON data_items (sha256);
CREATE UNIQUE INDEX data_items_by_id ON data_items (dataset, id);

CREATE TABLE annotation_specs (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset      TEXT NOT NULL,
    id           TEXT NOT NULL,
    display_name TEXT NOT NULL,
    created      TEXT NOT NULL,
    UNIQUE (dataset, display_name)
);

CREATE TABLE annotations (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset TEXT NOT NULL,
    id      TEXT NOT NULL,
    item    INTEGER NOT NULL REFERENCES data_items (seq) ON DELETE CASCADE,
    spec    INTEGER NOT NULL REFERENCES annotation_specs (seq) ON DELETE CASCADE,
    labels  TEXT NOT NULL,
    created TEXT NOT NULL,
    UNIQUE (item, spec)
);
CREATE INDEX annotations_by_spec ON annotations (spec);
CREATE INDEX annotations_by_dataset ON annotations (dataset);

-- A blob lives while any of these refers to it.
CREATE VIEW blob_references AS
    SELECT sha256 FROM objects UNION ALL SELECT sha256 FROM data_items;
