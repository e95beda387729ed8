-- Which artifacts and executions are in a context, which contexts in another, and what was
-- input or output of an execution. All by full resource name.
CREATE TABLE metadata_members (
    context TEXT NOT NULL,
    member  TEXT NOT NULL,
    PRIMARY KEY (context, member)
) WITHOUT ROWID;
CREATE INDEX metadata_members_by_member ON metadata_members (member);
CREATE TABLE metadata_children (
    parent TEXT NOT NULL,
    child  TEXT NOT NULL,
    PRIMARY KEY (parent, child)
) WITHOUT ROWID;
CREATE INDEX metadata_children_by_child ON metadata_children (child);
CREATE TABLE metadata_events (
    execution TEXT NOT NULL,
    artifact  TEXT NOT NULL,
    type      TEXT NOT NULL,
    time      TEXT NOT NULL,
    labels    TEXT NOT NULL,
    PRIMARY KEY (execution, artifact)
) WITHOUT ROWID;
CREATE INDEX metadata_events_by_artifact ON metadata_events (artifact);
