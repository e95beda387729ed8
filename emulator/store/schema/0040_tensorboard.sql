-- Time series of TensorBoard runs, and their points, one a step.
CREATE TABLE tensorboard_series (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE tensorboard_points (
    series    INTEGER NOT NULL REFERENCES tensorboard_series (id) ON DELETE CASCADE,
    step      INTEGER NOT NULL,
    wall_time TEXT NOT NULL,
    value     TEXT NOT NULL,
    blobs     INTEGER NOT NULL,
    PRIMARY KEY (series, step)
) WITHOUT ROWID;
