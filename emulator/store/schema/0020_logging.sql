-- Log entries as Cloud Logging lists them, and how far each stream of a job has been read.
CREATE TABLE log_entries (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    project   TEXT NOT NULL,
    job       TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    body      TEXT NOT NULL
);
CREATE INDEX log_entries_by_time ON log_entries (project, timestamp, seq);
CREATE INDEX log_entries_by_job ON log_entries (project, job, timestamp, seq);

CREATE TABLE log_positions (
    job      TEXT NOT NULL,
    stream   TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (job, stream)
) WITHOUT ROWID;
