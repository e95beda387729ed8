-- Projects that have been used, with the one number they have in all services.
CREATE TABLE projects (
    id     TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE
);

-- Typed JSON rows of any API, by full resource name; seq is the order of creation.
CREATE TABLE resources (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    name   TEXT NOT NULL UNIQUE,
    kind   TEXT NOT NULL,
    parent TEXT NOT NULL,
    body   TEXT NOT NULL
);
CREATE INDEX resources_by_parent ON resources (kind, parent, seq);
